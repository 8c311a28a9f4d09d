"""Time sync: whoever is ahead of its peers runs a little slower, until all are within a frame of each other.

Frame advantage is how many frames this side is ahead of a peer, as seen from here. What is seen is wrong by as much as
the packets' way is misjudged, and by about the same on the other side; so each side takes its own view and its peer's,
and acts on half their difference (the idea is GGPO's, by Tony Cannon). How much slower follows from how far ahead one
is, and from how long one has been so: that part makes up for a clock that runs too fast. Rate is changed, never a
frame skipped. It knows nothing of packets or of what a frame is.
"""

from __future__ import annotations

from collections import deque

__all__ = ["TimeSync"]

#: Views are averaged over this time, in s, and over so many at the least.
AVERAGED_S, FEWEST_VIEWS = 0.2, 3
#: Ahead by no more than this many frames is not ahead.
TOLERANCE = 0.1
#: How much slower to run for each frame that one is ahead, times the frame rate, and never more than the second number.
GAIN, STEEPEST = 3.0, 0.12
#: How much of that lasts, and how much of what has lasted is forgotten, in a second, as shares. Without forgetting, two
#: sides that were ahead by turns would both go on running slower than they need.
LASTING, FORGOTTEN = 0.9, 0.3
#: Below this frame rate a view counts for no longer a time.
SLOWEST_FPS = 30.0
#: How much slower to run at the most.
SLOWEST = 0.25


class TimeSync:
    """The frame advantage over one peer.

    Args:
        fps: the rate that both are to run at, in frames a second; views are expected about once a frame.
    """

    def __init__(self, fps: float) -> None:
        self._own: deque[float] = deque(maxlen=max(FEWEST_VIEWS, round(fps * AVERAGED_S)))
        self._gain = min(STEEPEST, GAIN / fps)
        self._view_s = 1.0 / max(fps, SLOWEST_FPS)
        self._lasting = 0.0
        #: How many frames this side has lately seen itself ahead, and how many it is in truth (negative if behind); 0 before
        #: anything was seen. By what factor to stretch the time between two frames, from 1 to 1 + `SLOWEST`.
        self.own, self.ahead, self.stretch = 0.0, 0.0, 1.0

    def restart(self) -> None:
        """Frames begin anew. How fast the clocks run stays known."""
        self._own.clear()
        self.own = self.ahead = 0.0
        self.stretch = self._stretch(0.0)

    def observe(self, own: float, peers: float) -> None:
        """One pair of views, in frames: how far this side sees itself ahead, and how far the peer saw itself ahead (`own`)."""
        self._own.append(own)
        self.own = sum(self._own) / len(self._own)
        self.ahead = ahead = (self.own - peers) / 2
        beyond = max(0.0, ahead - TOLERANCE) if ahead > 0 else min(0.0, ahead + TOLERANCE)
        self.stretch = self._stretch(beyond)
        if self.stretch < 1.0 + SLOWEST:  # what cannot be made up for now is no sign of a fast clock
            change = LASTING * self._gain * beyond - FORGOTTEN * self._lasting
            self._lasting = min(SLOWEST, max(0.0, self._lasting + change * self._view_s))
            self.stretch = self._stretch(beyond)

    def _stretch(self, beyond: float) -> float:
        """For `beyond` frames ahead (or, negative, behind) more than is tolerated."""
        return 1.0 + min(SLOWEST, max(0.0, self._lasting + self._gain * beyond))

"""Time sync: whoever is ahead of its peers runs a little slower, until all are within a frame of each other.

Frame advantage is how many frames this side is ahead of a peer, as seen from here. What is seen is wrong by as much as the
packets' way is misjudged, and by about the same on the other side; so half the sum of its own view and its peer's, each of
the same moment, tells either side how wrong they are (the idea of two views is GGPO's, by Tony Cannon). That hardly changes
and is averaged for long, so that what is acted on is as new as the own view, however old the peer's. How much slower follows
from how far ahead one is, and from how long one has been so: that part makes up for a host that is faster than it should be.
A clock that runs too fast is seen sooner, on the clocks themselves (`clockrate`), and made up for at once. Rate is changed,
never a frame skipped; only at the beginning of an episode one that is ahead waits once (`settled`, `waited`). It knows nothing
of packets or of what a frame is.
"""

from __future__ import annotations

from collections import deque

from .clockrate import ClockRate

__all__ = ["TimeSync"]

#: Views are averaged over this time, in s, and over so many at the least.
AVERAGED_S, FEWEST_VIEWS = 0.2, 3
#: How wrong the views are is averaged over this time, in s.
ASTRAY_S = 1.0
#: Views are kept for a peer's view to be compared with for so many frames.
KEPT_VIEWS = 128
#: Ahead by no more than this many frames is not ahead.
TOLERANCE = 0.1
#: How much slower to run for each frame that one is ahead, times the frame rate, and never more than the second number.
GAIN, STEEPEST = 4.0, 0.15
#: How much of that lasts, and how much of what has lasted is forgotten, in a second, as shares. Without forgetting, two
#: sides that were ahead by turns would both go on running slower than they need.
LASTING, FORGOTTEN = 0.9, 0.3
#: Nothing lasts of what asks for more than this share.
STEADY = 0.05
#: Below this frame rate a view counts for no longer a time.
SLOWEST_FPS = 30.0
#: How much slower to run at the most for being ahead: by the first of these shares for being ahead by no more than the first
#: of these times, in s, and by the second from the second on.
GENTLE, SLOWEST = 0.12, 0.4
NEAR_S, FAR_S = 0.06, 0.2
#: A clock that is faster than the peer's by no more than this share is not made up for: it may be a wrong view.
ALIKE = 0.005


class TimeSync:
    """The frame advantage over one peer.

    Args:
        fps: the rate that both are to run at, in frames a second; views are expected about once a frame.
    """

    def __init__(self, fps: float) -> None:
        self._own: deque[float] = deque(maxlen=max(FEWEST_VIEWS, round(fps * AVERAGED_S)))
        self._before: deque[float] = deque(maxlen=KEPT_VIEWS)
        self._astray, self._compared = 0.0, 0
        self._fps = fps
        self._gain = min(STEEPEST, GAIN / fps)
        self._view_s = 1.0 / max(fps, SLOWEST_FPS)
        self._lasting = 0.0
        self.clock = ClockRate()
        #: How many frames this side has lately seen itself ahead, and how many it is in truth (negative if behind); 0 before
        #: anything was seen. By what factor to stretch the time between two frames, from 1 on: up to 1 + `SLOWEST` if the
        #: clocks run alike.
        self.own, self.ahead, self.stretch = 0.0, 0.0, 1.0

    def restart(self) -> None:
        """Frames begin anew. How fast the clocks run stays known."""
        self._own.clear()
        self._before.clear()
        self.own = self.ahead = 0.0
        self.stretch = self._stretch(0.0)

    @property
    def seen(self) -> bool:
        """Whether anything was seen yet, so that `own` means something."""
        return bool(self._own)

    @property
    def settled(self) -> bool:
        """Whether enough was seen to act on it at once."""
        return self._compared >= 2 * len(self._own) and len(self._own) == self._own.maxlen

    def waited(self, frames: float) -> None:
        """This side waits for so many frames, beside running slower: what it sees is to be as if it had done so already."""
        self._own = deque([view - frames for view in self._own], maxlen=self._own.maxlen)
        self.own -= frames
        self.ahead -= frames
        self.stretch = self._stretch(max(0.0, self.ahead - TOLERANCE))

    def observe(self, own: float, peers: float | None, age: float = 0.0) -> None:
        """One pair of views, in frames.

        Args:
            own: how far this side sees itself ahead now.
            peers: how far the peer saw itself ahead (its `own`); None if it had not yet seen anything.
            age: how many frames ago that was.
        """
        self._own.append(own)
        self.own = sum(self._own) / len(self._own)
        self._before.append(self.own)
        if peers is not None:
            then = self._before[max(0, len(self._before) - 1 - round(age))]
            self._compared += 1
            share = max(1.0 / self._compared, self._view_s / ASTRAY_S)
            self._astray += ((then + peers) / 2 - self._astray) * share
        self.ahead = ahead = self.own - self._astray
        beyond = max(0.0, ahead - TOLERANCE) if ahead > 0 else min(0.0, ahead + TOLERANCE)
        if self._gain * beyond < STEADY:  # who has just been far behind or ahead is not for that reason slow or fast
            change = LASTING * self._gain * beyond - FORGOTTEN * self._lasting
            self._lasting = min(SLOWEST, max(0.0, self._lasting + change * self._view_s))
        self.stretch = self._stretch(beyond)

    def _stretch(self, beyond: float) -> float:
        """For `beyond` frames ahead (or, negative, behind) more than is tolerated."""
        faster = 1.0 / self.clock.rate
        far = min(1.0, max(0.0, (beyond / self._fps - NEAR_S) / (FAR_S - NEAR_S)))
        most = GENTLE + (SLOWEST - GENTLE) * far
        return max(1.0, (faster if faster > 1.0 + ALIKE else 1.0) + min(most, self._lasting + self._gain * beyond))

"""Time sync: whoever is ahead of its peers runs a little slower, until all are within a frame of each other.

Frame advantage is how many frames this side is ahead of a peer, as seen from here. What is seen is wrong by the
difference of the two directions' latencies, and by the same amount with the other sign on the other side; so each
side averages its own view and its peer's, and acts on half their difference (the idea is GGPO's, by Tony Cannon).
Rate is changed, never a frame skipped. It knows nothing of packets or of what a frame is.
"""

from __future__ import annotations

from collections import deque

__all__ = ["TimeSync"]

#: How many views are averaged: about a second of packets at 30 fps.
SAMPLES = 30
#: Ahead by no more than this many frames is not ahead.
TOLERANCE = 0.25
#: How much slower to run for each frame that one is ahead, and at the most.
GAIN, SLOWEST = 0.06, 0.25


class TimeSync:
    """The frame advantage over one peer, averaged."""

    def __init__(self) -> None:
        self._own: deque[float] = deque(maxlen=SAMPLES)
        self._peers: deque[float] = deque(maxlen=SAMPLES)

    def observe(self, own: float, peers: float) -> None:
        """One pair of views, in frames: how far this side sees itself ahead, and how far the peer saw itself ahead."""
        self._own.append(own)
        self._peers.append(peers)

    @property
    def own(self) -> float:
        """How many frames this side has lately seen itself ahead; 0 before anything was seen."""
        return sum(self._own) / len(self._own) if self._own else 0.0

    @property
    def ahead(self) -> float:
        """How many frames this side is ahead in truth; negative if behind."""
        return (self.own - sum(self._peers) / len(self._peers)) / 2 if self._own else 0.0

    @property
    def stretch(self) -> float:
        """By what factor to stretch the time between two frames: 1 unless ahead, at most 1 + `SLOWEST`."""
        excess = self.ahead - TOLERANCE
        return 1.0 + min(SLOWEST, excess * GAIN) if excess > 0 else 1.0

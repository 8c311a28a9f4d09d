"""How fast another host's clock runs, as seen from this one: told by the times at which it says that it sent something.

Each view is what the other clock showed at some time of this one. A line through the views has the rate as its slope; old
views are forgotten by and by, and a few views that are wrong by some ms do not yet make a rate of their own: until enough
have come the other clock is taken to run as this one does. It knows nothing of packets or frames.
"""

from __future__ import annotations

import math

__all__ = ["ClockRate"]

#: After so many ms a view counts for a third (1 / e) of a new one.
FORGOTTEN_MS = 4000.0
#: Silence lets nothing be forgotten beyond this time, in ms: the rate goes on to be what it was.
LONGEST_GAP_MS = 250.0
#: How much views must say before a rate is believed, in ms squared: that of a view being wrong by 12 ms, if a rate is
#: thought to be wrong by 0.15.
RELUCTANCE = (12.0 / 0.15) ** 2
#: A view that is wrong by more than this, in ms, begins anew: some clock was set, or stood still.
JUMP_MS = 700.0
#: No clock is taken to run slower or faster than by this factor; what seems so is the network's doing.
SLOWEST, FASTEST = 0.6, 1.7


class ClockRate:
    """The rate of one other clock."""

    def __init__(self) -> None:
        #: How many of its ms pass in one of ours.
        self.rate = 1.0
        self._last = 0.0
        self._begin()

    def _begin(self) -> None:
        self._weight = 0.0
        # Of our time and of how far the other is behind it: the means, and the sums of squares and products about them.
        self._ours = self._behind = self._squares = self._products = 0.0
        self._newest: tuple[float, float] | None = None

    def observe(self, ours_ms: float, its_ms: float) -> None:
        """What the other clock shows (`its_ms`) at a time of this one (`ours_ms`), which never goes back.

        Of several views of one time the last counts: those before it waited for this host to look, and are older than they
        seem.
        """
        if self._newest is not None and self._newest[0] < ours_ms:
            self._take(*self._newest)
        self._newest = ours_ms, ours_ms - its_ms

    def _take(self, ours: float, behind: float) -> None:
        away = ours - self._ours
        slope = self._products / (self._squares + RELUCTANCE)
        if self._weight and abs(behind - self._behind - slope * away) > JUMP_MS:
            self._begin()
            away = ours
        passed = min(LONGEST_GAP_MS, ours - self._last) if self._weight else 0.0
        kept = math.exp(-passed / FORGOTTEN_MS)
        self._last = ours
        self._weight = self._weight * kept + 1.0
        self._ours += away / self._weight
        self._behind += (behind - self._behind) / self._weight
        self._squares = self._squares * kept + away * (ours - self._ours)
        self._products = self._products * kept + away * (behind - self._behind)
        self.rate = min(FASTEST, max(SLOWEST, 1.0 - self._products / (self._squares + RELUCTANCE)))

"""How many frames may lie between two captures of an environment: what it costs to capture it, against what it costs to step.

A state between two captures is told by the one before and the actions since, so to go back to it takes those steps again.
If a capture costs K, a step S, and a frame is gone back to with probability p, captures that are n frames apart cost
K / n + p S (n - 1) / 2 a frame, which is least at n = sqrt(2 K / (p S)). Only right after a correction that is not so. What
follows is replayed with every correction, and captured somewhere on the way; so where a capture costs the same K, and where
the next correction is looked for, it spares the most. Costs are measured, so hosts choose differently: nothing that becomes
data may depend on it. It knows nothing of environments or frames.
"""

from __future__ import annotations

import math
from typing import Literal

__all__ = ["AUTO", "FIRST", "REPLAYED", "SOONEST", "Spacing"]

#: The `snapshot_every` of those who leave it to each host where it captures the environment.
AUTO: Literal["auto"] = "auto"

#: How likely it is that a rollback goes back to a frame: to one that was simulated for the first time; to one that was replayed,
#: where most corrections are of the frames before; to the one after the first that was replayed, for inputs arrive in order.
FIRST, REPLAYED, SOONEST = 0.1, 0.03, 1.0
#: A capture that costs more than so many steps is not worth its while even there: to go back over them costs half as much.
_WORTH = 16.0
#: So many steps and captures are measured; the shortest of each counts, for whatever comes between makes it longer.
_MEASURED = 12
#: Captures are never farther apart, in frames.
_FARTHEST = 32


class Spacing:
    """What is known of the costs of one environment.

    Args:
        capture: how many steps a capture costs; None: that is to be measured, and until it was captures are 1 frame apart.
    """

    def __init__(self, capture: float | None = None) -> None:
        self._steps = self._captures = 0
        self._step_s = self._capture_s = math.inf
        self._spaces: dict[float, int] = {}
        #: Whether it is still to be told what things cost.
        self.measures = capture is None
        if capture is not None:
            self._settle(capture)

    def step(self, seconds: float) -> None:
        """A step took so long."""
        self._steps += 1
        self._step_s = min(self._step_s, seconds)

    def capture(self, seconds: float) -> None:
        """A capture took so long."""
        self._captures += 1
        self._capture_s = min(self._capture_s, seconds)
        if self.measures and min(self._steps, self._captures) >= _MEASURED:
            self.measures = False
            self._settle(self._capture_s / max(self._step_s, 1e-9))

    def _settle(self, ratio: float) -> None:
        spaces = {likely: round(math.sqrt(2.0 * ratio / likely)) for likely in (FIRST, REPLAYED)}
        self._spaces = {likely: min(_FARTHEST, max(1, space)) for likely, space in spaces.items()}
        self._spaces[SOONEST] = 1 if ratio <= _WORTH else self._spaces[REPLAYED]

    def frames(self, likely: float) -> int:
        """How many frames there are from one capture to the next, where a frame is gone back to with this probability: `FIRST`,
        `REPLAYED` or `SOONEST`."""
        return self._spaces.get(likely, 1)

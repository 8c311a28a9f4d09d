"""A few frames that are played before Python's memory is made an image, and forgotten.

What Python and its libraries learn when something is done for the first time, about types and about where they keep what they hold,
is in the image then, and need not be learnt in every page while a participant waits. Nothing of what is played is kept. It
knows nothing of images.
"""

from __future__ import annotations

import sys
from typing import Any

from .batch import Runtime
from .operations import Reset, Restore, Snapshot, Step

__all__ = ["rehearse"]

FRAMES = 40


def rehearse() -> None:
    """Play a trial environment, if Gymnasium is loaded: steps, snapshots, a rollback and digests."""
    if "gymnasium" not in sys.modules:
        return
    runtime = Runtime(_trial(), seed=1)
    actions = [(bytes([frame % 2]),) for frame in range(FRAMES)]
    for action in actions:
        runtime.batch([Snapshot(), Step(action)], describe=False)
    runtime.replay(FRAMES - 8, actions[-8:])
    runtime.batch([Restore(FRAMES - 4)])
    runtime.digest()
    runtime.batch([Reset(2)])


def _trial() -> Any:
    import gymnasium
    import numpy as np

    class Trial(gymnasium.Env[Any, int]):
        """Holds one of each thing that environments hold most."""

        observation_space: Any = gymnasium.spaces.Box(-1.0, 1.0, (2,), np.float32)
        action_space: Any = gymnasium.spaces.Discrete(2)

        def __init__(self) -> None:
            self.place, self.past, self.named = np.zeros(2), [0.0], {"steps": 0}

        def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
            super().reset(seed=seed)
            self.place = self.np_random.uniform(-1.0, 1.0, 2)
            self.named["steps"] = 0
            return self.place.astype(np.float32), {}

        def step(self, action: int) -> tuple[Any, float, bool, bool, dict[str, Any]]:
            self.place = np.clip(self.place + self.np_random.normal(0.0, 0.1, 2), -1.0, 1.0)
            self.past = [*self.past[-4:], float(self.place[0])]
            self.named["steps"] += action
            return self.place.astype(np.float32), float(self.place.sum()), False, False, {"steps": self.named["steps"]}

    return Trial()

"""A few frames that are played before Python's memory is made an image, and forgotten.

What Python and its libraries learn when something is done for the first time, about types and about where they keep what they hold,
is in the image then, and need not be learnt in every page while a participant waits. Nothing of what is played is kept. It
knows nothing of images.
"""

from __future__ import annotations

import sys
from typing import Any

from .experiment import Experiment
from .participant import Participant

__all__ = ["rehearse"]

FRAMES, FPS = 40, 30


def rehearse() -> None:
    """Play a match of one player in a trial environment, and roll it back, if Gymnasium is loaded."""
    if "gymnasium" not in sys.modules:
        return
    experiment = Experiment(
        name="rehearsal", environment=_trial, players=1, fps=FPS, max_steps=FRAMES, keys={"a": 1}, default_action=0, draw=_draw
    )
    participant = Participant(experiment, {"files": {}, "module": "", "requirements": [], "settings": {}})
    participant.start({"session": "rehearsal", "seed": 1, "players": [{"player_id": "one", "index": 0}], "index": 0})
    participant.about()
    for tick in range(FRAMES - 8):
        participant.tick(1000.0 * tick / FPS, b"")
    runtime = participant.runtime
    frame = runtime.held_frames[0]
    runtime.replay(frame, [(bytes([number % 2]),) for number in range(runtime.frame - frame)])


def _draw(env: Any) -> list[dict[str, Any]]:
    x, y = (float(value) for value in env.unwrapped.place)
    return [{"shape": "circle", "x": 50 + 40 * x, "y": 50 + 40 * y, "r": 5, "fill": "#333"}]


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

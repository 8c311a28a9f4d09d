"""Environments on which a simulation has something to find, and honest ones of every sort."""

from __future__ import annotations

import random
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

import numpy as np
from gymnasium import Env, spaces

from tests.netcode.environments import Pond


class Leaky(Pond):
    """Counts all steps that were ever taken, replayed ones and those of other ponds included."""

    steps: ClassVar[int] = 0

    def step(self, actions: dict[str, int]) -> tuple[Any, ...]:
        Leaky.steps += 1
        *others, infos = super().step(actions)
        for info in infos.values():
            info["steps"] = Leaky.steps
        return *others, infos


class Forgetful(Pond):
    """Remembers outside of its state which frame it stepped last, and goes wrong when a frog jumps (action 4) in a replayed one."""

    def step(self, actions: dict[str, int]) -> tuple[Any, ...]:
        observations, rewards, *rest = super().step(actions)
        again, _FARTHEST[self] = self.clock <= _FARTHEST.get(self, 0), self.clock
        if again and 4 in actions.values():
            rewards["frog_0"] += 100.0
        return observations, rewards, *rest


#: The frame that each pond stepped last: kept where no snapshot finds it.
_FARTHEST: WeakKeyDictionary[Pond, int] = WeakKeyDictionary()


class Quiet(Pond):
    """What differs after a replay is seen in no row, only in the state."""

    def step(self, actions: dict[str, int]) -> tuple[Any, ...]:
        answer = super().step(actions)
        again, _FARTHEST[self] = self.clock <= _FARTHEST.get(self, 0), self.clock
        self.hidden = getattr(self, "hidden", 0) + again
        return answer


class Trap(Pond):
    """Raises once both frogs jump at once."""

    def step(self, actions: dict[str, int]) -> tuple[Any, ...]:
        if all(action == 4 for action in actions.values()):
            raise RuntimeError("both jumped")
        return super().step(actions)


def heedless(env: Pond, player: str, source: random.Random) -> int:
    """A partner that counts, where no snapshot finds it, how often it was asked: replayed frames included."""
    _ASKED[env] = _ASKED.get(env, 0) + 1
    return _ASKED[env] % 5


#: How often each pond's partner was asked.
_ASKED: WeakKeyDictionary[Pond, int] = WeakKeyDictionary()


class Sums(Env[Any, Any]):
    """A Gymnasium environment for two, whose action space is a Tuple of what is given; it adds up all bytes of the actions."""

    def __init__(self, part: Any) -> None:
        self.action_space = spaces.Tuple([part, part])
        self.observation_space = spaces.Box(-np.inf, np.inf, (1,), np.float64)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.total, self.noise = 0.0, 0
        return np.array([self.total]), {}

    def step(self, action: Any) -> tuple[Any, ...]:
        self.total += sum(map(_sum, action))
        self.noise = int(self.np_random.integers(1000))
        return np.array([self.total]), self.total + self.noise, False, False, {"noise": self.noise}


def _sum(action: Any) -> float:
    if isinstance(action, dict):
        return sum(map(_sum, action.values()))
    if isinstance(action, tuple):
        return sum(map(_sum, action))
    return float(np.asarray(action, dtype=np.float64).sum())

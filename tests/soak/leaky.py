"""An environment that is not safe to roll back, and does not look it: it remembers something outside its own objects."""

from __future__ import annotations

from typing import Any, ClassVar

from tests.netcode.environments import Pond


class Leaky(Pond):
    """A pond that counts all steps that were ever taken, replayed ones and those of other ponds included."""

    steps: ClassVar[int] = 0

    def step(self, actions: dict[str, int]) -> tuple[Any, ...]:
        Leaky.steps += 1
        *others, infos = super().step(actions)
        for info in infos.values():
            info["steps"] = Leaky.steps
        return *others, infos

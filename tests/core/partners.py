"""Partner policies for the tests: one that remembers in every sort of memory, and small ones with one property that matters."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from tests.core.sorts import SORTS, poke
from tests.core.tangle import ACTIONS

__all__ = ["Tinkerer", "counting", "hand_in_hand"]


class Tinkerer:
    """Remembers in objects of every sort, holds some of the environment's own, and lets the environment hold some of its own.

    Args:
        sorts: names of the sorts of memory that it has.
    """

    def __init__(self, sorts: Sequence[str]) -> None:
        rng = random.Random(5)
        self.calls = 0
        self.pool = [SORTS[sort](rng, lambda: None) for sort in sorts]
        self.borrowed: list[Any] = []

    def __call__(self, env: Any, player: str, source: random.Random) -> int:
        self.calls += 1
        mine = source.choice(self.pool)
        theirs = env.pool.get(source.choice(sorted(env.pool))) if env.pool else None
        value = poke(mine, source, lambda: source.choice([theirs, None, 3, 0.5, "word"]))
        chosen = source.randrange(6)
        if chosen == 0:
            self.borrowed.append(theirs)
        elif chosen == 1:
            env.past.append(mine)
        elif chosen == 2:
            self.borrowed = self.borrowed[-3:]
        return (self.calls + int(value) + len(self.borrowed) + random.randrange(2)) % ACTIONS


def counting(actions: int) -> Callable[[Any, str, random.Random], int]:
    """A policy with its memory in a closure: what it does is how often it was asked, and by whom."""
    asked: dict[str, int] = {}

    def count(env: Any, player: str, source: random.Random) -> int:
        asked[player] = asked.get(player, -1) + 1
        return asked[player] % actions

    return count


def hand_in_hand(env: Any, player: str, source: random.Random) -> int:
    """A policy without memory: it draws."""
    return source.randrange(3)

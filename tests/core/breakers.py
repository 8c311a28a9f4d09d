"""Environments that are not deterministic, each in one way, and none of which shows it in its rows unless it is said."""

from __future__ import annotations

import os
import random
import time
from typing import Any
from weakref import WeakKeyDictionary

from tests.netcode.environments import Pond

#: A variable of the module that no snapshot covers.
HIDDEN = {"steps": 0}
#: What lies between objects in memory.
BALLAST: list[Any] = []


class Unseeded(Pond):
    """Draws from the operating system."""

    def step(self, actions: dict[str, int]) -> tuple[Any, ...]:
        answer = super().step(actions)
        if self.clock > 5:
            self.board[0][1] = os.urandom(1)[0] + 256 * random.SystemRandom().randrange(2**31)
        return answer


class WallClock(Pond):
    """Reads the clock, to the hour."""

    def step(self, actions: dict[str, int]) -> tuple[Any, ...]:
        answer = super().step(actions)
        self.hour = int(time.time()) // 3600
        return answer


class FineClock(Pond):
    """Reads a clock as finely as it can."""

    def step(self, actions: dict[str, int]) -> tuple[Any, ...]:
        answer = super().step(actions)
        self.board[2][3] = time.perf_counter_ns()
        return answer


class Token:
    """Hashed by its identity."""

    def __init__(self, number: int) -> None:
        self.number = number


def _apart(number: int) -> Token:
    """A token whose address has nothing to do with that of the one before."""
    BALLAST.extend(Token(-1) for _ in range(random.SystemRandom().randrange(4)))
    return Token(number)


class SetOrder(Pond):
    """Acts in the order of a set whose elements are hashed by their identities."""

    def reset(self, seed: int | None = None, options: Any = None) -> Any:
        answer = super().reset(seed, options)
        self.tokens = [_apart(number) for number in range(40)]
        self.order = ""
        return answer

    def step(self, actions: dict[str, int]) -> tuple[Any, ...]:
        answer = super().step(actions)
        self.order = ",".join(str(token.number) for token in set(self.tokens))
        return answer


class Identity(Pond):
    """Uses the address of an object as a number."""

    def step(self, actions: dict[str, int]) -> tuple[Any, ...]:
        answer = super().step(actions)
        self.lucky = id(self.board) % 1_000_003
        return answer


class Global(Pond):
    """Counts in a variable of the module; a row shows it."""

    def step(self, actions: dict[str, int]) -> tuple[Any, ...]:
        HIDDEN["steps"] += 1
        *others, infos = super().step(actions)
        infos["frog_1"]["steps"] = HIDDEN["steps"]
        return *others, infos


class ReplaysOnly(Pond):
    """Goes wrong only in the fourth frame in a row that is replayed: no second instance shows it, nor a shallow rollback."""

    def step(self, actions: dict[str, int]) -> tuple[Any, ...]:
        answer = super().step(actions)
        last, replayed = _LAST.get(self, (0, 0))
        replayed = replayed + 1 if self.clock <= last or replayed else 0
        _LAST[self] = (max(last, self.clock), replayed if self.clock < last else 0)
        if replayed == 4:
            self.board[0][0] += 1000
        return answer


#: The farthest frame that each pond stepped, and how many in a row it has replayed.
_LAST: WeakKeyDictionary[Pond, tuple[int, int]] = WeakKeyDictionary()

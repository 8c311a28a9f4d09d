"""Environments that come to other data on one host than on the other, each for a reason of its own.

`hosts(cause)` gives each of two hosts a factory. Both make environments that look alike from outside, so that no hello can tell
them apart; what differs is what differs between two machines: what the system drew, the time, addresses, hashes, arithmetic.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pyodide_runtime.simulation import episode_seed

from .environments import Pond

__all__ = ["AT", "CAUSES", "Cause", "factories", "posing"]

#: The frame that makes them differ.
AT = 40


def posing(kind: type[Any], as_kind: type[Any]) -> type[Any]:
    """The same class under the name of another."""
    kind.__qualname__, kind.__module__ = as_kind.__qualname__, as_kind.__module__
    return kind


class Odd(Pond):
    """Does something odd after the step of frame `AT`; `seen` are the values that it came to, of every time it was played.

    `host` is the number of its host, which the environment of an honest experiment could not know.
    """

    host = 0

    def reset(self, seed: int | None = None, options: Any = None) -> Any:
        self.mark: Any = 0
        return super().reset(seed, options)

    def step(self, actions: dict[str, int]) -> tuple[Any, ...]:
        answer = super().step(actions)
        if self.clock == AT + 1:
            self.odd(answer)
        return answer

    def odd(self, answer: tuple[Any, ...]) -> None:
        raise NotImplementedError


class DrawsFromTheSystem(Odd):
    def odd(self, answer: tuple[Any, ...]) -> None:
        self.mark = random.SystemRandom().random()


class Salted(Odd):
    """The salt was drawn when the module was imported: it is of the module, not of the state."""

    salt = 0

    def odd(self, answer: tuple[Any, ...]) -> None:
        self.mark = self.salt


class ReadsTheClock(Odd):
    def odd(self, answer: tuple[Any, ...]) -> None:
        self.mark = [time.perf_counter_ns()]


class Word(str):
    """A text whose hash depends on the process, as that of all texts does."""

    __slots__ = ()
    seed = 0

    def __hash__(self) -> int:
        return (len(self) * 7 + ord(self[0]) * 31) * (1 + 2 * self.seed) + self.seed

    def __eq__(self, other: object) -> bool:
        return str.__eq__(self, other) is True


class OtherWord(Word):
    __slots__ = ()
    seed = 5


posing(OtherWord, Word)


class IteratesWords(Odd):
    word: type[Word] = Word

    def reset(self, seed: int | None = None, options: Any = None) -> Any:
        answer = super().reset(seed, options)
        self.words = {self.word(letter * 2) for letter in "abcdefghijklm"}
        return answer

    def odd(self, answer: tuple[Any, ...]) -> None:
        self.mark = "".join(self.words)


class IteratesObjects(Odd):
    """The order of a set of objects without a hash of their own follows from their addresses."""

    def reset(self, seed: int | None = None, options: Any = None) -> Any:
        answer = super().reset(seed, options)
        self.stones = {Stone(number) for number in range(40)}
        return answer

    def odd(self, answer: tuple[Any, ...]) -> None:
        order = [stone.number for stone in self.stones]
        if self.host:  # the allocator may have given both the same order; machines would not
            order.reverse()
        self.mark = " ".join(map(str, order))


class Stone:
    def __init__(self, number: int) -> None:
        self.number = number


class KnowsAnAddress(Odd):
    def odd(self, answer: tuple[Any, ...]) -> None:
        self.mark = {"at": id(self.board)}


class RoundsOtherwise(Odd):
    """The last bit of a float differs, as that of a sine may."""

    def odd(self, answer: tuple[Any, ...]) -> None:
        self.mark = math.nextafter(0.1, self.host)


class CountsOutside(Odd):
    """A counter that is of the module gets into the infos, and so into rows, but not into the state."""

    counts: dict[int, int] = {0: 100, 1: 200}  # noqa: RUF012

    def odd(self, answer: tuple[Any, ...]) -> None:
        self.counts[self.host] += 1
        answer[4]["frog_1"]["total"] += self.counts[self.host]


class HasAnotherSpeed(Odd):
    """A setting that is of the module is not the same, and gets into both."""

    def odd(self, answer: tuple[Any, ...]) -> None:
        self.positions["frog_1"] += 1 + self.host
        answer[1]["frog_1"] += 1 + self.host


class BeginsOtherwise(Odd):
    """The second episode begins in another state, for its reset draws from the system."""

    def reset(self, seed: int | None = None, options: Any = None) -> Any:
        answer = super().reset(seed, options)
        if seed == episode_seed(0, 1):
            self.mark = random.SystemRandom().random()
        return answer

    def odd(self, answer: tuple[Any, ...]) -> None:
        pass


@dataclass(frozen=True)
class Cause:
    """What is to be found.

    Attributes:
        kind: the environment.
        path: of the first value that differs; of a row, its column.
        rows_differ: whether any row shows it, too; if not, only the digests of whole states can.
        repeatable: whether each host comes to its own value again.
        other: attributes of the class on the second host.
        place: as in a report.
    """

    kind: type[Odd]
    path: str
    rows_differ: bool
    repeatable: bool
    other: dict[str, Any] | None = None
    place: str = "state"


CAUSES = {
    "unseeded random": Cause(DrawsFromTheSystem, "environment.mark", False, False),
    "random at import": Cause(Salted, "environment.mark", False, True, {"salt": 7}),
    "wall clock": Cause(ReadsTheClock, "environment.mark[0]", False, False),
    "order of a set of texts": Cause(IteratesWords, "environment.mark", False, True, {"word": OtherWord}),
    "order of a set of objects": Cause(IteratesObjects, "environment.mark", False, True),
    "address": Cause(KnowsAnAddress, "environment.mark['at']", False, True),
    "last bit of a float": Cause(RoundsOtherwise, "environment.mark", False, True),
    "hidden counter": Cause(CountsOutside, "info.frog_1.total", True, False, place="row"),
    "hidden setting": Cause(HasAnotherSpeed, "scores[1]", True, True),
    "unseeded reset": Cause(BeginsOtherwise, "environment.mark", False, False, place="start"),
}


def factories(cause: Cause, players: int = 2) -> Callable[[int], Callable[[], Odd]]:
    """What makes the environment of each host; the last host is the one that is unlike the others."""

    def of(host: int) -> Callable[[], Odd]:
        other = host == players - 1
        kind = posing(type("Host", (cause.kind,), {"host": int(other), **(cause.other or {} if other else {})}), Odd)
        return lambda: kind(players)

    kinds = {host: of(host) for host in range(players)}
    return lambda host: kinds[host]

"""What becomes of each packet by chance: drawn from a seed, or written down beforehand. Either way it can be told afterwards.

A fate says of every copy of a packet that arrives how much longer than the line's latency it takes. So the fates of all
packets, and what they are told by, are the whole of a network's chance. Nothing here carries a packet.

Losses in bursts are those of the simplest Gilbert-Elliott channel: a chain of two states, that changes before each
packet; in the good state nothing is lost, in the bad one everything (E. N. Gilbert, "Capacity of a Burst-Noise
Channel", Bell System Technical Journal 39, 1960; E. O. Elliott, same journal 42, 1963; as `tc-netem`'s `loss gemodel`
with 1-h = 1 and 1-k = 0). From bad to good it goes with probability r = 1 / burst, from good to bad with p = r * loss /
(1 - loss); then the average loss is p / (p + r), as it should be, and a burst is 1 / r packets long.
"""

from __future__ import annotations

import abc
import random
from collections.abc import Mapping
from typing import NamedTuple

from .conditions import NetworkConditions

__all__ = ["UNHARMED", "DrawnFates", "Fate", "Fates", "Line", "PlannedFates"]

Fate = tuple[float, ...]
"""How much later than the line's latency each copy arrives, in ms; empty for a packet that is lost."""

#: One copy, on time.
UNHARMED: Fate = (0.0,)


class Line(NamedTuple):
    """One direction between two hosts, on one of the two channels. Each has its own packets, numbered from 0.

    On the reliable one what is numbered is every attempt to transmit a packet.
    """

    sender: int
    receiver: int
    reliable: bool


class Fates(abc.ABC):
    """Gives the packets of each line their fates, in the order in which they are sent.

    Attributes:
        told: every fate given so far that was not `UNHARMED`, by line and number of the packet.
        lost: how many packets were given none but to be lost.
        duplicated: how many were given two copies.
    """

    def __init__(self) -> None:
        self.told: dict[Line, dict[int, Fate]] = {}
        self.lost = self.duplicated = 0
        self._counts: dict[Line, int] = {}

    def next(self, line: Line, conditions: NetworkConditions) -> Fate:
        """The fate of the next packet of a line."""
        number = self._counts.get(line, 0)
        self._counts[line] = number + 1
        fate = self._fate(line, number, conditions)
        if line.reliable:
            fate = fate[:1]  # the receiver knows a second copy by its number
        if fate != UNHARMED:
            self.told.setdefault(line, {})[number] = fate
        self.lost += not fate
        self.duplicated += len(fate) > 1
        return fate

    @abc.abstractmethod
    def _fate(self, line: Line, number: int, conditions: NetworkConditions) -> Fate:
        """The fate of a packet that was given none yet."""


class DrawnFates(Fates):
    """Fates at random, from one seed; every line draws for itself, and as often for each packet."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._seed = seed
        self._sources: dict[Line, random.Random] = {}
        self._bad: dict[Line, bool] = {}

    def _fate(self, line: Line, number: int, conditions: NetworkConditions) -> Fate:
        source = self._sources.get(line)
        if source is None:
            name = f"{self._seed} {line.sender}>{line.receiver}{' reliable' if line.reliable else ''}"
            source = self._sources[line] = random.Random(name)
        chance = source.random
        lost = self._is_lost(line, conditions, chance())
        copies = 1 + (chance() < conditions.duplicate)
        extra = []
        for _ in range(2):
            late, overtaken = chance() * conditions.jitter_ms, chance() < conditions.reorder
            # To the microsecond: a plan is to be read by people.
            extra.append(round(late + (conditions.latency_ms + conditions.jitter_ms if overtaken else 0.0), 3))
        return () if lost else tuple(extra[:copies])

    def _is_lost(self, line: Line, conditions: NetworkConditions, chance: float) -> bool:
        loss, burst = conditions.loss, conditions.loss_burst
        if burst is None or loss == 1:
            return chance < loss
        bad = self._bad.get(line)
        if bad is None:
            bad = chance < loss  # as if it had been so for ever
        elif bad:
            bad = chance >= 1 / burst
        else:
            bad = chance < loss / (1 - loss) / burst
        self._bad[line] = bad
        return bad


class PlannedFates(Fates):
    """Fates written down beforehand, by line and number; a packet of which nothing is written is `UNHARMED`."""

    def __init__(self, plan: Mapping[Line, Mapping[int, Fate]]) -> None:
        super().__init__()
        self._plan = plan

    def _fate(self, line: Line, number: int, conditions: NetworkConditions) -> Fate:
        return self._plan.get(line, {}).get(number, UNHARMED)

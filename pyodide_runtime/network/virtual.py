"""A bad network on a virtual clock: latency, jitter, loss, duplication and reordering, all from one seed.

No time passes and nothing sleeps: packets wait in a heap until the clock is moved on. The same seed and the same
sends give the same arrivals. It carries bytes and knows nothing of what they mean.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator
from dataclasses import dataclass

from ..errors import SessionError

__all__ = ["NetworkConditions", "VirtualNetwork"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkConditions:
    """How bad a line is, in one direction.

    Attributes:
        latency_ms: how long every packet takes.
        jitter_ms: up to how much longer, each packet by itself.
        loss: the share of packets that never arrive, 0 to 1.
        duplicate: the share that arrives twice.
        reorder: the share that takes twice as long again, so that later ones overtake it.
    """

    latency_ms: float = 0.0
    jitter_ms: float = 0.0
    loss: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0

    def __post_init__(self) -> None:
        for name in ("loss", "duplicate", "reorder"):
            if not 0 <= getattr(self, name) <= 1:
                raise SessionError(f"{name}={getattr(self, name)!r}: give a share between 0 and 1")
        for name in ("latency_ms", "jitter_ms"):
            if not 0 <= getattr(self, name) < 1e6:
                raise SessionError(f"{name}={getattr(self, name)!r}: give milliseconds, 0 or more")


class VirtualNetwork:
    """Lines between any number of hosts, all of the same quality unless set otherwise.

    Args:
        conditions: of every line.
        seed: of everything that happens to packets.
    """

    def __init__(self, conditions: NetworkConditions, seed: int) -> None:
        self._conditions = conditions
        self._lines: dict[tuple[int, int], NetworkConditions] = {}
        self._random = random.Random(seed)
        self._waiting: list[tuple[float, int, int, int, bytes]] = []
        self._count = 0
        self.lost = 0
        self.duplicated = 0

    def set_line(self, sender: int, receiver: int, conditions: NetworkConditions) -> None:
        """Give the line from one host to another conditions of its own, from now on."""
        self._lines[sender, receiver] = conditions

    def send(self, now_ms: float, sender: int, receiver: int, data: bytes) -> None:
        """Put a packet on its way."""
        line = self._lines.get((sender, receiver), self._conditions)
        chance = self._random.random
        copies = 1 + (chance() < line.duplicate)
        self.duplicated += copies - 1
        for _ in range(copies):
            if chance() < line.loss:
                self.lost += 1
                continue
            delay = line.latency_ms + chance() * line.jitter_ms
            if chance() < line.reorder:
                delay += line.latency_ms + line.jitter_ms
            heapq.heappush(self._waiting, (now_ms + delay, self._count, sender, receiver, data))
            self._count += 1

    def arrivals(self, now_ms: float) -> Iterator[tuple[int, int, bytes]]:
        """(sender, receiver, bytes) of every packet that has arrived by now, in the order of arrival."""
        while self._waiting and self._waiting[0][0] <= now_ms:
            _, _, sender, receiver, data = heapq.heappop(self._waiting)
            yield sender, receiver, data

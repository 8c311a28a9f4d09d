"""How bad a line is, and when hosts are cut off from each other: settings, checked when they are made.

Nothing here carries a packet or draws a number.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from ...errors import SessionError

__all__ = ["NetworkConditions", "Partition", "check_milliseconds"]

#: No delay is longer, in ms.
LONGEST_MS = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkConditions:
    """How bad a line is, in one direction.

    Attributes:
        latency_ms: how long every packet takes.
        jitter_ms: up to how much longer, each packet by itself.
        loss: the average share of packets that never arrive, 0 to 1.
        loss_burst: how many packets are lost one after the other, on average; None: each is lost or not by itself. At least 1,
            and at least loss / (1 - loss): more is lost than a line can lose in shorter bursts.
        duplicate: the share that arrives twice.
        reorder: the share that takes twice as long again, so that later ones overtake it.
        bandwidth_bytes_per_s: how many bytes leave in a second, with the headers of IP, UDP, DTLS and SCTP; None: any number.
        queue_bytes: how many bytes may wait to leave; a packet for which there is no room is dropped (tail drop).

    Raises:
        SessionError: a value is none of these.
    """

    latency_ms: float = 0.0
    jitter_ms: float = 0.0
    loss: float = 0.0
    loss_burst: float | None = None
    duplicate: float = 0.0
    reorder: float = 0.0
    bandwidth_bytes_per_s: float | None = None
    queue_bytes: int = 65_536

    def __post_init__(self) -> None:
        for name in ("loss", "duplicate", "reorder"):
            if not _is_number(value := getattr(self, name)) or not 0 <= value <= 1:
                raise SessionError(f"{name}={value!r}: give a share between 0 and 1")
        for name in ("latency_ms", "jitter_ms"):
            check_milliseconds(name, getattr(self, name))
        if self.bandwidth_bytes_per_s is not None and (
            not _is_number(self.bandwidth_bytes_per_s) or not 0 < self.bandwidth_bytes_per_s < math.inf
        ):
            raise SessionError(f"bandwidth_bytes_per_s={self.bandwidth_bytes_per_s!r}: give a number above 0, or None for no limit")
        if type(self.queue_bytes) is not int or self.queue_bytes < 0:
            raise SessionError(f"queue_bytes={self.queue_bytes!r}: give a whole number of bytes, 0 or more")
        if self.loss_burst is not None:
            self._check_burst(self.loss_burst)

    def _check_burst(self, burst: Any) -> None:
        if not _is_number(burst) or not 1 <= burst < math.inf:
            raise SessionError(f"loss_burst={burst!r}: give a number of packets, 1 or more, or None for single losses")
        if self.loss < 1 and burst < (least := self.loss / (1 - self.loss)):
            raise SessionError(f"loss={self.loss!r} in bursts of {burst!r} packets cannot be: such bursts are {least:.4g} long")

    def without_chance(self) -> NetworkConditions:
        """The same line, with nothing in it that is drawn."""
        return replace(self, jitter_ms=0.0, loss=0.0, loss_burst=None, duplicate=0.0, reorder=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """A span of time in which no packet that leaves some hosts for some others, or these for them, arrives.

    Attributes:
        at_ms: when it begins, on the virtual clock.
        for_ms: how long it lasts.
        hosts: those on one side.
        others: those on the other side; None: all that are not in `hosts`.

    Raises:
        SessionError: a value is none of these, or a host is on both sides.
    """

    at_ms: float
    for_ms: float
    hosts: tuple[int, ...]
    others: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        check_milliseconds("at_ms", self.at_ms, longest=math.inf)
        check_milliseconds("for_ms", self.for_ms, longest=math.inf)
        object.__setattr__(self, "hosts", _hosts("hosts", self.hosts))
        if self.others is not None:
            object.__setattr__(self, "others", _hosts("others", self.others))
            both = set(self.hosts) & set(self.others)
            if both:
                raise SessionError(f"a partition has host {min(both)} on both sides")

    def parts(self, now_ms: float, sender: int, receiver: int) -> bool:
        """Whether a packet that leaves one host for another at some time is lost by it."""
        if not self.at_ms <= now_ms < self.at_ms + self.for_ms:
            return False
        return self._between(sender, receiver) or self._between(receiver, sender)

    def _between(self, one: int, two: int) -> bool:
        return one in self.hosts and (two not in self.hosts if self.others is None else two in self.others)


def check_milliseconds(name: str, value: Any, *, longest: float = LONGEST_MS) -> None:
    """Raise SessionError unless a setting is a number of milliseconds from 0 to below `longest`."""
    if not _is_number(value) or not 0 <= value < longest:
        limit = f", below {longest:g}" if longest < math.inf else ""
        raise SessionError(f"{name}={value!r}: give milliseconds, 0 or more{limit}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _hosts(name: str, value: Any) -> tuple[int, ...]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise SessionError(f"{name}={value!r}: give numbers of hosts")
    hosts = tuple(value)
    if not hosts or any(type(host) is not int or host < 0 for host in hosts):
        raise SessionError(f"{name}={value!r}: give numbers of hosts, from 0 on")
    return hosts

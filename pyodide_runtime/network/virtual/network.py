"""Carries packets over bad lines on a virtual clock. The same fates and the same sends give the same arrivals.

Two channels, as in a browser. The one loses, repeats and reorders. The other is reliable and ordered, as SCTP is: what is
lost there is transmitted again after a while, and what was sent after it waits for it; so it is late instead of lost.
A packet first waits until the line has room (bandwidth), then leaves, unless a partition parts the hosts or chance has
it lost, and arrives a latency later. Both channels of a line share its bandwidth.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

from .conditions import NetworkConditions, Partition
from .fates import DrawnFates, Fates, Line
from .stream import OrderedStream

__all__ = ["VirtualNetwork"]

#: What a browser puts around a packet, in bytes: IPv4 20, UDP 8, DTLS 1.2 with AES-GCM 37 (RFC 6347, RFC 5288), SCTP common
#: header 12 and DATA chunk header 16 (RFC 9260).
HEADERS_BYTES = 20 + 8 + 37 + 12 + 16
#: After what time the reliable channel transmits again what was lost, in ms: the least of WebRTC's SCTP (dcSCTP, `rto_min`),
#: doubled each time up to `rto_max`, until something gets through (RFC 9260, sections 6.3.2 and 6.3.3). One timer serves all
#: that a line has lost. That receivers may ask for something sooner (fast retransmit) is left out.
FIRST_RETRANSMISSION_MS, LONGEST_RETRANSMISSION_MS = 400.0, 60_000.0

Delivery = tuple[int, int, bytes]
"""Sender, receiver, bytes."""


class VirtualNetwork:
    """Lines between any number of hosts, all of the same quality unless set otherwise.

    Args:
        conditions: of every line.
        seed: of everything that happens to packets.
        lines: conditions of single lines, by (sender, receiver).
        partitions: when which hosts are cut off from each other.
        fates: what becomes of packets; None: drawn from the seed.

    Attributes:
        sent: how many packets were put on their way, attempts to transmit one again included.
        parted: how many of them were lost in partitions.
        overflowed: how many found no room to wait until they could leave.
    """

    def __init__(
        self,
        conditions: NetworkConditions,
        seed: int = 0,
        *,
        lines: Mapping[tuple[int, int], NetworkConditions] | None = None,
        partitions: Iterable[Partition] = (),
        fates: Fates | None = None,
    ) -> None:
        self._conditions = conditions
        self._lines = dict(lines or {})
        self._partitions = tuple(partitions)
        self.fates = DrawnFates(seed) if fates is None else fates
        self.sent = self.parted = self.overflowed = 0
        self._free_at: dict[tuple[int, int], float] = {}
        self._streams: dict[tuple[int, int], OrderedStream] = {}
        self._timers: dict[tuple[int, int], tuple[float, float]] = {}  # of reliable lines: when it goes off, and its next time
        self._events: list[tuple[float, int, Callable[[float], Iterable[Delivery]]]] = []
        self._count = 0

    @property
    def lost(self) -> int:
        """How many packets were lost by chance."""
        return self.fates.lost

    @property
    def duplicated(self) -> int:
        """How many packets arrive twice."""
        return self.fates.duplicated

    def set_line(self, sender: int, receiver: int, conditions: NetworkConditions) -> None:
        """Give the line from one host to another conditions of its own, from now on."""
        self._lines[sender, receiver] = conditions

    def reconnect(self, host: int) -> None:
        """A host's connections are new ones: nothing on their reliable channels waits for what was sent on the old."""
        for line in [line for line in self._streams if host in line]:
            del self._streams[line]
            self._timers.pop(line, None)

    def send(self, now_ms: float, sender: int, receiver: int, data: bytes, *, reliable: bool = False) -> None:
        """Put a packet on its way."""
        if reliable:
            stream = self._streams.setdefault((sender, receiver), OrderedStream())
            self._attempt(sender, receiver, stream, stream.number(), data, now_ms)
            return
        for at in self._transmit(now_ms, Line(sender, receiver, False), len(data)):
            self._at(at, lambda _: [(sender, receiver, data)])

    def arrivals(self, now_ms: float) -> Iterator[Delivery]:
        """(sender, receiver, bytes) of every packet that has arrived by now, in the order of arrival."""
        while self._events and self._events[0][0] <= now_ms:
            at, _, happens = heapq.heappop(self._events)
            yield from happens(at)

    def _at(self, at_ms: float, happens: Callable[[float], Iterable[Delivery]]) -> None:
        heapq.heappush(self._events, (at_ms, self._count, happens))
        self._count += 1

    def _transmit(self, now: float, line: Line, size: int) -> list[float]:
        """When the copies of a packet arrive."""
        conditions = self._lines.get(line[:2], self._conditions)
        self.sent += 1
        fate = self.fates.next(line, conditions)
        leaves = now
        if conditions.bandwidth_bytes_per_s is not None:
            leaves = self._leave(now, line, size + HEADERS_BYTES, conditions.bandwidth_bytes_per_s, conditions.queue_bytes)
            if leaves < 0:
                self.overflowed += 1
                return []
        if any(partition.parts(leaves, line.sender, line.receiver) for partition in self._partitions):
            self.parted += 1
            return []
        return [leaves + conditions.latency_ms + extra for extra in fate]

    def _leave(self, now: float, line: Line, size: int, bandwidth: float, room: int) -> float:
        """When a packet has left; -1 if there is no room for it to wait."""
        free_at = max(now, self._free_at.get(line[:2], 0.0))
        if free_at > now and (free_at - now) / 1000 * bandwidth + size > room:
            return -1.0
        self._free_at[line[:2]] = leaves = free_at + size / bandwidth * 1000
        return leaves

    # -- the reliable channel ----------------------------------------------------------------------------------------

    def _attempt(
        self, sender: int, receiver: int, stream: OrderedStream, number: int, data: bytes, now: float
    ) -> Iterable[Delivery]:
        """Transmit a packet; if that fails, do so again later. Nothing is handed over yet."""
        times = self._transmit(now, Line(sender, receiver, True), len(data))
        for at in times:
            self._at(at, lambda _: [(sender, receiver, ready) for ready in stream.arrived(number, data)])
        goes_off, wait = self._timers.get((sender, receiver), (0.0, FIRST_RETRANSMISSION_MS))
        if times:
            self._timers[sender, receiver] = goes_off, FIRST_RETRANSMISSION_MS
            return ()
        if goes_off <= now:
            goes_off = now + wait
            self._timers[sender, receiver] = goes_off, min(2 * wait, LONGEST_RETRANSMISSION_MS)
        self._at(goes_off, partial(self._attempt, sender, receiver, stream, number, data))
        return ()

"""Packets that go through the server because two pages have no way to each other: their header, and how many a page may send.

    to the server    u8 to    u8 channel   u8 heard   packet
    from the server  u8 from  u8 channel   u8 heard   packet

`heard` says whether the sender hears the receiver on the direct way; it is for the receiver's bridge alone, as the packet is for
its Python. The server looks into neither. This module knows nothing of sockets and rooms.
"""

from __future__ import annotations

from dataclasses import dataclass

from pyodide_runtime.server.messages import MessageError

LARGEST_PACKET = 64 * 1024
"""Most bytes of a packet, without its header."""

INPUT, CONTROL = 0, 1

_HEADER_BYTES = 3


@dataclass(frozen=True)
class Relayed:
    """A packet for the page with index `to`, from another page of its room."""

    to: int
    channel: int
    heard: int
    packet: bytes


def parse(data: bytes) -> Relayed:
    """A packet to be relayed. Raises MessageError."""
    if len(data) <= _HEADER_BYTES:
        raise MessageError(f"a relayed packet has {_HEADER_BYTES} bytes of header and some more, this one has {len(data)} in all")
    if len(data) > _HEADER_BYTES + LARGEST_PACKET:
        raise MessageError(f"a relayed packet may have {LARGEST_PACKET} bytes, this one has {len(data) - _HEADER_BYTES}")
    to, channel, heard = data[:_HEADER_BYTES]
    if channel not in (INPUT, CONTROL):
        raise MessageError(f"a relayed packet is for channel {INPUT} or {CONTROL}, not {channel}")
    if heard > 1:
        raise MessageError(f"a relayed packet says 0 or 1 for what it hears directly, not {heard}")
    return Relayed(to, channel, heard, data[_HEADER_BYTES:])


def compose(sender: int, relayed: Relayed) -> bytes:
    """The bytes that its receiver gets."""
    return bytes((sender, relayed.channel, relayed.heard)) + relayed.packet


class Allowance:
    """How much one page may have relayed: so much a second, and a reserve for bursts.

    A match of eight players at 120 frames a second stays well within it.
    """

    PACKETS_A_SECOND = 4000.0
    BYTES_A_SECOND = 4.0 * 2**20

    def __init__(self, now_s: float) -> None:
        self._at = now_s
        self._packets = self.PACKETS_A_SECOND
        self._bytes = self.BYTES_A_SECOND

    def take(self, size: int, now_s: float) -> bool:
        """Whether a packet of so many bytes is within the allowance; then it is counted."""
        passed, self._at = max(0.0, now_s - self._at), now_s
        self._packets = min(self.PACKETS_A_SECOND, self._packets + passed * self.PACKETS_A_SECOND)
        self._bytes = min(self.BYTES_A_SECOND, self._bytes + passed * self.BYTES_A_SECOND)
        if self._packets < 1 or self._bytes < size:
            return False
        self._packets -= 1
        self._bytes -= size
        return True

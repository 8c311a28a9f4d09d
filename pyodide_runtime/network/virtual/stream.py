"""The order of a reliable channel: what arrives is handed over once, and not before all that was sent before it.

It knows neither time nor losses.
"""

from __future__ import annotations

__all__ = ["OrderedStream"]


class OrderedStream:
    """One direction of a reliable channel."""

    def __init__(self) -> None:
        self._sent = 0
        self._next = 0
        self._waiting: dict[int, bytes] = {}

    def number(self) -> int:
        """The place of the next packet that is sent."""
        self._sent += 1
        return self._sent - 1

    def arrived(self, number: int, data: bytes) -> list[bytes]:
        """What can be handed over now that the packet at this place has arrived, in order."""
        if number >= self._next:
            self._waiting[number] = data
        ready = []
        while self._next in self._waiting:
            ready.append(self._waiting.pop(self._next))
            self._next += 1
        return ready

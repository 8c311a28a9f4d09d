"""The final inputs of every episode so far, for those who come late: who has them can simulate the whole match.

It knows nothing of sessions, packets or hosts.
"""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["History"]


class History:
    """Inputs that will never change, kept as compactly as can be.

    Args:
        sizes: the length of each player's input, in bytes.
    """

    def __init__(self, sizes: Iterable[int]) -> None:
        self._sizes = tuple(sizes)
        self._episodes: list[list[bytearray]] = []

    def begin_episode(self) -> None:
        """What is added from now on belongs to the next episode."""
        self._episodes.append([bytearray() for _ in self._sizes])

    def add(self, inputs: tuple[bytes, ...]) -> None:
        """The inputs of the next frame, one for each player."""
        for kept, data in zip(self._episodes[-1], inputs, strict=True):
            kept += data

    def frames(self, episode: int) -> int:
        """How many frames of an episode are here."""
        return len(self._episodes[episode][0]) // self._sizes[0]

    def span(self, episode: int, player: int, start: int, most: int) -> list[bytes]:
        """Up to `most` inputs of a player, from frame `start` on."""
        size, kept = self._sizes[player], self._episodes[episode][player]
        end = min(len(kept), (start + most) * size)
        return [bytes(kept[at : at + size]) for at in range(start * size, end, size)]

"""What a match writes down as it goes on: the interface, and one that keeps everything in memory.

Whoever runs a match decides where its lines go (to a server in chunks, to memory in a test). Nothing here knows of
matches.
"""

from __future__ import annotations

from typing import Any, Protocol

from .rows import Cells

__all__ = ["Journal", "MemoryJournal"]


class Journal(Protocol):
    """Where a match writes. Each call is final: nothing written is ever taken back."""

    def episode(self, episode: int, seed: int) -> None:
        """An episode begins."""

    def rows(self, episode: int, start: int, cells: list[Cells], inputs: list[str]) -> None:
        """Rows that became final, from frame `start` on, and for each player the inputs of those frames, in base64."""

    def episode_end(self, episode: int, frames: int, chain: bytes) -> None:
        """All peers agree that the episode had so many frames, with this chain over its rows."""

    def note(self, entry: dict[str, Any]) -> None:
        """A diagnosis of this host alone: what was shown before it was corrected, how long packets took."""

    def outcome(self, result: dict[str, Any]) -> None:
        """The match is over; `result` says how. Nothing follows."""


class MemoryJournal:
    """Keeps everything, in lists."""

    def __init__(self) -> None:
        self.episodes: list[tuple[int, int]] = []
        self.cells: list[Cells] = []
        self.inputs: list[tuple[int, int, list[str]]] = []
        self.ends: list[tuple[int, int, bytes]] = []
        self.notes: list[dict[str, Any]] = []
        self.result: dict[str, Any] | None = None

    def episode(self, episode: int, seed: int) -> None:
        self.episodes.append((episode, seed))

    def rows(self, episode: int, start: int, cells: list[Cells], inputs: list[str]) -> None:
        self.cells.extend(cells)
        self.inputs.append((episode, start, inputs))

    def episode_end(self, episode: int, frames: int, chain: bytes) -> None:
        self.ends.append((episode, frames, chain))

    def note(self, entry: dict[str, Any]) -> None:
        self.notes.append(entry)

    def outcome(self, result: dict[str, Any]) -> None:
        self.result = result

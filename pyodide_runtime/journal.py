"""What a match writes down as it goes on: the interface, and one that keeps everything in memory.

Whoever runs a match decides where its lines go (to a server in chunks, to memory in a test). Nothing here knows of
matches.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any, Protocol

from .rows import Cells, Row

__all__ = ["Journal", "MemoryJournal", "inputs_text"]

Frames = Sequence[tuple[bytes, ...]]
"""The input of every player, of one frame after the other."""


def inputs_text(frames: Frames) -> list[str]:
    """The inputs of some frames as they are recorded: for each player, base64 of one after the other."""
    return [base64.b64encode(b"".join(inputs)).decode() for inputs in zip(*frames, strict=True)]


class Journal(Protocol):
    """Where a match writes. Each call is final: nothing written is ever taken back, and what was given does not change."""

    def episode(self, episode: int, seed: int) -> None:
        """An episode begins."""

    def rows(self, episode: int, start: int, rows: list[Row], inputs: Frames) -> None:
        """Rows that became final, from frame `start` on, and the inputs of those frames."""

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

    def rows(self, episode: int, start: int, rows: list[Row], inputs: Frames) -> None:
        self.cells += [row.cells for row in rows]
        self.inputs.append((episode, start, inputs_text(inputs)))

    def episode_end(self, episode: int, frames: int, chain: bytes) -> None:
        self.ends.append((episode, frames, chain))

    def note(self, entry: dict[str, Any]) -> None:
        self.notes.append(entry)

    def outcome(self, result: dict[str, Any]) -> None:
        self.result = result

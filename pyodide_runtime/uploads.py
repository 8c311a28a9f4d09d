"""A journal that goes to a server in chunks, each kept until the server has acknowledged it.

Lines are gathered for about a second, numbered by kind, and sent one chunk of a kind at a time, so that the server
gets them in order; what it does not acknowledge is sent again, ever more patiently. It knows nothing of matches,
and does not send by itself.
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass
from typing import Any

from .rows import Cells

__all__ = ["Chunk", "UploadJournal"]

#: How long lines are gathered, in ms, and how many bytes a chunk has at the most (one longer line excepted).
GATHER_MS, CHUNK_BYTES = 1000.0, 256_000
#: How long to wait after a chunk was not stored: doubled every time, up to the longest, in ms.
FIRST_WAIT_MS, LONGEST_WAIT_MS = 250.0, 8000.0

_TO_JSON = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Chunk:
    """Lines of one kind ("rows", "record", "diagnostics" or "outcome"), to be stored as number `sequence` of that kind."""

    number: int
    kind: str
    sequence: int
    body: bytes


class _Stream:
    """The chunks of one kind."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.lines: list[bytes] = []
        self.chunks: deque[Chunk] = deque()
        self.sequence = 0
        self.in_flight = False
        self.not_before = 0.0
        self.wait = FIRST_WAIT_MS


class UploadJournal:
    """Journal of one match.

    Args:
        header: first line of the record: everything that a re-run needs besides seeds and inputs.
    """

    def __init__(self, header: dict[str, Any]) -> None:
        self._streams = {kind: _Stream(kind) for kind in ("rows", "record", "diagnostics", "outcome")}
        self._gathered_at = 0.0
        self._numbers = 0
        self._flush = False
        self._line("record", {"record": 1, **header})

    # -- the journal -------------------------------------------------------------------------------------------------

    def episode(self, episode: int, seed: int) -> None:
        self._line("record", {"episode": episode, "seed": seed})

    def rows(self, episode: int, start: int, cells: list[Cells], inputs: list[str]) -> None:
        for number, row in enumerate(cells, start):
            self._line("rows", {"episode": episode, "frame": number, "cells": row})
        self._line("record", {"inputs": inputs, "episode": episode, "from": start})

    def episode_end(self, episode: int, frames: int, chain: bytes) -> None:
        self._line("record", {"end": episode, "frames": frames, "chain": chain.hex()})

    def note(self, entry: dict[str, Any]) -> None:
        self._line("diagnostics", entry)

    def outcome(self, result: dict[str, Any]) -> None:
        self._line("record", {"outcome": result})
        self._line("outcome", result)
        self._flush = True

    # -- chunks ------------------------------------------------------------------------------------------------------

    @property
    def settled(self) -> bool:
        """Whether everything written so far was acknowledged."""
        return not any(stream.lines or stream.chunks for stream in self._streams.values())

    def due(self, now_ms: float) -> list[Chunk]:
        """The chunks to send now. The outcome goes last, when all else is stored."""
        if self._flush or now_ms - self._gathered_at >= GATHER_MS:
            self._gathered_at, self._flush = now_ms, False
            for stream in self._streams.values():
                self._pack(stream)
        found = []
        for stream in self._streams.values():
            if stream.kind == "outcome" and any(other.chunks for other in self._streams.values() if other is not stream):
                continue
            if stream.chunks and not stream.in_flight and now_ms >= stream.not_before:
                stream.in_flight = True
                found.append(stream.chunks[0])
        return found

    def flush(self) -> None:
        """Send everything with the next call of `due`, however little it is."""
        self._flush = True

    def leave(self) -> list[Chunk]:
        """Every chunk that is not acknowledged, at once and in order: there will be no other time."""
        for stream in self._streams.values():
            self._pack(stream)
            stream.in_flight = bool(stream.chunks)  # else the next `due` would send them once more
        return [chunk for stream in self._streams.values() for chunk in stream.chunks]

    def stored(self, number: int) -> None:
        """The server has acknowledged a chunk. Numbers of others are ignored."""
        stream = self._first(number)
        if stream is not None:
            stream.chunks.popleft()
            stream.in_flight, stream.wait = False, FIRST_WAIT_MS

    def unstored(self, number: int, now_ms: float) -> None:
        """A chunk did not get there; it is sent again later."""
        stream = self._first(number)
        if stream is not None:
            stream.in_flight, stream.not_before = False, now_ms + stream.wait
            stream.wait = min(LONGEST_WAIT_MS, stream.wait * 2)

    def _first(self, number: int) -> _Stream | None:
        streams = self._streams.values()
        return next((stream for stream in streams if stream.chunks and stream.chunks[0].number == number), None)

    def _line(self, kind: str, value: Any) -> None:
        self._streams[kind].lines.append(_TO_JSON(value).encode() + b"\n")

    def _pack(self, stream: _Stream) -> None:
        lines, stream.lines = stream.lines, []
        body: list[bytes] = []
        size = 0
        for line in lines:
            if body and size + len(line) > CHUNK_BYTES:
                self._close(stream, body)
                body, size = [], 0
            body.append(line)
            size += len(line)
        if body:
            self._close(stream, body)

    def _close(self, stream: _Stream, body: list[bytes]) -> None:
        self._numbers += 1
        stream.chunks.append(Chunk(self._numbers, stream.kind, stream.sequence, b"".join(body)))
        stream.sequence += 1

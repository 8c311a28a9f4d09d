"""A journal that goes to a server in chunks, each kept until the server has acknowledged it.

Lines are gathered for about a second, made text in a moment in which there is nothing else to do, numbered by kind, and sent
one chunk of a kind at a time, so that the server gets them in order; what it does not acknowledge is sent again, ever more
patiently. It knows nothing of matches, and does not send by itself.
"""

from __future__ import annotations

import functools
import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from json.encoder import encode_basestring_ascii
from typing import Any, NamedTuple

from .journal import Frames, inputs_text
from .rows import Row

__all__ = ["Chunk", "UploadJournal", "read_rows"]

#: How long lines are gathered, in ms, and how many bytes a chunk has at the most (one longer line excepted).
GATHER_MS, CHUNK_BYTES = 1000.0, 256_000
#: How much time there must be to make text of them, and how long that is waited for, in ms.
ROOM_MS, PATIENCE_MS = 5.0, 500.0
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


class _Rows(NamedTuple):
    """Rows that became final together, the first of them of frame `start`."""

    episode: int
    start: int
    rows: list[Row]
    inputs: Frames


class _Stream:
    """The chunks of one kind, and what is not yet in one."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        # What makes lines: it becomes text when a chunk is cut, which is much cheaper than in every frame.
        self.waiting: list[Any] = []
        self.chunks: deque[Chunk] = deque()
        self.sequence = 0
        self.in_flight = False
        self.not_before = 0.0
        self.wait = FIRST_WAIT_MS


class UploadJournal:
    """Journal of one match.

    Args:
        header: first line of the record: everything that a re-run needs besides seeds and inputs.
        keeps: False: nothing is written down, for a page that only watches.
    """

    def __init__(self, header: dict[str, Any], *, keeps: bool = True) -> None:
        self._keeps = keeps
        self._streams = {kind: _Stream(kind) for kind in ("rows", "record", "diagnostics", "outcome")}
        self._gathered_at = 0.0
        self._numbers = 0
        self._flush = False
        self._line("record", {"record": 1, **header})

    # -- the journal -------------------------------------------------------------------------------------------------

    def episode(self, episode: int, seed: int) -> None:
        self._line("record", {"episode": episode, "seed": seed})

    def rows(self, episode: int, start: int, rows: list[Row], inputs: Frames) -> None:
        if not self._keeps:
            return
        written = _Rows(episode, start, rows, inputs)
        self._streams["rows"].waiting.append(written)
        self._streams["record"].waiting.append(written)

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
        return not any(stream.waiting or stream.chunks for stream in self._streams.values())

    def due(self, now_ms: float, free_ms: float = ROOM_MS) -> list[Chunk]:
        """The chunks to send now. The outcome goes last, when all else is stored.

        Args:
            now_ms: the time.
            free_ms: for how long from now on nothing else is to be done; 0 within a frame.
        """
        waited = now_ms - self._gathered_at
        if self._flush or waited >= GATHER_MS + PATIENCE_MS or (waited >= GATHER_MS and free_ms >= ROOM_MS):
            self._gathered_at, self._flush = now_ms, False
            for stream in self._streams.values():
                self._pack(stream)
        found = []
        for stream in self._streams.values():
            if not stream.chunks or stream.in_flight or now_ms < stream.not_before:
                continue
            if stream.kind == "outcome" and any(other.chunks for other in self._streams.values() if other is not stream):
                continue
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
        if self._keeps:
            self._streams[kind].waiting.append(value)

    def _pack(self, stream: _Stream) -> None:
        lines = _row_lines(stream.waiting) if stream.kind == "rows" else map(_line_of, stream.waiting)
        stream.waiting = []
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


def read_rows(text: bytes) -> Iterator[list[tuple[str, str]]]:
    """Column and text of every cell, row by row, of chunks of rows that were joined."""
    for line in text.split(b"\n")[:-1]:
        yield [(column, value) for column, value in json.loads(line)["cells"]]


def _row_lines(waiting: list[_Rows]) -> Iterator[bytes]:
    for episode, start, rows, _ in waiting:
        for frame, row in enumerate(rows, start):
            yield (_form(row.columns) % (episode, frame, *map(encode_basestring_ascii, row.texts))).encode()


def _line_of(value: Any) -> bytes:
    if type(value) is _Rows:
        value = {"inputs": inputs_text(value.inputs), "episode": value.episode, "from": value.start}
    return f"{_TO_JSON(value)}\n".encode()


# Rows are nearly all that is written, and most have the same columns: these are escaped once.
@functools.lru_cache(maxsize=64)
def _form(columns: tuple[str, ...]) -> str:
    """The line of a row with these columns, with a place for episode, frame and each text, the last as JSON strings."""
    cells = ",".join(f"[{_TO_JSON(column).replace('%', '%%')},%s]" for column in columns)
    return f'{{"episode":%d,"frame":%d,"cells":[{cells}]}}\n'

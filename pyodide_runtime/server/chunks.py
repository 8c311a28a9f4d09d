"""What a player may upload: kinds of chunks, their limits and their form.

Everything here is a pure function of bytes; where chunks are kept is `storage`'s matter.
"""

from __future__ import annotations

import enum
import json
import re
from dataclasses import dataclass
from typing import Any, NoReturn

from pyodide_runtime.errors import PyodideRuntimeError

LARGEST_CHUNK_BYTES = 8 * 2**20
LARGEST_FILE_BYTES = 2**30

Place = tuple[int, int]
"""Episode and frame."""

_OUTCOME = re.compile(r"[a-z][a-z_]{0,39}")


class BadChunk(PyodideRuntimeError):
    """The body of an upload does not have the form of its kind."""


class Kind(enum.Enum):
    """What a chunk holds; the value is the word in URLs and file names."""

    ROWS = "rows"
    RECORD = "record"
    DIAGNOSTICS = "diagnostics"
    OUTCOME = "outcome"


@dataclass(frozen=True)
class Chunk:
    """A chunk of a good form.

    Attributes:
        data: what is appended to the kind's file; whole lines, each ended by a newline.
        lines: how many.
        last: the place of the last row, for rows; else None.
        certified: the place of the last row that all players are known to have alike, for diagnostics that tell it; else None.
        outcome: the outcome, for an outcome; else None.
    """

    data: bytes
    lines: int
    last: Place | None = None
    certified: Place | None = None
    outcome: dict[str, Any] | None = None


def parse(kind: Kind, body: bytes, after: Place | None = None) -> Chunk:
    """The chunk in an upload's body.

    Args:
        kind: what the body should hold.
        body: NDJSON, or a single JSON object for an outcome; UTF-8.
        after: the place of the last row that is stored; rows must come after it, in order.

    Raises BadChunk, whose message names the line.
    """
    if kind is Kind.OUTCOME:
        return Chunk(b"", 0, outcome=check_outcome(_object(body, "the outcome")))
    if body and not body.endswith(b"\n"):
        body += b"\n"
    count = 0
    certified: Place | None = None
    for count, line in enumerate(body.split(b"\n")[:-1], start=1):
        value = _object(line, f"line {count}")
        if kind is Kind.ROWS:
            after = _check_row(value, after, f"line {count}")
        elif kind is Kind.DIAGNOSTICS and _is_place(value.get("certified_through")):
            certified = (value["certified_through"][0], value["certified_through"][1])
    return Chunk(body, count, last=after, certified=certified)


def is_outcome(value: object) -> bool:
    """Whether a value looks like the outcome of a match: one word, such as `peer_left`."""
    return isinstance(value, str) and _OUTCOME.fullmatch(value) is not None


def check_outcome(value: dict[str, Any]) -> dict[str, Any]:
    """The value, if it is an outcome: a word, maybe its details, maybe what a desync was found to be. Raises BadChunk."""
    if not is_outcome(value.get("outcome")):
        raise BadChunk('the outcome needs a word at "outcome", such as "completed"')
    if not isinstance(value.get("detail", ""), str):
        raise BadChunk('"detail" of the outcome must be a text')
    certified = value.get("certified_through")
    if certified is not None and not _is_place(certified):
        raise BadChunk('"certified_through" of the outcome must be [episode, frame] or null')
    report = value.get("desync")
    if report is not None and not isinstance(report, dict):
        raise BadChunk('"desync" of the outcome must be an object: what differs first, and where')
    return value


def _check_row(value: dict[str, Any], after: Place | None, where: str) -> Place:
    if value.keys() != {"episode", "frame", "cells"}:
        raise BadChunk(f'{where}: a row has "episode", "frame" and "cells", not {sorted(value)}')
    episode, frame, row = value["episode"], value["frame"], value["cells"]
    if not (_is_count(episode) and _is_count(frame)):
        raise BadChunk(f"{where}: episode and frame must be whole numbers, 0 or more")
    if not isinstance(row, list) or not all(
        isinstance(cell, list) and len(cell) == 2 and all(isinstance(text, str) for text in cell) for cell in row
    ):
        raise BadChunk(f"{where}: cells must be a list of [column, text]")
    if len({column for column, _ in row}) != len(row):
        raise BadChunk(f"{where}: a column stands in the row twice")
    if after is not None and (episode, frame) <= after:
        raise BadChunk(
            f"{where}: row ({episode}, {frame}) comes after row ({after[0]}, {after[1]}); a row is written once, and in order"
        )
    return episode, frame


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_place(value: object) -> bool:
    """Whether this is [episode, frame]; the frame is -1 where there is no such row yet."""
    return isinstance(value, list) and len(value) == 2 and all(map(_is_count_or_none_yet, value))


def _is_count_or_none_yet(value: object) -> bool:
    return _is_count(value) or value == -1


def _object(text: bytes, where: str) -> dict[str, Any]:
    try:
        value = json.loads(text.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise BadChunk(f"{where} is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise BadChunk(f"{where} is not a JSON object")
    if b"\\ud" in text.lower() and re.search("[\ud800-\udfff]", json.dumps(value, ensure_ascii=False)):
        raise BadChunk(f"{where} holds half a character (a lone surrogate)")
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")

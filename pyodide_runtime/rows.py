"""What one frame looks like as a row of data: which columns, in which order, with which text.

Numbers have one fixed form (Python's shortest exact one for floats), so that equal data are equal bytes. This
module formats what it is given; it knows nothing of when a row is final, nor of files.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from .actions import ActionCodec, action_text
from .simulation import StepRecord

__all__ = ["Cells", "row_cells", "row_values", "to_csv"]

Cells = tuple[tuple[str, str], ...]

#: The columns that every row begins with.
KEY_COLUMNS = ("episode", "frame")


def row_values(
    episode: int, record: StepRecord, players: Sequence[str], codecs: Sequence[ActionCodec], focused: Sequence[bool]
) -> list[tuple[str, Any]]:
    """Columns and values of one row.

    In order: episode, frame; for each player action, reward, score, terminated, truncated, focused; then infos.

    Args:
        record: what happened; its tuples are in the order of `players`.
        codecs: of each player's actions; the action appears decoded.
        focused: whether each player's page had the focus in this frame.
    """
    found: list[tuple[str, Any]] = [("episode", episode), ("frame", record.frame)]
    _, actions, rewards, scores, terminated, truncated, infos = record
    for place, (action, reward, score, end, cut, focus, _) in enumerate(_columns(tuple(players))):
        found += (
            (action, codecs[place].decode(actions[place])),
            (reward, rewards[place]),
            (score, scores[place]),
            (end, terminated[place]),
            (cut, truncated[place]),
            (focus, focused[place]),
        )
    for (*_, info), values in zip(_columns(tuple(players)), infos, strict=True):
        if values:
            found += [(info + key, values[key]) for key in sorted(values)]
    return found


@functools.cache
def _columns(players: tuple[str, ...]) -> list[tuple[str, ...]]:
    """For each player the names of its six columns, and how the names of its infos begin."""
    names = ("action", "reward", "score", "terminated", "truncated", "focused")
    return [(*(f"{name}.{player}" for name in names), f"info.{player}.") for player in players]


def row_cells(
    episode: int, record: StepRecord, players: Sequence[str], codecs: Sequence[ActionCodec], focused: Sequence[bool]
) -> Cells:
    """As `row_values`, with every value as its final text."""
    values = row_values(episode, record, players, codecs, focused)
    return tuple([(_writable(column), _TEXTS.get(type(value), _text)(value)) for column, value in values])


def _writable(text: str) -> str:
    """A text as it can be written in UTF-8: half a surrogate pair, which no file can hold, as its escape."""
    return text if text.isascii() else text.encode(errors="backslashreplace").decode()


def _text(value: Any) -> str:
    """The text of a value of none of the plainest types."""
    for kind in (str, bool, int, float):
        if isinstance(value, kind):
            return _TEXTS[kind](kind(value))
    return action_text(value)


_TEXTS: dict[type, Callable[[Any], str]] = {
    str: _writable,
    bool: lambda value: "true" if value else "false",
    int: str,
    float: repr,
}


def to_csv(rows: Iterable[Sequence[Sequence[str]]]) -> bytes:
    """A table of rows as CSV (RFC 4180 quoting, lines ending in a line feed, UTF-8).

    Args:
        rows: each a sequence of (column, text) pairs.

    The columns are the union over all rows: those that are no infos in the order in which they were met first, then the infos
    by name, so that an info that appears late does not depend on when a file was written. A cell that a row lacks is empty.
    """
    table = [{cell[0]: cell[1] for cell in row} for row in rows]
    columns: dict[str, None] = dict.fromkeys(KEY_COLUMNS)
    infos: set[str] = set()
    for row in table:
        for column in row:
            if column.startswith("info."):
                infos.add(column)
            else:
                columns[column] = None
    names = [*columns, *sorted(infos)]
    lines = [names, *([row.get(name, "") for name in names] for row in table)]
    return "".join(",".join(map(_quoted, line)) + "\n" for line in lines).encode(errors="backslashreplace")


#: What a CSV cell can hold between quotes only. Python's own writer quotes a carriage return in some versions and not in others.
_TO_BE_QUOTED = re.compile(r'[",\r\n]')


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if _TO_BE_QUOTED.search(text) else text

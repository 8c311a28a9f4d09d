"""What one frame looks like as a row of data: which columns, in which order, with which text.

Numbers have one fixed form (Python's shortest exact one for floats), so that equal data are equal bytes. This
module formats what it is given; it knows nothing of when a row is final, nor of files.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from .actions import ActionCodec, action_text
from .simulation import StepRecord

__all__ = ["Cells", "Row", "make_row", "row_cells", "row_values", "to_csv"]

Cells = tuple[tuple[str, str], ...]

#: The columns that every row begins with.
KEY_COLUMNS = ("episode", "frame")
#: The columns that every player has.
PLAYER_COLUMNS = ("action", "reward", "score", "terminated", "truncated", "focused")

More = Mapping[str, Sequence[Any]]
"""Further columns that each player has, by name: what each player has there, in the order of players."""


class Row(NamedTuple):
    """One row: its columns, and for each an int, a float or a str, of which `str` makes the text.

    Numbers are not made text before it is needed: one format string does it for a whole row at once.
    """

    columns: tuple[str, ...]
    values: tuple[int | float | str, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        """The text of each column."""
        return tuple(map(str, self.values))

    @property
    def cells(self) -> Cells:
        """Pairs of column and text."""
        return tuple(zip(self.columns, self.texts, strict=True))


def row_values(
    episode: int,
    record: StepRecord,
    players: Sequence[str],
    codecs: Sequence[ActionCodec],
    focused: Sequence[bool],
    more: More | None = None,
) -> list[tuple[str, Any]]:
    """Columns and values of one row.

    In order: episode, frame; for each player action, reward, score, terminated, truncated, focused, and what is in `more`; then
    infos.

    Args:
        record: what happened; its tuples are in the order of `players`.
        codecs: of each player's actions; the action that was played appears decoded.
        focused: whether each player's page had the focus in this frame.
        more: further columns.
    """
    layout = _layout(tuple(players), tuple(map(tuple, record.infos)), tuple(more or ()))
    others = [record.terminated, record.truncated, focused, *(more or {}).values()]
    values = _in_order(episode, record, _decoded(record, codecs), others, _infos(record, layout))
    return list(zip(layout.columns, values, strict=True))


def make_row(
    episode: int,
    record: StepRecord,
    players: tuple[str, ...],
    codecs: Sequence[ActionCodec],
    focused: tuple[bool, ...],
    more: More | None = None,
) -> Row:
    """As `row_values`, with every column and value as it is written."""
    layout = _layout(players, tuple(map(tuple, record.infos)), tuple(more) if more else ())
    others: list[Sequence[Any]] = [_words(record.terminated), _words(record.truncated), _words(focused)]
    if more:
        others += map(_written, more.values())
    actions, infos = _written(_decoded(record, codecs)), _written(_infos(record, layout))
    return Row(layout.written, tuple(_in_order(episode, record, actions, others, infos)))


def row_cells(
    episode: int,
    record: StepRecord,
    players: Sequence[str],
    codecs: Sequence[ActionCodec],
    focused: Sequence[bool],
    more: More | None = None,
) -> Cells:
    """The cells of `make_row`."""
    return make_row(episode, record, tuple(players), codecs, tuple(focused), more).cells


class _Layout(NamedTuple):
    """The columns of a row, the same as they are written, and the names of each player's infos, in the order of columns."""

    columns: tuple[str, ...]
    written: tuple[str, ...]
    infos: tuple[list[str], ...]


# From frame to frame it hardly ever changes; the bound is for environments that make up new names as they go on.
@functools.lru_cache(maxsize=64)
def _layout(players: tuple[str, ...], infos: tuple[tuple[str, ...], ...], more: tuple[str, ...]) -> _Layout:
    """The layout of rows of these players with infos of these names, in whatever order, and further columns."""
    ordered = tuple(sorted(names) for names in infos)
    columns = list(KEY_COLUMNS)
    for player in players:
        columns += [f"{name}.{player}" for name in (*PLAYER_COLUMNS, *more)]
    for player, names in zip(players, ordered, strict=True):
        columns += [f"info.{player}.{name}" for name in names]
    return _Layout(tuple(columns), tuple(map(_writable, columns)), ordered)


def _in_order(
    episode: int, record: StepRecord, actions: Sequence[Any], others: Sequence[Sequence[Any]], infos: Sequence[Any]
) -> list[Any]:
    """The values of a row in the order of its columns; actions, what comes after the scores, and infos are as they are given."""
    values: list[Any] = [episode, record.frame]
    for of_player in zip(actions, record.rewards, record.scores, *others, strict=True):
        values += of_player
    values += infos
    return values


def _decoded(record: StepRecord, codecs: Sequence[ActionCodec]) -> list[Any]:
    return [codec.decode(data) for codec, data in zip(codecs, record.played, strict=True)]


def _infos(record: StepRecord, layout: _Layout) -> list[Any]:
    return [info[name] for info, names in zip(record.infos, layout.infos, strict=True) for name in names]


def _written(values: Sequence[Any]) -> list[Any]:
    """Values as they are written: numbers stay what they are, all else is text."""
    return [value if type(value) in _NUMBERS else _text(value) for value in values]


@functools.lru_cache(maxsize=64)
def _words(flags: tuple[bool, ...]) -> tuple[str, ...]:
    return tuple(map(_text, flags))


def _writable(text: str) -> str:
    """A text as it can be written in UTF-8: half a surrogate pair, which no file can hold, as its escape."""
    return text if text.isascii() else text.encode(errors="backslashreplace").decode()


def _text(value: Any) -> str:
    """The text of a value."""
    if isinstance(value, str):
        return _writable(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    for kind in _NUMBERS:
        if isinstance(value, kind):
            return str(kind(value))
    return action_text(value)


#: The types of which `str` makes the text: of a float, its shortest exact form.
_NUMBERS = {int, float}


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

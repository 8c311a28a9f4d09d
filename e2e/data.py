"""An export as a table: rows of texts by column. It knows the columns' names and nothing of what should stand in them."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """The rows of an export, in order; every cell is a text."""

    columns: tuple[str, ...]
    rows: tuple[dict[str, str], ...]

    @property
    def players(self) -> list[str]:
        """The players' names within the environment, in order."""
        return [name.removeprefix("action.") for name in self.columns if name.startswith("action.")]

    def column(self, name: str) -> list[str]:
        """All cells of a column, in order."""
        return [row[name] for row in self.rows]


def read_table(export: bytes) -> Table:
    """The table in an export.csv."""
    reader = csv.DictReader(io.StringIO(export.decode(), newline=""))
    rows = tuple(reader)
    return Table(tuple(reader.fieldnames or ()), rows)

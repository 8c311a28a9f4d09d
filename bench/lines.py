"""The lines of a report: what was measured, against what, and what it must not exceed. It knows nothing of how to measure."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

__all__ = ["Line", "median", "percentile", "table", "write"]


@dataclass(frozen=True)
class Line:
    """One measured figure.

    Attributes:
        name: what it is, the same in every run.
        value: the figure.
        unit: "us", "ms", "B/s", "" for ratios and counts.
        against: what it is compared with, or how it came about, for people.
        limit: what the figure must not exceed; None where nothing was promised.
    """

    name: str
    value: float
    unit: str
    against: str = ""
    limit: float | None = None

    @property
    def over(self) -> bool:
        """Whether the figure exceeds its limit."""
        return self.limit is not None and self.value > self.limit


def median(values: Sequence[float]) -> float:
    """The middle one of the values."""
    return statistics.median(values)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of the values that at least `share` (0 to 1) of them do not exceed."""
    ranked = sorted(values)
    return ranked[max(0, math.ceil(share * len(ranked)) - 1)]


def table(lines: Sequence[Line]) -> str:
    """All lines under each other; those over their limit say so."""
    rows = [("measured", "value", "limit", "", "against")]
    for line in lines:
        limit = "" if line.limit is None else _figure(line.limit)
        verdict = "" if line.limit is None else "over the limit" if line.over else "within"
        rows.append((line.name, f"{_figure(line.value)} {line.unit}".strip(), limit, verdict, line.against))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    formatted = []
    for row in rows:
        name, value, limit, verdict = (row[column] for column in range(4))
        cells = (name.ljust(widths[0]), value.rjust(widths[1]), limit.rjust(widths[2]), verdict.ljust(widths[3]), row[4])
        formatted.append("  ".join(cells).rstrip())
    formatted.insert(1, "  ".join("-" * width for width in (*widths, 40)))
    return "\n".join(formatted)


def write(path: Path, lines: Sequence[Line], about: dict[str, Any]) -> None:
    """A report as JSON: `lines`, and what `about` says of machine, versions and time."""
    told = {"lines": [asdict(line) for line in lines], **about}
    path.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


def _figure(value: float) -> str:
    if value == int(value) and abs(value) < 1e6:
        return str(int(value))
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.1f}" if abs(value) >= 100 else f"{value:.2f}"

"""Parametrising tests by what is to be played: every case on Overcooked and on the arena."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest

from e2e.house import EXAMPLES
from e2e.impairment import Line
from e2e.match import Match

EXPERIMENTS = ("overcooked", "arena")


def example(name: str, case: str, **what: object) -> Match:
    """A match of one of the examples. `case` is the case's own name, and `what` the rest of the fields of `Match`."""
    return Match(EXAMPLES / f"{name}.py", f"{case}-{name}", **what)  # type: ignore[arg-type]


def on_both_experiments(make: Callable[[str], Match]) -> pytest.MarkDecorator:
    """A test's `play` is what `make` makes of "overcooked" and of "arena"; these are the tests' ids."""
    return pytest.mark.parametrize("play", [pytest.param(make(name), id=name) for name in EXPERIMENTS])


def on_both_experiments_with(values: Sequence[int], make: Callable[[str, int], Match]) -> pytest.MarkDecorator:
    """As `on_both_experiments`, for each of some values; ids are like "100-arena"."""
    pairs = [(name, value) for value in values for name in EXPERIMENTS]
    return pytest.mark.parametrize("play", [pytest.param(make(name, value), id=f"{value}-{name}") for name, value in pairs])


LATENCIES_MS = (100, 200)
RESTING: Mapping[tuple[str, int], Match] = {
    (name, latency): example(name, f"resting-{latency}", lines=(Line(latency_ms=latency), Line()))
    for name in EXPERIMENTS
    for latency in LATENCIES_MS
}
"""Matches of players who rest, with a latency, by experiment and latency: of which two laws are tested, in two files."""

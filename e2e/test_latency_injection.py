"""Packets that are late by a fixed time: the episode ends on both sides at the same row, with the same data."""

from __future__ import annotations

from e2e.cases import example, on_both_experiments_with
from e2e.impairment import Line
from e2e.judging import STEPS, assert_active, assert_complete_and_equal, assert_round_trips
from e2e.match import Match, Played

LATENCIES_MS = (100, 200)


@on_both_experiments_with(
    LATENCIES_MS, lambda name, latency: example(name, f"completion-{latency}", lines=(Line(latency_ms=latency), Line()))
)
def test_episode_completion_under_fixed_latency(play: Match, played: Played) -> None:
    table = assert_complete_and_equal(played)
    assert len(table.rows) == STEPS
    assert_round_trips(played)


@on_both_experiments_with(
    LATENCIES_MS,
    lambda name, latency: example(name, f"active-{latency}", lines=(Line(latency_ms=latency), Line()), active=(True, True)),
)
def test_active_input_with_latency(play: Match, played: Played) -> None:
    table = assert_complete_and_equal(played)
    assert table.rows[-1]["frame"] == str(STEPS - 1)
    assert_active(played, table)
    assert_round_trips(played)

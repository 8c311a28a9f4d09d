"""Packets that are late by a fixed time: the episode ends on both sides at the same row, with the same data."""

from __future__ import annotations

from e2e.cases import LATENCIES_MS, RESTING, example, on_both_experiments_with
from e2e.data import read_table
from e2e.impairment import Line
from e2e.judging import STEPS, assert_active, assert_complete_and_equal, assert_round_trips
from e2e.match import Match, Played


@on_both_experiments_with(LATENCIES_MS, lambda name, latency: RESTING[name, latency])
def test_episode_completion_under_fixed_latency(play: Match, played: Played) -> None:
    assert_complete_and_equal(played)
    ends = [read_table(half.export).rows[-1]["frame"] for half in played.halves]
    assert ends == [str(STEPS - 1), str(STEPS - 1)]
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

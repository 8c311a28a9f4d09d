"""Matches in which pages are hidden: a pause changes no data, nobody is lost in it, and a limit ends it in a type for all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import pyodide_runtime as pr
from pyodide_runtime.network.virtual import NetworkConditions
from pyodide_runtime.playing.attention import WhenHidden
from pyodide_runtime.settings import Outcome, Phase

from .environments import Pond
from .sessions import Table, assert_completed
from .test_abnormal_ends import assert_prefixes

LINE = NetworkConditions(latency_ms=60, jitter_ms=30, loss=0.1)


def table_of(when: str, limit: float | None = None, players: int = 2, frames: int = 200, **options: Any) -> Table:
    return Table(
        lambda: Pond(players),
        players=players,
        frames=frames,
        conditions=options.pop("conditions", LINE),
        settings=lambda place, settings: replace(settings, when_hidden=WhenHidden(when), hidden_limit_ms=limit),
        **options,
    )


def hide(table: Table, host: int, hidden: bool = True) -> None:
    table.matches[host].hide(hidden, table.clock(host))


def wait(table: Table, ms: float) -> None:
    start = table.now
    table.run(lambda: table.now >= start + ms)


def test_where_all_play_on_a_hidden_page_changes_nothing() -> None:
    seen, hidden = table_of("play"), table_of("play")
    hidden.run(lambda: hidden.matches[0].frame >= 50)
    hide(hidden, 1)
    results = [table.run().result() for table in (seen, hidden)]
    for result in results:
        assert_completed(result, 200)
    assert results[0].oracle == results[1].oracle and seen.now == hidden.now


@pytest.mark.parametrize("players", [2, 3, 4])
@pytest.mark.parametrize("window", [1, 8])
def test_a_pause_stops_all_is_known_to_all_and_changes_no_data(players: int, window: int) -> None:
    table = table_of("pause", players=players, window=window, frames=120)
    table.run(lambda: table.matches[0].frame >= 40)
    hide(table, 1)
    wait(table, 1500)
    frames = [match.frame for match in table.matches]
    assert [match.paused for match in table.matches] == [("frog_1",)] * players
    assert max(frames) - frames[1] <= window
    wait(table, 20_000)  # four times as long as silence may last
    assert [match.frame for match in table.matches] == frames, "nobody goes on"
    assert {match.phase for match in table.matches} == {Phase.PLAYING}, "and nobody is lost"
    hide(table, 1, False)
    wait(table, 1000)
    assert [match.paused for match in table.matches] == [()] * players
    result = table.run().result()
    assert_completed(result, 120)
    straight = table_of("play", players=players, window=window, frames=120).run().result()
    assert result.oracle == straight.oracle, "the data know nothing of the pause"
    for journal in table.journals:
        told = [note["players"] for note in journal.notes if note["event"] == "paused"]
        assert told == [["frog_1"], []]


def test_after_a_pause_the_match_goes_on_as_smoothly_as_before() -> None:
    table = table_of("pause", frames=400, conditions=NetworkConditions(latency_ms=60, jitter_ms=10))
    table.run(lambda: table.matches[0].frame >= 60)
    hide(table, 0)
    wait(table, 10_000)
    hide(table, 0, False)
    wait(table, 2000)
    stalls = [match.counters.stalls for match in table.matches]
    most = 0

    def look() -> None:
        nonlocal most
        frames = [match.frame for match in table.matches]
        most = max(most, max(frames) - min(frames))

    start = table.now
    table.run(lambda: table.now >= start + 3000, each=look)
    assert most <= 1 and [match.counters.stalls for match in table.matches] == stalls
    assert_completed(table.run().result(), 400)


def test_both_pages_hidden_pause_until_both_are_seen() -> None:
    table = table_of("pause")
    table.run(lambda: table.matches[0].frame >= 30)
    hide(table, 0)
    hide(table, 1)
    wait(table, 3000)
    assert [match.paused for match in table.matches] == [("frog_0", "frog_1")] * 2
    hide(table, 0, False)
    wait(table, 3000)
    frame = table.matches[0].frame
    assert [match.paused for match in table.matches] == [("frog_1",)] * 2
    wait(table, 1000)
    assert table.matches[0].frame == frame
    hide(table, 1, False)
    assert_completed(table.run().result(), 200)


def test_a_page_hidden_before_the_match_or_between_episodes_pauses_it() -> None:
    table = table_of("pause", frames=30, episodes=2)
    hide(table, 0)
    wait(table, 12_000)
    assert {match.frame for match in table.matches} <= set(range(9)) and table.matches[0].frame == 0
    hide(table, 0, False)
    table.run(lambda: table.matches[1].phase is Phase.SETTLING)
    hide(table, 1)
    wait(table, 12_000)
    assert [match.episode for match in table.matches] == [1, 1] and table.matches[1].frame == 0
    hide(table, 1, False)
    assert_completed(table.run().result(), 60)


@pytest.mark.parametrize("when", ["pause", "end"])
@pytest.mark.parametrize("players", [2, 3])
def test_hidden_for_too_long_a_page_ends_the_match_in_a_type_for_all(when: str, players: int) -> None:
    table = table_of(when, 3000.0, players=players, reliable_control=True)
    table.run(lambda: table.matches[0].frame >= 30)
    hide(table, 1)
    hidden = table.now
    frame = table.matches[1].frame
    table.run()
    ended = table.hosts[1].ended_ms
    assert ended is not None and 3000 <= ended - hidden <= 3100
    assert table.matches[1].outcome is Outcome.HIDDEN and "hidden for 3.0 s" in table.matches[1].detail
    for place in set(range(players)) - {1}:
        assert table.matches[place].outcome is Outcome.PEER_LEFT
        assert "frog_1" in table.matches[place].detail and "hidden" in table.matches[place].detail
    played = table.matches[1].frame - frame
    assert played == 0 if when == "pause" else 80 <= played <= 95
    assert [match.paused for match in table.matches] == [()] * players
    notes = [list(journal.notes) for journal in table.journals]
    hide(table, 1, False)
    for match, host in zip(table.matches, table.hosts, strict=True):
        match.tick(table.clock(host.number) + 100, host.sampler)
    assert [journal.notes for journal in table.journals] == notes, "nothing follows the outcome"
    assert_prefixes(table)


@pytest.mark.parametrize("when", ["pause", "end"])
def test_hidden_again_and_again_but_never_for_too_long_ends_nothing(when: str) -> None:
    table = table_of(when, 2000.0)
    for _ in range(3):
        wait(table, 1500)
        hide(table, 1)
        wait(table, 1500)
        hide(table, 1, False)
    assert_completed(table.run().result(), 200)


def test_a_match_that_only_settles_is_not_ended_by_a_hidden_page() -> None:
    table = table_of("end", 300.0, frames=40)
    table.run(lambda: table.matches[0].phase is Phase.SETTLING)
    hide(table, 0)
    table.network.set_line(1, 0, NetworkConditions(latency_ms=800))
    assert_completed(table.run().result(), 40)


def test_a_pause_does_not_make_the_input_delay_longer() -> None:
    table = table_of("pause", input_delay=pr.InputDelay(most=8), frames=300, conditions=NetworkConditions(latency_ms=20))
    table.run(lambda: table.matches[0].frame >= 90)
    hide(table, 1)
    wait(table, 8000)
    hide(table, 1, False)
    assert_completed(table.run().result(), 300)
    for journal in table.journals:
        assert [note["delay"] for note in journal.notes if note["event"] == "input_delay"] == [0]


def test_hosts_with_other_rules_for_hidden_pages_refuse_each_other() -> None:
    table = table_of("pause")
    other = Table(
        lambda: Pond(2),
        settings=lambda place, settings: replace(settings, when_hidden=WhenHidden.PAUSE if place else WhenHidden.PLAY),
    )
    for match in other.run().matches:
        assert match.outcome is Outcome.REFUSED and "when_hidden" in match.detail
    assert_completed(table.run().result(), 200)

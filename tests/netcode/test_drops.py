"""Hosts that go in the middle of a match: a drop is agreed at one frame by all that are left, whatever was under way."""

from __future__ import annotations

from typing import Any

import pytest

from bench.soaking.laws import Counts, check
from pyodide_runtime.journal import MemoryJournal
from pyodide_runtime.network.history import History
from pyodide_runtime.network.virtual import NetworkConditions
from pyodide_runtime.rollback.inputs import ABSENT
from pyodide_runtime.rows import to_csv
from pyodide_runtime.settings import Outcome, Phase
from pyodide_runtime.simulation import episode_seed
from pyodide_runtime.virtual.scenario import Departure, Freeze, Scenario
from pyodide_runtime.virtual.table import Table

from .environments import Pond
from .partners import Heron

LINE = NetworkConditions(latency_ms=60, jitter_ms=40, loss=0.1, duplicate=0.1, reorder=0.1)
#: Some of the others see that a host is gone much later than the rest, and have its last inputs later, too.
UNEVEN = {(2, 1): NetworkConditions(latency_ms=400), (2, 0): NetworkConditions(latency_ms=5)}


def played(players: int, *departures: Departure, on_drop: str = "default", **options: Any) -> tuple[Table, Counts]:
    """A match, proved."""
    settings: dict[str, Any] = {"frames": 60, "conditions": LINE, "seed": 3, "disconnect_after_ms": 1500.0, **options}
    scenario = Scenario(players=players, on_drop=on_drop, departures=departures, **settings)  # type: ignore[arg-type]
    table = Table(lambda: Pond(players), scenario, partner=Heron() if on_drop == "partner" else None).run(limit_ms=100_000)
    return table, check(table)


def dropped(journal: MemoryJournal) -> dict[int, tuple[int, int]]:
    """Episode and frame of each host's last drop."""
    return {note["host"]: (note["episode"], note["frame"]) for note in journal.notes if note["event"] == "dropped"}


def absent(journal: MemoryJournal, player: int) -> list[int]:
    """The frames in which a player is absent."""
    return [int(dict(cells)["frame"]) for cells in journal.cells if dict(cells)[f"absent.frog_{player}"] == "true"]


def outcomes(table: Table) -> list[Outcome | None]:
    return [match.outcome for match in table.matches]


@pytest.mark.parametrize("how", ["leaves", "closes", "crashes"])
@pytest.mark.parametrize("seed", range(4))
def test_a_drop_is_agreed_at_one_frame_though_it_is_noticed_at_different_times(seed: int, how: str) -> None:
    table, counts = played(4, Departure(host=2, at_ms=1400, how=how), lines=UNEVEN, seed=seed)
    left = [table.journals[host] for host in (0, 1, 3)]
    frames = {dropped(journal)[2] for journal in left}
    assert len(frames) == 1 and counts.drops == 1
    (frame,) = {frame for _, frame in frames}
    assert [absent(journal, 2) for journal in left] == [list(range(frame, 60))] * 3
    assert [outcome for host, outcome in enumerate(outcomes(table)) if host != 2] == [Outcome.COMPLETED] * 3


@pytest.mark.parametrize("on_drop", ["default", "partner"])
def test_the_sponsor_may_go_too(on_drop: str) -> None:
    departures = [Departure(host=3, at_ms=1000), Departure(host=0, at_ms=1700), Departure(host=1, at_ms=1760, how="crashes")]
    table, counts = played(5, *departures, on_drop=on_drop, frames=90)
    assert counts.drops == 3
    for host in (2, 4):
        assert outcomes(table)[host] is Outcome.COMPLETED and set(dropped(table.journals[host])) == {0, 1, 3}
    assert dropped(table.journals[2]) == dropped(table.journals[4])


@pytest.mark.parametrize("apart_ms", [0, 30, 120])
def test_two_that_go_at_once_are_dropped_by_all_others_alike(apart_ms: float) -> None:
    table, counts = played(4, Departure(host=1, at_ms=1200), Departure(host=3, at_ms=1200 + apart_ms))
    assert counts.drops == 2 and dropped(table.journals[0]) == dropped(table.journals[2])
    assert [outcomes(table)[host] for host in (0, 2)] == [Outcome.COMPLETED] * 2


@pytest.mark.parametrize("on_drop", ["default", "partner", "pause"])
def test_a_page_that_is_loaded_again_plays_on_with_all_rows(on_drop: str) -> None:
    table, counts = played(3, Departure(host=1, at_ms=1300, back_ms=250), on_drop=on_drop, frames=150)
    assert outcomes(table) == [Outcome.COMPLETED] * 3 and counts.rejoins == 1
    assert len({to_csv(journal.cells) for journal in table.journals}) == 1 and table.matches[1].incarnation == 1
    away = absent(table.journals[1], 1)
    assert away == list(range(away[0], away[-1] + 1)) and away[-1] < 149
    actions = {dict(cells)["action.frog_1"] for cells in table.journals[0].cells[away[-1] + 1 :]}
    assert len(actions) > 2, "it gives its own inputs again"
    if on_drop == "pause":
        assert len(away) == 1, "nobody went on meanwhile"
        assert table.now > 150 * 1000 / 30 + 250


def test_one_that_is_not_back_in_time_ends_a_match_that_waits_for_all_at_the_same_frame() -> None:
    table, _ = played(3, Departure(host=2, at_ms=1300), on_drop="pause", return_within_ms=2000.0)
    assert outcomes(table)[:2] == [Outcome.PEER_LEFT] * 2 and "frog_2" in table.matches[0].detail
    assert to_csv(table.journals[0].cells) == to_csv(table.journals[1].cells) and 0 < len(table.journals[0].cells) < 60


@pytest.mark.parametrize("how", ["leaves", "closes", "crashes"])
def test_where_a_drop_ends_a_match_the_others_have_equal_data(how: str) -> None:
    table, _ = played(4, Departure(host=2, at_ms=1400, how=how), on_drop="end", lines=UNEVEN)
    left = [table.journals[host] for host in (0, 1, 3)]
    assert len({to_csv(journal.cells) for journal in left}) == 1 and 0 < len(left[0].cells) < 60
    assert len(left[0].cells) == dropped(left[0])[2][1], "every frame of which the one that went had given an input"


def test_who_was_dropped_by_mistake_learns_it_and_comes_back() -> None:
    table, counts = played(3, freezes=(Freeze(host=2, at_ms=1000, for_ms=3000),), frames=200)
    assert counts.drops == 1 and counts.rejoins == 1 and table.matches[2].incarnation == 1
    (before,) = table.hosts[2].before
    assert before.result is not None and before.result["outcome"] == "dropped" and before.notes[-1]["event"] != "dropped"
    assert outcomes(table) == [Outcome.COMPLETED] * 3


def test_who_watches_has_all_rows_from_the_beginning_on_whenever_it_came() -> None:
    table, _ = played(3, Departure(host=1, at_ms=1300, back_ms=300), frames=60, episodes=2, spectators=(0.0, 2500.0, 20_000.0))
    assert outcomes(table)[3:] == [Outcome.COMPLETED] * 3
    assert len({to_csv(journal.cells) for journal in table.journals}) == 1
    assert all(match.watching and not match.session.local for match in table.matches[3:])


class Puddle(Pond):
    """Dries up in the second episode of a match with seed 3."""

    dries = False

    def reset(self, seed: int | None = None, options: Any = None) -> Any:
        self.dries = seed == episode_seed(3, 1)
        return super().reset(seed, options)

    def step(self, actions: Any) -> Any:
        if self.dries and self.clock == 12:
            raise RuntimeError("it is dry")
        return super().step(actions)


def test_who_watches_from_an_episode_behind_learns_all_of_a_match_that_failed_before_it_is_told_that_it_did() -> None:
    scenario = Scenario(players=2, frames=60, episodes=2, spectators=(2600.0,), seed=3)
    table = Table(lambda: Puddle(2), scenario).run(limit_ms=60_000)
    assert outcomes(table) == [Outcome.ENVIRONMENT_ERROR] * 3
    assert [match.episode for match in table.matches] == [1, 1, 1]
    rows = [journal.cells for journal in table.journals]
    assert rows[2][:60] == rows[0][:60] and len(rows[0]) > 60


@pytest.mark.parametrize("goes_ms", range(2650, 3400, 50))
def test_who_watches_from_an_episode_behind_has_all_rows_of_a_match_that_a_drop_ends_meanwhile(goes_ms: float) -> None:
    departure = Departure(host=0, at_ms=goes_ms, how="closes")
    table, _ = played(3, departure, on_drop="end", episodes=2, spectators=(2600.0,), conditions=NetworkConditions(latency_ms=60))
    _, one, other, watcher = table.matches
    assert one.outcome is other.outcome is watcher.outcome is Outcome.PEER_LEFT
    assert table.journals[3].cells == table.journals[1].cells and len(table.journals[1].cells) >= 60


def test_eight_players_of_whom_three_go() -> None:
    departures = [Departure(host=host, at_ms=900 + 200 * host, back_ms=300 if host == 5 else None) for host in (1, 5, 7)]
    table, counts = played(8, *departures, frames=70)
    assert counts.drops == 3 and counts.rejoins == 1
    assert [outcomes(table)[host] for host in (0, 2, 3, 4, 5, 6)] == [Outcome.COMPLETED] * 6


def test_players_at_one_host_go_and_come_back_together() -> None:
    table, counts = played(5, Departure(host=1, at_ms=1200, back_ms=300), hosts=(1, 3, 1), frames=150)
    assert outcomes(table) == [Outcome.COMPLETED] * 3 and counts.drops == counts.rejoins == 1
    away = [absent(table.journals[0], player) for player in range(5)]
    assert away[1] == away[2] == away[3] != [] and away[0] == away[4] == []
    notes = [[note["host"] for note in journal.notes if note["event"] == "returned"] for journal in table.journals]
    assert notes == [[1]] * 3, "of three players that return at one host one return is told"


@pytest.mark.parametrize("back_ms", [200, 900])
def test_a_page_that_is_loaded_again_and_again_is_always_let_in(back_ms: float) -> None:
    times = [Departure(host=1, at_ms=1000 + 2500 * number, back_ms=back_ms) for number in range(3)]
    table, counts = played(2, *times, frames=330, on_drop="partner", conditions=NetworkConditions(latency_ms=30))
    assert outcomes(table) == [Outcome.COMPLETED] * 2 and table.matches[1].incarnation == 3 and counts.rejoins == 3


def test_a_drop_between_two_episodes_is_absent_in_the_whole_of_the_next() -> None:
    scenario = Scenario(players=3, frames=30, episodes=2, on_drop="default", conditions=LINE, seed=4)  # type: ignore[arg-type]
    table = Table(lambda: Pond(3), scenario)
    table.run(lambda: table.matches[2].phase is Phase.SETTLING)
    table._depart(Departure(host=2, at_ms=table.now))
    table.run(limit_ms=60_000)
    check(table)
    assert outcomes(table)[:2] == [Outcome.COMPLETED] * 2
    second = [dict(cells) for cells in table.journals[0].cells if cells[0] == ("episode", "1")]
    assert len(second) == 30 and all(row["absent.frog_2"] == "true" for row in second)


# -- what is kept for those who come late --------------------------------------------------------------------------------


def test_the_history_gives_any_span_of_any_episode() -> None:
    history = History([2, 3])
    frames = [(bytes((ABSENT, number)), bytes((1, number, 9))) for number in range(10)]
    for _ in range(2):
        history.begin_episode()
        for inputs in frames[: 10 if _ else 7]:
            history.add(inputs)
    assert [history.frames(episode) for episode in (0, 1)] == [7, 10]
    for player in (0, 1):
        for start in range(12):
            for most in (0, 1, 4, 20):
                expected = [inputs[player] for inputs in frames[:7]][start : start + most]
                assert history.span(0, player, start, most) == expected

"""Where a match falls into halves a server says which of them goes on: one alone, whoever asks first, and the other learns it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.soaking.laws import check
from pyodide_runtime.network.arbiter import Arbiter, are_incarnations
from pyodide_runtime.network.virtual import NetworkConditions, Partition
from pyodide_runtime.playing.match import Match
from pyodide_runtime.settings import MatchSettings, Outcome, Phase
from pyodide_runtime.virtual.scenario import Departure, Scenario
from pyodide_runtime.virtual.table import Table

from .environments import Pond
from .partners import Heron

FOREVER = 1e9


def played(players: int, on_drop: str = "default", **options: Any) -> Table:
    """A match with an arbiter, proved."""
    settings: dict[str, Any] = {
        "frames": 90,
        "disconnect_after_ms": 1500.0,
        "conditions": NetworkConditions(latency_ms=40),
        **options,
    }
    scenario = Scenario(players=players, on_drop=on_drop, arbitrated=True, **settings)  # type: ignore[arg-type]
    table = Table(lambda: Pond(players), scenario, partner=Heron() if on_drop == "partner" else None).run(limit_ms=100_000)
    check(table)
    return table


def outcomes(table: Table) -> list[Outcome | None]:
    return [match.outcome for match in table.matches]


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 3), st.integers(0, 3)), max_size=12))
def test_of_two_hosts_that_give_each_other_up_one_alone_is_ever_let_go_on(asked: list[tuple[int, int, int]]) -> None:
    arbiter, granted = Arbiter(), set()
    for host, incarnation, other in asked:
        question = (host, incarnation, ((1 - host, other),))
        answer = arbiter.appeal(*question)
        if answer:
            granted.add((host, incarnation, other))
        for one, own, lost in granted:
            assert not ((one, lost) == (1 - host, incarnation) and own <= other and answer), "both were let go on"


def test_the_same_question_has_the_same_answer_and_who_comes_back_begins_anew() -> None:
    arbiter = Arbiter()
    for _ in range(3):
        assert arbiter.appeal(1, 0, [(0, 0)])
        assert not arbiter.appeal(0, 0, [(1, 0)])
    assert arbiter.appeal(0, 1, [(1, 0)])
    assert not arbiter.appeal(1, 0, [(0, 1)])


@pytest.mark.parametrize(
    "value", [None, {}, [0, 1], [[0]], [[0, 1, 2]], [[0, -1]], [[-1, 0]], [[0, 16]], [[True, 0]], [["0", 0]]], ids=str
)
def test_what_is_no_list_of_incarnations_is_seen(value: Any) -> None:
    assert not are_incarnations(value)
    assert are_incarnations([]) and are_incarnations([[3, 15], [0, 0]])


@pytest.mark.parametrize("on_drop", ["default", "partner"])
@pytest.mark.parametrize("deaf", [0, 1])
def test_two_that_lose_each_other_for_good_do_not_both_go_on_and_one_does(deaf: int, on_drop: str) -> None:
    """Whichever gives the other up first; without the server host 1 never could."""
    cut = Partition(at_ms=1200, for_ms=FOREVER, hosts=(deaf,))
    crash = Departure(host=deaf, at_ms=1600, how="crashes")  # it is gone, but nobody can be sure of it
    table = played(2, on_drop, partitions=(cut,), departures=(crash,))
    assert table.matches[1 - deaf].outcome is Outcome.COMPLETED
    assert len(table.journals[1 - deaf].cells) == 90


def test_two_that_live_and_lose_each_other_for_a_while_end_with_the_same_data() -> None:
    table = played(2, frames=240, partitions=(Partition(at_ms=1200, for_ms=3000, hosts=(1,)),))
    assert outcomes(table) == [Outcome.COMPLETED] * 2
    incarnations = sorted(match.incarnation for match in table.matches)
    assert incarnations == [0, 1], "one was not let go on, and came back as another page"


@pytest.mark.parametrize("cut", [0, 1])
def test_only_the_side_that_is_let_go_on_ever_says_that_the_other_is_absent(cut: int) -> None:
    partition = Partition(at_ms=1200, for_ms=3000, hosts=(cut,))
    waits = {"frames": 240, "disconnect_after_ms": 1500.0}
    scenario = Scenario(players=2, on_drop="default", arbitrated=True, partitions=(partition,), **waits)  # type: ignore[arg-type]
    table = Table(lambda: Pond(2), scenario)
    said: dict[int, set[str]] = {}

    def look() -> None:
        for match in table.matches:
            if match.incarnation == 0:
                said.setdefault(match.host, set()).update(match.presence(table.now).values())

    table.run(each=look)
    check(table)
    (went,) = [match.host for match in table.matches if match.incarnation == 1]
    assert said[went] == {"here", "silent"}
    assert said[1 - went] >= {"here", "silent", "absent", "returning"}


def test_of_two_pairs_one_goes_on_and_the_other_comes_back_to_it() -> None:
    table = played(4, frames=300, partitions=(Partition(at_ms=1200, for_ms=3000, hosts=(0, 1), others=(2, 3)),))
    assert outcomes(table) == [Outcome.COMPLETED] * 4
    incarnations = [match.incarnation for match in table.matches]
    assert incarnations in ([0, 0, 1, 1], [1, 1, 0, 0])


def test_more_than_half_need_not_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(self: Arbiter, host: int, incarnation: int, gone: object) -> bool:
        raise AssertionError(f"host {host} asked")

    monkeypatch.setattr(Arbiter, "appeal", ask)
    cut, crash = Partition(at_ms=1200, for_ms=FOREVER, hosts=(2,)), Departure(host=2, at_ms=1600, how="crashes")
    table = played(3, partitions=(cut,), departures=(crash,))
    assert outcomes(table)[:2] == [Outcome.COMPLETED] * 2


def test_a_verdict_on_somebody_who_is_not_lost_changes_nothing() -> None:
    table = Table(lambda: Pond(2), Scenario(on_drop="default", arbitrated=True, frames=30))  # type: ignore[arg-type]
    table.run(lambda: table.matches[0].frame > 5)
    match = table.matches[0]
    for gone in [(1, 0)], [(7, 0)], [(0, 3)], []:
        for granted in (True, False):
            match.take_verdict(gone, granted)
    assert match.phase is Phase.PLAYING and match.appeal(table.now) == ()
    table.run()
    assert outcomes(table) == [Outcome.COMPLETED] * 2


def test_hosts_that_do_not_agree_on_there_being_an_arbiter_do_not_play() -> None:
    with_one, without = (
        Match(table.hosts[0].match.runtime, host=host, settings=settings, journal=table.hosts[0].journal)
        for host, table, settings in [
            (host, Table(lambda: Pond(2), Scenario(frames=5)), MatchSettings("virtual", 0, arbitrated=host == 0)) for host in (0, 1)
        ]
    )
    with_one.tick(0.0, lambda player: b"\1\0")
    without.receive(0, with_one.outbox[0][2], 0.0)
    assert without.outcome is Outcome.REFUSED and "arbitrated is false here and true there" in without.detail

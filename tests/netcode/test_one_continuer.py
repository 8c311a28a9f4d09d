"""No two hosts ever continue one stream: the rules that keep a match from having two histories, each broken by what it forbids."""

from __future__ import annotations

from typing import Any

import pytest

from bench.soaking.laws import check
from pyodide_runtime.network.membership import Standing
from pyodide_runtime.network.virtual import NetworkConditions, Partition
from pyodide_runtime.network.wire import Inputs, Members, Stream, encode, session_key
from pyodide_runtime.playing.match import Match
from pyodide_runtime.settings import Outcome, Phase
from pyodide_runtime.virtual.scenario import Departure, Freeze, Scenario
from pyodide_runtime.virtual.table import Table

from .environments import Pond

KEY = session_key("virtual")


def table_of(players: int, **options: Any) -> Table:
    line = NetworkConditions(latency_ms=50)
    settings: dict[str, Any] = {"frames": 300, "conditions": line, "seed": 3, "on_drop": "default", "disconnect_after_ms": 1000.0}
    return Table(lambda: Pond(players), Scenario(players=players, **{**settings, **options}))


@pytest.mark.parametrize("closes_ms", [3500, 6000])
def test_who_was_cut_off_does_not_go_on_because_the_other_closed_later(closes_ms: float) -> None:
    """The first has given the second up and gone on alone; that its page is closed then says nothing of what it did until then."""
    cut = Partition(at_ms=1000, for_ms=20_000, hosts=(1,))
    table = table_of(2, partitions=(cut,), departures=(Departure(host=0, at_ms=closes_ms),), return_within_ms=20_000.0)
    check(table.run())
    first, second = table.journals
    assert len(first.cells) > len(second.cells) and table.matches[1].outcome is Outcome.PEER_LOST


def test_who_watches_takes_final_inputs_only() -> None:
    """What is not final yet may still become another's to give, and who watches has no say in that."""
    table = table_of(2, spectators=(0.0,))
    watcher = table.hosts[2].match
    table.run(lambda: watcher.phase is Phase.PLAYING and watcher.frame == 20)
    queue = watcher.session.queues[0]
    start, data = queue.last + 1, queue.guess(queue.last)
    clocks = (0, 0, 0, 0xFFFF)
    packet = Inputs(0, 0, 0, 0, start, start, *clocks, start + 2, bytes(8), (start, start), (Stream(0, start, (data,) * 6),))
    watcher.receive(0, encode(packet, KEY), table.clock(2))
    assert watcher.malformed == 0 and queue.last == start + 1


def returned_to(table: Table) -> Match:
    """Runs until the first host has come back and plays again."""
    table.run(lambda: table.matches[0].incarnation == 1 and table.matches[0].frame > 0 and not table.matches[0].watching)
    return table.matches[0]


@pytest.mark.parametrize("let_in", [False, True])
def test_who_was_not_let_in_when_others_agreed_comes_in_again(let_in: bool) -> None:
    """It plays, but those who agreed on a drop did not know that yet, and asked for nothing from it."""
    match = returned_to(table_of(3, departures=(Departure(host=0, at_ms=1500, back_ms=500),)))
    known, others = match.membership.standings[0], match.membership.standings[1]
    assert known.running == 1 and not others.out
    agreed = (known if let_in else known._replace(running=0), others, Standing(0, 0, False, 1))
    match.receive(1, encode(Members(1, 0, 0, agreed, match._course.needs, True), KEY), 1e6)
    assert (match.outcome is Outcome.DROPPED) is not let_in


def test_who_may_have_been_let_in_by_a_host_that_is_gone_comes_in_again() -> None:
    """The stand-in lets it in, and is given up by the third, which cannot know that; what the two said to each other since then
    the third never has."""
    page = Departure(host=0, at_ms=1000, how="leaves", back_ms=50)
    freeze = Freeze(host=1, at_ms=1600, for_ms=1500)
    line = NetworkConditions(latency_ms=100)
    options: dict[str, Any] = {"conditions": line, "disconnect_after_ms": 1500.0, "arbitrated": False, "return_within_ms": 5000.0}
    table = table_of(3, frames=90, departures=(page,), freezes=(freeze,), **options).run()
    check(table)
    assert [match.outcome for match in table.matches] == [Outcome.COMPLETED] * 3
    assert [match.incarnation for match in table.matches] == [2, 1, 0]

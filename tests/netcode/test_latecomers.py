"""Hosts that come late, to watch or to come back: whom they may learn from, and what is said to them, whoever gave whom up."""

from __future__ import annotations

from typing import Any

import pytest

from pyodide_runtime.network.membership import Standing
from pyodide_runtime.network.virtual import NetworkConditions
from pyodide_runtime.network.wire import Bye, End, Inputs, Members, Packet, decode, encode, session_key
from pyodide_runtime.playing.match import Match
from pyodide_runtime.settings import REASONS, Outcome, Phase
from pyodide_runtime.virtual.scenario import Departure, Scenario
from pyodide_runtime.virtual.table import Table

from .environments import Pond

KEY = session_key("virtual")
HERE, GONE = Standing(), Standing(gone=0, sponsor=0)


def table_of(players: int, **options: Any) -> Table:
    line = NetworkConditions(latency_ms=50)
    settings: dict[str, Any] = {"frames": 60, "conditions": line, "seed": 3, "on_drop": "default", "disconnect_after_ms": 1000.0}
    return Table(lambda: Pond(players), Scenario(players=players, **{**settings, **options}))


def watching(table: Table, frame: int = 20) -> Match:
    """Who watches, after so many frames."""
    watcher = table.matches[-1]
    table.run(lambda: watcher.phase is Phase.PLAYING and watcher.frame == frame)
    return watcher


def hears(match: Match, table: Table, packet: Packet) -> None:
    match.receive(packet.sender, encode(packet, KEY), table.clock(match.host))
    assert match.malformed == 0


def greets(watcher: Match, table: Table, host: int, *standings: Standing) -> None:
    """A host that plays says hello to who watches, and who is gone as far as it knows."""
    hears(watcher, table, table.matches[host]._greetings.hello(0, Phase.PLAYING)._replace(standings=standings))


def learns_that_both_gave_each_other_up(table: Table) -> Match:
    watcher = watching(table)
    greets(watcher, table, 0, HERE, GONE)
    greets(watcher, table, 1, GONE, HERE)
    assert watcher.membership.left_over == []
    return watcher


def test_who_watches_learns_from_hosts_of_whom_each_was_given_up_by_another() -> None:
    table = table_of(2, spectators=(0.0,))
    watcher = learns_that_both_gave_each_other_up(table)
    table.run(limit_ms=20_000)
    assert watcher.outcome is Outcome.COMPLETED
    assert table.journals[2].cells == table.journals[0].cells and len(table.journals[2].cells) == 60


def test_who_watches_goes_on_as_long_as_anybody_is_there_who_knows_the_match() -> None:
    table = table_of(2, spectators=(0.0,))
    watcher = learns_that_both_gave_each_other_up(table)
    hears(watcher, table, Bye(0, 0, REASONS.index(Outcome.LEFT), ""))
    assert watcher.outcome is None
    table.off.add(0)
    hears(watcher, table, Bye(1, 0, REASONS.index(Outcome.LEFT), ""))
    assert watcher.outcome is Outcome.PEER_LEFT


@pytest.mark.parametrize("frame", [20, 59])
def test_that_others_ended_sooner_apart_from_the_rest_is_no_desync_for_who_watches(frame: int) -> None:
    table = table_of(2, spectators=(0.0,))
    watcher = watching(table, frame)
    hears(watcher, table, End(0, 0, 0, 10, watcher.ledger.chain(10), False, True))
    assert watcher.phase is Phase.PLAYING
    table.run(limit_ms=20_000)
    assert watcher.outcome is Outcome.COMPLETED and len(table.journals[2].cells) == 60


def test_who_watches_does_not_wait_for_a_host_of_which_a_hello_said_that_it_is_gone() -> None:
    table = table_of(2, spectators=(0.0,))
    watcher = watching(table)
    greets(watcher, table, 0, HERE, GONE)
    assert watcher.lineup.members == [0]


def test_a_host_that_was_never_heard_and_whose_connection_is_closed_stays_gone() -> None:
    table = table_of(3, spectators=(500.0,))
    watcher = table.matches[3]
    watcher.link_closed(0, 0.0)
    greets(watcher, table, 1, HERE, HERE, HERE)
    watcher.lineup.work_out()
    assert watcher.presence(0.0)[0] == "absent"


class Overheard(Table):
    """A table that keeps what is said to its last host."""

    def post(self, number: int) -> None:
        said = [decode(data, KEY) for receiver, _, data in self.matches[number].outbox if receiver == len(self.hosts) - 1]
        self.told = [*getattr(self, "told", []), *[packet for packet in said if isinstance(packet, Inputs)]]
        super().post(number)


def test_who_comes_late_is_told_of_nothing_that_is_not_final() -> None:
    """What a stand-in gave that was never final is not to be acknowledged to the host that was let in instead."""
    scenario = Scenario(players=3, frames=60, spectators=(0.0,), conditions=NetworkConditions(latency_ms=50), seed=3)
    table = Overheard(lambda: Pond(3), scenario).run(limit_ms=20_000)
    assert len(table.told) > 100 and any(packet.frame > packet.final for packet in table.told)
    assert all(packet.needs == (packet.final,) * 3 and packet.held == packet.final for packet in table.told)


def test_what_a_host_lacked_of_an_episode_before_says_nothing_of_the_one_in_which_it_is_let_in() -> None:
    table = table_of(3, frames=20, episodes=4, departures=(Departure(host=0, at_ms=300, back_ms=1400),))
    match = table.matches[1]
    table.run(lambda: (peer := match.peers[0]).incarnation == 1 and max(peer.needs) > 5 and peer.episode < match.episode)
    hears(match, table, Members(2, 0, match.episode, (Standing(running=1, gone=0, sponsor=1), HERE, HERE), (0, 0, 0), True))
    assert 0 in match.lineup.members
    assert match.peers[0].episode == match.episode and match.peers[0].needs == [0, 0, 0]

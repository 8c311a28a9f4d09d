"""The end of an episode is derived from its frames, is final when they are, and is agreed on by all before the next begins."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pyodide_runtime.network.virtual import NetworkConditions
from pyodide_runtime.network.wire import End, encode, session_key
from pyodide_runtime.playing.match import Match
from pyodide_runtime.settings import Outcome, Phase
from pyodide_runtime.simulation import episode_seed

from .environments import Pond
from .sessions import Table, assert_completed

KEY = session_key("virtual")
FAR = NetworkConditions(latency_ms=100, jitter_ms=60, loss=0.1)
AWFUL = NetworkConditions(latency_ms=50, jitter_ms=50, loss=0.4, duplicate=0.2, reorder=0.2)


def pond(players: int = 2, ends_at: int | None = None) -> Any:
    return lambda: Pond(players, ends_at=ends_at)


def test_a_predicted_end_stops_the_steps_and_resets_nothing_until_it_is_final() -> None:
    waited = 0
    for seed in range(8):
        table = Table(pond(ends_at=5), frames=60, conditions=FAR, seed=seed, episodes=2)
        ended_at: dict[int, tuple[int, int]] = {}

        def look(table: Table = table, ended_at: dict[int, tuple[int, int]] = ended_at) -> None:
            nonlocal waited
            for place, match in enumerate(table.matches):
                if match.phase is not Phase.PLAYING:
                    ended_at.pop(place, None)
                    continue
                if match.runtime.done:
                    now = (match.episode, match.frame)
                    before = ended_at.setdefault(place, now)
                    assert now == before or match.frame < before[1], "nothing is simulated beyond a predicted end"
                    ended_at[place] = now
                    waited += not match.session.ended
                else:
                    ended_at.pop(place, None)

        assert_completed(table.run(each=look).result())
    assert waited > 50, "ends were predicted long before they were final"


@pytest.mark.parametrize("players", [1, 2, 3])
def test_every_episode_has_a_seed_of_its_own_and_an_end_of_its_own(players: int) -> None:
    table = Table(pond(players, ends_at=11), players=players, frames=50, conditions=FAR, seed=77, episodes=4).run()
    assert_completed(table.result())
    seeds = [(number, episode_seed(77, number)) for number in range(4)]
    assert len(set(seeds)) == 4
    for journal in table.journals:
        assert journal.episodes == seeds
        assert journal.ends == table.journals[0].ends and len({chain for _, _, chain in journal.ends}) == 4
        for episode, frames, _ in journal.ends:
            assert frames == sum(dict(row)["episode"] == str(episode) for row in journal.cells)
        assert journal.result is not None
        assert journal.result["outcome"] == "completed" and journal.result["episodes"] == 4
        assert journal.result["rows"] == len(journal.cells)


def test_nobody_begins_the_next_episode_before_all_have_agreed_on_the_last() -> None:
    table = Table(pond(3), players=3, frames=20, conditions=AWFUL, episodes=3)

    def look() -> None:
        newest = max(match.episode for match in table.matches)
        for match in table.matches:
            assert match.episode >= newest - 1
            if match.episode == newest - 1:
                assert match.phase is Phase.SETTLING, "all others have every row of the episode that one has left behind"

    assert_completed(table.run(each=look).result(), 60)


@pytest.mark.parametrize("players", [2, 3, 4])
@pytest.mark.parametrize("latency_ms", [0, 100])
def test_ends_are_agreed_on_though_two_fifths_of_everything_are_lost(players: int, latency_ms: int) -> None:
    line = replace(AWFUL, latency_ms=latency_ms)
    lost = 0
    for seed in range(12):
        table = Table(pond(players), players=players, frames=4, conditions=line, seed=seed, episodes=3, window=2).run()
        assert_completed(table.result(), 12)
        lost += table.network.lost
    assert lost > 500


def test_hosts_that_wait_for_a_third_do_not_wait_for_each_other_for_ever() -> None:
    """Two hosts that know each other's End, but not that their own arrived, while the third is late."""
    for seed in (2, 4, 8, 17):
        table = Table(
            pond(4, ends_at=40), players=4, frames=60, conditions=replace(AWFUL, jitter_ms=0), seed=seed, window=3, input_delay=6
        )
        assert_completed(table.run(limit_ms=30_000).result())


def test_who_has_gone_on_answers_the_end_of_an_episode_before() -> None:
    table = Table(pond(), frames=10, episodes=2)
    table.run(lambda: table.matches[0].episode == 1)
    match = table.matches[0]
    frames, chain = table.journals[0].ends[0][1:]
    match.outbox.clear()
    match.receive(1, encode(End(1, 0, 0, frames, chain, False, False), KEY), table.now)
    assert [data for _, _, data in match.outbox] == [encode(End(0, 0, 0, frames, chain, True, True), KEY)]
    match.outbox.clear()
    match.receive(1, encode(End(1, 0, 0, frames, chain, True, True), KEY), table.now)
    assert match.outbox == [], "what is settled wants no answer"


def test_one_that_comes_late_is_answered_unless_it_answers() -> None:
    """Two that took each other for such would answer each other for ever, and a line that doubles packets would do so with each."""
    table = Table(pond(), frames=10, spectators=(0.0,), conditions=NetworkConditions(latency_ms=60))
    match = table.matches[0]
    table.run(lambda: match.phase is Phase.SETTLING and table.matches[2].frame > 0)
    for heard in (False, True):
        match.outbox.clear()
        match.receive(2, encode(End(2, 0, 0, 10, bytes(8), heard, False), KEY), table.now)
        assert len(match.outbox) == (0 if heard else 1)


def test_an_answer_to_an_end_that_was_never_sent_is_no_answer() -> None:
    table = Table(pond(), frames=30, conditions=NetworkConditions(latency_ms=60))
    table.run(lambda: table.matches[0].frame == 10)
    match = table.matches[0]
    match.receive(1, encode(End(1, 0, 0, 30, bytes(16), True, False), KEY), table.now)
    # Such a packet can only be forged: what it says of the rows is believed when the episode ends here too, as any End is.
    assert match.phase is Phase.PLAYING and not match.peers[1].end_heard and not match.peers[1].ended


def test_ends_of_episodes_to_come_are_ignored() -> None:
    table = Table(pond(), frames=10, episodes=2)
    table.run(lambda: table.matches[0].frame == 5)
    table.matches[0].receive(1, encode(End(1, 0, 7, 3, bytes(16), True, False), KEY), table.now)
    assert_completed(table.run().result(), 20)


def test_nothing_that_comes_after_the_match_changes_how_it_ended() -> None:
    table = Table(pond(), frames=10)
    sent: list[tuple[int, bytes]] = []
    post = table.post

    def keep(number: int) -> None:
        sent.extend((number, data) for _, _, data in table.matches[number].outbox)
        post(number)

    table.post = keep  # type: ignore[method-assign]
    table.run()
    results = [journal.result for journal in table.journals]
    for place, data in sent:
        receiver: Match = table.matches[1 - place]
        receiver.receive(place, data, table.now)
    for match, journal, result in zip(table.matches, table.journals, results, strict=True):
        match.leave()
        match.link_closed(1 - match.host, table.now)
        match.tick(table.now + 60_000, lambda player: b"\x01\x00")
        assert match.outcome is Outcome.COMPLETED and journal.result is result


@pytest.mark.parametrize("seed", range(6))
def test_who_closes_after_completing_leaves_nobody_incomplete(seed: int) -> None:
    """The page of one that has completed may go away at once; the others hold all its data."""
    table = Table(
        pond(3), players=3, frames=6, conditions=NetworkConditions(latency_ms=60, jitter_ms=60, loss=0.2), seed=seed, window=3
    )
    closed: set[int] = set()

    def look() -> None:
        for place, match in enumerate(table.matches):
            if match.phase is Phase.OVER and place not in closed:
                closed.add(place)
                table.off.add(place)
                for other in table.matches:
                    if other is not match:
                        other.link_closed(place, table.clock(other.host))

    table.run(each=look)
    assert_completed(table.result(), 6)

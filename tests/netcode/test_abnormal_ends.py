"""Matches that cannot be finished: each host says, in a type, why; its export is a prefix; what is certified is alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pyodide_runtime.network.virtual import NetworkConditions
from pyodide_runtime.rollback.inputs import make_input
from pyodide_runtime.settings import MatchSettings, Outcome, Phase
from pyodide_runtime.simulation import episode_seed
from pyodide_runtime.virtual.scenario import Departure

from .environments import Pond
from .sessions import Sampler, Table, assert_completed

LINE = NetworkConditions(latency_ms=60, jitter_ms=40, loss=0.1)


def table_of(players: int = 2, **options: Any) -> Table:
    options.setdefault("conditions", LINE)
    options.setdefault("reliable_control", True)
    return Table(lambda: Pond(players), players=players, frames=300, **options)


def patience(ms: float) -> Callable[[int, MatchSettings], MatchSettings]:
    return lambda place, settings: replace(settings, disconnect_after_ms=ms)


def assert_prefixes(table: Table) -> None:
    """All exports begin alike, as a straight run does, and as far as each says is certified, all that are left have it too."""
    longest = max((journal.cells for journal in table.journals), key=len)
    assert table.straight(max(table.journals, key=lambda journal: len(journal.cells))) == longest
    for match, journal in zip(table.matches, table.journals, strict=True):
        assert journal.cells == longest[: len(journal.cells)]
        if match.phase is not Phase.OVER:
            continue
        assert journal.result is not None and journal.result["outcome"] == (match.outcome and match.outcome.value)
        assert journal.result["rows"] == len(journal.cells)
        episode, frame = match.certified_through
        assert journal.result["certified_through"] == [episode, frame]
        if frame >= 0:
            for number, other in enumerate(table.journals):
                if match.membership.is_out(number) and len(table.journals) > 2:
                    continue  # it is certified by those that are left
                assert (("episode", str(episode)), ("frame", str(frame))) in [row[:2] for row in other.cells]


# -- somebody is gone ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("disconnect_ms", [500.0, 2000.0, 5000.0])
def test_a_peer_that_vanishes_is_lost_after_the_set_time(disconnect_ms: float) -> None:
    table = table_of(settings=patience(disconnect_ms), conditions=NetworkConditions(latency_ms=60))
    table.run(lambda: table.matches[0].frame >= 60)
    table.off.add(1)
    vanished = table.now
    table.run()
    assert table.matches[0].outcome is Outcome.PEER_LOST
    assert disconnect_ms <= table.now - vanished <= disconnect_ms + 60 + 50
    assert "frog_1" in table.matches[0].detail
    assert 40 < table.matches[0].certified_through[1] < len(table.journals[0].cells)
    assert_prefixes(table)


def test_a_peer_that_never_comes_is_lost_too() -> None:
    table = table_of()
    table.off.add(1)
    table.run()
    assert table.matches[0].outcome is Outcome.PEER_LOST and table.journals[0].cells == []
    assert table.matches[0].certified_through == (0, -1)
    assert 15_000 <= table.now <= 15_200, "before anything was heard, a peer has three times as long"


def test_with_three_players_all_that_are_left_say_so() -> None:
    table = table_of(3, settings=patience(1000.0))
    table.run(lambda: table.matches[0].frame >= 40)
    table.off.add(1)
    table.run()
    assert {table.matches[0].outcome, table.matches[2].outcome} <= {Outcome.PEER_LOST, Outcome.PEER_LEFT}
    assert_prefixes(table)


@pytest.mark.parametrize("players", [2, 3])
def test_a_closed_link_is_a_peer_that_left(players: int) -> None:
    table = table_of(players)
    table.run(lambda: table.matches[0].frame >= 50)
    table.off.add(1)
    closed = table.now
    for place in set(range(players)) - {1}:
        table.matches[place].link_closed(1, table.now)
    table.run()
    assert {table.matches[place].outcome for place in set(range(players)) - {1}} == {Outcome.PEER_LEFT}
    assert table.now - closed < 1500, "nobody had to wait for silence"
    assert_prefixes(table)


@pytest.mark.parametrize("players", [2, 3])
def test_who_leaves_says_goodbye(players: int) -> None:
    table = table_of(players)
    table.run(lambda: table.matches[0].frame >= 50)
    table.matches[1].leave("the page was closed")
    table.post(1)
    left = table.now
    table.run()
    assert table.matches[1].outcome is Outcome.LEFT
    for place in set(range(players)) - {1}:
        assert table.matches[place].outcome is Outcome.PEER_LEFT
        assert "frog_1" in table.matches[place].detail and "the page was closed" in table.matches[place].detail
    assert table.now - left < (400 if players == 2 else 1500), "nobody had to wait for silence"
    assert_prefixes(table)


def test_leaving_between_episodes_keeps_what_was_agreed() -> None:
    table = Table(lambda: Pond(2), frames=20, episodes=3, conditions=NetworkConditions(latency_ms=60))
    table.run(lambda: table.matches[0].episode == 1 and table.matches[0].frame == 0)
    table.matches[0].leave()
    assert table.matches[0].certified_through == (0, 19)
    table.post(0)
    table.run()
    assert table.matches[1].outcome is Outcome.PEER_LEFT and table.matches[1].certified_through == (0, 19)
    assert_prefixes(table)


def test_a_host_that_settles_with_one_that_is_gone_still_notices_that_another_is() -> None:
    """Of three, one completed its part and closed; the next dies before its End arrives. The third must not wait for ever."""
    table = Table(lambda: Pond(3), players=3, frames=20, settings=patience(1000.0), conditions=NetworkConditions(latency_ms=20))
    waiting = table.matches[2]
    for receiver in (0, 2):
        table.network.set_line(1, receiver, NetworkConditions(latency_ms=20))
    table.run(lambda: waiting.phase is Phase.SETTLING or waiting.frame == 20)
    table.network.set_line(1, 2, NetworkConditions(loss=1.0))  # its inputs came; its End never will
    table.run(lambda: waiting.phase is Phase.OVER or waiting.peers[0].ended)
    table.off |= {0, 1}
    waiting.link_closed(0, table.now)
    table.run(limit_ms=5000)
    assert waiting.outcome is Outcome.PEER_LOST and "frog_1" in waiting.detail


@pytest.mark.parametrize("players", [2, 3])
def test_a_spectator_that_went_on_alone_is_told_that_nobody_follows(players: int) -> None:
    """It needs nobody's word to go on from an episode; those that play do, and one of them closes before it gave its own."""
    ahead = 0
    for at_ms in range(600, 1400, 25):
        departure = Departure(host=0, at_ms=at_ms, how="closes")
        table = Table(lambda: Pond(players), players=players, frames=20, episodes=2, spectators=(0.0,), departures=(departure,))
        table.run(limit_ms=10_000)
        *_, one, spectator = table.matches
        assert spectator.outcome is one.outcome is Outcome.PEER_LEFT, at_ms
        ahead += spectator.episode > one.episode
    assert ahead > 0


# -- pauses ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pause_ms", [400, 1500, 4000])
def test_a_pause_that_is_short_enough_ends_nothing(pause_ms: float) -> None:
    table = table_of()
    table.run(lambda: table.matches[0].frame >= 50)
    table.pause(1, pause_ms)
    assert_completed(table.run().result(), 300)


def test_a_host_that_pauses_too_long_is_lost_and_learns_why() -> None:
    table = table_of()
    table.run(lambda: table.matches[0].frame >= 50)
    table.pause(1, 20_000)
    table.run()
    assert table.matches[0].outcome is Outcome.PEER_LOST
    assert table.matches[1].outcome is Outcome.PEER_LEFT and "silent" in table.matches[1].detail
    assert_prefixes(table)


def test_who_paused_does_not_blame_its_peers() -> None:
    """Nothing that was sent to it meanwhile survived; they have their full time again from when it woke."""
    table = table_of(settings=lambda place, settings: replace(settings, disconnect_after_ms=60_000.0 if place == 0 else 3000.0))
    table.run(lambda: table.matches[1].frame >= 50)
    woken = table.now + 20_000
    table.pause(1, 20_000)
    table.network.set_line(0, 1, NetworkConditions(loss=1.0))
    table.run(lambda: table.now >= woken + 2000)
    assert table.matches[1].phase is Phase.PLAYING
    table.network.set_line(0, 1, LINE)
    assert_completed(table.run().result(), 300)


@pytest.mark.parametrize("every_ms", [600, 1000, 3000])
def test_a_host_whose_clock_is_throttled_still_notices_that_a_peer_is_gone(every_ms: float) -> None:
    table = table_of(settings=patience(3000.0))
    table.run(lambda: table.matches[0].frame >= 50)
    table.off.add(1)
    vanished = table.now
    table.run(each=lambda: table.pause(0, every_ms))
    assert table.matches[0].outcome is Outcome.PEER_LOST
    assert table.now - vanished >= 3000


# -- the data differ -------------------------------------------------------------------------------------------------


def posing(kind: type[Pond]) -> type[Pond]:
    """The same class under the name of the one that the others have, so that no hello can tell them apart."""
    kind.__qualname__, kind.__module__ = Pond.__qualname__, Pond.__module__
    return kind


@posing
class Drifting(Pond):
    """From some frame on, its state differs where no row shows it; later the rows differ, too."""

    drifts_at = 47

    def step(self, actions: dict[str, int]) -> tuple[Any, ...]:
        answer = super().step(actions)
        if self.clock == self.drifts_at:
            self.board[0][3] += 1
        return answer


@posing
class Wrong(Pond):
    """From some frame on, its rewards differ."""

    def step(self, actions: dict[str, int]) -> tuple[Any, ...]:
        observations, rewards, *rest = super().step(actions)
        if self.clock > 47:
            rewards["frog_0"] += 1.0
        return observations, rewards, *rest


@pytest.mark.parametrize("environment, found_by", [(Wrong, 48 + 30), (Drifting, 60 + 30)])
@pytest.mark.parametrize("players", [2, 3])
def test_a_desync_is_found_by_all_and_they_say_how_many_rows_are_alike(
    environment: type[Pond], found_by: int, players: int
) -> None:
    table = Table(
        lambda: Pond(players),
        players=players,
        frames=300,
        conditions=LINE,
        reliable_control=True,
        factories=lambda place: (lambda: environment(players)) if place == 1 else (lambda: Pond(players)),
    )
    table.run()
    assert [match.outcome for match in table.matches] == [Outcome.DESYNC] * players
    for match, journal in zip(table.matches, table.journals, strict=True):
        assert match.malformed == 0 and len(journal.cells) <= found_by
        certified = match.certified_through[1] + 1
        assert 25 < certified <= 59 if environment is Drifting else 25 < certified <= 47
        assert f"the first {certified} rows are alike" in match.detail or "says:" in match.detail
        alike = next(
            (
                at
                for at, rows in enumerate(zip(table.journals[0].cells, table.journals[1].cells, strict=False))
                if rows[0] != rows[1]
            ),
            1000,
        )
        assert certified <= alike
        assert journal.result is not None and journal.result["outcome"] == "desync"
    assert any("rows are alike" in match.detail for match in table.matches)


@posing
class ShortLived(Pond):
    """Ends three frames before all the others."""

    def step(self, actions: dict[str, int]) -> tuple[Any, ...]:
        observations, rewards, ends, cuts, infos = super().step(actions)
        return observations, rewards, dict.fromkeys(ends, self.clock == 57), cuts, infos


def test_an_episode_that_ends_elsewhere_on_one_host_is_a_desync() -> None:
    table = Table(
        lambda: Pond(2),
        frames=60,
        conditions=LINE,
        reliable_control=True,
        settings=lambda place, settings: replace(settings, state_digest_every=1000),
        factories=lambda place: (lambda: ShortLived(2)) if place == 1 else (lambda: Pond(2)),
    )
    table.run()
    assert [match.outcome for match in table.matches] == [Outcome.DESYNC] * 2
    for match in table.matches:
        assert match.certified_through[1] <= 55


# -- the environment raises ------------------------------------------------------------------------------------------


class Trap(Pond):
    """Raises if both do what never is done by both at once."""

    raised = 0

    def step(self, actions: dict[str, int]) -> tuple[Any, ...]:
        if all(action == 4 for action in actions.values()):
            type(self).raised += 1
            raise RuntimeError("both jumped")
        return super().step(actions)


def taking_turns(place: int) -> Sampler:
    """The first player jumps in frames 0-4, 10-14, ..., the second in 5-9, 15-19, ..."""
    frame = -1

    def sample(player: int) -> bytes:
        nonlocal frame
        frame += 1
        return make_input(b"\x04" if frame // 5 % 2 == place else bytes([frame % 4]), True)

    return sample


@pytest.mark.parametrize("delay", [0, 2])
@pytest.mark.parametrize("latency_ms", [60, 150, 300])
def test_what_an_environment_raises_for_inputs_that_nobody_made_ends_nothing(latency_ms: int, delay: int) -> None:
    Trap.raised = 0
    line = NetworkConditions(latency_ms=latency_ms, jitter_ms=50, loss=0.1)
    table = Table(lambda: Trap(2), frames=80, conditions=line, sampler=taking_turns, input_delay=delay, window=10).run()
    assert_completed(table.result(), 80)
    assert Trap.raised >= 10


def test_what_it_raises_for_inputs_that_were_made_ends_the_match_on_all_hosts() -> None:
    def sampler(place: int) -> Sampler:
        taken = iter(range(1000))
        return lambda player: make_input(b"\x04" if next(taken) >= 40 else b"\x00", True)

    table = Table(lambda: Trap(2), frames=80, conditions=LINE, reliable_control=True, sampler=sampler).run()
    for match in table.matches:
        assert match.outcome is Outcome.ENVIRONMENT_ERROR
        assert "both jumped" in match.detail and "frame 40" in match.detail
    assert_prefixes(table)
    assert max(len(journal.cells) for journal in table.journals) <= 40


class FirstOnly(Pond):
    """Its reset raises for all seeds but the first episode's."""

    def reset(self, seed: int | None = None, options: Any = None) -> tuple[Any, ...]:
        if seed not in (0, episode_seed(0, 0)):
            raise RuntimeError("no more ponds")
        return super().reset(seed, options)


def test_a_reset_that_raises_between_episodes_ends_the_match_on_all_hosts() -> None:
    table = Table(lambda: FirstOnly(2), frames=20, episodes=2, conditions=LINE, reliable_control=True).run()
    for match in table.matches:
        assert match.outcome is Outcome.ENVIRONMENT_ERROR and "no more ponds" in match.detail
        assert match.certified_through == (0, 19)
    assert_prefixes(table)


class Unsavable(Pond):
    """After a while it holds something that no snapshot can bring back."""

    def step(self, actions: dict[str, int]) -> tuple[Any, ...]:
        if self.clock == 30:
            self.stream = (number for number in range(10))
            next(self.stream)
        return super().step(actions)


def test_a_state_that_cannot_be_kept_ends_the_match_on_all_hosts() -> None:
    table = Table(lambda: Unsavable(2), frames=80, conditions=LINE, reliable_control=True).run()
    for match in table.matches:
        assert match.outcome is Outcome.ENVIRONMENT_ERROR and "generator" in match.detail
    assert_prefixes(table)

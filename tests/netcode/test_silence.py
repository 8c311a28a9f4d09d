"""Who was not heard for too long, with the time given."""

from __future__ import annotations

from collections.abc import Callable

from pyodide_runtime.playing.lineup import Lineup
from pyodide_runtime.playing.silence import PAUSE_MS, Silence
from pyodide_runtime.settings import MatchSettings

PATIENCE = 2000.0
SETTINGS = MatchSettings(session="silence", seed=1, disconnect_after_ms=PATIENCE)


def among(hosts: int = 3, incarnation: int = 0) -> tuple[Lineup, Silence, Callable[[float], list[int]]]:
    """Host 0 and some others, and what gives the hosts that are silent for too long at some time."""
    lineup = Lineup(0, incarnation, SETTINGS, [f"player_{number}" for number in range(hosts)])
    silence = Silence(lineup, PATIENCE)
    return lineup, silence, lambda now: [peer.host for peer, _ in silence.overlong(now)]


def test_a_peer_is_given_its_time_from_when_it_was_last_heard_and_thrice_as_long_to_connect() -> None:
    lineup, _, silent = among()
    assert silent(100.0) == []
    lineup.peers[1].heard(500.0, 10)
    assert silent(500.0 + PATIENCE) == []
    assert silent(501.0 + PATIENCE) == [1]
    assert silent(100.0 + 3 * PATIENCE) == [1]
    assert silent(101.0 + 3 * PATIENCE) == [1, 2]


def test_what_becomes_of_one_host_is_known_before_the_next_is_looked_at() -> None:
    lineup, silence, silent = among()
    silent(0.0)
    found = silence.overlong(4 * PATIENCE)
    assert next(found)[0].host == 1
    lineup.membership.suspect(2, 0)  # the news of the first, say, were that the second is gone, too
    assert next(found, None) is None


def test_nobody_is_to_blame_for_a_pause_of_this_host_but_a_host_that_does_nothing_but_pause_notices() -> None:
    lineup, silence, silent = among(2)
    silent(0.0)
    lineup.peers[1].heard(0.0, 10)
    silence.forgive(60_000.0, 0.0)
    assert silent(60_000.0) == [], "a minute was but a short silence"
    now, pauses = 60_000.0, 0
    while not silent(now):
        now, last, pauses = now + 10_000.0, now, pauses + 1
        silence.forgive(now, last)
    assert pauses == PATIENCE // PAUSE_MS


def test_a_connection_that_was_closed_needs_no_patience() -> None:
    lineup, _, silent = among()
    for peer in lineup.peers.values():
        peer.heard(1000.0, 10)
    lineup.peers[2].closed_at = 1000.0
    assert silent(1001.0) == [2]


def test_one_that_comes_late_learns_from_nobody_who_comes_late_as_well() -> None:
    lineup, silence, _ = among(incarnation=1)
    for host, incarnation in ((1, 0), (2, 1)):
        lineup.meet(host, incarnation).heard(1000.0, 10)
    silence.taught(1000.0)
    assert not silence.is_untaught(1000.0 + PATIENCE), "the first plays, and was heard"
    lineup.peers[2].heard(1001.0 + PATIENCE, 10)
    assert not silence.is_untaught(1001.0 + PATIENCE)
    lineup.peers[2].heard(1001.0 + 2 * PATIENCE, 10)
    assert silence.is_untaught(1001.0 + 2 * PATIENCE), "the second is there, but only comes"
    lineup.peers[2].begun = True
    assert not silence.is_untaught(1001.0 + 2 * PATIENCE)


def test_only_who_had_just_heard_this_host_surely_played_with_it_to_the_last() -> None:
    lineup, silence, _ = among(2)
    peer = lineup.peers[1]
    assert not silence.is_sure(peer, 0.0)
    peer.heard_us_at = 0.0
    assert silence.is_sure(peer, 0.7 * PATIENCE) and not silence.is_sure(peer, 0.8 * PATIENCE)

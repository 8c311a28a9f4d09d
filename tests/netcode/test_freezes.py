"""A host that does nothing for up to a minute: if the others have the patience, all end with equal data, and nobody lags after."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

import pyodide_runtime as pr
from pyodide_runtime.network.virtual import NetworkConditions
from pyodide_runtime.playing.match import Match
from pyodide_runtime.settings import Phase

from .environments import Pond
from .sessions import Table, assert_completed

MINUTE, FROZEN = 60_000.0, 1
LINE = NetworkConditions(latency_ms=60, jitter_ms=20, loss=0.1)

#: When a host freezes, told by its own part in the match of two episodes.
WHEN: dict[str, Callable[[Match], bool]] = {
    "before its first tick": lambda match: True,
    "while it connects": lambda match: match.outbox == [] and match.peers[0].heard_hello,
    "in its first frames": lambda match: match.frame >= 3,
    "in the middle": lambda match: match.frame >= 50,
    "at the last frame": lambda match: match.frame >= 89,
    "while it settles": lambda match: match.phase is Phase.SETTLING,
    "in the first frame of the next episode": lambda match: match.episode == 1,
    "in the middle of the next episode": lambda match: match.episode == 1 and match.frame >= 40,
    "while the last episode settles": lambda match: match.episode == 1 and match.phase is Phase.SETTLING,
}


def table_of(players: int, frames: int = 90, **options: Any) -> Table:
    return Table(
        lambda: Pond(players),
        players=players,
        frames=frames,
        conditions=options.pop("conditions", LINE),
        settings=lambda place, settings: replace(settings, disconnect_after_ms=90_000.0),
        **options,
    )


@pytest.mark.parametrize("players", [2, 3, 4])
@pytest.mark.parametrize("when", WHEN)
def test_a_freeze_of_a_minute_in_any_phase_ends_with_equal_data(when: str, players: int) -> None:
    table = table_of(players, episodes=2, seed=players)
    frozen = table.matches[FROZEN]
    table.run(lambda: WHEN[when](frozen))
    table.pause(FROZEN, MINUTE)
    before = table.now
    result = table.run(limit_ms=200_000).result()
    assert_completed(result, 180)
    assert table.now >= before + MINUTE
    assert result.oracle == table_of(players, episodes=2, seed=players).run().result().oracle, "the data know nothing of it"


@pytest.mark.parametrize("players", [2, 3, 4])
@pytest.mark.parametrize("input_delay", [0, "adaptive", "matched"])
@pytest.mark.parametrize("at_ms", [0, 3000])
def test_a_freeze_in_a_simulation_ends_with_equal_data(players: int, input_delay: int | str, at_ms: float) -> None:
    report = pr.simulate(
        lambda: Pond(players), players=players, frames=150, conditions=LINE, seed=2, input_delay=input_delay,
        freezes=[pr.Freeze(host=1, at_ms=at_ms, for_ms=MINUTE)], disconnect_after_ms=90_000,
    )  # fmt: skip
    assert report.identical and report.outcome is pr.Outcome.COMPLETED and report.failure is None
    assert report.virtual_ms > MINUTE and not any(peer.malformed for peer in report.peers)


@pytest.mark.parametrize("players", [2, 3, 4])
@pytest.mark.parametrize("freeze_ms", [700.0, 10_000.0, MINUTE])
def test_two_seconds_after_a_freeze_nobody_lags(players: int, freeze_ms: float) -> None:
    table = table_of(players, frames=330, conditions=NetworkConditions(latency_ms=60, jitter_ms=20))
    table.run(lambda: table.matches[FROZEN].frame >= 100)
    table.pause(FROZEN, freeze_ms)
    thawed = table.now + freeze_ms
    table.run(lambda: table.now >= thawed)
    frames = [match.frame for match in table.matches]
    table.run(lambda: table.now >= thawed + 2000)
    for match, before in zip(table.matches, frames, strict=True):
        # Who was frozen plays on at the full rate; who waited for it at the window, its length later.
        assert match.frame - before >= 60 * 0.95 - (0 if match is table.matches[FROZEN] else match.settings.prediction_window)
    stalls = [match.counters.stalls for match in table.matches]
    most = 0

    def look() -> None:
        nonlocal most
        now = [match.frame for match in table.matches]
        most = max(most, max(now) - min(now))

    table.run(lambda: table.now >= thawed + 5000, each=look)
    assert most <= 1
    assert [match.counters.stalls for match in table.matches] == stalls, "nobody waits any more"
    for match in table.matches:
        assert match.round_trip_ms is not None and match.round_trip_ms < 2 * (60 + 20) + 40, "what waited is not taken for the line"
    assert_completed(table.run().result(), 330)


def test_freezes_of_all_hosts_one_after_the_other_end_with_equal_data() -> None:
    table = table_of(3, frames=240)
    for host, frame in ((0, 30), (1, 90), (2, 150)):
        table.run(lambda host=host, frame=frame: table.matches[host].frame >= frame)  # type: ignore[misc]
        table.pause(host, 20_000.0)
    assert_completed(table.run().result(), 240)

"""Time sync: whoever is ahead runs slower, until all are within a frame of each other, and then they stay so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pyodide_runtime.network.virtual import NetworkConditions
from pyodide_runtime.rollback.timesync import SLOWEST, TimeSync
from pyodide_runtime.settings import Phase

from .environments import Discrete, Pond
from .sessions import Table

SETTLED_MS = 2000.0
LINES = [
    NetworkConditions(),
    NetworkConditions(latency_ms=50),
    NetworkConditions(latency_ms=100),
    NetworkConditions(latency_ms=100, jitter_ms=30, loss=0.15),
]


def playing(players: int = 2, **options: Any) -> Table:
    """A match of which the first frames have just been played."""
    table = Table(lambda: Pond(players), players=players, frames=None, window=16, **options)
    return table.run(lambda: all(match.phase is Phase.PLAYING and match.frame >= 2 for match in table.matches))


def apart(table: Table) -> int:
    """By how many frames the hosts' frames differ at this moment."""
    frames = [match.frame for match in table.matches]
    return max(frames) - min(frames)


def settle(table: Table, seconds: float = 8.0, within_ms: float = SETTLED_MS) -> int:
    """Play for two seconds, and then on; the most that the hosts were apart after those two."""
    start = table.now
    table.run(lambda: table.now >= start + within_ms)
    most = 0

    def look() -> None:
        nonlocal most
        most = max(most, apart(table))

    table.run(lambda: table.now >= start + seconds * 1000, each=look)
    return most


@pytest.mark.parametrize("conditions", LINES, ids=str)
def test_hosts_six_frames_apart_are_together_after_two_seconds(conditions: NetworkConditions) -> None:
    table = playing(conditions=conditions, seed=1)  # of which no hello is lost: both start together
    table.pause(1, 240)
    table.run(lambda: apart(table) >= 6, limit_ms=400)
    assert settle(table) <= 1


@pytest.mark.parametrize("rates", [[1.0, 1.1], [1.1, 1.0], [1.0, 1.02], [1.2, 1.0], [1.0, 0.8]], ids=str)
@pytest.mark.parametrize("conditions", LINES, ids=str)
def test_hosts_whose_clocks_differ_are_together_after_two_seconds(conditions: NetworkConditions, rates: list[float]) -> None:
    assert settle(playing(conditions=conditions, clock_rates=rates)) <= 1


class Idle:
    """Nothing happens in it, so that long matches of many hosts cost little."""

    def __init__(self, players: int) -> None:
        self.possible_agents = [f"player_{place}" for place in range(players)]

    def action_space(self, agent: str) -> Discrete:
        return Discrete(2)

    def reset(self, seed: int | None = None, options: Any = None) -> tuple[dict[str, int], dict[str, dict[str, Any]]]:
        self.agents = list(self.possible_agents)
        return dict.fromkeys(self.agents, 0), {agent: {} for agent in self.agents}

    def step(self, actions: dict[str, int]) -> tuple[Any, ...]:
        no = dict.fromkeys(self.agents, False)
        return dict.fromkeys(self.agents, 0), dict.fromkeys(self.agents, 0.0), no, no, {agent: {} for agent in self.agents}


#: A fast host, a slow one, and all different: by up to a fifth.
RATES = {"fast": [1.2, 1.0, 1.0, 1.0], "slow": [1.0, 0.8, 1.0, 1.0], "mixed": [0.9, 1.1, 1.0, 1.05]}


@pytest.mark.parametrize("rates", RATES)
@pytest.mark.parametrize("players", [2, 3, 4])
@pytest.mark.parametrize("fps", [10.0, 30.0, 60.0])
@pytest.mark.parametrize(
    ("latency_ms", "jitter_ms", "within_ms"), [(0, 50, 2000), (50, 20, 2000), (100, 30, 2000), (200, 50, 4000)]
)
def test_clocks_a_fifth_apart_and_a_start_a_second_apart(
    latency_ms: float, jitter_ms: float, within_ms: float, fps: float, players: int, rates: str
) -> None:
    """Nothing but time sync holds them together here: the window is far wider than they are apart."""
    table = Table(
        lambda: Idle(players), players=players, frames=None, window=60, fps=fps, hold=1000, reliable_control=True, seed=1,
        conditions=NetworkConditions(latency_ms=latency_ms, jitter_ms=jitter_ms), clock_rates=RATES[rates][:players],
        start_skew_ms=1000.0,
    )  # fmt: skip
    table.run(lambda: all(match.phase is Phase.PLAYING and match.frame >= 2 for match in table.matches))
    assert settle(table, 6.0, within_ms) <= 1
    assert [match.counters.stalls for match in table.matches] == [0] * players


@pytest.mark.parametrize("seed", range(1, 9))
def test_frames_are_even_though_hosts_begin_apart(seed: int) -> None:
    """Of the first frames one is long, once; but 99 of 100 frames of a match last no longer than 40 ms."""
    line = NetworkConditions(latency_ms=50, loss=0.15)
    table = Table(lambda: Pond(2), frames=450, seed=seed, conditions=line, reliable_control=True, start_skew_ms=37.0 * seed)
    seen: dict[int, tuple[int, float]] = {}
    lasted: list[list[float]] = [[], []]

    def look() -> None:
        for place, match in enumerate(table.matches):
            frame, at = seen.get(place, (-1, 0.0))
            if match.frame != frame:
                seen[place] = match.frame, table.now
                if match.frame > 1:
                    lasted[place].append(table.now - at)

    table.run(lambda: all(match.phase is Phase.OVER for match in table.matches), each=look)
    for intervals in lasted:
        assert len(intervals) > 440 and sorted(intervals)[len(intervals) * 99 // 100] <= 40.0


def test_three_hosts_are_together_after_two_seconds() -> None:
    table = playing(3, conditions=NetworkConditions(latency_ms=50), clock_rates=[1.0, 1.1, 1.05])
    table.pause(2, 200)
    assert settle(table) <= 1


def test_time_sync_alone_keeps_hosts_together_and_none_stalls() -> None:
    table = playing(conditions=NetworkConditions(latency_ms=100), clock_rates=[1.0, 1.1])
    settle(table)
    assert [match.counters.stalls for match in table.matches] == [0, 0]


@pytest.mark.parametrize("fps", [10.0, 30.0, 120.0])
@pytest.mark.parametrize("latency_ms", [0, 150])
def test_equal_hosts_keep_the_frame_rate(fps: float, latency_ms: int) -> None:
    line = NetworkConditions(latency_ms=latency_ms, jitter_ms=20)
    table = playing(conditions=line, settings=lambda place, settings: replace(settings, fps=fps, prediction_window=60))
    start, frames = table.now, [match.frame for match in table.matches]
    table.run(lambda: table.now >= start + 5000)
    for match, before in zip(table.matches, frames, strict=True):
        assert fps * 0.98 <= (match.frame - before) / 5 <= fps * 1.01


def test_the_slower_clock_sets_the_pace() -> None:
    table = playing(conditions=NetworkConditions(latency_ms=50), clock_rates=[1.0, 1.1])
    start, frame = table.now, table.matches[1].frame
    table.run(lambda: table.now >= start + 10_000)
    assert 29.5 <= (table.matches[1].frame - frame) / 10 <= 30.7


def test_no_frame_is_skipped_while_hosts_come_together() -> None:
    table = playing(conditions=NetworkConditions(latency_ms=50))
    table.pause(1, 240)
    before = [match.frame for match in table.matches]

    def look() -> None:
        for place, match in enumerate(table.matches):
            assert match.frame - before[place] in (0, 1)
            before[place] = match.frame

    start = table.now
    table.run(lambda: table.now >= start + 3000, each=look)


def test_nobody_is_slowed_who_is_behind_or_who_has_seen_nothing() -> None:
    sync = TimeSync(30.0)
    assert sync.stretch == 1.0 and sync.ahead == 0.0
    for _ in range(100):
        sync.observe(-5.0, 5.0)
    assert sync.stretch == 1.0 and sync.ahead == -5.0


@pytest.mark.parametrize("fps", [1.0, 30.0, 120.0])
def test_nobody_is_slowed_by_more_than_the_most(fps: float) -> None:
    sync = TimeSync(fps)
    for _ in range(1000):
        sync.observe(1e6, -2048.0)
    assert sync.stretch == 1.0 + SLOWEST
    for _ in range(1000):
        sync.observe(-1.0, 1.0)
    assert sync.stretch == 1.0


def test_who_waits_sees_itself_where_it_will_be_after_that() -> None:
    sync = TimeSync(30.0)
    for _ in range(30):
        sync.observe(3.0, -3.0)
    assert sync.settled and sync.stretch > 1.1
    sync.waited(3.0)
    assert abs(sync.own) < 1e-9 and abs(sync.ahead) < 1e-9
    sync.observe(0.0, -3.0, 5)  # the peer has not seen it yet
    assert abs(sync.ahead) < 0.1


def test_views_that_are_wrong_in_the_same_way_cancel_out() -> None:
    sync = TimeSync(30.0)
    for _ in range(100):
        sync.observe(3.0, 3.0)  # both believe to be ahead: the way is longer than it seems
    assert sync.ahead == 0.0 and sync.stretch == 1.0

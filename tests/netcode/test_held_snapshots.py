"""Every snapshot that is held is what a run that never rolled back would hold: the fault that this product repairs.

There, a snapshot saved while replaying kept the step counter and the rewards of the frame that had been restored; to roll
back to such a snapshot started from a wrong count, the error grew from rollback to rollback, and one peer ended at
row 466, the other at 460, where both should have ended at 450.
"""

from __future__ import annotations

import random
from typing import Any

import pytest

from pyodide_runtime.batch import Runtime
from pyodide_runtime.network.virtual import NetworkConditions
from pyodide_runtime.operations import Reset, Rollback, Snapshot, Step
from pyodide_runtime.playing.match import Match
from pyodide_runtime.settings import Phase
from pyodide_runtime.simulation import StepRecord

from .environments import Pond
from .sessions import Table, assert_completed

BAD = NetworkConditions(latency_ms=100, jitter_ms=75, loss=0.15, duplicate=0.05, reorder=0.1)


class StraightRun:
    """Runs from one seed that never roll back, nor rest on any snapshot."""

    def __init__(self, players: int, seed: int, frames: int | None, ends_at: int | None = None) -> None:
        self._runtime = Runtime(Pond(players, ends_at=ends_at), max_steps=frames)
        self._seed = seed

    def play(self, inputs: list[tuple[bytes, ...]], frames: list[int]) -> tuple[list[bytes], list[StepRecord]]:
        """The digests of the states at some frames of the run with these inputs, and what happened in each of its frames."""
        runtime = self._runtime
        runtime.batch([Reset(self._seed)])
        found = []
        for frame in range(len(inputs) + 1):
            runtime.simulation.save()  # as every run does after every frame
            if frame in frames:
                found.append(runtime.digest())
            if frame < len(inputs):
                runtime.batch([Step(inputs[frame])])
        return found, list(runtime.records)


def compare(match: Match, straight: StraightRun) -> int:
    """Compare every snapshot that a host holds, and every record that it has not forgotten; how many snapshots there were."""
    runtime, players = match.runtime, range(len(match.runtime.players))
    records = list(runtime.records)
    held = runtime.held_frames
    assert held[-1] == runtime.frame == len(records)
    first = records.count(None)  # type: ignore[arg-type]
    assert None not in records[first:] and first <= match.session.final
    final = zip(*(match._course.history.span(match.episode, player, 0, first) for player in players), strict=True)
    actions = [tuple(data[1:] for data in inputs) for inputs in final] + [record.actions for record in records[first:]]
    digests, played = straight.play(actions, held)
    assert [runtime.snapshot_digest(frame) for frame in held] == digests
    assert records[first:] == played[first:]
    return len(held)


@pytest.mark.parametrize("players", [2, 3])
@pytest.mark.parametrize("seed", range(3))
def test_snapshot_saved_during_replay_equals_straight_run(players: int, seed: int) -> None:
    source = random.Random(seed)
    table = Table(
        lambda: Pond(players),
        players=players,
        frames=70,
        conditions=BAD,
        seed=seed,
        window=source.choice([4, 8, 12]),
        input_delay=seed % 2,
    )
    table.run(lambda: all(match.phase is Phase.PLAYING for match in table.matches))
    straight = StraightRun(players, table.journals[0].episodes[0][1], 70)
    compared = deep = 0

    def look() -> None:
        nonlocal compared, deep
        for match in table.matches:
            if match.phase is Phase.PLAYING and source.random() < 0.03:
                compared += compare(match, straight)
                deep = max(deep, match.counters.deepest_rollback)

    assert_completed(table.run(each=look).result(), 70)
    print(f"{compared} snapshots, rollbacks up to {deep} deep")
    assert compared > 100 and deep >= 3
    assert sum(match.counters.rollbacks for match in table.matches) > 15 * players


@pytest.mark.parametrize("ends_at", [3, 7])
def test_snapshots_around_ends_that_are_taken_back_equal_a_straight_run(ends_at: int) -> None:
    compared = taken_back = 0
    for seed in range(12):
        table = Table(lambda: Pond(2, ends_at=ends_at), frames=60, conditions=BAD, seed=seed)
        straight = StraightRun(2, table.journals[0].episodes[0][1], 60, ends_at)
        ended = [False, False]

        def look(table: Table = table, straight: StraightRun = straight, ended: list[bool] = ended) -> None:
            nonlocal compared, taken_back
            for place, match in enumerate(table.matches):
                done = match.runtime.done
                if match.phase is Phase.PLAYING and done != ended[place]:
                    compared += compare(match, straight)
                    taken_back += not done
                ended[place] = done

        assert_completed(table.run(each=look).result())
    print(f"{compared} snapshots, {taken_back} ends taken back")
    assert compared > 100 and taken_back >= 3, "some end was only predicted, and did not come"


def test_both_peers_end_at_row_450_however_often_they_rolled_back() -> None:
    """The seed's own case: 450 steps, both players active, latency and loss."""
    table = Table(lambda: Pond(2), frames=450, conditions=BAD, seed=466460)
    straight = StraightRun(2, table.journals[0].episodes[0][1], 450)
    late: list[int] = []

    def look() -> None:
        for match in table.matches:
            if match.phase is Phase.PLAYING and match.frame in (150, 300, 440) and match.frame not in late:
                late.append(match.frame)
                compare(match, straight)

    result = table.run(each=look).result()
    assert_completed(result, 450)
    assert late == [150, 300, 440]
    assert all(match.counters.rollbacks > 100 for match in result.matches)


def test_a_rollback_to_a_snapshot_saved_during_a_rollback_counts_right() -> None:
    """The shortest way to the fault, by hand: restore, replay, and restore what was saved while replaying."""
    source = random.Random(4)

    def joint() -> tuple[bytes, ...]:
        return (bytes([source.randrange(5)]), bytes([source.randrange(5)]))

    runtime = Runtime(Pond(2), seed=9, max_steps=40)
    runtime.batch([Snapshot()])
    actions: list[tuple[bytes, ...]] = []
    rolled = 0
    while not runtime.done:
        actions.append(joint())
        runtime.batch([Step(actions[-1]), Snapshot()])
        if len(actions) > 8:
            for _ in range(3):
                start = len(actions) - source.randint(1, 8)
                actions[start:] = [joint() for _ in actions[start:]]
                runtime.batch([Rollback(start, actions[start:])])
                rolled += 1
        assert runtime.frame == len(actions)
    assert len(actions) == 40 and rolled > 90
    rewards: dict[str, Any] = dict.fromkeys(runtime.players, 0.0)
    for number, record in enumerate(runtime.records, 1):
        for player, reward, score in zip(runtime.players, record.rewards, record.scores, strict=True):
            rewards[player] += reward
            assert score == rewards[player], "a score is the sum of the rewards up to its own frame"
        assert record.frame == number - 1
    everything = list(range(41))
    assert runtime.held_frames == everything
    digests, played = StraightRun(2, 9, 40).play(actions, everything)
    assert [runtime.snapshot_digest(frame) for frame in everything] == digests
    assert runtime.records == played

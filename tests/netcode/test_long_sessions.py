"""A session that goes on and on: what a host keeps of frames that all agree on does not grow with their number."""

from __future__ import annotations

from typing import Any

import pytest

from pyodide_runtime.batch import FORGET_AT_ONCE, STAYING, Runtime
from pyodide_runtime.network.virtual import NetworkConditions
from pyodide_runtime.operations import Reset, Rollback, Snapshot, Step
from pyodide_runtime.playing.match import Match
from pyodide_runtime.settings import Outcome

from .desyncs import posing
from .environments import Pond
from .sessions import Table, assert_completed

BAD = NetworkConditions(latency_ms=80, jitter_ms=40, loss=0.1)
FRAMES = 600


def remembered(match: Match) -> int:
    return sum(record is not None for record in match.runtime.records)


@pytest.mark.parametrize("players", [1, 2, 3])
def test_a_match_forgets_what_no_rollback_and_no_diagnosis_can_need(players: int) -> None:
    table = Table(lambda: Pond(players), players=players, frames=FRAMES, conditions=BAD, seed=5)
    most: list[int] = []

    def look() -> None:
        for match in table.matches:
            if match.frame > FRAMES // 2:
                most.append(remembered(match))

    result = table.run(each=look).result()
    assert_completed(result, FRAMES)
    every = table.matches[0].settings.digest_every
    window = table.matches[0].settings.prediction_window
    # Behind the present: what is predicted, what peers have not said that they have alike, the rest of a block of digests.
    assert max(most) <= FORGET_AT_ONCE + STAYING + 2 * every + 6 * window < FRAMES // 2
    assert players == 1 or all(match.counters.rollbacks > 20 for match in table.matches)


class LateOdd(Pond):
    """Draws from nobody knows where, long after the episode began."""

    number = 0

    def reset(self, seed: int | None = None, options: Any = None) -> Any:
        self.mark = 0
        return super().reset(seed, options)

    def step(self, actions: dict[str, int]) -> tuple[Any, ...]:
        answer = super().step(actions)
        if self.clock == FRAMES // 2 + 1:
            self.mark = self.number
        return answer


class OtherLateOdd(LateOdd):
    number = 1


posing(OtherLateOdd, LateOdd)


def test_a_difference_after_a_long_time_is_still_found_and_played_again() -> None:
    kinds = (LateOdd, OtherLateOdd)
    table = Table(
        lambda: Pond(2),
        frames=FRAMES,
        conditions=BAD,
        reliable_control=True,
        seed=3,
        factories=lambda number: lambda: kinds[number](2),
    ).run()
    assert [match.outcome for match in table.matches] == [Outcome.DESYNC] * 2
    result = table.journals[0].result
    assert result is not None
    report = result["desync"]
    assert (report["frame"], report["path"], report["unfinished"]) == (FRAMES // 2, "environment.mark", "")
    assert set(report["repeatable"].values()) == {True}, "it was played again from a state that was alike"
    assert all(0 < remembered(match) < FRAMES // 2 for match in table.matches)


def test_a_runtime_forgets_what_it_is_told_to_and_goes_on_as_if_it_had_not() -> None:
    forgetful, other = Runtime(Pond(2), seed=9), Runtime(Pond(2), seed=9)
    for runtime in (forgetful, other):
        runtime.batch([Reset(9), Snapshot()])
        for frame in range(200):
            runtime.batch([Step((bytes([frame % 5]), b"\1")), Snapshot()])
    forgetful.forget_before(130)
    assert forgetful.records[130:] == other.records[130:] and set(forgetful.records[:130]) == {None}
    assert forgetful.rows == other.rows[130:]
    for runtime in (forgetful, other):
        runtime.batch([Rollback(160, [(b"\2", b"\3")] * 30)])
    assert forgetful.records[130:] == other.records[130:] and forgetful.digest() == other.digest()
    for runtime in (forgetful, other):
        with pytest.raises(Exception, match="operation 1"):
            runtime.batch([Rollback(170, [(b"\4", b"\4")] * 5), Step((b"\x09", b"\x09"))])
    assert forgetful.records[130:] == other.records[130:] and forgetful.digest() == other.digest()
    forgetful.batch([Reset(9)])
    assert list(forgetful.records) == []
    forgetful.batch([Step((b"\0", b"\0"))])
    assert None not in forgetful.records


def test_the_newest_frames_are_not_forgotten_whatever_is_asked() -> None:
    runtime = Runtime(Pond(2), seed=9)
    runtime.batch([Reset(9), Snapshot(), *(Step((b"\0", b"\0")) for _ in range(200))])
    runtime.forget_before(10_000)
    assert [record.frame for record in runtime.records[200 - STAYING :]] == list(range(200 - STAYING, 200))
    runtime.batch([Step((b"\1", b"\1"))])
    assert runtime.records[200].frame == 200

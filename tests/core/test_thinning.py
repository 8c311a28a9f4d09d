"""Law: a snapshot that is told by an earlier one is the snapshot that it was, wherever one goes to and fro."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pyodide_runtime as pr
from pyodide_runtime.rollback.inputs import make_input
from pyodide_runtime.rollback.session import RollbackSession
from pyodide_runtime.thinning import APART, Thinning
from tests.core.courses import Course, Move, Straight, assert_same, check_everything_held, moves, observe
from tests.core.partners import Tinkerer
from tests.core.refusals import refusals_passed_over
from tests.core.sorts import SORTS
from tests.core.tangle import ACTIONS, Tangle
from tests.core.test_spacing import Fleeting, Tardy
from tests.core.test_ways import CASES

LAW = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
FUTURE: list[tuple[bytes, ...]] = [(b"\1",), (b"\3",)]

sorts = st.lists(st.sampled_from(sorted(SORTS)), max_size=5, unique=True).map(lambda names: ("set", *names))
actions = st.integers(0, ACTIONS - 1).map(lambda action: (bytes([action]),))


def thin(runtime: pr.Runtime, newest: int, apart: int) -> pr.Runtime:
    runtime._thinning = Thinning(newest, apart)
    return runtime


def told(runtime: pr.Runtime) -> list[int]:
    """The frames whose snapshots are told by an earlier one."""
    return [frame for frame in runtime.held_frames if runtime.held(frame).told]


def go(runtime: pr.Runtime, cascade: list[Move], straight: Straight, future: list[tuple[bytes, ...]]) -> None:
    course = Course(runtime)
    course.go(("snapshot", 0, ()))
    for move in cascade:
        course.go(move)
    check_everything_held(course, straight, future)


@LAW
@given(sorts, st.integers(0, 1000), st.sampled_from([0, 9]), moves(actions, 20), st.integers(1, 3), st.integers(2, 9))
def test_after_any_cascade_every_snapshot_held_equals_the_straight_run(
    names: tuple[str, ...], seed: int, ending: int, cascade: list[Move], newest: int, apart: int
) -> None:
    make = partial(Tangle, names, ending)
    with refusals_passed_over():
        go(thin(pr.Runtime(make(), seed=seed, max_steps=60), newest, apart), cascade, Straight(make, seed, max_steps=60), FUTURE)


@LAW
@given(
    st.integers(0, 1000), moves(st.integers(0, 7).map(lambda action: (bytes([action]),)), 24), st.integers(1, 3), st.integers(2, 9)
)
def test_sets_that_come_and_go_are_as_they_were(seed: int, cascade: list[Move], newest: int, apart: int) -> None:
    go(thin(pr.Runtime(Tardy(), seed=seed), newest, apart), cascade, Straight(Tardy, seed), FUTURE)


@LAW
@given(sorts, st.integers(0, 1000), st.sampled_from([0, 9]), moves(actions | st.just((pr.PARTNER,)), 20), st.integers(1, 3))
def test_what_a_partner_played_it_plays_again(
    names: tuple[str, ...], seed: int, ending: int, cascade: list[Move], newest: int
) -> None:
    make, one, other = partial(Tangle, names, ending), Tinkerer(["set", "dict"]), Tinkerer(["set", "dict"])
    with refusals_passed_over():
        runtime = thin(pr.Runtime(make(), seed=seed, max_steps=60, partner=one), newest, 5)
        go(runtime, cascade, Straight(make, seed, max_steps=60, partner=other), [(pr.PARTNER,), *FUTURE])


@pytest.mark.parametrize("make", [Tardy, Fleeting])
def test_one_can_go_back_to_any_of_many_held_frames(make: Any) -> None:
    runtime, plain = (pr.Runtime(make(), seed=3, whole_snapshots=whole) for whole in (16, 1024))
    for one in (runtime, plain):
        for frame in range(300):
            one.batch([pr.Snapshot(), pr.Step((bytes([1 + frame % 7]),))])
    assert runtime.held_frames == plain.held_frames
    # In frame 0 there was no set yet.
    assert [frame for frame in range(284) if frame not in told(runtime)] == [0, *range(1, 284, APART)]
    assert (told(runtime)[-1], told(plain)) == (283, [])
    for frame in (299, 284, 283, 200, 129, 128, 1, 0, 250):
        for one in (runtime, plain):
            one.batch([pr.Restore(frame)])
        assert_same(observe(runtime), observe(plain))
        assert runtime.snapshot_digest(120) == plain.snapshot_digest(120)
    for one in (runtime, plain):
        one.batch([pr.Rollback(100, [(b"\4",)] * 40)])
    assert_same(observe(runtime), observe(plain))
    assert [runtime.snapshot_digest(frame) for frame in range(60, 141)] == [
        plain.snapshot_digest(frame) for frame in range(60, 141)
    ]


@pytest.mark.parametrize(("way", "make"), CASES)
@settings(deadline=None, max_examples=8)
@given(cascade=moves(st.sampled_from([b"\0", b"\2"]).map(lambda data: (data,)), 14), seed=st.integers(0, 99))
def test_however_snapshots_are_taken_they_are_as_they_were(
    way: str, make: Callable[[], Any], cascade: list[Move], seed: int
) -> None:
    runtime = thin(pr.Runtime(make(), seed=seed, snapshots=way), 1, 4)
    go(runtime, cascade, Straight(make, seed, snapshots=way), [(b"\2",), (b"\0",)])


def test_a_session_goes_back_to_whole_snapshots_only() -> None:
    runtime = thin(pr.Runtime(Tardy(), seed=3), 1, 8)
    RollbackSession(runtime, local=[0], neutral=[make_input(b"\0", True)])
    for _ in range(20):
        runtime.batch([pr.Step((b"\4",)), pr.Snapshot()])
    assert told(runtime) == []


def test_a_failed_batch_leaves_what_is_told_as_it_was() -> None:
    runtime = thin(pr.Runtime(Tardy(), seed=3), 2, 8)
    for _ in range(20):
        runtime.batch([pr.Snapshot(), pr.Step((b"\4",))])
    before = [runtime.snapshot_digest(frame) for frame in runtime.held_frames]
    wrong = [pr.Rollback(3, [(b"\1",)] * 9, save_all=True), *[pr.Snapshot(), pr.Step((b"\6",))] * 4, pr.Restore(1000)]
    for _ in range(3):
        with pytest.raises(pr.BatchError):
            runtime.batch(wrong)
        runtime.batch([pr.Step((b"\4",)), pr.Snapshot()])
        assert [runtime.snapshot_digest(frame) for frame in range(20)] == before


def test_what_was_forgotten_is_not_needed() -> None:
    runtime = thin(pr.Runtime(Tardy(), seed=3), 100, 8)
    for _ in range(400):
        runtime.batch([pr.Snapshot(), pr.Step((b"\4",))])
        runtime.forget_before(runtime.frame)
    digests = {frame: runtime.snapshot_digest(frame) for frame in runtime.held_frames}
    plain = pr.Runtime(Tardy(), seed=3, whole_snapshots=1024)
    for frame in range(400):
        plain.batch([pr.Snapshot(), pr.Step((b"\4",))])
        assert digests[frame] == plain.snapshot_digest(frame)


def test_an_environment_that_is_captured_as_its_experiment_says_keeps_all_captures() -> None:
    runtime = thin(pr.Runtime(Tardy(), seed=3, snapshot_every=1), 1, 8)
    for _ in range(20):
        runtime.batch([pr.Snapshot(), pr.Step((b"\4",))])
    assert told(runtime) == []


@pytest.mark.parametrize("whole", [0, -1, 1.0, "16", None, True])
def test_how_many_are_whole_is_a_whole_number(whole: Any) -> None:
    with pytest.raises(pr.SessionError, match="whole_snapshots="):
        pr.Runtime(Tardy(), whole_snapshots=whole)

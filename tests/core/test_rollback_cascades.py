"""Law: whatever steps, snapshots, restores and rollbacks led to a state, it is what a run that never rolled back has there.

It is judged by everything that the runtime says, and by a dump of the environment that uses none of the product's code.
"""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

import pyodide_runtime as pr
from tests.core.courses import Course, Move, Straight, check_everything_held, moves
from tests.core.sorts import SORTS
from tests.core.tangle import ACTIONS, Tangle

LAW = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])

sorts = st.lists(st.sampled_from(sorted(SORTS)), min_size=1, max_size=7, unique=True).map(tuple)
actions = st.integers(0, ACTIONS - 1).map(lambda action: (bytes([action]),))


def run_cascade(names: tuple[str, ...], seed: int, ending: int, cascade: list[Move]) -> Course:
    make = partial(Tangle, names, ending)
    course = Course(pr.Runtime(make(), seed=seed, max_steps=40))
    course.go(("snapshot", 0, ()))
    for move in cascade:
        course.go(move)
    check_everything_held(course, Straight(make, seed, max_steps=40), [(b"\1",), (b"\3",)])
    return course


@LAW
@given(sorts, st.integers(0, 1000), st.sampled_from([0, 9]), moves(actions, 14))
def test_after_any_cascade_every_snapshot_held_equals_the_straight_run(
    names: tuple[str, ...], seed: int, ending: int, cascade: list[Move]
) -> None:
    try:
        run_cascade(names, seed, ending, cascade)
    except (pr.SnapshotError, pr.BatchError) as error:
        # Some sorts can be held by a tuple only where the graph must refuse them, and says so.
        cause = error.cause if isinstance(error, pr.BatchError) else error
        if not isinstance(cause, pr.SnapshotError) or "hold it in an attribute" not in str(cause):
            raise
        reject()


@pytest.mark.parametrize("name", sorted(SORTS))
def test_a_long_cascade_over_one_sort_of_memory_equals_the_straight_run(name: str) -> None:
    one, most = (b"\1",), (b"\3",)
    cascade: list[Move] = []
    for turn in range(9):
        other = (bytes([turn % ACTIONS]),)
        cascade += [("step", 0, (other,)), ("step", 0, (most,)), ("snapshot", 0, ())]
        cascade += [("rollback", turn * 5 + 1, (one, other, one, one))]
    course = run_cascade((name,), 11, 0, cascade)
    assert course.rollbacks == 9

"""Law: whatever steps, snapshots, restores and rollbacks led to a state, it is what a run that never rolled back has there.

It is judged by everything that the runtime says, and by a dump of the environment that uses none of the product's code.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pyodide_runtime as pr
from tests.core.courses import Course, Move, Straight, check_everything_held, moves
from tests.core.graphs import lively_at_once
from tests.core.refusals import refusals_passed_over
from tests.core.sorts import SORTS
from tests.core.tangle import ACTIONS, Tangle

LAW = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])

sorts = st.lists(st.sampled_from(sorted(SORTS)), min_size=1, max_size=7, unique=True).map(tuple)
actions = st.integers(0, ACTIONS - 1).map(lambda action: (bytes([action]),))


def run_cascade(names: tuple[str, ...], seed: int, ending: int, cascade: list[Move], every: Any = 1) -> Course:
    make = partial(Tangle, names, ending)
    course = Course(pr.Runtime(make(), seed=seed, max_steps=40, snapshot_every=every))
    course.go(("snapshot", 0, ()))
    for move in cascade:
        course.go(move)
    check_everything_held(course, Straight(make, seed, max_steps=40, snapshot_every=every), [(b"\1",), (b"\3",)])
    return course


@LAW
@given(sorts, st.integers(0, 1000), st.sampled_from([0, 9]), moves(actions, 14), st.sampled_from([1, "auto", 2, 5]))
def test_after_any_cascade_every_snapshot_held_equals_the_straight_run(
    names: tuple[str, ...], seed: int, ending: int, cascade: list[Move], every: Any
) -> None:
    with refusals_passed_over():
        run_cascade(names, seed, ending, cascade, every)


@LAW
@given(sorts, st.integers(0, 1000), st.sampled_from([0, 9]), moves(actions, 14), st.sampled_from([1, "auto", 2]))
def test_so_it_does_where_whatever_changes_is_lively_at_once(
    names: tuple[str, ...], seed: int, ending: int, cascade: list[Move], every: Any
) -> None:
    with refusals_passed_over(), lively_at_once():
        run_cascade(names, seed, ending, cascade, every)


@pytest.mark.parametrize("every", [1, 4, "auto"])
@pytest.mark.parametrize("name", sorted(SORTS))
def test_a_long_cascade_over_one_sort_of_memory_equals_the_straight_run(name: str, every: Any) -> None:
    one, most = (b"\1",), (b"\3",)
    cascade: list[Move] = []
    for turn in range(9):
        other = (bytes([turn % ACTIONS]),)
        cascade += [("step", 0, (other,)), ("step", 0, (most,)), ("snapshot", 0, ())]
        cascade += [("rollback", turn * 5 + 1, (one, other, one, one))]
    course = run_cascade((name,), 11, 0, cascade, every)
    assert course.rollbacks == 9


def test_to_look_at_the_digest_of_a_state_between_two_captures_leaves_no_trace() -> None:
    make = partial(Tangle, ("set", "names", "dict"), 0)
    looked, left = (pr.Runtime(make(), seed=3, max_steps=40, snapshot_every=5) for _ in range(2))
    for turn in range(24):
        actions = (bytes([turn % ACTIONS]),)
        for runtime in (looked, left):
            runtime.batch([pr.Step(actions), pr.Snapshot()])
        looked.digest()
        looked.snapshot_digest(turn // 2 + 1)
    assert looked.records == left.records and looked.digest() == left.digest()


def test_a_capture_of_every_frame_and_one_of_every_fourth_say_the_same_of_a_state_without_sets() -> None:
    make = partial(Tangle, ("dict", "list", "floats"), 0)
    every, fourth = (pr.Runtime(make(), seed=3, max_steps=40, snapshot_every=frames) for frames in (1, 4))
    for turn in range(22):
        for runtime in (every, fourth):
            runtime.batch([pr.Step((bytes([turn % ACTIONS]),))])
        assert every.digest() == fourth.digest()

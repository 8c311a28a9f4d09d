"""Law: where a host captures the environment between two frames in which all do depends on what things cost there, and is not data.

So captures are put at whim here, elsewhere in each run, and every run must be the one that never captured anything between.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import partial
from typing import Any

import gymnasium
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pyodide_runtime as pr
from pyodide_runtime.spacing import FIRST, REPLAYED, SOONEST, Spacing
from tests.core.courses import Course, Move, Straight, assert_same, check_everything_held, moves, observe
from tests.core.refusals import refusals_passed_over
from tests.core.sorts import SORTS
from tests.core.tangle import ACTIONS, Tangle

LAW = settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


class Whim(Spacing):
    """Captures at random, as often as every frame and as seldom as never."""

    def __init__(self, seed: int) -> None:
        super().__init__(1.0)
        self._random = random.Random(seed)
        self.asked = 0

    def frames(self, likely: float) -> int:
        self.asked += 1
        return self._random.choice([1, 1, 2, 3, 5, 9, 100])


class Fleeting(gymnasium.Env[int, int]):
    """Sets are born, changed and gone again at any time, and what is rewarded is the order in which they are gone through."""

    observation_space: Any = gymnasium.spaces.Discrete(2)
    action_space: Any = gymnasium.spaces.Discrete(8)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        super().reset(seed=seed)
        self.steps = 0
        self.bag: set[int] | None = None
        self.count = [0]
        return 0, {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        self.steps += 1
        drawn = [int(number) for number in self.np_random.integers(0, 200, 12)]
        if self.bag is None:
            if action & 1:
                self.bag = set(drawn)
        elif action & 2:
            self.bag = None
        elif action & 4:
            self.bag.difference_update(list(self.bag)[::2])
            self.bag.update(drawn[:4])
            self.bag.pop()
        self.count[0] += sum(place * number for place, number in enumerate(self.bag or ()))
        return 0, float(self.count[0]), False, False, {}


#: Sets are seldom born and soon gone, or every frame would be captured before long.
fleeting = st.sampled_from([0, 0, 0, 0, 0, 2, 2, 2, 1, 4]).map(lambda action: (bytes([action]),))


def runtime_of(make: Any, seed: int, whim: int) -> pr.Runtime:
    runtime = pr.Runtime(make(), seed=seed, max_steps=80)
    runtime.simulation.spacing = Whim(whim)
    return runtime


class Unaided(Straight):
    """Straight runs that capture nothing but in the frames in which all do; nobody looks at them before their last frame."""

    def after(self, history: Any) -> Any:
        runtime = pr.Runtime(self._make(), seed=self._seed, max_steps=80)
        runtime.simulation.spacing = Spacing(1e12)
        if history:
            runtime.batch([pr.Step(actions) for actions in history])
        return observe(runtime)


def run(make: Any, seed: int, whim: int, cascade: Sequence[Move], future: list[tuple[bytes, ...]]) -> None:
    course = Course(runtime_of(make, seed, whim))
    course.go(("snapshot", 0, ()))
    for move in cascade:
        course.go(move)
    check_everything_held(course, Unaided(make, seed), future)


@LAW
@given(st.integers(0, 1000), st.integers(0, 1000), moves(fleeting, 24))
def test_sets_that_come_and_go_have_one_order_wherever_captures_are(seed: int, whim: int, cascade: list[Move]) -> None:
    run(Fleeting, seed, whim, cascade, [(b"\1",), (b"\0",), (b"\4",)])


@LAW
@given(
    st.lists(st.sampled_from(sorted(SORTS)), min_size=1, max_size=7, unique=True).map(tuple),
    st.integers(0, 1000),
    st.integers(0, 1000),
    moves(st.integers(0, ACTIONS - 1).map(lambda action: (bytes([action]),)), 14),
)
def test_any_memory_is_that_of_the_straight_run_wherever_captures_are(
    names: tuple[str, ...], seed: int, whim: int, cascade: list[Move]
) -> None:
    with refusals_passed_over():
        run(partial(Tangle, names, 0), seed, whim, cascade, [(b"\1",), (b"\3",)])


@pytest.mark.parametrize("seed", range(6))
def test_hosts_that_capture_in_different_frames_have_the_same_data_for_long(seed: int) -> None:
    dice = random.Random(seed)
    kinds = [bytes([kind]) for kind in [0] * 12 + [1, 2, 2, 2, 4, 6]]
    course = [(b"\0",)] * 17 + [(dice.choice(kinds),) for _ in range(183)]
    straight = pr.Runtime(Fleeting(), seed=seed)
    straight.simulation.spacing = Spacing(1e12)
    straight.batch([pr.Step(actions) for actions in course])
    for whim in range(4):
        runtime = pr.Runtime(Fleeting(), seed=seed)
        spacing = runtime.simulation.spacing = Whim(whim)
        runtime.batch([pr.Snapshot()])
        while runtime.frame < 200:
            at = runtime.frame
            wrong = [(dice.choice(kinds),) for _ in range(min(dice.randrange(1, 9), 200 - at))]
            for actions in wrong:
                runtime.batch([pr.Step(actions), pr.Snapshot()])
                if dice.random() < 0.2:
                    runtime.simulation.show(lambda env: env.steps)
            replayed = course[at : at + len(wrong)]
            runtime.batch([pr.Rollback(at, replayed, save_all=True)])
        assert spacing.asked > 10
        assert runtime.records == straight.records
        assert runtime.digest() == straight.digest()


def test_before_the_first_frame_in_which_all_capture_a_set_has_the_order_that_it_has_without_this_product() -> None:
    bare = Fleeting()
    bare.reset(seed=5)
    runtime = runtime_of(Fleeting, 5, 1)
    course = [0] * 16 + [1, 4, 4, 0, 4, 2, 1, 4, 4, 4, 4, 1, 4, 4]
    runtime.batch([pr.Snapshot()])
    for action in course:
        runtime.batch([pr.Step((bytes([action]),)), pr.Snapshot()])
    assert [record.rewards[0] for record in runtime.records] == [bare.step(action)[1] for action in course]


def test_captures_are_as_far_apart_as_costs_make_them_pay() -> None:
    dear, cheap = Spacing(2.0), Spacing(0.04)
    assert [dear.frames(likely) for likely in (SOONEST, FIRST, REPLAYED)] == [1, 6, 12]
    assert [cheap.frames(likely) for likely in (SOONEST, FIRST, REPLAYED)] == [1, 1, 2]
    assert Spacing(1e9).frames(REPLAYED) == 32


def test_right_after_a_correction_captures_are_worth_it_as_long_as_they_cost_less_than_the_steps_that_they_spare() -> None:
    assert [Spacing(ratio).frames(SOONEST) for ratio in (0.1, 1.0, 16.0, 17.0)] == [1, 1, 1, 32]


def test_costs_are_measured_over_the_first_frames_and_the_least_of_them_counts() -> None:
    spacing = Spacing()
    for number in range(40):
        assert spacing.frames(FIRST) == (1 if spacing.measures else 6)
        spacing.step(1.0 + number % 3)
        spacing.capture(2.0 + number % 5)
    assert not spacing.measures


def test_an_environment_without_sets_is_captured_less_often_than_it_is_stepped() -> None:
    runtime = pr.Runtime(gymnasium.make("CartPole-v1"), seed=1)
    runtime.simulation.spacing = Spacing(2.0)
    runtime.batch([pr.Step((bytes([number % 2]),)) for number in range(17)])
    for number in range(12):
        runtime.batch([pr.Snapshot(), pr.Step((bytes([number % 2]),))])
    captured = {id(runtime.held(frame).environment) for frame in runtime.held_frames}
    assert len(captured) == 3  # of frames 16, 22 and 28
    runtime.batch([pr.Rollback(17, [(b"\1",), (b"\0",)] * 6)])
    assert runtime.held_frames == list(range(17, 29))


class Tardy(Fleeting):
    """Has a set from its first step on."""

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        return super().step(action if self.steps else 1)


def test_an_environment_that_has_sets_after_its_first_step_is_captured_in_every_frame() -> None:
    runtime = pr.Runtime(Tardy(), seed=1)
    runtime.batch([pr.Snapshot()])
    for _ in range(8):
        runtime.batch([pr.Step((b"\4",)), pr.Snapshot()])
    assert len({id(runtime.held(frame).environment) for frame in runtime.held_frames}) == 9


def test_an_environment_with_sets_is_captured_in_every_frame() -> None:
    runtime = pr.Runtime(Tangle(("set",), 0), seed=1)
    runtime.batch([pr.Snapshot()])
    for _ in range(8):
        runtime.batch([pr.Step((b"\1",)), pr.Snapshot()])
    assert len({id(runtime.held(frame).environment) for frame in runtime.held_frames}) == 9


@pytest.mark.parametrize("wrong", [0, -1, 1.5, "often", None, True])
def test_a_spacing_that_cannot_be_is_refused(wrong: Any) -> None:
    with pytest.raises(pr.SessionError, match="give a whole number of at least 1, or 'auto'"):
        pr.Runtime(Fleeting(), snapshot_every=wrong)


def test_a_replay_is_a_rollback_that_saves_every_frame_or_nothing_at_all() -> None:
    rolled, replayed = (runtime_of(partial(Tangle, ("dict", "list"), 0), 3, 8) for _ in range(2))
    for runtime in (rolled, replayed):
        runtime.batch([pr.Snapshot(), *[pr.Step((b"\1",))] * 9])
    again = [(bytes([number % ACTIONS]),) for number in range(7)]
    rolled.batch([pr.Rollback(0, again, stop_at_end=True, save_all=True)])
    replayed.replay(0, again)
    assert rolled.held_frames == replayed.held_frames == list(range(8))
    assert_same(observe(rolled), observe(replayed))
    before = observe(replayed)
    for frame, wrong, error in ((0, [*again, (b"\xff",)], pr.ActionError), (99, again, pr.FrameNotHeld)):
        with pytest.raises(error):
            replayed.replay(frame, wrong)
        assert replayed.held_frames == list(range(8))
        assert_same(observe(replayed), before)

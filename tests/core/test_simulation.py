"""Laws of the simulation: an episode is a pure function of environment, seed and inputs, and its state is one thing."""

from __future__ import annotations

import contextlib
import functools
import random
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pyodide_runtime as pr
from pyodide_runtime.simulation import episode_seed
from tests.core.dumper import dump
from tests.core.environments import Counter, Crowd
from tests.core.refusals import refusals_passed_over
from tests.core.sorts import SORTS
from tests.core.tangle import ACTIONS, Tangle

LAW = settings(deadline=None, max_examples=40)


def play(simulation: pr.Simulation, seed: int, inputs: list[int]) -> list[Any]:
    """Everything that can be seen of an episode."""
    simulation.reset(seed)
    seen: list[Any] = [simulation.digest(), dump(simulation.root)]
    for action in inputs:
        if simulation.done:
            break
        seen += [simulation.step((bytes([action]),)), simulation.digest(), dump(simulation.root)]
    return seen


# -- a pure function -----------------------------------------------------------------------------------------------------

sorts = st.lists(st.sampled_from(sorted(SORTS)), min_size=1, max_size=5, unique=True)
inputs = st.lists(st.integers(0, ACTIONS - 1), max_size=10)


@LAW
@given(sorts, st.lists(st.tuples(st.integers(0, 3), inputs), min_size=1, max_size=4))
def test_an_episode_leaves_no_traces_in_the_next(names: list[str], episodes: list[tuple[int, list[int]]]) -> None:
    simulation = pr.Simulation(Tangle(names))
    with refusals_passed_over():
        for seed, actions in episodes:
            assert play(simulation, seed, actions) == play(pr.Simulation(Tangle(names)), seed, actions)


def test_an_episode_that_broke_leaves_no_traces_in_the_next() -> None:
    env = Counter(fails_on=4)
    simulation = pr.Simulation(env)
    simulation.reset(1)
    simulation.step((b"\2",))
    with pytest.raises(pr.EnvironmentFailed):
        simulation.step((b"\4",))
    assert play(simulation, 1, [1, 2]) == play(pr.Simulation(Counter(fails_on=4)), 1, [1, 2])


class Stubborn(Counter):
    """Whose first reset fails after it has begun to change things."""

    tries = 0

    def reset(self, seed: int | None = None, options: Any = None) -> tuple[int, dict[str, Any]]:
        self.trace.append(-1)
        self.tries += 1
        if len(self.trace) == 1 and seed == 0:
            raise ValueError("not yet")
        return self.tries, {}


def test_a_reset_that_failed_leaves_no_traces_in_the_next() -> None:
    simulation = pr.Simulation(Stubborn())
    with pytest.raises(pr.EnvironmentFailed, match=r"reset\(seed=0\) raised ValueError: not yet"):
        simulation.reset(0)
    assert simulation.frame == 0
    simulation.reset(1)
    assert simulation.root.tries == 1 and simulation.observations == (1,)


@LAW
@given(sorts, inputs, inputs, st.integers(0, 9), st.lists(st.booleans(), max_size=20))
def test_two_simulations_in_one_process_do_not_touch_each_other(
    names: list[str], first: list[int], second: list[int], seed: int, turns: list[bool]
) -> None:
    with refusals_passed_over():
        alone = [play(pr.Simulation(Tangle(names)), seed, first), play(pr.Simulation(Tangle(names)), seed + 1, second)]
    both = [pr.Simulation(Tangle(names)), pr.Simulation(Tangle(names))]
    seen: list[list[Any]] = []
    for simulation, its_seed in zip(both, (seed, seed + 1), strict=True):
        simulation.reset(its_seed)
        seen.append([simulation.digest(), dump(simulation.root)])
    left = [list(first), list(second)]
    for which in [*turns, *[False] * len(first), *[True] * len(second)]:
        simulation = both[which]
        if left[which]:
            seen[which] += [simulation.step((bytes([left[which].pop(0)]),)), simulation.digest(), dump(simulation.root)]
    assert seen == alone


@given(st.integers(0, 2**63 - 1), st.integers(0, 1000))
def test_the_seeds_of_episodes_are_fixed_for_ever(session: int, episode: int) -> None:
    assert 0 <= episode_seed(session, episode) < 2**31
    assert episode_seed(0, 0) == 1535747719
    assert len({episode_seed(session, episode + i) for i in range(20)}) == 20


# -- what happens in a step ----------------------------------------------------------------------------------------------


def test_scores_are_the_sums_of_rewards_and_ends_stay_ends() -> None:
    simulation = pr.Simulation(Crowd())
    simulation.reset(0)
    records = [simulation.step((b"\1", b"\2", b"\0")) for _ in range(9)]
    assert [record.frame for record in records] == list(range(9)) and simulation.frame == 9
    for player in range(3):
        scores = [record.scores[player] for record in records]
        assert scores == [sum(record.rewards[player] for record in records[: at + 1]) for at in range(9)]
        ends = [record.terminated[player] for record in records]
        assert ends == [at >= 3 * (player + 1) - 1 for at in range(9)]
    assert simulation.done


@pytest.mark.parametrize(("most", "ends_at", "frames"), [(None, 4, 4), (3, 4, 3), (4, 4, 4), (9, 4, 4), (1, 0, 1)])
def test_an_episode_ends_by_itself_or_after_max_steps(most: int | None, ends_at: int, frames: int) -> None:
    simulation = pr.Simulation(Counter(ends_at=ends_at), max_steps=most)
    simulation.reset(0)
    while not simulation.done:
        record = simulation.step((b"\0",))
    assert simulation.frame == frames
    assert record.terminated == (frames == ends_at,) and record.truncated == (frames == most,)
    before = simulation.digest()
    with pytest.raises(pr.EpisodeEnded, match=f"ended with frame {frames - 1}"):
        simulation.step((b"\0",))
    assert simulation.digest() == before and simulation.root.steps == frames


def test_before_the_first_reset_there_is_nothing_to_step_or_to_save() -> None:
    simulation = pr.Simulation(Counter())
    for ask in (lambda: simulation.step((b"\0",)), simulation.save, simulation.digest, lambda: simulation.way):
        with pytest.raises(pr.NotReset):
            ask()


def test_bytes_that_are_no_action_change_nothing() -> None:
    simulation = pr.Simulation(Counter())
    simulation.reset(0)
    before = simulation.digest()
    for wrong in (b"\5", b"", b"\0\0"):
        with pytest.raises(pr.ActionError):
            simulation.step((wrong,))
    assert simulation.digest() == before and simulation.frame == 0


def test_an_environment_that_raises_is_named_with_frame_and_reason() -> None:
    simulation = pr.Simulation(Counter(fails_at=3))
    simulation.reset(0)
    simulation.step((b"\0",))
    simulation.step((b"\0",))
    saved = simulation.save()
    with pytest.raises(pr.EnvironmentFailed, match="frame 2: step raised ValueError: it broke") as failed:
        simulation.step((b"\1",))
    assert failed.value.frame == 2 and isinstance(failed.value.__cause__, ValueError)
    simulation.load(saved)
    assert simulation.frame == 2 and simulation.root.steps == 2 and simulation.root.trace == [0, 0]


class Telling(Counter):
    info: Any = {}  # noqa: RUF012 - it is replaced, never changed

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        return 0, np.float32(0.5), np.bool(False), np.bool(False), self.info  # type: ignore[return-value]


def test_numbers_and_texts_of_infos_are_kept_by_dotted_name_and_nothing_else() -> None:
    env = Telling()
    env.info = {
        "whole": 1,
        "float": np.float32(0.5),
        "flag": np.bool(True),
        "text": "a",
        "zero": np.array(3),
        "list": [1],
        "array": np.zeros(2),
        "none": None,
        "inner": {"deep": {"x": 2.5}, "object": object()},
        4: 5,
    }
    simulation = pr.Simulation(env)
    simulation.reset(0)
    record = simulation.step((b"\0",))
    assert dict(record.infos[0]) == {
        "whole": 1, "float": 0.5, "flag": True, "text": "a", "zero": 3, "inner.deep.x": 2.5, "4": 5,
    }  # fmt: skip
    assert all(type(value) in (int, float, bool, str) for value in record.infos[0].values())
    assert type(record.rewards[0]) is float and type(record.terminated[0]) is bool


def test_a_record_keeps_what_the_info_was() -> None:
    env = Telling()
    env.info = {"count": 1, "inner": {"x": 1}}
    simulation = pr.Simulation(env)
    simulation.reset(0)
    record = simulation.step((b"\0",))
    env.info["count"] = env.info["inner"]["x"] = 2
    assert dict(record.infos[0]) == {"count": 1, "inner.x": 1}


# -- the digest covers the whole -----------------------------------------------------------------------------------------


def _draw_numpy(simulation: pr.Simulation) -> None:
    np.random.random()


CHANGES: dict[str, Callable[[pr.Simulation], Any]] = {
    "environment": lambda simulation: setattr(simulation.root, "steps", 77),
    "its generator": lambda simulation: simulation.root.rng.random(),
    "Python's generator": lambda simulation: random.random(),
    "NumPy's generator": _draw_numpy,
    "an added attribute": lambda simulation: setattr(simulation.root, "more", None),
}


@pytest.mark.parametrize("what", CHANGES)
def test_whatever_changes_the_state_changes_the_digest_and_can_be_undone(what: str) -> None:
    simulation = pr.Simulation(Counter())
    simulation.reset(3)
    simulation.step((b"\1",))
    saved, before, seen = simulation.save(), simulation.digest(), dump(simulation.root)
    CHANGES[what](simulation)
    simulation.step((b"\1",))
    other = simulation.digest()
    simulation.load(saved)
    assert simulation.digest() == before and dump(simulation.root) == seen
    simulation.step((b"\1",))
    assert simulation.digest() != other


class Loser(Counter):
    """The same environment after every step, whatever the reward."""

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        return 0, float(action), action == 3, action == 4, {}


def test_frame_scores_and_ends_are_part_of_the_digest() -> None:
    digests = []
    for actions in ([], [0], [0, 0], [1], [2], [3], [4]):
        simulation = pr.Simulation(Loser())
        simulation.reset(0)
        for action in actions:
            simulation.step((bytes([action]),))
        digests.append(simulation.digest())
    assert len(set(digests)) == len(digests)


def test_the_digest_of_a_saved_state_is_its_own_not_that_of_the_present_one() -> None:
    simulation = pr.Simulation(Tangle())
    simulation.reset(1)
    found = []
    for turn in range(12):
        found.append((simulation.save(), simulation.digest()))
        simulation.step((bytes([turn % ACTIONS]),))
    for saved, digest in found:
        assert simulation.digest(saved) == digest


class Whole(int):
    """A number that can be marked."""


class Marked(Counter):
    """Attributes come, in the second step, to what had none before: a number, a function, a partial function."""

    def __init__(self) -> None:
        super().__init__()
        self.number: Any = Whole(3)
        self.function: Any = lambda: None
        self.partial: Any = functools.partial(int)

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        result = super().step(action)
        if len(self.trace) > 1:
            for part in (self.number, self.function, self.partial):
                part.mark = len(self.trace)
        return result


def test_the_digest_of_a_saved_state_does_not_depend_on_the_present_one() -> None:
    simulation = pr.Simulation(Marked())
    simulation.reset(1)
    found = []
    for turn in range(5):
        found.append((simulation.save(), simulation.digest(), dump(simulation.root)))
        simulation.step((bytes([turn % 3]),))
    assert len({digest for _, digest, _ in found}) == 5
    for present, _, _ in found:
        simulation.load(present)
        assert [simulation.digest(saved) for saved, _, _ in found] == [digest for _, digest, _ in found]
    for saved, digest, lines in found:
        simulation.load(saved)
        assert simulation.digest() == digest
        assert dump(simulation.root) == lines


class Bag(Counter):
    """Holds a set from its third step on, whose order depends on its history."""

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        result = super().step(action)
        if len(self.trace) == 3:
            self.bag = {f"{number}" for number in range(40)}
        if len(self.trace) > 3:
            self.bag.remove(next(iter(self.bag)))
            self.trace.append(int(next(iter(self.bag))))
        return result


@pytest.mark.parametrize("every", [1, 4])
@pytest.mark.parametrize(("kind", "way"), [(Counter, "graph"), (Bag, "graph"), (Counter, "pickle")])
def test_what_foreign_code_does_that_looks_at_the_environment_is_undone(kind: type[Counter], every: int, way: str) -> None:
    class Spoilt(Exception):
        pass

    def spoil(env: Any) -> None:
        env.trace.append("drawn")
        env.mark = {random.random()}
        if hasattr(env, "bag"):
            env.bag.discard(sorted(env.bag)[0])
        if len(env.trace) % 2:
            raise Spoilt

    looked, alone = (pr.Simulation(kind(), snapshot_every=every, snapshots=way) for _ in range(2))
    for simulation in (looked, alone):
        simulation.reset(1)
    for turn in range(11):
        with contextlib.suppress(Spoilt):
            looked.show(spoil)
        assert dump(looked.root) == dump(alone.root)
        assert looked.step((bytes([turn % 3]),)) == alone.step((bytes([turn % 3]),))
        assert looked.digest() == alone.digest()
        assert looked.show(lambda env: len(env.trace)) == len(alone.root.trace)


def test_an_unseeded_environment_draws_from_seeded_generators() -> None:
    class Careless(Counter):
        def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
            return 0, random.gauss(0, 1) + float(np.random.standard_normal()), False, False, {}

    assert play(pr.Simulation(Careless()), 8, [0] * 5) == play(pr.Simulation(Careless()), 8, [0] * 5)
    one, two = pr.Simulation(Careless()), pr.Simulation(Careless())
    one.reset(8)
    two.reset(9)
    assert one.step((b"\0",)).rewards != two.step((b"\0",)).rewards


class Births(Counter):
    """A set is born in the midst of an episode, and what it is asked for depends on its past."""

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        self.steps += 1
        if self.steps == 2:
            self.born = set(range(100))
        if self.steps == 3:
            self.born.difference_update(range(1, 100))
            self.born.update({64, 8, 9, 32})
        first = next(iter(self.born)) if self.steps > 2 else 0
        return 0, float(first if self.steps != 4 else self.born.pop()), False, False, {}


def test_a_set_that_is_born_between_two_snapshots_has_one_order_too() -> None:
    at_once, one_by_one = pr.Runtime(Births()), pr.Runtime(Births())
    at_once.batch([pr.Step((b"\0",))] * 8)
    for _ in range(8):
        one_by_one.batch([pr.Step((b"\0",)), pr.Snapshot()])
    assert at_once.rows == one_by_one.rows
    one_by_one.batch([pr.Rollback(1, [(b"\0",)] * 7)])
    assert at_once.rows == one_by_one.rows and at_once.digest() == one_by_one.digest()


def test_the_environment_that_was_given_stays_the_one_that_is_drawn() -> None:
    env = gymnasium.make("CartPole-v1")
    runtime = pr.Runtime(env)
    runtime.batch([pr.Snapshot(), pr.Step((b"\0",)), pr.Restore(0), pr.Reset(seed=4)])
    assert runtime.simulation.root is env

"""Laws of partner policies: what one remembers and draws is part of the one state, and it plays exactly where it is to."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable
from functools import partial
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pyodide_runtime as pr
from pyodide_runtime.partner import Policy
from tests.core.courses import Course, Inputs, Move, Straight, check_everything_held, moves
from tests.core.environments import Counter, Crowd, Relay
from tests.core.partners import Tinkerer, counting, hand_in_hand
from tests.core.refusals import refusals_passed_over
from tests.core.sorts import SORTS
from tests.core.tangle import ACTIONS, Tangle
from tests.core.test_ways import CASES

LAW = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])

sorts = st.lists(st.sampled_from(sorted(SORTS)), min_size=1, max_size=5, unique=True).map(tuple)
actions = st.sampled_from([pr.PARTNER, pr.PARTNER, *(bytes([action]) for action in range(ACTIONS))]).map(lambda data: (data,))


class Flock(Crowd):
    """Nobody ever leaves."""

    def __init__(self, count: int = 3) -> None:
        super().__init__(count, leaves=False)

    def step(self, actions: dict[str, int]) -> tuple[Any, ...]:
        observations, rewards, over, cut, infos = super().step(actions)
        return observations, rewards, dict.fromkeys(over, False), cut, infos


def run_cascade(course: Course, straight: Straight, cascade: list[Move], future: list[Inputs]) -> None:
    course.go(("snapshot", 0, ()))
    for move in cascade:
        course.go(move)
    check_everything_held(course, straight, future)


@LAW
@given(sorts, sorts, st.integers(0, 1000), moves(actions, 14), st.sampled_from([1, 1, 2, 5]), st.booleans())
def test_after_any_cascade_every_snapshot_held_equals_the_straight_run(
    names: tuple[str, ...], remembered: tuple[str, ...], seed: int, cascade: list[Move], every: int, shared: bool
) -> None:
    """Also where one policy plays in both runs, each of which has a memory of its own."""
    make, one = partial(Tangle, names, 9), Tinkerer(remembered)
    other = one if shared else Tinkerer(remembered)
    with refusals_passed_over():
        course = Course(pr.Runtime(make(), seed=seed, max_steps=40, snapshot_every=every, partner=one))
        straight = Straight(make, seed, max_steps=40, snapshot_every=every, partner=other)
        run_cascade(course, straight, cascade, [(pr.PARTNER,), (b"\3",), (pr.PARTNER,)])


@pytest.mark.parametrize("every", [1, 4])
@pytest.mark.parametrize("name", sorted(SORTS))
def test_a_long_cascade_over_one_sort_of_memory_of_a_policy_equals_the_straight_run(name: str, every: int) -> None:
    one, asked = (b"\1",), (pr.PARTNER,)
    cascade: list[Move] = []
    for turn in range(9):
        cascade += [("step", 0, (asked,)), ("step", 0, (one,)), ("snapshot", 0, ()), ("step", 0, (asked,))]
        cascade += [("rollback", turn * 5 + 1, (asked, one, asked, asked))]
    make, policy = partial(Tangle, ("dict", "set"), 0), Tinkerer([name])
    settings_: dict[str, Any] = {"max_steps": 60, "snapshot_every": every, "partner": policy}
    course = Course(pr.Runtime(make(), seed=11, **settings_))
    run_cascade(course, Straight(make, 11, **settings_), cascade, [asked, one, asked])
    assert course.rollbacks == 9


@pytest.mark.parametrize(("way", "make"), CASES)
@settings(deadline=None, max_examples=8)
@given(cascade=moves(st.sampled_from([b"", b"\0", b"\2"]).map(lambda data: (data,)), 10), seed=st.integers(0, 99))
def test_every_way_of_saving_an_environment_brings_back_the_policy(
    way: str, make: Callable[[], Any], cascade: list[Move], seed: int
) -> None:
    class Stubborn:
        def __init__(self) -> None:
            self.names, self.sum = {"first"}, np.zeros(3)

        def play(self, env: Any, player: str, source: random.Random) -> int:
            self.names.add(f"{source.random()}")
            self.sum[len(self.names) % 3] += source.gauss(0.0, 1.0)
            return (len(next(iter(self.names))) + int(self.sum.sum())) % 3

    policy = Stubborn().play
    course = Course(pr.Runtime(make(), seed=seed, snapshots=way, partner=policy))
    straight = Straight(make, seed, snapshots=way, partner=policy)
    run_cascade(course, straight, cascade, [(pr.PARTNER,), (b"\2",), (pr.PARTNER,)])


# -- where it plays ------------------------------------------------------------------------------------------------------


def test_it_plays_where_it_is_to_and_nowhere_else_in_the_order_of_players() -> None:
    asked: list[tuple[str, int]] = []

    def policy(env: Any, player: str, source: random.Random) -> int:
        asked.append((player, env.clock))
        return 2

    env = Flock()
    runtime = pr.Runtime(env, partner=policy)
    frames: list[Inputs] = [(b"", b"\1", b""), (b"\0", b"\0", b"\0"), (b"", b"", b"")]
    for frame in frames:
        runtime.batch([pr.Step(frame)])
    assert asked == [("agent_0", 0), ("agent_2", 0), ("agent_0", 2), ("agent_1", 2), ("agent_2", 2)]
    assert [record.actions for record in runtime.records] == frames
    assert [record.played for record in runtime.records] == [(b"\2", b"\1", b"\2"), (b"\0", b"\0", b"\0"), (b"\2",) * 3]
    assert [tuple(given.values()) for given in env.given] == [(2, 1, 2), (0, 0, 0), (2, 2, 2)]
    assert [row["action.agent_0"] for row in runtime.rows] == [2, 0, 2]


@pytest.mark.parametrize("every", [1, 4])
def test_who_is_out_of_the_episode_is_not_asked_about(every: int) -> None:
    asked: list[str] = []

    def policy(env: Any, player: str, source: random.Random) -> int:
        asked.append(player)
        assert player in env.agents
        return 1

    runtime = pr.Runtime(Crowd(), partner=policy, snapshot_every=every)
    runtime.batch([pr.Snapshot(), *[item for _ in range(7) for item in (pr.Step((b"",) * 3), pr.Snapshot())]])
    assert [asked.count(player) for player in runtime.players] == [3, 6, 7]
    assert [record.played for record in runtime.records] == [(b"\1",) * 3] * 3 + [(b"\0", b"\1", b"\1")] * 3 + [
        (b"\0", b"\0", b"\1")
    ]
    digest = runtime.digest()
    runtime.batch([pr.Rollback(5, [(b"",) * 3] * 2)])
    assert runtime.digest() == digest


def test_a_run_with_a_partner_is_the_run_with_the_actions_that_it_chose() -> None:
    policies: list[Policy] = [hand_in_hand, counting(3)]
    for policy in policies:
        runtime, plain = pr.Runtime(Flock(4), seed=4, partner=policy), pr.Runtime(Flock(4), seed=4)
        for frame in range(9):
            runtime.batch([pr.Step((b"", b"\1", b"" if frame % 2 else b"\2", b""))])
            plain.batch([pr.Step(runtime.records[-1].played)])
        assert plain.rows == runtime.rows


def test_each_player_has_a_generator_of_its_own_that_depends_on_the_seed() -> None:
    def drawn(seed: int, frame: Inputs) -> list[Inputs]:
        runtime = pr.Runtime(Flock(), seed=seed, partner=hand_in_hand)
        for _ in range(8):
            runtime.batch([pr.Step(frame)])
        return [record.played for record in runtime.records]

    everybody, alone = drawn(1, (b"",) * 3), drawn(1, (b"\0", b"", b"\0"))
    assert [played[1] for played in everybody] == [played[1] for played in alone]
    assert len({tuple(played[place] for played in everybody) for place in range(3)}) == 3
    assert drawn(1, (b"",) * 3) == everybody != drawn(2, (b"",) * 3)


def test_a_policy_begins_each_episode_as_it_was_given() -> None:
    policy = counting(3)
    runtime = pr.Runtime(Flock(), partner=policy)
    for _ in range(2):
        runtime.batch([pr.Reset(3), *[pr.Step((b"",) * 3)] * 4])
        assert [record.played[0] for record in runtime.records] == [b"\0", b"\1", b"\2", b"\0"]
    del runtime
    assert policy(None, "agent_0", random.Random()) == 1, "the last one's memory lies in it, as long as nobody else uses it"
    again = pr.Runtime(Flock(), partner=policy)
    again.batch([pr.Step((b"",) * 3)])
    assert again.records[0].played == (b"\0",) * 3


def test_one_policy_may_play_in_several_simulations_at_once() -> None:
    policy = counting(3)
    runtimes = [pr.Runtime(Flock(), seed=seed, partner=policy, snapshot_every=seed + 1) for seed in range(3)]
    for _ in range(5):
        for runtime in runtimes:
            runtime.batch([pr.Step((b"", b"\1", b"")), pr.Snapshot()])
    for runtime in runtimes:
        assert [record.played[0] for record in runtime.records] == [b"\0", b"\1", b"\2", b"\0", b"\1"]
        runtime.batch([pr.Rollback(2, [(b"", b"", b"")])])
        assert runtime.records[-1].played == (b"\2", b"\0", b"\2")


def test_what_the_policy_remembers_is_in_the_digest_and_in_the_state() -> None:
    from pyodide_runtime.snapshots.difference import first_difference

    one, two = (pr.Runtime(Flock(), partner=counting(3)) for _ in range(2))
    assert one.digest() == two.digest()
    one.batch([pr.Step((b"\0", b"\0", b""))])
    two.batch([pr.Step((b"\0", b"\0", b"\0"))])
    assert one.records[0].played == two.records[0].played and one.digest() != two.digest()
    difference = first_difference(one.simulation.state(), two.simulation.state())
    assert difference is not None and difference.path.startswith("partner['policy']")


def test_without_a_partner_the_digest_is_what_it_was_and_with_one_that_never_played_the_rows_are() -> None:
    plain, idle = pr.Runtime(Crowd()), pr.Runtime(Crowd(), partner=hand_in_hand)
    for runtime in (plain, idle):
        runtime.batch([pr.Step((b"\1", b"\2", b"\0"))])
    assert plain.rows == idle.rows and plain.records == idle.records


# -- actions of every kind -------------------------------------------------------------------------------------------------


class Sum(gymnasium.Env[Any, Any]):
    """Adds up what it is given."""

    def __init__(self, space: spaces.Space[Any]) -> None:
        self.action_space = space

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[int, dict[str, Any]]:
        return 0, {}

    def step(self, action: Any) -> tuple[int, float, bool, bool, dict[str, Any]]:
        return 0, float(np.sum(action)), False, False, {}


@pytest.mark.parametrize(
    ("space", "action", "reward"),
    [
        (spaces.Box(-1.0, 1.0, (2,), np.float32), [0.5, 0.25], 0.75),
        (spaces.MultiDiscrete([3, 300]), [2, 299], 301.0),
        (spaces.Discrete(1000), 999, 999.0),
        (spaces.Discrete(5), np.int64(3), 3.0),
    ],
)
def test_an_action_of_any_space_may_be_left_to_the_partner(space: spaces.Space[Any], action: Any, reward: float) -> None:
    runtime = pr.Runtime(Sum(space), partner=lambda env, player, source: action)
    codec = runtime.simulation.codecs[0]
    for given_ in (None, pr.PARTNER):
        runtime.batch([pr.Step({"player_0": given_})])
    runtime.batch([pr.Step((pr.PARTNER,)), pr.Step({"player_0": codec.neutral()})])
    assert [row["reward.player_0"] for row in runtime.rows] == [reward] * 3 + [0.0]
    assert runtime.records[0].played == (codec.encode(action),)


def test_of_a_single_action_there_is_nothing_to_choose() -> None:
    def never(env: Any, player: str, source: random.Random) -> Any:
        raise AssertionError

    for partner in (None, never):
        runtime = pr.Runtime(Sum(spaces.Box(0, 1, (0,), np.float32)), partner=partner)
        runtime.batch([pr.Step((b"",))])
        assert runtime.records[0].played == (b"",)


def test_where_turns_are_taken_none_is_to_wait_and_the_partner_may_wait() -> None:
    def policy(env: Any, player: str, source: random.Random) -> int | None:
        return 1 if env.agent_selection == player else None

    runtime = pr.Runtime(Relay(), partner=policy)
    runtime.batch([pr.Step({"x": None, "y": pr.PARTNER, "z": None})])
    runtime.batch([pr.Step({"x": pr.PARTNER, "y": pr.PARTNER, "z": pr.PARTNER})])
    assert runtime.records[0].played == (b"\0\0",) * 3
    assert runtime.records[1].played == (b"\1\1", b"\0\0", b"\0\0")
    assert runtime.simulation.root.log == [("x", 1)]


# -- what fails ------------------------------------------------------------------------------------------------------------


class Grumpy:
    def __call__(self, env: Any, player: str, source: random.Random) -> Any:
        source.random()
        raise LookupError("nothing to eat")


def too_much(env: Any, player: str, source: random.Random, *, action: Any = 7) -> Any:
    return action


FAILURES: list[tuple[Policy, str, str]] = [
    (Grumpy(), "Grumpy", "raised LookupError: nothing to eat"),
    (too_much, "too_much", "returned 7, which is no action of that player: action 7 is outside"),
    (functools.partial(too_much, action=None), "too_much", "returned None, which is no action of that player"),
    (functools.partial(too_much, action=[1, 2]), "too_much", r"returned \[1, 2\], which is no action"),
]


@pytest.mark.parametrize(("policy", "name", "message"), FAILURES)
def test_a_policy_that_fails_is_an_error_that_names_policy_player_and_frame(policy: Policy, name: str, message: str) -> None:
    runtime = pr.Runtime(Flock(), seed=3, partner=policy)
    runtime.batch([pr.Step((b"\1",) * 3), pr.Snapshot()])
    before = runtime.digest()
    with pytest.raises(pr.BatchError) as caught:
        runtime.batch([pr.Step((b"\0",) * 3), pr.Step((b"\0", b"", b"\0"))])
    cause = caught.value.cause
    assert isinstance(cause, pr.PartnerFailed) and isinstance(cause, pr.EnvironmentFailed)
    assert (cause.frame, cause.player, cause.policy) == (2, "agent_1", name)
    with pytest.raises(pr.PartnerFailed, match=f"^frame 1: the partner policy {name}, playing for agent_1, {message}"):
        runtime.advance((b"\0", b"", b"\0"))
    assert runtime.digest() == before and runtime.frame == 1


def test_the_original_error_is_the_cause() -> None:
    simulation = pr.Simulation(Counter(), partner=Grumpy())
    simulation.reset(0)
    with pytest.raises(pr.PartnerFailed) as caught:
        simulation.step((b"",))
    assert isinstance(caught.value.__cause__, LookupError)


def test_without_a_partner_an_action_that_is_left_to_it_is_refused_and_nothing_has_changed() -> None:
    for env in (Crowd(), Relay()):
        runtime = pr.Runtime(env)
        before = runtime.digest()
        with pytest.raises(pr.BatchError, match=r"ActionError: a partner policy is to choose the action of .*, but there is none"):
            runtime.batch([pr.Step((b"",) * 3)])
        assert runtime.digest() == before
    with pytest.raises(pr.BatchError, match="None is not a whole number"):
        pr.Runtime(Crowd()).batch([pr.Step(dict.fromkeys(["agent_0", "agent_1", "agent_2"]))])


def test_an_action_beside_it_that_is_none_is_refused_before_the_policy_is_asked() -> None:
    asked: list[str] = []

    def policy(env: Any, player: str, source: random.Random) -> int:
        asked.append(player)
        return 0

    simulation = pr.Simulation(Crowd(), partner=policy)
    simulation.reset(1)
    before = simulation.digest()
    with pytest.raises(pr.ActionError):
        simulation.step((b"", b"\1", b"\7"))
    assert asked == [] and simulation.digest() == before


def test_what_is_no_policy_is_refused() -> None:
    with pytest.raises(pr.SessionError, match="partner=3: give a function"):
        pr.Runtime(Crowd(), partner=3)  # type: ignore[arg-type]

    def hopeless() -> Policy:
        numbers = (number for number in range(9))
        return lambda env, player, source: next(numbers)

    with pytest.raises(pr.SnapshotError, match=r"the partner policy .*hopeless.* cannot be rolled back: a builtins.generator"):
        pr.Runtime(Crowd(), partner=hopeless())

"""Laws of `adapt`: every kind of environment says the same things in the same way, and what is none is refused by name."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from pettingzoo.utils import aec_to_parallel, parallel_to_aec, turn_based_aec_to_parallel

import pyodide_runtime as pr
from tests.core.environments import Counter, Crowd, Relay


class Duet(gymnasium.Env[int, Any]):
    """A Gymnasium environment with one action for all; the reward is what it is told to be."""

    observation_space: Any = spaces.Discrete(9)

    def __init__(self, action_space: Any, reward: Any = 1.0) -> None:
        self.action_space = action_space
        self.reward = reward

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[int, dict[str, Any]]:
        return 3, {}

    def step(self, action: Any) -> tuple[int, Any, bool, bool, dict[str, Any]]:
        self.action = action
        return 4, self.reward, False, True, {"k": 1}


def step(env: pr.Environment, *actions: Any) -> pr.Transition:
    return env.step(actions)


# -- Gymnasium -----------------------------------------------------------------------------------------------------------


def test_a_gymnasium_environment_has_one_player() -> None:
    env = pr.adapt(gymnasium.make("CartPole-v1"))
    assert env.players == ("player_0",)
    assert len(env.reset(1)) == 1
    transition = step(env, 1)
    assert transition.rewards == (1.0,) and transition.terminated == (False,) and transition.truncated == (False,)
    assert not transition.over and type(transition.rewards[0]) is float


def test_what_is_adapted_is_left_as_it_is_and_a_maker_is_called() -> None:
    env = pr.adapt(Counter())
    assert pr.adapt(env) is env
    assert isinstance(pr.adapt(Counter).root, Counter)
    assert isinstance(pr.adapt(lambda: Counter(3)).root, Counter)


@pytest.mark.parametrize(
    ("space", "actions", "joint"),
    [
        (spaces.Tuple([spaces.Discrete(2), spaces.Box(0, 1, (1,), np.float64)]), (1, np.array([0.5])), (1, [0.5])),
        (spaces.Dict({"a": spaces.Discrete(3), "b": spaces.Discrete(2)}), (2, 1), {"a": 2, "b": 1}),
        (spaces.MultiDiscrete([3, 4], start=[1, 0]), (3, 0), [3, 0]),
        (spaces.MultiBinary(2), (1, 0), [1, 0]),
    ],
    ids=["tuple", "dict", "multi_discrete", "multi_binary"],
)
def test_players_share_an_action_that_has_a_part_for_each(space: Any, actions: tuple[Any, ...], joint: Any) -> None:
    env = pr.adapt(Duet(space), players=2)
    assert env.players == ("player_0", "player_1")
    decoded = [env.codecs[name].decode(env.codecs[name].encode(action)) for name, action in zip(env.players, actions, strict=True)]
    transition = step(env, *decoded)
    assert env.root.action == joint if isinstance(joint, dict) else list(env.root.action) == list(joint)
    assert space.contains(env.root.action)
    assert transition.rewards == (1.0, 1.0) and transition.truncated == (True, True) and transition.over
    assert transition.infos == ({"k": 1}, {})


@pytest.mark.parametrize(
    "reward",
    [(1, 2), [1.0, 2.0], np.array([1.0, 2.0]), {"b": 2, "a": 1}, {"player_1": 2, "player_0": 1}, {"first": 1, "second": 2}],
    ids=str,
)
def test_a_reward_for_each_player_is_dealt_out(reward: Any) -> None:
    keys = ("a", "b") if isinstance(reward, dict) and "b" in reward else None
    space = spaces.Dict({key: spaces.Discrete(2) for key in keys}) if keys else spaces.Tuple([spaces.Discrete(2)] * 2)
    assert step(pr.adapt(Duet(space, reward), players=2), 0, 0).rewards == (1.0, 2.0)


def test_a_reward_for_some_of_the_players_is_refused() -> None:
    env = pr.adapt(Duet(spaces.MultiBinary(3), [1, 2]), players=3)
    with pytest.raises(pr.EnvironmentNotSupported, match="2 rewards for 3 players"):
        step(env, 0, 0, 0)


@pytest.mark.parametrize("players", [1, 2])
def test_a_reward_that_is_more_than_a_number_is_refused_and_shown(players: int) -> None:
    space = spaces.Tuple([spaces.Discrete(2)] * players) if players > 1 else spaces.Discrete(2)
    reward = {f"player_{player}": np.array([1.0, 2.0]) for player in range(players)} if players > 1 else np.array([1.0, 2.0])
    env = pr.adapt(Duet(space, reward), players=players)
    with pytest.raises(pr.EnvironmentNotSupported, match=r"reward of player_0 is array\(\[1., 2.\]\), where one number"):
        step(env, *[0] * players)


@pytest.mark.parametrize(
    ("space", "players"),
    [(spaces.Discrete(4), 2), (spaces.MultiDiscrete([2, 2, 2]), 2), (spaces.MultiBinary([2, 2]), 2), (spaces.Box(0, 1, (2,)), 2)],
)
def test_an_action_without_a_part_for_each_player_is_refused(space: Any, players: int) -> None:
    with pytest.raises(pr.EnvironmentNotSupported, match="no part for each"):
        pr.adapt(Duet(space), players=players)


# -- what is refused -----------------------------------------------------------------------------------------------------


class NoSpace:
    def reset(self, seed: int | None = None) -> Any: ...

    def step(self, action: Any) -> Any: ...


class Nobody(NoSpace):
    possible_agents = ()


class SameNames(NoSpace):
    possible_agents = (1, "1")

    def action_space(self, agent: Any) -> Any:
        return spaces.Discrete(2)


class OldGym(Counter):
    def step(self, action: int) -> Any:
        return 0, 1.0, False, {}


@pytest.mark.parametrize(
    ("thing", "message"),
    [
        (object(), "reset.*step"),
        (3, "reset.*step"),
        (NoSpace(), "neither an action_space .* nor possible_agents"),
        (Nobody(), "no possible_agents"),
        (SameNames(), "same name"),
        (gymnasium.make_vec("CartPole-v1", num_envs=2), "vector"),
    ],
    ids=["object", "number", "no spaces", "nobody", "same names", "vector"],
)
def test_what_is_no_environment_is_refused_with_what_it_lacks(thing: Any, message: str) -> None:
    with pytest.raises(pr.EnvironmentNotSupported, match=message):
        pr.adapt(thing)


def test_a_space_that_cannot_travel_is_refused_when_adapting() -> None:
    with pytest.raises(pr.ActionError, match="Text"):
        pr.adapt(Duet(spaces.Text(4)))


def test_a_step_of_the_old_gym_interface_is_refused() -> None:
    env = pr.adapt(OldGym())
    env.reset(0)
    with pytest.raises(pr.EnvironmentNotSupported, match="old Gym interface"):
        step(env, 0)


# -- PettingZoo, all at once ---------------------------------------------------------------------------------------------


def test_an_agent_who_left_gives_no_action_and_gets_no_reward() -> None:
    env = pr.adapt(Crowd())
    env.reset(0)
    transitions = [step(env, 1, 2, 0) for _ in range(9)]
    crowd = env.root
    assert [sorted(given) for given in crowd.given] == (
        [["agent_0", "agent_1", "agent_2"]] * 3 + [["agent_1", "agent_2"]] * 3 + [["agent_2"]] * 3
    )
    assert [t.rewards for t in transitions] == [(1.5, 2.5, 0.5)] * 3 + [(0.0, 2.5, 0.5)] * 3 + [(0.0, 0.0, 0.5)] * 3
    assert [t.terminated for t in transitions][2] == (True, False, False)
    assert [t.terminated for t in transitions][3] == (False, False, False)  # it is told once; a simulation keeps it
    assert transitions[3].infos[0] == {} and transitions[3].infos[1] == {"clock": 4, "who": "agent_1"}
    assert transitions[3].observations == (None, 4, 4)
    assert [t.over for t in transitions] == [False] * 8 + [True]


def test_a_simulation_ends_when_all_have_ended_even_if_nobody_leaves() -> None:
    runtime = pr.Runtime(Crowd(leaves=False))
    actions = {f"agent_{i}": 0 for i in range(3)}
    runtime.batch([pr.Step(actions)] * 9)
    assert runtime.done
    rows = runtime.rows
    assert [row["terminated.agent_0"] for row in rows] == [False] * 2 + [True] * 7
    assert [row["terminated.agent_2"] for row in rows] == [False] * 8 + [True]


# -- PettingZoo, one after the other -------------------------------------------------------------------------------------


def test_in_turns_only_the_one_whose_turn_it_is_acts() -> None:
    env = pr.adapt(Relay())
    env.reset(0)
    transition = step(env, 1, None, 2)
    assert env.root.log == [("x", 1)]
    assert transition.rewards == (1.0, -1.0, -1.0)
    assert env.root.agent_selection == "y"


def test_a_turn_waits_for_an_action() -> None:
    runtime = pr.Runtime(Relay())
    runtime.batch([pr.Step({"x": 1}), pr.Step({}), pr.Step({"x": 1, "y": None})])
    assert runtime.simulation.root.log == [("x", 1)]
    assert runtime.frame == 3 and runtime.rows[1]["reward.x"] == 0.0 and runtime.rows[1]["action.x"] is None
    runtime.batch([pr.Step({"y": 0})])
    assert runtime.simulation.root.log == [("x", 1), ("y", 0)]


def test_who_is_out_leaves_before_the_next_one_acts() -> None:
    runtime = pr.Runtime(Relay())
    runtime.batch([pr.Step({"x": 2}), pr.Step({"y": 1})])
    assert runtime.simulation.root.log == [("x", 2), ("x", None), ("y", 1)]
    assert runtime.simulation.root.agents == ["y", "z"]
    assert runtime.rows[0]["terminated.x"] is True and runtime.rows[1]["terminated.x"] is True
    assert runtime.rows[1]["reward.x"] == 0.0 and runtime.rows[1]["reward.z"] == -1.0
    runtime.batch([pr.Step({"z": 2}), pr.Step({"y": 2})])
    assert runtime.done and runtime.rows[-1]["terminated.y"]


def test_a_parallel_environment_is_the_same_through_its_aec_form() -> None:
    parallel, aec = pr.Runtime(Crowd()), pr.Runtime(parallel_to_aec(Crowd()))
    assert aec.players == parallel.players
    for clock in range(9):
        actions = {f"agent_{i}": (clock + i) % 3 for i in range(3)}
        for runtime in (parallel, aec):
            runtime.batch([pr.Step(actions)])
    assert aec.rows == parallel.rows and aec.done and parallel.done


def test_turns_are_the_same_through_their_parallel_form() -> None:
    turns, parallel = pr.Runtime(Relay()), pr.Runtime(turn_based_aec_to_parallel(Relay()))
    for turn in range(7):
        actions = dict.fromkeys(turns.players, turn % 2)
        turns.batch([pr.Step(actions)])
        parallel.batch([pr.Step(actions)])
    assert [row["action.x"] for row in turns.rows] == [row["action.x"] for row in parallel.rows]
    assert turns.simulation.root.log[:7] == parallel.simulation.root.unwrapped.log[:7]


def test_a_parallelizable_aec_needs_an_action_of_everybody() -> None:
    runtime = pr.Runtime(parallel_to_aec(Crowd()))
    with pytest.raises(pr.BatchError) as failed:
        runtime.batch([pr.Step({"agent_0": 1})])
    assert isinstance(failed.value.cause, pr.ActionError)


def test_there_and_back_is_the_same_environment() -> None:
    runtime, plain = pr.Runtime(aec_to_parallel(parallel_to_aec(Crowd()))), pr.Runtime(Crowd())
    actions = {f"agent_{i}": i for i in range(3)}
    for one in (runtime, plain):
        one.batch([pr.Step(actions)] * 8)
    assert [row["reward.agent_2"] for row in runtime.rows] == [row["reward.agent_2"] for row in plain.rows]

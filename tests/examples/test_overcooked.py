"""Laws of the Overcooked example: two scripted chefs really serve soups, in the kitchen as cogrid made it."""

from __future__ import annotations

from typing import Any

import pytest
from cogrid.core.actions import ActionSets
from cogrid.envs import registry
from gymnasium import spaces
from pettingzoo.test import parallel_api_test, parallel_seed_test
from pettingzoo.utils import BaseParallelWrapper

from tests.examples.playthrough import STEPS, make, play

ONION, PLATING, SERVING = 3.0, 5.0, 20.0


class WithObservationSpace(BaseParallelWrapper[int, Any, int]):  # type: ignore[misc]  # published without types
    """cogrid declares no observation space, which PettingZoo's tests ask for; this says what it observes."""

    def __init__(self) -> None:
        super().__init__(make("overcooked")[0])
        seen = self.env.reset(seed=0)[0]
        self.observation_spaces = {name: spaces.Box(-1000.0, 1000.0, seen[name].shape, seen[name].dtype) for name in seen}

    def observation_space(self, agent: int) -> spaces.Box:
        return self.observation_spaces[agent]


def test_it_passes_the_api_test_of_pettingzoo() -> None:
    parallel_api_test(WithObservationSpace(), num_cycles=120)


def test_it_passes_the_seed_test_of_pettingzoo() -> None:
    parallel_seed_test(WithObservationSpace, num_cycles=60)


def test_its_actions_are_those_that_the_keys_name() -> None:
    env, _ = make("overcooked")
    assert env.action_set == ActionSets.CardinalActions
    assert env.action_set == (
        "move_up", "move_down", "move_left", "move_right", "pick_up_or_drop", "toggle", "no-op",
    )  # fmt: skip
    assert [env.action_space(index).n for index in env.possible_agents] == [7, 7]


@pytest.mark.parametrize("seed", range(2))
def test_two_chefs_serve_soup_after_soup(seed: int) -> None:
    env, _ = make("overcooked")
    rewards = [answer["reward"] for answer in play("overcooked", env, seed) if "reward" in answer]
    assert len(rewards) == STEPS
    assert all(reward[0] == reward[1] for reward in rewards)
    served = sum(1 for reward in rewards if reward[0] >= SERVING)
    assert served >= 8
    onions = sum(1 for reward in rewards if reward[0] in (ONION, ONION + PLATING, ONION + SERVING))
    assert onions >= 3 * served
    assert env.cumulative_score == 2 * sum(reward[0] for reward in rewards)


def test_toggling_does_nothing_in_this_room_so_that_no_key_is_needed_for_it() -> None:
    toggled, still = registry.make("Overcooked-CrampedRoom-V0"), registry.make("Overcooked-CrampedRoom-V0")
    for env, action in ((toggled, 5), (still, 6)):
        env.reset(seed=1)
        for walk in (3, 3, action, 0, 0, action, 2, 2, action, 1, 1, action):
            env.step({0: walk, 1: action})
    assert toggled.get_state() == still.get_state()

"""Laws of the three experiment files: what they say fits the environments that they make."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from gymnasium import spaces

import pyodide_runtime as pr
from tests.examples.playthrough import EXAMPLES


def experiment_of(example: str) -> pr.Experiment:
    found = importlib.import_module(example).experiment
    assert isinstance(found, pr.Experiment)
    return found


def action_spaces(env: Any) -> list[spaces.Discrete]:
    if hasattr(env, "possible_agents"):
        return [env.action_space(name) for name in env.possible_agents]
    return [env.action_space]


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_key_and_the_default_is_an_action_of_every_player(example: str) -> None:
    experiment = experiment_of(example)
    found = action_spaces(experiment.environment())
    assert len(found) == experiment.players
    for space in found:
        for action in (*experiment.keys_of_players[0].values(), experiment.default_action):
            assert space.contains(action)


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_environment_outlives_the_steps_of_the_experiment(example: str) -> None:
    experiment = experiment_of(example)
    env = experiment.environment()
    limit = env.spec.max_episode_steps if example == "cart_pole" else env.max_steps
    assert experiment.max_steps == 450 <= limit


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_experiment_draws_its_own_environment(example: str) -> None:
    experiment = experiment_of(example)
    env = experiment.environment()
    env.reset(seed=1)
    assert experiment.draw is not None
    assert len(experiment.draw(env)["shapes"]) > 10


@pytest.mark.parametrize("example", EXAMPLES)
def test_a_player_is_told_what_to_do(example: str) -> None:
    assert 60 < len(experiment_of(example).instructions) < 300


def test_in_the_arena_two_arrows_walk_diagonally_and_space_always_dashes() -> None:
    keys = experiment_of("arena").keys_of_players[0]
    assert keys["ArrowUp+ArrowRight"] == 6
    assert keys["w+d"] == 6
    assert {action for chord, action in keys.items() if " " in chord} == {9}
    assert set(keys.values()) == set(range(1, 10))


def test_the_arena_and_overcooked_run_at_their_own_rates() -> None:
    assert [experiment_of(example).fps for example in EXAMPLES] == [30.0, 10.0, 30.0]


@pytest.mark.parametrize("example", EXAMPLES)
def test_what_the_browser_loads_is_pinned(example: str) -> None:
    requirements = experiment_of(example).requirements
    assert requirements
    assert all("==" in requirement for requirement in requirements)

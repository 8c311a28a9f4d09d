"""Laws of the CartPole example: it is Gymnasium's own, and somebody who plays it well keeps the pole up."""

from __future__ import annotations

import warnings

import pytest
from gymnasium.utils.env_checker import check_env

from tests.examples.playthrough import STEPS, make, play


def test_it_passes_the_environment_checker_of_gymnasium() -> None:
    env, _ = make("cart_pole")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # CartPole's speeds have no bounds, of which the checker warns.
        warnings.filterwarnings("ignore", message=".*Box observation space (minimum|maximum) value is")
        check_env(env.unwrapped, skip_render_check=True)


@pytest.mark.parametrize("seed", range(5))
def test_pushing_to_the_side_it_falls_to_keeps_the_pole_up(seed: int) -> None:
    env, _ = make("cart_pole")
    assert len(list(play("cart_pole", env, seed))) == STEPS + 1


@pytest.mark.parametrize("action", [0, 1])
def test_pushing_one_way_only_lets_the_pole_fall_soon(action: int) -> None:
    env, _ = make("cart_pole")
    env.reset(seed=1)
    fell = False
    for _ in range(12):
        if not fell:
            fell = bool(env.step(action)[2])
    assert fell

"""Laws of the arena as an environment: PettingZoo's own tests, sums that agree, matches full of events."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from arena_environment import Arena
from arena_world import ACTION_COUNT, DASH, HARD_WALL, Player, World
from pettingzoo.test import parallel_api_test, parallel_seed_test

from tests.examples.playthrough import STEPS, play

EVENTS = {"", "dash", "wall", "bump", "clash", "steal", "robbed", "saw", "coin", "combo", "gem"}


def match(seed: int) -> tuple[Arena, list[dict[str, Any]]]:
    env = Arena()
    return env, list(play("arena", env, seed))


def open_floor() -> World:
    """A world without saws and coins, so that only the players act."""
    env = Arena()
    env.reset(seed=1)
    world = env.world
    world.saws.clear()
    world.coins.clear()
    world.coin_wait = 10_000
    return world


def face_to_face(world: World, gap: float) -> tuple[Player, Player]:
    red, blue = world.players
    red.x, red.y, blue.x, blue.y = 460.0 - gap, 60.0, 460.0, 60.0
    return red, blue


def test_it_passes_the_api_test_of_pettingzoo() -> None:
    parallel_api_test(Arena(), num_cycles=1000)


def test_it_passes_the_seed_test_of_pettingzoo() -> None:
    parallel_seed_test(Arena, num_cycles=500)


def test_it_has_no_snapshot_of_its_own() -> None:
    assert not hasattr(Arena, "get_state")
    assert not hasattr(Arena, "set_state")


def test_a_match_is_truncated_at_exactly_max_steps() -> None:
    env, answers = match(3)
    assert len(answers) == STEPS + 1
    assert [any(answer["truncated"].values()) for answer in answers[1:]] == [False] * (STEPS - 1) + [True]
    assert not any(any(answer["terminated"].values()) for answer in answers[1:])
    assert env.agents == []
    assert env.step({}) == ({}, {}, {}, {}, {})


@pytest.mark.parametrize("seed", range(4))
def test_observations_lie_in_their_space_and_mirror_each_other(seed: int) -> None:
    env, answers = match(seed)
    for answer in answers:
        red, blue = answer["observation"]["red"], answer["observation"]["blue"]
        assert env.observation_space("red").contains(red)
        assert np.array_equal(red[:8], blue[8:16])
        assert np.array_equal(red[8:16], blue[:8])
        assert np.array_equal(red[16:], blue[16:])


@pytest.mark.parametrize("seed", range(4))
def test_rewards_add_up_to_the_coins_held(seed: int) -> None:
    _, answers = match(seed)
    for name in ("red", "blue"):
        total = 0.0
        for answer in answers[1:]:
            assert type(answer["reward"][name]) is float
            total += answer["reward"][name]
            assert total == answer["infos"][name]["coins"] >= 0


def test_infos_hold_numbers_and_one_known_word() -> None:
    _, answers = match(5)
    for answer in answers:
        for info in answer["infos"].values():
            assert {key: type(value) for key, value in info.items()} == {
                "coins": int, "bumps": int, "combo": int, "x": float, "y": float, "event": str,
            }  # fmt: skip
            assert info["event"] in EVENTS


def test_everything_that_can_happen_does_happen_within_a_few_matches() -> None:
    seen: Counter[str] = Counter()
    for seed in range(12):
        for answer in match(seed)[1][1:]:
            seen.update(info["event"] for info in answer["infos"].values())
    assert set(seen) >= EVENTS - {"clash"}  # the hunters seldom meet head-on; the next test makes them
    assert seen["coin"] + seen["combo"] + seen["gem"] > 100


def test_running_into_each_other_head_on_costs_both_a_coin() -> None:
    world = open_floor()
    red, blue = face_to_face(world, 400.0)
    red.coins, blue.coins = 2, 5
    for _ in range(40):
        world.step([4, 3])
        if red.event == "clash":
            break
    assert red.event == blue.event == "clash"
    assert (red.coins, blue.coins) == (1, 4)
    assert len(world.coins) == 2


def test_other_seeds_and_other_actions_make_other_matches() -> None:
    first, second = match(1)[1], match(2)[1]
    assert first[0]["observation"]["red"].tobytes() != second[0]["observation"]["red"].tobytes()
    still, moving = Arena(), Arena()
    still.reset(seed=1)
    moving.reset(seed=1)
    assert still.step({"red": 0, "blue": 0})[4] != moving.step({"red": 4, "blue": 0})[4]


@pytest.mark.parametrize("actions", [{}, {"red": 1}, {"red": 0, "blue": ACTION_COUNT}, {"red": -1, "blue": 0}])
def test_an_impossible_action_is_refused_and_changes_nothing(actions: dict[str, int]) -> None:
    refused, untouched = Arena(), Arena()
    refused.reset(seed=4)
    untouched.reset(seed=4)
    with pytest.raises(ValueError, match="needs an action from 0 to 9"):
        refused.step(actions)
    calm = {"red": 2, "blue": 3}
    assert refused.step(calm)[4] == untouched.step(calm)[4]


def test_a_match_without_frames_is_refused() -> None:
    with pytest.raises(ValueError, match="max_steps must be at least 1"):
        Arena(max_steps=0)


def test_a_dash_into_the_other_steals_one_coin() -> None:
    world = open_floor()
    red, blue = face_to_face(world, 80.0)
    red.coins, blue.coins = 0, 3
    red.heading_x, red.heading_y = 1.0, 0.0
    for _ in range(6):
        world.step([DASH, 0])
        if red.event == "steal":
            break
    assert (red.event, blue.event) == ("steal", "robbed")
    assert (red.coins, blue.coins) == (1, 2)
    assert blue.stun > 0
    assert blue.safe > 0


def test_walking_into_the_other_bumps_but_steals_nothing() -> None:
    world = open_floor()
    red, blue = face_to_face(world, 160.0)
    blue.coins = 3
    for _ in range(60):
        world.step([4, 0])
    assert red.bumps == blue.bumps > 0
    assert (red.coins, blue.coins) == (0, 3)


def test_a_dash_into_a_wall_drops_a_coin_that_waits_on_the_floor() -> None:
    world = open_floor()
    red = world.players[0]
    red.x, red.y, red.heading_x, red.heading_y, red.coins = 80.0, 60.0, -1.0, 0.0, 2
    for _ in range(6):
        world.step([DASH, 0])
        if red.event == "wall":
            break
    assert red.event == "wall"
    assert red.coins == 1
    assert [(coin.value, coin.waits > 0) for coin in world.coins] == [(1, True)]


def test_a_dash_must_recover_before_the_next() -> None:
    world = open_floor()
    dashes = []
    for frame in range(120):
        world.players[0].x, world.players[0].y = 200.0, 60.0
        world.step([DASH, 0])
        if world.players[0].event == "dash":
            dashes.append(frame)
    assert dashes == [0, 50, 100]


def test_a_player_keeps_running_on_its_own_way_for_a_while() -> None:
    world = open_floor()
    red = world.players[0]
    for _ in range(10):
        world.step([4, 0])
    x = red.x
    world.step([0, 0])
    assert red.x - x > 4.0
    for _ in range(120):
        world.step([0, 0])
    assert 0.0 <= red.vx < 0.001


@pytest.mark.parametrize("seed", range(6))
def test_nothing_ever_leaves_the_floor_or_stands_in_a_block(seed: int) -> None:
    env = Arena()
    for _ in play("arena", env, seed):
        for body in (*env.world.players, *env.world.saws, *env.world.coins):
            assert 0.0 <= body.x <= 960.0
            assert 0.0 <= body.y <= 560.0
            assert abs(body.vx) + abs(body.vy) < 4 * HARD_WALL


def test_one_environment_never_touches_another() -> None:
    alone = [answer["infos"] for answer in match(8)[1]]
    env, other = Arena(), Arena()
    beside = []
    for answer, _ in zip(play("arena", env, 8), play("arena", other, 9), strict=True):
        beside.append(answer["infos"])
    assert alone == beside

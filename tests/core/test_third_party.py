"""Sync test of environments that others wrote: every frame is rolled back by every depth up to 8, and nothing differs.

The oracle is a second instance that never rolls back. Many hold pygame's surfaces, fonts and clocks from their making on.
"""

from __future__ import annotations

import importlib
import random
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import wrappers
from pettingzoo.utils import aec_to_parallel, parallel_to_aec, turn_based_aec_to_parallel

import pyodide_runtime as pr
from tests.core.environments import Crowd, Relay

DEPTH = 8


def wrapped(name: str, *layers: Callable[[Any], Any]) -> Callable[[], Any]:
    def make() -> Any:
        env = gymnasium.make(name)
        for layer in layers:
            env = layer(env)
        return env

    return make


def limited(steps: int) -> Callable[[Any], Any]:
    return lambda env: wrappers.TimeLimit(env, steps)


GYMNASIUM: dict[str, Callable[[], Any]] = {
    name: wrapped(name)
    for name in (
        "CartPole-v1", "MountainCar-v0", "MountainCarContinuous-v0", "Acrobot-v1", "Pendulum-v1", "Taxi-v4", "FrozenLake-v1",
        "FrozenLake8x8-v1", "CliffWalking-v1", "Blackjack-v1",
    )
}  # fmt: skip
WRAPPED: dict[str, Callable[[], Any]] = {
    "time limit": wrapped("MountainCar-v0", limited(13)),
    "statistics": wrapped("CartPole-v1", limited(15), wrappers.RecordEpisodeStatistics),
    "frame stack": wrapped("CartPole-v1", lambda env: wrappers.FrameStackObservation(env, 4)),
    "normalized observations": wrapped("Pendulum-v1", wrappers.NormalizeObservation),
    "normalized rewards": wrapped("Pendulum-v1", wrappers.NormalizeReward),
    "sticky actions": wrapped("CartPole-v1", lambda env: wrappers.StickyAction(env, 0.5)),
    "delayed observations": wrapped("CartPole-v1", lambda env: wrappers.DelayObservation(env, 3)),
    "many": wrapped(
        "Acrobot-v1",
        wrappers.TimeAwareObservation,
        wrappers.NormalizeObservation,
        lambda env: wrappers.FrameStackObservation(env, 3),
        wrappers.NormalizeReward,
        limited(14),
        wrappers.RecordEpisodeStatistics,
    ),
}


def classic(name: str) -> Callable[[], Any]:
    return lambda: importlib.import_module(f"pettingzoo.classic.{name}").env()


PETTINGZOO: dict[str, Callable[[], Any]] = {
    "tictactoe": classic("tictactoe_v3"),
    "connect four": classic("connect_four_v3"),
    "tictactoe, all at once": lambda: turn_based_aec_to_parallel(classic("tictactoe_v3")()),
    "crowd": Crowd,
    "crowd, one by one": lambda: parallel_to_aec(Crowd()),
    "crowd, there and back": lambda: aec_to_parallel(parallel_to_aec(Crowd())),
    "relay": Relay,
    "relay, all at once": lambda: turn_based_aec_to_parallel(Relay()),
}


def overcooked() -> Any:
    from cogrid.envs import registry

    importlib.import_module("cogrid.envs")
    return registry.make("Overcooked-CrampedRoom-V0")


def arena() -> Any:
    folder = str(Path(__file__).parents[2] / "examples")
    sys.path.insert(0, folder)
    try:
        return importlib.import_module("arena_environment").Arena(max_steps=450)
    finally:
        sys.path.remove(folder)


def parallel(module: str) -> Callable[[], Any]:
    return lambda: importlib.import_module(module).parallel_env()


def made(name: str, module: str, players: int | None = None) -> Callable[[], Any]:
    def make() -> Any:
        importlib.import_module(module)
        return pr.adapt(gymnasium.make(name), players=players)

    return make


OTHERS: dict[str, Callable[[], Any]] = {
    "rock paper scissors, all at once": parallel("pettingzoo.classic.rps_v2"),
    "pong": parallel("pettingzoo.butterfly.cooperative_pong_v6"),
    "archers and knights": parallel("pettingzoo.butterfly.knights_archers_zombies_v11"),
    "spread": parallel("mpe2.simple_spread_v3"),
    "tag": parallel("mpe2.simple_tag_v3"),
    "whispers, one by one": lambda: importlib.import_module("mpe2.simple_crypto_v3").env(),
    "door and key": made("MiniGrid-DoorKey-8x8-v0", "minigrid"),
    "obstacles that move": made("MiniGrid-Dynamic-Obstacles-8x8-v0", "minigrid"),
    "instructions": made("BabyAI-GoToObj-v0", "minigrid"),
    "foraging": made("Foraging-8x8-2p-1f-v3", "lbforaging", players=2),
    "warehouse": made("rware-tiny-2ag-v2", "rware", players=2),
}
PLAYED: dict[str, Callable[[], Any]] = {"Overcooked": overcooked, "arena": arena}
ALL = {**GYMNASIUM, **WRAPPED, **PETTINGZOO, **OTHERS, **PLAYED}


@pytest.fixture(autouse=True)
def no_window_and_no_clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A clock that stands still: an environment that tells the time is not the same twice."""
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    monkeypatch.setattr(time, "perf_counter", lambda: 0.0)
    yield


def legal(runtime: pr.Runtime, chooser: random.Random) -> tuple[bytes, ...]:
    """Random actions of every player, drawn from the bytes that stand for one; legal ones where the game says which are."""
    root = runtime.simulation.root
    mask = None
    if hasattr(root, "agent_selection") and root.agents:
        observation = root.observe(root.agent_selection)
        mask = observation["action_mask"] if isinstance(observation, dict) else root.infos[root.agent_selection].get("action_mask")
    actions = []
    for codec in runtime.simulation.codecs:
        while True:
            data = chooser.randbytes(codec.size)
            if hasattr(codec, "optional"):
                data = b"\1" + data[1:]
            try:
                action = codec.decode(data)
            except pr.ActionError:
                continue
            if mask is None or mask[action]:
                break
        actions.append(data)
    return tuple(actions)


@pytest.mark.parametrize("name", ALL)
def test_every_frame_rolled_back_by_every_depth_is_the_frame_it_was(name: str) -> None:
    frames = {"Overcooked": 14, "Taxi-v4": 5}.get(name, 20)  # whose states are large
    runtime, straight = pr.Runtime(ALL[name](), seed=2), pr.Runtime(ALL[name](), seed=2)
    chooser = random.Random(3)
    taken: list[tuple[bytes, ...]] = []
    digests = [runtime.digest()]
    assert digests[0] == straight.digest()
    while len(taken) < frames and not runtime.done:
        actions = legal(runtime, chooser)
        taken.append(actions)
        runtime.batch([pr.Snapshot(), pr.Step(actions)], describe=False)
        straight.batch([pr.Step(actions)], describe=False)
        digests.append(straight.digest())
        assert runtime.digest() == digests[-1]
        for depth in range(1, min(DEPTH, runtime.frame) + 1):
            start = runtime.frame - depth
            runtime.batch([pr.Rollback(start, taken[start:])], describe=False)
            assert runtime.digest() == digests[-1], f"frame {runtime.frame}, rolled back by {depth}"
            assert runtime.records == straight.records
    for frame in runtime.held_frames:
        assert runtime.snapshot_digest(frame) == digests[frame]
    assert len(taken) >= 2 and len(set(digests)) == len(digests)


@pytest.mark.parametrize("name", ALL)
def test_an_episode_in_a_used_environment_is_that_in_a_new_one(name: str) -> None:
    used, chooser = pr.Runtime(ALL[name](), seed=1), random.Random(2)
    for seed in (1, 2, 3):
        fresh = pr.Runtime(ALL[name](), seed=seed)
        used.batch([pr.Reset(seed=seed)])
        assert used.digest() == fresh.digest()
        for _ in range(6):
            if used.done:
                break
            actions = legal(used, chooser)
            used.batch([pr.Step(actions)], describe=False)
            fresh.batch([pr.Step(actions)], describe=False)
            assert used.digest() == fresh.digest() and used.records == fresh.records


@pytest.mark.parametrize("name", [name for name in ALL if name != "Overcooked"])
def test_a_wrong_guess_is_forgotten(name: str) -> None:
    runtime, straight = pr.Runtime(ALL[name](), seed=4), pr.Runtime(ALL[name](), seed=4)
    chooser = random.Random(8)
    while runtime.frame < 12 and not runtime.done:
        actions = legal(straight, chooser)
        straight.batch([pr.Step(actions)], describe=False)
        runtime.batch([pr.Snapshot()])
        start = runtime.frame
        for _ in range(4):
            if not runtime.done:
                runtime.batch([pr.Step(legal(runtime, chooser)), pr.Snapshot()], describe=False)
        runtime.batch([pr.Rollback(start, [actions])], describe=False)
        assert runtime.digest() == straight.digest() and runtime.records == straight.records


@pytest.mark.parametrize("name", OTHERS)
def test_hosts_on_a_bad_line_end_with_the_same_data(name: str) -> None:
    players = len(pr.adapt(OTHERS[name]()).players)
    line = pr.NetworkConditions(latency_ms=90, jitter_ms=40, loss=0.15)
    report = pr.simulate(OTHERS[name], players=players, frames=60, conditions=line, seed=3)
    assert report.identical, report.divergence
    assert report.outcome is pr.Outcome.COMPLETED and (players == 1 or report.mispredictions > 0)


def test_the_seed_matters() -> None:
    for name in ("CartPole-v1", "Taxi-v4", "Blackjack-v1", "arena"):
        assert len({pr.Runtime(ALL[name](), seed=seed).digest() for seed in range(5)}) > 1


def test_a_vector_observation_of_the_stack_is_the_one_of_its_frame() -> None:
    runtime = pr.Runtime(WRAPPED["frame stack"](), seed=1)
    seen = []
    for turn in range(6):
        runtime.batch([pr.Snapshot(), pr.Step((bytes([turn % 2]),))])
        seen.append(np.array(runtime.simulation.observations[0]))
    runtime.batch([pr.Rollback(2, [(bytes([turn % 2]),) for turn in range(2, 6)])])
    assert np.array_equal(runtime.simulation.observations[0], seen[-1])

"""Laws of the spaces' generators: they begin with the episode's seed, never with the operating system's."""

from __future__ import annotations

from typing import Any, ClassVar

import gymnasium
from gymnasium import spaces
from gymnasium.wrappers import FrameStackObservation
from pettingzoo import ParallelEnv

import pyodide_runtime as pr


class Sampler(gymnasium.Env[Any, Any]):
    """Whose steps draw from its own action space."""

    def __init__(self) -> None:
        self.action_space: Any = spaces.Discrete(1000)
        self.observation_space: Any = spaces.Dict({"one": spaces.Box(0, 1, (2,)), "two": spaces.Discrete(1000)})

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[int, dict[str, Any]]:
        return 0, {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        drawn = int(self.action_space.sample()) + int(self.observation_space.sample()["two"])
        return drawn, float(drawn), False, False, {}


class Pair(ParallelEnv):  # type: ignore[misc]
    """Two agents, each with spaces of its own, from which the steps draw."""

    metadata: ClassVar[dict[str, Any]] = {"name": "pair"}

    def __init__(self) -> None:
        self.possible_agents = ["one", "two"]
        self.action_spaces = {agent: spaces.Discrete(1000) for agent in self.possible_agents}
        self.observation_spaces = {agent: spaces.Discrete(1000) for agent in self.possible_agents}

    def action_space(self, agent: str) -> Any:
        return self.action_spaces[agent]

    def observation_space(self, agent: str) -> Any:
        return self.observation_spaces[agent]

    def reset(self, seed: int | None = None, options: Any = None) -> tuple[dict[str, int], dict[str, Any]]:
        self.agents = list(self.possible_agents)
        return dict.fromkeys(self.agents, 0), {agent: {} for agent in self.agents}

    def step(self, actions: dict[str, int]) -> Any:
        acts, sees = self.action_spaces, self.observation_spaces
        drawn = {agent: float(acts[agent].sample() + sees[agent].sample()) for agent in self.agents}
        no = dict.fromkeys(self.agents, False)
        return dict.fromkeys(self.agents, 0), drawn, no, no, {agent: {} for agent in self.agents}


class Renewed(Sampler):
    """Which makes its spaces anew in every reset."""

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[int, dict[str, Any]]:
        Sampler.__init__(self)
        super().reset(seed=seed, options=options)
        self.first = int(self.action_space.sample())
        return 0, {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        drawn, reward, terminated, truncated, info = super().step(action)
        return drawn, reward + self.first, terminated, truncated, info


def rewards(env: Any, seed: int) -> list[tuple[float, ...]]:
    runtime = pr.Runtime(env, seed=seed)
    for _ in range(6):
        runtime.batch([pr.Step(dict.fromkeys(runtime.players, 1))])
    return [record.rewards for record in runtime.records]


def test_a_step_that_draws_from_a_space_depends_on_the_seed_alone() -> None:
    for make in (Sampler, Pair, Renewed):
        assert rewards(make(), 3) == rewards(make(), 3)
        assert rewards(make(), 3) != rewards(make(), 4)


def test_gymnasium_seeds_spaces_as_it_does_once_a_reset_is_over() -> None:
    pr.Runtime(Renewed(), seed=3)
    one, two = (spaces.Discrete(1 << 60).sample() for _ in range(2))
    assert one != two


def test_a_wrapper_that_copies_a_space_begins_alike_on_every_host() -> None:
    one, two = (pr.Runtime(FrameStackObservation(gymnasium.make("CartPole-v1"), 4), seed=1) for _ in range(2))
    assert one.digest() == two.digest()


def test_what_was_drawn_from_a_space_is_drawn_again_after_a_rollback() -> None:
    runtime = pr.Runtime(Sampler(), seed=5)
    runtime.batch([pr.Snapshot(), *[pr.Step({"player_0": 1})] * 4])
    before = list(runtime.records)
    runtime.batch([pr.Rollback(0, [{"player_0": 1}] * 4)])
    assert list(runtime.records) == before

"""Small environments, each with one property that matters, in plain Python or with Gymnasium's and PettingZoo's interfaces."""

from __future__ import annotations

import random
from typing import Any, ClassVar

from gymnasium import spaces
from pettingzoo import AECEnv, ParallelEnv


class Counter:
    """Gymnasium's interface; the reward is the action, and the count of steps is in the info.

    Args:
        ends_at: terminates with that step; 0 for never.
        fails_at: raises in that step; 0 for never.
        fails_on: raises when this action is given.
    """

    def __init__(self, ends_at: int = 0, fails_at: int = 0, fails_on: int | None = None) -> None:
        self.action_space = spaces.Discrete(5)
        self._ends_at, self._fails_at, self._fails_on = ends_at, fails_at, fails_on
        self.trace: list[int] = []
        self.steps = 0

    def reset(self, seed: int | None = None, options: Any = None) -> tuple[int, dict[str, Any]]:
        self.rng = random.Random(seed)
        self.steps = 0
        self.trace = []
        if self._fails_at < 0:
            raise ValueError("this one never begins")
        return 0, {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        self.steps += 1
        self.trace.append(action)
        if self.steps == self._fails_at or action == self._fails_on:
            raise ValueError("it broke")
        draw = self.rng.random()
        return self.steps, float(action), self.steps == self._ends_at, False, {"steps": self.steps, "draw": draw}


class Crowd(ParallelEnv[str, int, int]):  # type: ignore[misc]  # published without types
    """A ParallelEnv whose agents leave one after the other; the last one leaves after `3 * count` steps."""

    metadata: ClassVar[dict[str, Any]] = {"name": "crowd", "is_parallelizable": True}
    render_mode = None

    def __init__(self, count: int = 3, *, leaves: bool = True) -> None:
        self.possible_agents = [f"agent_{i}" for i in range(count)]
        self.agents: list[str] = []
        self.leaves = leaves

    def action_space(self, agent: str) -> spaces.Discrete:
        return spaces.Discrete(3)

    def observation_space(self, agent: str) -> spaces.Discrete:
        return spaces.Discrete(1000)

    def reset(self, seed: int | None = None, options: Any = None) -> tuple[dict[str, int], dict[str, dict[str, Any]]]:
        self.agents = list(self.possible_agents)
        self.clock = 0
        self.given: list[dict[str, int]] = []
        return dict.fromkeys(self.agents, 0), {agent: {} for agent in self.agents}

    def step(self, actions: dict[str, int]) -> tuple[Any, ...]:
        self.clock += 1
        self.given.append(dict(actions))
        present = list(self.agents)
        over = {agent: self.clock >= 3 * (place + 1) for place, agent in enumerate(self.possible_agents) if agent in present}
        if self.leaves:
            self.agents = [agent for agent in present if not over[agent]]
        rewards = {agent: actions[agent] + 0.5 for agent in present}
        infos = {agent: {"clock": self.clock, "who": agent} for agent in present}
        return dict.fromkeys(present, self.clock), rewards, over, dict.fromkeys(present, False), infos


class Relay(AECEnv[str, int, int]):  # type: ignore[misc]  # published without types
    """A turn-based AECEnv: three agents in turn; each has `lives` turns, then it is out; the one who plays 2 is out at once."""

    metadata: ClassVar[dict[str, Any]] = {"name": "relay", "is_parallelizable": False}
    render_mode = None

    def __init__(self, lives: int = 3) -> None:
        super().__init__()
        self.possible_agents = ["x", "y", "z"]
        self.lives = lives

    def action_space(self, agent: str) -> spaces.Discrete:
        return spaces.Discrete(3)

    def observation_space(self, agent: str) -> spaces.Discrete:
        return spaces.Discrete(1000)

    def reset(self, seed: int | None = None, options: Any = None) -> None:
        self.agents = list(self.possible_agents)
        self.agent_selection = "x"
        self.rewards = dict.fromkeys(self.agents, 0)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0)
        self.terminations = dict.fromkeys(self.agents, False)
        self.truncations = dict.fromkeys(self.agents, False)
        self.infos = {agent: {"left": self.lives} for agent in self.agents}
        self.log: list[tuple[str, Any]] = []

    def observe(self, agent: str) -> int:
        return len(self.log)

    def step(self, action: Any) -> None:
        agent = self.agent_selection
        self.log.append((agent, action))
        if self.terminations[agent] or self.truncations[agent]:
            self._was_dead_step(action)
            return
        self._clear_rewards()
        following = self.agents[(self.agents.index(agent) + 1) % len(self.agents)]
        self.infos[agent] = {"left": self.infos[agent]["left"] - 1}
        self.rewards[agent] = action
        for other in self.agents:
            if other != agent:
                self.rewards[other] -= 1
        if action == 2 or self.infos[agent]["left"] == 0:
            self.terminations[agent] = True
        self.agent_selection = following
        self._deads_step_first()

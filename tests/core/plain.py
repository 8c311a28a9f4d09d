"""An environment that needs no library at all, so that it can be run where NumPy was never loaded."""

from __future__ import annotations

import random
from typing import Any


class Discrete:
    """What a codec needs of Gymnasium's space of that name."""

    n = 4
    start = 0


class Meadow:
    """Two animals, named in a set of texts; it draws from Python's global generator and from one of its own."""

    def __init__(self) -> None:
        self.possible_agents = ["hare", "fox"]
        self.agents: list[str] = []

    def action_space(self, agent: str) -> Discrete:
        return Discrete()

    def reset(self, seed: int | None = None, options: Any = None) -> tuple[dict[str, int], dict[str, dict[str, Any]]]:
        self.agents = list(self.possible_agents)
        self.own = random.Random(seed)
        self.seen = {"grass", "hole", "stone"}
        self.kinds = frozenset({"hare", "fox", "owl"})
        self.places = {agent: [0, 0] for agent in self.agents}
        return dict.fromkeys(self.agents, 0), {agent: {} for agent in self.agents}

    def step(self, actions: dict[str, int]) -> tuple[Any, ...]:
        rewards = {}
        for agent, action in actions.items():
            self.places[agent][action % 2] += action
            rewards[agent] = self.own.random() + random.random()
            self.seen.add(f"{agent} {self.places[agent]}")
        never = dict.fromkeys(self.agents, False)
        return dict.fromkeys(self.agents, 0), rewards, never, never, {agent: {} for agent in self.agents}

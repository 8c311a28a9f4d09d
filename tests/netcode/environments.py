"""Environments with memory, randomness and aliasing, in plain Python, with the interface of PettingZoo's parallel ones."""

from __future__ import annotations

import random
from collections import deque
from typing import Any


class Discrete:
    """What the codecs need of Gymnasium's space of that name."""

    start = 0

    def __init__(self, n: int) -> None:
        self.n = n


class Pond:
    """Everything that a wrong snapshot forgets: counters, a shared list, a set, a closure, a generator, a late change of state.

    Each player's position depends on all actions so far; rewards and infos depend on all that.
    """

    def __init__(self, players: int = 2, actions: int = 5, ends_at: int | None = None) -> None:
        self.possible_agents = [f"frog_{i}" for i in range(players)]
        self.agents: list[str] = []
        self._actions = actions
        self._ends_at = ends_at

    def action_space(self, agent: str) -> Discrete:
        return Discrete(self._actions)

    def reset(self, seed: int | None = None, options: Any = None) -> tuple[dict[str, int], dict[str, dict[str, Any]]]:
        self.agents = list(self.possible_agents)
        self.random = random.Random(seed)
        self.positions = dict.fromkeys(self.agents, 0)
        self.trail: deque[tuple[int, ...]] = deque(maxlen=7)
        self.lilies = {self.random.randrange(1000) for _ in range(12)}
        self.board = [[0] * 4 for _ in range(3)]
        self.view = self.board[1]  # the same list under another name
        self.combo = dict.fromkeys(self.agents, 0)
        self.late: list[tuple[int, str, int]] = []
        self.clock = 0
        total = 0

        def tally(amount: int) -> int:
            nonlocal total
            total += amount
            return total

        self.tally = tally
        return dict(self.positions), {agent: {} for agent in self.agents}

    def step(self, actions: dict[str, int]) -> tuple[Any, ...]:
        self.clock += 1
        rewards = dict.fromkeys(self.agents, 0.0)
        for place, agent in enumerate(self.agents):
            action = actions[agent]
            self.combo[agent] = self.combo[agent] + 1 if action == 3 else 0
            self.positions[agent] = (self.positions[agent] * 3 + action + place + self.combo[agent]) % 997
            self.view[place % 4] += action
            if action == 4:
                self.late.append((self.clock + 9, agent, self.random.randrange(50)))
            if self.positions[agent] in self.lilies:
                self.lilies.discard(self.positions[agent])
                self.lilies.add(self.random.randrange(1000))
                rewards[agent] += 1.5
        for due in [entry for entry in self.late if entry[0] == self.clock]:
            self.late.remove(due)
            self.positions[due[1]] = (self.positions[due[1]] + due[2]) % 997
        self.trail.append(tuple(self.positions.values()))
        first = next(iter(self.lilies))
        for agent in self.agents:
            rewards[agent] += (self.positions[agent] - sum(self.board[1]) % 7) / 8
        total = self.tally(sum(self.positions.values()) % 11)
        infos = {
            agent: {"total": total, "combo": self.combo[agent], "lily": first, "old": str(self.trail[0])} for agent in self.agents
        }
        over = self._ends_at is not None and self.positions[self.agents[0]] % self._ends_at == 1 and self.clock > 20
        ends = dict.fromkeys(self.agents, over)
        cuts = dict.fromkeys(self.agents, False)
        observations = dict(self.positions)
        if over:
            self.agents = []
        return observations, rewards, ends, cuts, infos

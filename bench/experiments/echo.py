"""Two players whose picture says which action each of them did last: what a press of a key looks like, and when."""

from __future__ import annotations

from typing import Any

import pyodide_runtime as pr

KEYS = "123456789"
FRAMES = 900


class Echo:
    """PettingZoo's parallel interface, and no game at all: the state is everybody's last action."""

    possible_agents = ("one", "other")

    def __init__(self) -> None:
        self.agents: list[str] = []

    def action_space(self, agent: str) -> Any:
        """Nothing, or one of nine digits."""
        from gymnasium.spaces import Discrete

        return Discrete(len(KEYS) + 1)

    def reset(self, seed: int | None = None, options: Any = None) -> tuple[dict[str, int], dict[str, dict[str, Any]]]:
        """Nobody has done anything yet."""
        self.agents = list(self.possible_agents)
        self.last = dict.fromkeys(self.agents, 0)
        return {}, {}

    def step(self, actions: dict[str, int]) -> tuple[Any, ...]:
        """Everybody's action is the last one."""
        self.last = {agent: int(action) for agent, action in actions.items()}
        no = dict.fromkeys(self.agents, False)
        return {}, dict.fromkeys(self.agents, 0.0), no, no, {}


def draw(environment: Echo, player: str) -> dict[str, Any]:
    """The own last action, in words that a page's script finds."""
    text = {"shape": "text", "x": 2, "y": 1, "text": f"did {environment.last.get(player, 0)}", "fill": "#000000", "size": 1}
    return {"width": 4, "height": 2, "background": "#ffffff", "shapes": [text]}


experiment = pr.Experiment(
    name="Echo",
    environment=Echo,
    draw=draw,
    players=2,
    fps=30,
    max_steps=FRAMES,
    keys={key: int(key) for key in KEYS},
    requirements=["gymnasium==1.4.0"],
)

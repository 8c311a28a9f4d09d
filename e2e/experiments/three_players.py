"""Three people, or as many as have names, on one board of squares, thirty frames a second.

Who steps on a square owns it, and two may not stand on one.

All arithmetic is of whole numbers, so it is the same on every host.
"""

from __future__ import annotations

from typing import Any, ClassVar

import pyodide_runtime as pr

SIDE, STEPS = 9, 300
NAMES = ("red", "green", "blue")
FILLS = {"red": "#c53030", "green": "#2f855a", "blue": "#2b6cb0", "gold": "#b7791f"}
MOVES = {0: (0, 0), 1: (0, -1), 2: (0, 1), 3: (-1, 0), 4: (1, 0)}


def make_env() -> Any:
    """The board of three players."""
    return make_board(NAMES, STEPS)


def make_board(names: tuple[str, ...], steps: int) -> Any:
    """The board, as a PettingZoo environment."""
    import random

    from gymnasium import spaces
    from pettingzoo import ParallelEnv

    class Board(ParallelEnv):  # type: ignore[misc]  # published without types
        """A player's reward is by how many squares it owns more than in the frame before."""

        metadata: ClassVar[dict[str, Any]] = {"name": "board_v0"}

        def __init__(self) -> None:
            self.possible_agents = list(names)
            self.agents: list[str] = []
            self.action_spaces = {name: spaces.Discrete(len(MOVES)) for name in names}
            self.observation_spaces = {name: spaces.Discrete(SIDE * SIDE) for name in names}
            self.generator = random.Random()

        def observation_space(self, agent: str) -> spaces.Discrete:
            """Where the player stands."""
            return self.observation_spaces[agent]

        def action_space(self, agent: str) -> spaces.Discrete:
            """0 stay, 1 up, 2 down, 3 left, 4 right."""
            return self.action_spaces[agent]

        def reset(self, seed: int | None = None, options: Any = None) -> tuple[dict[str, int], dict[str, dict[str, Any]]]:
            """Everybody on a square of their own."""
            if seed is not None:
                self.generator.seed(seed)
            self.agents = list(names)
            self.frame = 0
            squares = self.generator.sample(range(SIDE * SIDE), len(names))
            self.places = {name: [square % SIDE, square // SIDE] for name, square in zip(names, squares, strict=True)}
            self.owners: dict[tuple[int, int], str] = {}
            return self._seen(), self._infos()

        def step(self, actions: dict[str, int]) -> tuple[Any, ...]:
            """Move everybody, in an order that is drawn anew for each frame."""
            before = list(self.owners.values())
            for name in self.generator.sample(names, len(names)):
                dx, dy = MOVES[int(actions[name])]
                x, y = self.places[name]
                goal = [min(SIDE - 1, max(0, x + dx)), min(SIDE - 1, max(0, y + dy))]
                if all(goal != place for other, place in self.places.items() if other != name):
                    self.places[name] = goal
                    self.owners[goal[0], goal[1]] = name
            self.frame += 1
            after = list(self.owners.values())
            rewards = {name: float(after.count(name) - before.count(name)) for name in names}
            over = self.frame >= steps
            answer = (self._seen(), rewards, dict.fromkeys(names, False), dict.fromkeys(names, over), self._infos())
            if over:
                self.agents = []
            return answer

        def _seen(self) -> dict[str, int]:
            return {name: x + SIDE * y for name, (x, y) in self.places.items()}

        def _infos(self) -> dict[str, dict[str, Any]]:
            return {name: {"x": x, "y": y} for name, (x, y) in self.places.items()}

    return Board()


def draw(env: Any, player: str) -> dict[str, Any]:
    """Owned squares, and a disc for each player; one's own has an outline."""
    shapes: list[dict[str, Any]] = [
        {"shape": "rect", "x": x, "y": y, "width": 1, "height": 1, "fill": f"{FILLS[name]}55"}
        for (x, y), name in sorted(env.owners.items())
    ]
    for name, (x, y) in env.places.items():
        edge = {"stroke": "#1c2430", "line_width": 0.08} if name == player else {}
        shapes.append({"shape": "circle", "x": x + 0.5, "y": y + 0.5, "radius": 0.38, "fill": FILLS[name], **edge})
    return {"width": SIDE, "height": SIDE, "background": "#f4f6f8", "shapes": shapes}


experiment = pr.Experiment(
    name="Three players",
    environment=make_env,
    draw=draw,
    players=3,
    spectators=1,
    fps=30,
    max_steps=STEPS,
    keys={"ArrowUp": 1, "ArrowDown": 2, "ArrowLeft": 3, "ArrowRight": 4},
    requirements=["pettingzoo==1.27.0"],
    instructions="Walk with the arrow keys. Every square that you step on is yours, until somebody else does.",
)

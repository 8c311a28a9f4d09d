"""A game for any number of players that costs next to nothing, to see what each further player costs the product.

Whoever walks on a ring of places leaves it for the next; the environment computes a few sums a player. What is timed is all that a
participant does for a frame, beyond the step and the picture: packets of all the others included, whichever tick they come in.
"""

from __future__ import annotations

import json
from statistics import median
from typing import Any

from gymnasium.spaces import Discrete

from bench.inside.ticks import Recorded, record, relive
from pyodide_runtime.experiment import Experiment

__all__ = ["Crowd", "crowd_of", "measure"]

PLACES = 97
#: What a worker would be told of the experiment; participants compare it.
SOURCE: dict[str, Any] = {"files": {}, "module": "crowd"}


class Crowd:
    """Players on a ring; each goes one place on, or back, or stays. PettingZoo's parallel interface."""

    def __init__(self, players: int) -> None:
        self.possible_agents = [f"walker_{number}" for number in range(players)]
        self.agents: list[str] = []

    def action_space(self, agent: str) -> Discrete:
        """Stay, go back, go on."""
        return Discrete(3)

    def reset(self, seed: int | None = None, options: Any = None) -> tuple[dict[str, int], dict[str, dict[str, Any]]]:
        """All stand where the seed says."""
        self.agents = list(self.possible_agents)
        self.places = [((seed or 0) + 7 * number) % PLACES for number in range(len(self.agents))]
        return {}, {}

    def step(self, actions: dict[str, int]) -> tuple[Any, ...]:
        """Everybody walks; who stands on an even place is rewarded."""
        places = self.places
        for number, action in enumerate(actions.values()):
            places[number] = (places[number] + (0, -1, 1)[action]) % PLACES
        no = dict.fromkeys(self.agents, False)
        rewards = {agent: float(place % 2 == 0) for agent, place in zip(self.agents, places, strict=True)}
        return {}, rewards, no, no, {}


def crowd_of(players: int, frames: int | None = None, episodes: int = 1) -> Experiment:
    """An experiment with so many players, of so many episodes with so many frames at the most."""
    return Experiment(
        name=f"a crowd of {players}",
        environment=lambda: Crowd(players),
        players=players,
        max_steps=frames,
        episodes=episodes,
        keys={"ArrowLeft": 1, "ArrowRight": 2},
        draw=_draw,
    )


def measure(request: str) -> str:
    """What a frame costs beyond its step and its picture, by the number of players.

    All matches are played first; then, in each round, a participant of each lives through its own once more, so that what a busy
    machine does to one number of players it does to all.

    Args:
        request: JSON of `players` (a list of numbers), `frames` and `rounds`.

    Returns:
        JSON: for each number of players the median over all frames in each round, in microseconds.

    Raises:
        ValueError: there was a rollback.
    """
    values = json.loads(request)
    experiments = {players: crowd_of(players, values["frames"]) for players in values["players"]}
    recorded = {players: record(experiment, SOURCE) for players, experiment in experiments.items()}
    if any(match.rollbacks for match in recorded.values()):
        raise ValueError("rollbacks in a match that should have none")
    found: dict[int, list[float]] = {players: [] for players in experiments}
    for _ in range(values["rounds"]):
        for players, experiment in experiments.items():
            found[players].append(median(_frames(experiment, recorded[players])))
    return json.dumps(found)


def _frames(experiment: Experiment, recorded: Recorded) -> list[float]:
    """All ticks of each frame together, less its step and its picture, in microseconds."""
    frames, idle = [], 0.0
    for tick in relive(experiment, SOURCE, recorded):
        if tick.stepped:
            frames.append(idle + tick.tick - tick.drawing - tick.bare)
            idle = 0.0
        else:
            idle += tick.tick
    return frames


def _draw(environment: Crowd) -> list[dict[str, Any]]:
    return [{"shape": "circle", "x": place, "y": 1, "radius": 1, "fill": "#2b6cb0"} for place in environment.places]

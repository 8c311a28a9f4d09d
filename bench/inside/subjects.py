"""The examples as things to measure: an environment, a script of actions, and the same actions as the environment takes them.

A script is a function of the example and a seed alone. It knows nothing of clocks.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyodide_runtime.batch import Runtime
from pyodide_runtime.experiment import Experiment
from pyodide_runtime.operations import Reset, Step
from pyodide_runtime.worker import load_experiment

__all__ = ["SEED", "Subject", "balance", "subject"]

SEED = 7

Frame = tuple[bytes, ...]


@dataclass(frozen=True)
class Subject:
    """An example.

    Attributes:
        experiment: as its file says.
        source: as a browser's worker is told of it.
        script: the canonical bytes of every player's action, frame by frame.
        native: the same actions, as `env.step` takes them.
    """

    experiment: Experiment
    source: dict[str, Any]
    script: list[Frame]
    native: list[Any]

    def runtime(self) -> Runtime:
        """A new environment in a new runtime, at frame 0 of the script's episode."""
        experiment = self.experiment
        return Runtime(experiment.environment(), seed=SEED, snapshot_every=experiment.snapshot_every, players=experiment.players)

    def bare(self) -> Any:
        """A new environment with nothing around it, at frame 0 of the same episode."""
        environment = self.experiment.environment()
        environment.reset(seed=SEED)
        return environment


def balance(environment: Any) -> int:
    """CartPole's action that keeps the pole up."""
    _, speed, angle, turning = (float(number) for number in environment.unwrapped.state)
    return int(angle + 0.6 * turning + 0.05 * speed > 0.0)


def subject(source: dict[str, Any], frames: int) -> Subject:
    """An example, with a script of so many frames.

    Players hold an action for up to 8 frames, chosen by chance among those that keys stand for; the one of CartPole balances.
    """
    experiment = load_experiment(source, Path("/home/pyodide/experiment"))
    runtime = Runtime(experiment.environment(), seed=SEED, players=experiment.players)
    codecs = runtime.simulation.codecs
    choose = _balancing(runtime) if experiment.players == 1 else _by_chance(experiment)
    chosen: list[list[Any]] = []
    runtime.batch([Reset(SEED)])
    while len(chosen) < frames:
        actions = choose()
        chosen.append(actions)
        if experiment.players == 1:
            runtime.batch([Step(dict(zip(runtime.players, actions, strict=True)))])
            if runtime.done:
                raise ValueError(f"the script ends the episode at frame {runtime.frame}")
    script = [tuple(codec.encode(action) for codec, action in zip(codecs, actions, strict=True)) for actions in chosen]
    agents = getattr(runtime.simulation.root, "possible_agents", None)
    native = [actions[0] if agents is None else dict(zip(agents, actions, strict=True)) for actions in chosen]
    return Subject(experiment, source, script, native)


def _balancing(runtime: Runtime) -> Callable[[], list[Any]]:
    return lambda: [balance(runtime.simulation.root)]


def _by_chance(experiment: Experiment) -> Callable[[], list[Any]]:
    choices = random.Random(SEED)
    moves = [*experiment.keys_of_players[0].values(), experiment.default_action]
    held = [[experiment.default_action, 0] for _ in range(experiment.players)]

    def choose() -> list[Any]:
        for hand in held:
            if hand[1] == 0:
                hand[0], hand[1] = choices.choice(moves), choices.randint(1, 8)
            hand[1] -= 1
        return [hand[0] for hand in held]

    return choose

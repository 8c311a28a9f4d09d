"""What one session of a soak is: everything about it is drawn from its seed, so that the seed alone brings it back."""

from __future__ import annotations

import importlib
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pyodide_runtime.batch import Runtime
from pyodide_runtime.errors import PyodideRuntimeError
from pyodide_runtime.network.virtual import NetworkConditions
from pyodide_runtime.rollback.inputs import Prediction
from tests.netcode.environments import Pond

__all__ = ["Plan", "draw"]

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@dataclass(frozen=True)
class Plan:
    """One session.

    Attributes:
        environment: its name, for people.
        factory: makes it.
        options: those of `tests.netcode.sessions.Table`.
        lines: lines with conditions of their own, by (sender, receiver).
        ill: one player sends sealed packets that say what they should not; the match may end by that, in a type.
        cuts: (from, to) in ms of virtual time in which nothing arrives at all; none is as long as the patience of a host.
        pauses: (at, host, for how long) in ms: a host is not called.
    """

    environment: str
    factory: Callable[[], Any]
    options: dict[str, Any]
    lines: dict[tuple[int, int], NetworkConditions] = field(default_factory=dict)
    ill: bool = False
    cuts: tuple[tuple[float, float], ...] = ()
    pauses: tuple[tuple[float, int, float], ...] = ()

    def __str__(self) -> str:
        parts = [f"{name}={value}" for name, value in self.options.items()]
        parts += [f"line {sender}->{receiver}: {line}" for (sender, receiver), line in self.lines.items()]
        parts += [f"cut off from {begin:.0f} to {end:.0f} ms" for begin, end in self.cuts]
        parts += [f"host {host} pauses for {ms:.0f} ms at {at:.0f} ms" for at, host, ms in self.pauses]
        return f"{self.environment}{', with a player that means ill' if self.ill else ''}; " + ", ".join(parts)


def draw(seed: int, environment: str | None) -> Plan:
    """The session of a seed, of the environment MODULE:FACTORY, or of one that is drawn too.

    ValueError if that environment cannot be soaked.
    """
    dice = random.Random(f"soak {seed}")
    frames = dice.choice([30, 60, 90, 150])
    name, factory, players, actions = _given(environment) if environment else _drawn(dice, frames)
    conditions = _line(dice)
    lines: dict[tuple[int, int], NetworkConditions] = {}
    if players > 1 and dice.random() < 0.4:
        for _ in range(dice.randint(1, players)):
            sender, receiver = dice.sample(range(players), 2)
            lines[sender, receiver] = _line(dice)
    options: dict[str, Any] = {
        "players": players,
        "frames": frames,
        "conditions": conditions,
        "seed": seed,
        "episodes": dice.choice([1, 1, 2, 3]),
        "input_delay": dice.choice([0, 0, 1, 2, 4]),
        "window": dice.randint(1, 16),
        "prediction": dice.choice(list(Prediction)),
        "actions": actions,
        "hold": dice.choice([1, 4, 20]),
        "clock_rates": [dice.choice([1.0, 1.0, 0.92, 1.08]) for _ in range(players)],
        "start_skew_ms": dice.choice([0.0, 0.0, 120.0, 1500.0]),
        "reliable_control": dice.random() < 0.5,
    }
    lasts = 1000 * frames / 30
    cuts = tuple((at, at + dice.uniform(100, 2000)) for at in [dice.uniform(0, lasts)] if dice.random() < 0.3)
    pauses = tuple(
        (dice.uniform(0, lasts), dice.randrange(players), dice.uniform(50, 1800)) for _ in range(dice.choice([0, 0, 1, 2]))
    )
    ill = players == 2 and dice.random() < 1 / 6
    return Plan(name, factory, options, lines, ill, cuts, pauses)


def _line(dice: random.Random) -> NetworkConditions:
    """From a cable to a train in a tunnel."""
    return NetworkConditions(
        latency_ms=dice.choice([0, 5, 20, 60, 100, 200, 350]),
        jitter_ms=dice.choice([0, 10, 40, 100]),
        loss=dice.choice([0, 0, 0.02, 0.1, 0.2, 0.4]),
        duplicate=dice.choice([0, 0.05, 0.3]),
        reorder=dice.choice([0, 0.1, 0.3]),
    )


def _drawn(dice: random.Random, frames: int) -> tuple[str, Callable[[], Any], int, int]:
    """The arena of the examples now and then; else the pond of the tests, which forgives no wrong snapshot."""
    if dice.random() < 0.2:
        arena = _arena()
        return "arena", lambda: arena(max_steps=frames), 2, 10
    players, ends_at = dice.choice([2, 2, 2, 3, 4]), dice.choice([None, None, 7, 29])
    return f"pond(ends_at={ends_at})", lambda: Pond(players, ends_at=ends_at), players, 5


def _arena() -> Callable[..., Any]:
    """The arena, imported as the browser does it: each module of the examples by its own name."""
    if str(EXAMPLES) not in sys.path:
        sys.path.append(str(EXAMPLES))
    made: Callable[..., Any] = importlib.import_module("arena_environment").Arena
    return made


def _given(environment: str) -> tuple[str, Callable[[], Any], int, int]:
    """An environment by its place in Python, with the number of its players and of its actions."""
    module, _, attribute = environment.partition(":")
    try:
        factory: Callable[[], Any] = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(f"{environment!r} is not the MODULE:FACTORY of an environment: {error}") from error
    made = factory()
    try:
        players = Runtime(made).players
    except PyodideRuntimeError as error:
        raise ValueError(f"{environment}: {error}") from error
    spaces = [made.action_space(player) for player in players] if hasattr(made, "possible_agents") else [made.action_space]
    counts = [getattr(space, "n", None) for space in spaces]
    if not all(type(count) is int or hasattr(count, "__index__") for count in counts) or any(space.start for space in spaces):
        raise ValueError(f"{environment}: its action spaces are {spaces}; a soak plays Discrete ones that start at 0")
    return environment, factory, len(players), min(256, *(int(count) for count in counts if count is not None))

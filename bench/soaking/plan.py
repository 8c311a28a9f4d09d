"""What one session of a soak is: everything about it is drawn from its seed, so that the seed alone brings it back."""

from __future__ import annotations

import importlib
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from pyodide_runtime.errors import PyodideRuntimeError
from pyodide_runtime.network.virtual import NetworkConditions, Partition
from pyodide_runtime.rollback.delay import InputDelay
from pyodide_runtime.rollback.inputs import Prediction
from pyodide_runtime.virtual.scenario import Clock, Freeze, Scenario
from pyodide_runtime.virtual.target import load_target
from tests.netcode.environments import Pond

__all__ = ["Plan", "draw"]


class Cut(NamedTuple):
    """When nothing arrives at all, and for how long, in ms of virtual time."""

    at_ms: float
    for_ms: float


EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@dataclass(frozen=True)
class Plan:
    """One session.

    Attributes:
        environment: its name, for people.
        factory: makes it.
        scenario: what is played. No host is cut off or freezes for as long as the patience of the others.
        ill: one player sends sealed packets that say what they should not; the match may end by that, in a type.
    """

    environment: str
    factory: Callable[[], Any]
    scenario: Scenario
    ill: bool = False

    def __str__(self) -> str:
        return f"{self.environment}{', with a player that means ill' if self.ill else ''}; {self.scenario}"


def draw(seed: int, environment: str | None) -> Plan:
    """The session of a seed, of the environment MODULE:FACTORY, or of one that is drawn too.

    ValueError if that environment cannot be soaked.
    """
    dice = random.Random(f"soak {seed}")
    frames = dice.choice([30, 60, 90, 150])
    name, factory, players = _given(environment) if environment else _drawn(dice, frames)
    conditions = _line(dice)
    lines: dict[tuple[int, int], NetworkConditions] = {}
    if players > 1 and dice.random() < 0.4:
        for _ in range(dice.randint(1, players)):
            sender, receiver = dice.sample(range(players), 2)
            lines[sender, receiver] = _line(dice)
    lasts = 1000 * frames / 30
    cut = Cut(dice.uniform(0, lasts), dice.uniform(100, 2000)) if dice.random() < 0.3 else None
    delays: list[int | InputDelay] = [0, 0, 1, 2, 4, InputDelay(), InputDelay(most=10, matched=True)]
    scenario = Scenario(
        players=players,
        frames=frames,
        conditions=conditions,
        lines=lines,
        seed=seed,
        episodes=dice.choice([1, 1, 2, 3]),
        input_delay=dice.choice(delays),
        prediction_window=dice.randint(1, 16),
        prediction=dice.choice(list(Prediction)),
        hold=dice.choice([1, 4, 20]),
        clocks=tuple(
            Clock(rate=dice.choice([1.0, 1.0, 0.92, 1.08]), offset_ms=dice.choice([0.0, 1e7])) for _ in range(players)
        ),
        start_skew_ms=dice.choice([0.0, 0.0, 120.0, 1500.0]),
        reliable_control=dice.random() < 0.5,
        partitions=_apart(players, cut),
        freezes=tuple(
            Freeze(host=dice.randrange(players), at_ms=dice.uniform(0, lasts), for_ms=dice.uniform(50, 1800))
            for _ in range(dice.choice([0, 0, 1, 2]))
        ),
    )
    return Plan(name, factory, scenario, players == 2 and dice.random() < 1 / 6)


def _apart(players: int, cut: Cut | None) -> tuple[Partition, ...]:
    """Every host cut off from every other for a while."""
    if cut is None or players == 1:
        return ()
    return tuple(Partition(at_ms=cut.at_ms, for_ms=cut.for_ms, hosts=(host,)) for host in range(players - 1))


def _line(dice: random.Random) -> NetworkConditions:
    """From a cable to a train in a tunnel."""
    return NetworkConditions(
        latency_ms=dice.choice([0, 5, 20, 60, 100, 200, 350]),
        jitter_ms=dice.choice([0, 10, 40, 100]),
        loss=dice.choice([0, 0, 0.02, 0.1, 0.2, 0.4]),
        loss_burst=dice.choice([None, None, 2, 6]),
        duplicate=dice.choice([0, 0.05, 0.3]),
        reorder=dice.choice([0, 0.1, 0.3]),
        bandwidth_bytes_per_s=dice.choice([None, None, None, 12_000]),
        queue_bytes=4_000,
    )


def _drawn(dice: random.Random, frames: int) -> tuple[str, Callable[[], Any], int]:
    """The arena of the examples now and then; else the pond of the tests, which forgives no wrong snapshot."""
    if dice.random() < 0.2:
        arena = _arena()
        return "arena", lambda: arena(max_steps=frames), 2
    players, ends_at = dice.choice([2, 2, 2, 3, 4]), dice.choice([None, None, 7, 29])
    return f"pond(ends_at={ends_at})", lambda: Pond(players, ends_at=ends_at), players


def _arena() -> Callable[..., Any]:
    """The arena, imported as the browser does it: each module of the examples by its own name."""
    if str(EXAMPLES) not in sys.path:
        sys.path.append(str(EXAMPLES))
    made: Callable[..., Any] = importlib.import_module("arena_environment").Arena
    return made


def _given(environment: str) -> tuple[str, Callable[[], Any], int]:
    """An environment by its place in Python, with the number of its players."""
    try:
        target = load_target(environment)
        return environment, target.factory, target.players
    except PyodideRuntimeError as error:
        raise ValueError(str(error)) from error

"""What one session of a soak is: everything about it is drawn from its seed, so that the seed alone brings it back."""

from __future__ import annotations

import importlib
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from bench.soaking.scenarios import Breadth, draw_scenario
from pyodide_runtime.drops import OnDrop
from pyodide_runtime.errors import PyodideRuntimeError
from pyodide_runtime.partner import Policy
from pyodide_runtime.virtual.scenario import Scenario
from pyodide_runtime.virtual.target import load_target
from tests.netcode.environments import Pond
from tests.netcode.partners import Heron

__all__ = ["Hidden", "Plan", "draw"]

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
#: Drops go on with somebody in the player's place more often than not.
POLICIES = (OnDrop.END, OnDrop.PAUSE, OnDrop.DEFAULT, OnDrop.DEFAULT, OnDrop.PARTNER, OnDrop.PARTNER)


class Hidden(NamedTuple):
    """When a host's page is hidden, for which the match pauses, in ms of virtual time."""

    host: int
    at_ms: float
    for_ms: float


@dataclass(frozen=True)
class Plan:
    """One session.

    Attributes:
        environment: its name, for people.
        factory: makes it.
        scenario: what is played.
        partner: plays for players whose hosts are gone, if the scenario says so.
        hidden: pages that are hidden for some time.
        ill: the host with number 1 sends sealed packets that say what they should not; the match may end by that, in a type.
    """

    environment: str
    factory: Callable[[], Any]
    scenario: Scenario
    partner: Policy | None = None
    hidden: tuple[Hidden, ...] = ()
    ill: bool = False

    def __str__(self) -> str:
        hidden = f"; hidden: {', '.join(map(str, self.hidden))}" if self.hidden else ""
        return f"{self.environment}{', with a player that means ill' if self.ill else ''}; {self.scenario}{hidden}"


def draw(seed: int, environment: str | None) -> Plan:
    """The session of a seed, of the environment MODULE:FACTORY, or of one that is drawn too.

    ValueError if that environment cannot be soaked.
    """
    dice = random.Random(f"soak {seed}")
    longest = dice.choice([30, 60, 90, 150])
    name, factory, players, partner = _given(environment) if environment else _drawn(dice, longest)
    ill = players == 2 and dice.random() < 1 / 6
    goes = not ill and dice.random() < 0.5
    breadth = Breadth(
        frames=[longest],
        most_departures=3 if goes else 0,
        on_drop=POLICIES if partner else [policy for policy in POLICIES if policy is not OnDrop.PARTNER],
    )
    scenario = draw_scenario(dice, seed, players, breadth)
    lasts = scenario.episodes * 1000 * longest / 30
    hidden = [
        Hidden(dice.randrange(scenario.players_hosts), dice.uniform(0, lasts), dice.uniform(50, 3000))
        for _ in range(dice.choice([0, 0, 0, 1, 2]))
    ]
    policy = partner if scenario.on_drop is OnDrop.PARTNER else None
    return Plan(name, factory, scenario, policy, tuple(hidden), ill and scenario.players_hosts == 2)


def _drawn(dice: random.Random, frames: int) -> tuple[str, Callable[[], Any], int, Policy | None]:
    """The arena of the examples now and then; else the pond of the tests, which forgives no wrong snapshot."""
    if dice.random() < 0.2:
        arena = _arena()
        return "arena", lambda: arena(max_steps=frames), 2, _wander
    players, ends_at = dice.choice([2, 2, 2, 2, 3, 3, 4, 5]), dice.choice([None, None, 7, 29])
    return f"pond(ends_at={ends_at})", lambda: Pond(players, ends_at=ends_at), players, Heron()


def _wander(env: Any, player: str, source: random.Random) -> int:
    """A partner for the arena."""
    return source.randrange(env.action_space(player).n)


def _arena() -> Callable[..., Any]:
    """The arena, imported as the browser does it: each module of the examples by its own name."""
    if str(EXAMPLES) not in sys.path:
        sys.path.append(str(EXAMPLES))
    made: Callable[..., Any] = importlib.import_module("arena_environment").Arena
    return made


def _given(environment: str) -> tuple[str, Callable[[], Any], int, Policy | None]:
    """An environment by its place in Python, with the number of its players, and its partner."""
    try:
        target = load_target(environment)
        partner = None if target.experiment is None else target.experiment.partner
        return environment, target.factory, target.players, partner
    except PyodideRuntimeError as error:
        raise ValueError(str(error)) from error

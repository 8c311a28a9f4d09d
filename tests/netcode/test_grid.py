"""Two thousand matches over a grid of everything that can go wrong, each compared with a run without network, row by row.

Lines of 0 to 500 ms with jitter, losses in bursts, copies and overtaking; 2 to 5 players, some of them at one host; spectators;
every input delay and window; hosts that freeze, are dropped and come back at any time, under every policy for that. The seeds are
fixed, so the counts are known; what is asserted lies well below them. The laws are in `bench/soaking/laws.py`; the soak draws from
the same grid.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from itertools import product
from typing import Any

import pytest
from gymnasium import spaces

from bench.soaking.laws import Broken, Counts, check
from bench.soaking.scenarios import DELAYS, Breadth, draw_scenario
from pyodide_runtime.drops import OnDrop
from pyodide_runtime.errors import PyodideRuntimeError
from pyodide_runtime.partner import Policy
from pyodide_runtime.virtual.scenario import Scenario
from pyodide_runtime.virtual.table import Table
from tests.core.environments import Crowd, Relay
from tests.core.partners import counting
from tests.virtual.culprits import Sums

from .environments import Pond
from .partners import Heron

BLOCK = 100
#: How often there are 2, 3, 4 and 5 players.
PLAYERS = (2,) * 15 + (3,) * 4 + (4, 5)
#: A match that has not ended by then never will, in ms of virtual time.
LIMIT_MS = 90_000.0
STAYS = Breadth(frames=(20, 20, 30), episodes=(1, 1, 2), longest_ms=700.0)


def drawn(seed: int, breadth: Breadth, players: int | None = None) -> tuple[random.Random, Scenario]:
    """The scenario of a seed, and the dice for what else is to be drawn."""
    dice = random.Random(f"grid {seed}")
    count = dice.choice(PLAYERS) if players is None else players
    return dice, draw_scenario(dice, seed, count, breadth)


def goes(on_drop: OnDrop) -> Breadth:
    return Breadth(frames=(20, 20, 30), episodes=(1, 1, 1, 2, 3), most_departures=3, on_drop=(on_drop,), longest_ms=700.0)


def play(seeds: Iterable[int], draw: Callable[[int], tuple[Callable[[], Any], Scenario, Policy | None]]) -> Counts:
    """Play the match of each seed, and prove it. The name of one that fails is its seed: the same seed plays the same match."""
    counts = Counts()
    for seed in seeds:
        factory, scenario, partner = draw(seed)
        try:
            table = Table(factory, scenario, partner=partner).run(limit_ms=LIMIT_MS)
            counts.add(check(table))
            malformed = [match.malformed for match in table.matches]
            if any(malformed):
                raise Broken(f"hosts took {malformed} packets for malformed, of hosts that mean well")
        except (Broken, PyodideRuntimeError) as error:
            raise AssertionError(f"the match of seed {seed}, {scenario}: {error}") from error
    print(counts)
    return counts


def pond(seed: int, breadth: Breadth) -> tuple[Callable[[], Any], Scenario, Policy | None]:
    dice, scenario = drawn(seed, breadth)
    ends_at, players = dice.choice([None, None, 7, 29]), scenario.players
    return lambda: Pond(players, ends_at=ends_at), scenario, Heron() if scenario.on_drop is OnDrop.PARTNER else None


@pytest.mark.parametrize("block", range(5))
def test_matches_on_any_line_complete_with_the_oracles_rows(block: int) -> None:
    counts = play(range(block * BLOCK, (block + 1) * BLOCK), lambda seed: pond(seed, STAYS))
    assert counts.matches == BLOCK and counts.completed == counts.hosts and counts.drops == 0
    assert min(counts.rollbacks, counts.mispredictions) > 1500 and counts.stalls > 300 and counts.replayed > 2 * counts.rollbacks
    assert counts.compared > 6000 and counts.lost > 5000 and counts.duplicated > 3000


#: For each policy: how many blocks are played, and at least how many hosts are dropped, and come back and go on, in one.
POLICIES = {OnDrop.END: (2, 40, 0), OnDrop.PAUSE: (3, 25, 10), OnDrop.DEFAULT: (4, 40, 8), OnDrop.PARTNER: (4, 40, 8)}


@pytest.mark.parametrize(
    ("on_drop", "block"),
    [(on_drop, block) for on_drop, (blocks, *_) in POLICIES.items() for block in range(blocks)],
    ids=lambda value: value.value if isinstance(value, OnDrop) else str(value),
)
def test_matches_with_drops_and_returns_end_with_the_oracles_rows(on_drop: OnDrop, block: int) -> None:
    first = 10_000 * (1 + list(POLICIES).index(on_drop)) + block * BLOCK
    counts = play(range(first, first + BLOCK), lambda seed: pond(seed, goes(on_drop)))
    _, drops, rejoins = POLICIES[on_drop]
    assert counts.drops >= drops and counts.rejoins >= rejoins
    assert (counts.absent > 0) == on_drop.may_be_absent
    assert counts.matches == BLOCK and min(counts.rollbacks, counts.mispredictions) > 250 and counts.stalls > 80
    assert counts.compared > (3000 if on_drop.may_be_absent else 1500) and counts.lost > 2500


ENVIRONMENTS: dict[str, tuple[Callable[[], Any], int, int]] = {
    "PettingZoo in turns": (lambda: Relay(9), 3, 3),
    "PettingZoo in parallel": (lambda: Crowd(3), 3, 3),
    "Gymnasium with a tuple": (lambda: Sums(spaces.Discrete(4)), 2, 4),
}


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_environments_of_every_kind_end_with_the_oracles_rows(name: str) -> None:
    factory, players, actions = ENVIRONMENTS[name]
    breadth = Breadth(frames=(20, 30), episodes=(1, 2), most_departures=2, longest_ms=700.0)

    def draw(seed: int) -> tuple[Callable[[], Any], Scenario, Policy | None]:
        _, scenario = drawn(seed, breadth, players)
        return factory, scenario, counting(actions) if scenario.on_drop is OnDrop.PARTNER else None

    first = 60_000 + 1000 * list(ENVIRONMENTS).index(name)
    counts = play(range(first, first + 70), draw)
    assert counts.drops > 25 and counts.rejoins >= 2 and counts.absent > 100 and counts.rollbacks > 100 and counts.stalls > 50


def test_the_grid_is_covered() -> None:
    """Every value of every axis is among what is drawn, and so are all pairs of policy and input delay."""
    scenarios = [drawn(block * BLOCK + number, STAYS)[1] for block in range(5) for number in range(BLOCK)]
    for place, (on_drop, (blocks, *_)) in enumerate(POLICIES.items()):
        scenarios += [drawn(10_000 * (1 + place) + number, goes(on_drop))[1] for number in range(blocks * BLOCK)]
    lines = [line for scenario in scenarios for line in (scenario.conditions, *scenario.lines.values())]
    assert {line.latency_ms for line in lines} >= {0, 60, 200, 500} and {line.jitter_ms for line in lines} >= {0, 40, 200}
    assert {(line.loss, line.loss_burst) for line in lines} >= {(0.4, None), (0.4, 6), (0.02, 2), (0, None)}
    assert {scenario.prediction_window for scenario in scenarios} == set(range(1, 17))
    assert {(scenario.on_drop, scenario.input_delay) for scenario in scenarios} == set(product(OnDrop, DELAYS))
    assert {scenario.players for scenario in scenarios} == {2, 3, 4, 5}
    assert {len(scenario.spectators) for scenario in scenarios} == {0, 1, 2}
    assert {scenario.episodes for scenario in scenarios} == {1, 2, 3}
    assert sum(scenario.hosts is not None for scenario in scenarios) > 300
    assert sum(len(scenario.freezes) for scenario in scenarios) > 400
    assert sum(bool(scenario.partitions) for scenario in scenarios) > 300
    departures = [departure for scenario in scenarios for departure in scenario.departures]
    assert len(departures) > 1500 and {departure.how for departure in departures} == {"leaves", "closes", "crashes"}

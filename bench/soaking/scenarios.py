"""Scenarios drawn by dice: any line from a cable to a train in a tunnel; hosts that freeze, go, come back, or have several players.

The same dice draw the same scenario. Nothing here plays one.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from pyodide_runtime.drops import OnDrop
from pyodide_runtime.network.virtual import NetworkConditions, Partition
from pyodide_runtime.rollback.delay import InputDelay
from pyodide_runtime.rollback.inputs import Prediction
from pyodide_runtime.virtual.scenario import Clock, Departure, Freeze, Scenario

__all__ = ["DELAYS", "Breadth", "draw_scenario"]

#: Input delays: fixed ones, of each host's own, and of all together.
DELAYS: tuple[int | InputDelay, ...] = (
    *range(7), InputDelay(), InputDelay(most=10, start=1), InputDelay(matched=True), InputDelay(most=10, matched=True)
)  # fmt: skip
#: What a match begins with takes about so many round trips.
GREETING_TRIPS = 3


@dataclass(frozen=True)
class Breadth:
    """What may be drawn.

    Attributes:
        frames: lengths of an episode.
        episodes: how many there are.
        most_departures: how often hosts may go, or freeze until the others give them up; 0: all stay, and no mishap lasts as long
            as the others' patience, so that every host is to complete.
        on_drop: what may happen when one has gone.
        longest_ms: other mishaps last no longer.
    """

    frames: Sequence[int] = (30, 60, 90, 150)
    episodes: Sequence[int] = (1, 1, 2, 3)
    most_departures: int = 0
    on_drop: Sequence[OnDrop] = tuple(OnDrop)
    longest_ms: float = 2000.0


def draw_scenario(dice: random.Random, seed: int, players: int, breadth: Breadth) -> Scenario:
    """A scenario for so many players. `seed` is that of the match, from which packets and inputs follow."""
    frames, episodes = dice.choice(breadth.frames), dice.choice(breadth.episodes)
    conditions = _line(dice)
    counts = _hosts(dice, players)
    hosts = players if counts is None else len(counts)
    watching = dice.choice([0, 0, 0, 1, 2]) if hosts > 1 else 0
    everybody = hosts + watching
    lasts = episodes * 1000 * frames / 30 + 2 * GREETING_TRIPS * conditions.latency_ms
    goes = breadth.most_departures > 0 and hosts > 1
    # Hosts go, or do nothing for so long that the others give them up, or both.
    frozen = goes and dice.random() < 0.25
    departures = _departures(dice, hosts, lasts, breadth.most_departures) if goes and (not frozen or dice.random() < 0.5) else ()
    patience = dice.choice([1500.0, 3000.0]) if goes else 5000.0
    longest = patience / 4 if departures else breadth.longest_ms
    freezes = _freezes(dice, everybody, lasts, longest)
    if frozen:
        at_ms = dice.uniform(lasts / 4, lasts)
        freezes += (Freeze(host=dice.randrange(hosts), at_ms=at_ms, for_ms=dice.uniform(patience, 2 * patience)),)
    return Scenario(
        players=players,
        frames=frames,
        episodes=episodes,
        seed=seed,
        conditions=conditions,
        lines=_lines(dice, everybody) if dice.random() < 0.3 else {},
        input_delay=dice.choice(DELAYS),
        prediction_window=dice.randint(1, 16),
        prediction=dice.choice([Prediction.LAST, Prediction.DEFAULT]),
        snapshot_every=dice.choice(["auto", "auto", 1, 2, 5]),
        state_digest_every=dice.choice([None, None, None, 7, 1]),
        hold=dice.choice([1, 4, 20]),
        clocks=tuple(Clock(rate=dice.choice([1.0, 1.0, 0.92, 1.08]), offset_ms=dice.choice([0.0, 1e7])) for _ in range(everybody)),
        start_skew_ms=dice.choice([0.0, 0.0, 120.0, 700.0]),
        reliable_control=dice.random() < 0.5,
        partitions=_partitions(dice, hosts, lasts, longest),
        freezes=freezes,
        disconnect_after_ms=patience,
        return_within_ms=dice.choice([300.0, 3000.0, 12_000.0]) if goes else 12_000.0,
        on_drop=dice.choice(list(breadth.on_drop)),
        hosts=counts,
        spectators=tuple(dice.choice([0.0, dice.uniform(0, lasts)]) for _ in range(watching)),
        departures=departures,
        arbitrated=dice.random() < 0.5,
    )


def _hosts(dice: random.Random, players: int) -> tuple[int, ...] | None:
    """How many players each host has, if not one each."""
    if dice.random() >= 0.25:
        return None
    counts: list[int] = []
    while (left := players - sum(counts)) > 0:
        counts.append(dice.randint(1, min(2 if counts else 1, left)))
    return tuple(dice.sample(counts, len(counts)))


def _departures(dice: random.Random, hosts: int, lasts: float, most: int) -> tuple[Departure, ...]:
    """Hosts go, some soon after each other; most come back, some of them when all is over."""
    found: list[Departure] = []
    for _ in range(min(most, dice.choice([1, 1, 1, 2, 2, 3]))):
        together = found and dice.random() < 0.4
        at_ms = found[-1].at_ms + dice.uniform(0, 200) if together else dice.uniform(0, lasts)
        back_ms = dice.choice([None, dice.uniform(50, 400), dice.uniform(50, 400), dice.uniform(50, max(400.0, lasts))])
        how = dice.choice(["closes", "leaves", "crashes"])
        found.append(Departure(host=dice.randrange(hosts), at_ms=at_ms, back_ms=back_ms, how=how))
    return tuple(found)


def _freezes(dice: random.Random, hosts: int, lasts: float, longest_ms: float) -> tuple[Freeze, ...]:
    """Some hosts do nothing for a while."""
    times = dice.choice([0, 0, 0, 1, 2])
    return tuple(
        Freeze(host=dice.randrange(hosts), at_ms=dice.uniform(0, lasts), for_ms=dice.uniform(50, longest_ms)) for _ in range(times)
    )


def _partitions(dice: random.Random, hosts: int, lasts: float, longest_ms: float) -> tuple[Partition, ...]:
    """All hosts cut off from each other for a while, or one from the others."""
    if hosts == 1 or dice.random() >= 0.3:
        return ()
    at_ms, for_ms = dice.uniform(0, lasts), dice.uniform(50, longest_ms)
    lonely = range(hosts - 1) if dice.random() < 0.5 else [dice.randrange(hosts)]
    return tuple(Partition(at_ms=at_ms, for_ms=for_ms, hosts=(host,)) for host in lonely)


def _lines(dice: random.Random, hosts: int) -> dict[tuple[int, int], NetworkConditions]:
    """Some that are other than the rest, in one direction."""
    ends = [tuple(dice.sample(range(hosts), 2)) for _ in range(dice.randint(1, hosts))] if hosts > 1 else []
    return {(sender, receiver): _line(dice) for sender, receiver in ends}


def _line(dice: random.Random) -> NetworkConditions:
    """From a cable to a train in a tunnel."""
    return NetworkConditions(
        latency_ms=dice.choice([0, 5, 20, 60, 100, 200, 350, 500]),
        jitter_ms=dice.choice([0, 10, 40, 100, 200]),
        loss=dice.choice([0, 0, 0.02, 0.1, 0.2, 0.4]),
        loss_burst=dice.choice([None, None, 2, 6]),
        duplicate=dice.choice([0, 0.05, 0.3]),
        reorder=dice.choice([0, 0.1, 0.3]),
        bandwidth_bytes_per_s=dice.choice([None, None, None, 12_000]),
        queue_bytes=4_000,
    )

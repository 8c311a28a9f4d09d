"""Packets by the thousand against hosts in the middle of a match: none raises, and none changes what is confirmed.

A block of packets follows from its seed alone: the match, where it stands, and what is thrown. Two thirds are bytes at random and
damaged packets, each of which must be dropped and counted; the rest are sealed by a player that means ill, of every type, and
the match goes on between them.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from bench.soaking.laws import Broken, must_not_differ
from bench.soaking.packets import damaged, forged, made_up
from bench.soaking.witness import Witness
from pyodide_runtime.drops import OnDrop
from pyodide_runtime.network.virtual import NetworkConditions
from pyodide_runtime.network.wire import session_key
from pyodide_runtime.settings import Phase
from pyodide_runtime.virtual.oracle import divergence_of, run_straight
from pyodide_runtime.virtual.scenario import Departure, Scenario
from pyodide_runtime.virtual.table import Table
from tests.netcode.environments import Pond
from tests.netcode.partners import Heron

__all__ = ["BLOCK", "Block", "bombard"]

#: So many packets are thrown in one block.
BLOCK = 2000
#: So many sealed packets come between two looks.
BETWEEN = 20
KEY = session_key("virtual")
FRAMES = 60


@dataclass
class Block:
    """What one block was; `failure` is None if nothing was wrong, `taken` counts the sealed packets that were not refused."""

    seed: int
    thrown: int = 0
    sealed: int = 0
    taken: int = 0
    failure: str | None = None


def bombard(seed: int, count: int = BLOCK) -> Block:
    """Throw so many packets. Whatever goes wrong is in the result, whoever raised it."""
    block = Block(seed)
    try:
        _throw(block, count)
    except Broken as error:
        block.failure = str(error)
    except Exception as error:
        block.failure = f"{type(error).__name__}: {error}"
    return block


def _throw(block: Block, count: int) -> None:
    dice = random.Random(f"bombardment {block.seed}")
    players, partner = dice.choice([2, 2, 3, 4]), Heron() if dice.random() < 0.25 else None
    policy = OnDrop.PARTNER if partner else dice.choice([OnDrop.END, OnDrop.PAUSE, OnDrop.DEFAULT])
    away = (Departure(host=players - 1, at_ms=dice.uniform(300, 1500), back_ms=dice.choice([None, 500])),) if players > 2 else ()
    scenario = Scenario(
        players=players,
        frames=FRAMES,
        seed=block.seed,
        conditions=NetworkConditions(latency_ms=30, jitter_ms=20),
        on_drop=policy,
        departures=away,
        spectators=dice.choice([(), (500.0,)]),
    )
    table = Table(lambda: Pond(players), scenario, partner=partner)
    sent: list[bytes] = []
    moments = dice.randint(0, 200)
    for _ in range(moments):
        table.turn()
        if all(match.phase is Phase.OVER for match in table.matches):
            break
    hosts, witness = len(scenario.places), Witness(table)
    witness.look()
    victim = table.hosts[0]
    sealed = count // 3
    for number in range(count - sealed):
        if not sent or number % 200 == 0:
            sent = [made_up(dice, dice.randrange(hosts), hosts, players, KEY) for _ in range(40)]
        before = victim.match.malformed
        data = damaged(dice, sent, KEY)
        victim.match.receive(dice.randrange(1, hosts), data, table.clock(0))
        block.thrown += 1
        if victim.match.malformed != before + 1:
            raise Broken(f"a packet was taken that was none: {data.hex()}")
    witness.look()
    for number in range(sealed):
        data = made_up(dice, 1, hosts, players, KEY)
        if dice.random() < 0.5:
            data = forged(dice, data, 1, KEY)
        before = victim.match.malformed
        victim.match.receive(1, data, table.clock(0))
        block.thrown += 1
        block.sealed += 1
        block.taken += victim.match.malformed == before
        if number % BETWEEN == BETWEEN - 1:
            table.turn()
            witness.look()
    every = victim.match.settings.digest_every
    for journal in (*victim.before, victim.journal):
        oracle = run_straight(table.factory, scenario, journal, digest_every=every, partner=partner)
        must_not_differ(divergence_of(0, journal, oracle, complete=True))

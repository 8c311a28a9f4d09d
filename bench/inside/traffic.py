"""How many bytes a player sends, counted on the virtual network with a virtual clock: the same figure on every machine."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

from bench.inside.crowd import crowd_of
from pyodide_runtime.network.virtual import NetworkConditions
from pyodide_runtime.settings import Outcome
from pyodide_runtime.virtual.inputs import Controller
from pyodide_runtime.virtual.scenario import Scenario
from pyodide_runtime.virtual.table import Table
from pyodide_runtime.worker import load_experiment

__all__ = ["measure"]

LONGEST_HOLD = 8


def measure(request: str) -> str:
    """Play one match in which everybody changes the action all the time.

    Args:
        request: JSON of `source` (an example) or `players` (so many of the crowd), and of `fps`, `frames`, `latency_ms` (each
            way) and `loss` (0 to 1, each way).

    Returns:
        JSON: `bytes_a_second`, of each player, without the headers of SCTP, DTLS, UDP and IP; `packets_a_second`, likewise;
        `rollbacks`, likewise; `round_trip_ms`; `lost`, packets.
    """
    values = json.loads(request)
    experiment = load_experiment(values["source"]) if "source" in values else crowd_of(values["players"])
    scenario = Scenario(
        players=experiment.players,
        frames=values["frames"],
        fps=values["fps"],
        seed=1,
        conditions=NetworkConditions(latency_ms=values["latency_ms"], loss=values["loss"]),
        default_actions=(experiment.default_action,),
    )
    moves = [*experiment.keys_of_players[0].values(), experiment.default_action]
    table = Counting(experiment.environment, scenario, controllers=[_player(moves) for _ in range(experiment.players)])
    table.run()
    outcomes = {match.outcome for match in table.matches}
    if outcomes != {Outcome.COMPLETED}:
        raise ValueError(f"the match ended as {outcomes}")
    if min(match.counters.rollbacks for match in table.matches) == 0:
        raise ValueError("some player was never rolled back: nobody did anything")
    seconds = table.now / 1000
    return json.dumps(
        {
            "bytes_a_second": [sum(peer.bytes_sent for peer in match.peers.values()) / seconds for match in table.matches],
            "packets_a_second": [count / seconds for count in table.counts],
            "rollbacks": [match.counters.rollbacks for match in table.matches],
            "round_trip_ms": max(match.round_trip_ms or 0.0 for match in table.matches),
            "lost": table.network.lost,
        }
    )


class Counting(Table):
    """A table that counts the packets of each host."""

    def __init__(self, factory: Callable[[], Any], scenario: Scenario, *, controllers: list[Controller]) -> None:
        super().__init__(factory, scenario, controllers=controllers)
        self.counts = [0] * scenario.players

    def post(self, number: int) -> None:
        """Send what a host wants to send."""
        self.counts[number] += len(self.matches[number].outbox)
        super().post(number)


def _player(moves: list[Any]) -> Controller:
    """Holds each action for a few frames."""
    left, move = 0, moves[0]

    def act(frame: int, choices: random.Random) -> Any:
        nonlocal left, move
        if left == 0:
            left, move = choices.randint(1, LONGEST_HOLD), choices.choice(moves)
        left -= 1
        return move

    return act

"""How many bytes a player sends, counted on the virtual network with a virtual clock: the same figure on every machine."""

from __future__ import annotations

import json
import random
from collections.abc import Callable

from pyodide_runtime.batch import Runtime
from pyodide_runtime.journal import MemoryJournal
from pyodide_runtime.match import Match, MatchSettings, Outcome, Phase
from pyodide_runtime.network.virtual import NetworkConditions, VirtualNetwork
from pyodide_runtime.rollback.inputs import make_input
from pyodide_runtime.worker import load_experiment

__all__ = ["measure"]

LONGEST_HOLD = 8


def measure(request: str) -> str:
    """Play one match in which everybody changes the action all the time.

    Args:
        request: JSON of `source`, `fps`, `frames`, `latency_ms` (each way) and `loss` (0 to 1, each way).

    Returns:
        JSON: `bytes_a_second`, of each player, without the headers of SCTP, DTLS, UDP and IP; `packets_a_second`, likewise;
        `rollbacks`, likewise; `round_trip_ms`; `lost`, packets.
    """
    values = json.loads(request)
    experiment = load_experiment(values["source"])
    network = VirtualNetwork(NetworkConditions(latency_ms=values["latency_ms"], loss=values["loss"]), seed=1)
    settings = MatchSettings(session="bench", seed=1, fps=values["fps"], default_actions=(experiment.default_action,))
    matches = [
        Match(
            Runtime(experiment.environment(), max_steps=values["frames"], players=experiment.players),
            local=place,
            settings=settings,
            journal=MemoryJournal(),
        )
        for place in range(experiment.players)
    ]
    codec = matches[0].runtime.simulation.codecs[0]
    moves = [codec.encode(action) for action in [*experiment.keys.values(), experiment.default_action]]
    samplers = [_player(moves, place) for place in range(experiment.players)]
    wakes = [0.0] * len(matches)
    sent = [0] * len(matches)
    while any(match.phase is not Phase.OVER for match in matches):
        now = min(wakes)
        for sender, receiver, data in network.arrivals(now):
            matches[receiver].receive(sender, data, now)
        for place, match in enumerate(matches):
            if wakes[place] > now:
                continue
            match.tick(now, samplers[place])
            for receiver, _, data in match.outbox:
                network.send(now, place, receiver, data)
                sent[place] += 1
            match.outbox.clear()
            wakes[place] = max(now + 1.0, match.wake_at)
    outcomes = {match.outcome for match in matches}
    if outcomes != {Outcome.COMPLETED}:
        raise ValueError(f"the match ended as {outcomes}")
    seconds = min(wakes) / 1000
    return json.dumps(
        {
            "bytes_a_second": [sum(peer.bytes_sent for peer in match.peers.values()) / seconds for match in matches],
            "packets_a_second": [count / seconds for count in sent],
            "rollbacks": [match.counters.rollbacks for match in matches],
            "round_trip_ms": max(match.round_trip_ms or 0.0 for match in matches),
            "lost": network.lost,
        }
    )


def _player(moves: list[bytes], place: int) -> Callable[[], bytes]:
    choices = random.Random(place)
    hand = {"left": 0, "move": moves[0]}

    def sample() -> bytes:
        if hand["left"] == 0:
            hand["left"], hand["move"] = choices.randint(1, LONGEST_HOLD), choices.choice(moves)
        hand["left"] -= 1  # type: ignore[operator]
        return make_input(hand["move"], True)  # type: ignore[arg-type]

    return sample

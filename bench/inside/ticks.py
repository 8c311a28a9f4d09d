"""What a tick costs beyond the environment's step, when no prediction was wrong.

First a match is played on a virtual clock by all its participants in this one process, and what reached the first of them
is written down, tick by tick. Then a new participant lives through the same again, alone, and is timed: so nobody else's
state is about, and what arrives is what really arrives.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator
from dataclasses import replace
from time import perf_counter
from typing import Any

from bench.inside.subjects import balance
from pyodide_runtime.experiment import Experiment
from pyodide_runtime.participant import Participant
from pyodide_runtime.simulation import episode_seed
from pyodide_runtime.worker import load_experiment

__all__ = ["Tick", "measure", "record", "start_of"]

SEED = 5
LATENCY_MS = 1.0

Tick = tuple[float, bytes]
"""When, and with what inbox."""

_HEAD = struct.Struct("<BBBBI")
_PACKET, _EVENT, _UPLOAD = 1, 2, 4


def measure(request: str) -> str:
    """Times of the ticks in which a frame was simulated, and of those in which none was.

    Args:
        request: JSON of `source` and `frames`.

    Returns:
        JSON: `stepped`, a list of [tick, picture, bare step] in microseconds; `idle`, a list of ticks in
        microseconds; `rollbacks` and `frames` of the match that was timed.
    """
    values = json.loads(request)
    experiment = replace(load_experiment(values["source"]), max_steps=values["frames"], episodes=1)
    source = values["source"]
    ticks, frames, chain = record(experiment, source)

    drawing = [0.0]
    bare = experiment.environment()
    bare.reset(seed=episode_seed(SEED, 0))
    alone = Participant(experiment, source)
    alone._drawing.view = _timed(alone._drawing.view, drawing)  # type: ignore[assignment, method-assign]
    alone.start(start_of(experiment, 0))
    stepped, idle = [], []
    for now, inbox in ticks:
        before = _frame(alone)
        drawing[0] = 0.0
        began = perf_counter()
        alone.tick(now, inbox)
        taken = perf_counter() - began
        if _frame(alone) == before:
            idle.append(taken * 1e6)
            continue
        actions = _native(alone, bare)
        began = perf_counter()
        bare.step(actions)
        stepped.append([taken * 1e6, drawing[0] * 1e6, (perf_counter() - began) * 1e6])
    if (_frame(alone), _chain(alone)) != (frames, chain):
        raise ValueError("the match that was timed is not the one that was recorded")
    return json.dumps({"stepped": stepped, "idle": idle, "frames": frames, "rollbacks": _match(alone).counters.rollbacks})


def record(experiment: Experiment, source: dict[str, Any]) -> tuple[list[Tick], int, bytes]:
    """A match by nobody's keys (CartPole's player balances): the first participant's ticks, its frames, and its rows' digest."""
    cast = [Participant(experiment, source) for _ in range(experiment.players)]
    for place, participant in enumerate(cast):
        participant.start(start_of(experiment, place))
    waiting: list[list[tuple[float, bytes]]] = [[] for _ in cast]
    wakes = [0.0] * len(cast)
    ticks: list[Tick] = []
    while cast[0]._phase not in ("finished", "failed"):
        now = min(wakes)
        for place, participant in enumerate(cast):
            if wakes[place] > now:
                continue
            inbox = b"".join(data for due, data in waiting[place] if due <= now)
            waiting[place] = [entry for entry in waiting[place] if entry[0] > now]
            if experiment.players == 1:
                inbox += _keys(participant)
            if place == 0:
                ticks.append((now, inbox))
            answer = participant.tick(now, inbox)
            wakes[place] = max(now + 1.0, struct.unpack_from("<d", answer)[0])
            for kind, peer, payload in _records(answer):
                if kind == _PACKET:
                    waiting[peer].append((now + LATENCY_MS, _HEAD.pack(_PACKET, place, 0, 0, len(payload)) + payload))
                elif kind == _UPLOAD:
                    number = struct.unpack_from("<I", payload)[0]
                    waiting[place].append((now + LATENCY_MS, _event({"type": "stored", "upload": number})))
    if cast[0]._phase == "failed":
        raise ValueError(f"the match failed: {_match(cast[0]).detail}")
    return ticks, _frame(cast[0]), _chain(cast[0])


def start_of(experiment: Experiment, place: int) -> dict[str, Any]:
    """What the server tells the participant at this place."""
    players = [{"player_id": str(index), "index": index} for index in range(experiment.players)]
    return {"session": "bench", "seed": SEED, "players": players, "index": place}


def _keys(participant: Participant) -> bytes:
    right = balance(participant.runtime.simulation.root) == 1
    return _event({"type": "key", "key": "ArrowRight", "down": right})


def _native(participant: Participant, bare: Any) -> Any:
    """The actions of the newest frame, as the environment takes them."""
    runtime = participant.runtime
    record = runtime.records[-1]
    actions = [codec.decode(data) for codec, data in zip(runtime.simulation.codecs, record.actions, strict=True)]
    agents = getattr(bare, "possible_agents", None)
    return actions[0] if agents is None else dict(zip(agents, actions, strict=True))


def _timed(view: Callable[[Any], bytes], total: list[float]) -> Callable[[Any], bytes]:
    def timed(environment: Any) -> bytes:
        began = perf_counter()
        picture = view(environment)
        total[0] += perf_counter() - began
        return picture

    return timed


def _records(answer: bytes) -> Iterator[tuple[int, int, bytes]]:
    at = 8
    while at < len(answer):
        kind, peer, _, _, length = _HEAD.unpack_from(answer, at)
        at += _HEAD.size
        yield kind, peer, answer[at : at + length]
        at += length


def _event(told: dict[str, Any]) -> bytes:
    payload = json.dumps(told).encode()
    return _HEAD.pack(_EVENT, 0, 0, 0, len(payload)) + payload


def _match(participant: Participant) -> Any:
    return participant._match


def _frame(participant: Participant) -> int:
    frame: int = _match(participant).frame
    return frame


def _chain(participant: Participant) -> bytes:
    chain: bytes = _match(participant).ledger.newest
    return chain

"""What a tick costs beyond the environment's step, when no prediction was wrong.

First a match is played on a virtual clock by all its participants in this one process, and what reached the first of them
is written down, tick by tick. Then a new participant lives through the same again, alone, and is timed: so nobody else's
state is about, and what arrives is what really arrives.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from dataclasses import replace
from time import perf_counter
from typing import Any, NamedTuple

from bench.inside.flat import event, frame_of, match_of, packet, records
from bench.inside.subjects import balance
from pyodide_runtime.experiment import Experiment
from pyodide_runtime.participant import Participant
from pyodide_runtime.records import Kind
from pyodide_runtime.simulation import episode_seed
from pyodide_runtime.worker import load_experiment

__all__ = ["Lived", "Recorded", "Tick", "measure", "record", "relive", "start_of"]

SEED = 5
LATENCY_MS = 1.0

Tick = tuple[float, bytes]
"""When, and with what inbox."""


class Recorded(NamedTuple):
    """A match as the first participant saw it: its ticks, how many frames, its rows' digest, and how often it was rolled back."""

    ticks: list[Tick]
    frames: int
    chain: bytes
    rollbacks: int


class Lived(NamedTuple):
    """One tick that was timed, in microseconds.

    Attributes:
        stepped: whether a frame was simulated in it.
        tick: the whole tick.
        drawing: of that, the picture.
        bare: a bare step of the environment with the same actions, timed right after it; 0 if no frame was simulated.
    """

    stepped: bool
    tick: float
    drawing: float
    bare: float


def measure(request: str) -> str:
    """Times of the ticks in which a frame was simulated, and of those in which none was.

    Args:
        request: JSON of `source` and `frames`.

    Returns:
        JSON: `stepped`, a list of [tick, picture, bare step] in microseconds; `idle`, a list of ticks in
        microseconds; `rollbacks` and `frames` of the match that was timed.
    """
    values = json.loads(request)
    source = values["source"]
    experiment = replace(load_experiment(source), max_steps=values["frames"], episodes=1)
    recorded = record(experiment, source)
    lived = relive(experiment, source, recorded)
    stepped = [tick[1:] for tick in lived if tick.stepped]
    idle = [tick.tick for tick in lived if not tick.stepped]
    return json.dumps({"stepped": stepped, "idle": idle, "frames": recorded.frames, "rollbacks": recorded.rollbacks})


def relive(experiment: Experiment, source: dict[str, Any], recorded: Recorded) -> list[Lived]:
    """Time a participant who lives alone through what the first one of a match lived through.

    Raises:
        ValueError: it did not come to the same end.
    """
    drawing = [0.0]
    bare = experiment.environment()
    bare.reset(seed=episode_seed(SEED, 0))
    alone = Participant(experiment, source)
    alone._drawing.view = _timed(alone._drawing.view, drawing)  # type: ignore[assignment, method-assign]
    alone.start(start_of(experiment, 0))
    lived = []
    for now, inbox in recorded.ticks:
        before = frame_of(alone)
        drawing[0] = 0.0
        began = perf_counter()
        alone.tick(now, inbox)
        taken = perf_counter() - began
        stepped = frame_of(alone) != before
        step = 0.0
        if stepped:
            actions = _native(alone, bare)
            began = perf_counter()
            bare.step(actions)
            step = perf_counter() - began
        lived.append(Lived(stepped, taken * 1e6, drawing[0] * 1e6, step * 1e6))
    if (frame_of(alone), _chain(alone)) != (recorded.frames, recorded.chain):
        raise ValueError("the match that was timed is not the one that was recorded")
    return lived


def record(experiment: Experiment, source: dict[str, Any]) -> Recorded:
    """Play a match by nobody's keys (CartPole's player balances), and keep what reached the first participant."""
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
            for kind, peer, channel, payload in records(answer):
                if kind == Kind.PACKET:
                    waiting[peer].append((now + LATENCY_MS, packet(place, channel, payload)))
                elif kind == Kind.UPLOAD:
                    number = struct.unpack_from("<I", payload)[0]
                    waiting[place].append((now + LATENCY_MS, event({"type": "stored", "upload": number})))
    if cast[0]._phase == "failed":
        raise ValueError(f"the match failed: {match_of(cast[0]).detail}")
    return Recorded(ticks, frame_of(cast[0]), _chain(cast[0]), match_of(cast[0]).counters.rollbacks)


def start_of(experiment: Experiment, place: int) -> dict[str, Any]:
    """What the server tells the participant at this place."""
    players = [{"player_id": str(index), "index": index} for index in range(experiment.players)]
    return {"session": "bench", "seed": SEED, "players": players, "index": place}


def _keys(participant: Participant) -> bytes:
    right = balance(participant.runtime.simulation.root) == 1
    return event({"type": "key", "key": "ArrowRight", "down": right})


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


def _chain(participant: Participant) -> bytes:
    chain: bytes = match_of(participant).ledger.newest
    return chain

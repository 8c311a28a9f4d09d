"""How much the heap grows while a match goes on and on: two participants, over a line that loses packets, for thousands of frames.

Everything is a participant's as in the browser: keys, packets, pictures, rows, uploads that the server acknowledges. The clock is
virtual, so that hours pass in a minute.
"""

from __future__ import annotations

import json
import random
import struct
import sys
from collections.abc import Iterator
from typing import Any

from bench.inside.crowd import SOURCE, crowd_of
from bench.inside.flat import event, frame_of, match_of, packet, records
from bench.inside.heap import in_use
from bench.inside.ticks import start_of
from pyodide_runtime.experiment import Experiment
from pyodide_runtime.participant import Participant
from pyodide_runtime.records import Kind

__all__ = ["measure"]

LATENCY_MS, LOSS = 50.0, 0.05
SEED = 11


def measure(request: str) -> str:
    """Bytes in use after every so many frames.

    Args:
        request: JSON of `frames` (in all, of each participant), `episode` (frames of one) and `every` (frames between two looks).

    Returns:
        JSON: `heap`, bytes at each look, the first after `every` frames; `by_design`, those of them that are the inputs of all
        frames and, of the present episode, the digests of the rows and places among the records, of both participants;
        `rollbacks` and `frames` of the first participant; `rows` that were uploaded.

    Raises:
        ValueError: the match failed, or nobody was ever rolled back.
    """
    values = json.loads(request)
    frames, every = values["frames"], values["every"]
    experiment = crowd_of(2, values["episode"], episodes=-(-frames // values["episode"]))
    play = _Play(experiment)
    heap, by_design = [], []
    for _ in play.until_over(every):
        heap.append(in_use())
        by_design.append(sum(map(_by_design, play.cast)))
        if len(heap) * every >= frames:
            break
    counters = match_of(play.cast[0]).counters
    if counters.rollbacks == 0:
        raise ValueError("nobody was ever rolled back")
    told = {"heap": heap, "by_design": by_design, "rollbacks": counters.rollbacks, "frames": play.simulated, "rows": play.rows}
    return json.dumps(told)


class _Play:
    """A match on a virtual clock."""

    def __init__(self, experiment: Experiment) -> None:
        self.cast = [Participant(experiment, SOURCE) for _ in range(experiment.players)]
        for place, participant in enumerate(self.cast):
            participant.start(start_of(experiment, place))
        self.simulated = 0
        self.rows = 0
        self._choices = random.Random(SEED)
        self._keys = sorted(key for key in experiment.keys_of_players[0])

    def until_over(self, every: int) -> Iterator[int]:
        """Play; gives the number of frames so far whenever the first participant has simulated so many more."""
        cast, choices = self.cast, self._choices
        waiting: list[list[tuple[float, bytes]]] = [[] for _ in cast]
        wakes = [0.0] * len(cast)
        seen = (0, 0)
        while cast[0]._phase not in ("finished", "failed"):
            now = min(wakes)
            for place, participant in enumerate(cast):
                if wakes[place] > now:
                    continue
                inbox = b"".join(data for due, data in waiting[place] if due <= now)
                waiting[place] = [entry for entry in waiting[place] if entry[0] > now]
                if choices.random() < 0.1:
                    inbox += event({"type": "key", "key": choices.choice(self._keys), "down": choices.random() < 0.5})
                answer = participant.tick(now, inbox)
                wakes[place] = max(now + 1.0, struct.unpack_from("<d", answer)[0])
                for kind, peer, channel, payload in records(answer):
                    if kind == Kind.PACKET and (channel or choices.random() >= LOSS):
                        waiting[peer].append((now + LATENCY_MS, packet(place, channel, payload)))
                    elif kind == Kind.UPLOAD:
                        waiting[place].append((now + LATENCY_MS, event({"type": "stored", "upload": _number(payload)})))
                        self.rows += payload.count(b'"cells"')
            match = match_of(cast[0])
            place_now = (match.episode, frame_of(cast[0]))
            if place_now > seen:
                before = self.simulated
                self.simulated += 1 if place_now[0] > seen[0] else place_now[1] - seen[1]
                seen = place_now
                if self.simulated // every > before // every:
                    yield self.simulated
        if cast[0]._phase == "failed":
            raise ValueError(f"the match failed: {match_of(cast[0]).detail}")


def _number(payload: bytes) -> Any:
    return struct.unpack_from("<I", payload)[0]


def _by_design(participant: Participant) -> int:
    """Bytes of the heap for what a participant keeps of every frame: its inputs, and while the episode lasts the digest of its row
    and a place among the records.
    """
    match = match_of(participant)
    inputs = sum(_chunk(kept) for episode in match._course.history._episodes for kept in episode)
    digests = match.ledger._chain
    return inputs + _chunk(match.runtime._records) + _chunk(digests) + len(digests) * _chunk(digests[-1])


def _chunk(value: object) -> int:
    """What the allocator gives for an object: a word more than it has, in steps of two words."""
    return (sys.getsizeof(value) + 4 + 7) // 8 * 8

"""Run a recorded match again, without browser, network or prediction, and get its data.

A record is what a match wrote down: who played what, the seeds, and every confirmed input. This module reads records and
replays them; it knows nothing of how they came about.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any

from .batch import Reset, Runtime
from .errors import RecordError
from .journal import MemoryJournal
from .ledger import EpisodeLedger
from .rollback.inputs import action_of
from .rollback.session import FinalFrame
from .rows import Cells

__all__ = ["replay_episode", "replay_journal"]


def replay_journal(journal: MemoryJournal, runtime: Runtime) -> list[Cells]:
    """The rows that a run without network makes of the inputs in a journal."""
    found: list[Cells] = []
    for episode, seed in journal.episodes:
        texts = [inputs for number, _, inputs in journal.inputs if number == episode]
        ledger = EpisodeLedger(episode, seed, runtime.players, runtime.simulation.codecs)
        found += replay_episode(runtime, ledger, texts, digest_every=None)
    return found


def replay_episode(
    runtime: Runtime, ledger: EpisodeLedger, chunks: Iterable[list[str]], *, digest_every: int | None
) -> list[Cells]:
    """Simulate one episode straight through, and write its rows into an empty ledger.

    Args:
        chunks: the inputs in order, each chunk with one base64 text for each player, as `EpisodeLedger.inputs_text` makes them.
        digest_every: every how many frames the chain covers the whole state; None: never.

    Raises:
        RecordError: the inputs do not fit the environment, or go on after its end.
    """
    simulation = runtime.simulation
    runtime.batch([Reset(ledger.seed)])
    simulation.save()
    sizes = [1 + codec.size for codec in simulation.codecs]
    rows: list[Cells] = []
    for texts in chunks:
        for inputs in _frames(texts, sizes):
            if simulation.done:
                raise RecordError(f"episode {ledger.episode} ended after {simulation.frame} frames, but the record has more inputs")
            record = simulation.step(tuple(action_of(data) for data in inputs))
            simulation.save()  # as every peer did after every frame
            number = record.frame + 1
            due = digest_every is not None and number % digest_every == 0
            rows.append(ledger.append(FinalFrame(record, inputs), simulation.digest() if due else b""))
    return rows


def _frames(texts: Any, sizes: list[int]) -> Iterable[tuple[bytes, ...]]:
    if not isinstance(texts, list) or len(texts) != len(sizes):
        raise RecordError(f"the record has inputs of another number of players than the environment's {len(sizes)}")
    try:
        streams = [base64.b64decode(text, validate=True) for text in texts]
    except (ValueError, TypeError) as error:
        raise RecordError(f"inputs in the record are not base64: {error}") from None
    counts = {len(stream) / size for stream, size in zip(streams, sizes, strict=True)}
    if len(counts) != 1 or not (count := counts.pop()).is_integer():
        raise RecordError("the inputs in the record are of different lengths, or of another action space")
    for place in range(int(count)):
        yield tuple(stream[place * size : (place + 1) * size] for stream, size in zip(streams, sizes, strict=True))

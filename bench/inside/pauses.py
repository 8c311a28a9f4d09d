"""How long garbage collection stops a match, and when: as Python does it by itself, and by the product's rule."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from time import perf_counter
from typing import Any

from bench.inside.flat import frame_of
from bench.inside.ticks import Recorded, record, start_of
from pyodide_runtime import worker
from pyodide_runtime.experiment import Experiment
from pyodide_runtime.participant import Participant
from pyodide_runtime.tidying import Tidying
from pyodide_runtime.worker import load_experiment

__all__ = ["measure"]


def measure(request: str) -> str:
    """Collections while one participant lives through a match, tick by tick as the bridge calls them.

    Args:
        request: JSON of `source` and `frames`.

    Returns:
        JSON: for `python` and `product` a list of [milliseconds, whether a frame was simulated in that tick].
    """
    values = json.loads(request)
    source = values["source"]
    experiment = replace(load_experiment(source), max_steps=values["frames"], episodes=1)
    recorded = record(experiment, source)
    product = Tidying()
    return json.dumps(
        {
            "python": _live(experiment, source, recorded, None),
            "product": _live(experiment, source, recorded, product),
        }
    )


def _live(experiment: Experiment, source: dict[str, Any], recorded: Recorded, tidying: Tidying | None) -> list[tuple[float, bool]]:
    before = worker._tidying, worker._participant
    participant = Participant(experiment, source)
    worker._tidying, worker._participant = tidying, participant
    gc.collect()
    if tidying is not None:
        tidying.settle()
    found: list[tuple[float, bool]] = []
    try:
        worker.start(json.dumps(start_of(experiment, 0)))
        for now, inbox in recorded.ticks:
            frame = frame_of(participant)
            with _collections() as pauses:
                worker.tick(now, inbox)
            found += [(pause, frame_of(participant) != frame) for pause in pauses]
    finally:
        if tidying is not None:
            tidying.release()
        worker._tidying, worker._participant = before
    return found


@contextmanager
def _collections() -> Iterator[list[float]]:
    """Milliseconds of each collection while the block lasts."""
    took: list[float] = []
    began = 0.0

    def note(phase: str, info: dict[str, int]) -> None:
        nonlocal began
        if phase == "start":
            began = perf_counter()
        else:
            took.append((perf_counter() - began) * 1000)

    gc.callbacks.append(note)
    try:
        yield took
    finally:
        gc.callbacks.remove(note)

"""A rollback of k frames against k bare steps of the same environment, from the same states, in turns."""

from __future__ import annotations

import json
from time import perf_counter
from typing import Any

from bench.inside.subjects import SEED, Subject, subject
from pyodide_runtime.batch import Runtime
from pyodide_runtime.operations import Reset, Restore, Rollback, Snapshot, Step

__all__ = ["measure"]


def measure(request: str) -> str:
    """Times of pairs.

    Args:
        request: JSON of `source` (an experiment, as a worker is told of it), `depths` (frames), `pairs` (how many of each depth)
            `seconds` (after which a depth may end early, with at least a third of its pairs) and `futile` (whether the
            corrections change nothing).

    Returns:
        JSON: for each depth a list of [rollback, bare steps], in microseconds.
    """
    values = json.loads(request)
    depths: list[int] = values["depths"]
    deepest = max(depths)
    found = {}
    for depth in depths:
        chosen = subject(values["source"], deepest + values["pairs"])
        found[depth] = _pairs(chosen, depth, deepest, values["pairs"], values["seconds"], values["futile"])
    return json.dumps(found)


def _pairs(chosen: Subject, depth: int, deepest: int, pairs: int, seconds: float, futile: bool) -> list[list[float]]:
    """At one frame after the other: a rollback to `depth` frames before it, and as many bare steps from there."""
    runtime = chosen.runtime()
    runtime.keep_whole()  # as the rollback session does
    runtime.batch([Reset(SEED), Snapshot()])
    for actions in chosen.script[:deepest]:
        runtime.batch([Step(actions), Snapshot()], describe=False)
    found: list[list[float]] = []
    began = perf_counter()
    while len(found) < pairs and (perf_counter() - began < seconds or 3 * len(found) < pairs):
        start, end = runtime.frame - depth, runtime.frame
        if not futile:
            _mispredict(runtime, chosen, start, end)
        # In turns, so that neither always follows the other.
        if len(found) % 2:
            bare = _bare(runtime, chosen, start, end)
            if not futile:
                _mispredict(runtime, chosen, start, end)
            rollback = _rollback(runtime, chosen, start, end)
        else:
            rollback = _rollback(runtime, chosen, start, end)
            bare = _bare(runtime, chosen, start, end)
        found.append([rollback * 1e6, bare * 1e6])
        runtime.batch([Step(chosen.script[end]), Snapshot()], describe=False)
        runtime.discard_before(runtime.frame - deepest)
    return found


def _mispredict(runtime: Runtime, chosen: Subject, start: int, end: int) -> None:
    """Let the last two of these frames have been simulated with other actions: a replay can take over nothing that was there
    before, and simulates all of them. (The last it would simulate in any case.)"""
    actions = list(chosen.script[start:end])
    for place in range(max(0, len(actions) - 2), len(actions)):
        actions[place] = next(others for others in chosen.script if others != actions[place])
    runtime.batch([Rollback(start, actions, save_all=True)], describe=False)


def _rollback(runtime: Runtime, chosen: Subject, start: int, end: int) -> float:
    """As the rollback session does it: all or nothing, with a state of every frame on the way."""
    actions = chosen.script[start:end]
    began = perf_counter()
    runtime.replay(start, actions)
    return perf_counter() - began


def _bare(runtime: Runtime, chosen: Subject, start: int, end: int) -> float:
    """The environment's own steps with nothing around them; afterwards the runtime is brought back to `end`."""
    environment: Any = runtime.simulation.root
    native = chosen.native[start:end]
    runtime.batch([Restore(start)])
    began = perf_counter()
    for actions in native:
        environment.step(actions)
    taken = perf_counter() - began
    runtime.batch([Restore(start), Rollback(start, chosen.script[start:end], save_all=True)], describe=False)
    return taken

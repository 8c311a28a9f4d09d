"""How much memory held snapshots take, beside as many pickles of what the environment itself gives out as its state."""

from __future__ import annotations

import json
import pickle

from bench.inside.heap import in_use
from bench.inside.subjects import Subject, subject
from pyodide_runtime.operations import Snapshot, Step

__all__ = ["measure"]


def measure(request: str) -> str:
    """Bytes that are free again when snapshots of so many frames in a row are let go.

    What they share with the environment, or with each other, is counted as it is: not, or once.

    Args:
        request: JSON of `source` (its environment has a `get_state`) and `count`.

    Returns:
        JSON: `snapshots` and `pickles`, in bytes.
    """
    values = json.loads(request)
    chosen = subject(values["source"], values["count"])
    return json.dumps({"snapshots": _of_a_runtime(chosen, values["count"]), "pickles": _of_pickles(chosen, values["count"])})


def _of_a_runtime(chosen: Subject, count: int) -> int:
    runtime = chosen.runtime()
    for frame in range(count):
        runtime.batch([Step(chosen.script[frame]), Snapshot()], describe=False)
    assert len(runtime.held_frames) == count, "not all are held"
    before = in_use()
    runtime.discard_before(count)  # the newest is the present state itself
    return (before - in_use()) * count // (count - 1)


def _of_pickles(chosen: Subject, count: int) -> int:
    bare = chosen.bare()
    held: list[bytes] = []
    for frame in range(count):
        bare.step(chosen.native[frame])
        held.append(pickle.dumps(bare.get_state()))
    before = in_use()
    del held[:-1]
    return (before - in_use()) * count // (count - 1)

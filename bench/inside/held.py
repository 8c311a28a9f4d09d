"""How much memory held snapshots take, beside as many pickles of what the environment itself gives out as its state."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from typing import Any

from bench.inside.heap import in_use
from bench.inside.subjects import SEED, Subject, subject
from pyodide_runtime.environment import adapt
from pyodide_runtime.snapshots.ways import choose_way

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
    environment = adapt(chosen.experiment.environment(), players=chosen.experiment.players)
    decoders = [environment.codecs[name].decode for name in environment.players]
    environment.reset(SEED)
    way = choose_way(environment, after_reset=True)

    def step(frame: int) -> None:
        environment.step([decode(data) for decode, data in zip(decoders, chosen.script[frame], strict=True)])

    snapshots = _freed(step, way.save, values["count"])
    pickles = _freed(*_plain(chosen), values["count"])
    return json.dumps({"snapshots": snapshots, "pickles": pickles})


def _plain(chosen: Subject) -> tuple[Callable[[int], object], Callable[[], bytes]]:
    """Stepping the bare environment, and pickling its own state."""
    bare = chosen.bare()
    return lambda frame: bare.step(chosen.native[frame]), lambda: pickle.dumps(bare.get_state())


def _freed(step: Callable[[int], object], save: Callable[[], Any], count: int) -> int:
    held: list[Any] = []
    for frame in range(count):
        step(frame)
        held.append(save())
    before = in_use()
    newest = held.pop()  # the next save may rest on it
    held.clear()
    freed = before - in_use()
    del newest
    return freed * count // (count - 1)

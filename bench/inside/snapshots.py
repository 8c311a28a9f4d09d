"""What it costs to save a state, to bring one back, and to digest one, beside a bare step of the same environment.

And beside what one would do otherwise: pickle the environment, or make JSON of the state that it gives out itself.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from time import perf_counter
from typing import Any

from bench.inside.subjects import SEED, Subject, subject
from pyodide_runtime.environment import adapt
from pyodide_runtime.snapshots.ways import Way, choose_way

__all__ = ["measure"]

BLOCK = 10
"""Frames that are summed up in one sample, for the browser's clock ticks only every 5 us."""

BACK = 8
"""How many frames lie between the state that is brought back and the present one."""


def measure(request: str) -> str:
    """Times of one operation each, in microseconds, every one the mean over a block of frames.

    Args:
        request: JSON of `source` and `blocks` (how many samples).

    Returns:
        JSON: `step` (bare), `save`, `otherwise`, `restore`, `digest`: lists of samples; `way`: how snapshots are taken.
    """
    values = json.loads(request)
    frames = values["blocks"] * BLOCK
    chosen = subject(values["source"], frames)
    samples = {**_of_states(chosen, frames), "digest": _of_digests(chosen, frames)}
    return json.dumps({"way": chosen.runtime().simulation.way.value, **samples})


def _of_states(chosen: Subject, frames: int) -> dict[str, list[float]]:
    """Times of `step`, `save`, `otherwise` and `restore`."""
    bare = chosen.bare()
    otherwise = _otherwise(bare)
    samples = _Samples("step", "save", "otherwise", "restore")
    way, step = _played(chosen)
    for frame in range(frames):
        began = perf_counter()
        bare.step(chosen.native[frame])
        samples.add("step", perf_counter() - began)

        step(frame)
        began = perf_counter()
        saved = way.save()
        samples.add("save", perf_counter() - began)

        began = perf_counter()
        otherwise()
        samples.add("otherwise", perf_counter() - began)
        way.restore(saved)  # as in play, where whatever a drawing did is undone
    # By itself, for hardly ever is gone far back between one save and the next.
    way, step = _played(chosen)
    saves: list[Any] = [way.save()]
    for frame in range(frames):
        step(frame)
        saves = [*saves[-BACK:], way.save()]
        began = perf_counter()
        way.restore(saves[0])
        samples.add("restore", perf_counter() - began)
        way.restore(saves[-1])
    return samples.means


def _played(chosen: Subject) -> tuple[Way, Callable[[int], object]]:
    """The way of taking snapshots of a new environment, and what takes the step of a frame in it."""
    environment = adapt(chosen.experiment.environment(), players=chosen.experiment.players)
    decoders = [environment.codecs[name].decode for name in environment.players]
    environment.reset(SEED)

    def step(frame: int) -> object:
        return environment.step([decode(data) for decode, data in zip(decoders, chosen.script[frame], strict=True)])

    return choose_way(environment, after_reset=True), step


def _otherwise(bare: Any) -> Callable[[], object]:
    """What saves the state of a bare environment without the product."""
    if hasattr(bare, "get_state"):
        return lambda: json.dumps(bare.get_state(), default=_plain)
    return lambda: pickle.dumps(bare)


def _plain(value: Any) -> Any:
    """An array or a number of NumPy's as JSON has it."""
    return value.tolist()


def _of_digests(chosen: Subject, frames: int) -> list[float]:
    """Times of `Simulation.digest`."""
    simulation = chosen.runtime().simulation
    samples = _Samples("digest")
    for actions in chosen.script[:frames]:
        simulation.step(actions)
        saved = simulation.save()
        began = perf_counter()
        simulation.digest(saved)
        samples.add("digest", perf_counter() - began)
    return samples.means["digest"]


class _Samples:
    """Times by name, averaged over blocks, in microseconds."""

    def __init__(self, *names: str) -> None:
        self.means: dict[str, list[float]] = {name: [] for name in names}
        self._block: dict[str, list[float]] = {name: [] for name in names}

    def add(self, name: str, seconds: float) -> None:
        block = self._block[name]
        block.append(seconds)
        if len(block) == BLOCK:
            self.means[name].append(sum(block) / BLOCK * 1e6)
            block.clear()

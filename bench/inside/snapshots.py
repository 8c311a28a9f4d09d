"""What it costs to save a state, to bring one back, and to digest one, beside a bare step of the same environment."""

from __future__ import annotations

import json
from time import perf_counter
from typing import Any

from bench.inside.subjects import SEED, subject
from pyodide_runtime.batch import Reset

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
        JSON: `step` (bare), `save`, `restore`, `digest`: lists of samples; `way`: how snapshots are taken.
    """
    values = json.loads(request)
    frames = values["blocks"] * BLOCK
    chosen = subject(values["source"], frames)
    runtime = chosen.runtime()
    runtime.batch([Reset(SEED)])
    simulation = runtime.simulation
    bare = chosen.bare()
    saves: list[Any] = [simulation.save()]
    sums = dict.fromkeys(("step", "save", "restore", "digest"), 0.0)
    samples: dict[str, list[float]] = {name: [] for name in sums}
    for frame in range(frames):
        began = perf_counter()
        bare.step(chosen.native[frame])
        sums["step"] += perf_counter() - began

        simulation.step(chosen.script[frame])
        began = perf_counter()
        saved = simulation.save()
        sums["save"] += perf_counter() - began
        saves = [*saves[-BACK:], saved]

        began = perf_counter()
        simulation.digest(saved)
        sums["digest"] += perf_counter() - began

        began = perf_counter()
        simulation.load(saves[0])
        sums["restore"] += perf_counter() - began
        simulation.load(saved)

        if (frame + 1) % BLOCK == 0:
            for name, value in sums.items():
                samples[name].append(value / BLOCK * 1e6)
            sums = dict.fromkeys(sums, 0.0)
    return json.dumps({"way": simulation.way.value, **samples})

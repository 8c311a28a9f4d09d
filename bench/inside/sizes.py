"""What states of growing size cost: an environment of many arrays, one of which changes in every frame."""

from __future__ import annotations

import json
import pickle
from time import perf_counter
from typing import Any

import numpy as np
from gymnasium.spaces import Discrete

from bench.inside.heap import in_use
from pyodide_runtime.batch import Runtime
from pyodide_runtime.environment import adapt
from pyodide_runtime.operations import Reset, Rollback, Snapshot, Step
from pyodide_runtime.snapshots.ways import choose_way

__all__ = ["Fields", "measure"]

FIELDS = 16
SEED = 7
DEPTH, OFTEN = 8, 20


class Fields:
    """So many bytes of numbers in 16 arrays; in every frame one of them changes in one place. PettingZoo's parallel interface."""

    def __init__(self, size: int) -> None:
        self.possible_agents = ["farmer"]
        self.agents: list[str] = []
        self._length = max(1, size // FIELDS // 8)

    def action_space(self, agent: str) -> Discrete:
        """Where in the field something grows."""
        return Discrete(4)

    def reset(self, seed: int | None = None, options: Any = None) -> tuple[dict[str, int], dict[str, dict[str, Any]]]:
        """All fields are as the seed says."""
        self.agents = list(self.possible_agents)
        draw = np.random.default_rng(seed)
        self.fields = [draw.random(self._length) for _ in range(FIELDS)]
        self.day = 0
        return {"farmer": 0}, {"farmer": {}}

    def step(self, actions: dict[str, int]) -> tuple[Any, ...]:
        """One field changes."""
        field = self.fields[self.day % FIELDS]
        field[(self.day * 31 + actions["farmer"]) % self._length] += 1.0
        self.day += 1
        no = {"farmer": False}
        return {"farmer": 0}, {"farmer": 1.0}, no, no, {"farmer": {}}


def measure(request: str) -> str:
    """Times of one size of state.

    Args:
        request: JSON of `size` (bytes), `frames` (that are saved), `held` (snapshots whose memory is measured) and `pairs` (of a
            rollback and bare steps).

    Returns:
        JSON: `save`, `pickle`, `restore`: times in microseconds, one for each frame; `rollback`: pairs of a rollback of 8 frames
        and 8 bare steps; `held`: bytes a snapshot; `way`.
    """
    values = json.loads(request)
    size = values["size"]
    environment = adapt(Fields(size), players=1)
    environment.reset(SEED)
    way = choose_way(environment, after_reset=True)
    bare = Fields(size)
    bare.reset(seed=SEED)
    found: dict[str, list[float]] = {"save": [], "pickle": [], "restore": []}
    saves = [way.save()]
    for frame in range(values["frames"]):
        environment.step([frame % 4])
        found["save"].append(_time(lambda: saves.append(way.save())))
        bare.step({"farmer": frame % 4})
        found["pickle"].append(_time(lambda: pickle.dumps(bare)))
        found["restore"].append(_time(lambda: way.restore(saves[-3:][0])))
        way.restore(saves[-1])
        del saves[:-4]
    before = in_use()
    for frame in range(values["held"]):
        environment.step([frame % 4])
        saves.append(way.save())
    held = (in_use() - before) / values["held"]
    way_name = Runtime(Fields(size), seed=SEED).simulation.way.value
    return json.dumps({**found, "held": held, "rollback": _pairs(size, values["pairs"]), "way": way_name})


def _pairs(size: int, pairs: int) -> list[list[float]]:
    runtime = Runtime(Fields(size), seed=SEED)
    data = [tuple(codec.encode(frame % 4) for codec in runtime.simulation.codecs) for frame in range(pairs + DEPTH)]
    runtime.batch([Reset(SEED), Snapshot()])
    for actions in data[:DEPTH]:
        runtime.batch([Step(actions), Snapshot()], describe=False)
    bare = Fields(size)
    bare.reset(seed=SEED)
    found = []
    for number in range(pairs):
        start, end = runtime.frame - DEPTH, runtime.frame
        operation = Rollback(start, data[start:end], stop_at_end=True, save_all=True)
        rollback = _time(lambda: runtime.batch([operation], describe=False))  # noqa: B023
        # They take less than a tick of the clock.
        steps = _time(lambda: [bare.step({"farmer": frame % 4}) for frame in range(DEPTH * OFTEN)])
        found.append([rollback, steps / OFTEN])
        runtime.batch([Step(data[DEPTH + number]), Snapshot()], describe=False)
        runtime.discard_before(runtime.frame - DEPTH)
    return found


def _time(work: Any) -> float:
    began = perf_counter()
    work()
    return (perf_counter() - began) * 1e6

"""The arena in Pyodide, with rollbacks on the way, against a run in CPython that never rolled back: equal digests, equal rows.

The arena keeps to arithmetic that is exact everywhere, so its bytes may be compared between hosts.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from pytest_pyodide import run_in_pyodide

from pyodide_runtime.batch import Runtime
from pyodide_runtime.operations import Snapshot, Step
from pyodide_runtime.rows import row_cells, to_csv
from tests.pyodide.sources import ROOT, example, place

SEED = 20
FRAMES = 450
EVERY = 10
DEEPEST = 8

Frame = tuple[int, int]


@dataclass(frozen=True)
class Straight:
    """What a run without rollbacks in CPython came to.

    Attributes:
        digests: of the state at the beginning of every tenth frame, from frame 0 to the end.
        export: the bytes of the CSV.
    """

    digests: dict[int, str]
    export: bytes


def script() -> list[Frame]:
    """Both players' actions in every frame: held for a while, as people do, and every action of the arena among them."""
    choices = random.Random(SEED)
    found: list[list[int]] = []
    for _ in range(2):
        one: list[int] = []
        while len(one) < FRAMES:
            one += [choices.randrange(10)] * choices.randint(1, 12)
        found.append(one[:FRAMES])
    return list(zip(found[0], found[1], strict=True))


def slips() -> list[tuple[int, int]]:
    """(frame, depth): after which frames the last so many turn out to have been predicted wrong; some twice."""
    choices = random.Random(SEED + 1)
    found = []
    for frame in range(1, FRAMES):
        if choices.random() < 0.4:
            found += [(frame, choices.randint(1, min(DEEPEST, frame))) for _ in range(choices.randint(1, 2))]
    return found


@pytest.fixture(scope="module")
def straight() -> Iterator[Straight]:
    """The run in this process."""
    folder = str(ROOT / "examples")
    sys.path.insert(0, folder)
    try:
        from arena_environment import Arena
    finally:
        sys.path.remove(folder)
    runtime = Runtime(Arena(FRAMES), seed=SEED)
    runtime.batch([Snapshot()])
    digests = {0: runtime.digest().hex()}
    for red, blue in script():
        runtime.batch([Step({"red": red, "blue": blue}), Snapshot()])
        if runtime.frame % EVERY == 0:
            digests[runtime.frame] = runtime.digest().hex()
    cells = [row_cells(0, record, runtime.players, runtime.simulation.codecs, (True, True)) for record in runtime.records]
    yield Straight(digests, to_csv(cells))


@run_in_pyodide
def play_with_rollbacks(
    selenium: Any, seed: int, every: int, script: list[Any], slips: list[Any]
) -> tuple[dict[int, str], bytes, dict[str, Any]]:
    import pyodide_runtime as pr  # before gymnasium, which does not import without it
    from pyodide_runtime.rows import row_cells, to_csv

    from arena_environment import Arena  # isort: skip

    def right(frame: int) -> dict[str, int]:
        return {"red": script[frame][0], "blue": script[frame][1]}

    def wrong(frame: int) -> dict[str, int]:
        return {"red": script[frame][0], "blue": (script[frame][1] + 3) % 10}

    def mistaken(start: int, end: int) -> Any:
        return pr.Rollback(start, [wrong(frame) for frame in range(start, end)], save_all=True)

    def corrected(start: int, end: int) -> Any:
        return pr.Rollback(start, [right(frame) for frame in range(start, end)], save_all=True)

    runtime = pr.Runtime(Arena(len(script)), seed=seed, max_snapshots=1000)
    runtime.batch([pr.Snapshot()])
    seen = {"rollbacks": 0, "differed": 0, "done": False}
    pending = list(slips)
    for frame in range(len(script)):
        runtime.batch([pr.Step(right(frame)), pr.Snapshot()])
        while pending and pending[0][0] == runtime.frame:
            _, depth = pending.pop(0)
            start, end = runtime.frame - depth, runtime.frame
            before = runtime.digest()
            runtime.batch([mistaken(start, end)])
            seen["differed"] += runtime.digest() != before
            runtime.batch([corrected(start, end)])
            seen["rollbacks"] += 2
            assert runtime.digest() == before
    seen["done"] = runtime.done
    digests = {frame: runtime.snapshot_digest(frame).hex() for frame in runtime.held_frames if frame % every == 0}
    rows = [row_cells(0, record, runtime.players, runtime.simulation.codecs, (True, True)) for record in runtime.records]
    return digests, to_csv(rows), seen


def test_every_tenth_state_and_every_row_of_the_arena_are_those_of_cpython(selenium: Any, straight: Straight) -> None:
    source = example("arena")
    selenium.load_package(["pyodide-runtime", "pettingzoo"])
    place(selenium, source["files"])
    digests, export, seen = play_with_rollbacks(selenium, SEED, EVERY, script(), slips())
    assert seen["done"] is True
    assert seen["rollbacks"] >= 200
    assert seen["differed"] >= 100
    assert export == straight.export
    assert digests == straight.digests
    assert len(digests) == FRAMES // EVERY + 1
    assert len(set(digests.values())) == len(digests)

"""A partner policy in Pyodide, asked from JavaScript, with rollbacks on the way: what it does is what it does in CPython."""

from __future__ import annotations

import json
from typing import Any

import pytest

import pyodide_runtime as pr
from tests.netcode.environments import Pond
from tests.netcode.partners import Heron
from tests.pyodide.sources import own, place

FRAMES = 40

SETUP = f"""
import pyodide_runtime as pr
from tests.netcode.environments import Pond
from tests.netcode.partners import Heron

runtime = pr.Runtime(Pond(3), seed=3, max_steps={FRAMES}, partner=Heron())
"""

STATE = """
    return pyodide.runPython(`
        import json
        json.dumps({"digest": runtime.digest().hex(), "rows": runtime.rows, "played": [
            [data.hex() for data in record.played] for record in runtime.records]})
    `)
"""


def actions(frame: int) -> dict[str, int | None]:
    """What the frogs do in a frame; where it is None (in JavaScript null), the partner plays."""
    return {"frog_0": frame % 4, "frog_1": None if frame % 7 < 4 else 1, "frog_2": None if frame > 15 else 4}


def state_of(runtime: pr.Runtime) -> dict[str, Any]:
    played = [[data.hex() for data in record.played] for record in runtime.records]
    found: dict[str, Any] = json.loads(json.dumps({"digest": runtime.digest().hex(), "rows": runtime.rows, "played": played}))
    return found


@pytest.fixture
def pond(selenium: Any) -> Any:
    """Pyodide with a `runtime` whose partner is a heron."""
    selenium.load_package("pyodide-runtime")
    names = ("tests/netcode/__init__.py", "tests/netcode/environments.py", "tests/netcode/partners.py")
    place(selenium, own(*names))
    selenium.run(SETUP)
    selenium.run_js("globalThis.runtime?.destroy(); globalThis.runtime = pyodide.globals.get('runtime');")
    return selenium


def test_a_partner_plays_in_pyodide_as_in_cpython(pond: Any) -> None:
    straight = pr.Runtime(Pond(3), seed=3, max_steps=FRAMES, partner=Heron())
    straight.batch([pr.Snapshot(), *[item for frame in range(FRAMES) for item in (pr.Step(actions(frame)), pr.Snapshot())]])
    pond.run_js('runtime.batch([{ op: "snapshot" }])')
    for frame in range(FRAMES):
        start = max(0, frame - 5)
        right = [actions(past) for past in range(start, frame)]
        wrong = [{**given, "frog_0": 4, "frog_1": None} for given in right]
        rolled = [{"op": "rollback", "frame": start, "actions": given, "save_all": True} for given in (wrong, right)]
        step = {"op": "step", "actions": actions(frame)}
        pond.run_js(f"runtime.batch({json.dumps([*rolled, step, {'op': 'snapshot'}])})")
    found = json.loads(pond.run_js(STATE))
    assert found == state_of(straight)
    assert len({played[1] for played in found["played"]}) == 5

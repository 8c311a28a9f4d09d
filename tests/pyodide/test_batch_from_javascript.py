"""`Runtime.batch` called from JavaScript: plain objects in, plain objects out, all or none, and nothing left behind.

The environment is the tests' own, pure Python with whole numbers, so that CPython in this process is the reference.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

import pyodide_runtime as pr
from tests.pyodide.reef import Reef
from tests.pyodide.sources import own, place

FRAMES = 40

SETUP = f"""
import pyodide_runtime as pr
from tests.pyodide.reef import Reef

def make():
    return pr.Runtime(Reef(), seed=3, max_steps={FRAMES})
"""


def actions(frame: int) -> dict[str, int]:
    """What both frogs do in a frame."""
    return {"frog_0": frame % 4, "frog_1": (frame * 7 + frame // 5) % 5}


def step(frame: int) -> dict[str, Any]:
    return {"op": "step", "actions": actions(frame)}


def reference() -> pr.Runtime:
    """The same runtime in this process."""
    return pr.Runtime(Reef(), seed=3, max_steps=FRAMES)


class Page:
    """What JavaScript does with a runtime in the Pyodide of these tests."""

    def __init__(self, selenium: Any) -> None:
        self.selenium = selenium

    def js(self, code: str) -> Any:
        """Run JavaScript that returns JSON text; the value that it stands for."""
        return json.loads(self.selenium.run_js(code))

    def batch(self, operations: list[dict[str, Any]]) -> Any:
        """Hand over an array of plain objects, as JavaScript writes it down."""
        return self.js(f"return JSON.stringify(runtime.batch({json.dumps(operations)}))")

    def refused(self, operations: str) -> dict[str, Any]:
        """What JavaScript sees of a batch that fails."""
        found: dict[str, Any] = self.js(f"""
            try {{
                runtime.batch({operations});
                return "null";
            }} catch (error) {{
                const last = error.message.trim().split("\\n").pop();
                const isPythonError = error instanceof pyodide.ffi.PythonError;
                return JSON.stringify({{ isPythonError, type: error.type, last }});
            }}
        """)
        return found

    def state(self) -> dict[str, Any]:
        """All that can be read of the runtime."""
        found: dict[str, Any] = self.js("""
            return pyodide.runPython(`
                import json
                json.dumps({
                    "frame": runtime.frame,
                    "done": runtime.done,
                    "seed": runtime.seed,
                    "digest": runtime.digest().hex(),
                    "held": {frame: runtime.snapshot_digest(frame).hex() for frame in runtime.held_frames},
                    "rows": runtime.rows,
                })
            `)
        """)
        return found


def state_of(runtime: pr.Runtime) -> dict[str, Any]:
    """The same of a runtime in this process, as JSON values."""
    told = {
        "frame": runtime.frame,
        "done": runtime.done,
        "seed": runtime.seed,
        "digest": runtime.digest().hex(),
        "held": {frame: runtime.snapshot_digest(frame).hex() for frame in runtime.held_frames},
        "rows": runtime.rows,
    }
    found: dict[str, Any] = json.loads(json.dumps(told))
    return found


@pytest.fixture
def page(selenium: Any) -> Page:
    """A page with a new `runtime`, at frame 0 of the episode of seed 3."""
    selenium.load_package("pyodide-runtime")
    if not selenium.run_js("return Boolean(globalThis.made)"):
        place(selenium, own("tests/netcode/__init__.py", "tests/netcode/environments.py", "tests/pyodide/reef.py"))
        selenium.run(SETUP)
        selenium.run_js("globalThis.made = pyodide.globals.get('make');")
    selenium.run_js("""
        globalThis.runtime?.destroy();
        globalThis.runtime = made();
        pyodide.globals.set("runtime", runtime);
    """)
    return Page(selenium)


# -- plain objects in, plain objects out


def test_every_operation_answers_javascript_as_it_answers_cpython(page: Page) -> None:
    here = reference()
    batches: list[list[dict[str, Any]]] = [
        [{"op": "snapshot"}, *(step(frame) for frame in range(5)), {"op": "snapshot"}, step(5), {"op": "snapshot"}],
        [{"op": "restore", "frame": 5}],
        [{"op": "rollback", "frame": 0, "actions": [actions(frame + 1) for frame in range(6)]}],
        [{"op": "rollback", "frame": 5, "actions": [actions(9)] * 50, "stop_at_end": True, "save_all": True}],
        [{"op": "reset", "seed": 11}, step(2), {"op": "snapshot"}],
        [{"op": "reset"}, {"op": "snapshot"}],
    ]
    for operations in batches:
        assert page.batch(operations) == json.loads(json.dumps(here.batch(operations)))
        assert page.state() == state_of(here)


def test_results_are_plain_objects_through_and_through(page: Page) -> None:
    found = page.js(f"""
        const results = runtime.batch([{{ op: "snapshot" }}, {json.dumps(step(1))},
            {{ op: "rollback", frame: 0, actions: {json.dumps([actions(1), actions(2)])} }}]);
        const kinds = new Set();
        const look = (value) => {{
            if (value === null || typeof value !== "object") return kinds.add(typeof value);
            kinds.add(Array.isArray(value) ? "array" : Object.getPrototypeOf(value) === Object.prototype ? "object" : "other");
            for (const part of Object.values(value)) look(part);
        }};
        look(results);
        return JSON.stringify([...kinds].sort());
    """)
    assert found == ["array", "boolean", "number", "object", "string"]


def test_an_empty_batch_changes_nothing(page: Page) -> None:
    before = page.state()
    assert page.batch([]) == []
    assert page.state() == before


def test_a_seed_left_out_or_undefined_repeats_the_episode(page: Page) -> None:
    page.batch([{"op": "reset", "seed": 2**53 - 1}, step(0)])
    digest = page.state()["digest"]
    for again in ("{ op: 'reset' }", "{ op: 'reset', seed: undefined }"):
        page.js(f"return JSON.stringify(runtime.batch([{again}, {json.dumps(step(0))}]))")
        assert (page.state()["seed"], page.state()["digest"]) == (2**53 - 1, digest)


# -- the law of snapshots, through JavaScript


@pytest.mark.parametrize("depth", [1, 4, 8])
def test_a_rollback_leaves_what_a_run_without_one_holds(page: Page, depth: int) -> None:
    straight = reference()
    straight.batch([{"op": "snapshot"}])
    page.batch([{"op": "snapshot"}])
    for frame in range(FRAMES):
        if frame >= depth:
            start = frame - depth
            page.batch([{"op": "restore", "frame": start}])
            guessed = [{"frog_0": 3, "frog_1": 0}] * depth
            page.batch([{"op": "rollback", "frame": start, "actions": guessed, "save_all": True}])
            right = [actions(past) for past in range(start, frame)]
            page.batch([{"op": "rollback", "frame": start, "actions": right, "save_all": True}])
        for runtime in (page, straight):
            runtime.batch([step(frame), {"op": "snapshot"}])
    assert straight.done
    assert page.state() == state_of(straight)


# -- all or none, with errors that JavaScript can read


@pytest.mark.parametrize(
    ("failing", "index", "operation", "cause"),
    [
        ("{ op: 'jump' }", 2, "jump", "OperationError: there is no operation 'jump'"),
        ("{ frame: 3 }", 2, "?", "OperationError: there is no operation None"),
        ("'step'", 2, "str", "OperationError: 'step' is not an operation"),
        ("{ op: 'step' }", 2, "step", "OperationError: operation 'step' needs the field 'actions'"),
        ("{ op: 'snapshot', frame: 3 }", 2, "snapshot", "OperationError: operation 'snapshot' has no field 'frame'"),
        ("{ op: 'step', actions: [1, 2] }", 2, "step", "OperationError: actions are a mapping from player to action"),
        ("{ op: 'step', actions: { frog_0: 1, toad: 1 } }", 2, "step", "UnknownPlayer: there is no player 'toad'"),
        ("{ op: 'step', actions: { frog_0: 1 } }", 2, "step", "ActionError: player frog_1 gave no action"),
        ("{ op: 'step', actions: { frog_0: 1, frog_1: 5 } }", 2, "step", "ActionError: player frog_1"),
        ("{ op: 'step', actions: { frog_0: 1.5, frog_1: 0 } }", 2, "step", "ActionError: player frog_0"),
        ("{ op: 'step', actions: { frog_0: '1', frog_1: 0 } }", 2, "step", "ActionError: player frog_0"),
        ("{ op: 'restore', frame: 77 }", 2, "restore", "FrameNotHeld: no snapshot of frame 77 is held"),
        ("{ op: 'restore', frame: 0.5 }", 2, "restore", "OperationError: frame 0.5 is not a whole number"),
        ("{ op: 'rollback', frame: 0, actions: {} }", 2, "rollback", "OperationError: the actions of a rollback are a list"),
        ("{ op: 'reset', seed: -1 }", 2, "reset", "OperationError: seed=-1"),
        ("{ op: 'step', actions: { frog_0: 4, frog_1: 0 } }", 2, "step", "EnvironmentFailed: frame 2: step raised RuntimeError"),
    ],
)
def test_a_batch_that_fails_changes_nothing_and_names_what_failed(
    page: Page, failing: str, index: int, operation: str, cause: str
) -> None:
    page.batch([{"op": "snapshot"}, step(0)])
    before = page.state()
    told = page.refused(f"[{json.dumps(step(1))}, {{ op: 'snapshot' }}, {failing}, {json.dumps(step(3))}]")
    assert told["isPythonError"] is True
    assert told["type"] == "BatchError"
    assert told["last"].startswith(f"pyodide_runtime.errors.BatchError: operation {index} ({operation}): {cause}"), told["last"]
    assert page.state() == before
    # The state is good to go on with.
    assert page.batch([step(1)])[0]["frame"] == 2


def test_a_rollback_that_fails_on_the_way_changes_nothing(page: Page) -> None:
    page.batch([{"op": "snapshot"}, step(0), {"op": "snapshot"}, step(1), step(2), {"op": "snapshot"}])
    before = page.state()
    told = page.refused("[{ op: 'rollback', frame: 1, actions: [{ frog_0: 0, frog_1: 1 }, { frog_0: 4, frog_1: 1 }] }]")
    assert "operation 0 (rollback): EnvironmentFailed: frame 2" in told["last"]
    assert page.state() == before


def test_a_step_past_the_end_is_refused(page: Page) -> None:
    page.batch([step(frame) for frame in range(FRAMES)])
    before = page.state()
    assert before["done"] is True
    told = page.refused(f"[{json.dumps(step(0))}]")
    assert f"operation 0 (step): EpisodeEnded: the episode ended with frame {FRAMES - 1}" in told["last"]
    assert page.state() == before


@pytest.mark.parametrize("given", ["{ op: 'step' }", "'snapshot'", "7"])
def test_what_is_no_array_is_refused(page: Page, given: str) -> None:
    before = page.state()
    told = page.refused(given)
    assert (told["type"], told["last"].split(": ")[0]) == ("OperationError", "pyodide_runtime.errors.OperationError")
    assert page.state() == before


# -- nothing left behind


def test_no_proxies_are_left_behind(page: Page) -> None:
    page.selenium.enable_pyproxy_tracing()
    try:
        # The first call makes the proxy of the method itself, which the runtime's proxy keeps.
        page.batch([{"op": "reset"}, {"op": "snapshot"}])
        before = page.js("return JSON.stringify(pyodide._module.pyproxy_alloc_map.size)")
        page.js(f"""
            for (let round = 0; round < 30; round += 1) {{
                runtime.batch([{{ op: "reset", seed: round }}, {{ op: "snapshot" }},
                    {json.dumps(step(1))}, {json.dumps(step(2))}, {{ op: "restore", frame: 0 }},
                    {{ op: "rollback", frame: 0, actions: {json.dumps([actions(1), actions(2)])} }}]);
                try {{
                    runtime.batch([{json.dumps(step(1))}, {{ op: "restore", frame: 99 }}]);
                }} catch (error) {{
                    if (error.type !== "BatchError") throw error;
                }}
            }}
            return "null";
        """)
        after = page.js("return JSON.stringify(pyodide._module.pyproxy_alloc_map.size)")
        assert page.js("const proxy = pyodide.toPy({}); return JSON.stringify(pyodide._module.pyproxy_alloc_map.size)") == after + 1
        assert after == before
    finally:
        page.selenium.disable_pyproxy_tracing()

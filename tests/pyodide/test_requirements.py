"""What an experiment requires beyond the distribution is installed for real, and what cannot be had is one clear, typed error."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.pyodide.sources import ROOT
from tests.pyodide.tiny_wheels import Shelf, serve_shelf, wheel

#: As the worker and the host under Node do it, with the very functions of the bridge.
LOAD = """
%s
%s
const [requirements, lock, config, index] = %s;
const worker = pyodide.pyimport("pyodide_runtime.worker");
const stages = [];
try {
    await pyodide.loadPackage("micropip", { messageCallback: () => {} });
    if (index) pyodide.runPython(`import micropip; micropip.set_index_urls(["${index}"])`);
    const plan = JSON.parse(worker.plan_requirements(JSON.stringify(requirements), lock));
    await loadRequirements(pyodide, plan, (name, work) => (stages.push(name), work()));
    return JSON.stringify({ plan, stages, about: JSON.parse(worker.open(JSON.stringify(config))) });
} catch (error) {
    return JSON.stringify({ stages, type: error.type, ...explain(error, Object.keys(config.experiment.files)) });
} finally {
    worker.destroy();
}
"""

EXPERIMENT = """
import pyodide_runtime as pr
import tiny

class Environment:
    possible_agents = ["one"]

    def __init__(self):
        self.agents = []

    def action_space(self, agent):
        return tiny.Discrete()

    def reset(self, seed=None, options=None):
        self.agents = ["one"]
        return {"one": 0}, {"one": {}}

    def step(self, actions):
        return {"one": 0}, {"one": 0.0}, {"one": False}, {"one": False}, {"one": {}}

experiment = pr.Experiment(
    name=tiny.NAME, environment=Environment, players=1, keys={"a": 1}, draw=lambda env: [],
)
"""

TINY = 'NAME = "from the wheel"\nclass Discrete:\n    start, n = 0, 3\n'


@pytest.fixture(scope="module")
def shelf() -> Iterator[Shelf]:
    with serve_shelf() as made:
        yield made


@pytest.fixture
def ready(selenium_standalone: Any) -> Any:
    """A new Pyodide, in which nothing was installed before."""
    selenium_standalone.load_package("pyodide-runtime")
    return selenium_standalone


@pytest.fixture
def shared(selenium: Any) -> Any:
    """A Pyodide for what installs nothing."""
    selenium.load_package("pyodide-runtime")
    return selenium


def load(selenium: Any, distribution: Path, index: Shelf | None, *requirements: str) -> dict[str, Any]:
    """Load requirements and open the experiment as the bridge does; what the page would be told.

    Names are looked for at a shelf instead of the public index, which a test must not need.
    """
    scripts = [(ROOT / "js_bridge" / name).read_text(encoding="utf-8") for name in ("worker/packages.js", "failure.js")]
    loading, failure = (script.replace("export ", "") for script in scripts)
    lock = (distribution / "pyodide-lock.json").read_text(encoding="utf-8")
    experiment = {"module": "small", "files": {"small.py": EXPERIMENT}, "requirements": list(requirements), "settings": {}}
    names = index and f"{index.address}/index/{{package_name}}/"
    told = [list(requirements), lock, {"session": "s", "experiment": experiment}, names]
    found: dict[str, Any] = json.loads(selenium.run_js(LOAD % (loading, failure, json.dumps(told))))
    return found


def refused(found: dict[str, Any], requirement: str) -> str:
    """The reason why a requirement was refused, after one typed message that names it."""
    assert found.get("type") == "RequirementError", found
    message = found["error"]
    assert "\n" not in message and "Traceback" not in message
    start = f"the requirement {requirement!r} cannot be installed: "
    assert message.startswith(start)
    return str(message.removeprefix(start))


def test_a_wheel_by_its_address_is_installed_and_the_experiment_imports_it(ready: Any, distribution: Path, shelf: Shelf) -> None:
    address = shelf.put("tiny-1.0-py3-none-any.whl", wheel("tiny", "1.0", TINY))
    found = load(ready, distribution, shelf, f"tiny @ {address}")
    assert found.get("about", found)["name"] == "from the wheel"
    assert found["plan"] == {"load": [], "install": [f"tiny @ {address}"]}
    assert found["stages"] == ["packages", "install"]
    # Both peers' hellos name it, so that they notice if they have different ones.
    versions = ready.run("from pyodide_runtime import participant\nparticipant.versions()['packages']['tiny']")
    assert versions == "1.0"


def test_what_a_wheel_requires_comes_with_it(ready: Any, distribution: Path, shelf: Shelf) -> None:
    grain = shelf.put("grain-2.0-py3-none-any.whl", wheel("grain", "2.0", TINY))
    address = shelf.put(
        "tiny-1.1-py3-none-any.whl", wheel("tiny", "1.1", "from grain import *", f"grain @ {grain}", "cloudpickle>=3")
    )
    found = load(ready, distribution, shelf, f"tiny @ {address}")
    assert found.get("about", found)["name"] == "from the wheel"
    versions = "from importlib.metadata import version\n[version(name) for name in ('tiny', 'grain', 'cloudpickle')]"
    assert ready.run(versions)[:2] == ["1.1", "2.0"]


def test_a_wheel_that_is_not_there_is_named(shared: Any, distribution: Path, shelf: Shelf) -> None:
    requirement = f"tiny @ {shelf.address}/gone/tiny-1.0-py3-none-any.whl"
    reason = refused(load(shared, distribution, shelf, requirement), requirement)
    assert reason == f"{shelf.address}/gone/tiny-1.0-py3-none-any.whl: the server answered 404"


def test_of_several_requirements_the_one_that_cannot_be_had_is_named(ready: Any, distribution: Path, shelf: Shelf) -> None:
    address = shelf.put("tiny-1.0-py3-none-any.whl", wheel("tiny", "1.0", TINY))
    found = load(ready, distribution, shelf, f"tiny @ {address}", "nothing-of-the-kind==1.0", "typing_extensions")
    assert "nothing-of-the-kind" in refused(found, "nothing-of-the-kind==1.0")
    assert "/index/nothing-of-the-kind/" in shelf.asked


def test_a_server_that_is_not_there_is_a_reason(shared: Any, distribution: Path, shelf: Shelf) -> None:
    with serve_shelf() as gone:
        requirement = f"tiny @ {gone.address}/tiny-1.0-py3-none-any.whl"
    reason = refused(load(shared, distribution, shelf, requirement), requirement)
    assert reason.startswith(f"{gone.address}/tiny-1.0-py3-none-any.whl cannot be reached")


@pytest.mark.parametrize("data", [b"", b"no archive at all"])
def test_a_file_that_is_no_wheel_is_a_reason(shared: Any, distribution: Path, shelf: Shelf, data: bytes) -> None:
    requirement = f"tiny @ {shelf.put('broken/tiny-1.0-py3-none-any.whl', data)}"
    assert re.search("zip", refused(load(shared, distribution, shelf, requirement), requirement))


def test_a_wheel_for_another_platform_is_a_reason(shared: Any, distribution: Path, shelf: Shelf) -> None:
    name = "tiny-1.0-cp311-cp311-manylinux_2_17_x86_64.whl"
    requirement = f"tiny @ {shelf.put(name, wheel('tiny', '1.0', TINY))}"
    assert re.search("platform|not compatible", refused(load(shared, distribution, shelf, requirement), requirement))


def test_another_version_than_the_locked_one_is_said_beside_the_one_that_there_is(
    shared: Any, distribution: Path, shelf: Shelf
) -> None:
    lock = json.loads((distribution / "pyodide-lock.json").read_text(encoding="utf-8"))
    reason = refused(load(shared, distribution, shelf, "cogrid==9.9"), "cogrid==9.9")
    assert reason == f"Can't fetch metadata for 'cogrid'; the server itself has cogrid {lock['packages']['cogrid']['version']}"


def test_a_version_that_the_locked_one_satisfies_needs_no_index(ready: Any, distribution: Path, shelf: Shelf) -> None:
    address = shelf.put("tiny-1.0-py3-none-any.whl", wheel("tiny", "1.0", TINY))
    found = load(ready, distribution, None, "cloudpickle>=3.0", f"tiny @ {address}")
    assert found.get("about", found)["name"] == "from the wheel"
    assert ready.run("import micropip\nmicropip.list()['cloudpickle'].source") == "pyodide"

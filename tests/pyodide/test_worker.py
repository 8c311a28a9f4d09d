"""What the bridge calls in the worker: requirements are planned, files become an environment, a mistake is one clear message."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.pyodide.sources import EXAMPLES, ROOT, example

FILES = {
    "study.py": """
import pyodide_runtime as pr
from study_parts import world
from study_parts.look import draw

experiment = pr.Experiment(
    name="Study", environment=world.Walk, players=2, fps=20, max_steps=30, keys={"ArrowUp": 1, " ": 2}, draw=draw,
    instructions="Walk.",
)
""",
    "study_parts/__init__.py": "",
    "study_parts/look.py": """
def draw(env, player=None):
    place = env.places.get(player, 4)
    return {"width": 320, "height": 200, "shapes": [{"shape": "circle", "x": place, "y": 5, "radius": 3, "fill": "red"}]}
""",
    "study_parts/world.py": '''
"""Zwei gehen: ein Weg, zwei Füße."""

class Discrete:
    start, n = 0, 3

class Walk:
    possible_agents = ["left", "right"]

    def __init__(self):
        self.agents, self.places, self.space = [], {}, Discrete()

    def action_space(self, agent):
        return self.space

    def reset(self, seed=None, options=None):
        self.agents = list(self.possible_agents)
        self.places = {name: (seed or 0) % 7 for name in self.agents}
        return dict(self.places), {name: {} for name in self.agents}

    def step(self, actions):
        for name, action in actions.items():
            self.places[name] += action
        no = dict.fromkeys(self.agents, False)
        return dict(self.places), dict.fromkeys(self.agents, 1.0), no, no, {name: {} for name in self.agents}
''',
}

#: A whole experiment in one file, with places to spoil.
SOUND = """
import pyodide_runtime as pr
import gymnasium

def make():
    return gymnasium.make("CartPole-v1")

def draw(env):
    return [{"shape": "rect", "x": 1, "y": 2, "width": 3, "height": 4, "fill": "red"}]

experiment = pr.Experiment(name="Sound", environment=make, keys={"a": 1}, draw=draw)
"""

EXPLAIN = (ROOT / "js_bridge" / "failure.js").read_text(encoding="utf-8").replace("export function", "function")

OPEN = """
%s
const [config, files] = %s;
const worker = pyodide.pyimport("pyodide_runtime.worker");
try {
    return JSON.stringify({ about: JSON.parse(worker.open(JSON.stringify(config))) });
} catch (error) {
    return JSON.stringify({ type: error.type, ...explain(error, files) });
} finally {
    worker.destroy();
}
"""


def opened(selenium: Any, module: str, files: dict[str, str]) -> dict[str, Any]:
    """What the page is told when an experiment is opened: `about`, or `error`, as the bridge's worker words it."""
    config = {"session": "s", "experiment": {"module": module, "files": files, "requirements": [], "settings": {}}}
    found: dict[str, Any] = json.loads(selenium.run_js(OPEN % (EXPLAIN, json.dumps([config, list(files)]))))
    return found


@pytest.fixture
def ready(selenium: Any) -> Any:
    """A Pyodide with gymnasium."""
    selenium.load_package(["pyodide-runtime", "gymnasium"])
    return selenium


# -- requirements


def planned(selenium: Any, requirements: list[str], lock: str) -> dict[str, list[str]]:
    """The plan for these requirements, with the text of a lock."""
    found: dict[str, list[str]] = json.loads(
        selenium.run_js(f"""
            const worker = pyodide.pyimport("pyodide_runtime.worker");
            const plan = worker.plan_requirements({json.dumps(json.dumps(requirements))}, {json.dumps(lock)});
            worker.destroy();
            return plan;
        """)
    )
    return found


def test_what_the_lock_has_is_loaded_and_the_rest_is_installed(ready: Any, distribution: Path) -> None:
    lock = (distribution / "pyodide-lock.json").read_text(encoding="utf-8")
    wanted = ["cogrid==0.3.2", "typing_extensions", "PettingZoo", "cogrid==9.9", "gymnasium>=1.0", "nothing-of-the-kind==1"]
    assert planned(ready, wanted, lock) == {
        "load": ["cogrid", "typing-extensions", "pettingzoo"],
        "install": ["cogrid==9.9", "gymnasium>=1.0", "nothing-of-the-kind==1"],
    }
    assert planned(ready, [], lock) == {"load": [], "install": []}


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_needs_nothing_but_the_distribution(ready: Any, distribution: Path, name: str) -> None:
    lock = (distribution / "pyodide-lock.json").read_text(encoding="utf-8")
    plan = planned(ready, example(name)["requirements"], lock)
    assert plan["install"] == []
    assert len(plan["load"]) == 1


# -- an experiment's files


def test_files_in_folders_become_an_experiment(ready: Any) -> None:
    told = opened(ready, "study", FILES)
    assert "error" not in told, told["text"]
    about = told["about"]
    assert {key: about[key] for key in ("name", "width", "height", "keys", "instructions")} == {
        "name": "Study",
        "width": 320,
        "height": 200,
        "keys": [" ", "ArrowUp"],
        "instructions": "Walk.",
    }
    assert about["stats"][:2] == ["frame", "confirmedFrame"]


def test_a_sound_experiment_is_opened(ready: Any) -> None:
    assert opened(ready, "sound", {"sound.py": SOUND})["about"]["name"] == "Sound"


@pytest.mark.parametrize(
    ("name", "was", "becomes", "error"),
    [
        ("no_colon", "def make():", "def make()", "no_colon.py:5: SyntaxError: expected ':'"),
        ("no_module", "import gymnasium", "import gimnasium", "no_module.py:3: ModuleNotFoundError: No module named 'gimnasium'"),
        ("no_name", "return gymnasium", "return gymnasia", "no_name.py:6: NameError: name 'gymnasia' is not defined"),
        ("no_experiment", "experiment = ", "experimint = ", "no_experiment.py: the file sets no `experiment = pr.Experiment(...)`"),
        ("no_draw", 'return [{"shape"', 'return {}["shape"]; [{"shape"', "no_draw.py:9: KeyError: 'shape'"),
        ("bad_draw", 'return [{"shape"', 'return 7; [{"shape"', "draw returned 7; return an RGB array"),
        ("bad_setting", 'name="Sound"', 'name="Sound", fps=0', "bad_setting.py:11: fps: "),
        ("bad_key", '{"a": 1}', '{"a": 2}', "keys['a']=2 is no action of player player_0"),
        ("bad_count", 'name="Sound"', 'name="Sound", players=2', "action space Discrete(2) has no part for each of 2 players"),
        ("no_environment", 'return gymnasium.make("CartPole-v1")', "return 7", "int is not an environment"),
    ],
)
def test_an_experiment_with_a_mistake_gives_one_clear_message(ready: Any, name: str, was: str, becomes: str, error: str) -> None:
    assert SOUND.count(was) == 1
    told = opened(ready, name, {f"{name}.py": SOUND.replace(was, becomes)})
    assert told["error"].startswith(error)
    assert "\n" not in told["error"]


def test_a_file_that_leads_out_of_the_folder_is_refused_and_not_written(ready: Any) -> None:
    told = opened(ready, "outside", {"../outside.py": SOUND})
    assert told["error"] == "the file '../outside.py' lies outside the experiment's folder"
    assert ready.run_js("return pyodide.FS.analyzePath('/home/pyodide/outside.py').exists") is False


# -- ticks


def test_ticks_before_the_start_are_refused_and_ticks_leave_no_proxies_behind(ready: Any) -> None:
    opened(ready, "ticked", {"ticked.py": SOUND.replace("draw=draw", "draw=draw, max_steps=20, episodes=100")})
    ready.enable_pyproxy_tracing()
    try:
        told = json.loads(
            ready.run_js("""
                const worker = pyodide.pyimport("pyodide_runtime.worker");
                const told = { refused: "", before: 0, after: 0, frames: 0 };
                const tick = (now) => {
                    const answer = worker.tick(now, new Uint8Array());
                    return new DataView(answer.buffer, answer.byteOffset).getFloat64(0, true);
                };
                try {
                    tick(0);
                } catch (error) {
                    told.refused = error.message.trim().split("\\n").pop();
                }
                worker.start(JSON.stringify({ session: "s", seed: 1, players: [{ player_id: "A", index: 0 }], index: 0 }));
                let now = tick(0);
                told.before = pyodide._module.pyproxy_alloc_map.size;
                for (let turn = 0; turn < 300; turn += 1) now = tick(now);
                told.after = pyodide._module.pyproxy_alloc_map.size;
                told.frames = pyodide.runPython("from pyodide_runtime import worker; worker._participant._match.ledger.episode");
                worker.destroy();
                return JSON.stringify(told);
            """)
        )
    finally:
        ready.disable_pyproxy_tracing()
    assert told["refused"] == "pyodide_runtime.errors.SessionError: the match has not begun"
    assert told["after"] == told["before"] > 0
    assert told["frames"] > 3

"""Laws of reading an experiment file on a server that has none of its packages."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pyodide_runtime.errors import ExperimentError
from pyodide_runtime.server.loading import LoadedExperiment, load

Write = Callable[..., Path]

MINIMAL = """
import pyodide_runtime as pr

def make_env():
    raise RuntimeError("the server must never make an environment")

experiment = pr.Experiment(name="Minimal", environment=make_env)
"""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(**files: str) -> Path:
        """Write `name`, `folder__name` or `folder____init__` as .py files; returns the first one's path."""
        paths = []
        for name, text in files.items():
            package, _, _ = name.partition("____init__")
            name = name.replace("__", "/") if package == name else package.replace("__", "/") + "/__init__"
            path = tmp_path / f"{name}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text), encoding="utf-8")
            paths.append(path)
        return paths[0]

    return write


@pytest.fixture(autouse=True)
def imports_stay_as_they_were() -> Iterator[None]:
    """The law that holds in every test here, whether loading succeeds or fails."""
    finders = list(sys.meta_path)
    modules = dict(sys.modules)
    path = list(sys.path)
    yield
    assert sys.meta_path == finders
    assert sys.path == path
    assert {name: sys.modules.get(name) for name in modules} == modules
    kinds = {type(module).__name__ for module in sys.modules.values()}
    assert "StandInModule" not in kinds
    origins = [str(getattr(module, "__file__", "")) for module in sys.modules.values()]
    assert not [origin for origin in origins if "pytest-of-" in origin]


def refused(path: Path) -> ExperimentError:
    with pytest.raises(ExperimentError) as caught:
        load(path)
    error = caught.value
    assert error.file is not None
    assert "\n" not in str(error)
    assert "Traceback" not in str(error)
    assert error.__cause__ is None
    assert error.__suppress_context__ or error.__context__ is None
    return error


def test_a_file_gives_its_experiment_its_module_and_its_source(write: Write) -> None:
    path = write(minimal=MINIMAL)
    loaded = load(path)
    assert isinstance(loaded, LoadedExperiment)
    assert loaded.experiment.name == "Minimal"
    assert loaded.module == "minimal"
    assert loaded.files == {"minimal.py": path.read_text()}
    assert loaded.for_worker()["settings"] == loaded.experiment.settings()


def test_packages_that_are_not_installed_may_be_imported_derived_from_and_called(write: Write) -> None:
    path = write(
        lavish="""
        import abc
        import absent_gym as gym
        import absent_numpy as np
        import absent_torch.nn.functional as F
        from absent_cogrid.envs import registry, layouts
        from absent_gym.spaces import Box, Discrete
        from typing import Generic, Optional
        import pyodide_runtime as pr

        if np.__version__ < "2":
            SCALE = np.pi * 2 + -np.e
        SCALE = 2 ** np.float32(1) / np.ones((3, 3))[0, 1]
        LIMITS = {**gym.LIMITS, "x": [*np.arange(3)]}
        registry.register("mine", make=lambda: None)
        layouts.table["x"] = 1

        class Base(gym.Env[int, int], abc.ABC):
            metadata = {"fps": 30}
            space: Box | None = Box(0, 1, dtype=np.float32)

            def step(self, action: np.ndarray | None, other: Optional[np.ndarray]) -> "np.ndarray":
                return np.zeros(3)

        class Env(Base, gym.Env, option=True):
            @np.decorated
            def one(self): ...

            @F.jit(fast=True)
            def two(self): ...

        assert not isinstance(3, gym.Env)
        assert issubclass(Env, gym.Env) and isinstance(Env(), gym.Env)
        assert gym.Env is gym.Env
        with np.errstate(all="ignore"):
            pass

        experiment = pr.Experiment(name="Lavish", environment=Env, draw=np.draw)
        """
    )
    assert load(path).experiment.name == "Lavish"


@pytest.mark.parametrize("partner", ["Greedy(depth=3)", "walk", "policies['greedy']"])
def test_a_partner_of_a_package_that_is_not_installed_is_taken_as_it_is(write: Write, partner: str) -> None:
    text = f"""
        import pyodide_runtime as pr
        from absent_lab.envs import Foraging
        from absent_lab.policies import Greedy, policies, walk

        experiment = pr.Experiment(name="Lab", environment=Foraging, on_drop="partner", partner={partner})
    """
    assert load(write(lab=text)).for_worker()["settings"]["on_drop"] == "partner"


def test_a_number_asked_of_an_absent_package_is_a_clear_error(write: Write) -> None:
    path = write(
        asks="""
        import absent_cogrid
        import pyodide_runtime as pr
        experiment = pr.Experiment(name="x", environment=dict, players=int(absent_cogrid.AGENTS))
        """
    )
    error = refused(path)
    assert error.line == 4
    assert "absent_cogrid is not installed on the server" in str(error)
    assert "write the value out" in str(error)


def test_an_absent_value_used_as_an_action_is_named(write: Write) -> None:
    path = write(
        asks="""
        from absent_cogrid import Actions
        import pyodide_runtime as pr
        experiment = pr.Experiment(
            name="x",
            environment=dict,
            keys={"ArrowUp": Actions.UP},
        )
        """
    )
    error = refused(path)
    assert error.line == 7
    assert "keys['ArrowUp']: <absent_cogrid.Actions.UP; absent_cogrid is not installed" in str(error)


def test_installed_packages_are_the_real_ones(write: Write) -> None:
    path = write(
        real="""
        import json, starlette.applications
        import pyodide_runtime as pr
        import pyodide_runtime as pr
        assert json.dumps([1]) == "[1]"
        assert isinstance(starlette.applications.Starlette, type)
        experiment = pr.Experiment(name=pr.__version__, environment=dict)
        """
    )
    import pyodide_runtime

    assert load(path).experiment.name == pyodide_runtime.__version__


def test_installed_packages_are_not_deceived_about_what_they_lack(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (site / "installed_once.py").write_text("try:\n    import absent_optional\nexcept ImportError:\n    absent_optional = None\n")
    monkeypatch.syspath_prepend(str(site))
    path = write(
        trusting="""
        import installed_once
        import pyodide_runtime as pr
        assert installed_once.absent_optional is None
        experiment = pr.Experiment(name="x", environment=dict)
        """
    )
    try:
        assert load(path).experiment.name == "x"
    finally:
        sys.modules.pop("installed_once", None)


def test_modules_and_packages_beside_the_experiment_come_along_transitively(write: Write) -> None:
    path = write(
        main="""
        import rules
        from kitchen import pots
        from kitchen.stove import HEAT
        import pyodide_runtime as pr

        def make_env():
            from lazily import loaded
            return loaded

        experiment = pr.Experiment(name=f"{rules.NAME} {pots.COUNT} {HEAT}", environment=make_env)
        """,
        rules="from constants import NAME",
        constants="NAME = 'Soup'",
        kitchen____init__="",
        kitchen__pots="from .deep.well import COUNT",
        kitchen__deep____init__="from . import well",
        kitchen__deep__well="from ..stove import HEAT\nCOUNT = HEAT + 1",
        kitchen__stove="HEAT = 1",
        kitchen__unused="raise RuntimeError",
        lazily__loaded="LATE = True",
        unrelated="raise RuntimeError",
    )
    loaded = load(path)
    assert loaded.experiment.name == "Soup 2 1"
    assert list(loaded.files) == [
        "constants.py",
        "kitchen/__init__.py",
        "kitchen/deep/__init__.py",
        "kitchen/deep/well.py",
        "kitchen/pots.py",
        "kitchen/stove.py",
        "lazily/loaded.py",
        "main.py",
        "rules.py",
    ]


def test_modules_beside_the_experiment_may_import_each_other(write: Write) -> None:
    path = write(a=MINIMAL + "\nimport b\n", b="import c\nVALUE = c.VALUE", c="import b\nVALUE = 1")
    assert set(load(path).files) == {"a.py", "b.py", "c.py"}


def test_a_module_of_the_same_name_that_is_already_imported_is_hidden_only_while_loading(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = type(sys)("helper_elsewhere")
    monkeypatch.setitem(sys.modules, "helper", elsewhere)
    path = write(
        main="""
        import helper
        import pyodide_runtime as pr
        experiment = pr.Experiment(name=helper.NAME, environment=dict)
        """,
        helper="NAME = 'beside'",
    )
    assert load(path).experiment.name == "beside"
    assert sys.modules["helper"] is elsewhere


def test_each_reading_sees_the_file_as_it_is_now(write: Write) -> None:
    path = write(main=MINIMAL + "import beside\n", beside="VALUE = 1")
    first = load(path)
    assert load(path).fingerprint() == first.fingerprint()
    (path.parent / "beside.py").write_text("VALUE = 2")
    second = load(path)
    assert second.files["beside.py"] == "VALUE = 2"
    assert second.fingerprint() != first.fingerprint()


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("x = 1\ndef f(:\n", 2, "SyntaxError: "),
        ("x = 1\nreturn 3\n", 2, "'return' outside function"),
        ("x = 1\n  y = 2\n", 2, "unexpected indent"),
        ("x = 1\n\n1 / 0\n", 3, "ZeroDivisionError: division by zero"),
        ("def f():\n    raise ValueError('a\\nb')\nf()\n", 2, "ValueError: a b"),
        ("import json\njson.loads('{')\n", 2, "JSONDecodeError"),
        ("raise SystemExit(3)\n", 1, "SystemExit: 3"),
        ("from json import absent\n", 1, "cannot import name 'absent'"),
        ("import json.absent\n", 1, "No module named 'json.absent'"),
        ("from . import beside\n", 1, "attempted relative import"),
        ("x = '\0'\n", None, "null bytes"),
        ("", None, "write experiment = pr.Experiment(...)"),
        ("x = 1\nexperiment = {}\n", 2, "experiment is a dict, not an Experiment"),
        (MINIMAL.replace("experiment = ", "trial = "), 7, "rename trial to experiment"),
        (MINIMAL.replace("name=", "\n    players=9,\n    name="), 8, "players: 9 is out of range"),
        (MINIMAL.replace("name=", "player=2, name="), 7, "unexpected keyword argument 'player'"),
        (MINIMAL.replace('name="Minimal", ', ""), 7, "missing 1 required keyword-only argument: 'name'"),
    ],
)
def test_every_mistake_is_one_message_with_file_and_line(write: Write, text: str, line: int | None, words: str) -> None:
    path = write(wrong=text)
    error = refused(path)
    assert (error.file, error.line) == (str(path), line)
    assert words in error.message


def test_a_mistake_beside_the_experiment_is_placed_there(write: Write) -> None:
    path = write(main=MINIMAL + "import beside", beside="\nimport deeper\n", deeper="\n\nboom\n")
    error = refused(path)
    assert (error.file, error.line) == (str(path.parent / "deeper.py"), 3)
    (path.parent / "deeper.py").write_text("x = (\n")
    error = refused(path)
    assert (error.file, error.line) == (str(path.parent / "deeper.py"), 1)


def test_a_mistake_inside_an_installed_package_is_placed_at_the_experiments_own_line(write: Write) -> None:
    path = write(main="import textwrap\n\ntextwrap.indent(3, 4)\n")
    assert refused(path).line == 3


EXAMPLES = sorted(
    file
    for file in (Path(__file__).parents[2] / "examples").glob("*.py")
    if re.search("^experiment = ", file.read_text(encoding="utf-8"), re.MULTILINE)
)


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_every_example_is_read_without_any_of_its_packages(file: Path) -> None:
    code = """
import importlib.machinery, sys
PACKAGES = {"numpy", "gymnasium", "pettingzoo", "cogrid", "cloudpickle"}
class Lacking(importlib.machinery.PathFinder):
    @classmethod
    def find_spec(cls, name, *rest):
        return None if name.partition(".")[0] in PACKAGES else super().find_spec(name, *rest)
sys.meta_path[sys.meta_path.index(importlib.machinery.PathFinder)] = Lacking
from pyodide_runtime.server.loading import load
print(load(sys.argv[1]).experiment.name)
assert not PACKAGES & sys.modules.keys()
"""
    run = subprocess.run([sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=False)
    assert (run.stderr, run.returncode) == ("", 0)
    assert run.stdout.strip()


def test_a_file_below_the_working_folder_is_named_from_there(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(parts__wrong="1 / 0")
    monkeypatch.chdir(tmp_path)
    assert str(refused(Path("parts/wrong.py"))) == "parts/wrong.py:1: ZeroDivisionError: division by zero"


def test_a_file_that_is_not_there_or_not_python_is_refused(tmp_path: Path) -> None:
    assert "no such file" in str(refused(tmp_path / "absent.py"))
    assert "no Python file" in str(refused(tmp_path))
    (tmp_path / "notes.txt").write_text("x")
    assert "no Python file" in str(refused(tmp_path / "notes.txt"))


def test_text_that_is_not_utf_8_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "latin.py"
    path.write_bytes(b"x = 1\ny = '\xe9'\n")
    error = refused(path)
    assert error.line == 2
    assert "UTF-8" in str(error)


@pytest.mark.parametrize("name", ["cart-pole", "1st", "random", "pyodide_runtime"])
def test_a_file_whose_name_cannot_be_imported_in_the_browser_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"{name}.py"
    path.write_text(MINIMAL)
    assert "name" in str(refused(path))


def test_a_module_that_hides_pythons_own_is_refused_where_it_is_imported(write: Write) -> None:
    path = write(main=MINIMAL + "import random\n", random="")
    error = refused(path)
    assert error.line == 8
    assert "random.py beside the experiment hides" in str(error)


def test_a_file_named_as_the_package_that_it_imports_is_refused(write: Write) -> None:
    path = write(cogrid="\nfrom cogrid import envs\n")
    error = refused(path)
    assert error.line == 2
    assert "itself" in str(error)


def test_a_folder_that_merely_bears_a_packages_name_does_not_hide_it(write: Write, tmp_path: Path) -> None:
    (tmp_path / "absent_gym" / "docs").mkdir(parents=True)
    path = write(main="import absent_gym.spaces\n" + MINIMAL)
    assert set(load(path).files) == {"main.py"}


def test_a_missing_part_of_a_package_beside_the_experiment_is_an_error(write: Write) -> None:
    path = write(main="import parts.absent\n" + MINIMAL, parts____init__="")
    assert "No module named 'parts.absent'" in str(refused(path))


SPRITES = MINIMAL.replace("environment=make_env", "environment=make_env,\n    sprites={'chef': 'art/chef.png'}")


def test_sprites_are_files_beside_the_experiment(write: Write, tmp_path: Path) -> None:
    path = write(main=SPRITES)
    error = refused(path)
    assert error.line == 8
    assert "'art/chef.png' is not there" in str(error)
    (tmp_path / "art").mkdir()
    (tmp_path / "art" / "chef.png").write_bytes(b"png")
    assert load(path).sprites == {"chef": (tmp_path / "art" / "chef.png").resolve()}


def test_a_sprite_that_is_a_link_out_of_the_folder_is_refused(
    write: Write, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    secret = tmp_path_factory.mktemp("elsewhere") / "secret.png"
    secret.write_bytes(b"png")
    (tmp_path / "art").mkdir()
    (tmp_path / "art" / "chef.png").symlink_to(secret)
    assert "leads out of the experiment's folder" in str(refused(write(main=SPRITES)))

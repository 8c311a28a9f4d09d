"""Python from a memory image against Python that started the plain way, both under Node: equal data, and nothing frozen that
must differ.

Each start is a process of its own, by the bridge's own steps.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.pyodide.sources import ROOT, example

RUN = ROOT / "js_bridge" / "node" / "run.mjs"

PLAY = """
import json, sys
import pyodide_runtime as pr
from pyodide_runtime.rows import row_cells, to_csv
from pyodide_runtime.versions import versions
from pyodide_runtime.worker import load_experiment

with open(sys.argv[1]) as file:
    source = json.load(file)
experiment = load_experiment(source)
runtime = pr.Runtime(experiment.environment(), seed=11, max_steps=60)
keys = experiment.keys if isinstance(experiment.keys, dict) else experiment.keys[0]
choices = sorted(set(keys.values()))
runtime.batch([pr.Snapshot()])
digests = [runtime.digest().hex()]
while runtime.frame < 40 and not runtime.done:
    actions = {player: choices[(runtime.frame // 3 + place) % len(choices)] for place, player in enumerate(runtime.players)}
    before = runtime.frame
    runtime.batch([pr.Step(actions), pr.Snapshot()])
    after = runtime.digest().hex()
    runtime.batch([pr.Restore(before), pr.Step(actions), pr.Snapshot()])
    assert runtime.digest().hex() == after
    digests.append(after)
pairs = (True,) * len(runtime.players)
rows = [row_cells(0, record, runtime.players, runtime.simulation.codecs, pairs) for record in runtime.records]
print(json.dumps({"digests": digests, "rows": to_csv(rows).decode(), "versions": versions()}))
"""

DRAWS = """
import json, random, sys, tempfile, uuid
import pyodide_runtime
import numpy
import gymnasium
drawn = [random.random(), float(numpy.random.random()), float(numpy.random.default_rng().random())]
drawn += [uuid.uuid4().hex, uuid.uuid1().hex, tempfile.mktemp(), gymnasium.spaces.Discrete(10**9).sample().item()]
random.seed(3), numpy.random.seed(3)
print(json.dumps([drawn, [random.random(), float(numpy.random.normal()), list({"b", "a", "c", "d"}), hash("x")]]))
"""

IMPORTS = """
import json, sys
before = "gymnasium" in sys.modules
import gymnasium, numpy, inspect
import numpy.polynomial  # not in the image: from its compiled code
from numpy.polynomial import Polynomial
try:
    gymnasium.make("there is no such")
except gymnasium.error.Error as error:
    import traceback
    text = "".join(traceback.format_exception(error))
print(json.dumps({
    "before": before, "cached": numpy.polynomial.__cached__, "root": float(Polynomial([-4, 0, 1]).roots()[1]),
    "source": "class Env" in inspect.getsource(gymnasium.Env), "line": "raise" in text, "file": numpy.polynomial.__file__,
    "fft": float(abs(numpy.fft.fft([1.0, 2.0])[0])),
}))
"""


def run(distribution: Path, script: Path, *options: str, arguments: tuple[str, ...] = ()) -> Any:
    """What a script prints last, as JSON."""
    command = ["node", str(RUN), "--dist", str(distribution), *options, str(script), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def written(folder: Path, text: str) -> Path:
    path = folder / "script.py"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "image", "packages"),
    [
        ("cart_pole", "gymnasium", ["gymnasium"]),
        ("arena", "pettingzoo", ["pettingzoo"]),
        ("overcooked", "cogrid", ["cogrid"]),
        ("arena", "plain", ["pettingzoo"]),
    ],
)
def test_a_match_from_an_image_is_byte_for_byte_that_of_a_plain_start(
    distribution: Path, tmp_path: Path, name: str, image: str, packages: list[str]
) -> None:
    source = tmp_path / "source.json"
    source.write_text(json.dumps(example(name)), encoding="utf-8")
    script = written(tmp_path, PLAY)
    loads = [word for package in packages for word in ("--load", package)]
    plain = run(distribution, script, *loads, arguments=(str(source),))
    woken = run(distribution, script, "--image", image, *loads, arguments=(str(source),))
    assert woken == plain
    assert len(set(plain["digests"])) > 10


def test_what_must_differ_differs_between_two_starts_from_one_image(distribution: Path, tmp_path: Path) -> None:
    script = written(tmp_path, DRAWS)
    one, other = (run(distribution, script, "--image", "gymnasium") for _ in range(2))
    plain = run(distribution, script, "--load", "gymnasium")
    assert [first == second for first, second in zip(one[0], other[0], strict=True)] == [False] * len(one[0])
    assert one[1] == other[1] == plain[1]


def test_modules_that_are_not_in_an_image_come_from_its_compiled_code(distribution: Path, tmp_path: Path) -> None:
    told = run(distribution, written(tmp_path, IMPORTS), "--image", "gymnasium")
    assert told["before"] is True
    assert told["cached"].endswith(".cpython-314.pyc")
    assert told["root"] == pytest.approx(2.0, abs=1e-12)
    assert told["fft"] == 3.0
    assert told["source"] is True
    assert told["line"] is True
    assert told["file"] == "/lib/python3.14/site-packages/numpy/polynomial/__init__.py"


def test_a_damaged_image_is_refused_and_named(distribution: Path, tmp_path: Path) -> None:
    folder = tmp_path / "damaged"
    shutil.copytree(distribution, folder, ignore=shutil.ignore_patterns("*.image"))
    [image] = distribution.glob("plain-*.image")
    content = bytearray(image.read_bytes())
    content[-1] ^= 1
    (folder / image.name).write_bytes(content)
    command = ["node", str(RUN), "--dist", str(folder), "--image", "plain", str(written(tmp_path, "print(1)"))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"{image.name} has another hash than its entry in images.json" in done.stderr

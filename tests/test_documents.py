"""Every Python example in the documents runs as it stands.

An example needs a browser if it imports `js` or anything of `pyodide`; all others run here, each in a process of its own.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import pyodide_runtime as pr

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCED = re.compile(r"^```python[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
IN_BROWSERS_ONLY = {"js", "pyodide", "pyodide_js", "micropip"}


def imported(code: str) -> Iterator[str]:
    """The top-level packages that an example imports."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]


def examples() -> dict[str, str]:
    """The examples that run here, by file and line."""
    found = {}
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        for match in FENCED.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            if IN_BROWSERS_ONLY.isdisjoint(imported(match[1])):
                found[f"{document.relative_to(ROOT)}:{line}"] = match[1]
    return found


EXAMPLES = examples()


@pytest.mark.parametrize("place", EXAMPLES)
def test_an_example_in_the_documents_runs(place: str, tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", EXAMPLES[place]],
        capture_output=True, text=True, check=False, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert (run.returncode, run.stderr) == (0, "")


def test_the_readme_has_an_experiment_and_a_use_of_the_library() -> None:
    assert len([place for place in EXAMPLES if place.startswith("README.md")]) == 2


def test_the_experiment_in_the_readme_is_one_that_can_be_drawn() -> None:
    code = next(code for code in EXAMPLES.values() if "pr.Experiment(" in code)
    names: dict[str, object] = {}
    exec(code, names)
    experiment = names["experiment"]
    assert isinstance(experiment, pr.Experiment) and experiment.draw is not None

    class Env:
        positions = ((0, 1), (2, 3))

    scene = experiment.draw(Env(), "player_0")
    assert len(scene["shapes"]) == 2 and scene["width"] == 9

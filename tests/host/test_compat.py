"""Laws of the stand-in for what Pyodide lacks: put in place only there, and enough for what Gymnasium imports."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

from pyodide_runtime import compat

#: As Pyodide is: no `_multiprocessing`, and a platform of another name.
LIKE_PYODIDE = """
import importlib.util, sys
class Lacking:
    def find_spec(self, name, path=None, target=None):
        if name == "_multiprocessing": raise ModuleNotFoundError(name)
real = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name == "_multiprocessing" and name not in sys.modules else real(name)
sys.meta_path.insert(0, Lacking())
from pyodide_runtime import compat
compat.IN_PYODIDE = True
"""


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", LIKE_PYODIDE + code], capture_output=True, text=True, check=True).stdout.strip()


def test_outside_of_pyodide_nothing_is_replaced() -> None:
    assert not compat.IN_PYODIDE
    before = sys.modules.get("_multiprocessing")
    compat.install()
    assert sys.modules.get("_multiprocessing") is before
    assert importlib.util.find_spec("_multiprocessing") is not None


def test_with_the_stand_in_what_gymnasium_imports_can_be_imported() -> None:
    assert run("compat.install(); import multiprocessing.synchronize, multiprocessing; print('yes')") == "yes"


def test_the_stand_in_can_be_put_in_place_twice_and_be_looked_for() -> None:
    code = "compat.install(); first = sys.modules['_multiprocessing']; compat.install()\n"
    assert run(code + "print(sys.modules['_multiprocessing'] is first, real('_multiprocessing').name)") == "True _multiprocessing"

"""Where a watch looks, objects keep what they hold in Pyodide's Python, too: the laws of `tests/core/test_watch.py`, there."""

from __future__ import annotations

from typing import Any

from pytest_pyodide import run_in_pyodide

from tests.pyodide.sources import own, place


@run_in_pyodide(packages=["numpy", "pyodide-runtime", "pytest"])
def _judge(selenium: Any) -> int:
    import pytest

    return int(pytest.main(["-q", "-p", "no:cacheprovider", "/home/pyodide/sources/tests/core/test_watch.py"]))


def test_a_watch_holds_its_laws_in_pyodide(selenium: Any) -> None:
    place(selenium, own("tests/core/test_watch.py"))
    assert _judge(selenium) == 0

"""What depends on how Python itself is made holds in Pyodide's Python, too: where objects keep what they hold, and what becomes
of iterators. The laws of `tests/core`, there."""

from __future__ import annotations

from typing import Any

from pytest_pyodide import run_in_pyodide

from tests.pyodide.sources import own, place


@run_in_pyodide(packages=["numpy", "pyodide-runtime", "pytest"])
def _judge(selenium: Any, names: list[str]) -> int:
    import pytest

    files = [f"/home/pyodide/sources/tests/core/{name}.py" for name in names]
    return int(pytest.main(["-q", "-p", "no:cacheprovider", *files]))


def test_watches_and_iterators_hold_their_laws_in_pyodide(selenium: Any) -> None:
    laws, needed = ["test_watch", "test_lively", "test_iterators"], ["graphs", "dumper"]
    place(selenium, own(*[f"tests/core/{name}.py" for name in [*laws, *needed]]))
    assert _judge(selenium, laws) == 0

"""What two hosts find out about data that differ, they find out in Pyodide, too: laws of `tests/netcode/test_desync.py`, there."""

from __future__ import annotations

from typing import Any

from pytest_pyodide import run_in_pyodide

from tests.pyodide.sources import own, place

NAMES = ("__init__", "desyncs", "environments", "sessions", "test_desync")


@run_in_pyodide(packages=["pyodide-runtime", "pytest"])
def _judge(selenium: Any) -> int:
    import pytest

    return int(
        pytest.main(
            [
                "-q",
                "-p",
                "no:cacheprovider",
                "-k",
                "both_name_the_same or told_by_actions or versions or garbage",
                "/home/pyodide/sources/tests/netcode/test_desync.py",
            ]
        )
    )


def test_a_desync_is_diagnosed_in_pyodide(selenium: Any) -> None:
    place(selenium, own(*(f"tests/netcode/{name}.py" for name in NAMES)))
    assert _judge(selenium) == 0

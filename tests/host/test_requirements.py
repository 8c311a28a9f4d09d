"""Laws of requirements: what the distribution has in the wanted version is loaded, all else is left to micropip."""

from __future__ import annotations

import pytest

from pyodide_runtime.requirements import plan

LOCK = {
    "numpy": {"name": "numpy", "version": "2.2.5"},
    "typing-extensions": {"name": "typing-extensions", "version": "4.11.0"},
    "ruamel-yaml": {"name": "ruamel.yaml", "version": "0.18"},
}


@pytest.mark.parametrize(
    ("requirement", "name"),
    [
        ("numpy", "numpy"),
        (" NumPy ", "numpy"),
        ("numpy==2.2.5", "numpy"),
        ("numpy == 2.2.5", "numpy"),
        ("typing_extensions", "typing-extensions"),
        ("Typing.Extensions==4.11.0", "typing-extensions"),
        ("ruamel_yaml", "ruamel.yaml"),
    ],
)
def test_what_the_lock_has_is_loaded_by_the_locks_name(requirement: str, name: str) -> None:
    assert plan([requirement], LOCK) == {"load": [name], "install": []}


@pytest.mark.parametrize(
    "requirement",
    ["numpy==2.2", "numpy>=2", "numpy==2.*", "numpy[extra]", "numpy; python_version > '3'", "numpy @ https://x/y.whl", "cogrid",
     "cogrid==0.3.2", "", "-numpy", "num py"],
)  # fmt: skip
def test_all_else_is_installed_as_it_was_written(requirement: str) -> None:
    assert plan([requirement], LOCK) == {"load": [], "install": [requirement]}


def test_the_order_stays() -> None:
    assert plan(["b", "numpy", "a", "ruamel.yaml"], LOCK) == {"load": ["numpy", "ruamel.yaml"], "install": ["b", "a"]}
    assert plan([], LOCK) == {"load": [], "install": []}

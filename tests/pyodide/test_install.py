"""The project's wheel and everything it is laid out with install in Pyodide, by lock and by micropip."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pytest_pyodide import run_in_pyodide

import pyodide_runtime

WHEEL = f"pyodide_runtime-{pyodide_runtime.__version__}-py3-none-any.whl"

INSTALLED = """
import importlib.metadata
import pyodide_runtime
[pyodide_runtime.__version__, importlib.metadata.version("pyodide-runtime"), pyodide_runtime.__file__]
"""


def expect_installed(found: list[str]) -> None:
    version, metadata_version, file = found
    assert version == pyodide_runtime.__version__
    assert metadata_version == pyodide_runtime.__version__
    assert "/site-packages/pyodide_runtime/" in file


def test_the_wheel_installs_by_lock_and_needs_no_other_package(selenium_standalone: Any) -> None:
    with pytest.raises(selenium_standalone.JavascriptException, match="pyodide-runtime"):
        selenium_standalone.run("import pyodide_runtime")
    selenium_standalone.load_package("pyodide-runtime")
    assert selenium_standalone.run_js("return Object.keys(pyodide.loadedPackages)") == ["pyodide-runtime"]
    expect_installed(selenium_standalone.run(INSTALLED))


def test_the_wheel_installs_by_micropip_from_its_address(selenium_standalone: Any) -> None:
    selenium_standalone.load_package("micropip")
    address = f"{selenium_standalone.base_url}/{WHEEL}"
    selenium_standalone.run_async(f"import micropip; await micropip.install({address!r})")
    expect_installed(selenium_standalone.run(INSTALLED))
    listed = selenium_standalone.run("micropip.list()['pyodide-runtime'].source")
    assert listed == address


def test_the_wheel_installs_by_micropip_by_name_from_the_lock(selenium_standalone: Any) -> None:
    selenium_standalone.load_package("micropip")
    wanted = f"pyodide-runtime=={pyodide_runtime.__version__}"
    selenium_standalone.run_async(f"import micropip; await micropip.install({wanted!r})")
    expect_installed(selenium_standalone.run(INSTALLED))
    assert selenium_standalone.run("micropip.list()['pyodide-runtime'].source") == "pyodide"


def test_every_package_of_the_lock_loads_with_the_locked_version(selenium: Any, distribution: Path) -> None:
    lock = json.loads((distribution / "pyodide-lock.json").read_text(encoding="utf-8"))
    names = sorted(lock["packages"])
    selenium.load_package(names)
    versions = selenium.run(f"from importlib.metadata import version\n[version(name) for name in {names}]")
    assert dict(zip(names, versions, strict=True)) == {name: package["version"] for name, package in lock["packages"].items()}


@run_in_pyodide
def test_strings_hash_alike_in_every_pyodide(selenium: Any) -> None:
    import os
    import sys

    assert os.environ["PYTHONHASHSEED"] == "0"
    assert sys.flags.hash_randomization == 0

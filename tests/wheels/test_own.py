"""The laws of the project's own wheel: the same tree gives the same bytes, with all that both ends need."""

from __future__ import annotations

import email.parser
import os
import shutil
import zipfile
from pathlib import Path

import pytest

from tests.wheels.made_up import Workshop, sha256
from wheels.own import ROOT, build_own_wheel


def copy_of_the_tree(folder: Path) -> Path:
    """What the wheel is made of, with other times, in another place."""
    unwanted = shutil.ignore_patterns("node_modules", "__pycache__")
    for name in ("pyodide_runtime", "js_bridge"):
        shutil.copytree(ROOT / name, folder / name, ignore=unwanted)
    for name in ("pyproject.toml", "README.md", "LICENSE", ".gitignore"):
        shutil.copy(ROOT / name, folder / name)
    for path in folder.rglob("*"):
        os.utime(path, (1e9, 1e9))
    return folder


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_of_the_tree(tmp_path_factory.mktemp("tree"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory, tree: Path) -> Path:
    return build_own_wheel(tmp_path_factory.mktemp("wheel"), tree)


def test_the_same_tree_gives_the_same_bytes(tree: Path, wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tree").mkdir()
    other = shutil.copytree(tree, tmp_path / "elsewhere", copy_function=shutil.copyfile)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1000000000")
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    (tmp_path / "wheel").mkdir()
    assert sha256(build_own_wheel(tmp_path / "wheel", other)) == sha256(wheel)


def test_what_is_not_source_does_not_change_the_wheel(tree: Path, wheel: Path, tmp_path: Path) -> None:
    other = shutil.copytree(tree, tmp_path / "elsewhere")
    (other / "pyodide_runtime" / "__pycache__").mkdir(exist_ok=True)
    (other / "pyodide_runtime" / "__pycache__" / "errors.cpython-311.pyc").write_bytes(b"compiled")
    (other / "js_bridge" / "node_modules" / "some").mkdir(parents=True)
    (other / "js_bridge" / "node_modules" / "some" / "index.js").write_text("export {}")
    assert sha256(build_own_wheel(tmp_path, other)) == sha256(wheel)


def test_another_text_gives_another_wheel_of_the_same_name(workshop: Workshop) -> None:
    hashes, names = set(), set()
    for says in ("first", "second"):
        workshop.write_project(says)
        wheel = build_own_wheel(workshop.base, workshop.project)
        hashes.add(sha256(wheel))
        names.add(wheel.name)
    assert (len(hashes), len(names)) == (2, 1)


def test_a_build_leaves_nothing_but_the_wheel(workshop: Workshop) -> None:
    workshop.out.mkdir()
    wheel = build_own_wheel(workshop.out, workshop.project)
    assert list(workshop.out.iterdir()) == [wheel]


def test_the_wheel_is_pure_and_needs_nothing(wheel: Path) -> None:
    assert wheel.name.endswith("-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = email.parser.BytesParser().parsebytes(archive.read(name))
    requirements = metadata.get_all("Requires-Dist", [])
    assert [line for line in requirements if "extra ==" not in line] == []
    for package in ("starlette", "uvicorn", "websockets"):
        assert any(line.startswith(package) and "server" in line for line in requirements)


def test_the_wheel_holds_every_module_and_the_bridge_without_its_tools(tree: Path, wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    for path in (tree / "pyodide_runtime").rglob("*.py"):
        assert path.relative_to(tree).as_posix() in names
    bridge = {name.removeprefix("pyodide_runtime/bridge/") for name in names if "/bridge/" in name}
    assert "package.json" in bridge
    assert "page/play.html" in bridge
    unwanted = ("node_modules/", "test/", "tests/", "tsconfig", "eslint", "package-lock", ".")
    assert [name for name in bridge if name.startswith(unwanted)] == []

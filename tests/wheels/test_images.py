"""The laws of memory images that need no Pyodide to be proved: what is refused, and what is said where none can be made.

How images are made and used is proved in `tests/pyodide/test_images.py`.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.wheels.made_up import Workshop, sha256
from wheels.errors import ImageError, ManifestError
from wheels.images import check_images, make_images
from wheels.manifest import ImagePlan, read_manifest

PLAN = ImagePlan("game", ("game",), ("game",))


@pytest.fixture
def folder(workshop: Workshop) -> Path:
    """A laid-out folder with an image of a few bytes, as if Node had made it."""
    workshop.lay_out()
    (workshop.out / "game-0.image").write_bytes(b"memory")
    entry = {
        "name": "game",
        "file": "game-0.image",
        "sha256": sha256(workshop.out / "game-0.image"),
        "packages": {"game": workshop.lock()["game"]["sha256"]},
    }
    (workshop.out / "images.json").write_text(json.dumps({"images": [entry]}), encoding="utf-8")
    return workshop.out


def test_a_folder_says_which_images_it_has(folder: Path) -> None:
    assert check_images(folder) == ["game"]
    (folder / "images.json").unlink()
    assert check_images(folder) == []


def test_a_missing_image_is_named(folder: Path) -> None:
    (folder / "game-0.image").unlink()
    with pytest.raises(ImageError, match=r"the memory image game: game-0\.image is missing; .*lay-out"):
        check_images(folder)


def test_a_damaged_image_is_named(folder: Path) -> None:
    (folder / "game-0.image").write_bytes(b"Memory")
    with pytest.raises(ImageError, match=r"game-0\.image has another hash"):
        check_images(folder)


def test_an_image_of_another_wheel_is_named_with_the_wheel(folder: Path) -> None:
    told = json.loads((folder / "images.json").read_text())
    told["images"][0]["packages"]["game"] = "0" * 64
    (folder / "images.json").write_text(json.dumps(told))
    with pytest.raises(ImageError, match="another wheel of game"):
        check_images(folder)


def test_a_plan_for_a_package_that_is_not_laid_out_is_refused_by_name(workshop: Workshop, folder: Path) -> None:
    (folder / "pyodide.asm.mjs").write_text("")
    (folder / "pyodide.asm.wasm").write_text("")
    plan = ImagePlan("chess", ("chess",), ())
    with pytest.raises(ImageError, match="the image chess needs the package chess"):
        make_images(folder, plans=[plan], cache=workshop.cache, say=lambda text: None)


def test_without_node_there_are_no_images_and_that_is_said(
    workshop: Workshop, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    said: list[str] = []
    assert make_images(folder, plans=[PLAN], cache=workshop.cache, say=said.append) == []
    assert "Node is not installed" in said[0]
    assert not list(folder.glob("*.image"))
    assert check_images(folder) == []


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        ('[[image]]\nname = "a"\npackages = []\n', "imports is missing"),
        ('[[image]]\nname = "a b"\npackages = []\nimports = []\n', "name must be a word"),
        ('[[image]]\nname = "a"\npackages = []\nimports = []\n' * 2, "name must be a word of its own"),
        ('[[image]]\nname = "a"\npackages = [1]\nimports = []\n', "packages must be a list of names"),
    ],
)
def test_a_plan_of_a_wrong_form_is_refused(workshop: Workshop, table: str, fault: str) -> None:
    workshop.manifest()
    path = workshop.base / "manifest.toml"
    path.write_text(f"{path.read_text()}\n{table}", encoding="utf-8")
    with pytest.raises(ManifestError, match=fault):
        read_manifest(path)

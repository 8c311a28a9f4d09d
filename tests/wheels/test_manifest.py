"""The laws of the manifest: what is pinned is pinned completely, and a mistake is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from wheels.errors import ManifestError
from wheels.manifest import read_manifest
from wheels.own import ROOT

HASH = "a" * 64
PYODIDE = '[pyodide]\nversion = "1.0"\ncdn = "http://cdn.invalid/"\n'
CARRIER = f'[carrier]\nname = "c"\nversion = "1"\nfile_name = "c.whl"\nsha256 = "{HASH}"\nfolder = "inside"\n'
CORE = f'[[core]]\nfile_name = "pyodide-lock.json"\nsha256 = "{HASH}"\nsources = ["npm"]\n'
WHEEL = f'[[wheel]]\nname = "w"\nversion = "1"\nfile_name = "w.whl"\nsha256 = "{HASH}"\nsources = ["pypi"]\n'
WHOLE = PYODIDE + CARRIER + CORE + WHEEL


def read(folder: Path, text: str) -> None:
    path = folder / "manifest.toml"
    path.write_text(text)
    read_manifest(path)


def test_a_whole_manifest_is_read(tmp_path: Path) -> None:
    read(tmp_path, WHOLE)


def test_the_project_s_manifest_is_whole() -> None:
    manifest = read_manifest()
    assert {"numpy", "micropip", "gymnasium", "pettingzoo", "cogrid"} <= set(manifest.wheels)
    for name, pinned in manifest.wheels.items():
        assert pinned.name == name
        assert pinned.file_name.startswith(f"{name.replace('-', '_')}-{pinned.version}-")
    assert f"/v{manifest.pyodide}/" in manifest.cdn


def test_the_browser_and_the_tests_have_the_same_environments() -> None:
    wheels = read_manifest().wheels
    pins = (ROOT / "requirements" / "dev.txt").read_text(encoding="utf-8")
    for name in ("numpy", "gymnasium", "farama-notifications", "cloudpickle", "pettingzoo", "cogrid"):
        assert f"\n{name}=={wheels[name].version} " in f"\n{pins}"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        pytest.param("pyodide = ", "manifest.toml", id="not TOML"),
        pytest.param(CARRIER + CORE + WHEEL, "pyodide is missing", id="no core version"),
        pytest.param(WHOLE.replace('version = "1.0"', "version = 1.0"), "version must be a str", id="type"),
        pytest.param(WHOLE.replace("invalid/", "invalid"), "must end in a slash", id="cdn without a slash"),
        pytest.param(PYODIDE + CARRIER + WHEEL + "core = 1", "core", id="core is no list"),
        pytest.param(WHOLE.replace(CORE, CORE.replace("-lock", "-key")), "pyodide-lock.json", id="no core lock"),
        pytest.param(WHOLE + CORE, "pyodide-lock.json is there twice", id="core file twice"),
        pytest.param(WHOLE + WHEEL, "w is there twice", id="wheel twice"),
        pytest.param(WHOLE + WHEEL.replace('"w"', '"v"') + "more = 1\n", "unknown field more", id="superfluous"),
        pytest.param(WHOLE + WHEEL.replace(HASH, HASH[1:]), "w.whl: sha256 must be 64", id="short hash"),
        pytest.param(WHOLE + WHEEL.replace(HASH, HASH.upper()), "w.whl: sha256 must be 64", id="upper-case hash"),
        pytest.param(WHOLE + WHEEL.replace("w.whl", "a/w.whl"), "must be a plain name", id="a path"),
        pytest.param(WHOLE + WHEEL.replace('["pypi"]', "[]"), "w.whl: sources is empty", id="no sources"),
        pytest.param(WHOLE + WHEEL.replace("pypi", "moon"), "unknown source 'moon'", id="unknown source"),
        pytest.param(WHOLE.replace(f'sha256 = "{HASH}"\nfolder', "folder"), "sha256 is missing", id="carrier"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(ManifestError) as caught:
        read(tmp_path, text)
    assert named in str(caught.value)


def test_a_manifest_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"absent\.toml"):
        read_manifest(tmp_path / "absent.toml")


def test_lock_files_of_the_project_hold_no_addresses() -> None:
    assert "://" not in (ROOT / "requirements" / "dev.txt").read_text(encoding="utf-8")
    packages = json.loads((ROOT / "js_bridge" / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert [name for name, package in packages.items() if "resolved" in package] == []

"""The laws of pinning: all that is needed is found, once, and nothing that contradicts what is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.wheels.made_up import Workshop, make_wheel, sha256
from wheels.cli import main
from wheels.errors import LockError, PinError, SourceError
from wheels.layout import check_layout, lay_out
from wheels.manifest import Pinned, read_manifest
from wheels.pinning import find_pins, toml_of
from wheels.sources import PypiSource

PYODIDE = "cp314-cp314-pyemscripten_2026_0_wasm32"


@pytest.fixture
def core_lock(workshop: Workshop) -> Path:
    """A core that has built two packages, one of which needs the other and a pure one."""
    waves = make_wheel(workshop.base / "carrier", "waves", "3.0", tag=PYODIDE)
    screen = make_wheel(workshop.base / "carrier", "screen", "2.5", requires=["waves", "names>=1"], tag=PYODIDE)
    workshop.core_packages |= {
        "waves": workshop.entry("waves", waves),
        "screen": workshop.entry("screen", screen, ["waves", "names"]),
    }
    workshop.write_core_lock()
    return workshop.base / "npm" / "pyodide-lock.json"


def pins(workshop: Workshop, core_lock: Path, *wanted: str) -> list[Pinned]:
    said: list[str] = []
    manifest = workshop.manifest()
    found = find_pins(wanted, manifest=manifest, core_lock=core_lock, shelf=PypiSource(lambda *_: None), say=said.append)
    assert len(said) >= len(found)
    return found


def test_what_pyodide_builds_is_pinned_as_its_lock_has_it_and_what_that_needs_from_pypi(
    workshop: Workshop, core_lock: Path, pypi: Path
) -> None:
    names = make_wheel(pypi, "names", "1.4")
    make_wheel(pypi, "names", "1.3")
    make_wheel(pypi, "waves", "9.0")
    found = {pin.name: pin for pin in pins(workshop, core_lock, "Screen")}
    assert [*found] == ["screen", "waves", "names"]
    assert (found["waves"].version, found["waves"].sources) == ("3.0", ("cdn", "carrier"))
    assert found["names"] == Pinned("names", "1.4", names.name, sha256(names), ("pypi",))


def test_what_is_pinned_is_not_pinned_again_but_its_extras_are(workshop: Workshop, core_lock: Path, pypi: Path) -> None:
    make_wheel(pypi, "game", "1.2", requires=["numpy>=2", "names; extra == 'people'", "never; extra == 'other'"])
    make_wheel(pypi, "names", "1.4", requires=["numpy", "windows-only; os_name == 'nt'", "game"])
    assert pins(workshop, core_lock, "game", "numpy>=2") == []
    assert [pin.name for pin in pins(workshop, core_lock, "game[people]")] == ["names"]


@pytest.mark.parametrize(
    ("wanted", "error", "says"),
    [
        ("numpy<2", PinError, "numpy<2 cannot be had: the manifest or Pyodide has numpy 2.4.3"),
        ("waves==1", PinError, "waves==1 cannot be had: the manifest or Pyodide has waves 3.0"),
        ("old", PinError, "numpy<2, which old needs, cannot be had"),
        ("not a name", PinError, "'not a name' is no requirement"),
        ("game @ https://example.org/game.whl", PinError, "names an address"),
        ("nowhere", SourceError, "nowhere has no pure wheel on PyPI, and Pyodide does not build it"),
        ("compiled", SourceError, "compiled has no pure wheel"),
    ],
)
def test_what_cannot_be_is_named(
    workshop: Workshop, core_lock: Path, pypi: Path, wanted: str, error: type[Exception], says: str
) -> None:
    make_wheel(pypi, "old", "1.0", requires=["numpy<2"])
    make_wheel(pypi, "compiled", "1.0", tag="cp314-cp314-manylinux_2_28_x86_64")
    with pytest.raises(error, match=says):
        pins(workshop, core_lock, wanted)


def test_a_core_lock_that_is_none_is_refused(workshop: Workshop, tmp_path: Path) -> None:
    (tmp_path / "lock.json").write_text("{}")
    with pytest.raises(LockError):
        pins(workshop, tmp_path / "lock.json", "names")


def test_a_manifest_with_what_was_pinned_can_be_laid_out(workshop: Workshop, core_lock: Path, pypi: Path) -> None:
    names = make_wheel(pypi, "names", "1.4")
    found = pins(workshop, core_lock, "screen")
    file = workshop.base / "manifest.toml"
    file.write_text(file.read_text() + toml_of(found))
    (workshop.base / "pypi" / names.name).write_bytes(names.read_bytes())
    manifest = read_manifest(file)
    lay_out(
        manifest,
        out=workshop.out,
        cache=workshop.cache,
        sources=workshop.shelves,
        report=workshop.heard,
        root=workshop.project,
    )
    assert {"screen", "waves", "names"} < {*check_layout(manifest, workshop.out)}


def test_the_command_adds_to_the_manifest_and_says_what_is_next(
    workshop: Workshop, core_lock: Path, pypi: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_wheel(pypi, "names", "1.4")
    manifest = workshop.manifest()
    lock = manifest.core["pyodide-lock.json"]
    kept = workshop.cache / lock.sha256 / lock.file_name
    kept.parent.mkdir(parents=True)
    kept.write_bytes(core_lock.read_bytes())
    file = workshop.base / "manifest.toml"
    command = ["pin", "--manifest", str(file), "--cache", str(workshop.cache)]
    assert main([*command, "names"]) == 0
    assert "1 package added" in capsys.readouterr().out and read_manifest(file).wheels["names"].version == "1.4"
    before = file.read_text()
    assert main([*command, "names"]) == 0
    assert "has all of it already" in capsys.readouterr().out
    assert main([*command, "nowhere"]) == 1
    assert "error: nowhere has no pure wheel" in capsys.readouterr().err and file.read_text() == before

"""What a bundle takes from the laid-out Pyodide folder: the core, and the packages that an experiment needs, each with the hash
that it must have.

Everything that is missing or wrong is found before anything is written, and told together with what to do. This module knows
nothing of pages, and does not know how the folder was laid out.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyodide_runtime import __version__
from pyodide_runtime.bundle.pieces import Piece, sha256_of
from pyodide_runtime.errors import BundleError
from pyodide_runtime.requirements import plan

__all__ = ["CORE_PINS", "LOCK", "Distribution", "read_distribution"]

LOCK = "pyodide-lock.json"
#: The list of memory images. A bundle has none: over a line of less than some 50 Mbit/s one takes longer than it spares.
IMAGES = "images.json"
#: The hashes of the core's files, which the lock does not name.
CORE_PINS = "core.json"
#: What a browser loads of the core; the rest are other forms of it, and types for programmers.
CORE_FILES = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip")
OWN_PACKAGE = "pyodide-runtime"

_LAY_OUT = "run `make wheels`, which lays it out again"


@dataclass(frozen=True)
class Distribution:
    """What is taken.

    Attributes:
        pyodide: the version of Pyodide.
        python: the version of its Python.
        packages: name -> version of each package that is taken, sorted by name.
        pieces: the core's files, the wheels, and a lock that names only these wheels.
    """

    pyodide: str
    python: str
    packages: dict[str, str]
    pieces: list[Piece]


def read_distribution(folder: Path, requirements: Sequence[str]) -> Distribution:
    """Take the core and all that the requirements need. Raises BundleError with everything that is missing or wrong."""
    lock, pins = _read_json(folder, LOCK), _read_json(folder, CORE_PINS)
    try:
        pyodide, hashes = str(pins["pyodide"]), {name: str(pins["files"][name]) for name in CORE_FILES}
        info, packages = lock["info"], lock["packages"]
        python = str(info["python"])
        wanted, faults = _needed(folder, requirements, packages)
        files = {str(packages[key]["file_name"]): str(packages[key]["sha256"]) for key in wanted}
    except (KeyError, TypeError) as error:
        raise BundleError(f"{folder}: {LOCK} or {CORE_PINS} lacks {error}; {_LAY_OUT}") from None
    pieces = _take(folder, hashes, "Pyodide", faults) + _take(folder, files, "packages", faults)
    faults += _own_faults(folder, pieces, packages)
    if faults:
        listed = "".join(f"\n  - {fault}" for fault in faults)
        raise BundleError(f"the bundle cannot be made of {folder}:{listed}")
    text = json.dumps({"info": info, "packages": {key: packages[key] for key in wanted}}, indent=1, sort_keys=True) + "\n"
    versions = {str(packages[key]["name"]): str(packages[key]["version"]) for key in wanted}
    lists = [Piece(LOCK, "packages", text.encode()), Piece(IMAGES, "packages", b'{"images": []}\n')]
    return Distribution(pyodide, python, dict(sorted(versions.items())), [*pieces, *lists])


def _needed(folder: Path, requirements: Sequence[str], packages: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """The lock's keys of all that is needed, and what cannot be had."""
    keys = {_normal(str(package["name"])): key for key, package in packages.items()}
    planned = plan(requirements, packages)
    faults = [_not_there(requirement, folder, keys, packages) for requirement in planned["install"]]
    found: list[str] = []
    asked = [(OWN_PACKAGE, "every experiment"), *((name, "the experiment") for name in planned["load"])]
    while asked:
        name, by = asked.pop()
        key = keys.get(_normal(name))
        if key is None:
            faults.append(f"{by} needs {name}, which {LOCK} does not name; {_LAY_OUT}")
        elif key not in found:
            found.append(key)
            asked += [(depend, str(packages[key]["name"])) for depend in packages[key]["depends"]]
    return sorted(found), faults


def _not_there(requirement: str, folder: Path, keys: Mapping[str, str], packages: Mapping[str, Any]) -> str:
    name = re.match(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)", requirement)
    key = keys.get(_normal(name[1])) if name else None
    has = "" if key is None else f" ({folder} has {packages[key]['name']} {packages[key]['version']})"
    return (
        f"the requirement {requirement!r} is not among the packages that are pinned{has}; pin its wheel in wheels/manifest.toml "
        "and run `make wheels`, or require what is there. A bundle installs nothing from elsewhere"
    )


def _take(folder: Path, files: Mapping[str, str], part: str, faults: list[str]) -> list[Piece]:
    """The files with their bytes; what is missing or wrong is added to `faults`."""
    pieces = []
    for name, sha256 in sorted(files.items()):
        if "/" in name or "\\" in name or name in ("", ".", ".."):
            faults.append(f"{LOCK} names the file {name!r}, which does not lie in {folder} itself; {_LAY_OUT}")
            continue
        try:
            content = (folder / name).read_bytes()
        except OSError as error:
            faults.append(f"{name} cannot be read ({error.strerror}); {_LAY_OUT}")
            continue
        actual = sha256_of(content)
        if actual == sha256:
            pieces.append(Piece(name, part, content))
        else:
            faults.append(f"{name} has the sha256 {actual}, not {sha256} as pinned; {_LAY_OUT}")
    return pieces


def _own_faults(folder: Path, pieces: Sequence[Piece], packages: Mapping[str, Any]) -> list[str]:
    """What tells that the wheel of this package is another one than this package: pages would run yesterday's code."""
    own = next((package for package in packages.values() if _normal(str(package["name"])) == OWN_PACKAGE), None)
    piece = next((piece for piece in pieces if own and piece.path == own["file_name"]), None)
    if own is None or piece is None:
        return []
    if own["version"] != __version__:
        return [f"{piece.path} is pyodide_runtime {own['version']}, but this is {__version__}; {_LAY_OUT}"]
    here = Path(__file__).parents[1]
    with zipfile.ZipFile(io.BytesIO(piece.content)) as wheel:
        for name in sorted(wheel.namelist()):
            top, _, rest = name.partition("/")
            file = here / rest
            if top == here.name and file.suffix == ".py" and file.is_file() and file.read_bytes() != wheel.read(name):
                return [f"{piece.path} is older or newer than this pyodide_runtime: {name} differs; {_LAY_OUT}"]
    return []


def _read_json(folder: Path, name: str) -> Any:
    if not folder.is_dir():
        raise BundleError(f"there is no folder {folder}: run `make wheels`, or name the folder that has Pyodide by --distribution")
    try:
        return json.loads((folder / name).read_text(encoding="utf-8"))
    except OSError as error:
        raise BundleError(f"{folder / name} cannot be read ({error.strerror}); {_LAY_OUT}") from None
    except ValueError as error:
        raise BundleError(f"{folder / name} is damaged: {error}; {_LAY_OUT}") from None


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()

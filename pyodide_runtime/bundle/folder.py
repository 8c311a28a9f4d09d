"""A bundle's folder: written whole or not at all, never over what is not a bundle, and checked against its own manifest.

This module knows nothing of what the files are for.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyodide_runtime.bundle.pieces import Piece, sha256_of
from pyodide_runtime.errors import BundleError

__all__ = ["MANIFEST", "Checked", "check_folder", "check_place", "write_folder"]

MANIFEST = "bundle.json"


@dataclass(frozen=True)
class Checked:
    """A bundle whose files are all there with the bytes that they were given.

    Attributes:
        name: the experiment's.
        files: how many, besides the manifest.
        size: their bytes in all.
        others: files in the folder that are not the bundle's, sorted.
    """

    name: str
    files: int
    size: int
    others: list[str]


def check_place(folder: Path) -> None:
    """Raise BundleError unless a bundle may be written there: nothing is, or an empty folder, or nothing but a bundle."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise BundleError(f"{folder} is a file; name a folder by --out")
    if not any(folder.iterdir()):
        return
    if not (folder / MANIFEST).is_file():
        raise BundleError(f"{folder} is not empty, and no bundle: it is left alone. Name another folder by --out, or empty it")
    others = _others(folder, _files(folder))
    if others:
        more = f" and {len(others) - 3} more" if len(others) > 3 else ""
        raise BundleError(
            f"{folder} holds what is not of the bundle ({', '.join(others[:3])}{more}): it is left alone. "
            "Move that elsewhere, or name another folder by --out"
        )


def write_folder(folder: Path, pieces: Sequence[Piece]) -> None:
    """Write a bundle, in place of the one that is there.

    All files are written beside the folder first, which is then renamed: who reads it sees the old bundle or the new one. Raises
    BundleError if the place is not free (`check_place`) or cannot be written; then what was there still is.
    """
    check_place(folder)
    folder = folder.resolve()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.new-", dir=folder.parent) as made:
            new, old = Path(made, "new"), Path(made, "old")
            for piece in pieces:
                file = new / piece.path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(piece.content)
            _swap(folder, new, old)
    except OSError as error:
        raise BundleError(f"{folder} cannot be written: {error.strerror}") from None


def _swap(folder: Path, new: Path, old: Path) -> None:
    """Put the new folder in place, and what was there at `old`, which goes with the temporary folder that it is in."""
    if folder.exists():
        os.rename(folder, old)
    try:
        os.rename(new, folder)
    except OSError:
        if old.exists():
            shutil.move(old, folder)
        raise


def check_folder(folder: Path) -> Checked:
    """Compare a bundle with its manifest. Raises BundleError with every file that is missing or has other bytes."""
    told = _manifest(folder)
    files = _files(folder)
    faults = []
    for name, entry in files.items():
        try:
            content = (folder / name).read_bytes()
        except OSError as error:
            faults.append(f"{name} cannot be read: {error.strerror}")
            continue
        actual = sha256_of(content)
        if actual != entry["sha256"]:
            faults.append(f"{name} has the sha256 {actual}, not {entry['sha256']}")
    if faults:
        listed = "".join(f"\n  - {fault}" for fault in faults)
        raise BundleError(f"{folder} is not as it was bundled:{listed}\nbundle the experiment again, or copy these files once more")
    size = sum(int(entry["bytes"]) for entry in files.values())
    return Checked(str(told.get("name", "")), len(files), size, _others(folder, files))


def _manifest(folder: Path) -> dict[str, Any]:
    file = folder / MANIFEST
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise BundleError(f"{folder} is no bundle: {MANIFEST} cannot be read ({error.strerror})") from None
    except ValueError as error:
        raise BundleError(f"{file} is damaged: {error}") from None
    if not isinstance(told, dict) or told.get("bundle") != 1:
        raise BundleError(f"{file} is not of a bundle that this version makes")
    return told


def _files(folder: Path) -> dict[str, dict[str, Any]]:
    files = _manifest(folder).get("files")
    root = folder.resolve()
    if not isinstance(files, dict) or not all(
        isinstance(entry, dict)
        and isinstance(entry.get("sha256"), str)
        and isinstance(entry.get("bytes"), int)
        and (root / name).resolve().is_relative_to(root)
        for name, entry in files.items()
    ):
        raise BundleError(f"{folder / MANIFEST} is damaged: its files are not as a bundle lists them")
    return files


def _others(folder: Path, files: dict[str, dict[str, Any]]) -> list[str]:
    present = (file.relative_to(folder).as_posix() for file in folder.rglob("*") if not file.is_dir())
    return sorted(name for name in present if name not in files and name != MANIFEST)

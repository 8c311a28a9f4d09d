"""Lays the distribution out: every pinned file, the project's own wheel, and a lock file that names them all.

A file that is already in place with the right hash is left alone; else it is copied from the cache; else its
sources are asked, one after the other, and what they give is checked before it enters the cache. Files are
replaced whole, and the lock file last, so that a reader never sees half of anything. Knows nothing of how a
source works.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from packaging.utils import canonicalize_name
from pyodide_lock.spec import PackageSpec

from wheels.errors import Attempt, FileNotAvailable, LockError, ManifestError, SourceError
from wheels.lock import LOCK_NAME, check_lock, make_lock
from wheels.manifest import Manifest, Pinned
from wheels.own import ROOT, build_own_wheel
from wheels.sources import Source, check_hash, hash_of

CORE_PINS_NAME = "core.json"


class Report(Protocol):
    """What is told while the folder is laid out. Sizes are in bytes."""

    def asking(self, file_name: str, source: str) -> None:
        """A source is being asked for a file."""

    def refused(self, file_name: str, source: str, reason: str) -> None:
        """It did not give it, and the next one is asked."""

    def placed(self, file_name: str, size: int, origin: str) -> None:
        """A file is now in the folder; `origin` is a source, `cache`, or `tree`: made here."""


@dataclass(frozen=True)
class LaidOut:
    """What a run did.

    Attributes:
        out: the folder.
        placed: names of the files that were new or replaced, in order; the lock file included.
        downloaded: those of the pinned files that a source had to be asked for, in order.
        removed: names of files of an earlier layout that no longer belong to it.
        files: how many files the folder's layout consists of.
        size: their bytes in all.
    """

    out: Path
    placed: Sequence[str]
    downloaded: Sequence[str]
    removed: Sequence[str]
    files: int
    size: int


def lay_out(
    manifest: Manifest,
    *,
    out: Path,
    cache: Path,
    sources: Mapping[str, Source],
    report: Report,
    extra: Sequence[Source] = (),
    root: Path = ROOT,
) -> LaidOut:
    """Lays the distribution out in the folder `out`, which is made if it is not there.

    `sources` are the manifest's, by name; `extra` ones are asked before them, for every file. `cache` keeps
    what was downloaded, by hash, and may be shared by several trees. The project's own wheel is built from
    `root`.

    Raises FileNotAvailable, OwnWheelError or LockError. The lock file and everything it names are then what
    they were, unless the manifest gave other bytes to a name that the folder already held.
    """
    out.mkdir(parents=True, exist_ok=True)
    cache.mkdir(parents=True, exist_ok=True)
    downloaded: list[str] = []
    placed: list[str] = []

    def fetched(pinned: Pinned) -> tuple[Path, str]:
        path, origin = cached(pinned, cache=cache, sources=sources, report=report, extra=extra)
        if origin != "cache":
            downloaded.append(pinned.file_name)
        return path, origin

    def place(file_name: str, path: Path, origin: str) -> None:
        with tempfile.TemporaryDirectory(prefix=".new-", dir=out) as folder:
            os.replace(shutil.copyfile(path, Path(folder, file_name)), out / file_name)
        placed.append(file_name)
        report.placed(file_name, path.stat().st_size, origin)

    core_lock, _ = fetched(manifest.core[LOCK_NAME])

    def write(name: str, text: str) -> None:
        """Put a text that is made here in its place, if it is another one than that there."""
        if (out / name).is_file() and (out / name).read_text(encoding="utf-8") == text:
            return
        with tempfile.TemporaryDirectory(prefix=".new-", dir=out) as folder:
            new = Path(folder, name)
            new.write_text(text, encoding="utf-8")
            os.replace(new, out / name)
        placed.append(name)
        report.placed(name, len(text.encode()), "tree")

    pinned_files = [pinned for name, pinned in manifest.core.items() if name != LOCK_NAME]
    pinned_files += manifest.wheels.values()
    for pinned in pinned_files:
        target = out / pinned.file_name
        if not (target.is_file() and hash_of(target) == pinned.sha256):
            place(pinned.file_name, *fetched(pinned))

    pins = core_pins(manifest)
    write(CORE_PINS_NAME, pins)

    with tempfile.TemporaryDirectory(prefix=".tree-", dir=out) as folder:
        own = build_own_wheel(Path(folder), root)
        if canonicalize_name(own.name.split("-")[0]) in manifest.wheels:
            raise ManifestError(f"the manifest pins {own.name.split('-')[0]}, which is built from the tree")
        own_name = own.name
        if not ((out / own_name).is_file() and hash_of(out / own_name) == hash_of(own)):
            place(own_name, own, "tree")

    by_pyodide = [name for name, pinned in manifest.wheels.items() if "cdn" in pinned.sources]
    derived = [out / pinned.file_name for name, pinned in manifest.wheels.items() if name not in by_pyodide]
    lock = make_lock(core_lock, kept=by_pyodide, wheels=[*derived, out / own_name])
    earlier = _file_names(out / LOCK_NAME)
    write(LOCK_NAME, lock)

    check_lock(out)
    present = {pinned.file_name for pinned in pinned_files} | {own_name, LOCK_NAME, CORE_PINS_NAME}
    removed = sorted(name for name in earlier - present if (out / name).is_file())
    for name in removed:
        (out / name).unlink()
    size = sum((out / name).stat().st_size for name in present)
    return LaidOut(out, tuple(placed), tuple(downloaded), tuple(removed), len(present), size)


def cached(
    pinned: Pinned, *, cache: Path, sources: Mapping[str, Source], report: Report, extra: Sequence[Source] = ()
) -> tuple[Path, str]:
    """A pinned file in the cache, fetched if it is not there yet, and where it came from: `cache`, or the name of a source.

    Raises FileNotAvailable.
    """
    path = cache / pinned.sha256 / pinned.file_name
    if path.is_file() and hash_of(path) == pinned.sha256:
        return path, "cache"
    return path, _download(pinned, path, [*extra, *(sources[name] for name in pinned.sources)], report)


def core_pins(manifest: Manifest) -> str:
    """The text of the file that says which hashes the core's files have: the lock names only packages."""
    files = {name: pinned.sha256 for name, pinned in sorted(manifest.core.items()) if name != LOCK_NAME}
    return json.dumps({"pyodide": manifest.pyodide, "files": files}, indent=1) + "\n"


def check_layout(manifest: Manifest, out: Path) -> list[str]:
    """Proves that `out` is a whole distribution, and gives the names of its packages.

    The core's files are there with the manifest's hashes, `core.json` says these, the lock file is consistent
    (see `check_lock`) and names every package of the manifest and the project's own. Raises FileNotAvailable, WrongHash or
    LockError.
    """
    for name, pinned in manifest.core.items():
        if name == LOCK_NAME:
            continue
        if not (out / name).is_file():
            attempt = Attempt(f"folder {out}", "not there; `python -m wheels lay-out` puts it there")
            raise FileNotAvailable(name, sha256=pinned.sha256, attempts=[attempt])
        check_hash(out / name, pinned.sha256)
    pins = out / CORE_PINS_NAME
    if not pins.is_file() or pins.read_text(encoding="utf-8") != core_pins(manifest):
        raise LockError([f"{CORE_PINS_NAME} is missing, or says other hashes than the manifest pins"])
    entries: dict[str, PackageSpec] = {canonicalize_name(entry.name): entry for entry in check_lock(out)}
    expected = [*manifest.wheels, "pyodide-runtime"]
    problems = [f"{name} has no entry" for name in expected if name not in entries]
    problems += [
        f"{name} is {entries[name].file_name}, not {pinned.file_name} as pinned"
        for name, pinned in manifest.wheels.items()
        if name in entries and entries[name].sha256 != pinned.sha256
    ]
    if problems:
        raise LockError(problems)
    return sorted(entries)


def _download(pinned: Pinned, path: Path, sources: Sequence[Source], report: Report) -> str:
    """Puts the file at `path` from the first source that gives the right bytes, and gives that source's
    name."""
    attempts: list[Attempt] = []
    path.parent.mkdir(parents=True, exist_ok=True)
    for source in sources:
        report.asking(pinned.file_name, source.name)
        with tempfile.TemporaryDirectory(prefix=".new-", dir=path.parent) as folder:
            try:
                source.fetch(pinned, Path(folder))
                check_hash(Path(folder, pinned.file_name), pinned.sha256)
            except SourceError as error:
                attempts.append(Attempt(source.name, str(error)))
                report.refused(pinned.file_name, source.name, str(error))
                continue
            os.replace(Path(folder, pinned.file_name), path)
        return source.name
    raise FileNotAvailable(pinned.file_name, sha256=pinned.sha256, attempts=attempts)


def _file_names(lock: Path) -> set[str]:
    """The plain file names that a lock file names, none if there is no readable one."""
    try:
        packages = json.loads(lock.read_text(encoding="utf-8"))["packages"].values()
        return {name for package in packages if "/" not in (name := str(package["file_name"]))}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return set()

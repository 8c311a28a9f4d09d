"""The distribution's lock file: made with pyodide-lock from the core's own, and checked against the files
beside it.

A package that Pyodide built keeps the core's entry; every other entry is derived from its wheel. The lock
names nothing that is not in the folder. Knows nothing of where files come from.
"""

from __future__ import annotations

import email.parser
import json
import zipfile
from collections.abc import Collection, Iterable
from pathlib import Path

import pyodide_lock.utils
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from pydantic import ValidationError
from pyodide_lock import PyodideLockSpec
from pyodide_lock.spec import PackageSpec

from wheels.errors import LockError, WrongHash
from wheels.sources import hash_of

LOCK_NAME = "pyodide-lock.json"


def make_lock(core_lock: Path, *, kept: Collection[str], wheels: Iterable[Path]) -> str:
    """The text of a lock file for a folder that holds the packages `kept` of the core's lock and the given
    wheels.

    `kept` are canonical names. Entries of `kept` are the core's own; those of `wheels` (all in one folder,
    with the packages kept) are derived from their metadata, as Pyodide would install them: without extras,
    with Pyodide's markers. The text ends in a newline and depends on the arguments' contents only.

    Raises LockError if the core lacks a package of `kept`, a wheel cannot run in this Pyodide, or a package
    needs one that is neither kept nor given.
    """
    core = read_lock(core_lock)
    by_name: dict[str, tuple[str, PackageSpec]] = {
        canonicalize_name(entry.name): (key, entry) for key, entry in core.packages.items()
    }
    missing = [name for name in sorted(kept) if name not in by_name]
    if missing:
        raise LockError([f"{name} is not in the core's lock: Pyodide did not build it" for name in missing])
    lock = PyodideLockSpec(info=core.info, packages=dict(by_name[name] for name in kept))
    pyodide_lock.utils._wheel_metadata.cache_clear()  # it remembers by path; a rebuilt wheel keeps its path
    try:
        lock = pyodide_lock.utils.add_wheels_to_spec(lock, sorted(wheels))
        lock.check_wheel_filenames()
    except (RuntimeError, ValueError) as error:
        raise LockError([str(error)]) from error
    content = lock.model_dump(mode="json")
    if "version" not in json.loads(core_lock.read_text(encoding="utf-8"))["info"]:
        del content["info"]["version"]
    return json.dumps(content, indent=1, sort_keys=True) + "\n"


def check_lock(folder: Path) -> list[PackageSpec]:
    """Proves that the lock file of a laid-out folder says the truth, and gives its entries.

    Every entry's file is there with the entry's hash; every dependency has an entry; every requirement in a
    wheel's own metadata that holds in Pyodide is among the entry's dependencies, in a version that satisfies
    it. Raises LockError with all that is wrong.
    """
    lock = read_lock(folder / LOCK_NAME)
    entries = {canonicalize_name(name): entry for name, entry in lock.packages.items()}
    environment = environment_of(lock)
    problems: list[str] = []
    for name, entry in sorted(entries.items()):
        depends = {canonicalize_name(depend) for depend in entry.depends}
        absent = sorted(depends - set(entries))
        problems += [f"{name} depends on {depend}, which has no entry" for depend in absent]
        path = folder / entry.file_name
        if Path(entry.file_name).name != entry.file_name:
            problems.append(f"{name}: {entry.file_name} does not lie in the folder itself")
        elif not path.is_file():
            problems.append(f"{name}: {entry.file_name} is missing")
        elif (actual := hash_of(path)) != entry.sha256:
            wrong = WrongHash(entry.file_name, expected=entry.sha256, actual=actual)
            problems.append(f"{name}: {wrong}")
        else:
            for requirement in requirements_of(path, environment):
                needed = canonicalize_name(requirement.name)
                if needed not in depends:
                    problems.append(f"{name} requires {requirement}, which is not among its dependencies")
                elif needed in entries and not requirement.specifier.contains(Version(entries[needed].version), prereleases=True):
                    version = entries[needed].version
                    problems.append(f"{name} requires {requirement}, but {needed} is {version}")
    if problems:
        raise LockError(problems)
    return list(entries.values())


def read_lock(path: Path) -> PyodideLockSpec:
    """A lock file. Raises LockError if it cannot be read as one."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        # Newer locks no longer name Pyodide's version, which this release of pyodide-lock still insists on.
        content["info"].setdefault("version", "")
        return PyodideLockSpec(**content)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ValidationError) as error:
        raise LockError([f"{path} cannot be read as a lock file: {error}"]) from error


def environment_of(lock: PyodideLockSpec) -> dict[str, str]:
    """What markers of requirements are asked of, in the Pyodide of a lock file."""
    return pyodide_lock.utils._get_marker_environment(**lock.info.model_dump())


def requirements_of(wheel: Path, environment: dict[str, str], extras: Collection[str] = ()) -> list[Requirement]:
    """What the wheel's own metadata requires in Pyodide, with these extras."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = email.parser.BytesParser().parsebytes(archive.read(name))
    requirements = [Requirement(str(line)) for line in metadata.get_all("Requires-Dist", [])]
    asked = [{**environment, "extra": extra} for extra in ("", *extras)]
    return [one for one in requirements if one.marker is None or any(one.marker.evaluate(told) for told in asked)]

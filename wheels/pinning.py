"""Finds out what has to be pinned so that an environment of one's own runs in the browser: packages and all that they need.

What Pyodide builds itself is taken as its lock file has it; every other package must be a pure wheel, and comes from PyPI. It
reads the manifest and writes to none; it knows nothing of how the distribution is laid out.
"""

from __future__ import annotations

import json
import tempfile
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import Version

from wheels.errors import PinError
from wheels.lock import environment_of, read_lock, requirements_of
from wheels.manifest import Manifest, Pinned
from wheels.sources import hash_of

__all__ = ["Shelf", "find_pins", "toml_of"]


class Shelf(Protocol):
    """Where pure wheels are looked for."""

    def find(self, requirement: str, into: Path) -> Path:
        """The newest pure wheel for a requirement, in the folder `into`. SourceError if there is none."""


def find_pins(
    wanted: Sequence[str], *, manifest: Manifest, core_lock: Path, shelf: Shelf, say: Callable[[str], None]
) -> list[Pinned]:
    """The pins that are to be added to a manifest for these requirements, those of what they need included.

    Args:
        wanted: requirements as pip takes them: `scipy`, `minigrid==3.2.0`, `pettingzoo[classic]`.
        core_lock: the core's own lock file.
        say: is told what was found.

    Raises:
        PinError: something is no requirement, or contradicts what is pinned already or built by Pyodide.
        SourceError: a package has no pure wheel.
        LockError: the core's lock file cannot be read.
    """
    lock = read_lock(core_lock)
    environment = environment_of(lock)
    built = {canonicalize_name(entry.name): entry for entry in lock.packages.values()}
    versions = {name: pinned.version for name, pinned in manifest.wheels.items()}
    found: list[Pinned] = []
    seen: set[tuple[str, frozenset[str]]] = set()
    queue = deque((_requirement(text), "you") for text in wanted)
    while queue:
        requirement, needed_by = queue.popleft()
        name = canonicalize_name(requirement.name)
        key = (name, frozenset(requirement.extras))
        if key in seen or (name in versions and not requirement.extras and _suits(requirement, versions[name], needed_by)):
            continue
        seen.add(key)
        entry = built.get(name)
        if entry is not None and not entry.file_name.endswith("-none-any.whl"):
            _suits(requirement, entry.version, needed_by)
            needs = [Requirement(depend) for depend in entry.depends]
            pinned = Pinned(name, entry.version, entry.file_name, entry.sha256, ("cdn", "carrier"))
            say(f"{name} {entry.version}: built by Pyodide")
        else:
            exact = f"{name}=={versions[name]}" if name in versions else f"{name}{requirement.specifier}"
            with tempfile.TemporaryDirectory(prefix="wheels-pin-") as folder:
                wheel = shelf.find(exact, Path(folder))
                needs = requirements_of(wheel, environment, requirement.extras)
                version = str(parse_wheel_filename(wheel.name)[1])
                pinned = Pinned(name, version, wheel.name, hash_of(wheel), ("pypi",))
            say(f"{name} {version}: from PyPI")
        queue.extend((need, name) for need in needs)
        if name not in versions:
            versions[name] = pinned.version
            found.append(pinned)
    return found


def toml_of(pins: Sequence[Pinned]) -> str:
    """Pins as they are written into a manifest."""
    text = ""
    for pin in pins:
        fields = {"name": pin.name, "version": pin.version, "file_name": pin.file_name, "sha256": pin.sha256}
        lines = [f"{name} = {json.dumps(value)}" for name, value in fields.items()]
        text += "\n".join(["", "[[wheel]]", *lines, f"sources = {json.dumps(pin.sources)}", ""])
    return text


def _requirement(text: str) -> Requirement:
    try:
        requirement = Requirement(text)
    except InvalidRequirement as error:
        raise PinError(f"{text!r} is no requirement: {error}") from None
    if requirement.url is not None:
        raise PinError(f"{text!r} names an address; only what PyPI or Pyodide has can be pinned so")
    return requirement


def _suits(requirement: Requirement, version: str, needed_by: str) -> bool:
    if requirement.specifier.contains(Version(version), prereleases=True):
        return True
    whom = "" if needed_by == "you" else f", which {needed_by} needs,"
    raise PinError(f"{requirement}{whom} cannot be had: the manifest or Pyodide has {requirement.name} {version}")

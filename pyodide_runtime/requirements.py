"""Which of an experiment's requirements a distribution has, and how the others are installed from elsewhere.

It compares names and exact versions only; whatever asks for more is left to micropip, which knows the whole of PEP 508 and
is there only inside Pyodide.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from .errors import RequirementError

__all__ = ["install", "plan"]

_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_SIMPLE = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:==\s*([A-Za-z0-9.+!_-]+))?\s*")


def plan(requirements: Iterable[str], packages: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
    """Split requirements into those to load by the distribution's lock and those to install with micropip.

    Args:
        requirements: such as "cogrid==0.3.2" or "pettingzoo".
        packages: the `packages` of a pyodide-lock.json.

    Returns:
        {"load": names in the lock, "install": requirements as they were given}.
    """
    known = {_normal(name): package for name, package in packages.items()}
    found: dict[str, list[str]] = {"load": [], "install": []}
    for requirement in requirements:
        match = _SIMPLE.fullmatch(requirement)
        package = known.get(_normal(match[1])) if match else None
        if match and package and match[2] in (None, package["version"]):
            found["load"].append(package["name"])
        else:
            found["install"].append(requirement)
    return found


async def install(requirements_json: str, packages_json: str) -> None:
    """Install requirements with micropip, one after the other, so that the one that cannot be had is known by name.

    Args:
        requirements_json: those that `plan` says are to be installed.
        packages_json: the `packages` of the lock, for the message.

    Raises:
        RequirementError: the first that could not be installed, and why. Those before it are there.
    """
    import micropip

    packages: Mapping[str, Mapping[str, Any]] = json.loads(packages_json)
    for requirement in json.loads(requirements_json):
        try:
            await micropip.install(requirement)
        except Exception as error:  # whatever it is: network, index, archive and metadata have errors of their own each
            why = f"{await _refusal(requirement) or _reason(error)}{_had(requirement, packages)}"
            raise RequirementError(f"the requirement {requirement!r} cannot be installed: {why}") from None


async def _refusal(requirement: str) -> str:
    """What a server answers to a requirement with an address, if that is a refusal: micropip takes any answer for a wheel."""
    from pyodide.http import pyfetch

    _, at, address = requirement.partition("@")
    if not at:
        return ""
    address = address.partition(";")[0].strip()
    try:
        response = await pyfetch(address)
    except OSError:
        return f"{address} cannot be reached from here (there is no such server, or it allows no other origin to read it)"
    return "" if response.ok else f"{address}: the server answered {response.status}"


def _reason(error: Exception) -> str:
    """The first sentence of what micropip said; the rest is advice to those who call it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__).partition(". ")[0].rstrip(".")


def _had(requirement: str, packages: Mapping[str, Mapping[str, Any]]) -> str:
    """What the distribution has of a package, if it has any of that name."""
    match = _NAME.match(requirement)
    for package in packages.values():
        if match and _normal(package["name"]) == _normal(match[1]):
            return f"; the server itself has {package['name']} {package['version']}"
    return ""


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()

"""Which of an experiment's requirements a distribution has, and which must be installed from elsewhere.

It compares names and exact versions only; whatever asks for more is left to micropip, which knows the whole of PEP 508.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["plan"]

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


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()

"""What this host runs: Python, platform and packages. Nothing here knows what they are compared for."""

from __future__ import annotations

import platform
import sys
from importlib import metadata
from typing import Any

__all__ = ["versions"]


def versions() -> dict[str, Any]:
    """Python, platform, and every installed package by name, as JSON values."""
    # Python's own archive, where it is one, holds no packages, and to look through it takes long.
    own = f"python{sys.version_info.major}{sys.version_info.minor}.zip"
    places = [place for place in sys.path if not place.endswith(own)]
    packages = dict(map(_name_and_version, metadata.distributions(path=places)))
    return {
        "python": platform.python_version(),
        "platform": sys.platform,
        "packages": dict(sorted(packages.items())),
    }


#: Name and version by the folder that tells of them, whose own name has both in it, so that another version is another folder.
_KNOWN: dict[str, tuple[str, str]] = {}


def _name_and_version(package: metadata.Distribution) -> tuple[str, str]:
    folder = str(getattr(package, "_path", ""))
    known = _KNOWN.get(folder)
    if known is None:
        about = package.metadata  # which is read and parsed anew with each look, a whole README with it
        known = str(about["Name"]).lower(), about["Version"]
        if folder.endswith(".dist-info"):
            _KNOWN[folder] = known
    return known

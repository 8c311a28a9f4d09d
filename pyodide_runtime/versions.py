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
    # Each look at `metadata` reads and parses it anew, a whole README with it.
    about = [package.metadata for package in metadata.distributions(path=places)]
    packages = {str(package["Name"]).lower(): package["Version"] for package in about}
    return {
        "python": platform.python_version(),
        "platform": sys.platform,
        "packages": dict(sorted(packages.items())),
    }

"""What this host runs: Python, platform and packages. Nothing here knows what they are compared for."""

from __future__ import annotations

import platform
import sys
from importlib import metadata
from typing import Any

__all__ = ["versions"]


def versions() -> dict[str, Any]:
    """Python, platform, and every installed package by name, as JSON values."""
    packages = {str(package.metadata["Name"]).lower(): package.version for package in metadata.distributions()}
    return {
        "python": platform.python_version(),
        "platform": sys.platform,
        "packages": dict(sorted(packages.items())),
    }

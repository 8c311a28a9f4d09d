"""Experiments are imported by name: what one test imported must not be there in the next."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder for an experiment's files."""
    path, modules = list(sys.path), set(sys.modules)
    yield tmp_path / "experiment"
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]

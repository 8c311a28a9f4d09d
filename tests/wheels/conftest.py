"""The made-up world, and the made-up PyPI, that the tests of the layout share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.wheels.made_up import Workshop


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    """A fresh made-up world."""
    return Workshop(tmp_path)


@pytest.fixture
def pypi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that the real pip takes for PyPI."""
    folder = tmp_path / "index"
    folder.mkdir()
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder

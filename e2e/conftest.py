"""The theatre of a run: what the selected tests ask for by their parameter `play` is played, and handed out as `played`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from e2e.theatre import Play, Theatre

ARTIFACTS = Path(__file__).parent / "artifacts"


def _play_of(item: pytest.Item) -> Play | None:
    callspec = getattr(item, "callspec", None)
    return None if callspec is None else callspec.params.get("play")


@pytest.fixture(scope="session")
def theatre(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    """Plays for all tests that were selected, in their order."""
    ARTIFACTS.mkdir(exist_ok=True)
    programme = [play for item in request.session.items if (play := _play_of(item)) is not None]
    with Theatre(programme, tmp_path_factory.mktemp("e2e"), ARTIFACTS) as theatre:
        yield theatre


@pytest.fixture
def played(play: Play, theatre: Theatre) -> Any:
    """What came of the test's play."""
    return theatre.result(play)

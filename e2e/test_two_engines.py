"""One player in Chromium and the other in Firefox: the same data, byte for byte."""

from __future__ import annotations

import pytest

from e2e.cases import example
from e2e.impairment import Line
from e2e.judging import assert_active, assert_complete_and_equal, assert_round_trips
from e2e.match import Match, Played, Room

LATE, LEVEL = Line(latency_ms=100), Line()
BOTH = (True, True)


async def _from_images(room: Room) -> None:
    """An image that was made under Node serves both engines: no page has fallen back to loading packages."""
    for player in room.players:
        stages = await player.read("window.pyodideRuntime.stages.map(({ name }) => name)")
        assert "waking" in stages and not [name for name in stages if name.startswith("package ")], stages


@pytest.mark.parametrize(
    "play",
    [
        pytest.param(
            example(
                "overcooked", "engines", engines=("firefox", "chromium"), lines=(LEVEL, LATE), active=BOTH, during=_from_images
            ),
            id="firefox-chromium-overcooked",
        ),
        pytest.param(
            example("arena", "engines", engines=("chromium", "firefox"), lines=(LATE, LEVEL), active=BOTH, during=_from_images),
            id="chromium-firefox-arena",
        ),
    ],
)
def test_two_engines_have_the_same_data(play: Match, played: Played) -> None:
    table = assert_complete_and_equal(played)
    assert_active(played, table)
    assert_round_trips(played)

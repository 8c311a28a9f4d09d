"""One player in Chromium and the other in Firefox: the same data, byte for byte."""

from __future__ import annotations

import pytest

from e2e.cases import example
from e2e.impairment import Line
from e2e.judging import assert_active, assert_complete_and_equal, assert_round_trips
from e2e.match import Match, Played

LATE, LEVEL = Line(latency_ms=100), Line()
BOTH = (True, True)


@pytest.mark.parametrize(
    "play",
    [
        pytest.param(
            example("overcooked", "engines", engines=("firefox", "chromium"), lines=(LEVEL, LATE), active=BOTH),
            id="firefox-chromium-overcooked",
        ),
        pytest.param(
            example("arena", "engines", engines=("chromium", "firefox"), lines=(LATE, LEVEL), active=BOTH),
            id="chromium-firefox-arena",
        ),
    ],
)
def test_two_engines_have_the_same_data(play: Match, played: Played) -> None:
    table = assert_complete_and_equal(played)
    assert_active(played, table)
    assert_round_trips(played)

"""However Python starts in a page, from a memory image or the plain way because it cannot be used, the data are the same."""

from __future__ import annotations

import pytest
from playwright.async_api import Route

from e2e.cases import example
from e2e.impairment import Line
from e2e.judging import assert_active, assert_complete_and_equal
from e2e.match import Match, Played, Room

BOTH, LATE = (True, True), (Line(latency_ms=100), Line())


async def _refuse(room: Room) -> None:
    """The second page does not get its image."""

    async def refuse(route: Route) -> None:
        await route.abort()

    await room.players[1].page.route("**/*.image?*", refuse)


async def _damage(room: Room) -> None:
    """The second page gets an image whose bytes are not those that the distribution names."""

    async def damage(route: Route) -> None:
        answer = await route.fetch()
        told = await answer.json()
        for image in told["images"]:
            image["pieces"][-1] = "0" * 64  # of the last that arrives, when Python's memory has been read already
        await route.fulfill(response=answer, json=told)

    await room.players[1].page.route("**/images.json", damage)


async def _ways(room: Room) -> None:
    """The first page started from an image; the second one did not, and loaded its packages."""
    told = "window.pyodideRuntime.stages.map(({ name }) => name)"
    first, second = [await player.read(told) for player in room.players]
    assert "waking" in first
    assert "package pettingzoo" not in first
    assert "package pettingzoo" in second


async def _refused(room: Room) -> None:
    """As `_ways`; and the second page's console has a line about its image, which is the browser's own, and no other."""
    await _ways(room)
    problems = room.players[1].problems
    assert problems == ["Failed to load resource: net::ERR_FAILED"]
    problems.clear()


@pytest.mark.parametrize(
    "play",
    [
        pytest.param(
            example("arena", "refused-image", lines=LATE, active=BOTH, before=_refuse, during=_refused), id="refused-arena"
        ),
        pytest.param(
            example("overcooked", "damaged-image", lines=LATE, active=BOTH, before=_damage, during=_ways), id="damaged-overcooked"
        ),
    ],
)
def test_a_page_that_cannot_use_its_image_has_the_same_data(play: Match, played: Played) -> None:
    table = assert_complete_and_equal(played)
    assert_active(played, table)

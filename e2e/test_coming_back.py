"""Pages that go in mid-episode, and come back: the others wait, or go on, and in the end all have the same data."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence

import pytest
from playwright.async_api import Route

from e2e.data import Table, read_table
from e2e.house import EXPERIMENTS
from e2e.impairment import Line
from e2e.judging import assert_active, assert_complete_and_equal, assert_reruns_equal, rollbacks_of
from e2e.match import Match, Played, Room
from e2e.player import Player
from e2e.relaying import cut, make_cuttable

BOTH, ALL = (True, True), (True, True, True)
LONG = 60
"""Frames that somebody who is away misses at least, however fast it comes back."""


def absences_of(table: Table, player: str) -> list[tuple[bool, int]]:
    """Whether a player was absent, and for how many frames, one stretch after the other."""
    flags = [flag == "true" for flag in table.column(f"absent.{player}")]
    return [(flag, len(list(stretch))) for flag, stretch in itertools.groupby(flags)]


def assert_went_and_came_back(table: Table, player: str, others: Sequence[str]) -> int:
    """In the rows of everybody the player was absent once, in the middle, and played afterwards; the others never were.

    Returns for how many frames it was absent.
    """
    absences = absences_of(table, player)
    assert [absent for absent, _ in absences] == [False, True, False], absences
    for other in others:
        assert absences_of(table, other) == [(False, len(table.rows))]
    (_, before), (_, absent), _ = absences
    assert set(table.column(f"action.{player}")[before : before + absent]) == {"0"}
    assert len(set(table.column(f"action.{player}")[before + absent :])) > 1, "it never played again"
    return absent


def assert_pages(played: Played, *counts: int) -> None:
    """So many pages every player had, and the rows of all of them agree."""
    assert [player["incarnations"] for player in played.summary["players"]] == list(counts)
    assert [player["error"] for player in played.summary["players"]] == [None] * len(counts)


async def _says(player: Player, words: str) -> None:
    """Wait until a page says this."""
    await player.page.wait_for_function("words => document.body.innerText.includes(words)", arg=words)


def _picture(name: str) -> str:
    return f"e2e/artifacts/{name}.png"


# -- a page that is loaded again -----------------------------------------------------------------------------------------


async def _hold_loading(player: Player) -> asyncio.Event:
    """When the page is loaded again, that takes until the event is set: how fast this machine is has no part in it."""
    loading = asyncio.Event()

    async def hold(route: Route) -> None:
        await loading.wait()
        await route.continue_()

    await player.page.route("**/page/play.js", hold)
    return loading


async def _plays_on(player: Player) -> None:
    """Wait until a page has simulated so many more frames that a player's absence cannot be overlooked."""
    await player.reach_frame((await player.stats())["frame"] + LONG)


async def _reload(room: Room) -> None:
    """The first page is loaded again, while the other one plays on."""
    one, other = room.players
    await asyncio.gather(*(player.reach_frame(60) for player in room.players))
    loading = await _hold_loading(one)
    coming = asyncio.create_task(one.come_back())
    await _says(other, "The match goes on without them until they return.")
    await _plays_on(other)
    loading.set()
    catching_up = asyncio.create_task(_says(one, "Catching up"))  # from now on: it may be over as soon as it has begun
    await other.page.screenshot(path=_picture("absent-default"))
    await catching_up
    await one.page.screenshot(path=_picture("catching-up"))
    await coming


RELOADED = Match(EXPERIMENTS / "going_on.py", "reloaded", active=BOTH, during=_reload, lines=(Line(latency_ms=50),))


@pytest.mark.parametrize("play", [RELOADED], ids=["default"])
def test_a_page_that_is_loaded_again_catches_up_with_a_match_that_went_on(play: Match, played: Played) -> None:
    table = assert_complete_and_equal(played, steps=900)
    assert_active(played, table)
    assert assert_went_and_came_back(table, "red", ["blue"]) > LONG
    assert_pages(played, 2, 1)
    assert rollbacks_of(played.halves[0]) >= 1


async def _watch(room: Room) -> None:
    """Somebody watches before anybody plays."""
    await (await room.watch("W1")).reach("waiting", seconds=180)


async def _reload_and_be_waited_for(room: Room) -> None:
    """The first page is loaded again; the other one waits for it, and meanwhile somebody comes to watch."""
    one, other = room.players
    await asyncio.gather(*(player.reach_frame(100) for player in room.players))
    loading = await _hold_loading(one)
    coming = asyncio.create_task(one.come_back())
    await _says(other, "Paused until the other player is back")
    await asyncio.sleep(1)  # it plays on to the end of its window first
    frame = (await other.stats())["frame"]
    await asyncio.sleep(1)
    assert (await other.stats())["frame"] == frame
    await other.page.screenshot(path=_picture("absent-pause"))
    late = await room.watch("W2")
    await late.reach("playing", seconds=180)
    await late.page.screenshot(path=_picture("watching-late"))
    loading.set()
    await coming


WAITED_FOR = Match(EXPERIMENTS / "waiting.py", "waited-for", active=BOTH, before=_watch, during=_reload_and_be_waited_for)


@pytest.mark.parametrize("play", [WAITED_FOR], ids=["pause"])
def test_a_page_that_is_loaded_again_is_waited_for_and_watched_by_early_and_late(play: Match, played: Played) -> None:
    table = assert_complete_and_equal(played, steps=300)
    assert_active(played, table)
    # Nothing is played for a player who is waited for: only the frame in which the new page takes over.
    assert assert_went_and_came_back(table, "red", ["blue"]) == 1
    assert_pages(played, 2, 1)
    assert len(played.watchers) == 2
    for watcher in played.watchers:
        assert (watcher.phase, watcher.error, watcher.problems) == ("finished", "", [])
        assert watcher.stats["confirmedFrame"] == played.halves[1].stats["confirmedFrame"] == 299


# -- a page that is gone -------------------------------------------------------------------------------------------------


async def _close_for_good(room: Room) -> None:
    one, other = room.players
    await asyncio.gather(*(player.reach_frame(100) for player in room.players))
    await other.close_tab()
    await _says(one, "The computer plays in their place until they return.")
    await one.page.screenshot(path=_picture("absent-partner"))


CLOSED = Match(EXPERIMENTS / "partnered.py", "closed", active=BOTH, during=_close_for_good)


@pytest.mark.parametrize("play", [CLOSED], ids=["partner"])
def test_a_partner_plays_to_the_end_for_a_player_whose_page_is_closed(play: Match, played: Played) -> None:
    stays, closed = played.halves
    assert (stays.phase, stays.error, stays.outcome["outcome"]) == ("finished", "", "completed")
    assert stays.outcome["rows"] == 300
    assert closed.outcome["outcome"] == "left"
    assert closed.export.endswith(b"\n") and stays.export.startswith(closed.export)
    assert len(closed.export.splitlines()) > 50
    table = read_table(stays.export)
    (absent, before), (away, frames) = absences_of(table, "blue")
    assert (absent, away) == (False, True) and frames > 100
    # What was played alone nobody else has seen.
    assert 50 < stays.outcome["certified_through"][1] < before
    assert len(set(table.column("action.blue")[before:])) >= 4, "the partner hardly did anything"
    assert absences_of(table, "red") == [(False, 300)]
    assert_reruns_equal(played, through=[stays])


# -- a page that is given up by mistake ----------------------------------------------------------------------------------


async def _make_the_third_cuttable(room: Room) -> None:
    await make_cuttable(room.players[2].page)


async def _cut_and_mend(room: Room) -> None:
    """Nothing gets through to the third page or from it until the others go on without it; then all does, and it comes back."""
    third = room.players[2]
    assert third.impairment is not None
    await asyncio.gather(*(player.reach_frame(60) for player in room.players))
    await cut(third.page, True)
    await third.impairment.change(Line(loss_percent=100))
    await asyncio.gather(*(_says(player, "The match goes on without them") for player in room.players[:2]))
    await asyncio.gather(*(_plays_on(player) for player in room.players[:2]))
    async with third.page.expect_navigation(wait_until="commit"):
        await third.impairment.change(Line())
        await cut(third.page, False)
    await _says(third, "Coming back")
    await third.page.screenshot(path=_picture("coming-back"))
    await third.reach("playing", seconds=180)


MISTAKEN = Match(
    EXPERIMENTS / "three_going_on.py",
    "mistaken",
    count=3,
    active=ALL,
    before=_make_the_third_cuttable,
    during=_cut_and_mend,
)


@pytest.mark.parametrize("play", [MISTAKEN], ids=["three_going_on"])
def test_a_page_that_was_given_up_by_mistake_loads_itself_again_and_plays_on(play: Match, played: Played) -> None:
    table = assert_complete_and_equal(played, steps=900)
    assert_active(played, table)
    assert assert_went_and_came_back(table, "blue", ["red", "green"]) > LONG
    assert_pages(played, 1, 1, 2)
    first = played.halves[2].record.parent.parent / "outcome.json"
    assert '"dropped"' in first.read_text()


async def _make_both_cuttable(room: Room) -> None:
    for player in room.players:
        await make_cuttable(player.page)


async def _lose_each_other(room: Room) -> None:
    """Nothing gets through between two pages until one goes on without the other, which loads itself again; then all does."""
    one, other = room.players
    assert one.impairment is not None
    await asyncio.gather(*(player.reach_frame(60) for player in room.players))
    going_on = [asyncio.create_task(_says(player, "The match goes on without them")) for player in room.players]
    await asyncio.gather(*(cut(player.page, True) for player in room.players))
    await one.impairment.change(Line(loss_percent=100))
    done, pending = await asyncio.wait(going_on, return_when=asyncio.FIRST_COMPLETED)
    assert len(done) == 1, "one of the two goes on, and it alone"
    goes_on, waits = (one, other) if going_on[0] in done else (other, one)
    for task in pending:
        task.cancel()
    await goes_on.page.screenshot(path=_picture("goes-on-by-verdict"))
    await _plays_on(goes_on)
    await one.impairment.change(Line())
    await cut(goes_on.page, False)
    await waits.reach("playing", seconds=180)


HALVES = Match(EXPERIMENTS / "going_on.py", "halves", active=BOTH, before=_make_both_cuttable, during=_lose_each_other)


@pytest.mark.parametrize("play", [HALVES], ids=["default"])
def test_of_two_that_lose_each_other_the_server_lets_one_go_on_and_the_other_comes_back(play: Match, played: Played) -> None:
    table = assert_complete_and_equal(played, steps=900)
    pages = [player["incarnations"] for player in played.summary["players"]]
    assert sorted(pages) == [1, 2]
    assert [player["error"] for player in played.summary["players"]] == [None, None]
    came_back, stayed = table.players if pages[0] == 2 else table.players[::-1]
    assert assert_went_and_came_back(table, came_back, [stayed]) > LONG

"""The ways between pages: through the server where there is no direct one, and back. The data are the same either way."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace

import pytest

from e2e.cases import example
from e2e.house import EXPERIMENTS
from e2e.impairment import Line
from e2e.judging import assert_active, assert_complete_and_equal
from e2e.match import Half, Match, Played, Room
from e2e.relaying import break_line, make_cuttable, relayed

BOTH = (True, True)
NOT_DIRECTLY = {"ice_transport_policy": "relay"}
"""Through TURN servers only, and there are none."""


def ways_of(half: Half) -> list[tuple[int, str]]:
    """The ways that a page's packets went, peer by peer and in order, as its diagnostics tell."""
    return [(entry["peer"], entry["state"]) for entry in half.diagnostics if entry["event"] == "link"]


@pytest.mark.parametrize(
    "play", [example("arena", "relayed", queries=(NOT_DIRECTLY, {}), active=BOTH, picture="relayed.png")], ids=["arena"]
)
def test_where_no_direct_way_comes_up_packets_go_through_the_server(play: Match, played: Played) -> None:
    table = assert_complete_and_equal(played)
    assert_active(played, table)
    for place, half in enumerate(played.halves):
        assert half.links == {str(1 - place): "relay"}
        assert ways_of(half) == [(1 - place, "relay")]


async def _break_the_line(room: Room) -> None:
    """The only way there is breaks off, twice."""
    for frame in (120, 240):
        await asyncio.gather(*(player.reach_frame(frame) for player in room.players))
        await break_line(room.players[0].page)


async def _make_breakable(room: Room) -> None:
    await make_cuttable(room.players[0].page)


BROKEN = example("arena", "broken-line", queries=(NOT_DIRECTLY, {}), active=BOTH, before=_make_breakable, during=_break_the_line)


@pytest.mark.parametrize("play", [BROKEN], ids=["arena"])
def test_a_line_that_breaks_off_is_opened_again_and_the_match_goes_on(play: Match, played: Played) -> None:
    table = assert_complete_and_equal(played)
    assert_active(played, table)
    for place, half in enumerate(played.halves):
        assert ways_of(half) == [(1 - place, "relay")]


# -- there and back ------------------------------------------------------------------------------------------------------

COUNTED: dict[str, list[dict[str, int]]] = {}


async def _make_countable(room: Room) -> None:
    await asyncio.gather(*(make_cuttable(player.page) for player in room.players))


async def _there_and_back(room: Room) -> None:
    """The direct way is dead from frame 90 on, and mended once both have played on through the server."""
    one, other = room.players
    assert one.impairment is not None
    await one.reach_frame(90)
    COUNTED[room.name] = [await relayed(player.page) for player in room.players]
    await one.impairment.change(Line(loss_percent=100))
    await asyncio.gather(one.reach_way("relay", 1), other.reach_way("relay", 0))
    frames = [(await player.stats())["frame"] for player in room.players]
    await asyncio.gather(*(player.reach_frame(frame + 60) for player, frame in zip(room.players, frames, strict=True)))
    await one.page.screenshot(path=_picture(room))
    COUNTED[room.name] += [await relayed(player.page) for player in room.players]
    await one.impairment.change(Line())
    await asyncio.gather(one.reach_way("direct", 1), other.reach_way("direct", 0))


def _picture(room: Room) -> str:
    return f"e2e/artifacts/{room.name}.png"


THERE_AND_BACK = Match(EXPERIMENTS / "long_arena.py", "there-and-back", active=BOTH, before=_make_countable, during=_there_and_back)


@pytest.mark.parametrize("play", [THERE_AND_BACK], ids=["arena"])
def test_a_direct_way_that_dies_is_replaced_and_taken_again_when_it_is_back(play: Match, played: Played) -> None:
    table = assert_complete_and_equal(played, steps=900)
    assert_active(played, table)
    before, after = COUNTED[play.name][:2], COUNTED[play.name][2:]
    assert all(count == {"sent": 0, "received": 0} for count in before)
    assert all(min(count.values()) >= 60 for count in after), "they played on by another way than the server"
    for place, half in enumerate(played.halves):
        assert ways_of(half)[:3] == [(1 - place, way) for way in ("direct", "relay", "direct")]
        assert half.links == {str(1 - place): "direct"}


# -- two players at each browser ------------------------------------------------------------------------------------------

WALKS = {"red": [1, 2, 3, 4, 1], "green": [4, 3, 2, 1, 4], "blue": [2, 4, 1, 3, 2], "gold": [3, 1, 4, 2, 3]}
"""Which actions each player takes, one after the other."""
ARROWS = {1: "ArrowUp", 2: "ArrowDown", 3: "ArrowLeft", 4: "ArrowRight"}
LETTERS = {1: "w", 2: "s", 3: "a", 4: "d"}


async def _walk(room: Room) -> None:
    """At each browser both players hold one key after the other, both at the same time."""
    await asyncio.gather(*(player.reach_frame(30) for player in room.players))
    for turn in range(5):
        keys = [
            (player, [ARROWS[WALKS[first][turn]], LETTERS[WALKS[second][turn]]])
            for player, (first, second) in zip(room.players, (("red", "green"), ("blue", "gold")), strict=True)
        ]
        await asyncio.gather(*(player.page.keyboard.down(key) for player, held in keys for key in held))
        await asyncio.sleep(0.5)
        await asyncio.gather(*(player.page.keyboard.up(key) for player, held in keys for key in held))
        await asyncio.sleep(0.3)


PAIRS = Match(EXPERIMENTS / "pairs.py", "pairs", lines=(Line(latency_ms=100),), during=_walk, picture="pairs.png")


@pytest.mark.parametrize("play", [PAIRS], ids=["pairs"])
def test_two_players_at_each_browser_have_keys_of_their_own(play: Match, played: Played) -> None:
    table = assert_complete_and_equal(played, steps=300)
    assert table.players == list(WALKS)
    for name, walk in WALKS.items():
        held = [key for key, _ in itertools.groupby(table.column(f"action.{name}"))]
        assert [int(action) for action in held if action != "0"] == walk


# -- three players -------------------------------------------------------------------------------------------------------

THREE = Match(EXPERIMENTS / "three_players.py", "three", count=3, active=(True, True, True), lines=(Line(latency_ms=50),))


@pytest.mark.parametrize(
    "play",
    [
        pytest.param(replace(THREE, picture="three.png"), id="direct"),
        pytest.param(replace(THREE, name="three-mixed", queries=(NOT_DIRECTLY, {}, {})), id="one-through-the-server"),
    ],
)
def test_three_players_have_the_same_data(play: Match, played: Played) -> None:
    table = assert_complete_and_equal(played, steps=300)
    assert_active(played, table)
    assert len(table.players) == 3
    way = "relay" if play.queries[0] else "direct"
    assert [half.links for half in played.halves] == [{"1": way, "2": way}, {"0": way, "2": "direct"}, {"0": way, "1": "direct"}]

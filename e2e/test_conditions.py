"""Everything else that may befall a match: uneven and unsteady networks, outages, closed tabs, wrong terms, garbage."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from e2e.cases import example, on_both_experiments
from e2e.data import read_table
from e2e.garbage import PACKETS, flood, keep_channels
from e2e.house import EXPERIMENTS
from e2e.impairment import Line
from e2e.judging import (
    STEPS,
    assert_active,
    assert_complete_and_equal,
    assert_lossy,
    assert_prefixes,
    assert_round_trips,
    rollbacks_of,
)
from e2e.match import Half, Match, Played, Room
from e2e.relaying import cut, make_cuttable

BOTH = (True, True)
EPISODES, SHORT_STEPS = 3, 150


@on_both_experiments(lambda name: example(name, "asymmetric", lines=(Line(latency_ms=50), Line(latency_ms=200)), active=BOTH))
def test_asymmetric_latency(play: Match, played: Played) -> None:
    table = assert_complete_and_equal(played)
    assert_active(played, table)
    assert_round_trips(played)


@on_both_experiments(lambda name: example(name, "jitter", lines=(Line(latency_ms=100, jitter_ms=75), Line()), active=BOTH))
def test_jitter(play: Match, played: Played) -> None:
    table = assert_complete_and_equal(played)
    assert_active(played, table)
    assert_round_trips(played)
    for half in played.halves:
        trips = [sample["roundTripMs"] for sample in half.samples]
        assert max(trips) - min(trips) >= play.lines[0].jitter_ms, "the round trip hardly changed"


@pytest.mark.parametrize(
    "play", [example("arena", "loss-latency", lines=(Line(latency_ms=100, loss_percent=20), Line()), active=BOTH)], ids=["arena"]
)
def test_loss_and_latency_together(play: Match, played: Played) -> None:
    table = assert_complete_and_equal(played)
    assert_active(played, table)
    assert_round_trips(played)
    assert_lossy(played, 0.1)


async def _only_directly(room: Room) -> None:
    """On so bad a line a direct way may be long in coming up, and the one through the server is better than it."""
    await make_cuttable(room.players[0].page, is_cut=True)


@pytest.mark.parametrize(
    "play",
    [Match(EXPERIMENTS / "far.py", "far", lines=(Line(latency_ms=500), Line()), active=BOTH, before=_only_directly)],
    ids=["arena"],
)
def test_half_a_second_each_way(play: Match, played: Played) -> None:
    table = assert_complete_and_equal(played)
    assert_active(played, table)
    assert_round_trips(played)


@pytest.mark.parametrize(
    "play",
    [Match(EXPERIMENTS / "three_episodes.py", "three-episodes", lines=(Line(latency_ms=50), Line()), active=BOTH)],
    ids=["arena"],
)
def test_three_episodes_in_a_row(play: Match, played: Played) -> None:
    table = assert_complete_and_equal(played, episodes=EPISODES, steps=SHORT_STEPS)
    assert_active(played, table)
    for half in played.halves:
        lines = [json.loads(line) for line in half.record.read_text().splitlines()]
        assert len({line["seed"] for line in lines if "seed" in line and "episode" in line}) == EPISODES
        assert [line["end"] for line in lines if "end" in line] == list(range(EPISODES))
    assert len({tuple(row[f"info.{table.players[0]}.{axis}"] for axis in "xy") for row in table.rows[::SHORT_STEPS]}) > 1


@pytest.mark.parametrize("play", [example("arena", "proxied", queries=({"proxy_channels": "1"}, {}), active=BOTH)], ids=["arena"])
def test_one_page_relays_its_channels(play: Match, played: Played) -> None:
    table = assert_complete_and_equal(played)
    assert_active(played, table)
    assert played.halves[0].channels == {"1": {"input": "proxied", "control": "proxied"}}
    assert played.halves[1].channels == {"0": {"input": "transferred", "control": "transferred"}}


# -- pages that sleep, links that die, tabs that are closed --------------------------------------------------------------


async def _freeze(room: Room) -> None:
    """The first page is frozen for five seconds of the second one's frames, which it can only play if the first one goes on."""
    frozen, other = room.players
    await other.reach_frame(150)
    await frozen.freeze(True)
    await other.reach_frame(300)
    await frozen.freeze(False)


@pytest.mark.parametrize("play", [example("arena", "frozen", active=(False, True), during=_freeze)], ids=["arena"])
def test_a_frozen_page_does_not_stop_the_match(play: Match, played: Played) -> None:
    assert_complete_and_equal(played)
    assert rollbacks_of(played.halves[0]) >= 1


async def _make_cuttable(room: Room) -> None:
    await make_cuttable(room.players[0].page)


async def _cut_all(room: Room, is_cut: bool) -> None:
    """Nothing gets through to the first page and from it, neither directly nor through the server; or all again."""
    one = room.players[0]
    assert one.impairment is not None
    await cut(one.page, is_cut)
    await one.impairment.change(Line(loss_percent=100 if is_cut else 0))


async def _outage(room: Room) -> None:
    """Nothing gets through until both have waited for three seconds."""
    await room.players[0].reach_frame(150)
    await _cut_all(room, True)
    await asyncio.gather(*(_stand_still(room, place, seconds=3) for place in (0, 1)))
    await _cut_all(room, False)


async def _stand_still(room: Room, place: int, seconds: float) -> None:
    """Wait until a player's frame has been the same for so many seconds."""
    page = room.players[place].page
    await page.evaluate("window.still = { frame: -1, since: 0 }")
    still = """(ms) => {
      const { frame } = window.pyodideRuntime.stats();
      if (frame !== window.still.frame) window.still = { frame, since: performance.now() };
      return performance.now() - window.still.since >= ms;
    }"""
    await page.wait_for_function(still, arg=seconds * 1000)


@pytest.mark.parametrize("play", [example("arena", "outage", active=BOTH, before=_make_cuttable, during=_outage)], ids=["arena"])
def test_an_outage_is_waited_for(play: Match, played: Played) -> None:
    table = assert_complete_and_equal(played)
    assert_active(played, table)
    for half in played.halves:
        assert half.stats["stalls"] >= 1


async def _cut(room: Room) -> None:
    """Nothing gets through any more."""
    await room.players[0].reach_frame(150)
    await _cut_all(room, True)


CUT = example("arena", "cut", active=BOTH, before=_make_cuttable, during=_cut, picture="failed-lost.png")


@pytest.mark.parametrize("play", [CUT], ids=["arena"])
def test_a_dead_link_ends_the_match_with_equal_prefixes(play: Match, played: Played) -> None:
    shorter = assert_prefixes(played)
    assert 150 - 10 <= shorter < STEPS
    for half in played.halves:
        assert half.outcome["outcome"] == "peer_lost", half.outcome
        _assert_certified(played, half)
        assert half.error


def _assert_certified(played: Played, half: Half) -> None:
    """All rows up to the certified one are there, and the other side's, as far as they came, are alike."""
    episode, frame = half.outcome["certified_through"]
    assert episode == 0 and frame >= 100
    rows = half.export.splitlines()[: frame + 2]
    assert len(rows) == frame + 2
    for other in played.halves:
        stored = other.export.splitlines()[: frame + 2]
        assert stored == rows[: len(stored)]


async def _cut_off_the_third(room: Room) -> None:
    """Nothing gets through to the third page any more, nor from it."""
    await asyncio.gather(*(player.reach_frame(100) for player in room.players))
    third = room.players[2]
    assert third.impairment is not None
    await cut(third.page, True)
    await third.impairment.change(Line(loss_percent=100))


async def _make_the_third_cuttable(room: Room) -> None:
    await make_cuttable(room.players[2].page)


CUT_OFF = Match(
    EXPERIMENTS / "three_players.py",
    "cut-off",
    count=3,
    active=(True, True, True),
    before=_make_the_third_cuttable,
    during=_cut_off_the_third,
)


@pytest.mark.parametrize("play", [CUT_OFF], ids=["three_players"])
def test_those_who_are_left_of_three_end_with_equal_data(play: Match, played: Played) -> None:
    shorter = assert_prefixes(played)
    assert 100 - 10 <= shorter < 300
    one, two, third = played.halves
    assert one.export == two.export
    assert one.outcome["certified_through"] == two.outcome["certified_through"] == [0, one.outcome["rows"] - 1]
    for half in (one, two):
        assert half.outcome["outcome"] == "peer_lost", half.outcome
        assert "blue" in half.error and half.phase == "failed"
    assert third.outcome["outcome"] == "peer_lost", third.outcome


async def _close_one(room: Room) -> None:
    await asyncio.gather(*(player.reach_frame(200) for player in room.players))
    await room.players[0].close_tab()


@pytest.mark.parametrize("play", [example("arena", "one-closed", active=BOTH, during=_close_one)], ids=["arena"])
def test_one_tab_closed_in_mid_episode(play: Match, played: Played) -> None:
    shorter = assert_prefixes(played)
    assert 100 <= shorter < STEPS
    closed, other = played.halves
    assert closed.outcome["outcome"] == "left", closed.outcome
    assert other.outcome["outcome"] == "peer_left", other.outcome
    assert (other.phase, bool(other.error)) == ("failed", True)
    for half in played.halves:
        _assert_certified(played, half)


async def _close_both(room: Room) -> None:
    await asyncio.gather(*(player.reach_frame(200) for player in room.players))
    await asyncio.gather(*(player.close_tab() for player in room.players))


@pytest.mark.parametrize("play", [example("arena", "both-closed", active=BOTH, during=_close_both)], ids=["arena"])
def test_both_tabs_closed_in_mid_episode(play: Match, played: Played) -> None:
    shorter = assert_prefixes(played)
    assert 100 <= shorter < STEPS
    for half in played.halves:
        assert half.outcome["outcome"] in ("left", "peer_left"), half.outcome
        _assert_certified(played, half)


# -- peers that do not agree ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "play",
    [Match(EXPERIMENTS / "uneven.py", "uneven", user_agents=(None, "Impatient"), picture="failed-refused.png")],
    ids=["window"],
)
def test_a_mismatch_is_refused_and_the_first_difference_named(play: Match, played: Played) -> None:
    assert played.summary["outcome"] == "refused", played.summary
    for half in played.halves:
        assert half.outcome["outcome"] == "refused", half.outcome
        assert half.phase == "failed"
        assert half.outcome["rows"] == 0
        assert read_table(half.export).rows == ()
    one, other = played.halves
    assert "prediction_window is 8 here and 5 there" in one.error
    assert "prediction_window is 5 here and 8 there" in other.error
    assert any("prediction_window" in line for line in played.terminal)


# -- garbage -------------------------------------------------------------------------------------------------------------


async def _prepare(room: Room) -> None:
    await keep_channels(room.players[0].page)


async def _flood(room: Room) -> None:
    await asyncio.gather(*(player.reach_frame(90) for player in room.players))
    await flood(room.players[0].page)


FLOODED = replace(example("arena", "flood", active=BOTH, queries=({"proxy_channels": "1"}, {})), before=_prepare, during=_flood)


@pytest.mark.parametrize("play", [FLOODED], ids=["arena"])
def test_a_flood_of_garbage_is_counted_and_changes_nothing(play: Match, played: Played) -> None:
    table = assert_complete_and_equal(played)
    assert_active(played, table)
    counted = [entry["malformed"] for entry in played.halves[1].diagnostics if entry["event"] == "summary"]
    assert counted[-1] >= PACKETS  # the reliable channel alone has brought so many
    assert played.halves[0].diagnostics[-1].get("malformed", 0) == 0

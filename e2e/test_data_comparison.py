"""Two players' exports are the same, whether they rest, wait, press keys or look away."""

from __future__ import annotations

import asyncio

from e2e.cases import RESTING, example, on_both_experiments
from e2e.judging import assert_active, assert_complete_and_equal, assert_round_trips
from e2e.match import Match, Played, Room

LOOKS_AWAY, COMES_BACK = 150, 240
"""Frames."""


@on_both_experiments(lambda name: example(name, "parity"))
def test_export_parity_basic(play: Match, played: Played) -> None:
    table = assert_complete_and_equal(played)
    for player in table.players:
        assert len(set(table.column(f"action.{player}"))) == 1


@on_both_experiments(lambda name: RESTING[name, 100])
def test_export_parity_with_latency(play: Match, played: Played) -> None:
    assert_complete_and_equal(played)
    assert_round_trips(played)


@on_both_experiments(lambda name: example(name, "parity-active", active=(True, True)))
def test_active_input_parity(play: Match, played: Played) -> None:
    table = assert_complete_and_equal(played)
    assert_active(played, table)


async def _look_away(room: Room) -> None:
    """The first player holds a key, changes to another tab, and comes back a while later."""
    away, other = room.players
    await away.reach_frame(LOOKS_AWAY)
    await away.page.keyboard.down("ArrowUp")
    await asyncio.gather(away.reach_frame(LOOKS_AWAY + 10), other.reach_frame(LOOKS_AWAY + 10))
    await away.lose_focus()
    await other.reach_frame(COMES_BACK)
    await away.regain_focus()


@on_both_experiments(lambda name: example(name, "parity-focus", active=(False, True), during=_look_away))
def test_focus_loss_mid_episode_parity(play: Match, played: Played) -> None:
    table = assert_complete_and_equal(played)
    away, other = table.players
    focused = table.column(f"focused.{away}")
    left = focused.index("false")
    back = focused.index("true", left)
    assert left > LOOKS_AWAY
    assert back - left >= 30
    assert set(focused[:left]) == {"true"} and set(focused[left:back]) == {"false"} and set(focused[back:]) == {"true"}
    assert set(table.column(f"focused.{other}")) == {"true"}
    # The key that was down when the focus went is not down any more: no browser would say when it is released.
    actions = table.column(f"action.{away}")
    idle = actions[0]
    assert actions[left - 1] != idle
    assert set(actions[left:]) == {idle}

"""Packets that never arrive: they are sent again, what was guessed meanwhile is corrected, and the data are the same."""

from __future__ import annotations

from e2e.cases import example, on_both_experiments
from e2e.impairment import Line
from e2e.judging import assert_active, assert_complete_and_equal, assert_lossy, rollbacks_of
from e2e.match import Match, Played

LOSSY = (Line(loss_percent=17), Line(loss_percent=17))
"""A packet passes both lines, so that 31 of 100 are lost."""
LEAST_LOST = 0.2


@on_both_experiments(lambda name: example(name, "loss", lines=LOSSY, active=(True, False)))
def test_packet_loss_triggers_rollback(play: Match, played: Played) -> None:
    assert_complete_and_equal(played)
    assert_lossy(played, LEAST_LOST)
    # Only the second player has anything to guess: the first one's keys.
    assert rollbacks_of(played.halves[1]) >= 1
    assert rollbacks_of(played.halves[0]) == 0


@on_both_experiments(lambda name: example(name, "loss-active", lines=LOSSY, active=(True, True)))
def test_active_input_with_packet_loss(play: Match, played: Played) -> None:
    table = assert_complete_and_equal(played)
    assert_lossy(played, LEAST_LOST)
    assert_active(played, table)

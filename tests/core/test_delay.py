"""Laws of the input delay by itself: what is chosen from what peers say, and what all come to from the same wishes."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pyodide_runtime as pr
from pyodide_runtime.rollback.delay import LOWERED_EVERY_MS, DelayChooser, MatchedDelay, plain_delay
from pyodide_runtime.rollback.inputs import delay_of, is_focused, make_input, with_delay

FPS, PERIOD = 30.0, 1000.0 / 30  # where nothing else is said


class Line:
    """A host with its chooser, and peers that are some way off."""

    def __init__(self, window: int = 16, fps: float = FPS, **bounds: Any) -> None:
        setting = pr.InputDelay(**bounds)
        self.chooser = DelayChooser(setting, fps, window)
        self.period = 1000.0 / fps
        self.now = 0.0
        self.frame = 0
        self.going = True
        self.in_force = setting.first
        self.changes: list[tuple[float, int]] = []

    def play(self, ms: float, *ways: int) -> int:
        """Let packets come for so long; `ways`: how many frames an input takes to each peer. The delay in the end."""
        end = self.now + ms
        while self.now < end:
            self.now += self.period
            self.frame += self.going
            for peer, way in enumerate(ways):
                frame = self.frame
                self.chooser.observe(self.now, peer, frame, frame - way + self.in_force, self.in_force, 2 * way * self.period)
            chosen = self.chooser.choose(self.now)
            if chosen != self.in_force:
                self.changes.append((self.now, chosen))
                self.in_force = chosen
        return self.in_force


def test_a_rollback_that_is_hardly_seen_is_no_reason_for_a_delay() -> None:
    assert Line().play(10_000, 2) == 0
    assert Line().play(10_000, 1, 0) == 0


@pytest.mark.parametrize("way", [3, 5, 8])
def test_a_longer_way_is_answered_at_once_and_once(way: int) -> None:
    line = Line(most=15)
    assert line.play(20_000, way) == way - 2
    ((at, _),) = line.changes
    assert at < 500


@pytest.mark.parametrize("fps", [1.0, 5.0, 10.0, 60.0, 120.0])
def test_at_any_frame_rate_a_longer_way_is_answered_within_a_few_frames(fps: float) -> None:
    line = Line(fps=fps, most=15)
    assert line.play(60_000, 12) == 12 - max(1, round(0.066 * fps))
    ((at, _),) = line.changes
    assert at < max(500, 9 * line.period)


def test_the_farthest_peer_counts() -> None:
    assert Line().play(5000, 1, 6, 2) == 4


def test_the_delay_stays_within_its_bounds() -> None:
    assert Line(most=3).play(5000, 12) == 3
    assert Line(least=2, most=5).play(30_000, 0) == 2
    assert Line(least=1, most=5, start=4).in_force == 4


def test_a_delay_is_lowered_slowly_frame_by_frame_and_raised_at_once() -> None:
    line = Line()
    line.play(5000, 7)
    before = line.now
    assert line.play(30_000, 2) == 0
    lowered = [(at, delay) for at, delay in line.changes if at > before]
    assert [delay for _, delay in lowered] == [4, 3, 2, 1, 0]
    times = [before, *(at for at, _ in lowered)]
    assert all(later - earlier >= LOWERED_EVERY_MS for earlier, later in pairwise(times))
    raised = line.now
    assert line.play(1000, 7) == 5
    assert line.changes[-1][0] - raised < 700


def test_a_way_that_goes_up_and_down_by_a_frame_does_not_make_the_delay_do_so() -> None:
    line = Line()
    for _ in range(300):
        line.play(PERIOD * 3, 5)
        line.play(PERIOD * 3, 6)
    assert [delay for _, delay in line.changes] in ([4], [3, 4])


def test_single_late_packets_are_no_reason() -> None:
    line = Line()
    for _ in range(40):
        line.play(PERIOD * 15, 2)
        line.play(PERIOD, 9)
    assert line.changes == []


def test_who_hears_nothing_keeps_its_delay() -> None:
    line = Line(start=3)
    assert line.play(20_000) == 3 and line.changes == []


def test_peers_that_stand_still_say_nothing() -> None:
    line = Line()
    line.play(5000, 7)
    line.going = False
    assert line.play(30_000, 0) == 5


def test_a_host_that_stood_still_does_not_take_what_follows_from_that_for_the_line() -> None:
    line = Line()
    line.play(5000, 1)
    line.now += 3000  # it was frozen
    line.play(1500, 9)
    line.chooser.rest(line.now)  # it is paused
    line.play(1500, 9)
    assert line.play(5000, 1) == 0 and line.changes == []


def test_where_nothing_is_predicted_a_delay_spares_the_others_their_waiting() -> None:
    """With a window of 1 a peer stops at the first input that it lacks, and says no more than that it lacks it."""
    chooser, now, delay = DelayChooser(pr.InputDelay(), FPS, 1), 0.0, 0
    for _ in range(1000):
        now += PERIOD
        frame = round(now / PERIOD)
        chooser.observe(
            now, 1, frame, frame - min(0, 4 - delay), delay, 200.0
        )  # it takes 4 frames, and one more for the peer to have it in time
        delay = chooser.choose(now)
    assert delay == 5


# -- matched ---------------------------------------------------------------------------------------------------------


@given(st.integers(0, 6), st.integers(1, 40), st.integers(1, 16), st.lists(st.lists(st.integers(0, 15), min_size=2, max_size=4)))
def test_the_longest_wish_is_in_force_from_a_set_frame_on(start: int, every: int, after: int, wishes: list[list[int]]) -> None:
    matched = MatchedDelay(start, every, after)
    for place, wish in enumerate(wishes):
        asked = start + place * every
        assert matched.next == asked and matched.asks(asked)
        before = matched.at(asked + after - 1)
        matched.learn(wish)
        assert matched.at(asked + after) == max(wish)
        assert matched.at(asked + after - 1) == before, "what is learnt changes nothing that was"
    assert sum(matched.asks(frame) for frame in range(start + 10 * every)) == 10


# -- in an input -----------------------------------------------------------------------------------------------------


@given(st.binary(max_size=3), st.booleans(), st.integers(0, 15))
def test_an_input_carries_its_delay_beside_everything_else(action: bytes, focused: bool, delay: int) -> None:
    data = make_input(action, focused)
    told = with_delay(data, delay)
    assert (delay_of(data), delay_of(told), is_focused(told), told[1:]) == (0, delay, focused, action)
    assert with_delay(told, 0) == data


# -- the setting -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [0, 7, pr.InputDelay(), pr.InputDelay(least=1, most=15, start=3, matched=True)])
def test_a_setting_comes_back_from_json_as_it_was(value: int | pr.InputDelay) -> None:
    assert pr.InputDelay.of(plain_delay(value)) == value


def test_words_stand_for_the_usual_bounds() -> None:
    assert pr.InputDelay.of("adaptive") == pr.InputDelay(least=0, most=6, start=0, matched=False)
    assert pr.InputDelay.of("matched") == pr.InputDelay(matched=True)


@pytest.mark.parametrize(
    "bounds",
    [{"least": -1}, {"most": 16}, {"least": 3, "most": 2}, {"start": 7}, {"least": 1, "start": 0}, {"most": 2.0}, {"matched": 1}],
    ids=str,
)
def test_bounds_that_cannot_be_are_refused_by_name(bounds: dict[str, Any]) -> None:
    with pytest.raises(pr.SessionError, match="input_delay: .*" + next(iter(bounds))):
        pr.InputDelay(**bounds)


@pytest.mark.parametrize("value", [-1, True, 2.0, "fixed", None, {"lest": 1}, ["adaptive"]], ids=str)
def test_what_is_no_delay_is_refused(value: Any) -> None:
    with pytest.raises(pr.SessionError, match="input_delay"):
        pr.InputDelay.of(value)

"""Laws of predictions: they are made of nothing but inputs that will never change, and never become data."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import gymnasium
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pyodide_runtime as pr
from pyodide_runtime.actions import codec_for
from pyodide_runtime.rollback.guesses import LearnedGuesser, OwnGuesser
from pyodide_runtime.rollback.inputs import ABSENT, InputQueue, Prediction, make_input
from tests.netcode.environments import Pond
from tests.netcode.sessions import Table

LINE = pr.NetworkConditions(latency_ms=70, jitter_ms=15, loss=0.02)
actions = st.integers(0, 3).map(lambda action: bytes([action]))
CODEC = codec_for(gymnasium.spaces.Discrete(4))


def learned(course: Sequence[bytes]) -> LearnedGuesser:
    guesser = LearnedGuesser()
    for action in course:
        guesser.learn(action)
    return guesser


def taps(seed: int) -> Callable[[int, random.Random], int]:
    """A person who taps keys: each is down for 100 ms or so, and up for some time, longer and less regular."""
    left, move = 0, 0

    def act(frame: int, dice: random.Random) -> int:
        nonlocal left, move
        if left == 0:
            move = dice.choice([1, 2, 3]) if move == 0 else 0
            left = max(1, round(dice.gauss(3, 0.6))) if move else max(2, round(dice.lognormvariate(2.0, 0.5)))
        left -= 1
        return move

    return act


def test_who_has_done_nothing_yet_is_thought_to_go_on() -> None:
    assert LearnedGuesser().guess(5) is None
    assert [learned([b"\1"]).guess(ahead) for ahead in (1, 2, 40)] == [b"\1"] * 3


def test_a_rhythm_is_learnt_and_guessed_as_far_ahead_as_is_asked_for() -> None:
    period = [b"\1"] * 3 + [b"\0"] * 4 + [b"\2"] * 2 + [b"\0"] * 4
    guesser = learned((period * 12) + period[:2])
    assert [guesser.guess(ahead) for ahead in range(1, 7)] == [b"\1", *[b"\0"] * 4, b"\1"]


def test_an_end_that_came_once_is_not_expected() -> None:
    guesser = learned([b"\1"] * 3 + [b"\0"] * 9 + [b"\1"] * 3)
    assert guesser.guess(1) == b"\1"


def test_habits_change() -> None:
    guesser = learned(([b"\1"] * 2 + [b"\0"] * 2) * 200 + ([b"\1"] * 5 + [b"\0"] * 2) * 200 + [b"\1"] * 2)
    assert guesser.guess(1) == b"\1"


@given(st.lists(actions, max_size=120), st.lists(st.integers(1, 20), max_size=8))
def test_guesses_follow_from_the_inputs_alone(course: list[bytes], asked: list[int]) -> None:
    one, two = learned(course), LearnedGuesser()
    for action in course:
        two.learn(action)
        for ahead in asked:  # to ask leaves no trace
            two.guess(ahead)
    assert [one.guess(ahead) for ahead in range(1, 20)] == [two.guess(ahead) for ahead in reversed(range(1, 20))][::-1]


@given(st.lists(actions, min_size=1, max_size=120), st.integers(1, 30))
def test_a_guess_is_an_action_that_was_taken(course: list[bytes], ahead: int) -> None:
    assert learned(course).guess(ahead) in course


@given(st.lists(actions, min_size=1, max_size=60), st.integers(0, 20))
def test_a_queue_gives_what_it_holds_and_guesses_the_rest_with_the_last_flags(course: list[bytes], ahead: int) -> None:
    queue = InputQueue(make_input(b"\0", True), 0, Prediction.LEARNED, LearnedGuesser())
    for frame, action in enumerate(course):
        queue.add(frame, make_input(action, frame % 2 == 0))
    for frame, action in enumerate(course):
        assert queue.guess(frame)[1:] == action
    assert queue.guess(len(course) + ahead) == queue.newest[:1] + (learned(course).guess(1 + ahead) or b"")


def test_nobody_guesses_at_an_absent_player() -> None:
    queue = InputQueue(make_input(b"\0", True), 0, Prediction.LEARNED, learned([b"\1", b"\0"] * 20))
    queue.add(0, bytes((ABSENT,)) + b"\1")
    assert queue.guess(1) == queue.newest


def test_an_own_predictor_is_told_what_is_known_and_how_far_ahead() -> None:
    told: list[Any] = []

    def predict(player: str, known: Sequence[Any], ahead: int) -> int:
        told.append((player, list(known), ahead))
        return int(known[-1] + ahead) % 4

    guesser = OwnGuesser(predict, "frog_1", CODEC)
    assert guesser.guess(1) is None
    for action in range(100):
        guesser.learn(CODEC.encode(action % 4))
    assert [guesser.guess(ahead) for ahead in (2, 1)] == [CODEC.encode(1), CODEC.encode(0)]
    assert told == [("frog_1", [action % 4 for action in range(36, 100)], ahead) for ahead in (1, 2)]
    assert not guesser.failure


@pytest.mark.parametrize(
    ("predict", "said"),
    [(lambda *_: 9, "is no action"), (lambda *_: None, "is no action"), (lambda *_: 1 // 0, "raised ZeroDivisionError")],
)
def test_a_predictor_that_fails_is_passed_over_and_told_of(predict: Any, said: str) -> None:
    guesser = OwnGuesser(predict, "frog_1", CODEC)
    guesser.learn(b"\1")
    assert guesser.guess(3) is None and said in guesser.failure


def play(prediction: Any, seed: int, **changes: Any) -> pr.SimulationReport:
    report = pr.simulate(
        lambda: Pond(2),
        frames=600,
        fps=30,
        seed=seed,
        conditions=LINE,
        controllers=[taps(seed), taps(seed + 1)],
        prediction=prediction,
        prediction_window=12,
        **changes,
    )
    assert report.divergence is None and report.outcome is pr.Outcome.COMPLETED
    return report


def mispredictions(report: pr.SimulationReport) -> int:
    return sum(peer.mispredictions for peer in report.peers)


@pytest.mark.parametrize("seed", range(3))
def test_data_do_not_depend_on_predictions(seed: int) -> None:
    wrong = [lambda player, known, ahead: (known[-1] + ahead) % 4, lambda *_: 1 // 0]
    reports = [play(prediction, seed) for prediction in ["last", "learned", *wrong]]
    assert len({report.oracle_csv for report in reports}) == 1
    assert mispredictions(reports[2]) > 1.5 * mispredictions(reports[0]) > 0


def test_of_people_who_tap_keys_fewer_inputs_are_mispredicted_once_that_is_learnt() -> None:
    last, taught = ([play(prediction, seed, episodes=2) for seed in range(4)] for prediction in ("last", "learned"))
    assert 0 < sum(map(mispredictions, taught)) < 0.9 * sum(map(mispredictions, last))


def test_a_predictor_that_fails_in_a_match_is_told_of_once_and_the_match_goes_on() -> None:
    table = Table(lambda: Pond(2), frames=60, conditions=LINE, prediction=lambda *_: 1 // 0).run()
    for journal in table.journals:
        notes = [note for note in journal.notes if note.get("event") == "prediction_failed"]
        assert [note["error"] for note in notes] == ["prediction raised ZeroDivisionError: integer division or modulo by zero"]

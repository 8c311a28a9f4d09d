"""Laws of `pr.sync_test`: what is deterministic passes, and what is not is told by frame, depth, path and both values."""

from __future__ import annotations

import random
import re
import time
from typing import Any

import gymnasium
import pytest

import pyodide_runtime as pr
from pyodide_runtime.errors import EnvironmentNotSupported, SessionError
from tests.core import breakers
from tests.core.environments import Relay
from tests.netcode.environments import Pond
from tests.netcode.partners import Heron

REPLAY, INSTANCE = pr.SyncFault.REPLAY, pr.SyncFault.INSTANCE


def difference_of(environment: Any, **options: Any) -> pr.SyncDifference:
    with pytest.raises(pr.NotDeterministic) as raised:
        pr.sync_test(environment, **{"frames": 40, **options})
    difference = raised.value.difference
    assert isinstance(difference, pr.SyncDifference)
    assert str(difference) in str(raised.value) and difference.expected != difference.found
    return difference


# -- what passes -----------------------------------------------------------------------------------------------------


def test_every_frame_is_rolled_back_by_every_depth_and_compared() -> None:
    report = pr.sync_test(Pond, frames=50, window=8)
    assert (report.frames, report.episodes, report.window, report.players) == (50, 1, 8, ("frog_0", "frog_1"))
    assert report.rollbacks == sum(min(8, frame) for frame in range(1, 51))
    assert report.replayed == sum(depth for frame in range(1, 51) for depth in range(1, min(8, frame) + 1))
    assert report.states == report.rollbacks + 50 + 1, "and every frame's state with that of a second instance"
    assert report.actions == (5, 5) and report.snapshots is pr.SnapshotWay.GRAPH


def test_the_same_arguments_find_the_same() -> None:
    assert pr.sync_test(Pond, frames=30, seed=4) == pr.sync_test(Pond, frames=30, seed=4)


def test_where_an_episode_ends_another_follows() -> None:
    report = pr.sync_test(lambda: Pond(2, ends_at=3), frames=120)
    assert report.frames == 120 and report.episodes > 1
    assert pr.sync_test(Pond, frames=30, max_steps=7).episodes == 5


@pytest.mark.parametrize("snapshots", ["graph", "pickle"])
def test_environments_of_every_sort(snapshots: str) -> None:
    assert pr.sync_test(lambda: gymnasium.make("CartPole-v1"), frames=40, snapshots=snapshots).actions == (2,)
    assert pr.sync_test(gymnasium.make("Pendulum-v1"), frames=20, snapshots=snapshots).actions[0] > 5
    assert pr.sync_test(Relay, frames=20, window=3, snapshots=snapshots).players == ("x", "y", "z")


def test_controllers_act_instead_of_chance() -> None:
    frames: list[int] = []

    def act(frame: int, source: random.Random) -> int:
        frames.append(frame)
        return frame % 2

    assert pr.sync_test(Pond, frames=10, controllers={"frog_0": act}).actions[0] == 2
    assert frames == list(range(10)), "once for each frame, however often it is replayed"


# -- what does not ---------------------------------------------------------------------------------------------------


def test_unseeded_chance_is_found_in_the_first_replay_of_it() -> None:
    found = difference_of(breakers.Unseeded)
    assert (found.fault, found.frame, found.depth, found.place) == (REPLAY, 6, 1, "state")
    assert found.path == "environment.board[0][1]"
    assert re.fullmatch(r"\d+", found.expected) and re.fullmatch(r"\d+", found.found)


def test_a_clock_is_found_though_no_replay_takes_an_hour() -> None:
    found = difference_of(breakers.WallClock)
    assert (found.fault, found.frame, found.depth, found.path) == (INSTANCE, 1, None, "environment.hour")
    assert int(found.found) - int(found.expected) in (1, 2)


def test_a_fine_clock_is_found_by_a_replay() -> None:
    found = difference_of(breakers.FineClock)
    assert (found.fault, found.frame, found.depth, found.path) == (REPLAY, 1, 1, "environment.board[2][3]")
    assert int(found.found) > int(found.expected)


def test_the_order_of_a_set_of_identities_is_found_by_a_second_instance() -> None:
    found = difference_of(breakers.SetOrder)
    assert (found.fault, found.frame, found.depth, found.place) == (INSTANCE, 1, None, "state")
    assert found.path.startswith("environment.order")


def test_an_address_is_found_by_a_second_instance() -> None:
    found = difference_of(breakers.Identity)
    assert (found.fault, found.frame, found.depth, found.path) == (INSTANCE, 1, None, "environment.lucky")


def test_a_hidden_variable_of_a_module_is_found_in_the_row() -> None:
    breakers.HIDDEN["steps"] = 0
    found = difference_of(breakers.Global)
    assert (found.fault, found.frame, found.depth, found.place) == (REPLAY, 0, 1, "row")
    assert (found.path, found.expected, found.found) == ("info.frog_1.steps", "1", "2")


@pytest.mark.parametrize("window", [3, 4, 8])
def test_what_goes_wrong_only_after_deep_rollbacks_needs_a_window_as_deep(window: int) -> None:
    if window < 4:
        assert pr.sync_test(breakers.ReplaysOnly, frames=30, window=window).frames == 30
        return
    found = difference_of(breakers.ReplaysOnly, window=window)
    assert (found.fault, found.frame, found.depth, found.path) == (REPLAY, 4, 4, "environment.board[0][0]")
    assert int(found.found) == int(found.expected) + 1000


def test_the_clocks_are_right_again_afterwards() -> None:
    clocks = [time.time, time.monotonic, time.perf_counter, time.time_ns]
    difference_of(breakers.WallClock)
    assert [time.time, time.monotonic, time.perf_counter, time.time_ns] == clocks


# -- what cannot be tested -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{"frames": 0}, {"window": 0}, {"window": 1.5}, {"controllers": [len]}], ids=str)
def test_what_cannot_be_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(SessionError):
        pr.sync_test(Pond, **options)


def test_an_environment_that_cannot_be_copied_must_be_made() -> None:
    pond = Pond()
    pond.stream = (number for number in range(3))  # type: ignore[attr-defined]
    with pytest.raises(EnvironmentNotSupported, match="give a function that makes it"):
        pr.sync_test(pond)


def test_what_the_environment_raises_is_passed_on() -> None:
    class Broken(Pond):
        def step(self, actions: dict[str, int]) -> tuple[Any, ...]:
            raise ValueError("no")

    with pytest.raises(pr.EnvironmentFailed, match="frame 0: step raised ValueError: no"):
        pr.sync_test(Broken)


# -- a partner -----------------------------------------------------------------------------------------------------------


def test_a_partner_that_remembers_is_fine_and_really_plays() -> None:
    report = pr.sync_test(lambda: Pond(3), frames=60, partner=Heron())
    assert report.frames == 60 and report.rollbacks > 300


def test_a_partner_that_keeps_its_memory_where_no_snapshot_looks_is_found() -> None:
    class Careless:
        calls = 0

        def __call__(self, env: Any, player: str, source: Any) -> int:
            Careless.calls += 1
            return Careless.calls % 5

    difference = difference_of(lambda: Pond(2), partner=Careless())
    assert difference.place == "row" and difference.path.startswith("action.")


def test_a_partner_that_reads_the_clock_is_found() -> None:
    def punctual(env: Any, player: str, source: Any) -> int:
        return int(time.time() / 3600) % 5

    assert difference_of(lambda: Pond(2), partner=punctual).fault is INSTANCE

"""Laws of shrinking: what is left fails as the whole did, nothing more can be left out, and it is the same every time."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import chain

import pytest

import pyodide_runtime as pr
from pyodide_runtime.network.virtual import Fate, Line, NetworkConditions
from pyodide_runtime.virtual.scenario import Scenario
from pyodide_runtime.virtual.shrinking import shrink_with
from tests.netcode.environments import Pond
from tests.virtual.culprits import Forgetful, Quiet, Trap, heedless

BAD = NetworkConditions(latency_ms=80, jitter_ms=60, loss=0.2, loss_burst=3, duplicate=0.1, reorder=0.1)


def failing(environment: type[Pond], seed: int = 5, frames: int = 200) -> pr.SimulationReport:
    report = pr.simulate(
        environment,
        frames=frames,
        conditions=BAD,
        seed=seed,
        partitions=[pr.Partition(at_ms=700, for_ms=400, hosts=(0,))],
        freezes=[pr.Freeze(host=1, at_ms=1500, for_ms=300)],
        clocks=[pr.Clock(rate=1.03, offset_ms=500)],
        start_skew_ms=100,
        input_delay=1,
    )
    assert report.failure is not None
    return report


@pytest.mark.parametrize("environment", [Forgetful, Quiet, Trap])
def test_a_failing_schedule_becomes_a_small_one_that_fails_alike(environment: type[Pond]) -> None:
    report = failing(environment)
    assert report.schedule.disturbances > 10
    small = pr.shrink(environment, report.schedule)
    assert small.trials > 5
    assert small.schedule.disturbances <= 2 and small.schedule.changes <= 3
    again = pr.replay(environment, small.schedule)
    assert again.failure_kind == report.failure_kind and again.schedule == small.schedule
    scenario = small.schedule.scenario
    assert not (scenario.clocks or scenario.partitions or scenario.freezes) and scenario.start_skew_ms == 0
    assert scenario.frames is not None and scenario.frames < 60


def test_of_all_that_befell_a_match_the_departure_that_matters_remains() -> None:
    report = pr.simulate(
        lambda: Pond(3),
        players=3,
        frames=60,
        conditions=NetworkConditions(latency_ms=80),
        seed=5,
        freezes=[pr.Freeze(host=3, at_ms=600, for_ms=200)],
        spectators=[200.0, 500.0],
        departures=[pr.Departure(host=2, at_ms=700, back_ms=500), pr.Departure(host=4, at_ms=900)],
        on_drop="partner",
        partner=heedless,
    )
    assert report.failure_kind is not None and report.schedule.disturbances == 3
    small = pr.shrink(lambda: Pond(3), report.schedule, partner=heedless).schedule
    scenario = small.scenario
    (departure,) = scenario.departures
    assert departure.host == 2 and departure.back_ms is None
    assert scenario.spectators == () and small.disturbances == 1
    again = pr.replay(lambda: Pond(3), pr.Schedule.from_json(small.to_json()), partner=heedless)
    assert again.failure_kind == report.failure_kind and again.schedule == small


def test_spectators_of_whom_something_is_said_stay() -> None:
    """With a match that is told by its schedule alone: it fails if the last of those who watch goes."""
    departure = pr.Departure(host=3, at_ms=50)
    schedule = pr.Schedule(Scenario(frames=9, spectators=(1.0, 2.0), departures=(departure,)), neutral=(b"\x01\x00",) * 2)

    def attempt(candidate: pr.Schedule) -> pr.Schedule | None:
        return candidate if candidate.scenario.departures == (departure,) else None

    assert shrink_with(attempt, schedule).schedule.scenario == replace(schedule.scenario, frames=1)


def test_the_same_schedule_shrinks_to_the_same_one() -> None:
    schedule = failing(Forgetful).schedule
    assert pr.shrink(Forgetful, schedule) == pr.shrink(Forgetful, schedule)


def test_a_schedule_that_does_not_fail_stays_as_it_is() -> None:
    schedule = pr.simulate(Pond, frames=30, conditions=BAD).schedule
    assert pr.shrink(Pond, schedule) == (schedule, 1)


def test_no_more_matches_are_played_than_allowed_and_each_is_told() -> None:
    schedule, told = failing(Trap).schedule, []
    small = pr.shrink(Trap, schedule, most_trials=7, on_trial=lambda trials, best: told.append(trials))
    assert small.trials == 7 and told == list(range(1, 8))


def test_exactly_the_disturbances_and_inputs_that_are_needed_remain() -> None:
    """With a match that is told by its schedule alone: it fails if three chosen packets are lost, and one key is pressed."""
    source = random.Random(3)
    needed: dict[Line, set[int]] = {Line(0, 1, False): {4, 30}, Line(1, 0, True): {2}}
    fates: dict[Line, dict[int, Fate]] = {
        line: {number: () if number in needed[line] else (source.random() * 50,) for number in range(0, 60, 2)} for line in needed
    }
    inputs = tuple((tuple(bytes([1, source.randrange(5)]) for _ in range(90)),) for _ in range(2))
    inputs = (inputs[0], ((*inputs[1][0][:40], b"\x01\x03", *inputs[1][0][41:]),))
    schedule = pr.Schedule(Scenario(frames=90, conditions=NetworkConditions(latency_ms=33)), fates, inputs, (b"\x01\x00",) * 2)

    def attempt(candidate: pr.Schedule) -> pr.Schedule | None:
        lost = all(candidate.fates.get(line, {}).get(number) == () for line, numbers in needed.items() for number in numbers)
        pressed = len(candidate.inputs[1][0]) > 40 and candidate.inputs[1][0][40][1] == 3
        long = candidate.scenario.frames is not None and candidate.scenario.frames > 40
        return candidate if lost and pressed and long and candidate.scenario.conditions.latency_ms >= 7 else None

    small = shrink_with(attempt, schedule).schedule
    assert {line: set(of_line) for line, of_line in small.fates.items()} == needed
    assert small.scenario.frames == 41 and small.scenario.conditions.latency_ms == 8
    pressed_frames = [frame for frame, data in enumerate(small.inputs[1][0]) if data[1]]
    assert 40 in pressed_frames and len(pressed_frames) <= 3, "a key that was held is held"
    assert not any(data[1] for data in chain.from_iterable(small.inputs[0]))
    assert replace(small, fates={}) != small

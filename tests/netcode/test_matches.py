"""Matches under one regime each (`test_grid` mixes all): every one completes, with the export of a run without network."""

from __future__ import annotations

import random
from itertools import product
from typing import Any

import pytest

from pyodide_runtime.network.virtual import NetworkConditions
from pyodide_runtime.rollback.inputs import Prediction

from .campaign import campaign

BOTH = tuple(Prediction)


def test_lines_that_are_worse_in_one_direction() -> None:
    def options(r: random.Random) -> dict[str, Any]:
        near, far = r.choice([(50, 200), (0, 300), (20, 100)])
        return {
            "frames": 40,
            "conditions": NetworkConditions(latency_ms=near),
            "lines": {(0, 1): NetworkConditions(latency_ms=far, jitter_ms=30, loss=r.choice([0, 0.3]), reorder=0.2)},
            "window": r.randint(4, 14),
            "input_delay": r.choice([0, 3]),
        }

    tally = campaign(range(1300, 1324), options)
    assert tally.rollbacks > 400 and tally.stalls > 20 and tally.lost > 100


def test_clocks_that_run_at_different_rates() -> None:
    tally = campaign(
        range(1500, 1524),
        lambda r: {
            "frames": 45,
            "clock_rates": r.choice([[1.0, 1.2], [1.2, 1.0], [0.9, 1.08]]),
            "conditions": NetworkConditions(latency_ms=r.choice([0, 50, 150]), jitter_ms=20, loss=r.choice([0, 0.15])),
            "window": r.randint(2, 10),
        },
    )
    assert tally.rollbacks > 400


def test_hosts_that_start_late() -> None:
    tally = campaign(
        range(1600, 1616),
        lambda r: {
            "players": r.choice([2, 3]),
            "frames": 30,
            "start_skew_ms": r.choice([120, 1500, 6000]),
            "conditions": NetworkConditions(latency_ms=r.choice([0, 100]), loss=r.choice([0, 0.3])),
        },
    )
    assert tally.rollbacks > 200


@pytest.mark.parametrize("prediction", BOTH)
def test_every_window_with_every_input_delay(prediction: Prediction) -> None:
    settings = list(product(range(1, 17), range(7)))
    order = iter(settings[prediction is Prediction.LAST :: 2])

    def options(r: random.Random) -> dict[str, Any]:
        window, delay = next(order)
        return {
            "frames": 20,
            "window": window,
            "input_delay": delay,
            "prediction": prediction,
            "conditions": NetworkConditions(latency_ms=r.choice([0, 60, 150]), jitter_ms=30, loss=r.choice([0, 0.2])),
        }

    tally = campaign(range(1700, 1756), options)
    assert tally.rollbacks > 200 and tally.stalls > 60


@pytest.mark.parametrize("ends_at", [3, 7, 29])
def test_episodes_that_the_environment_ends_when_it_likes(ends_at: int) -> None:
    tally = campaign(
        range(1800, 1812),
        lambda r: {
            "frames": 60,
            "episodes": r.choice([2, 3]),
            "conditions": NetworkConditions(latency_ms=r.choice([20, 100]), jitter_ms=30, loss=r.choice([0, 0.4])),
            "window": r.randint(2, 12),
            "input_delay": r.choice([0, 2]),
            "prediction": r.choice(BOTH),
        },
        ends_at=ends_at,
    )
    assert tally.rollbacks > 200
    assert tally.rows < 0.95 * tally.most_rows, "some ended before their last frame"


def test_one_player_plays_alone() -> None:
    tally = campaign(
        range(1900, 1908),
        lambda r: {
            "players": 1,
            "frames": 40,
            "episodes": r.choice([1, 3]),
            "input_delay": r.randrange(7),
            "window": r.randint(1, 8),
        },
    )
    assert tally.rollbacks == tally.stalls == tally.mispredictions == 0 and tally.fewest_actions >= 3


def test_the_same_seed_plays_the_same_match() -> None:
    def one() -> tuple[Any, ...]:
        tally = campaign([5], lambda r: {"frames": 60, "conditions": NetworkConditions(latency_ms=80, jitter_ms=60, loss=0.2)})
        return tally.rollbacks, tally.replayed, tally.mispredictions, tally.lost

    assert one() == one()

"""Laws of the rate of another clock: what views tell, however wrong each is, and what is no sign of it."""

from __future__ import annotations

import random

import pytest

from pyodide_runtime.rollback.clockrate import FASTEST, SLOWEST, ClockRate


def seen(rate: float, *, jitter: float = 0.0, every: float = 33.0, ms: float = 2000.0, offset: float = 12345.0) -> ClockRate:
    """What is known after views for some time, each wrong by up to half the jitter."""
    source, clock, now = random.Random(1), ClockRate(), 0.0
    while now < ms:
        clock.observe(now, offset + now * rate + source.uniform(-jitter / 2, jitter / 2))
        now += every
    return clock


def test_before_anything_is_seen_clocks_run_alike() -> None:
    assert ClockRate().rate == 1.0
    assert seen(1.2, ms=1.0).rate == 1.0


@pytest.mark.parametrize("rate", [0.8, 0.99, 1.0, 1.2])
@pytest.mark.parametrize("every", [16.0, 33.0, 100.0])
def test_the_rate_is_known_after_two_seconds(rate: float, every: float) -> None:
    assert seen(rate, every=every).rate == pytest.approx(rate, abs=0.006)
    assert seen(rate, every=every, jitter=50.0).rate == pytest.approx(rate, abs=0.02)


def test_a_rate_beyond_all_reason_is_not_believed() -> None:
    assert seen(5.0).rate <= FASTEST and seen(0.01).rate >= SLOWEST


def test_a_clock_that_is_set_keeps_its_rate() -> None:
    clock, offset = ClockRate(), 0.0
    for turn in range(200):
        now = turn * 33.0
        if turn == 100:
            offset = 90_000.0
        clock.observe(now, offset + now * 1.1)
        if turn > 130 or 30 < turn < 100:
            assert clock.rate == pytest.approx(1.1, abs=0.01)


def test_silence_changes_nothing() -> None:
    clock = ClockRate()
    for now in (*range(0, 2000, 33), *range(62_000, 64_000, 33)):
        clock.observe(float(now), now * 0.9)
        if now >= 1000:
            assert clock.rate == pytest.approx(0.9, abs=0.01)


def test_of_views_of_one_time_the_last_counts() -> None:
    clock = ClockRate()
    for now in range(0, 2000, 33):
        for waited in (400.0, 200.0, 0.0):
            clock.observe(float(now), now * 1.1 - waited)
    assert clock.rate == pytest.approx(1.1, abs=0.01)

"""Laws of when garbage is collected: where it fits, and in the end in any case."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from pyodide_runtime.tidying import EVERY_MS, EXPECTED_MS, LATEST_MS, MOST_WAITING, Tidying


class Ring:
    """Refers to itself: only a collection frees it."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture
def tidying() -> Iterator[Tidying]:
    """Settled, with a clock by which a collection takes 4 ms; its first look is at time 0."""
    ticks = iter(number * 0.004 for number in range(10_000))
    tidying = Tidying(lambda: next(ticks))
    tidying.settle()
    assert not tidying.look(0.0, 1000.0)
    yield tidying
    tidying.release()


def ring() -> weakref.ref[Ring]:
    return weakref.ref(Ring())


def test_python_does_not_collect_by_itself(tidying: Tidying) -> None:
    waiting = ring()
    kept = [[] for _ in range(20_000)]  # type: ignore[var-annotated]
    assert waiting() is not None and len(kept) == 20_000
    tidying.release()
    assert gc.isenabled() and gc.get_freeze_count() == 0


def test_what_was_there_is_set_aside(tidying: Tidying) -> None:
    assert gc.get_freeze_count() > 10_000


def test_garbage_is_collected_once_a_second_where_there_is_time(tidying: Tidying) -> None:
    waiting = ring()
    assert not tidying.look(EVERY_MS - 1, 1000.0) and waiting() is not None
    assert tidying.look(EVERY_MS, 2 * EXPECTED_MS) and waiting() is None
    assert not tidying.look(EVERY_MS + 1, 1000.0)


def test_it_waits_for_a_moment_that_is_long_enough_for_what_the_last_one_took(tidying: Tidying) -> None:
    assert tidying.look(EVERY_MS, 1000.0), "by this clock it took 4 ms"
    waiting = ring()
    assert not tidying.look(3 * EVERY_MS, 7.9) and waiting() is not None
    assert tidying.look(3 * EVERY_MS, 8.1) and waiting() is None


def test_where_there_never_is_time_it_is_done_in_the_end(tidying: Tidying) -> None:
    waiting = ring()
    assert not any(tidying.look(float(now), 0.0) for now in range(0, int(LATEST_MS), 10)) and waiting() is not None
    assert tidying.look(LATEST_MS, 0.0) and waiting() is None
    assert not tidying.look(LATEST_MS + 1, 0.0)


def test_very_much_that_waits_is_not_left_to_wait(tidying: Tidying) -> None:
    rings = [ring() for _ in range(MOST_WAITING)]
    assert rings[0]() is not None
    assert tidying.look(1.0, 0.0) and rings[0]() is None

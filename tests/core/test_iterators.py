"""Laws of iterators in a graph: a copy takes the place of each, and nobody can tell."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from pyodide_runtime.errors import SnapshotError
from pyodide_runtime.snapshots.canonical import digest
from pyodide_runtime.snapshots.graph import Checkpointer
from tests.core.dumper import dump
from tests.core.graphs import Thing, in_turn, there_and_back


def test_an_iterator_comes_back_with_what_it_has_yet_to_yield() -> None:
    root = Thing(queue=iter([Thing(n=1), Thing(n=2)]), now=None)

    def advance() -> None:
        root.now = next(root.queue)
        root.now.n += 10

    there_and_back(root, advance)
    there_and_back(root, lambda: in_turn(advance, advance))
    advance()
    advance()
    assert next(root.queue, None) is None
    checkpointer = Checkpointer([root])
    checkpointer.restore(checkpointer.save())
    assert next(root.queue, None) is None


FINITE: list[Callable[[], Any]] = [
    lambda: iter([1, 2, 3]),
    lambda: reversed([1, 2, 3]),
    lambda: iter((1, 2)),
    lambda: iter("abc"),
    lambda: iter("\N{EURO SIGN}bc"),
    lambda: iter(b"abc"),
    lambda: iter(bytearray(b"abc")),
    lambda: iter(range(4)),
    lambda: iter(range(1 << 70, (1 << 70) + 3)),
]


@pytest.mark.parametrize("make", FINITE)
def test_an_iterator_that_was_brought_back_is_no_other_than_one_that_went_straight_on(make: Callable[[], Any]) -> None:
    for taken in range(6):  # all that there is, and twice beyond the end
        root, straight = Thing(one=make()), Thing(one=make())
        for thing in (root, straight):
            for _ in range(taken):
                next(thing.one, None)
        checkpointer = Checkpointer([root])
        for _ in range(2):
            checkpointer.restore(checkpointer.save())
            assert dump(root) == dump(straight) and digest([root]) == digest([straight])
            assert digest([root], checkpointer.save().contents_by_identity()) == digest([straight])
        assert list(root.one) == list(straight.one)


@pytest.mark.parametrize(
    "make", [*FINITE, lambda: itertools.count(), lambda: itertools.count(5, -3), lambda: itertools.count(1 << 80)]
)
def test_one_iterator_held_twice_stays_one(make: Callable[[], Any]) -> None:
    iterator = make()
    root = Thing(one=iterator, two=[iterator], three={"x": iterator})
    checkpointer = Checkpointer([root])
    first = next(root.one)
    second_checkpoint = checkpointer.save()
    second = next(root.two[0])
    for _ in range(3):
        checkpointer.restore(second_checkpoint)
        assert root.one is root.two[0] is root.three["x"]
        assert next(root.three["x"]) == second != first


def test_an_iterator_sees_its_list_change_after_a_restore_too() -> None:
    items = [1]
    root = Thing(items=items, iterator=iter(items))
    checkpointer = Checkpointer([root])
    checkpoint = checkpointer.save()
    for _ in range(2):
        items.append(2)
        assert list(root.iterator) == [1, 2]
        checkpointer.restore(checkpoint)
        assert items == [1]


@pytest.mark.parametrize("items", [[], [1], [1, 2, 3], "ab", (4, 4, 5)])
def test_a_cycle_that_was_brought_back_goes_on_from_where_it_stood(items: Any) -> None:
    for taken in range(2 * len(items) + 2):
        root, straight = Thing(one=itertools.cycle(items)), Thing(one=itertools.cycle(items))
        for thing in (root, straight):
            assert len(list(itertools.islice(thing.one, taken))) in (0, taken)
        checkpointer = Checkpointer([root])
        checkpoint, same = checkpointer.save(), digest([straight])
        ahead = list(itertools.islice(straight.one, 7))
        for _ in range(3):
            checkpointer.restore(checkpoint)
            assert digest([root]) == same
            assert list(itertools.islice(root.one, 7)) == ahead
            assert not items or (digest([root]) == same) == (list(itertools.islice(root.one, len(items))) == ahead[: len(items)])


def test_what_goes_round_comes_back_as_it_was_then() -> None:
    one, two = Thing(n=1), Thing(n=2)
    root = Thing(turns=itertools.cycle([one, two]))
    checkpointer = Checkpointer([root])
    next(root.turns).n = 5
    checkpoint = checkpointer.save()
    for _ in range(2):
        for _ in range(3):
            next(root.turns).n += 10
        assert (one.n, two.n) == (15, 22)
        checkpointer.restore(checkpoint)
        assert (one.n, two.n) == (5, 2) and next(root.turns) is two and next(root.turns) is one
        checkpointer.restore(checkpoint)


def test_a_cycle_through_what_cannot_be_read_without_being_used_up_is_refused() -> None:
    with pytest.raises(SnapshotError, match="a cycle through a generator cannot be copied"):
        Checkpointer([Thing(one=itertools.cycle(n for n in range(3)))]).save()

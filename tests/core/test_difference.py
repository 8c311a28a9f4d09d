"""Laws of differences: two states have one exactly if their digests differ, and it is named by path and by both values."""

from __future__ import annotations

import collections
import copy
import dataclasses
import random
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyodide_runtime.simulation import Simulation
from pyodide_runtime.snapshots.canonical import digest
from pyodide_runtime.snapshots.difference import Difference, State, first_difference
from tests.netcode.environments import Pond


class Point(NamedTuple):
    x: Any
    y: Any


@dataclasses.dataclass
class Board:
    cells: list[list[Any]]
    name: str = "b"


class Slotted:
    __slots__ = ("left", "right")

    def __init__(self, left: Any, right: Any) -> None:
        self.left, self.right = left, right


def closure(value: Any) -> Any:
    def look() -> Any:
        return value

    return look


def shared(twice: bool) -> list[Any]:
    inner = [1]
    return [inner, inner if twice else [1]]


def locked() -> Any:
    array = np.array([1.0, 2.0])
    array.setflags(write=False)
    return array


def told(one: Any, two: Any) -> Difference | None:
    """The first difference of two roots; whether there is one is asked of their digests, too."""
    difference = first_difference(State({}, [one]), State({}, [two]))
    assert (difference is None) == (digest([one]) == digest([two]))
    return difference


CASES: dict[str, tuple[Any, Any, str, str, str]] = {
    "int": ({"a": [1, 2]}, {"a": [1, 3]}, "['a'][1]", "2", "3"),
    "float to the last digit": ([0.1 + 0.2], [0.3], "[0]", "0.30000000000000004", "0.3"),
    "zero and minus zero": ([0.0], [-0.0], "[0]", "0.0", "-0.0"),
    "an int and a bool": ([1], [True], "[0]", "1", "True"),
    "an int and a float": ([1], [1.0], "[0]", "1", "1.0"),
    "length": ([[1]], [[1, 2]], "[0]", "a list of 1", "a list of 2"),
    "keys": ({"a": 1}, {"a": 1, "b": 2}, "", "a dict with the keys 'a'", "a dict with the keys 'a', 'b'"),
    "order of keys": ({"a": 1, "b": 2}, {"b": 2, "a": 1}, ", key 0", "'a'", "'b'"),
    "attribute": (Board([[1, 2], [3, 4]]), Board([[1, 2], [3, 5]]), ".cells[1][1]", "4", "5"),
    "slot": (Slotted(1, [2]), Slotted(1, [9]), ".right[0]", "2", "9"),
    "named tuple": (Point(1, [2]), Point(1, [3]), ".y[0]", "2", "3"),
    "tuple": ((1, (2, 3)), (1, (2, 4)), "[1][1]", "3", "4"),
    "deque": (collections.deque([1, 2]), collections.deque([1, 3]), "[1]", "2", "3"),
    "bound of a deque": (collections.deque([1], 3), collections.deque([1], 4), ".maxlen", "3", "4"),
    "set": ({3, 1}, {1, 2}, "", "a set of 2: 1, 3", "a set of 2: 1, 2"),
    "frozen set": (frozenset("ab"), frozenset("ac"), "", "a frozenset of 2: 'a', 'b'", "a frozenset of 2: 'a', 'c'"),
    "closure": (closure([1]), closure([2]), ".<value>[0]", "1", "2"),
    "element of an array": (np.zeros((2, 3)), np.eye(2, 3), "[0, 0]", "0.0", "1.0"),
    "the last bit of an element": ([np.array([1.0])], [np.array([np.nextafter(1.0, 2)])], "[0][0]", "1.0", "1.0000000000000002"),
    "shape": (np.zeros(3), np.zeros(4), "", "an array of float64 of shape (3,)", "an array of float64 of shape (4,)"),
    "type of elements": (
        np.zeros(1, "f4"), np.zeros(1), "", "an array of float32 of shape (1,)", "an array of float64 of shape (1,)",
    ),
    "leave to write": (
        np.array([1.0, 2.0]), locked(), "",
        "an array of float64 of shape (2,)", "an array of float64 of shape (2,), not to be written to",
    ),
    "a long text": ("x" * 500 + "a", "x" * 500 + "b", "[500:]", "'a'", "'b'"),
    "aliasing": (shared(True), shared(False), "[1]", "the same object as environment[0]", "a list of 1"),
    "type": ([Slotted(1, 2)], [Board([])], "[0]", "", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_first_difference_is_named_by_path_and_both_values(name: str) -> None:
    one, two, path, here, there = CASES[name]
    found = told(one, two)
    assert found is not None and found[0] == f"environment{path}"
    if here:
        assert found[1:] == (here, there)
    else:
        assert found[1] != found[2]
    assert told(two, one) == (found[0], found[2], found[1])
    assert told(one, copy.deepcopy(one)) is None


def test_generators_differ_by_their_states() -> None:
    for make in (random.Random, np.random.default_rng):
        found = told([make(1)], [make(2)])
        assert found is not None and "in state" in found[1] and found[1] != found[2]
        assert told([make(1)], [make(1)]) is None


plain: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.floats(width=16), st.text("ab", max_size=2), st.binary(max_size=2)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner, inner),
        st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
        st.builds(Board, st.lists(st.lists(inner, max_size=2), max_size=2)),
        st.builds(Slotted, inner, inner),
        st.builds(closure, inner),
        st.sets(st.integers(0, 5), max_size=3),
    ),
    max_leaves=12,
)


@settings(deadline=None, max_examples=300)
@given(plain, plain)
def test_states_differ_exactly_if_their_digests_do(one: Any, two: Any) -> None:
    told(one, two)
    told([one, one], [one, copy.deepcopy(one)])
    assert told(one, copy.deepcopy(one)) is None


# -- states of simulations ------------------------------------------------------------------------------------------


def played(frames: int, action: int = 1, **options: Any) -> Simulation:
    simulation = Simulation(Pond(2), **options)
    simulation.reset(5)
    for _ in range(frames):
        simulation.step([bytes([action])] * 2)
    return simulation


def test_saved_states_of_one_simulation_are_compared_as_they_were() -> None:
    simulation = played(3)
    early = simulation.save()
    simulation.step([b"\x02", b"\x02"])
    late = simulation.save()
    difference = first_difference(simulation.state(early), simulation.state(late))
    assert difference == ("frame", "3", "4")
    assert first_difference(simulation.state(early), simulation.state(early)) is None


def test_two_simulations_are_compared_by_what_is_in_them() -> None:
    one, two = played(3), played(3)
    assert first_difference(one.state(), two.state()) is None
    two.root.board[1][2] = 0.5
    two._current = None  # as after a step
    difference = first_difference(one.state(), two.state())
    assert difference == ("environment.board[1][2]", "0", "0.5")


def test_global_generators_count_once_they_were_drawn_from() -> None:
    one, two = played(1), played(1)
    two.reset(5)
    two.step([b"\x01"] * 2)
    random.random()
    two._current = None
    difference = first_difference(one.state(), two.state())
    assert difference is not None and difference.path == "the state of random" and difference.one == "as it was seeded"


def test_a_state_told_by_actions_is_compared_like_any_other() -> None:
    one, two = played(4, snapshot_every=3), played(4, snapshot_every=3)
    told_by = one.save()
    assert told_by.told
    one.step([b"\x03"] * 2)
    assert first_difference(one.state(told_by), two.state()) is None
    assert one.frame == 5, "to look at an earlier state changes nothing"

"""Laws of transcripts: they are equal exactly if the states are, and the first byte that differs lies where the states do."""

from __future__ import annotations

import copy
from itertools import zip_longest
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from pyodide_runtime.simulation import GLOBAL_GENERATORS, Simulation
from pyodide_runtime.snapshots.canonical import encode
from pyodide_runtime.snapshots.difference import State, first_difference
from pyodide_runtime.snapshots.transcript import Place, place_at, transcript
from tests.netcode.environments import Pond

from .test_difference import CASES, plain


def first_byte(one: bytes, two: bytes) -> int | None:
    return next((at for at, (a, b) in enumerate(zip_longest(one, two)) if a != b), None)


def told(one: State, two: State) -> tuple[Place, Place] | None:
    """What either state has at the first byte at which their transcripts differ; None if they do not."""
    at = first_byte(*(transcript(state, GLOBAL_GENERATORS) for state in (one, two)))
    if at is None:
        assert first_difference(one, two) is None
        return None
    return place_at(one, GLOBAL_GENERATORS, at), place_at(two, GLOBAL_GENERATORS, at)


@pytest.mark.parametrize("name", CASES)
def test_both_sides_name_the_path_and_the_value_that_a_comparison_of_both_states_names(name: str) -> None:
    one, two, path, here, there = CASES[name]
    found = told(State({}, [one]), State({}, [two]))
    assert found is not None
    assert [place.path for place in found] == [f"environment{path}"] * 2
    if here:
        assert [place.text for place in found] == [here, there]
    assert told(State({}, [one]), State({}, [copy.deepcopy(one)])) is None


@settings(deadline=None, max_examples=300)
@given(plain, plain)
def test_the_first_byte_that_differs_lies_where_the_states_differ_first(one: Any, two: Any) -> None:
    states = State({}, [one]), State({}, [two])
    difference, found = first_difference(*states), told(*states)
    assert (difference is None) == (found is None)
    if difference is not None and found is not None:
        assert [place.path for place in found] == [difference.path] * 2


def test_what_is_kept_beside_the_environment_is_told_too() -> None:
    base = {"frame": 3, "done": False, "scores": (1.0, 2.0)}
    states = [State(values, [[1]]) for values in (base, {**base, "done": True}, {**base, "scores": (1.0, 2.5)})]
    assert told(states[0], states[1]) == (Place("done", "False"), Place("done", "True"))
    assert told(states[0], states[2]) == (Place("scores[1]", "2.0"), Place("scores[1]", "2.5"))
    drawn = State(base, [[1]], generators={"random": (3, (1, 2), None)})
    found = told(states[0], drawn)
    assert found is not None and {place.path for place in found} == {"the state of random"}
    assert found[0].text == "as it was seeded" and found[1].text.startswith("state ")


def test_elements_of_arrays_of_any_shape_are_told_by_their_index() -> None:
    for shape in ((), (7,), (2, 3, 4)):
        one = np.arange(np.prod(shape, dtype=int), dtype="f8").reshape(shape)
        for index in np.ndindex(one.shape):
            two = one.copy()
            two[index] = np.nextafter(one[index], 1000)
            found = told(State({}, [[one]]), State({}, [[two]]))
            path = "environment[0]" + (f"[{', '.join(map(str, index))}]" if index else "")
            assert found == (Place(path, repr(one[index].item())), Place(path, repr(two[index].item())))


def test_a_long_text_is_told_from_the_first_sign_that_differs() -> None:
    for start in ("é" * 200, "\ud800" * 200, "x" * 200):
        found = told(State({}, [start + "äb"]), State({}, [start + "öb"]))
        assert found == (Place("environment[200:]", "'äb'"), Place("environment[200:]", "'öb'"))
    found = told(State({}, [b"\xff" * 200 + b"a"]), State({}, [b"\xff" * 200 + b"b"]))
    assert found == (Place("environment[200:]", "b'a'"), Place("environment[200:]", "b'b'"))


def test_beyond_the_last_byte_is_the_end() -> None:
    state = State({"frame": 1}, [[1, 2]])
    assert place_at(state, GLOBAL_GENERATORS, len(transcript(state, GLOBAL_GENERATORS))) == Place("the end", "nothing")


def test_every_byte_of_a_state_lies_somewhere() -> None:
    simulation = Simulation(Pond(2))
    simulation.reset(3)
    for frame in range(5):
        simulation.step((bytes([frame % 5]), b"\x04"))
    state = simulation.state()
    data = transcript(state, GLOBAL_GENERATORS)
    assert data.endswith(encode(state.roots, state.contents))
    paths = [place_at(state, GLOBAL_GENERATORS, at).path for at in range(len(data))]
    assert "the end" not in paths and {"frame", "scores[0]", "environment.board[1][3]"} <= set(paths)

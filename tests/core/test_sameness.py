"""Laws of sameness: it is never wrongly yes, and it is yes where a frame makes its state anew and comes to the same."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pyodide_runtime as pr
from pyodide_runtime.snapshots.canonical import digest
from pyodide_runtime.snapshots.graph import Checkpoint, Checkpointer
from pyodide_runtime.snapshots.sameness import same
from tests.core.graphs import Thing
from tests.core.sorts import SORTS
from tests.core.tangle import ACTIONS, Tangle


def graph() -> Thing:
    root = Thing(stays=Thing(n=0), list=[], dice=random.Random(1), numbers=np.zeros(3))
    renew(root)
    return root


def renew(root: Thing) -> None:
    """As a step does that makes its state anew."""
    root.anew = Thing(
        place=(1, 0.5, "a"), array=np.arange(4.0), cells=[Thing(x=1), Thing(x=2)], scalar=np.float32(2.5), known=root.stays
    )
    root.anew.cells.append(root.anew.cells[0])
    root.left = Thing(x=1)
    root.right = [root.left]
    root.bag = {"one": {1, 2, 3}, "two": [root.anew]}


CHANGES: dict[str, Callable[[Thing], Any]] = {
    "a number that stays": lambda root: setattr(root.stays, "n", 1),
    "a number that is made anew": lambda root: setattr(root.anew.cells[1], "x", 3),
    "the sign of zero": lambda root: setattr(root.stays, "n", -0.0),
    "the type of a number": lambda root: setattr(root.stays, "n", False),
    "a tuple": lambda root: setattr(root.anew, "place", (1, 0.5, "b")),
    "an element": lambda root: root.anew.array.__setitem__(2, 7.0),
    "an element that stays": lambda root: root.numbers.__setitem__(0, 7.0),
    "the type of an array": lambda root: setattr(root.anew, "array", np.arange(4, dtype=np.int64)),
    "a scalar": lambda root: setattr(root.anew, "scalar", np.float32(2.25)),
    "the type of a scalar": lambda root: setattr(root.anew, "scalar", np.float64(2.5)),
    "one more": lambda root: root.anew.cells.append(Thing(x=1)),
    "one for another": lambda root: root.anew.cells.__setitem__(2, Thing(x=1)),
    "another one of the same": lambda root: root.anew.cells.__setitem__(2, root.anew.cells[1]),
    "an equal one in the place of one that is held elsewhere": lambda root: setattr(root, "right", [Thing(x=1)]),
    "the order of keys": lambda root: setattr(root, "bag", dict(reversed(root.bag.items()))),
    "an element of a set": lambda root: root.bag["one"].add(9),
    "a draw": lambda root: root.dice.random(),
    "what stays, in another's place": lambda root: setattr(root.anew, "known", Thing(n=0)),
}


def taken(root: Thing) -> tuple[Checkpointer, Checkpoint, Checkpoint]:
    """A graph that has been saved often enough to be known, and two checkpoints of the same state, made anew between."""
    root.stays.n = 0.0
    checkpointer = Checkpointer([root])
    for _ in range(12):
        renew(root)
        one = checkpointer.save()
    renew(root)
    return checkpointer, one, checkpointer.save()


def test_a_state_that_was_made_anew_is_the_same() -> None:
    _, one, two = taken(graph())
    assert same(one, two) and same(two, one) and same(one, one)


@pytest.mark.parametrize("name", CHANGES)
def test_what_differs_is_not_the_same(name: str) -> None:
    root = graph()
    checkpointer, one, two = taken(root)
    CHANGES[name](root)
    changed = checkpointer.save()
    assert digest([root], changed.contents_by_identity()) != digest([root], one.contents_by_identity())
    assert not same(one, changed) and not same(changed, two)
    checkpointer.restore(one)
    assert same(checkpointer.save(), one)


@settings(deadline=None, max_examples=60)
@given(
    sorts=st.lists(st.sampled_from(list(SORTS)), min_size=1, max_size=3, unique=True).map(tuple),
    seed=st.integers(0, 99),
    one=st.lists(st.integers(0, ACTIONS - 1), min_size=1, max_size=6),
    other=st.lists(st.integers(0, ACTIONS - 1), min_size=1, max_size=6),
)
def test_same_states_have_the_same_digest(sorts: tuple[str, ...], seed: int, one: list[int], other: list[int]) -> None:
    runtime = pr.Runtime(Tangle((*sorts, "set"), seed), seed=seed)
    simulation = runtime.simulation
    start = simulation.save()
    found = []
    for actions in (one, other, one):
        simulation.load(start)
        found.append([simulation.save()])
        for action in actions:
            if not simulation.done:
                simulation.step((bytes([action]),))
                found[-1].append(simulation.save())
    pairs = [(first, second) for states in found for first in states for second in found[0]]
    for first, second in pairs:
        if simulation.same(first, second):
            assert simulation.digest(first) == simulation.digest(second)
    assert all(simulation.same(state, state) for states in found for state in states)

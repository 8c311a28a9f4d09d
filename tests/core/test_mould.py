"""Laws of what is made anew in every frame: taken out along a mould or found one by one, it comes back alike."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyodide_runtime.snapshots import parts
from pyodide_runtime.snapshots.graph import Checkpointer
from pyodide_runtime.snapshots.mould import Mould
from pyodide_runtime.snapshots.search import search
from tests.core.courses import Move, moves
from tests.core.dumper import dump
from tests.core.graphs import Thing
from tests.core.refusals import refusals_passed_over
from tests.core.test_rollback_cascades import actions, run_cascade, sorts

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mould is made of whatever was found once."""
    monkeypatch.setattr(parts, "SETTLED", 0)


@pytest.fixture
def walks(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What was searched for objects."""
    found: list[Any] = []

    def noted(start: Any, *rest: Any, **more: Any) -> None:
        found.append(start)
        search(start, *rest, **more)

    monkeypatch.setattr("pyodide_runtime.snapshots.growth.search", noted)
    yield found


# What a tree is like is described by nested tuples, from which one like it can be built as often as one likes.
_ENDS = ["number", "text", "array", "array", "ints", "view", "objects", "set", "iterator", "tuple", "shared", "nothing"]
_SHAPES = st.recursive(
    st.sampled_from(_ENDS),
    lambda inner: st.tuples(st.sampled_from(["thing", "dict", "list", "pair"]), st.lists(inner, max_size=4).map(tuple)),
    max_leaves=10,
)


def build(shape: Any, dice: random.Random, shared: Any) -> Any:
    if isinstance(shape, tuple):
        parts = [build(part, dice, shared) for part in shape[1]]
        named = {f"part_{number}": part for number, part in enumerate(parts)}
        return {"thing": Thing(**named), "dict": named, "list": parts, "pair": tuple(parts)}[shape[0]]
    leaves: dict[str, Any] = {
        "number": lambda: dice.random(),
        "text": lambda: str(dice.random()),
        "array": lambda: np.array([dice.random(), 1.0]),
        "ints": lambda: np.arange(dice.choice([2, 3])),
        "view": lambda: np.arange(6)[dice.randrange(3) :],
        "objects": lambda: np.array([[1], dice.random()], dtype=object),
        "set": lambda: {dice.randrange(99) for _ in range(4)},
        "iterator": lambda: iter([1, dice.random()]),
        "tuple": lambda: (dice.random(), ("x",)),
        "shared": lambda: shared,
        "nothing": lambda: None,
    }
    return leaves[shape]()


def varied(shape: Any, dice: random.Random) -> Any:
    """A shape with another end in the place of one of its ends."""
    if not isinstance(shape, tuple) or not shape[1]:
        return dice.choice(["view", "objects"] if shape in ("array", "ints") else _ENDS)
    inner = list(shape[1])
    place = dice.randrange(len(inner))
    inner[place] = varied(inner[place], dice)
    return (shape[0], tuple(inner))


def change(obj: Any, dice: random.Random) -> None:
    """Change one thing in a tree, in place."""
    if isinstance(obj, Thing):
        obj = vars(obj)
    if isinstance(obj, np.ndarray):
        obj = obj if obj.base is None else obj.base  # of which a view shows a part
        obj[0] = [2] if obj.dtype.hasobject else dice.randrange(99)
    elif isinstance(obj, dict | list) and (not obj or dice.random() < 0.3):
        obj.update(new=[dice.random()]) if isinstance(obj, dict) else obj.append({"new": dice.random()})
    elif isinstance(obj, dict | list | tuple) and obj:
        change(dice.choice([*obj.values()] if isinstance(obj, dict) else obj), dice)


@settings(deadline=None, max_examples=300, suppress_health_check=SLOW)
@given(
    _SHAPES,
    st.lists(st.integers(0, 5), min_size=3, max_size=14),
    st.randoms(use_true_random=False),
)
def test_whatever_is_made_anew_comes_back_from_any_frame(at_once: None, shape: Any, frames: list[int], dice: Any) -> None:
    with refusals_passed_over():
        there_and_back_again(shape, frames, dice)


def there_and_back_again(shape: Any, frames: list[int], dice: random.Random) -> None:
    shared = [0]
    root = Thing(state=None, shared=shared)
    checkpointer = Checkpointer([root])
    seen = []
    for frame in frames:
        if frame < 4:  # mostly a tree like the one before
            root.state = build(varied(shape, dice) if frame == 0 else shape, dice, shared)
        else:
            change(root.state, dice)
        shared[0] += 1
        seen.append((checkpointer.save(), dump(root)))
        if dice.random() < 0.3:
            checkpoint, looked = dice.choice(seen)
            checkpointer.restore(checkpoint)
            assert dump(root) == looked
    for checkpoint, looked in reversed(seen):
        change(root.state, dice)
        checkpointer.restore(checkpoint)
        assert dump(root) == looked


@settings(deadline=None, max_examples=60, suppress_health_check=SLOW)
@given(sorts, st.integers(0, 1000), moves(actions, 14), st.sampled_from([1, "auto", 3]))
def test_after_any_cascade_every_snapshot_held_equals_the_straight_run(
    at_once: None, names: tuple[str, ...], seed: int, cascade: list[Move], every: Any
) -> None:
    with refusals_passed_over():
        run_cascade(names, seed, 0, cascade, every)


def state(frame: int, **more: Any) -> Thing:
    """What an environment in the functional style makes in every frame."""
    return Thing(time=frame, at=np.array([frame, 2]), more={"pot": np.zeros(3), "said": (frame, "x")}, **more)


def test_what_stays_alike_is_searched_no_more(walks: list[Any]) -> None:
    root = Thing(state=state(0))
    checkpointer = Checkpointer([root])
    for frame in range(60):
        root.state = state(frame)
        checkpointer.save()
        if frame == 20:
            walks.clear()
    assert walks == []


def test_what_does_not_stay_alike_is_asked_ever_more_seldom_whether_it_does(
    monkeypatch: pytest.MonkeyPatch, walks: list[Any]
) -> None:
    made: list[Any] = []
    of = Mould.of

    def noted(head: Any, *rest: Any) -> Mould | None:
        made.append(head)
        return of(head, *rest)

    monkeypatch.setattr(Mould, "of", noted)
    root = Thing(state=state(0))
    checkpointer = Checkpointer([root])
    for frame in range(2000):
        root.state = state(frame, **{f"name_{frame}": 1})
        checkpointer.save()
    assert 4 <= len(made) <= 9


def test_what_was_once_somebody_elses_and_is_now_of_the_tree_alone_is_not_lost(at_once: None) -> None:
    shared: list[int] = [1]
    root = Thing(state=None, shared=shared)
    checkpointer = Checkpointer([root])
    for frame in range(6):
        root.state = Thing(time=frame, held=shared)
        checkpointer.save()
    root.state = Thing(time=9, held=[7])
    checkpoint = checkpointer.save()
    root.state.held[0] = 8
    checkpointer.restore(checkpoint)
    assert root.state.held == [7] and root.shared is shared


def test_of_a_large_tree_no_mould_is_made() -> None:
    large = {number: [number] for number in range(600)}
    assert Mould.of(large, set(), lambda obj: False) is None
    assert Mould.of({number: [number] for number in range(60)}, set(), lambda obj: False) is not None

"""Laws of lively places: what is read in every frame without being watched comes back as all else does, whatever becomes of it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import pytest

from pyodide_runtime.snapshots.graph import Checkpointer
from pyodide_runtime.snapshots.sameness import same
from pyodide_runtime.snapshots.watch import Watch
from tests.core.dumper import dump
from tests.core.graphs import Thing, lively_at_once


@pytest.fixture
def at_once() -> Iterator[None]:
    """Whatever changes is lively from the next save on."""
    with lively_at_once():
        yield


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many objects a watch told of, look by look."""
    counts: list[int] = []
    look = Watch.look

    def noted(self: Watch) -> list[int]:
        found = look(self)
        counts.append(len(found))
        return found

    monkeypatch.setattr(Watch, "look", noted)
    return counts


#: What may become of a mapping or a list in one frame.
_VALUES: list[Callable[[random.Random], Any]] = [
    lambda rng: rng.random(),
    lambda rng: rng.randrange(3),
    lambda rng: "text",
    lambda rng: None,
    lambda rng: (rng.random(), "x"),
    lambda rng: np.float64(rng.random()),
    lambda rng: np.array([rng.random()]),
    lambda rng: [rng.random()],
    lambda rng: {"x": rng.random()},
    lambda rng: {rng.randrange(9), rng.randrange(9)},
    lambda rng: Thing(x=rng.random()),
]


def _disturb(rng: random.Random, holders: list[Any]) -> None:
    holder, value = rng.choice(holders), _VALUES[rng.randrange(rng.choice([3, len(_VALUES)]))](rng)
    if isinstance(holder, list):
        what = rng.random()
        if what < 0.7 and holder:
            holder[rng.randrange(len(holder))] = value
        elif what < 0.85:
            holder.append(value)
        elif holder:
            holder.pop(rng.randrange(len(holder)))
        return
    key = rng.choice("abcdef")
    if rng.random() < 0.1 and key in holder:
        del holder[key]
    elif rng.random() < 0.1 and key in holder:
        holder[key] = holder.pop(key)
    else:
        holder[key] = value


@pytest.mark.parametrize("seed", range(40))
def test_whatever_becomes_of_lively_places_comes_back(at_once: None, seed: int) -> None:
    rng = random.Random(seed)
    root = Thing(a=1, plain={"a": 1, "b": 2.0}, items=[1, 2.0, "three"], more=[Thing(a=0, b=0), Thing(a=0, b=0)])
    holders = [vars(root), root.plain, root.items, vars(root.more[0]), vars(root.more[1])]
    checkpointer = Checkpointer([root])
    seen: list[tuple[Any, list[str]]] = []
    for _ in range(70):
        for _ in range(rng.randrange(4)):
            _disturb(rng, holders)
        seen.append((checkpointer.save(), dump(root)))
        if rng.random() < 0.3:
            checkpoint, looked = rng.choice(seen[-12:])
            if rng.random() < 0.5:
                _disturb(rng, holders)
            checkpointer.restore(checkpoint)
            assert dump(root) == looked
    for checkpoint, looked in [*reversed(seen), *seen]:
        if rng.random() < 0.5:
            _disturb(rng, holders)
        checkpointer.restore(checkpoint)
        assert dump(root) == looked


def _play(root: Any, frames: Iterable[int], checkpointer: Checkpointer) -> list[tuple[Any, list[str]]]:
    seen = []
    for frame in frames:
        root.x, root.items[1], root.table["speed"] = frame + 0.5, -frame, {"no": frame}.get("no")
        seen.append((checkpointer.save(), dump(root)))
    return seen


def test_nobody_is_told_of_what_changes_in_every_frame_and_it_comes_back(told: list[int]) -> None:
    root = Thing(x=0.0, still=[1], items=[1, 2], table={"speed": 0, "name": "ball"})
    checkpointer = Checkpointer([root])
    seen = _play(root, range(300, 350), checkpointer)
    assert told[:10] == [3] * 10 and told[-10:] == [0] * 10
    for checkpoint, looked in [*seen[::-1], *seen]:
        checkpointer.restore(checkpoint)
        assert dump(root) == looked


def test_what_hardly_ever_changes_is_watched_on(told: list[int]) -> None:
    root = Thing(x=0.0, still=[1], items=[1, 2], table={"speed": 0, "name": "ball"})
    checkpointer = Checkpointer([root])
    _play(root, range(300, 350), checkpointer)
    told.clear()
    root.still[0] = root.table["name"] = "net"
    seen = _play(root, [400], checkpointer)
    assert told == [2]
    root.still[0], root.table["name"] = 1, "ball"
    checkpointer.restore(seen[0][0])
    assert dump(root) == seen[0][1]


def test_what_is_new_and_like_others_is_lively_at_once(told: list[int]) -> None:
    root = Thing(balls=[Thing(x=0, name="a")])
    checkpointer = Checkpointer([root])
    for frame in range(300, 400):
        for ball in root.balls:
            ball.x = frame
        if frame == 380:
            root.balls.append(Thing(x=frame, name="b"))
        checkpointer.save()
    assert told[-19:] == [0] * 19
    assert told[80] == 1  # the list alone
    checkpoint, looked = checkpointer.save(), dump(root)
    for ball in root.balls:
        ball.x, ball.name = -1, "c"
    checkpointer.save()
    checkpointer.restore(checkpoint)
    assert dump(root) == looked


def test_a_key_that_goes_and_comes_again_is_not_taken_for_the_place_that_it_was() -> None:
    root = Thing(table={"x": 0, "y": 0})
    checkpointer = Checkpointer([root])
    seen = []
    for frame in range(300, 340):
        if frame == 330:
            root.table = dict(root.table)
        root.table["x"] = frame
        if frame > 320 and frame % 5 == 0:
            del root.table["x"]
        seen.append((checkpointer.save(), dump(root)))
    for checkpoint, looked in [*seen[::-1], *seen[::7]]:
        checkpointer.restore(checkpoint)
        assert dump(root) == looked


def test_states_are_the_same_only_if_lively_places_are(at_once: None) -> None:
    root = Thing(x=0, y=[0.0], name="a")
    checkpointer = Checkpointer([root])
    for frame in range(5):
        root.x, root.y[0] = frame, float(frame)
        checkpointer.save()
    one = checkpointer.save()
    root.x, root.y[0] = int("4"), float("4.0")
    assert same(one, checkpointer.save())
    for change in (lambda: setattr(root, "x", 5), lambda: setattr(root, "x", 4.0), lambda: root.y.__setitem__(0, -4.0)):
        checkpointer.restore(one)
        change()
        assert not same(one, checkpointer.save())


def test_a_held_state_takes_no_more_memory_than_what_changes() -> None:
    root = Thing(x=0, **{f"name_{number}": number for number in range(200)})
    checkpointer = Checkpointer([root])
    checkpoints = []
    for frame in range(300, 340):
        root.x = frame
        checkpoints.append(checkpointer.save())
    watched, lively = (checkpoints[place].own_bytes(checkpoints[place - 1]) for place in (3, -1))
    assert 0 < 20 * lively < watched

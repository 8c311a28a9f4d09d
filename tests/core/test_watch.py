"""A watch tells of every object that has changed, and of hardly any other."""

from __future__ import annotations

import collections
import random
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pyodide_runtime.snapshots.contents import Kind
from pyodide_runtime.snapshots.kinds import role_of
from pyodide_runtime.snapshots.watch import Watch, Watched
from tests.core.graphs import Thing


class Plain:
    def __init__(self) -> None:
        self.a, self.b, self.c = 1, "two", None


class Slim:
    __slots__ = ("a", "b", "gone")

    def __init__(self) -> None:
        self.a, self.b = 1, [2]


_alive: list[Any] = []


def _attributes_of(obj: Any) -> dict[str, Any]:
    """Of an object that lives on: once it is gone, where its attributes are depends on the version."""
    _alive.append(obj)
    attributes: dict[str, Any] = vars(obj)
    return attributes


def _cell() -> Any:
    value: Any = 1

    def function() -> Any:
        nonlocal value
        value = value
        return value

    assert function.__closure__ is not None
    return function.__closure__[0]


def _set(obj: Any, rng: random.Random) -> None:
    obj[rng.choice(list(obj))] = rng.random()


def _rename(obj: Any, rng: random.Random) -> None:
    """Another key with the same value, in the same place of the table."""
    _, value = obj.popitem()
    obj[rng.randrange(1000)] = value


def _turn(obj: Any, rng: random.Random) -> None:
    key = rng.choice(list(obj))
    obj[key] = obj.pop(key)


def _grow_and_shrink(obj: Any, rng: random.Random) -> None:
    """Tables are let go and made anew, and may come to lie where others lay."""
    for _ in range(rng.randrange(1, 4)):
        added = [rng.choice([str, int])(number) for number in range(2000, 2000 + rng.randrange(40))]
        obj.update(dict.fromkeys(added, 0))
        for key in added:
            del obj[key]
    _turn(obj, rng)


def _attribute(obj: Any, rng: random.Random) -> None:
    name = rng.choice("abcdefgh")
    if name in obj and rng.random() < 0.3 and len(obj) > 1:
        del obj[name]
    else:
        obj[name] = rng.random()


def _item(obj: Any, rng: random.Random) -> None:
    obj[rng.randrange(len(obj))] = rng.random()


def _length(obj: Any, rng: random.Random) -> None:
    if rng.random() < 0.5 and len(obj) > 1:
        obj.pop()
    else:
        obj.append(rng.random())


def _member(obj: Any, rng: random.Random) -> None:
    if obj and rng.random() < 0.3:
        obj.discard(rng.choice([*obj]))
    else:
        obj.add(rng.random())


def _pop(obj: Any, rng: random.Random) -> None:
    """What is popped and put back may be at the same place, but the next one is looked for elsewhere."""
    obj.add(obj.pop() if obj and rng.random() < 0.5 else rng.random())


def _slot(obj: Any, rng: random.Random) -> None:
    name = rng.choice(Slim.__slots__)
    if hasattr(obj, name) and rng.random() < 0.3:
        delattr(obj, name)
    else:
        setattr(obj, name, rng.random())


def _contents(obj: Any, rng: random.Random) -> None:
    obj.cell_contents = rng.random()


def _empty(obj: Any, rng: random.Random) -> None:
    try:
        del obj.cell_contents
    except ValueError:  # it is empty already
        obj.cell_contents = None


def _element(obj: Any, rng: random.Random) -> None:
    writeable = obj.flags.writeable
    obj.setflags(write=True)
    obj.flat[rng.randrange(obj.size)] += 1
    obj.setflags(write=writeable)


def _reshape(obj: Any, rng: random.Random) -> None:
    obj.resize(rng.choice([(2, 6), (3, 4), (12,), (5,), (7, 2)]), refcheck=False)


def _lock(obj: Any, rng: random.Random) -> None:
    obj.setflags(write=not obj.flags.writeable)


def _whole_round(obj: random.Random, rng: random.Random) -> None:
    """After so many draws the index is what it was."""
    for _ in range(624 * rng.randrange(1, 3)):
        obj.getrandbits(32)


#: What is watched, and what may be done to it.
SUBJECTS: dict[str, tuple[Callable[[], Any], list[Callable[[Any, random.Random], Any]]]] = {
    "mapping": (lambda: {"a": 1, "b": 2.5, "c": None}, [_set, _rename, _turn, _grow_and_shrink]),
    "mapping of numbers": (lambda: {number: [number] for number in range(20)}, [_set, _rename, _turn, _grow_and_shrink]),
    "counter": (lambda: collections.Counter("abca"), [_set, _turn]),
    "attributes": (lambda: _attributes_of(Plain()), [_set, _attribute, _turn]),
    "attributes of nobody else": (lambda: _attributes_of(Thing(x=1, y=2)), [_set, _attribute, _turn, _grow_and_shrink]),
    "namespace": (lambda: _attributes_of(types.SimpleNamespace(a=1, b=2)), [_set, _attribute]),
    "list": (lambda: [1, "two", [3]], [_item, _length]),
    "set": (lambda: {1, "two", (3,)}, [_member, _pop]),
    "empty set": (set, [_member]),
    "slots": (Slim, [_slot]),
    "cell": (_cell, [_contents, _empty]),
    "array": (lambda: np.zeros((3, 4)), [_element, _reshape]),
    "long array": (lambda: np.zeros((40, 40), dtype=np.int32), [_element, _lock]),
    "odd array": (lambda: np.zeros(7, dtype=np.int8), [_element]),
    "array in another order": (lambda: np.zeros((3, 4), order="F"), [_element]),
    "view": (lambda: np.arange(12.0)[3:9], [_element]),
    "number": (lambda: np.array(3.5), [_element]),
    "twister": (
        lambda: random.Random(5),
        [lambda obj, rng: obj.random(), lambda obj, rng: obj.gauss(0, 1), lambda obj, rng: obj.seed(rng.random()), _whole_round],
    ),
    "twister of NumPy": (
        lambda: np.random.MT19937(5),
        [lambda obj, rng: obj.random_raw(rng.randrange(1, 4)), lambda obj, rng: obj.random_raw(624)],
    ),
    "pcg": (lambda: np.random.PCG64(5), [lambda obj, rng: obj.random_raw(rng.randrange(1, 4))]),
    "half words of pcg": (lambda: np.random.PCG64(5), [lambda obj, rng: np.random.Generator(obj).integers(9, dtype=np.uint32)]),
    "legacy": (lambda: np.random.RandomState(5), [lambda obj, rng: obj.standard_normal(), lambda obj, rng: obj.rand()]),
    "seeds": (lambda: np.random.SeedSequence(5), [lambda obj, rng: obj.spawn(1)]),
}


def _watched(obj: Any) -> tuple[Watched, Any]:
    _, kind, slots, _ = role_of(obj)
    how: Kind | None = kind or slots
    assert how is not None
    contents = how.capture(obj, None)
    item = Watched(obj, how)
    item.locate(contents)
    return item, contents


@pytest.mark.parametrize("name", SUBJECTS)
def test_what_is_looked_at_in_memory_is_still(name: str) -> None:
    item, _ = _watched(SUBJECTS[name][0]())
    assert item.places is not None


@pytest.mark.parametrize("name", SUBJECTS)
@pytest.mark.parametrize("seed", range(4))
def test_every_change_is_told_and_nothing_else(name: str, seed: int) -> None:
    make, changes = SUBJECTS[name]
    rng = random.Random(f"{name} {seed}")
    objects = [make() for _ in range(5)]
    pairs = [_watched(obj) for obj in objects]
    items, contents = [item for item, _ in pairs], [found for _, found in pairs]
    watch = Watch(items)
    assert watch.look() == []
    told_in_vain = 0
    for _ in range(60):
        touched = rng.sample(range(5), rng.choice([0, 1, 1, 2]))
        for place in touched:
            rng.choice(changes)(objects[place], rng)
        told = set(watch.look())
        for place, item in enumerate(items):
            now = item.kind.capture(item.obj, contents[place])
            assert now is contents[place] or place in told
            told_in_vain += place in told and place not in touched and item.places is not None and item.changes < 3
            contents[place] = now
        if watch.moved:
            for place in watch.moved:
                items[place].move(contents[place])
            watch = Watch(items)
    assert told_in_vain == 0


def test_every_change_of_a_set_with_a_table_of_its_own_is_told() -> None:
    rng = random.Random(3)
    one, other = set(range(50)), set(range(50))
    items = [_watched(one)[0], _watched(other)[0]]
    for _ in range(60):
        watch = Watch(items)
        assert watch.look() == []
        _pop(one, rng)
        assert watch.look() == [0]
        items[0] = _watched(one)[0]  # which rebuilds it, as its table is seen from then on


def test_what_moved_is_told_until_there_is_another_watch() -> None:
    growing: list[int] = []
    still = [1, 2]
    items = [_watched(growing)[0], _watched(still)[0]]
    watch = Watch(items)
    growing.append(1)
    assert watch.look() == [0]
    assert watch.moved == [0]
    assert watch.look() == [0]
    items[0].move([1])
    watch = Watch(items)
    assert watch.look() == []
    growing.append(2)
    assert watch.look() == [0]
    items[0].move([1, 2])  # it moves again and again
    assert items[0].places is None
    assert Watch(items).look() == [0]


def test_restless_objects_do_not_hide_what_else_changes() -> None:
    busy, idle = {"a": 0}, {"b": 0}
    watch = Watch([_watched(busy)[0], _watched(idle)[0]])
    for turn in range(300, 700):
        busy["a"] = turn
        if turn % 7 == 0:
            idle["b"] = turn
        assert sorted(watch.look()) == ([0, 1] if turn % 7 == 0 else [0])
    assert watch.look() == []


def test_who_was_restless_and_rests_is_told_of_no_more_in_time() -> None:
    one, other = {"a": 0}, {"b": 0}
    items = [_watched(one)[0], _watched(other)[0]]
    watch = Watch(items)
    for turn in range(300, 310):
        one["a"] = other["b"] = turn
        assert sorted(watch.look()) == [0, 1]
    for turn in range(300, 700):
        one["a"] = turn
        told = watch.look()
    assert told == [0]

"""Laws of checkpoints of an object graph: contents come back in place, whatever happened, or the object is refused by name."""

from __future__ import annotations

import array
import collections
import dataclasses
import functools
import gc
import io
import itertools
import random
import socket
import threading
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pyodide_runtime as pr
from pyodide_runtime.snapshots.contents import SET
from pyodide_runtime.snapshots.graph import Checkpointer
from tests.core.dumper import dump, unordered_dump
from tests.core.graphs import Thing, in_turn, there_and_back
from tests.core.sorts import SORTS
from tests.core.tangle import Tangle

# -- in place ------------------------------------------------------------------------------------------------------------


def test_objects_stay_the_same_objects() -> None:
    inner: list[Any] = [1]
    root = Thing(one=inner, two={"x": inner}, three=(inner,))
    there_and_back(root, lambda: inner.append(2))
    assert root.one is root.two["x"] is root.three[0] is inner


def test_cycles_come_back() -> None:
    root = Thing(ring=[])
    root.ring.append(root.ring)
    root.me = root
    there_and_back(root, lambda: root.ring.insert(0, root))


def test_aliases_that_were_broken_are_aliases_again() -> None:
    shared = [1]
    root = Thing(one=shared, two=shared)
    there_and_back(root, lambda: setattr(root, "two", [1]))
    assert root.one is root.two


def test_attributes_that_were_deleted_added_or_reordered_come_back() -> None:
    root = Thing(a=1, b=[2], c=3)

    def change() -> None:
        del root.b
        root.d = {}
        root.a = vars(root).pop("a")

    there_and_back(root, change)


def test_the_order_of_a_mapping_comes_back() -> None:
    root = collections.OrderedDict(a=1, b=2, c=3)
    there_and_back(root, lambda: root.move_to_end("a"))
    plain = {"a": 1, "b": 2}
    there_and_back(plain, lambda: plain.update(a=plain.pop("a")))


def test_the_factory_of_a_defaultdict_comes_back_with_what_it_remembers() -> None:
    numbers: list[int] = []

    def one_more() -> int:
        numbers.append(1)
        return len(numbers)

    root: Any = collections.defaultdict(one_more)
    there_and_back(root, lambda: root["x"])
    there_and_back(root, lambda: setattr(root, "default_factory", None))


class Base:
    __slots__ = ("__hidden", "shown")

    def __init__(self) -> None:
        self.__hidden = [1]


class Derived(Base):
    __slots__ = ("shown",)

    shown: Any


@dataclasses.dataclass(frozen=True)
class Frozen:
    items: list[int]
    number: int = 0


def test_slots_come_back_set_or_not_inherited_or_hidden() -> None:
    root = Derived()
    there_and_back(root, lambda: setattr(root, "shown", [1]))
    there_and_back(root, lambda: root._Base__hidden.append(2))  # type: ignore[attr-defined]
    root.shown = 5
    there_and_back(root, lambda: delattr(root, "shown"))


def test_what_refuses_to_be_set_comes_back() -> None:
    root = Frozen([1])
    there_and_back(root, lambda: root.items.append(2))
    there_and_back(root, lambda: object.__setattr__(root, "number", 3))


def test_variables_of_closures_come_back_even_unset_ones() -> None:
    def make() -> Callable[[str], None]:
        value: Any = [1]

        def change(how: str) -> None:
            nonlocal value
            if how == "set":
                value = {"new": value}
            else:
                del value

        return change

    for how in ("set", "delete"):
        function = make()
        there_and_back(Thing(function=function), functools.partial(function, how))


class Lying(list[int]):
    def __iter__(self) -> Any:
        return iter([7])

    def __len__(self) -> int:
        return 0


class LyingMapping(dict[str, int]):
    def __iter__(self) -> Any:
        return iter(["k"])

    def keys(self) -> Any:
        return ["k"]

    def values(self) -> Any:
        return [0]

    def items(self) -> Any:
        return [("k", 0)]

    def __getitem__(self, key: str) -> int:
        return 0

    def __len__(self) -> int:
        return 1


class LyingSet(set[int]):
    def __iter__(self) -> Any:
        return iter([3])

    def __len__(self) -> int:
        return 0


class LyingDeque(collections.deque[int]):
    def __iter__(self) -> Any:
        return iter([3])


def test_what_a_container_holds_comes_back_whatever_it_says() -> None:
    cases: list[tuple[Any, Callable[[Any], None]]] = [
        (Lying([1, 2]), lambda lying: list.append(lying, 3)),
        (LyingMapping(a=1), lambda lying: dict.__setitem__(lying, "b", 2)),
        (LyingMapping(a=1), lambda lying: dict.__setitem__(lying, "a", 2)),
        (LyingSet([1]), lambda lying: set.add(lying, 2)),
        (LyingDeque([1]), lambda lying: collections.deque.append(lying, 2)),
    ]
    for root, change in cases:
        held: Any = {Lying: list.__iter__, LyingMapping: dict.items, LyingSet: set.__iter__, LyingDeque: collections.deque.__iter__}
        checkpointer, what = Checkpointer([Thing(root=root)]), held[type(root)]
        checkpoint, before = checkpointer.save(), list(what(root))
        change(root)
        assert list(what(root)) != before
        checkpointer.save()
        checkpointer.restore(checkpoint)
        assert list(what(root)) == before


def test_a_read_only_view_of_a_mapping_shows_what_it_showed() -> None:
    inner = {"a": [1]}
    root = Thing(view=types.MappingProxyType(inner), change=lambda: inner.update(b=[2]))
    there_and_back(root, root.change)


# -- methods -------------------------------------------------------------------------------------------------------------


def test_what_only_a_builtin_method_still_holds_comes_back() -> None:
    for root in (Thing(call=[3].append), Thing(call={"a": 1}.pop), Thing(call=collections.deque().append)):
        there_and_back(root, functools.partial(root.call, "a"))


# -- places whose content is replaced ------------------------------------------------------------------------------------


def replaced_often(root: Any, place: Callable[[Any], None]) -> Checkpointer:
    """A checkpointer that has seen a place filled with something new again and again."""
    checkpointer = Checkpointer([root])
    for turn in range(5):
        place(Thing(turn=turn, more=[turn]))
        checkpointer.save()
    return checkpointer


MOVES: dict[str, Callable[[Any], None]] = {
    "to an attribute": lambda root: setattr(root, "kept", root.map.pop("hot")),
    "to a list": lambda root: root.list.append(root.map.pop("hot")),
    "into what replaces it": lambda root: root.map.update(hot=[root.map["hot"]]),
    "into a tuple": lambda root: setattr(root, "kept", (1, root.map.pop("hot"))),
    "into a closure": lambda root: setattr(root, "kept", functools.partial(str, root.map.pop("hot"))),
    "to a key of its own": lambda root: root.map.__setitem__(root.map.pop("hot"), 1),
    "into a deep place": lambda root: root.list.append({"a": [root.map.pop("hot")]}),
    "into a set": lambda root: setattr(root, "kept", {root.map.pop("hot")}),
}


@pytest.mark.parametrize("how", MOVES)
def test_what_moves_away_from_a_place_that_is_often_replaced_is_not_lost(how: str) -> None:
    root = Thing(map={}, list=[])
    checkpointer = replaced_often(root, lambda new: root.map.update(hot=new))
    moved = root.map["hot"]
    MOVES[how](root)
    checkpoint = checkpointer.save()
    moved.turn, moved.later = -1, []
    moved.more.append("x")
    checkpointer.save()
    checkpointer.restore(checkpoint)
    assert vars(moved) == {"turn": 4, "more": [4]}


def test_what_hangs_at_two_such_places_is_one_thing() -> None:
    root = Thing(map={}, list=[None])

    def place(new: Any) -> None:
        root.map["hot"] = new
        root.list[0] = {"inner": new}

    checkpointer = replaced_often(root, place)
    checkpoint = checkpointer.save()
    root.map["hot"].turn = -1
    root.list[0]["inner"].more.append(1)
    root.list[0] = None
    checkpointer.save()
    checkpointer.restore(checkpoint)
    assert root.map["hot"] is root.list[0]["inner"]
    assert vars(root.map["hot"]) == {"turn": 4, "more": [4]}


def test_an_array_that_is_replaced_every_time_comes_back() -> None:
    root = Thing(picture=np.zeros(2))
    checkpointer, checkpoints = Checkpointer([root]), []
    for turn in range(6):
        root.picture = np.full(3, turn)
        checkpoints.append(checkpointer.save())
        root.picture[0] = -1
    for turn, checkpoint in reversed(list(enumerate(checkpoints))):
        checkpointer.restore(checkpoint)
        assert root.picture.tolist() == [turn] * 3


# -- sets ----------------------------------------------------------------------------------------------------------------

_ELEMENTS = st.one_of(
    st.integers(-3, 40), st.sampled_from([64, 128, 1 << 61, (1 << 61) - 2, 2.5, "a", "b", "word", (1, 2), (), None, True])
)
_SET_MOVE = st.sampled_from(["add", "discard", "pop", "clear", "many", "few", "back"])
_SET_MOVES = st.lists(st.tuples(_SET_MOVE, _ELEMENTS, st.integers(0, 30)), max_size=25)


def change_set(items: set[Any], move: str, element: Any, number: int) -> Any:
    if move == "pop":
        return items.pop() if items else None
    if move == "clear":
        return items.clear()
    if move == "many":
        return items.update(range(number, number + 40))
    if move == "few":
        return items.difference_update(range(number, 60))
    return getattr(items, move)(element)


@settings(deadline=None, max_examples=150)
@given(_SET_MOVES)
def test_sets_that_are_saved_after_every_step_have_one_order_whatever_was_rolled_back(course: list[tuple[str, Any, int]]) -> None:
    root: Thing = Thing(items=set())
    checkpointer = Checkpointer([root])
    checkpoints = [checkpointer.save()]
    path: list[Any] = []
    for move, element, number in course:
        if move == "back":
            back = number % len(checkpoints)
            checkpointer.restore(checkpoints[back])
            del checkpoints[back + 1 :], path[back:]
        else:
            path.append((move, element, number, change_set(root.items, move, element, number)))
            checkpoints.append(checkpointer.save())
    straight: Thing = Thing(items=set())
    other = Checkpointer([straight])
    other.save()
    for move, element, number, result in path:
        assert change_set(straight.items, move, element, number) == result
        other.save()
    assert list(straight.items) == list(root.items)


@pytest.mark.parametrize("elements", [[0, 8, 16], random.Random(0).sample(range(10**6), 30)], ids=["few", "many"])
def test_a_set_that_each_step_brings_into_the_same_other_order_is_rebuilt_by_each_save(elements: list[int]) -> None:
    root: Thing = Thing(items={*elements})
    taken = elements[: 2 * len(elements) // 3]
    checkpointer = Checkpointer([root])
    checkpointer.save()
    order = [*root.items]
    for _ in range(8):
        root.items.difference_update(taken)
        for element in reversed(taken):
            root.items.add(element)
        assert [*root.items] != order
        checkpointer.save()
        assert [*root.items] == order


def test_a_set_that_nothing_is_done_to_is_not_rebuilt(monkeypatch: pytest.MonkeyPatch) -> None:
    root: Thing = Thing(items={0, 8, 16}, number=0)
    checkpointer = Checkpointer([root])
    rebuilt: list[Any] = []
    monkeypatch.setattr(type(SET), "restore", lambda self, obj, contents: rebuilt.append(obj))
    for number in range(20):
        root.number = number
        checkpointer.save()
    assert rebuilt == []


# -- arrays --------------------------------------------------------------------------------------------------------------


def test_arrays_come_back_through_views_and_to_views() -> None:
    base = np.arange(12.0).reshape(3, 4)
    root = Thing(view=base[1:, ::2], turned=base.T, still=np.broadcast_to(base[0], (2, 4)))
    there_and_back(root, lambda: root.view.__setitem__((0, 0), 99.0))
    there_and_back(root, lambda: root.turned.__setitem__((0, 0), 99.0))
    there_and_back(root, lambda: setattr(root, "view", root.view.copy()))


def test_every_bit_of_an_array_comes_back() -> None:
    root = Thing(array=np.array([0.0, 1.0, 2.0]))
    there_and_back(root, lambda: root.array.__setitem__(0, -0.0))
    quiet, other = np.array([0x7FF8000000000001, 0xFFF8000000000000], dtype=np.uint64).view(np.float64)
    root.array[0] = quiet
    there_and_back(root, lambda: root.array.__setitem__(0, other))


@pytest.mark.parametrize(
    "make",
    [
        lambda: np.array(5.0),
        lambda: np.zeros((0, 3)),
        lambda: np.zeros(3, dtype="M8[s]"),
        lambda: np.zeros(3, dtype=">i4"),
        lambda: np.array(["ab", "c"]),
        lambda: np.zeros((2, 3), order="F"),
        lambda: np.zeros(3, dtype=[("a", "i4"), ("b", "f8", (2,))]),
        lambda: np.ma.array([1, 2, 3], mask=[False, True, False]),
        lambda: np.zeros(2, dtype=complex),
        lambda: np.zeros(3, dtype=bool),
    ],
)
def test_arrays_of_every_type_come_back(make: Callable[[], Any]) -> None:
    root = Thing(array=make())
    if root.array.size:
        other = np.ones(1, dtype=root.array.dtype)[0]
        there_and_back(root, lambda: np.ndarray.__setitem__(root.array, ..., other))
    there_and_back(root, lambda: setattr(root, "array", None))


def test_shape_and_size_of_an_array_come_back_in_place() -> None:
    root = Thing(array=np.arange(6))
    there_and_back(root, lambda: root.array.resize((2, 5), refcheck=False))
    there_and_back(root, lambda: root.array.resize((2,), refcheck=False))
    there_and_back(root, lambda: root.array.resize((0,), refcheck=False))
    root.objects = np.array([None, [1], 3], dtype=object)
    there_and_back(root, lambda: root.objects.resize((2, 2), refcheck=False))


def test_an_array_that_is_locked_and_unlocked_comes_back() -> None:
    root = Thing(array=np.arange(3))
    there_and_back(root, lambda: root.array.setflags(write=False))
    there_and_back(root, lambda: in_turn(lambda: root.array.__setitem__(0, 7), lambda: root.array.setflags(write=False)))
    root.array.setflags(write=False)
    there_and_back(root, lambda: root.array.setflags(write=True))

    def through_the_lock() -> None:
        root.array.setflags(write=True)
        root.array[1] = 50
        root.array.setflags(write=False)

    there_and_back(root, through_the_lock)


def test_a_view_is_locked_apart_from_what_it_looks_at() -> None:
    base = np.arange(4)
    root = Thing(view=base[:2], base=base)
    there_and_back(root, lambda: in_turn(lambda: base.__setitem__(0, 9), lambda: base.setflags(write=False)))
    there_and_back(root, lambda: in_turn(lambda: base.__setitem__(1, 9), lambda: root.view.setflags(write=False)))
    base.setflags(write=False)
    there_and_back(root, lambda: root.view.setflags(write=False))


def test_memory_that_arrays_share_with_other_things_comes_back() -> None:
    numbers, data = array.array("d", [1.0, 2.0]), bytearray(8)
    root = Thing(numbers=numbers, over=np.frombuffer(numbers), data=data, bytes=np.frombuffer(data, dtype=np.uint8))
    there_and_back(root, lambda: root.over.__setitem__(0, 5.0))
    there_and_back(root, lambda: numbers.__setitem__(1, 5.0))
    there_and_back(root, lambda: root.bytes.__setitem__(0, 5))
    only = Thing(over=np.frombuffer(memoryview(bytearray(4)), dtype=np.uint8))
    there_and_back(only, lambda: only.over.__setitem__(0, 5))


def test_an_array_of_objects_holds_the_same_objects_again() -> None:
    root = Thing(objects=np.empty((2, 2), dtype=object))
    first, second = [1, 2], np.arange(2)
    root.objects[0, 0], root.objects[1, 1] = first, second
    there_and_back(root, lambda: root.objects.fill(None))
    there_and_back(root, lambda: root.objects[0, 0].append(3))
    assert root.objects[0, 0] is first and root.objects[1, 1] is second


# -- what is refused -----------------------------------------------------------------------------------------------------


def generator() -> Any:
    yield 1


_SHARED = [Thing()]
REFUSED: dict[str, Callable[[], Any]] = {
    "generator": generator,
    "socket": socket.socketpair,
    "memoryview": lambda: memoryview(bytearray(2)),
    "enumerate": lambda: enumerate(_SHARED),
    "zip": lambda: zip(_SHARED, _SHARED, strict=True),
    "map": lambda: map(len, [_SHARED]),
    "dict_keyiterator": lambda: iter({Thing(): 1}),
    "list_iterator": lambda: (iter([1]), 2),
    "count": lambda: itertools.count().__next__,
    "local": threading.local,
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_brought_back_is_refused_by_name(name: str) -> None:
    with pytest.raises(pr.SnapshotError, match=name):
        Checkpointer([Thing(inner={"deep": REFUSED[name]()})])


def test_a_count_of_something_else_than_whole_numbers_is_refused() -> None:
    with pytest.raises(pr.SnapshotError, match="whole numbers"):
        Checkpointer([[itertools.count(0.5)]])


def test_a_refused_object_that_comes_and_goes_leaves_nothing_unseen() -> None:
    root = Thing(items=[], odd=None)
    checkpointer = Checkpointer([root])
    checkpointer.save()
    new = Thing(count=1)
    root.items.append(new)
    root.odd = generator()
    for _ in range(2):
        with pytest.raises(pr.SnapshotError):
            checkpointer.save()
    root.odd = None
    checkpoint = checkpointer.save()
    new.count = 2
    checkpointer.save()
    checkpointer.restore(checkpoint)
    assert new.count == 1


def test_a_save_that_failed_leaves_no_false_memories() -> None:
    """What it had seen by then is gone; others may lie where it lay."""
    root = Thing(items=[], later=Thing(odd=None))
    checkpointer = Checkpointer([root])
    checkpoint = checkpointer.save()
    root.items.extend(Thing(n=n) for n in range(100))
    root.later.odd = generator()
    with pytest.raises(pr.SnapshotError):
        checkpointer.save()
    checkpointer.restore(checkpoint)
    gc.collect()
    root.items.extend(Thing(n=n) for n in range(300))
    checkpoint = checkpointer.save()
    for thing in root.items:
        thing.n = -1
    checkpointer.save()
    checkpointer.restore(checkpoint)
    assert [thing.n for thing in root.items] == list(range(300))


def test_foreign_objects_that_stand_alone_come_back_as_copies() -> None:
    text, data = io.StringIO("abc"), io.BytesIO(b"x")
    root = Thing(text=text, again=[text], data=data)

    def write() -> None:
        root.text.write("more")
        root.data.seek(1)
        root.data.write(b"more")

    there_and_back(root, write)
    assert root.text is root.again[0]


# -- the whole -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(SORTS))
def test_saving_changes_nothing(name: str) -> None:
    tangle = Tangle([name])
    tangle.reset(5)
    checkpointer = Checkpointer([tangle])
    for turn in range(30):
        tangle.step(turn % 4)
        before = unordered_dump(tangle)
        checkpointer.save()
        assert unordered_dump(tangle) == before


def test_checkpoints_from_before_a_rescan_can_be_restored() -> None:
    root = Thing(items=[1])
    checkpointer = Checkpointer([root])
    old, before = checkpointer.save(), dump(root)
    root.items = [Thing()]
    checkpointer.rescan()
    new, after = checkpointer.save(), dump(root)
    for _ in range(2):
        checkpointer.restore(old)
        assert dump(root) == before
        checkpointer.restore(new)
        assert dump(root) == after


def test_what_lies_beyond_is_left_alone() -> None:
    beyond = Thing(count=1)
    root = Thing(beyond=beyond, mine=[1])
    checkpointer = Checkpointer([root], beyond=[beyond])
    checkpoint = checkpointer.save()
    beyond.count, root.mine[0] = 2, 2
    checkpointer.restore(checkpoint)
    assert (beyond.count, root.mine) == (2, [1])


def test_a_root_that_is_added_is_covered_from_then_on() -> None:
    root, other = Thing(), [1]
    checkpointer = Checkpointer([root])
    checkpointer.add_root(other)
    there = checkpointer.save()
    other.append(2)
    checkpointer.restore(there)
    assert other == [1]


@pytest.mark.parametrize("moves", ["mapping", "list"])
def test_what_a_restore_has_moved_is_watched_where_it_is_then(moves: str) -> None:
    """While something else was found to have moved before the restore: the watch of that moment must not begin after it."""
    held: Any = {"x": 1000} if moves == "mapping" else [1000]
    grows: list[int] = [1]
    checkpointer = Checkpointer([held, grows])
    first = checkpointer.save()
    if moves == "mapping":
        held.update({f"key {number}": number for number in range(40)})
    else:
        held.extend(range(40))
    checkpointer.save()
    grows.extend(range(100))
    checkpointer.restore(first)
    checkpointer.save()
    for value in (2000, 3000, 4000):
        held["x" if moves == "mapping" else 0] = value
        saved = checkpointer.save()
        contents = [content for entry, content in saved.pairs() if entry.obj is held]
        assert contents == [{"x": value} if moves == "mapping" else [value]]

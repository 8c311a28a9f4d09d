"""Laws of the canonical digest: equal states have equal ones, whatever their identities; states that differ anywhere differ."""

from __future__ import annotations

import array
import collections
import datetime
import decimal
import enum
import fractions
import functools
import io
import itertools
import logging
import math
import operator
import pathlib
import random
import re
import subprocess
import sys
import threading
import types
import uuid
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyodide_runtime.snapshots.canonical import DIGEST_SIZE, digest, encode
from tests.core.sorts import Colour, Ledger, Named, Pair, Slotted, Stack, Whole

LAW = settings(deadline=None, max_examples=150)


class Thing:
    def __init__(self, **attributes: Any) -> None:
        vars(self).update(attributes)


# A state is described by a tree of tuples, from which it can be built as often as one likes.

_LEAVES: st.SearchStrategy[Any] = st.one_of(
    st.integers(-3, 3),
    st.booleans(),
    st.none(),
    st.sampled_from([0.0, -0.0, 1.0, float("nan"), float("inf"), 1e300, 1j, 1 << 70]),
    st.text("ab[]", max_size=2),
    st.binary(max_size=2),
    st.sampled_from([Colour.RED, Colour.GREEN, int, str, math.sin, math.cos, math, operator, range(3), range(4)]),
    st.sampled_from([np.int32(1), np.int64(1), np.float32(1), np.float64(1), np.bool(True), np.float64(-0.0)]),
    st.sampled_from([decimal.Decimal(1), fractions.Fraction(1, 3), uuid.UUID(int=1)]),
    st.sampled_from([datetime.date(2020, 1, 1), datetime.timedelta(1)]),
).map(lambda value: ("leaf", value))

_SHAPES = [
    "list", "tuple", "deque", "bounded", "stack", "thing", "dict", "ordered", "slotted", "pair", "objects", "partial", "cell",
]  # fmt: skip


def _inner(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.tuples(st.sampled_from(_SHAPES), st.lists(children, max_size=3).map(tuple))


trees: st.SearchStrategy[Any] = st.recursive(_LEAVES, _inner, max_leaves=8)


def _closure(value: Any) -> Callable[[], Any]:
    return lambda: value


_BUILD: dict[str, Callable[[list[Any]], Any]] = {
    "list": list,
    "tuple": tuple,
    "deque": collections.deque,
    "bounded": lambda items: collections.deque(items, maxlen=9),
    "stack": Stack,
    "thing": lambda items: Thing(**{f"x{i}": item for i, item in enumerate(items)}),
    "dict": lambda items: dict(enumerate(items)),
    "ordered": lambda items: collections.OrderedDict(enumerate(items)),
    "slotted": lambda items: Slotted(0.5, items),
    "pair": lambda items: Pair(items, None),
    "objects": lambda items: np.array([None, *[[item] for item in items]], dtype=object),
    "partial": lambda items: functools.partial(print, *items),
    "cell": lambda items: _closure(items),
}


def build(tree: Any) -> Any:
    kind, content = tree
    return content if kind == "leaf" else _BUILD[kind]([build(child) for child in content])


def spell(tree: Any) -> str:
    """A text that two trees share if and only if they describe equal states."""
    kind, content = tree
    if kind != "leaf":
        return f"{kind}[{','.join(map(spell, content))}]"
    return f"{type(content).__name__}:{'nan' if content != content else content!r}"


def leaves(tree: Any, path: tuple[int, ...] = ()) -> list[tuple[int, ...]]:
    kind, content = tree
    return [path] if kind == "leaf" else [found for at, child in enumerate(content) for found in leaves(child, (*path, at))]


def replaced(tree: Any, path: tuple[int, ...], new: Any) -> Any:
    if not path:
        return new
    kind, content = tree
    return kind, (*content[: path[0]], replaced(content[path[0]], path[1:], new), *content[path[0] + 1 :])


@LAW
@given(trees)
def test_equal_states_have_equal_digests(tree: Any) -> None:
    one, two = build(tree), build(tree)
    assert digest([one]) == digest([two])
    assert len(digest([one])) == DIGEST_SIZE


@LAW
@given(trees, st.data())
def test_a_single_changed_leaf_changes_the_digest(tree: Any, data: st.DataObject) -> None:
    places = leaves(tree)
    if not places:
        return
    other = replaced(tree, data.draw(st.sampled_from(places)), data.draw(_LEAVES))
    assert (encode([build(tree)]) == encode([build(other)])) == (spell(tree) == spell(other))


@LAW
@given(trees, trees)
def test_states_of_different_build_have_different_digests(one: Any, two: Any) -> None:
    assert (encode([build(one)]) == encode([build(two)])) == (spell(one) == spell(two))


ONES = [
    1, True, 1.0, "1", b"1", 1 + 0j, decimal.Decimal(1), fractions.Fraction(1), np.int8(1), np.int64(1), np.float32(1),
    np.float64(1), np.bool(True), Whole(1), [1], (1,), {1}, frozenset({1}), {1: 1}, collections.deque([1]),
    collections.deque([1], maxlen=2), bytearray(b"1"), array.array("b", [1]), array.array("B", [1]), array.array("h", [1]),
    np.array(1), np.array([1]), np.array([[1]]), np.array([1], dtype=np.int8), np.array([1], dtype=">i4"),
    np.array([1], dtype="<i4"), np.array([1], dtype=object), Pair(1, 1), collections.OrderedDict({1: 1}),
    collections.Counter([1]), collections.defaultdict(int, {1: 1}), collections.defaultdict(bool, {1: 1}), Ledger({1: 1}),
    Stack([1]), range(1), slice(1), Thing(x=1), types.SimpleNamespace(x=1), types.MappingProxyType({1: 1}), itertools.count(1),
    itertools.count(1, 2), iter([1]), iter((1,)), Colour.RED, np.zeros(1, dtype=[("a", "i4")]),
    np.zeros(1, dtype=[("b", "i4")]), np.random.default_rng(1), random.Random(1), np.random.RandomState(1),
    np.random.default_rng(2), random.Random(2), [], (), {}, set(), frozenset(), collections.deque(), "", b"", 0, 0.0, -0.0,
    None, False, [[]], ["[]"], collections.deque(["[]"]), collections.deque([[]]), "[]", ["n"], [None], [b""], [""], ["a", "b"],
    ["ab"], [["a"], "b"], [["a", "b"]], ("a", ("b",)), (("a",), "b"), io.StringIO("1"), io.BytesIO(b"1"), ValueError(1),
    ValueError("1"), KeyError(1), re.compile("1"), pathlib.PurePosixPath("1"), datetime.date(1, 1, 1), datetime.timedelta(1),
]  # fmt: skip


def test_things_that_merely_resemble_each_other_have_different_digests() -> None:
    found: dict[bytes, Any] = {}
    for one in ONES:
        data = encode([[one]])
        assert data not in found, (one, found[data])
        found[data] = one


def test_attributes_and_items_are_not_mixed_up() -> None:
    one, two, three = Stack(["depth", 5]), Stack(), Stack(["depth"])
    two.depth = 5
    assert len({digest([one]), digest([two]), digest([three])}) == 3


# -- identity ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [list, dict, set, bytearray, Thing, lambda: np.zeros(2), lambda: random.Random(1), object])
def test_aliasing_is_part_of_the_state(make: Callable[[], Any]) -> None:
    one, two = make(), make()
    assert digest([[one, one]]) != digest([[one, two]])
    assert digest([[one, two]]) == digest([[two, one]]) == digest([[make(), make()]])
    assert digest([[one, one, two]]) != digest([[one, two, one]])


@pytest.mark.parametrize("value", [10**30, 1.5, "a text " * 9, b"bytes" * 9, (1, 2), frozenset({1}), decimal.Decimal("1.5")])
def test_it_does_not_matter_whether_an_unchangeable_value_is_shared(value: Any) -> None:
    twin = eval(repr(value), {"Decimal": decimal.Decimal})
    assert twin is not value
    assert digest([[value, value]]) == digest([[value, twin]])


def test_a_cycle_is_not_its_unrolling() -> None:
    one: list[Any] = []
    one.append(one)
    two: list[Any] = [[]]
    two[0].append(two)
    assert digest([one]) != digest([two])
    assert digest([one]) == digest([one[0]])


def test_deep_states_need_no_deep_stack() -> None:
    deep: list[Any] = []
    for _ in range(20_000):
        deep = [deep]
    assert digest([deep]) != digest([[deep]])


def test_where_a_weak_reference_leads_is_part_of_the_state() -> None:
    one, two = Thing(), Thing()
    assert digest([[one, two, weakref.ref(one)]]) != digest([[one, two, weakref.ref(two)]])
    assert digest([[weakref.ref(one), one, two]]) != digest([[weakref.ref(two), one, two]])


def test_what_only_a_weak_reference_leads_to_is_no_part_of_the_state() -> None:
    one = Thing()
    alive, dead = weakref.ref(one), weakref.ref(Thing())
    assert digest([[alive]]) == digest([[dead]])


# -- order ---------------------------------------------------------------------------------------------------------------


def test_the_order_of_a_mapping_counts_and_that_of_a_set_does_not() -> None:
    assert digest([{"a": 1, "b": 2}]) != digest([{"b": 2, "a": 1}])
    one = collections.OrderedDict(a=1, b=2)
    two = collections.OrderedDict(a=1, b=2)
    two.move_to_end("a")
    assert digest([one]) != digest([two])
    many = set(range(0, 800, 8))
    few = set(range(2000))
    few.intersection_update(many)
    assert list(many) != list(few)
    assert digest([many]) == digest([few]) == digest([{*sorted(many, reverse=True)}])
    assert digest([frozenset(many)]) == digest([frozenset(few)])


class Friend(Named):
    """One whose place in a set is not the same everywhere, as is so with those that are hashed by their names."""

    places: dict[int, int] = {}  # noqa: RUF012 - that it is shared is the point

    def __hash__(self) -> int:
        return self.places[self.name]


@given(st.permutations(range(5)), st.permutations(range(5)))
def test_the_order_of_a_set_of_changeable_things_does_not_count(one: list[int], two: list[int]) -> None:
    found = []
    for places in (one, two):
        Friend.places = dict(enumerate(places))
        shared = [1]
        friends = [Friend(name) for name in range(5)]
        for friend in friends:
            friend.__dict__.update(shared=shared, friend=friends[friend.name - 1])
        found.append(encode([Thing(all=set(friends), some=frozenset(friends[:3]), first=friends[0])]))
    assert found[0] == found[1]


def test_aliasing_within_a_set_counts() -> None:
    def state(*, shared: bool) -> set[Any]:
        one, two = Named(1), Named(2)
        one.seen = two.seen = []  # type: ignore[assignment]
        if not shared:
            two.seen = []  # type: ignore[assignment]
        return {one, two}

    assert digest([state(shared=True)]) != digest([state(shared=False)])


# -- nothing accidental --------------------------------------------------------------------------------------------------


def _function(numbers: list[int] = []) -> list[int]:  # noqa: B006 - a default argument is a part of the state
    return numbers


MAKERS: dict[str, Callable[[], Any]] = {
    "sentinel": object,
    "lock": threading.Lock,
    "lambda": lambda: lambda: 1,
    "property": lambda: property(lambda self: 1),
    "code": lambda: compile("1", "name", "eval"),
    "partial": lambda: functools.partial(print, 1),
    "bound method": lambda: Thing().__init__,  # type: ignore[misc]
    "builtin method": lambda: [1].append,
    "method wrapper": lambda: [1].__len__,
    "logger": lambda: logging.getLogger("a"),
    "exception": lambda: ValueError(Thing()),
    "text": lambda: io.StringIO("a"),
    "bytes": lambda: io.BytesIO(b"a"),
    "pattern": lambda: re.compile("a"),
    "match": lambda: re.match("a", "a"),
    "weak": lambda: weakref.ref(Thing()),
    "array": lambda: np.arange(3),
    "locked array": lambda: np.frombuffer(b"12345678", dtype=np.uint8),
    "objects": lambda: np.array([Thing(), None], dtype=object),
    "generator": lambda: np.random.Generator(np.random.Philox(1)),
    "seed": lambda: np.random.SeedSequence(1),
    "cached": lambda: functools.lru_cache(lambda: 1),
    "static": lambda: staticmethod(len),
    "context": decimal.Context,
    "class": lambda: enum.Enum("Made", "A"),
    "iterator": lambda: iter([Thing()]),
    "namespace": lambda: types.SimpleNamespace(a=Thing()),
    "getter": lambda: operator.itemgetter(1),
    "default": lambda: collections.defaultdict(lambda: 1),
    "view": lambda: types.MappingProxyType({"a": Thing()}),
    "broadcast": lambda: np.broadcast_to(np.zeros(1), (2, 3)),
}


@pytest.mark.parametrize("name", MAKERS)
def test_no_address_gets_into_a_digest(name: str) -> None:
    make = MAKERS[name]
    kept = [make() for _ in range(3)]
    assert len({encode([{"x": made}]) for made in kept}) == 1


def test_one_lambda_is_not_another() -> None:
    one = lambda: 1  # noqa: E731
    two = lambda: 2  # noqa: E731
    assert digest([one]) != digest([two])


def test_what_a_function_remembers_is_part_of_the_state() -> None:
    before = digest([_function])
    _function().append(1)
    try:
        assert digest([_function]) != before
    finally:
        _function().clear()
    assert digest([_closure(1)]) != digest([_closure(2)])


def test_all_nans_are_one() -> None:
    bits = np.array([0x7FF8000000000000, 0xFFF8000000000000, 0x7FF8000000000123], dtype=np.uint64).view(np.float64)
    assert len({digest([float(nan)]) for nan in bits}) == 1
    assert len({digest([nan]) for nan in bits}) == 1
    assert len({digest([np.array([1.0, nan])]) for nan in bits}) == 1
    assert len({digest([np.array([complex(1.0, nan)])]) for nan in bits}) == 1
    assert len({digest([complex(nan, 0)]) for nan in map(float, bits)}) == 1
    assert digest([np.array([1.0, np.nan])]) != digest([np.array([np.nan, 1.0])])


def test_it_does_not_matter_how_an_array_lies_in_memory() -> None:
    array_ = np.arange(6.0).reshape(2, 3)
    assert digest([array_.copy()]) == digest([np.asfortranarray(array_)])
    assert digest([array_.copy()]) != digest([array_.T.copy()])


_PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
if "numpy" in sys.argv:
    import numpy
import pyodide_runtime as pr
from tests.core.plain import Meadow
assert ("numpy" in sys.modules) == ("numpy" in sys.argv), "NumPy was loaded by something else"
runtime = pr.Runtime(Meadow(), seed=4)
for turn in range(6):
    runtime.batch([pr.Step({"hare": turn % 4, "fox": 3}), pr.Snapshot()])
    print(runtime.digest().hex())
runtime.batch([pr.Rollback(2, [{"hare": 1, "fox": 2}] * 5, save_all=True)])
print(runtime.digest().hex())
if "numpy" in sys.argv[2:3]:
    from tests.core.sorts import SORTS
    from tests.core.tangle import Tangle
    runtime = pr.Runtime(Tangle([sort for sort in SORTS if sort != "set"]), seed=3)
    runtime.batch([pr.Step((bytes([turn % 4]),)) for turn in range(30)])
    print(runtime.digest().hex())
"""


def _run(hash_seed: str, *arguments: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(Path(__file__).parents[2]), *arguments],
        env={"PYTHONHASHSEED": hash_seed, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_another_process_with_other_hashes_and_other_libraries_finds_the_same_digests() -> None:
    one, two, bare = _run("1", "numpy"), _run("2", "numpy"), _run("3")
    assert len(one) == 8 and len(set(one)) == 8
    assert one == two
    assert bare == one[:7]

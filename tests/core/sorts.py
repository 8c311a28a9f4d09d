"""Sorts of memory that an environment may have: how one is made, and how one step changes it and reads it.

Each sort is a maker; `poke` changes an object of any sort in a way that depends on nothing but the object and the generator given,
and returns a number that depends on what it holds. Nothing here knows of the product.
"""

from __future__ import annotations

import array
import collections
import dataclasses
import enum
import functools
import io
import itertools
import random
import types
import weakref
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Pick = Callable[[], Any]  # a value to be put somewhere: a plain one, or an object that others hold as well
_NOTHING: list[Any] = []
_LISTED: tuple[type, ...] = (type(iter(_NOTHING)), type(reversed(_NOTHING)))


class Colour(enum.Enum):
    RED = 1
    GREEN = 2


class Box:
    def __init__(self, link: Any = None) -> None:
        self.count = 0
        self.link = link


class Stack(list[Any]):
    """A list with attributes."""

    depth = 0


class Ledger(dict[Any, Any]):
    """A mapping that says other things than it holds."""

    def __getitem__(self, key: Any) -> Any:
        return "hidden"


class Whole(int):
    """A whole number with attributes."""


class Pair(NamedTuple):
    left: Any
    right: Any


class Named:
    """Something that a set holds by its name, and that changes."""

    def __init__(self, name: int) -> None:
        self.name = name
        self.seen = 0

    def __hash__(self) -> int:
        return self.name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Named) and other.name == self.name


@dataclasses.dataclass(slots=True)
class Slotted:
    value: float
    link: Any


@dataclasses.dataclass(frozen=True, slots=True)
class Frozen:
    items: list[Any]
    numbers: Any


@dataclasses.dataclass
class Frame:
    """An array that is made anew at every step, and one that is there now and then."""

    picture: Any = None
    extra: Any = None


def _tally(start: int) -> Callable[[], float]:
    total = start

    def tally() -> float:
        nonlocal total
        total += 1
        return total

    return tally


def _unset() -> Callable[[], float]:
    """A closure whose variable is sometimes not there at all."""
    there = True

    def toggle() -> float:
        nonlocal there
        try:
            del there
        except NameError:
            there = True  # noqa: F841 - it is deleted next time
            return 1
        return 0

    return toggle


def _remembering() -> Callable[[], float]:
    def remember(past: list[int] = []) -> float:  # noqa: B006 - that it is kept is the point
        past.append(len(past))
        return len(past)

    return remember


def _with_keywords() -> Callable[[], float]:
    def count_up(*, seen: list[int] = []) -> float:  # noqa: B006 - as above
        seen.append(1)
        return len(seen)

    return count_up


def _cycle() -> list[Any]:
    ring: list[Any] = [Box(), 0]
    ring[0].link = ring
    ring.append(ring)
    return ring


def _objects(pick: Pick) -> Any:
    array_ = np.empty((2, 2), dtype=object)
    array_[0, 0], array_[0, 1], array_[1, 0] = pick(), [1, 2], np.arange(2)
    return array_


def _locked() -> Any:
    found = np.arange(4.0)
    found.setflags(write=False)
    return found


#: Makers by name; each takes a generator and a way to pick what it holds.
SORTS: dict[str, Callable[[random.Random, Pick], Any]] = {
    "box": lambda rng, pick: Box(pick()),
    "slotted": lambda rng, pick: Slotted(rng.random(), pick()),
    "frozen": lambda rng, pick: Frozen([pick()], np.zeros(2)),
    "frame": lambda rng, pick: Frame(),
    "namespace": lambda rng, pick: types.SimpleNamespace(count=0, link=pick()),
    "list": lambda rng, pick: [pick(), pick()],
    "stack": lambda rng, pick: Stack([pick()]),
    "dict": lambda rng, pick: {"a": pick(), 1: pick()},
    "ledger": lambda rng, pick: Ledger(a=pick()),
    "ordered": lambda rng, pick: collections.OrderedDict(a=pick(), b=1, c=2),
    "default": lambda rng, pick: collections.defaultdict(list, a=[1]),
    "vocabulary": lambda rng, pick: collections.defaultdict(_tally(0)),
    "counter": lambda rng, pick: collections.Counter("abca"),
    "deque": lambda rng, pick: collections.deque([pick()], maxlen=4),
    "set": lambda rng, pick: {rng.randrange(1000), "s", (1, 2)},
    "names": lambda rng, pick: {Named(rng.randrange(50)) for _ in range(3)},
    "bytes": lambda rng, pick: bytearray(b"abc"),
    "plain_array": lambda rng, pick: array.array("d", [1.0, 2.0]),
    "floats": lambda rng, pick: np.zeros(3),
    "grid": lambda rng, pick: np.zeros((2, 3), dtype=np.int32, order="F"),
    "view": lambda rng, pick: np.arange(12.0).reshape(3, 4)[:, 1:3],
    "locked": lambda rng, pick: _locked(),
    "records": lambda rng, pick: np.zeros(2, dtype=[("a", "<i4"), ("b", "<f8")]),
    "objects": lambda rng, pick: _objects(pick),
    "over_bytes": lambda rng, pick: np.frombuffer(bytearray(8), dtype=np.uint8),
    "tuple": lambda rng, pick: (pick(), [pick()], 3),
    "pair": lambda rng, pick: Pair(pick(), {}),
    "proxy": lambda rng, pick: types.MappingProxyType({"inner": [pick()]}),
    "whole": lambda rng, pick: Whole(rng.randrange(5)),
    "cycle": lambda rng, pick: _cycle(),
    "closure": lambda rng, pick: _tally(rng.randrange(5)),
    "unset": lambda rng, pick: _unset(),
    "defaults": lambda rng, pick: _remembering(),
    "keywords": lambda rng, pick: _with_keywords(),
    "partial": lambda rng, pick: functools.partial(_call, [0], step=[1]),
    "bound": lambda rng, pick: Walker().walk,
    "builtin": lambda rng, pick: random.Random(rng.randrange(99)).random,
    "appender": lambda rng, pick: collections.deque([3.0, 1.0, 2.0]).rotate,
    "count": lambda rng, pick: {"count": itertools.count(3, 2)},
    "iterator": lambda rng, pick: Box(iter([Box(), Box(), 7])),
    "reversed": lambda rng, pick: Box(reversed([1, [2], 3])),
    "text": lambda rng, pick: io.StringIO("start"),
    "random": lambda rng, pick: random.Random(rng.randrange(99)),
    "pcg64": lambda rng, pick: np.random.default_rng(rng.randrange(99)),
    "pcg64dxsm": lambda rng, pick: np.random.Generator(np.random.PCG64DXSM(rng.randrange(99))),
    "twister": lambda rng, pick: np.random.Generator(np.random.MT19937(rng.randrange(99))),
    "philox": lambda rng, pick: np.random.Generator(np.random.Philox(rng.randrange(99))),
    "sfc64": lambda rng, pick: np.random.Generator(np.random.SFC64(rng.randrange(99))),
    "random_state": lambda rng, pick: np.random.RandomState(rng.randrange(99)),
    "enum": lambda rng, pick: Box(Colour.RED),
}


class Walker:
    """Whose bound method is kept, and nothing else of it."""

    def __init__(self) -> None:
        self.steps = 0

    def walk(self) -> float:
        self.steps += 1
        return self.steps


def _call(total: list[int], *, step: list[int]) -> float:
    total[0] += step[0]
    step[0] += 1
    return total[0]


def poke(obj: Any, rng: random.Random, pick: Pick, depth: int = 0) -> float:
    """Change an object, or something that it holds, and read it."""
    if depth > 3:
        return 0.0
    for kinds, change in _POKES:
        if isinstance(obj, kinds):
            return float(change(obj, rng, pick, depth))
    return 0.0


def _poke_attributes(obj: Any, rng: random.Random, pick: Pick, depth: int) -> float:
    choice = rng.randrange(5)
    if choice == 0:
        obj.link = pick()
    elif choice == 1:
        obj.link = rng.choice([Colour.RED, Colour.GREEN, None, 1.5, "text"])
    elif choice == 2 and hasattr(obj, "extra"):
        del obj.extra
    elif choice == 3:
        obj.extra = [pick()]
    else:
        return poke(getattr(obj, "link", None), rng, pick, depth + 1)
    obj.count += 1
    return float(obj.count)


def _poke_slotted(obj: Slotted, rng: random.Random, pick: Pick, depth: int) -> float:
    if not hasattr(obj, "link"):
        obj.link = pick()
    elif rng.random() < 0.3:
        del obj.link
    else:
        obj.value += poke(obj.link, rng, pick, depth + 1)
    return obj.value


def _poke_frozen(obj: Frozen, rng: random.Random, pick: Pick, depth: int) -> float:
    obj.numbers[rng.randrange(2)] += 1
    return _poke_list(obj.items, rng, pick, depth)


def _poke_frame(obj: Frame, rng: random.Random, pick: Pick, depth: int) -> float:
    old = obj.picture
    obj.picture = np.full((rng.randrange(1, 4), 2), rng.random())
    obj.extra = rng.choice([None, {"old": old}, [[obj.picture]], (rng.random(), [1])])
    return 0.0 if old is None else float(old.sum())


def _poke_list(obj: list[Any], rng: random.Random, pick: Pick, depth: int) -> float:
    choice = rng.randrange(6)
    if choice == 0 or not len(obj):
        obj.append(pick())
    elif choice == 1 and len(obj) > 1:
        obj.pop(rng.randrange(len(obj)))
    elif choice == 2:
        obj[rng.randrange(len(obj))] = pick()
    elif choice == 3:
        obj.reverse()
    elif choice == 4 and isinstance(obj, Stack):
        obj.depth += 1
    else:
        return poke(obj[rng.randrange(len(obj))], rng, pick, depth + 1)
    return len(obj)


def _poke_dict(obj: dict[Any, Any], rng: random.Random, pick: Pick, depth: int) -> float:
    choice = rng.randrange(5)
    if choice == 0:
        obj[rng.choice(["a", "b", rng.randrange(20), (rng.randrange(3), 1)])] = pick()
    elif choice == 1 and len(obj) > 1:
        del obj[rng.choice(list(obj))]
    elif choice == 2 and obj:
        key = rng.choice(list(obj))
        obj[key] = obj.pop(key)
    elif choice == 3 and isinstance(obj, collections.OrderedDict) and obj:
        obj.move_to_end(rng.choice(list(obj)), last=rng.random() < 0.5)
    elif obj:
        return poke(dict.__getitem__(obj, rng.choice(list(obj))), rng, pick, depth + 1)
    return len(obj)


def _poke_default(obj: Any, rng: random.Random, pick: Pick, depth: int) -> float:
    found = obj[rng.randrange(30)]
    if isinstance(found, list):
        found.append(rng.random())
        return len(found)
    return float(found)


def _poke_counter(obj: collections.Counter[str], rng: random.Random, pick: Pick, depth: int) -> float:
    obj[rng.choice("abcdef")] += rng.randrange(3)
    return float(obj.most_common(1)[0][1])


def _poke_deque(obj: collections.deque[Any], rng: random.Random, pick: Pick, depth: int) -> float:
    choice = rng.randrange(4)
    if choice == 0:
        obj.append(pick())
    elif choice == 1:
        obj.appendleft(pick())
    elif choice == 2 and obj:
        obj.popleft()
    elif obj:
        return poke(obj[0], rng, pick, depth + 1)
    return len(obj)


def _poke_set(obj: set[Any], rng: random.Random, pick: Pick, depth: int) -> float:
    if any(isinstance(item, Named) for item in obj):
        chosen = next(iter(obj))
        chosen.seen += 1
        if rng.random() < 0.3:
            obj.discard(chosen)
            obj.update({Named(rng.randrange(50)), Named(rng.randrange(50))})
        return float(chosen.name)
    choice = rng.randrange(6)
    if choice == 0:
        obj.clear()
    elif choice == 1:
        obj.update(rng.randrange(1000) for _ in range(30))
    elif choice == 2 and obj:
        obj.pop()
    elif choice == 3:
        for item in list(obj):
            obj.discard(item)
    else:
        obj.add(rng.randrange(1000))
    first = next(iter(obj), 0)
    return float(first) if isinstance(first, int) else len(obj)


def _poke_bytes(obj: Any, rng: random.Random, pick: Pick, depth: int) -> float:
    if rng.random() < 0.5 or len(obj) < 2:
        obj.append(rng.randrange(200))
    elif rng.random() < 0.3:
        del obj[0]
    else:
        obj[rng.randrange(len(obj))] = rng.randrange(200)
    return len(obj) + float(obj[0])


def _poke_array(obj: Any, rng: random.Random, pick: Pick, depth: int) -> float:
    if obj.dtype.names:
        obj["a"][rng.randrange(2)] += 1
        return float(obj["a"].sum())
    if obj.dtype.hasobject:
        return _poke_objects(obj, rng, pick, depth)
    if not obj.flags.writeable:
        obj.setflags(write=True)
        obj.flat[rng.randrange(obj.size)] += 1
        obj.setflags(write=False)
        return float(obj.sum())
    choice = rng.randrange(5)
    if choice == 0 and obj.flags.owndata and obj.ndim == 1:
        obj.resize(rng.randrange(1, 6), refcheck=False)
    elif choice == 1 and obj.flags.c_contiguous and obj.ndim == 2:
        obj.shape = obj.shape[::-1]
    elif choice == 2 and obj.dtype.kind == "f" and obj.size:
        obj.flat[0] = rng.choice([float("nan"), -0.0, 0.0, 1e300])
    elif obj.size:
        obj.flat[rng.randrange(obj.size)] = rng.randrange(200)
    return float(np.nan_to_num(obj).sum() % 997)


def _poke_objects(obj: Any, rng: random.Random, pick: Pick, depth: int) -> float:
    place = (rng.randrange(obj.shape[0]), rng.randrange(obj.shape[1]))
    if rng.random() < 0.4:
        obj[place] = pick() if rng.random() < 0.5 else [rng.random()]
        return 1.0
    if rng.random() < 0.2:
        obj.resize((rng.randrange(1, 4), 2), refcheck=False)
        return 2.0
    return poke(obj[place], rng, pick, depth + 1)


def _poke_tuple(obj: Any, rng: random.Random, pick: Pick, depth: int) -> float:
    return poke(rng.choice(obj), rng, pick, depth + 1)


def _poke_call(obj: Any, rng: random.Random, pick: Pick, depth: int) -> float:
    return float(obj() or 0)


def _poke_generator(obj: Any, rng: random.Random, pick: Pick, depth: int) -> float:
    choice = rng.randrange(5)
    if isinstance(obj, random.Random):
        return float(obj.gauss(0, 1) if choice else obj.random())
    if isinstance(obj, np.random.RandomState):
        return float(obj.standard_normal()) if choice else float(obj.randint(100))
    if choice == 0:
        return float(obj.spawn(1)[0].random())
    if choice == 1:
        return float(obj.integers(100, dtype=np.uint32))
    return float(obj.random())


def _poke_iterator(obj: Any, rng: random.Random, pick: Pick, depth: int) -> float:
    return poke(next(obj, None), rng, pick, depth + 1)


def _poke_text(obj: io.StringIO, rng: random.Random, pick: Pick, depth: int) -> float:
    obj.write(rng.choice(["a", "bc"]))
    if rng.random() < 0.2:
        obj.seek(0)
    return float(obj.tell())


def _poke_whole(obj: Any, rng: random.Random, pick: Pick, depth: int) -> float:
    obj.marks = [*getattr(obj, "marks", []), rng.randrange(9)]
    return len(obj.marks)


_CALLABLES = (types.FunctionType, types.MethodType, types.BuiltinFunctionType, functools.partial)

_Poke = Callable[[Any, random.Random, Pick, int], float]
_POKES: list[tuple[Any, _Poke]] = [
    (Slotted, _poke_slotted),
    (Frozen, _poke_frozen),
    (Frame, _poke_frame),
    (_CALLABLES, _poke_call),
    (collections.Counter, _poke_counter),
    (collections.defaultdict, _poke_default),
    (dict, _poke_dict),
    (list, _poke_list),
    (collections.deque, _poke_deque),
    (set, _poke_set),
    ((bytearray, array.array), _poke_bytes),
    (np.ndarray, _poke_array),
    (tuple, _poke_tuple),
    (types.MappingProxyType, lambda obj, rng, pick, depth: poke(obj["inner"], rng, pick, depth + 1)),
    (itertools.count, lambda obj, rng, pick, depth: next(obj)),
    (_LISTED, _poke_iterator),
    (io.StringIO, _poke_text),
    ((random.Random, np.random.Generator, np.random.RandomState), _poke_generator),
    (weakref.ref, lambda obj, rng, pick, depth: poke(obj(), rng, pick, depth + 1)),
    ((Box, types.SimpleNamespace), _poke_attributes),
    (Named, lambda obj, rng, pick, depth: obj.name),
    (Whole, _poke_whole),
]

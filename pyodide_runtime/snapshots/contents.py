"""How the contents of one changeable object are copied out and written back in place, for each sort of object.

A `Kind` looks at one object at a time. It knows nothing of graphs, of which objects have which kind, or of
environments.
"""

from __future__ import annotations

import abc
import collections
import itertools
import operator
import sys
from collections.abc import Callable, Iterable
from typing import Any

__all__ = [
    "ARRAY",
    "ARRAY_SUBCLASS",
    "CELL",
    "DICT",
    "LIST",
    "MISSING",
    "OBJECT_ARRAY",
    "SET",
    "ArrayKind",
    "ArraySubclassKind",
    "BytesKind",
    "CellKind",
    "DequeKind",
    "DictKind",
    "Kind",
    "ListKind",
    "ObjectArrayKind",
    "PlainArrayKind",
    "ReplacedKind",
    "SetKind",
    "SlotsKind",
    "same_items",
]

#: In place of the value of a slot that is not set.
MISSING = object()
_EMPTY_CELL = type("EmptyCell", (), {"__repr__": lambda self: "<empty cell>"})()
#: Mappings whose methods say what they hold.
_HONEST = {dict, collections.OrderedDict, collections.defaultdict, collections.Counter}


def same_items(new: Iterable[Any], old: Iterable[Any]) -> bool:
    """Whether two iterables of the same length hold the very same objects, in order (identity, not equality)."""
    return all(map(operator.is_, new, old))


class Kind(abc.ABC):
    """How the contents of one type of changeable object are copied out and written back in place.

    `capture` returns the contents; given the contents captured before, it returns that very object if nothing
    changed, so that snapshots share it. `restore` writes contents back. `parts` lists the objects that contents
    refer to.

    Attributes:
        refers: whether they may refer to any.
    """

    refers = False

    def __init_subclass__(cls) -> None:
        cls.refers = cls.parts is not Kind.parts

    @abc.abstractmethod
    def capture(self, obj: Any, before: Any) -> Any:
        """The contents of `obj` now."""

    @abc.abstractmethod
    def restore(self, obj: Any, contents: Any) -> None:
        """Give `obj` these contents again."""

    def holds(self, obj: Any, contents: Any) -> bool:
        """Whether `obj` has these contents now, of whatever moment they are; `capture` asks only whether it has them still."""
        return self.capture(obj, contents) is contents

    def parts(self, contents: Any) -> Iterable[Any]:
        """The objects that these contents refer to, each of which may be changeable itself."""
        return ()


class DictKind(Kind):
    """A dictionary of any sort; its order is part of it.

    Of a subclass with methods of its own it is what it holds that counts, not what they say.
    """

    def capture(self, obj: Any, before: Any) -> Any:
        if type(obj) not in _HONEST:
            obj = _held_by(obj)
        if before is not None and len(obj) == len(before) and same_items(obj.values(), before.values()):
            return before if same_items(obj, before) else dict(obj)
        return dict(obj)

    def restore(self, obj: Any, contents: Any) -> None:
        held = obj if type(obj) in _HONEST else _held_by(obj)
        if len(held) == len(contents) and same_items(held, contents):
            if not same_items(held.values(), contents.values()):
                dict.update(obj, contents)
            return
        dict.clear(obj)
        # An OrderedDict keeps its order in a list of its own, which only its own methods maintain.
        if isinstance(obj, collections.OrderedDict):
            collections.OrderedDict.clear(obj)
            for key, value in contents.items():
                collections.OrderedDict.__setitem__(obj, key, value)
        else:
            dict.update(obj, contents)

    def parts(self, contents: Any) -> Iterable[Any]:
        return itertools.chain(contents.values(), contents)


def _held_by(mapping: Any) -> dict[Any, Any]:
    ordered = collections.OrderedDict
    return dict(ordered.items(mapping) if isinstance(mapping, ordered) else dict.items(mapping))


class ListKind(Kind):
    """A list."""

    def capture(self, obj: Any, before: Any) -> Any:
        if type(obj) is not list:
            obj = list(list.__iter__(obj))
        if before is not None and len(obj) == len(before) and same_items(obj, before):
            return before
        return list(obj)

    def restore(self, obj: Any, contents: Any) -> None:
        if list.__len__(obj) != len(contents) or not same_items(list.__iter__(obj), contents):
            list.__setitem__(obj, slice(None), contents)

    def parts(self, contents: Iterable[Any]) -> Iterable[Any]:
        return contents


class SetKind(Kind):
    """A set. Capturing it rebuilds it, in the order of its elements' hashes: `graph` says why."""

    def capture(self, obj: Any, before: Any) -> Any:
        if not set.__len__(obj):
            self.restore(obj, ())  # a table that was large once would stay so
            return before if before is not None and not before else []
        now = sorted(set.__iter__(obj), key=hash)
        if len({*map(hash, now)}) < len(now):
            now.sort(key=lambda item: (hash(item), type(item).__name__, repr(item)))
        self.restore(obj, now)
        return before if before is not None and len(now) == len(before) and same_items(now, before) else now

    def restore(self, obj: Any, contents: Any) -> None:
        set.clear(obj)
        # A set remembers where it last popped, and looks for the next one from there.
        set.add(obj, 0)
        set.pop(obj)
        set.clear(obj)
        set.update(obj, contents)

    def parts(self, contents: Iterable[Any]) -> Iterable[Any]:
        return contents


class DequeKind(Kind):
    """A deque; its bound cannot change."""

    def capture(self, obj: Any, before: Any) -> Any:
        items = collections.deque.__iter__
        return before if before is not None and len(obj) == len(before) and same_items(items(obj), before) else list(items(obj))

    def restore(self, obj: Any, contents: Any) -> None:
        collections.deque.clear(obj)
        collections.deque.extend(obj, contents)

    def parts(self, contents: Iterable[Any]) -> Iterable[Any]:
        return contents


class BytesKind(Kind):
    """A bytearray."""

    def capture(self, obj: Any, before: Any) -> Any:
        return before if before is not None and obj == before else bytes(obj)

    def restore(self, obj: Any, contents: Any) -> None:
        if obj != contents:
            obj[:] = contents


class PlainArrayKind(Kind):
    """An `array.array`."""

    def capture(self, obj: Any, before: Any) -> Any:
        now = obj.tobytes()
        return before if now == before else now

    def restore(self, obj: Any, contents: Any) -> None:
        if len(obj) * obj.itemsize == len(contents):
            if contents:
                memoryview(obj).cast("B")[:] = contents  # which arrays over its memory allow, unlike a change of length
        else:
            del obj[:]
            obj.frombytes(contents)


class CellKind(Kind):
    """A variable that a closure holds."""

    def capture(self, obj: Any, before: Any) -> Any:
        try:
            now = obj.cell_contents
        except ValueError:
            now = _EMPTY_CELL
        return before if before is not None and before[0] is now else (now,)

    def restore(self, obj: Any, contents: Any) -> None:
        if contents[0] is _EMPTY_CELL:
            del obj.cell_contents
        else:
            obj.cell_contents = contents[0]

    def parts(self, contents: Any) -> Iterable[Any]:
        return () if contents[0] is _EMPTY_CELL else contents


class SlotsKind(Kind):
    """The `__slots__` of an object, written past any `__setattr__` (a frozen dataclass has one that refuses)."""

    def __init__(self, members: list[Any]) -> None:
        self._members = members
        self._getters = [member.__get__ for member in members]

    def capture(self, obj: Any, before: Any) -> Any:
        try:
            now = tuple([get(obj) for get in self._getters])
        except AttributeError:  # not all of them are set
            now = tuple([self._get(member, obj) for member in self._members])
        return before if before is not None and same_items(now, before) else now

    @staticmethod
    def _get(member: Any, obj: Any) -> Any:
        try:
            return member.__get__(obj, type(obj))
        except AttributeError:
            return MISSING

    def restore(self, obj: Any, contents: Any) -> None:
        for member, value in zip(self._members, contents, strict=True):
            if value is not MISSING:
                member.__set__(obj, value)
            elif self._get(member, obj) is not MISSING:
                member.__delete__(obj)

    def parts(self, contents: Any) -> Iterable[Any]:
        return [value for value in contents if value is not MISSING]

    def named(self, contents: Any) -> Iterable[tuple[str, Any]]:
        """The slots that are set, by name."""
        pairs = zip(self._members, contents, strict=True)
        return [(member.__name__, value) for member, value in pairs if value is not MISSING]


class ArrayKind(Kind):
    """A NumPy array of plain numbers: its shape, its elements' bytes in C order, and whether it may be written to."""

    def capture(self, obj: Any, before: Any) -> Any:
        data, shape, writeable = obj.tobytes(), obj.shape, obj.flags.writeable
        if before is not None and before[1] == data and before[0] == shape and before[2] is writeable:
            return before
        return (shape, data, writeable)

    def restore(self, obj: Any, contents: Any) -> None:
        shape, data, writeable = contents
        np = sys.modules["numpy"]
        if obj.shape != shape:
            np.ndarray.resize(obj, shape, refcheck=False)
        plain = np.ndarray.view(obj, np.ndarray)
        # What looks at another array's memory without leave to write to it gets its elements back with that one.
        if plain.tobytes() != data and (obj.flags.writeable or not isinstance(obj.base, np.ndarray)):
            locked = _unlock(obj)
            np.ndarray.view(obj, np.ndarray)[...] = np.frombuffer(data, dtype=obj.dtype).reshape(shape)
            for array in locked:
                array.setflags(write=False)
        if obj.flags.writeable is not writeable:
            locked = _unlock(obj)
            obj.setflags(write=writeable)
            for array in locked:
                if array is not obj:
                    array.setflags(write=False)


class ArraySubclassKind(ArrayKind):
    """An array with methods of its own, such as a masked one: what it holds counts, not what they say."""

    def capture(self, obj: Any, before: Any) -> Any:
        np = sys.modules["numpy"]
        return super().capture(np.ndarray.view(obj, np.ndarray), before)


def _unlock(array: Any) -> list[Any]:
    """Let an array be written to; returns those that were locked: it, and those whose memory it shares."""
    chain = [array]
    while hasattr(chain[-1].base, "setflags"):
        chain.append(chain[-1].base)
    locked = [link for link in reversed(chain) if not link.flags.writeable]
    for link in locked:
        link.setflags(write=True)
    return locked


class ObjectArrayKind(Kind):
    """A NumPy array that holds Python objects: its shape, and then its elements in C order."""

    def capture(self, obj: Any, before: Any) -> Any:
        now = [obj.shape, *obj.flat]
        if before is not None and before[0] == now[0] and same_items(now[1:], before[1:]):
            return before
        return now

    def restore(self, obj: Any, contents: Any) -> None:
        if obj.shape != contents[0]:
            obj.resize(contents[0], refcheck=False)
        for place, value in enumerate(contents[1:]):
            obj.flat[place] = value

    def parts(self, contents: Any) -> Iterable[Any]:
        return itertools.islice(contents, 1, None)


class ReplacedKind(Kind):
    """An object that cannot be written back in place, such as an iterator: whoever holds it is given a copy instead.

    Contents are a private copy; `fresh` makes another from it, and `holds` tells what it refers to.
    """

    def __init__(self, copier: Callable[[Any], Any], holds: Callable[[Any], Iterable[Any]] = lambda copy: ()) -> None:
        self._copier = copier
        self._holds = holds

    def capture(self, obj: Any, before: Any) -> Any:
        return self._copier(obj)

    def restore(self, obj: Any, contents: Any) -> None:
        """Nothing: the object's holders are given `fresh(contents)`."""

    def parts(self, contents: Any) -> Iterable[Any]:
        return self._holds(contents)

    def fresh(self, contents: Any) -> Any:
        """A new object in the captured state."""
        return self._copier(contents)


DICT, LIST, SET, CELL = DictKind(), ListKind(), SetKind(), CellKind()
ARRAY, ARRAY_SUBCLASS, OBJECT_ARRAY = ArrayKind(), ArraySubclassKind(), ObjectArrayKind()

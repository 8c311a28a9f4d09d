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
    "CELL",
    "DICT",
    "LIST",
    "OBJECT_ARRAY",
    "SET",
    "ArrayKind",
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

_MISSING = object()
_EMPTY_CELL = type("EmptyCell", (), {"__repr__": lambda self: "<empty cell>"})()


def same_items(new: Iterable[Any], old: Iterable[Any]) -> bool:
    """Whether two iterables of the same length hold the very same objects, in order (identity, not equality)."""
    return all(map(operator.is_, new, old))


class Kind(abc.ABC):
    """How the contents of one type of changeable object are copied out and written back in place.

    `capture` returns the contents; given the contents captured before, it returns that very object if nothing
    changed, so that snapshots share it. `restore` writes contents back. `parts` lists the objects that contents
    refer to.
    """

    @abc.abstractmethod
    def capture(self, obj: Any, before: Any) -> Any:
        """The contents of `obj` now."""

    @abc.abstractmethod
    def restore(self, obj: Any, contents: Any) -> None:
        """Give `obj` these contents again."""

    def parts(self, contents: Any) -> Iterable[Any]:
        """The objects that these contents refer to, each of which may be changeable itself."""
        return ()


class DictKind(Kind):
    """A dictionary of any sort; its order is part of it."""

    def capture(self, obj: Any, before: Any) -> Any:
        if before is not None and len(obj) == len(before) and same_items(obj.values(), before.values()):
            return before if same_items(obj, before) else dict(obj)
        return dict(obj)

    def restore(self, obj: Any, contents: Any) -> None:
        if len(obj) == len(contents) and same_items(obj, contents):
            if not same_items(obj.values(), contents.values()):
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


class ListKind(Kind):
    """A list."""

    def capture(self, obj: Any, before: Any) -> Any:
        if before is not None and len(obj) == len(before) and same_items(obj, before):
            return before
        return list(obj)

    def restore(self, obj: Any, contents: Any) -> None:
        if len(obj) != len(contents) or not same_items(obj, contents):
            list.__setitem__(obj, slice(None), contents)

    def parts(self, contents: Iterable[Any]) -> Iterable[Any]:
        return contents


class SetKind(Kind):
    """A set. Capturing it rebuilds it, in the order of its elements' hashes: `graph` says why."""

    def capture(self, obj: Any, before: Any) -> Any:
        if not obj:
            return []
        now = sorted(obj, key=hash)
        for one, two in itertools.pairwise(now):
            if hash(one) == hash(two):
                now.sort(key=lambda item: (hash(item), type(item).__name__, repr(item)))
                break
        self.restore(obj, now)
        return before if before is not None and len(now) == len(before) and same_items(now, before) else now

    def restore(self, obj: Any, contents: Any) -> None:
        set.clear(obj)
        set.update(obj, contents)

    def parts(self, contents: Iterable[Any]) -> Iterable[Any]:
        return contents


class DequeKind(Kind):
    """A deque; its bound cannot change."""

    def capture(self, obj: Any, before: Any) -> Any:
        return before if before is not None and len(obj) == len(before) and same_items(obj, before) else list(obj)

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
        if obj.tobytes() != contents:
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

    def capture(self, obj: Any, before: Any) -> Any:
        now = tuple([self._get(member, obj) for member in self._members])
        return before if before is not None and same_items(now, before) else now

    @staticmethod
    def _get(member: Any, obj: Any) -> Any:
        try:
            return member.__get__(obj, type(obj))
        except AttributeError:
            return _MISSING

    def restore(self, obj: Any, contents: Any) -> None:
        for member, value in zip(self._members, contents, strict=True):
            if value is not _MISSING:
                member.__set__(obj, value)
            elif self._get(member, obj) is not _MISSING:
                member.__delete__(obj)

    def parts(self, contents: Any) -> Iterable[Any]:
        return [value for value in contents if value is not _MISSING]

    def named(self, contents: Any) -> Iterable[tuple[str, Any]]:
        """The slots that are set, by name."""
        pairs = zip(self._members, contents, strict=True)
        return [(member.__name__, value) for member, value in pairs if value is not _MISSING]


class ArrayKind(Kind):
    """A NumPy array of plain numbers: its elements' bytes in C order."""

    def capture(self, obj: Any, before: Any) -> Any:
        now = obj.tobytes()
        if before is not None and before[1] == now and before[0] == obj.shape:
            return before
        return (obj.shape, now)

    def restore(self, obj: Any, contents: Any) -> None:
        shape, data = contents
        if obj.shape != shape:
            obj.resize(shape, refcheck=False)
        if obj.tobytes() != data:
            np = sys.modules["numpy"]
            obj[...] = np.frombuffer(data, dtype=obj.dtype).reshape(shape)


class ObjectArrayKind(Kind):
    """A NumPy array that holds Python objects."""

    def capture(self, obj: Any, before: Any) -> Any:
        now = list(obj.flat)
        return before if before is not None and same_items(now, before) else now

    def restore(self, obj: Any, contents: Any) -> None:
        for place, value in enumerate(contents):
            obj.flat[place] = value

    def parts(self, contents: Iterable[Any]) -> Iterable[Any]:
        return contents


class ReplacedKind(Kind):
    """An object that cannot be written back in place, such as an iterator: whoever holds it is given a copy instead.

    Contents are a private copy; `fresh` makes another from it.
    """

    def __init__(self, copier: Callable[[Any], Any]) -> None:
        self._copier = copier

    def capture(self, obj: Any, before: Any) -> Any:
        return self._copier(obj)

    def restore(self, obj: Any, contents: Any) -> None:
        """Nothing: the object's holders are given `fresh(contents)`."""

    def fresh(self, contents: Any) -> Any:
        """A new object in the captured state."""
        return self._copier(contents)


DICT, LIST, SET, CELL = DictKind(), ListKind(), SetKind(), CellKind()
ARRAY, OBJECT_ARRAY = ArrayKind(), ObjectArrayKind()

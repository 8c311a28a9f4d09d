"""What every type of object means to a checkpoint: is it a value, a value with parts, or something that can change?

A *value* cannot change and is shared between snapshots. A value *with parts* cannot change itself but may hold things
that can. Everything that can change has a `Kind`, which copies its contents out and writes them back in place.
This module looks at one object at a time; it knows nothing of graphs, environments or frames.
"""

from __future__ import annotations

import abc
import array
import collections
import collections.abc
import copy
import datetime
import decimal
import enum
import fractions
import functools
import io
import itertools
import logging
import operator
import pathlib
import random
import re
import sys
import threading
import types
import uuid
import weakref
from collections.abc import Callable, Iterable
from typing import Any

from ..errors import SnapshotError

__all__ = ["VALUE_TYPES", "Kind", "Role", "children_of_value", "role_of", "same_items"]

_MISSING = object()
_EMPTY_CELL = type("EmptyCell", (), {"__repr__": lambda self: "<empty cell>"})()


class Role(enum.Enum):
    """How a checkpoint treats the objects of one type."""

    VALUE = "value"
    PARTS = "parts"
    MUTABLE = "mutable"
    REFUSED = "refused"


#: Types whose objects never change and hold nothing that does: the test that the frame loop makes most often.
VALUE_TYPES: set[type] = {
    int, float, complex, bool, str, bytes, type(None), type(Ellipsis), type(NotImplemented), range, type, types.ModuleType,
    types.BuiltinFunctionType, types.WrapperDescriptorType, types.MethodWrapperType, types.MethodDescriptorType,
    types.ClassMethodDescriptorType, types.GetSetDescriptorType, types.MemberDescriptorType, types.CodeType,
    types.GenericAlias, types.UnionType, re.Pattern, re.Match, weakref.ref, functools._lru_cache_wrapper,
    datetime.date, datetime.datetime, datetime.time, datetime.timedelta, datetime.timezone, decimal.Decimal,
    fractions.Fraction, uuid.UUID, property, object, operator.itemgetter, operator.attrgetter, operator.methodcaller,
    pathlib.PurePosixPath, pathlib.PosixPath, logging.Logger, logging.RootLogger, type(threading.Lock()),
    type(threading.RLock()), random.SystemRandom, io.TextIOWrapper, io.BufferedWriter, io.BufferedReader, io.FileIO,
}  # fmt: skip


def same_items(new: Iterable[Any], old: Iterable[Any]) -> bool:
    """Whether two iterables of the same length hold the very same objects, in order (identity, not equality)."""
    return all(map(operator.is_, new, old))


class Kind(abc.ABC):
    """How the contents of one type of changeable object are copied out and written back in place.

    `capture` returns the contents; given the contents captured before, it returns that very object if nothing changed, so
    that snapshots share it. `restore` writes contents back. `parts` lists the objects that contents refer to.
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
        if before is not None and len(obj) == len(before):
            if same_items(obj.values(), before.values()) and same_items(obj, before):
                return before
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

    def parts(self, contents: Any) -> Iterable[Any]:
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

    def parts(self, contents: Any) -> Iterable[Any]:
        return contents


class DequeKind(Kind):
    """A deque; its bound cannot change."""

    def capture(self, obj: Any, before: Any) -> Any:
        return before if before is not None and len(obj) == len(before) and same_items(obj, before) else list(obj)

    def restore(self, obj: Any, contents: Any) -> None:
        collections.deque.clear(obj)
        collections.deque.extend(obj, contents)

    def parts(self, contents: Any) -> Iterable[Any]:
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


class RandomKind(Kind):
    """A `random.Random`: its 625 words and the half of a pair that `gauss` keeps."""

    def capture(self, obj: Any, before: Any) -> Any:
        now = obj.getstate()
        return before if now == before else now

    def restore(self, obj: Any, contents: Any) -> None:
        obj.setstate(contents)


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

    def parts(self, contents: Any) -> Iterable[Any]:
        return contents


class BitGeneratorKind(Kind):
    """The bit generator under a NumPy `Generator`: its own state mapping, with arrays made comparable."""

    def capture(self, obj: Any, before: Any) -> Any:
        now = _freeze(obj.state)
        return before if now == before else now

    def restore(self, obj: Any, contents: Any) -> None:
        obj.state = _thaw(contents)


class RandomStateKind(Kind):
    """NumPy's legacy `RandomState`, the half of a pair that it keeps included."""

    def capture(self, obj: Any, before: Any) -> Any:
        now = _freeze(obj.get_state(legacy=False))
        return before if now == before else now

    def restore(self, obj: Any, contents: Any) -> None:
        obj.set_state(_thaw(contents))


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


def _freeze(value: Any) -> Any:
    if isinstance(value, dict):
        return tuple((key, _freeze(item)) for key, item in value.items())
    if hasattr(value, "tobytes"):
        return ("\0array", value.dtype.str, value.shape, value.tobytes()) if value.shape else value.item()
    return value


def _thaw(value: Any) -> Any:
    if isinstance(value, tuple):
        if value and value[0] == "\0array":
            return sys.modules["numpy"].frombuffer(value[3], dtype=value[1]).reshape(value[2]).copy()
        return {key: _thaw(item) for key, item in value}
    return value


DICT, LIST, SET, CELL = DictKind(), ListKind(), SetKind(), CellKind()
ARRAY, OBJECT_ARRAY = ArrayKind(), ObjectArrayKind()
_BASES: list[tuple[type, Kind]] = [
    (dict, DICT),
    (list, LIST),
    (set, SET),
    (collections.deque, DequeKind()),
    (bytearray, BytesKind()),
    (array.array, PlainArrayKind()),
    (types.CellType, CELL),
    (random.Random, RandomKind()),
]
# Only iterators over one sequence: a copy of zip, map or enumerate would share the iterators underneath.
_ITERATORS = {type(iter(sequence)) for sequence in ([], (), "", b"", bytearray(), range(1), range(1 << 70))} | {type(reversed([]))}
_PARTS_TYPES = (tuple, frozenset, types.FunctionType, types.MethodType, types.MappingProxyType, functools.partial,
                slice, staticmethod, classmethod)  # fmt: skip


_DEEP_COPY = ReplacedKind(copy.deepcopy)


def children_of_value(obj: Any) -> Iterable[Any]:
    """The objects that a value with parts holds."""
    if isinstance(obj, tuple | frozenset):
        return obj
    if isinstance(obj, types.FunctionType):
        found = list(obj.__closure__ or ())
        found.extend(obj.__defaults__ or ())
        if obj.__kwdefaults__:
            found.append(obj.__kwdefaults__)
        if obj.__dict__:
            found.append(obj.__dict__)
        return found
    if isinstance(obj, types.MethodType):
        return (obj.__self__, obj.__func__)
    if isinstance(obj, types.MappingProxyType):
        return obj.values()
    if isinstance(obj, functools.partial):
        return (obj.func, obj.args, obj.keywords)
    if isinstance(obj, slice):
        return (obj.start, obj.stop, obj.step)
    if isinstance(obj, staticmethod | classmethod):
        return (obj.__func__,)
    if hasattr(obj, "bit_generator"):
        return (obj.bit_generator,)
    return _array_base(obj)


def _array_base(obj: Any) -> Iterable[Any]:
    base = getattr(obj, "base", None)
    return () if base is None or isinstance(base, bytes | memoryview) else (base,)


def _copy_count(counter: Any) -> Any:
    # A counter can neither be read nor copied except through its text; from Python 3.14 on there is no other way.
    text = repr(counter)
    numbers = text[text.index("(") + 1 : -1].split(", ")
    try:
        return itertools.count(*(int(number) for number in numbers))
    except ValueError:
        raise SnapshotError(f"{text} counts something other than whole numbers and cannot be copied") from None


@functools.cache
def _shape_of_type(kind: type) -> tuple[Role, Kind | None, SlotsKind | None, bool]:
    """Role, how its contents are captured, its slots, and whether it has a `__dict__`: what the type alone tells."""
    if kind in VALUE_TYPES or issubclass(
        kind, type | enum.Enum | BaseException | types.ModuleType | weakref.ref | pathlib.PurePath
    ):
        return Role.VALUE, None, None, False
    if issubclass(kind, logging.Logger | logging.Handler):
        return Role.VALUE, None, None, False
    if kind is itertools.count:
        return Role.MUTABLE, ReplacedKind(_copy_count), None, False
    if kind in _ITERATORS:
        return Role.MUTABLE, ReplacedKind(copy.copy), None, False
    np = sys.modules.get("numpy")
    if np is not None:
        if issubclass(kind, np.generic | np.dtype) or (kind.__module__ == "numpy" and kind.__name__ in ("ufunc", "SeedSequence")):
            return Role.VALUE, None, None, False
        if issubclass(kind, np.random.SeedSequence):
            return Role.VALUE, None, None, False
        if issubclass(kind, np.random.BitGenerator):
            return Role.MUTABLE, BitGeneratorKind(), None, False
        if issubclass(kind, np.random.RandomState):
            return Role.MUTABLE, RandomStateKind(), None, False
        if issubclass(kind, np.random.Generator):
            return Role.PARTS, None, None, False
        if issubclass(kind, np.ndarray):
            return Role.MUTABLE, ARRAY, None, kind is not np.ndarray
    has_dict = kind.__dictoffset__ != 0 or any("__dict__" in vars(base) for base in kind.__mro__ if base is not type)
    slots = _slots_of(kind)
    base_kind = next((how for base, how in _BASES if issubclass(kind, base)), None)
    if base_kind is not None:
        return Role.MUTABLE, base_kind, slots, has_dict and kind not in (base for base, _ in _BASES)
    if issubclass(kind, _PARTS_TYPES):
        return Role.PARTS, None, None, has_dict and issubclass(kind, tuple | frozenset)
    if issubclass(kind, int | float | complex | str | bytes):
        return (Role.PARTS, None, slots, True) if has_dict else (Role.VALUE, None, None, False)
    if _made_in_python(kind):
        return (Role.MUTABLE if has_dict or slots else Role.VALUE), None, slots, has_dict
    if kind.__module__ == "numpy.random._generator":
        return Role.PARTS, None, None, False
    return Role.REFUSED, None, None, False


def _made_in_python(kind: type) -> bool:
    """Whether all that objects of this type hold is in their `__dict__` and `__slots__`."""
    return kind is types.SimpleNamespace or all(base is object or _is_python_class(base) for base in kind.__mro__)


def _is_python_class(base: type) -> bool:
    # Types of extensions define descriptors of C functions or C members for themselves; a class statement never does.
    if not base.__flags__ & 1 << 9:  # Py_TPFLAGS_HEAPTYPE
        return base.__module__ == "typing"
    own = [member for member in vars(base).values() if getattr(member, "__objclass__", None) is base]
    if any(isinstance(member, types.WrapperDescriptorType | types.MethodDescriptorType) for member in own):
        return False
    return "__slots__" in vars(base) or not any(isinstance(member, types.MemberDescriptorType) for member in own)


def _slots_of(kind: type) -> SlotsKind | None:
    members = [
        member
        for base in kind.__mro__
        for name, member in vars(base).items()
        if "__slots__" in vars(base) and isinstance(member, types.MemberDescriptorType)
    ]
    return SlotsKind(members) if members else None


def role_of(obj: Any) -> tuple[Role, Kind | None, SlotsKind | None, dict[str, Any] | None]:
    """How a checkpoint treats this object: role, the kind of its own contents, its slots, its attribute dictionary."""
    role, kind, slots, has_dict = _shape_of_type(type(obj))
    if role is Role.MUTABLE and kind is ARRAY:
        if not obj.flags.writeable:
            return Role.PARTS, None, None, None
        if obj.dtype.hasobject:
            kind = OBJECT_ARRAY
    if role is Role.REFUSED:
        try:
            copy.deepcopy(obj)
        except Exception:  # whatever a foreign type raises, it means the same: no copy can be had
            return role, None, None, None
        return Role.MUTABLE, _DEEP_COPY, None, None
    attributes = None
    if has_dict:
        try:
            attributes = object.__getattribute__(obj, "__dict__")
        except AttributeError:
            attributes = None
    return role, kind, slots, attributes

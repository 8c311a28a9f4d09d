"""What every type of object means to a checkpoint: is it a value, a value with parts, or something that can change?

A *value* cannot change and is shared between snapshots. A value *with parts* cannot change itself but may hold things
that can. Everything that can change has a `Kind`, of `contents` or `generators`.
This module looks at one object at a time; it knows nothing of graphs, environments or frames.
"""

from __future__ import annotations

import array
import collections
import collections.abc
import copy
import datetime
import decimal
import enum
import fractions
import functools
import gc
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
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ..errors import SnapshotError
from .contents import (
    ARRAY,
    ARRAY_SUBCLASS,
    CELL,
    DICT,
    LIST,
    OBJECT_ARRAY,
    SET,
    BytesKind,
    DequeKind,
    Kind,
    PlainArrayKind,
    ReplacedKind,
    SlotsKind,
)
from .foreign import foreign_kind, is_tool
from .generators import BitGeneratorKind, RandomKind, RandomStateKind, SeedSequenceKind

__all__ = ["ARRAY_TYPES", "VALUE_TYPES", "Kind", "Role", "children_of_value", "may_be_replaced", "pieces", "role_of"]


class Role(enum.Enum):
    """How a checkpoint treats the objects of one type."""

    VALUE = "value"
    PARTS = "parts"
    MUTABLE = "mutable"
    REFUSED = "refused"


#: Types whose objects never change and hold nothing that does: the test that the frame loop makes most often.
VALUE_TYPES: set[type] = {
    int, float, complex, bool, str, bytes, type(None), type(Ellipsis), type(NotImplemented), range, type, types.ModuleType,
    types.WrapperDescriptorType, types.MethodDescriptorType,
    types.ClassMethodDescriptorType, types.GetSetDescriptorType, types.MemberDescriptorType, types.CodeType,
    types.GenericAlias, types.UnionType, re.Pattern, re.Match, weakref.ref, functools._lru_cache_wrapper,
    datetime.date, datetime.datetime, datetime.time, datetime.timedelta, datetime.timezone, decimal.Decimal,
    fractions.Fraction, uuid.UUID, property, object, operator.itemgetter, operator.attrgetter, operator.methodcaller,
    pathlib.PurePosixPath, pathlib.PosixPath, logging.Logger, logging.RootLogger, type(threading.Lock()),
    type(threading.RLock()), random.SystemRandom, io.TextIOWrapper, io.BufferedWriter, io.BufferedReader, io.FileIO,
}  # fmt: skip

#: NumPy's array, once one was met.
ARRAY_TYPES: set[type] = set()

_BIT_GENERATOR, _RANDOM_STATE, _SEED_SEQUENCE = BitGeneratorKind(), RandomStateKind(), SeedSequenceKind()
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
_SEQUENCES: list[Any] = [[], (), "a", "\N{EURO SIGN}", b"", bytearray(), range(1), range(1 << 70, (1 << 70) + 1)]
#: What makes one of each type.
_ITERATORS: dict[type, Callable[[], Iterator[Any]]] = {
    type(begin()): begin for begin in [*(functools.partial(iter, items) for items in _SEQUENCES), functools.partial(reversed, [])]
}
_PARTS_TYPES = (tuple, frozenset, types.FunctionType, types.MethodType, types.MappingProxyType, functools.partial,
                types.BuiltinFunctionType, types.MethodWrapperType, slice, staticmethod, classmethod)  # fmt: skip


def _sequence_under(iterator: Any) -> Iterable[Any]:
    """What an iterator goes through, unless it has reached the end for good."""
    reduced = iterator.__reduce__()
    return reduced[1] if len(reduced) > 2 else ()


def pieces(obj: Any) -> list[Any]:
    """What an object of a foreign type consists of, as it would be pickled; or what it was captured as, if that is a tuple."""
    if type(obj) is tuple:
        return list(obj)
    reduced = obj.__reduce_ex__(4)
    if isinstance(reduced, str):
        return [reduced]
    arguments, state = reduced[1], reduced[2] if len(reduced) > 2 else None
    if isinstance(state, tuple):
        # A text buffer names its attributes, none or an empty mapping according to whether anybody ever asked for them.
        state = tuple(None if type(part) is dict and not part else part for part in state)
    return [arguments, state, *(list(more or ()) for more in reduced[3:5])]


def _stands_alone(obj: Any) -> bool:
    """Whether a deep copy of an object of a foreign type can take its place: it holds nothing that others may hold as well."""
    stack = pieces(obj)
    while stack:
        piece = stack.pop()
        if isinstance(piece, dict):
            stack.extend((*piece, *piece.values()))
        elif isinstance(piece, list | tuple | set | frozenset):
            stack.extend(piece)
        elif role_of(piece)[0] is not Role.VALUE:
            return False
    return True


def _copy_iterator(iterator: Any) -> Any:
    """One that goes on alike. Python's own copy of one that has reached its end has not, and may be of another type."""
    if len(iterator.__reduce__()) > 2:
        return copy.copy(iterator)
    copied = _ITERATORS[type(iterator)]()
    collections.deque(copied, maxlen=0)
    return copied


_DEEP_COPY = ReplacedKind(copy.deepcopy)
_ITERATOR = ReplacedKind(_copy_iterator, _sequence_under)


def children_of_value(obj: Any) -> Iterable[Any]:
    """The objects that a value with parts holds."""
    if isinstance(obj, tuple | frozenset):
        return obj
    if isinstance(obj, types.FunctionType):
        found: list[Any] = list(obj.__closure__ or ())
        found.extend(obj.__defaults__ or ())
        if obj.__kwdefaults__:
            found.append(obj.__kwdefaults__)
        found.append(obj.__dict__)  # also while it is empty: what is looked at in it may be of another frame
        return found
    if isinstance(obj, types.MethodType):
        return (obj.__self__, obj.__func__)
    if isinstance(obj, types.BuiltinFunctionType | types.MethodWrapperType):
        return (obj.__self__,)
    if isinstance(obj, types.MappingProxyType):
        return gc.get_referents(obj)
    if isinstance(obj, functools.partial):
        return (obj.func, obj.args, obj.keywords, obj.__dict__)
    if isinstance(obj, slice):
        return (obj.start, obj.stop, obj.step)
    if isinstance(obj, staticmethod | classmethod):
        return (obj.__func__,)
    if hasattr(obj, "bit_generator"):
        return (obj.bit_generator,)
    if hasattr(obj, "seed_seq"):
        return (obj.seed_seq,)
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


_COUNT = ReplacedKind(_copy_count)


class CycleKind(ReplacedKind):
    """An `itertools.cycle`: what it gives from now on, once around. From Python 3.14 on no other way leads into it."""

    def __init__(self) -> None:
        super().__init__(itertools.cycle, lambda contents: contents)

    def capture(self, obj: Any, before: Any) -> Any:
        """All that it gives in one round, after which it stands where it stood."""
        under, kept = None, []
        for part in gc.get_referents(obj):
            if type(part) is list:
                kept = part
            elif part is not itertools.cycle:
                under = part
        if under is not None and type(under) not in _ITERATORS:
            raise SnapshotError(f"a cycle through a {type(under).__qualname__} cannot be copied; give it a list to go through")
        given: list[Any] = []
        before_last = -1
        while before_last < len(kept):  # the first time around it keeps what it gives
            before_last = len(kept)
            given += itertools.islice(obj, 1)
        given += itertools.islice(obj, -len(given) % (len(kept) or 1))
        return tuple(given[: len(kept)])


_CYCLE = CycleKind()


@functools.cache
def _shape_of_type(kind: type) -> tuple[Role, Kind | None, SlotsKind | None, bool]:
    """Role, how its contents are captured, its slots, and whether it has a `__dict__`: what the type alone tells."""
    found = _find_shape(kind)
    if found[0] is Role.VALUE:
        VALUE_TYPES.add(kind)
    return found


def _find_shape(kind: type) -> tuple[Role, Kind | None, SlotsKind | None, bool]:
    if kind in VALUE_TYPES or issubclass(
        kind, type | enum.Enum | BaseException | types.ModuleType | weakref.ref | pathlib.PurePath
    ):
        return Role.VALUE, None, None, False
    if issubclass(kind, logging.Logger | logging.Handler | io.TextIOWrapper):
        return Role.VALUE, None, None, False
    if kind is itertools.count:
        return Role.MUTABLE, _COUNT, None, False
    if kind is itertools.cycle:
        return Role.MUTABLE, _CYCLE, None, False
    if kind in _ITERATORS:
        return Role.MUTABLE, _ITERATOR, None, False
    np = sys.modules.get("numpy")
    if np is not None:
        if issubclass(kind, np.void):
            return Role.REFUSED, None, None, False
        if issubclass(kind, np.generic | np.dtype | np.ufunc):
            return Role.VALUE, None, None, False
        if issubclass(kind, np.random.SeedSequence):
            return Role.MUTABLE, _SEED_SEQUENCE, None, False
        if issubclass(kind, np.random.BitGenerator):
            return Role.MUTABLE, _BIT_GENERATOR, None, False
        if issubclass(kind, np.random.RandomState):
            return Role.MUTABLE, _RANDOM_STATE, None, False
        if issubclass(kind, np.random.Generator):
            return Role.PARTS, None, None, False
        if issubclass(kind, np.ndarray):
            if kind is np.ndarray:
                ARRAY_TYPES.add(kind)
            return Role.MUTABLE, ARRAY if kind is np.ndarray else ARRAY_SUBCLASS, None, kind is not np.ndarray
    if is_tool(kind):
        return Role.VALUE, None, None, False
    has_dict = kind.__dictoffset__ != 0 or any("__dict__" in vars(base) for base in kind.__mro__ if base is not type)
    slots = _slots_of(kind)
    base_kind = next((how for base, how in _BASES if issubclass(kind, base)), None)
    if base_kind is not None:
        return Role.MUTABLE, base_kind, slots, has_dict and kind not in (base for base, _ in _BASES)
    foreign = foreign_kind(kind)
    if foreign is not None:
        return Role.MUTABLE, foreign[1], slots, has_dict and kind is not foreign[0]
    if issubclass(kind, _PARTS_TYPES):
        return Role.PARTS, None, None, has_dict and issubclass(kind, tuple | frozenset)
    if issubclass(kind, int | float | complex | str | bytes):
        return (Role.PARTS, None, slots, True) if has_dict or slots else (Role.VALUE, None, None, False)
    if _made_in_python(kind):
        return (Role.MUTABLE if has_dict or slots else Role.VALUE), None, slots, has_dict
    if getattr(kind, "__module__", "") == "numpy.random._generator":
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
    if issubclass(kind, collections.defaultdict):
        members.append(vars(collections.defaultdict)["default_factory"])
    return SlotsKind(members) if members else None


@functools.cache
def may_be_replaced(kind: type) -> bool:
    """Whether objects of this type may be ones that cannot be written back in place."""
    role, how, _, _ = _shape_of_type(kind)
    return role is Role.REFUSED or isinstance(how, ReplacedKind)


def role_of(obj: Any) -> tuple[Role, Kind | None, SlotsKind | None, dict[str, Any] | None]:
    """How a checkpoint treats this object: role, the kind of its own contents, its slots, its attribute dictionary."""
    type_: Any = type(obj)
    role, kind, slots, has_dict = _shape_of_type(type_)
    if kind is ARRAY or kind is ARRAY_SUBCLASS:
        if isinstance(obj.base, bytes):
            return Role.VALUE, None, None, None
        if obj.dtype.hasobject:
            kind = OBJECT_ARRAY
            if obj.dtype.names:
                return Role.REFUSED, None, None, None
    if role is Role.REFUSED:
        try:
            if getattr(obj, "base", None) is None and _stands_alone(obj):
                copy.deepcopy(obj)
                return Role.MUTABLE, _DEEP_COPY, None, None
        except Exception:  # whatever a foreign type raises, it means the same: no copy can be had
            pass
        return role, None, None, None
    attributes = None
    if has_dict:
        try:
            attributes = object.__getattribute__(obj, "__dict__")
        except AttributeError:
            attributes = None
    return role, kind, slots, attributes

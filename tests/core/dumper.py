"""A deep and exact text of everything that an object holds, written without any of the product's code.

Two graphs have equal dumps if and only if they hold equal values, of equal types, aliased in the same way. The dumper is
strict: it raises TypeError for a type that it does not know, so that nothing is overlooked in silence.
"""

from __future__ import annotations

import array
import collections
import datetime
import decimal
import enum
import functools
import hashlib
import io
import itertools
import logging
import pathlib
import random
import re
import threading
import types
import uuid
import weakref
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

_SEQUENCES: list[Any] = [[], (), "", "\N{EURO SIGN}", b"", bytearray(), range(1), range(1 << 70, (1 << 70) + 1)]
_LIST_ITERATORS: tuple[type, ...] = (*(type(iter(sequence)) for sequence in _SEQUENCES), type(reversed(_SEQUENCES)))
_LOCKS = (type(threading.Lock()), type(threading.RLock()))
_BY_REPR = (
    bool, int, str, bytes, complex, type(None), type(Ellipsis), range, datetime.date, datetime.timedelta, decimal.Decimal,
    uuid.UUID, re.Pattern, pathlib.PurePath,
)  # fmt: skip


def dump(*roots: Any) -> list[str]:
    """One line for each object that can be reached from the roots, in an order that depends on the graph alone.

    The order of a mapping and of a set is part of the dump.
    """
    return _Dumper().lines(roots)


def unordered_dump(*roots: Any) -> list[str]:
    """As `dump`, but the order of sets is left out (that of mappings is not)."""
    return _Dumper(sorted_sets=True).lines(roots)


def difference(one: list[str], two: list[str]) -> list[tuple[str, str]]:
    """The first few lines in which two dumps differ, for messages."""
    return [(a, b) for a, b in itertools.zip_longest(one, two, fillvalue="-") if a != b][:5]


class _Dumper:
    def __init__(self, *, sorted_sets: bool = False) -> None:
        self._numbers: dict[int, int] = {}
        self._alive: list[Any] = []
        self._queue: collections.deque[Any] = collections.deque()
        self._sorted = sorted_sets

    def lines(self, roots: Iterable[Any]) -> list[str]:
        found = [" ".join(self._refer(root) for root in roots)]
        while self._queue:
            obj = self._queue.popleft()
            found.append(f"#{self._numbers[id(obj)]} {_type_name(obj)} {self._describe(obj)}")
        return found

    def _refer(self, obj: Any) -> str:
        """The text that stands for an object in another one's line: itself if it is a value, else its number."""
        kind = type(obj)
        if kind is float:
            return obj.hex() if obj == obj else "nan"
        if kind in _BY_REPR:
            return repr(obj)
        if kind is tuple:
            return f"({' '.join(map(self._refer, obj))})"
        if kind is frozenset:
            return f"frozenset{{{' '.join(self._set(obj))}}}"
        if isinstance(obj, enum.Enum):
            return str(obj)
        if isinstance(obj, type):
            return f"class {obj.__module__}.{obj.__qualname__}"
        if isinstance(obj, types.ModuleType):
            return f"module {obj.__name__}"
        if isinstance(obj, np.generic) and not isinstance(obj, np.void):
            return f"{obj.dtype.str}:{obj.tobytes().hex()}"
        if isinstance(obj, np.dtype):
            return f"dtype {obj.descr if obj.names else obj.str}"
        if isinstance(obj, types.MethodType):
            return f"method {self._refer(obj.__self__)} {self._refer(obj.__func__)}"
        if isinstance(obj, types.BuiltinFunctionType | types.MethodWrapperType):
            owner = obj.__self__
            return f"builtin {obj.__name__} {'' if owner is None else self._refer(owner)}"
        if isinstance(obj, types.MethodDescriptorType | types.WrapperDescriptorType | np.ufunc):
            return f"builtin {obj.__name__}"
        number = self._numbers.get(id(obj))
        if number is None:
            number = self._numbers[id(obj)] = len(self._numbers)
            self._alive.append(obj)
            self._queue.append(obj)
        return f"#{number}"

    def _set(self, items: Iterable[Any]) -> list[str]:
        listed = list(items)
        if any(hasattr(item, "name") for item in listed):
            listed.sort(key=lambda item: str(item.name))
        texts = [self._refer(item) for item in listed]
        return sorted(texts) if self._sorted or isinstance(items, frozenset) else texts

    def _describe(self, obj: Any) -> str:
        parts = [write(self, obj) for base, write in _WRITERS if isinstance(obj, base)][:1]
        attributes = _attributes(obj)
        if not parts and attributes is None and not _is_plain_class(type(obj)):
            raise TypeError(f"the dumper does not know {type(obj)}")
        if attributes is not None and not isinstance(obj, random.Random | np.random.RandomState):
            parts.append("{" + self._pairs(attributes.items()) + "}")
        slots = list(_slots(obj))
        if slots:
            parts.append("slots{" + self._pairs(slots) + "}")
        return " ".join(parts)

    def _pairs(self, pairs: Iterable[tuple[Any, Any]]) -> str:
        return ", ".join(f"{self._refer(key)}: {self._refer(value)}" for key, value in pairs)

    def _items(self, items: Iterable[Any]) -> str:
        return " ".join(map(self._refer, items))

    def _array(self, obj: np.ndarray[Any, Any]) -> str:
        text = f"{obj.dtype.str} {obj.dtype.names} {obj.shape} {'rw' if obj.flags.writeable else 'ro'}"
        if obj.dtype.hasobject:
            text += " " + self._items(obj.tolist() if obj.dtype.names is None else [item for row in obj.flat for item in row])
        else:
            text += " " + np.ndarray.tobytes(obj).hex()
        if isinstance(obj.base, np.ndarray):
            offset = obj.__array_interface__["data"][0] - obj.base.__array_interface__["data"][0]
            text += f" of {self._refer(obj.base)} at {offset} {obj.strides}"
        return text

    def _function(self, obj: types.FunctionType) -> str:
        code = obj.__code__
        inner = [code.co_qualname, code.co_firstlineno, obj.__closure__ or (), obj.__defaults__ or (), obj.__kwdefaults__]
        return self._items(inner)

    def _cell(self, obj: types.CellType) -> str:
        try:
            return self._refer(obj.cell_contents)
        except ValueError:
            return "empty"

    def _weak(self, obj: Any) -> str:
        target = obj()
        return "dead" if target is None else self._refer(target)


def _type_name(obj: Any) -> str:
    return f"{type(obj).__module__}.{type(obj).__qualname__}"


def _attributes(obj: Any) -> dict[str, Any] | None:
    try:
        found = object.__getattribute__(obj, "__dict__")
    except AttributeError:
        return None
    return found if isinstance(found, dict) else None


def _slots(obj: Any) -> Iterable[tuple[str, Any]]:
    for base in type(obj).__mro__:
        if "__slots__" not in vars(base):
            continue
        for name, member in vars(base).items():
            if isinstance(member, types.MemberDescriptorType):
                try:
                    yield name, member.__get__(obj, type(obj))
                except AttributeError:
                    yield name, "(not set)"


def _is_plain_class(kind: type) -> bool:
    return all(base is object or base.__flags__ & 1 << 9 for base in kind.__mro__) or kind is object


def _hashed(value: Any) -> str:
    return hashlib.blake2b(repr(value).encode(), digest_size=8).hexdigest()


def _generator_state(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _generator_state(item) for key, item in value.items()}
    return value.tolist() if hasattr(value, "tolist") else value


def _ordered(self: _Dumper, obj: Any) -> str:
    return "ordered{" + self._pairs(collections.OrderedDict.items(obj)) + "}"


def _default(self: _Dumper, obj: Any) -> str:
    return f"{self._refer(obj.default_factory)} {{{self._pairs(dict.items(obj))}}}"


_WRITERS: list[tuple[type | tuple[type, ...], Callable[[_Dumper, Any], str]]] = [
    (np.ndarray, _Dumper._array),
    (types.FunctionType, _Dumper._function),
    (types.CellType, _Dumper._cell),
    (weakref.ref, _Dumper._weak),
    (collections.OrderedDict, _ordered),
    (collections.defaultdict, _default),
    (dict, lambda self, obj: "{" + self._pairs(dict.items(obj)) + "}"),
    (types.MappingProxyType, lambda self, obj: "{" + self._pairs(obj.items()) + "}"),
    (list, lambda self, obj: self._items(list.__iter__(obj))),
    (tuple, lambda self, obj: self._items(tuple.__iter__(obj))),
    (collections.deque, lambda self, obj: f"{obj.maxlen} {self._items(obj)}"),
    (set, lambda self, obj: " ".join(self._set(obj))),
    (bytearray, lambda self, obj: bytes(obj).hex()),
    (array.array, lambda self, obj: f"{obj.typecode} {obj.tobytes().hex()}"),
    (random.Random, lambda self, obj: _hashed(obj.getstate())),
    (np.random.RandomState, lambda self, obj: _hashed(_generator_state(obj.get_state(legacy=False)))),
    (np.random.Generator, lambda self, obj: self._refer(obj.bit_generator)),
    (np.random.BitGenerator, lambda self, obj: f"{_hashed(_generator_state(obj.state))} {self._refer(obj.seed_seq)}"),
    (np.random.SeedSequence, lambda self, obj: f"{obj.entropy} {obj.spawn_key} {obj.n_children_spawned} {obj.pool_size}"),
    (functools.partial, lambda self, obj: self._items([obj.func, obj.args, obj.keywords])),
    (itertools.count, lambda self, obj: repr(obj)),
    (_LIST_ITERATORS, lambda self, obj: self._items(obj.__reduce__()[1:])),
    (slice, lambda self, obj: self._items([obj.start, obj.stop, obj.step])),
    ((staticmethod, classmethod), lambda self, obj: self._refer(obj.__func__)),
    (io.StringIO, lambda self, obj: f"{obj.getvalue()!r} {obj.tell()}"),
    (io.BytesIO, lambda self, obj: f"{obj.getvalue()!r} {obj.tell()}"),
    ((logging.Logger, types.CodeType, property, *_LOCKS, io.TextIOWrapper), lambda self, obj: ""),
    ((int, float, str, bytes), lambda self, obj: repr(obj)),
]

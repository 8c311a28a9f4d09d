"""The canonical bytes of a state: equal states give equal bytes, whatever the identities of their objects.

The state is walked from its roots in an order that depends on its contents alone. An object that can change is
numbered when it is met first and referred to by that number afterwards, so aliasing and cycles are part of the
bytes and addresses are not. The order of a mapping is part of the state; the order of a set is not. Classes and
functions count by their names (and by what they close over), not by their code, so that different Python versions
agree.

The walk can read a live graph or a checkpoint, by being told where an object's contents are found. It knows nothing of
environments, frames or networks.
"""

from __future__ import annotations

import collections
import enum
import hashlib
import itertools
import struct
import sys
import types
import weakref
from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from typing import Any

from .contents import DICT, SET, ArrayKind, Kind, ObjectArrayKind, ReplacedKind
from .foreign import full_name
from .generators import BitGeneratorKind, RandomKind, RandomStateKind, SeedSequenceKind
from .kinds import Role, children_of_value, pieces, role_of

__all__ = ["DIGEST_SIZE", "SIMPLE", "Contents", "Encoder", "digest", "encode"]

Contents = Mapping[int, list[tuple[Kind, Any]]]
"""Captured contents by object identity, as `Checkpoint.contents_by_identity` gives them."""

#: Length of a state's digest, in bytes.
DIGEST_SIZE = 16

_FLOAT = struct.Struct("<d").pack
_NAN = b"f" + _FLOAT(float("nan"))


def digest(roots: Iterable[Any], contents: Contents | None = None) -> bytes:
    """blake2b of the canonical bytes, `DIGEST_SIZE` long. Arguments as for `encode`."""
    return hashlib.blake2b(encode(roots, contents), digest_size=DIGEST_SIZE).digest()


def encode(roots: Iterable[Any], contents: Contents | None = None) -> bytes:
    """The canonical bytes of everything that can be reached from `roots`.

    Args:
        roots: where to begin, in order.
        contents: captured contents by object identity, as
            `Checkpoint.contents_by_identity` gives them; an object that is
            not in it is read as it is now.
    """
    encoder = Encoder(contents or {})
    for root in roots:
        encoder.run(root)
    encoder.finish()
    return b"".join(encoder.out)


class Encoder:
    """One walk. `out` is what it wrote."""

    def __init__(self, contents: Contents) -> None:
        self.out: list[bytes] = []
        self._contents = contents
        self._numbers: dict[int, int] = {}
        self._alive: list[Any] = []
        self._targets: list[Any] = []
        self._in_set = 0

    def finish(self) -> None:
        """Write which objects the weak references refer to."""
        for target in self._targets:
            self.out.append(b"@%d;" % self._numbers.get(id(target), -1))

    def run(self, root: Any) -> None:
        """Write everything that can be reached from a root and was not written yet."""
        stack: list[Any] = [root]
        out = self.out
        while stack:
            obj = stack.pop()
            kind = type(obj)
            simple = SIMPLE.get(kind)
            if simple is not None:
                out.append(simple(obj))
            elif kind is tuple:
                out.append(b"(%d:" % len(obj))
                stack.extend(reversed(obj))
            else:
                parts = self._complex(obj)
                if parts:
                    stack.extend(reversed(parts))

    def _complex(self, obj: Any) -> list[Any]:
        """Write what `obj` is and return what it holds, to be visited next."""
        number = self._numbers.get(id(obj))
        if number is not None:
            self.out.append(b"@%d;" % number)
            return []
        role, kind, slots, attributes = role_of(obj)
        if role is Role.VALUE:
            return self._plain(obj)
        if isinstance(obj, tuple | frozenset) or (role is Role.PARTS and kind is None and not isinstance(obj, types.FunctionType)):
            return self._immutable(obj, attributes)
        self._number(obj)
        if role is Role.REFUSED:
            self.out.append(_named(b"?", type(obj)))
            return []
        if isinstance(obj, types.FunctionType):
            # Two lambdas of one function have the same name; the line tells them apart.
            self.out.append(_text(b"F", f"{obj.__module__}.{obj.__qualname__}:{obj.__code__.co_firstlineno}"))
            parts = list(children_of_value(obj))
            self.out.append(b"%d:" % len(parts))
            return parts
        self.out.append(_named(b"O", type(obj)))
        own = [] if kind is None else self._own(obj, kind)
        named = [] if slots is None else list(slots.named(self._content(obj, slots)))
        held: Mapping[Any, Any] = {} if attributes is None else self._content(attributes, DICT)
        self.out.append(b"%d,%d,%d:" % (len(own), len(named), len(held)))
        return [*own, *chain.from_iterable(named), *chain.from_iterable(held.items())]

    def _number(self, obj: Any) -> None:
        self._numbers[id(obj)] = len(self._numbers)
        self._alive.append(obj)

    def _plain(self, obj: Any) -> list[Any]:
        """Write something that never changes."""
        if isinstance(obj, weakref.ref):
            # What nothing else holds may or may not be there still: that depends on snapshots, and is not of the state.
            self.out.append(b"W")
            if not self._in_set:
                self._targets.append(obj())
            return []
        if isinstance(obj, BaseException):
            self.out.append(_named(b"X", type(obj)) + b"%d:" % len(obj.args))
            return list(obj.args)
        data = _value(obj)
        if data is None:  # it is nothing but itself, as a sentinel is
            self._number(obj)
            data = _named(b"I", type(obj))
        self.out.append(data)
        return []

    def _immutable(self, obj: Any, attributes: dict[str, Any] | None) -> list[Any]:
        self.out.append(_named(b"P", type(obj)))
        if isinstance(obj, frozenset):
            self._write_sorted(obj)
            return []
        if isinstance(obj, int | float | complex | str | bytes):
            self.out.append(_value(obj) or b"")
        if isinstance(obj, types.BuiltinFunctionType | types.MethodWrapperType):
            self.out.append(_text(b"B", f"{obj.__module__ if hasattr(obj, '__module__') else None}.{obj.__qualname__}"))
        parts = list(children_of_value(obj))
        held: Mapping[Any, Any] = {} if attributes is None else self._content(attributes, DICT)
        self.out.append(b"%d,%d:" % (len(parts), len(held)))
        return [*parts, *chain.from_iterable(held.items())]

    def _own(self, obj: Any, kind: Kind) -> list[Any]:
        """What the object itself holds, besides attributes and slots."""
        content = self._content(obj, kind)
        if kind is DICT:
            return list(chain.from_iterable(content.items()))
        if kind is SET:
            self._write_sorted(content)
            return []
        if isinstance(kind, ArrayKind):
            self.out.append(_array(obj.dtype, content[0], content[1]) + (b"w" if content[2] else b"r"))
            return []
        if isinstance(kind, ObjectArrayKind):
            self.out.append(repr(content[0]).encode())
        if isinstance(kind, RandomKind | BitGeneratorKind | RandomStateKind):
            self.out.append(_text(b"R", repr(kind.canonical(obj, content))))
            return list(children_of_value(obj)) if isinstance(kind, BitGeneratorKind) else []
        if isinstance(kind, ReplacedKind):
            # A counter can only be read as text; the state of anything else is in how it would be pickled.
            return [repr(content)] if isinstance(content, itertools.count) else pieces(content)
        if isinstance(kind, SeedSequenceKind):
            return [content]
        if isinstance(content, bytes):
            return [getattr(obj, "typecode", ""), content]
        parts = list(kind.parts(content))
        return [obj.maxlen, *parts] if isinstance(obj, collections.deque) else parts

    def _content(self, obj: Any, kind: Kind) -> Any:
        for known, content in self._contents.get(id(obj), ()):
            if known is kind:
                return content
        if kind is SET:
            return list(obj)
        return kind.capture(obj, None)

    def _write_sorted(self, items: Iterable[Any]) -> None:
        """A set's elements in the order of their bytes, so that their order in the set does not matter."""
        outer, size, encoded = self.out, len(self._numbers), []
        numbered = False
        self._in_set += 1
        for item in items:
            self.out = []
            self.run(item)
            encoded.append((b"".join(self.out), item))
            numbered |= len(self._numbers) > size
            while len(self._numbers) > size:
                self._numbers.popitem()
        encoded.sort(key=lambda pair: pair[0])
        self.out = outer
        outer.append(b"{%d:" % len(encoded))
        for data, item in encoded:
            # Numbers run on from element to element, in the order found only now.
            if numbered:
                self.run(item)
            else:
                outer.append(data)
        self._in_set -= 1


def _text(tag: bytes, text: str) -> bytes:
    data = text.encode("utf-8", "surrogatepass")
    return tag + b"%d:" % len(data) + data


def _named(tag: bytes, kind: type) -> bytes:
    return _text(tag, full_name(kind))


def _float(value: float) -> bytes:
    # Which of the many NaNs it is depends on the processor; that it is one does not.
    return b"f" + _FLOAT(value) if value == value else _NAN


def _array(dtype: Any, shape: tuple[int, ...], data: bytes) -> bytes:
    if dtype.kind in "fc":
        data = _with_one_nan(dtype, data)
    return _text(b"A", f"{dtype.descr if dtype.names else dtype.str}{shape}") + data


def _with_one_nan(dtype: Any, data: bytes) -> bytes:
    np = sys.modules["numpy"]
    values = np.frombuffer(data, dtype=dtype if dtype.kind == "f" else dtype.type(0).real.dtype.newbyteorder(dtype.byteorder))
    wrong = np.isnan(values)
    if not wrong.any():
        return data
    return bytes(np.where(wrong, values.dtype.type("nan"), values).astype(values.dtype).tobytes())


def _value(obj: Any) -> bytes | None:
    """A value of a type that is none of the plainest; None for what has an identity and nothing else."""
    if isinstance(obj, type):
        return _named(b"T", obj)
    if isinstance(obj, enum.Enum):
        return _named(b"E", type(obj)) + _text(b"", obj.name or str(obj.value))
    if isinstance(obj, types.ModuleType):
        return _text(b"M", obj.__name__)
    np = sys.modules.get("numpy")
    if np is not None:
        if isinstance(obj, np.generic | np.ndarray):
            return _array(obj.dtype, obj.shape, obj.tobytes()) if not obj.dtype.hasobject else _text(b"V", repr(obj))
        if isinstance(obj, np.dtype):
            return _text(b"D", str(obj.descr) if obj.names else obj.str)
    if isinstance(obj, int | float | complex | str | bytes):
        bases: tuple[Any, ...] = (bool, int, float, complex, str, bytes)
        for base in bases:
            if isinstance(obj, base):
                return _named(b"N", type(obj)) + SIMPLE[base](base(obj))
    name = getattr(obj, "__qualname__", None) or getattr(obj, "__name__", None)
    if isinstance(name, str):
        return _text(b"B", f"{getattr(obj, '__module__', None)}.{name}")
    if type(obj) in _REPR_IS_VALUE or getattr(type(obj), "__module__", None) in _REPRS_ARE_VALUES:
        return _named(b"V", type(obj)) + _text(b"", repr(obj))
    return None


#: Types, and modules of types, whose immutable objects have a `repr` that is their value, free of addresses.
_REPR_IS_VALUE = {range, type(Ellipsis), type(NotImplemented)}
_REPRS_ARE_VALUES = {"datetime", "decimal", "fractions", "uuid", "pathlib", "pathlib._local", "re", "operator"}

SIMPLE: dict[type, Callable[[Any], bytes]] = {
    type(None): lambda _: b"n",
    bool: lambda value: b"t" if value else b"x",
    int: lambda value: b"i%d;" % value,
    float: _float,
    complex: lambda value: b"c" + _float(value.real) + _float(value.imag),
    str: lambda value: _text(b"s", value),
    bytes: lambda value: b"b%d:" % len(value) + value,
}

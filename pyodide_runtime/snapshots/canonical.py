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

import enum
import hashlib
import struct
import sys
import types
import weakref
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .contents import ARRAY, CELL, DICT, LIST, OBJECT_ARRAY, SET, Kind, ReplacedKind, SlotsKind
from .generators import BitGeneratorKind, RandomKind, RandomStateKind
from .kinds import Role, children_of_value, role_of

__all__ = ["DIGEST_SIZE", "digest", "encode"]

#: Length of a state's digest, in bytes.
DIGEST_SIZE = 16

_FLOAT = struct.Struct("<d").pack
_NAN = b"f" + _FLOAT(float("nan"))


def digest(roots: Iterable[Any], contents: Mapping[int, list[tuple[Kind, Any]]] | None = None) -> bytes:
    """blake2b of the canonical bytes, `DIGEST_SIZE` long. Arguments as for `encode`."""
    return hashlib.blake2b(encode(roots, contents), digest_size=DIGEST_SIZE).digest()


def encode(roots: Iterable[Any], contents: Mapping[int, list[tuple[Kind, Any]]] | None = None) -> bytes:
    """The canonical bytes of everything that can be reached from `roots`.

    Args:
        roots: where to begin, in order.
        contents: captured contents by object identity, as
            `Checkpoint.contents_by_identity` gives them; an object that is
            not in it is read as it is now.
    """
    encoder = _Encoder(contents or {})
    for root in roots:
        encoder.run(root)
    return b"".join(encoder.out)


class _Encoder:
    def __init__(self, contents: Mapping[int, list[tuple[Kind, Any]]]) -> None:
        self.out: list[bytes] = []
        self._contents = contents
        self._numbers: dict[int, int] = {}
        self._alive: list[Any] = []

    def run(self, root: Any) -> None:
        stack: list[Any] = [root]
        out = self.out
        while stack:
            obj = stack.pop()
            kind = type(obj)
            simple = _SIMPLE.get(kind)
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
            self.out.append(_value(obj))
            return []
        if role is Role.REFUSED:
            self.out.append(_named(b"?", type(obj)))
            return []
        if isinstance(obj, tuple | frozenset) or (role is Role.PARTS and kind is None and not isinstance(obj, types.FunctionType)):
            return self._immutable(obj, attributes, slots)
        self._numbers[id(obj)] = len(self._numbers)
        self._alive.append(obj)
        if isinstance(obj, types.FunctionType):
            self.out.append(_text(b"F", f"{obj.__module__}.{obj.__qualname__}"))
            parts = list(children_of_value(obj))
            self.out.append(b"%d:" % len(parts))
            return parts
        self.out.append(_named(b"O", type(obj)))
        parts = [] if kind is None else self._own(obj, kind)
        if slots is not None:
            for name, value in slots.named(self._content(obj, slots)):
                parts += (name, value)
        if attributes is not None:
            parts += self._mapping(self._content(attributes, DICT))
        self.out.append(b"%d:" % len(parts))
        return parts

    def _immutable(self, obj: Any, attributes: dict[str, Any] | None, slots: SlotsKind | None) -> list[Any]:
        self.out.append(_named(b"P", type(obj)))
        if isinstance(obj, frozenset):
            self._write_sorted(obj)
            return []
        if isinstance(obj, int | float | complex | str | bytes):
            self.out.append(_value(obj))
        if isinstance(obj, types.MethodType):
            return [obj.__self__, obj.__func__]
        if isinstance(obj, types.MappingProxyType):
            return self._mapping(obj)
        parts = list(children_of_value(obj))
        if hasattr(obj, "tobytes") and hasattr(obj, "dtype"):
            self.out.append(_array(obj.dtype.str, obj.shape, obj.tobytes()))
            parts = []
        if attributes:
            parts += self._mapping(self._content(attributes, DICT))
        self.out.append(b"%d:" % len(parts))
        return parts

    def _own(self, obj: Any, kind: Kind) -> list[Any]:
        """What the object itself holds, besides attributes and slots."""
        content = self._content(obj, kind)
        if kind is DICT:
            return self._mapping(content)
        if kind is SET:
            self._write_sorted(content)
            return []
        if kind is ARRAY:
            self.out.append(_array(obj.dtype.str, content[0], content[1]))
            return []
        if kind is OBJECT_ARRAY:
            self.out.append(repr(obj.shape).encode())
        if kind is CELL or kind is LIST:
            return list(kind.parts(content))
        if isinstance(kind, RandomKind | BitGeneratorKind | RandomStateKind):
            self.out.append(_text(b"R", repr(kind.canonical(obj, content))))
            return []
        if isinstance(kind, ReplacedKind):
            # An iterator's state is in how it would be pickled; a counter's in its text.
            reduced = content.__reduce__() if hasattr(type(content), "__length_hint__") else repr(content)
            return list(reduced[1:]) if isinstance(reduced, tuple) else [reduced]
        if isinstance(content, bytes):
            return [content]
        parts = list(kind.parts(content))
        return parts or [repr(content)]

    def _content(self, obj: Any, kind: Kind) -> Any:
        for known, content in self._contents.get(id(obj), ()):
            if known is kind:
                return content
        if kind is SET:
            return list(obj)
        return kind.capture(obj, None)

    @staticmethod
    def _mapping(content: Mapping[Any, Any]) -> list[Any]:
        parts: list[Any] = []
        for key, value in content.items():
            parts += (key, value)
        return parts

    def _write_sorted(self, items: Iterable[Any]) -> None:
        """A set's elements, each encoded by itself, in the order of their bytes."""
        encoded = []
        outer = self.out
        for item in items:
            self.out = []
            self.run(item)
            encoded.append(b"".join(self.out))
        self.out = outer
        encoded.sort()
        outer.append(b"{%d:" % len(encoded))
        outer.extend(encoded)


def _text(tag: bytes, text: str) -> bytes:
    data = text.encode("utf-8", "surrogatepass")
    return tag + b"%d:" % len(data) + data


def _named(tag: bytes, kind: type) -> bytes:
    return _text(tag, f"{kind.__module__}.{kind.__qualname__}")


def _float(value: float) -> bytes:
    # Which of the many NaNs it is depends on the processor; that it is one does not.
    return b"f" + _FLOAT(value) if value == value else _NAN


def _array(dtype: str, shape: tuple[int, ...], data: bytes) -> bytes:
    return _text(b"A", f"{dtype}{shape}") + data


def _value(obj: Any) -> bytes:
    """A value of a type that is none of the plainest."""
    if isinstance(obj, type):
        return _named(b"T", obj)
    if isinstance(obj, enum.Enum):
        return _named(b"E", type(obj)) + _text(b"", obj.name or str(obj.value))
    if isinstance(obj, types.ModuleType):
        return _text(b"M", obj.__name__)
    np = sys.modules.get("numpy")
    if np is not None:
        if isinstance(obj, np.generic):
            return _array(obj.dtype.str, (), obj.tobytes()) if not obj.dtype.hasobject else _text(b"V", repr(obj))
        if isinstance(obj, np.dtype):
            return _text(b"D", obj.str)
    if isinstance(obj, weakref.ref):
        return _named(b"W", type(obj()))
    for base in (bool, int, float, complex, str, bytes):
        if isinstance(obj, base):
            plain: Any = base
            return _named(b"N", type(obj)) + _SIMPLE[base](plain(obj))
    name = getattr(obj, "__qualname__", None) or getattr(obj, "__name__", None)
    if isinstance(name, str):
        return _text(b"B", name)
    if type(obj).__module__ in _REPR_IS_VALUE:
        return _named(b"V", type(obj)) + _text(b"", repr(obj))
    return _named(b"V", type(obj))


#: Modules whose immutable objects have a `repr` that is their value, free of addresses.
_REPR_IS_VALUE = {"builtins", "datetime", "decimal", "fractions", "uuid", "pathlib", "pathlib._local", "re", "operator"}

_SIMPLE: dict[type, Callable[[Any], bytes]] = {
    type(None): lambda _: b"n",
    bool: lambda value: b"t" if value else b"x",
    int: lambda value: b"i%d;" % value,
    float: _float,
    complex: lambda value: b"c" + _float(value.real) + _float(value.imag),
    str: lambda value: _text(b"s", value),
    bytes: lambda value: b"b%d:" % len(value) + value,
}

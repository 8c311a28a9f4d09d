"""Where two states differ first: the path to it, and what is there in either.

Both are walked as `canonical` walks them, in an order that depends on their contents alone, so that they are equal
exactly if their digests are; but here every step remembers by what path it came. It knows nothing of frames, peers or
networks.
"""

from __future__ import annotations

import collections
import hashlib
import types
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any, NamedTuple

from .canonical import SIMPLE, Contents, Encoder
from .contents import CELL, DICT, SET, ArrayKind, Kind, ObjectArrayKind
from .generators import BitGeneratorKind, RandomKind, RandomStateKind
from .kinds import role_of

__all__ = ["Difference", "State", "Visit", "Walk", "first_difference", "generator_text", "shortened"]

#: What is there is shown in so many characters at the most.
SHOWN = 160


@dataclass(frozen=True, slots=True)
class State:
    """A whole state, to be compared.

    Attributes:
        values: what is kept beside the environment, by name.
        roots: the environment, and whatever else is walked.
        contents: captured contents of the objects that are reached from there; those of others are read as they are now.
        generators: the states of the global random generators that were drawn from, by name.
        kept: keeps alive what the contents are of.
        beside: names of the last of the roots, where they are neither the environment nor its wrappers.
    """

    values: Mapping[str, Any]
    roots: Sequence[Any]
    contents: Contents = field(default_factory=dict, repr=False)
    generators: Mapping[str, Any] = field(default_factory=dict, repr=False)
    kept: Any = field(default=None, repr=False)
    beside: Sequence[str] = ()


class Difference(NamedTuple):
    """The first place at which two states differ.

    Attributes:
        path: how to get there, as in `environment.board[1][3]`; of an array, to the element.
        one, two: what is there, as text: numbers to the last digit, objects by type and size.
    """

    path: str
    one: str
    two: str

    def __str__(self) -> str:
        return f"{self.path} is {self.one} in the one and {self.two} in the other"


def first_difference(one: State, two: State) -> Difference | None:
    """The first difference of two states, in canonical order; None if they are equal."""
    for name in dict.fromkeys([*one.values, *two.values]):
        here, there = (repr(state.values[name]) if name in state.values else "nothing" for state in (one, two))
        if here != there:
            return Difference(name, here, there)
    for name in dict.fromkeys([*one.generators, *two.generators]):
        here, there = (generator_text(state.generators.get(name)) for state in (one, two))
        if here != there:
            return Difference(f"the state of {name}", here, there)
    walks = [Walk(state) for state in (one, two)]
    for visit, other in zip_longest(*(walk.visits for walk in walks)):
        if visit is None or other is None:
            return Difference((visit or other).path, *("something" if found else "nothing" for found in (visit, other)))
        if visit.token != other.token:
            return _told(visit, other, walks)
    return None


class Visit(NamedTuple):
    """One step of a walk: by what path it came, what was written there, and the object."""

    path: str
    token: bytes
    obj: Any


class Walk(Encoder):
    """A canonical walk that remembers its steps. What they wrote, one after the other, is what `encode` writes."""

    def __init__(self, state: State) -> None:
        super().__init__(state.contents)
        self.visits: list[Visit] = []
        self.places: dict[int, str] = {}  # by the numbers of objects, the paths by which they were met
        wrappers = range(1, len(state.roots) - len(state.beside))
        names = ["environment", *(f"wrapper {number}" for number in wrappers), *state.beside]
        for name, root in zip(names, state.roots, strict=True):
            self._walk(name, root)
        self.out = []
        self.finish()
        self.visits += [Visit(f"what weak reference {number} refers to", token, None) for number, token in enumerate(self.out)]

    def _walk(self, path: str, root: Any) -> None:
        stack = [(path, root)]
        while stack:
            path, obj = stack.pop()
            self.out = []
            known = len(self._numbers)
            simple = SIMPLE.get(type(obj))
            if simple is not None:
                self.out.append(simple(obj))
                parts: Sequence[Any] = ()
            elif type(obj) is tuple:
                self.out.append(b"(%d:" % len(obj))
                parts = obj
            else:
                parts = self._complex(obj)
            if len(self._numbers) > known:
                self.places[known] = path
            self.visits.append(Visit(path, b"".join(self.out), obj))
            if parts:
                stack.extend(reversed([*zip(self._paths(path, obj, len(parts)), parts, strict=True)]))

    def _paths(self, path: str, obj: Any, count: int) -> list[str]:
        """The paths to so many parts of an object, in the order in which the walk visits them."""
        if isinstance(obj, types.FunctionType):
            own = [f"{path}.<{name}>" for name in obj.__code__.co_freevars]
            return [*own, *_numbered(path, count - len(own), "part")]
        if isinstance(obj, types.MethodType):
            return [f"{path}.__self__", f"{path}.__func__"]
        if isinstance(obj, tuple):
            names = getattr(obj, "_fields", None)
            own = [f"{path}.{name}" for name in names] if names else [f"{path}[{place}]" for place in range(tuple.__len__(obj))]
            return [*own, *self._attributes(path, obj)][:count]
        _, kind, slots, _ = role_of(obj)
        rest = [] if slots is None else _pairs(path, dict(slots.named(self._content(obj, slots))), ".")
        rest += self._attributes(path, obj)
        own_count = count - len(rest)
        if kind is DICT:
            own = _pairs(path, self._content(obj, kind), "[")
        elif kind is CELL:
            own = [path]
        elif isinstance(obj, collections.deque):
            own = [f"{path}.maxlen", *(f"{path}[{place}]" for place in range(own_count - 1))]
        else:
            own = [f"{path}[{place}]" for place in range(own_count)]
        return [*own, *rest]

    def _attributes(self, path: str, obj: Any) -> list[str]:
        attributes = role_of(obj)[3]
        return [] if not attributes else _pairs(path, self._content(attributes, DICT), ".")

    def text(self, visit: Visit) -> str:
        """What is at a step, for people, in one line of a bounded length."""
        token, obj = visit.token, visit.obj
        if token.startswith(b"@"):
            number = int(token[1:-1])
            return f"the same object as {self.places[number]}" if number in self.places else "gone"
        if type(obj) in SIMPLE:
            return shortened(repr(obj))
        _, kind, _, attributes = role_of(obj)
        name = type(obj).__qualname__
        if isinstance(kind, RandomKind | BitGeneratorKind | RandomStateKind):
            return f"a {name} in state {_short(token)}"
        if kind is SET or isinstance(obj, frozenset):
            elements = self._content(obj, kind) if kind is SET else obj
            return shortened(f"a {name} of {len(elements)}: {', '.join(sorted(map(_element, elements)))}")
        if isinstance(kind, ArrayKind):
            shape, _, writeable = self._content(obj, kind)
            return f"an array of {obj.dtype} of shape {shape}" + ("" if writeable else ", not to be written to")
        if kind is DICT:
            return shortened(f"a {name} with the keys {', '.join(map(repr, self._content(obj, kind)))}")
        if kind is not None and hasattr(obj, "__len__"):
            return f"a {name} of {_length(kind, self._content(obj, kind))}"
        if attributes is not None:
            return shortened(f"a {name} with the attributes {', '.join(map(str, self._content(attributes, DICT)))}")
        return shortened(repr(obj)) if isinstance(obj, int | float | complex | str | bytes) else f"a {name} ({_short(token)})"

    def elements(self, obj: Any) -> Any | None:
        """The elements of an array of plain numbers, as they are in this state; None if it is no such array."""
        kind = role_of(obj)[1]
        if not isinstance(kind, ArrayKind):
            return None
        import numpy as np

        shape, data, _ = self._content(obj, kind)
        return np.frombuffer(data, dtype=obj.dtype).reshape(shape)


def _told(visit: Visit, other: Visit, walks: list[Walk]) -> Difference:
    """A difference between two steps, as narrow as it can be told."""
    one, two = (walk.elements(step.obj) for walk, step in zip(walks, (visit, other), strict=True))
    if one is not None and two is not None and one.dtype == two.dtype and one.shape == two.shape:
        for index, here in _items(one):
            there = two[index]
            if here.tobytes() != there.tobytes() and not (here != here and there != there):
                place = f"[{', '.join(map(str, index))}]" if index else ""
                return Difference(visit.path + place, repr(here.item()), repr(there.item()))
    here, there = (walk.text(step) for walk, step in zip(walks, (visit, other), strict=True))
    if isinstance(visit.obj, str | bytes) and type(visit.obj) is type(other.obj) and len(visit.obj) + len(other.obj) > SHOWN:
        start = next((at for at, (a, b) in enumerate(zip(visit.obj, other.obj, strict=False)) if a != b), 0)
        here, there = (shortened(repr(step.obj[start:])) for step in (visit, other))
        return Difference(f"{visit.path}[{start}:]", here, there)
    if here == there:  # alike as far as it is shown
        here, there = f"{here} ({_short(visit.token)})", f"{there} ({_short(other.token)})"
    return Difference(visit.path, here, there)


def _items(array: Any) -> Iterable[tuple[tuple[int, ...], Any]]:
    import numpy as np

    return ((index, array[index]) for index in np.ndindex(array.shape))


def _pairs(path: str, mapping: Mapping[Any, Any], sign: str) -> list[str]:
    """The paths to the keys and values of a mapping, one after the other."""
    found = []
    for number, key in enumerate(mapping):
        found += [f"{path}, key {number}" if sign == "[" else f"{path}, attribute {number}", _entry(path, key, sign)]
    return found


def _entry(path: str, key: Any, sign: str) -> str:
    return f"{path}[{shortened(_element(key))}]" if sign == "[" else f"{path}.{key}"


def _numbered(path: str, count: int, what: str) -> list[str]:
    return [f"{path}, {what} {number}" for number in range(count)]


def _element(value: Any) -> str:
    """A key, or an element of a set: what says nothing but its address is told by its type."""
    text = repr(value)
    return f"<{type(value).__qualname__}>" if " at 0x" in text else text


def _length(kind: Kind, content: Any) -> int:
    return len(content) - isinstance(kind, ObjectArrayKind)


def generator_text(state: Any) -> str:
    """The state of a global generator, for people; None for one that was never drawn from."""
    if state is None:
        return "as it was seeded"
    return f"state {_short(repr(state).encode())}"


def _short(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=4).hexdigest()


def shortened(text: str) -> str:
    """A text as far as it is shown."""
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."

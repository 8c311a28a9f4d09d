"""What of an object graph has changed since it was last looked at, asked of all its objects together.

Nearly everything in an environment stays as it is; a look at each object apart would cost more than a step. So all
references of all mappings and lists are compared in one pass in C, by identity, and the bytes of all arrays and
generators in another. The few places that were seen to change are *hot*: left out of the comparison, and read one by
one. An object whose shape keeps changing, or whose contents cannot be compared so, is *moving*, and captured as a
whole every time.

This module knows nothing of how objects are found, or of what new references lead to.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain
from operator import attrgetter, is_, itemgetter, methodcaller
from typing import Any

from .contents import ARRAY, DICT, LIST, Kind
from .generators import RandomKind, SeedSequenceKind
from .headers import header_of
from .identities import comparison

__all__ = ["Entry", "Item", "Layout", "Spot"]

#: Of a mapping or a list with more hot places than this, most of them hot, no place is looked at apart any more.
_MANY = 16

_array_shape = attrgetter("shape", "flags.writeable")
_array_bytes = methodcaller("tobytes")
_gauss = attrgetter("gauss_next")
_children = attrgetter("n_children_spawned")
_join = b"".join


class Item:
    """One changeable object, and how to capture it."""

    __slots__ = ("kind", "obj")

    def __init__(self, obj: Any, kind: Kind) -> None:
        self.obj = obj
        self.kind = kind


class Entry(Item):
    """One changeable object of a plan, and what was seen of it."""

    __slots__ = ("hot", "moving", "owner", "reshaped", "seen", "volatile")

    def __init__(self, obj: Any, kind: Kind, contents: Any, owner: Any = None) -> None:
        super().__init__(obj, kind)
        self.owner = owner  # whose attributes a mapping holds
        self.moving = not _can_be_still(obj, kind, contents)
        self.reshaped = False  # whether its keys, or its length, changed once
        self.hot: dict[Any, None] = {}  # keys, or places in a list, whose values were seen to change
        self.seen: set[Any] = set()  # places where something new was found once
        self.volatile: set[Any] = set()  # places where it was found twice

    def learn(self, new: Any, old: Any) -> list[tuple[Any, Any]] | None:
        """Take note of what has changed in a still object; the changed places with their values, None if all of it has."""
        mapping = self.kind is DICT
        if not mapping and self.kind is not LIST:
            self.moving = True
            return None
        if len(new) != len(old) or (mapping and not all(map(is_, new, old))):
            self.moving, self.reshaped = self.reshaped, True
            self.hot = {}
            return None
        pairs = zip(new.items(), old.values(), strict=True) if mapping else zip(enumerate(new), old, strict=True)
        changed = [place for place, before in pairs if place[1] is not before]
        self.hot.update(dict.fromkeys(key for key, _ in changed))
        if len(self.hot) > _MANY and 2 * len(self.hot) > len(new):
            self.moving, self.hot = True, {}
            return None
        return changed


def _can_be_still(obj: Any, kind: Kind, contents: Any) -> bool:
    """Whether an object can be compared together with others: plain mappings, lists and arrays, and generators in memory."""
    if kind is DICT or kind is LIST:
        return type(obj) is dict or type(obj) is list
    return kind is ARRAY or isinstance(kind, SeedSequenceKind) or bool(kind.buffers(obj, contents))


class Spot:
    """A hot place: a key of a mapping or an index of a list."""

    __slots__ = ("entry", "key", "place")

    def __init__(self, entry: Entry, key: Any) -> None:
        self.entry = entry
        self.key = key
        self.place = (entry, key)


class Layout:
    """Entries as they were known at one time: the still, the moving, and the hot places of the still.

    Args:
        entries: all of them.
        contents: of every entry, in order.
    """

    def __init__(self, entries: list[Entry], contents: list[Any]) -> None:
        pairs = list(zip(entries, contents, strict=True))
        self.moving = [entry for entry, _ in pairs if entry.moving]
        self.still = [(entry, content) for entry, content in pairs if not entry.moving]
        mappings = [(entry, content) for entry, content in self.still if entry.kind is DICT]
        lists = [(entry, content) for entry, content in self.still if entry.kind is LIST]
        self._lay_references(mappings, lists)
        self._lay_bytes([(entry, content) for entry, content in self.still if entry.kind is not DICT and entry.kind is not LIST])

    def _lay_references(self, mappings: list[tuple[Entry, Any]], lists: list[tuple[Entry, Any]]) -> None:
        """Lay out all references: those that the garbage collector lists, and beside them those that it does not."""
        holders: list[Any] = []
        self._mappings: list[dict[Any, Any]] = []
        self._expected: list[Any] = []
        self._hot: list[int] = []
        self.spots: list[Spot] = []
        unlisted: list[tuple[Entry, Any]] = []
        count = 0
        for entry, content in (*mappings, *lists):
            found = _listed(entry, content)
            if found is None:
                unlisted.append((entry, content))
                continue
            holder, hot = found
            for key, at in hot:
                self._hot.append(count + at)
                self.spots.append(Spot(entry, key))
            holders.append(holder)
            count += len(gc.get_referents(holder))
        self._referents = partial(gc.get_referents, *holders)
        self._expected.extend(self._referents())
        for entry, content in unlisted:  # only mappings: a list lists what it holds
            self._mappings.append(entry.obj)
            for at, key in enumerate(content, len(self._expected)):
                if key in entry.hot:
                    self._hot.append(at)
                    self.spots.append(Spot(entry, key))
            self._expected.extend(content.values())
        self._are_expected = comparison(self._expected)
        self._lists: list[list[Any]] = [entry.obj for entry, _ in lists]
        self._lengths = [len(content) for _, content in lists]
        # Strings can be compared by value; of other keys equal ones can differ, as 1 and True do.
        texts = [(entry, content) for entry, content in mappings if all(type(key) is str for key in content)]
        others = [(entry, content) for entry, content in mappings if not all(type(key) is str for key in content)]
        self._texts = [entry.obj for entry, _ in texts]
        self._text_keys = [list(content) for _, content in texts]
        self._others = [entry.obj for entry, _ in others]
        self._other_keys = [key for _, content in others for key in content]
        self._other_lengths = [len(content) for _, content in others]
        self._pick = _picker(self._hot)
        #: The values at the hot places when this was laid out.
        self.hot = self._pick(self._expected)
        for at in self._hot:  # as in what it is compared with
            self._expected[at] = None

    def _lay_bytes(self, rest: list[tuple[Entry, Any]]) -> None:
        arrays = [entry.obj for entry, _ in rest if entry.kind is ARRAY]
        shapes = {id(entry.obj): (content[0], content[2]) for entry, content in rest if entry.kind is ARRAY}
        headers = [(array, header_of(array)) for array in arrays]
        fields = [header[0] for _, header in headers if header is not None]
        self._dimensions = [header[1] for _, header in headers if header is not None]
        self._dimensions_bytes = _join(self._dimensions)
        self._asked = [array for array, header in headers if header is None]
        self._shapes = [shapes[id(array)] for array in self._asked]
        contents = {id(entry.obj): content[1] for entry, content in rest if entry.kind is ARRAY}
        plain = [array for array in arrays if _is_buffer(array, contents[id(array)])]
        # Fields first: they have one size, so that what follows cannot be taken for them.
        self._buffers: list[Any] = [*fields, *plain]
        expected = [*map(bytes, fields), *(contents[id(array)] for array in plain)]
        known = set(map(id, plain))
        self._copied = [array for array in arrays if id(array) not in known]
        self._copied_bytes = [contents[id(array)] for array in self._copied]
        self._randoms = [entry.obj for entry, _ in rest if isinstance(entry.kind, RandomKind)]
        gauss = [content[1] for entry, content in rest if isinstance(entry.kind, RandomKind)]
        seeds = [(entry.obj, content) for entry, content in rest if isinstance(entry.kind, SeedSequenceKind)]
        self._seeds = [seed for seed, _ in seeds]
        self._counts = [*gauss, *(content for _, content in seeds)]
        for entry, content in rest:
            if entry.kind is not ARRAY:
                self._buffers.extend(entry.kind.buffers(entry.obj, content) or ())
                expected.append(entry.kind.buffered(content))
        self._bytes = _join(expected)

    def look(self) -> Sequence[Any] | None:
        """The present values of `spots`; None if anything still has changed."""
        values = self._referents()
        if self._mappings:
            values.extend(chain.from_iterable(map(_VALUES, self._mappings)))
        expected = self._expected
        if len(values) != len(expected):
            return None
        hot = self._pick(values)
        for at in self._hot:
            values[at] = None
        try:
            if (
                self._are_expected(values)
                and [*map(list, self._texts)] == self._text_keys
                and _join(self._buffers) == self._bytes
                and _join(self._dimensions) == self._dimensions_bytes  # where they lie is in the fields
                and (not self._asked or [*map(_array_shape, self._asked)] == self._shapes)
                and (not self._lengths or [*map(len, self._lists)] == self._lengths)
                and [*map(_gauss, self._randoms), *map(_children, self._seeds)] == self._counts
                and (not self._copied or [*map(_array_bytes, self._copied)] == self._copied_bytes)
                and (not self._others or self._same_keys())
            ):
                return hot
        except (BufferError, ValueError, TypeError):
            pass  # an array is not laid out any more as it was
        return None

    def take(self, contents: dict[Entry, Any]) -> tuple[list[Any], list[Any]] | None:
        """Contents of every entry as values of the hot places and contents of the moving; None if anything still differs."""
        for entry, content in self.still:
            found = contents[entry]
            if found is not content and not _same_but_hot(entry, found, content):
                return None
        return [contents[spot.entry][spot.key] for spot in self.spots], [contents[entry] for entry in self.moving]

    def _same_keys(self) -> bool:
        return [*map(len, self._others)] == self._other_lengths and all(
            map(is_, chain.from_iterable(self._others), self._other_keys)
        )

    def still_contents(self, hot: Sequence[Any]) -> list[tuple[Entry, Any]]:
        """Every still entry with its contents, given the values of the hot places."""
        if not self.spots:
            return self.still
        found: dict[Entry, dict[Any, Any]] = {}
        for spot, value in zip(self.spots, hot, strict=True):
            found.setdefault(spot.entry, {})[spot.key] = value
        return [(entry, _with(content, found[entry]) if entry in found else content) for entry, content in self.still]

    def contents(self, hot: Sequence[Any], moving: list[Any]) -> dict[Entry, Any]:
        """The contents of every entry, given those of the hot places and of the moving."""
        return {**dict(self.still_contents(hot)), **dict(zip(self.moving, moving, strict=True))}


_VALUES: Callable[[dict[Any, Any]], Any] = dict.values


def _picker(places: list[int]) -> Callable[[list[Any]], Sequence[Any]]:
    """A function that gives the values at these places of a list."""
    return itemgetter(*places) if len(places) > 1 else lambda values: [values[at] for at in places]


def _listed(entry: Entry, content: Any) -> tuple[Any, list[tuple[Any, int]]] | None:
    """Who lists all values of a mapping or a list to the garbage collector, and at which place every hot one of them.

    That is itself, or the object whose attributes it holds: an object may keep its attributes itself, and its `__dict__`
    but look at them (CPython from 3.13 on). None if neither does.
    """
    values = content.values() if entry.kind is DICT else content
    wanted = set(map(id, values))
    # It may have had other keys, or another length, when a place was found to be hot.
    keys = [key for key in entry.hot if (key in content if entry.kind is DICT else key < len(content))]
    for holder in (entry.obj, entry.owner):
        if holder is not None:
            referents = gc.get_referents(holder)
            if len(referents) >= len(content) and wanted.issubset(map(id, referents)):
                hot = [(key, _place_of(entry.obj, key, holder)) for key in keys]
                if all(at is not None for _, at in hot):
                    return holder, [(key, at) for key, at in hot if at is not None]
    return None


def _place_of(obj: Any, key: Any, holder: Any) -> int | None:
    """The place of `obj[key]` among the referents of `holder`, found by putting something else there for a moment."""
    value, other = obj[key], object()
    obj[key] = other
    try:
        places = [at for at, referent in enumerate(gc.get_referents(holder)) if referent is other]
    finally:
        obj[key] = value
    return places[0] if len(places) == 1 else None


def _same_but_hot(entry: Entry, one: Any, two: Any) -> bool:
    """Whether two contents of a still entry are the same in all places but the hot ones."""
    if entry.kind is not DICT and entry.kind is not LIST:
        return bool(one == two)
    if len(one) != len(two):
        return False
    if entry.kind is LIST:
        return all(a is b or at in entry.hot for at, (a, b) in enumerate(zip(one, two, strict=True)))
    return all(map(is_, one, two)) and all(one[key] is two[key] or key in entry.hot for key in one)


def _with(content: Any, values: dict[Any, Any]) -> Any:
    if isinstance(content, dict):
        return {**content, **values}
    changed = list(content)
    for place, value in values.items():
        changed[place] = value
    return changed


def _is_buffer(array: Any, data: bytes) -> bool:
    """Whether an array gives its bytes without more ado: not one with gaps, or of dates."""
    try:
        return _join((array,)) == data
    except (BufferError, ValueError, TypeError):
        return False

"""Lively places: values of mappings and items of lists that change in nearly every frame, read and written all together.

To find out whether such a place has changed takes longer than to read it. So nobody watches it: it is read in every frame, and
all of them in a few calls into C. What an object holds besides is watched as before, its keys and its length among it; as long as
these stay, a lively place is where it was. Most lively places hold plain values, in one frame after the other. A value of a mapping
that was ever seen to be anything else, or that is replaced by something new time after time, is *loose*: whoever reads it has to
look at what it is.

This module knows nothing of what follows from a change, and it does not find out which places are lively.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from itertools import chain
from operator import call, is_, itemgetter
from typing import Any, NamedTuple

__all__ = ["Lively", "Values"]


class Values(NamedTuple):
    """What lively places held at one moment: `rows`, one for each object, of its places that are not loose; and of the loose."""

    rows: list[tuple[Any, ...]]
    loose: list[Any]

    @property
    def plain(self) -> Iterable[Any]:
        """What the places held that are not loose, one after the other."""
        return chain.from_iterable(self.rows)


class Lively:
    """The lively places of a plan.

    Args:
        chosen: of each object that has any: its place in the plan, the object, and the keys of its places that are not loose, and
            of those that are.
    """

    __slots__ = ("_getters", "_kept", "_objects", "_writers", "keys", "loose", "places")

    def __init__(self, chosen: Iterable[tuple[int, Any, Sequence[Any], Sequence[Any]]] = ()) -> None:
        #: Of each object with places that are not loose: its place in the plan, and their keys.
        self.places: list[int] = []
        self.keys: list[tuple[Any, ...]] = []
        #: Of each loose place: that of its object in the plan, the object, and the key.
        self.loose: list[tuple[int, Any, Any]] = []
        self._objects: list[Any] = []
        self._getters: list[Callable[[Any], tuple[Any, ...]]] = []
        self._writers: list[Callable[[Iterable[tuple[Any, Any]]], None]] = []
        self._kept: dict[int, tuple[tuple[Any, ...], tuple[Any, ...]]] = {}
        for place, obj, plain, loose in chosen:
            self._kept[place] = tuple(plain), tuple(loose)
            self.loose += [(place, obj, key) for key in loose]
            if plain:
                keys = (*plain, *plain) if len(plain) == 1 else tuple(plain)  # of a single key a getter gives no tuple
                self.places.append(place)
                self.keys.append(keys)
                self._objects.append(obj)
                self._getters.append(itemgetter(*keys))
                self._writers.append(_writer(obj))

    def __bool__(self) -> bool:
        return bool(self.places or self.loose)

    def read(self) -> Values:
        """What the places hold now."""
        loose = [obj[key] for _, obj, key in self.loose] if self.loose else []
        values: Values = _new(Values, ([*map(call, self._getters, self._objects)], loose))
        return values

    def write(self, values: Values) -> None:
        """Let the places hold this again."""
        rows, loose = self.read()
        for write, keys, row, now in zip(self._writers, self.keys, values.rows, rows, strict=True):
            if not all(map(is_, row, now)):
                write(zip(keys, row, strict=True))
        for (_, obj, key), value, now in zip(self.loose, values.loose, loose, strict=True):
            if value is not now:
                obj[key] = value

    def overlay(self, contents: Sequence[Any], values: Values, places: Container[int] | None = None) -> list[Any]:
        """The whole contents of a plan's entries, from contents that hold nobody knows what at lively places.

        Args:
            places: of which entries they are wanted; None: of all.
        """
        whole = [*contents]
        for place in self._kept:
            if places is None or place in places:
                whole[place] = whole[place].copy()
        for place, keys, row in zip(self.places, self.keys, values.rows, strict=True):
            if places is None or place in places:
                _writer(whole[place])(zip(keys, row, strict=True))
        for (place, _, key), value in zip(self.loose, values.loose, strict=True):
            if places is None or place in places:
                whole[place][key] = value
        return whole

    def unlike(self, other: Lively) -> set[int]:
        """The places in the plan of all objects that have not the same lively places there."""
        mine, its = self._kept, other._kept
        return {place for place in {*mine, *its} if mine.get(place) != its.get(place)}

    def missing(self, contents: Sequence[Any], places: Iterable[int]) -> list[int]:
        """Which of these objects have lively places that they lack in the contents of a plan's entries."""
        kept = [(place, self._kept[place]) for place in places if place in self._kept]
        return [place for place, (keys, loose) in kept if not all(_has(contents[place], key) for key in (*keys, *loose))]

    def pick(self, contents: Sequence[Any], other: Lively | None = None, values: Values | None = None) -> Values:
        """What the places hold in the contents of a plan's entries: whole ones, but for places that are lively for another, too, of
        which there are the values."""
        if other is None or values is None:
            rows = [get(contents[place]) for get, place in zip(self._getters, self.places, strict=True)]
            return Values(rows, [contents[place][key] for place, _, key in self.loose])
        unlike = self.unlike(other)
        known = dict(zip(other.places, values.rows, strict=True))
        loose = {(place, key): value for (place, _, key), value in zip(other.loose, values.loose, strict=True)}
        return Values(
            [
                get(contents[place]) if place in unlike else known[place]
                for get, place in zip(self._getters, self.places, strict=True)
            ],
            [contents[place][key] if place in unlike else loose[place, key] for place, _, key in self.loose],
        )


def _has(content: Any, key: Any) -> bool:
    return key in content if isinstance(content, dict) else key < len(content)


def _writer(obj: Any) -> Callable[[Iterable[tuple[Any, Any]]], None]:
    if isinstance(obj, dict):
        return obj.update

    def write(items: Iterable[tuple[Any, Any]]) -> None:
        for key, value in items:
            obj[key] = value

    return write


#: Makes a named tuple from all its fields, without naming them: once a frame.
_new: Any = tuple.__new__

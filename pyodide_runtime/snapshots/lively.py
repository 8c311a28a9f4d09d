"""Lively places: values of mappings and items of lists that change in nearly every frame, read and written all together.

To find out whether such a place has changed takes longer than to read it. So nobody watches it: it is read in every frame, and
all of them in a few calls into C. What an object holds besides is watched as before, its keys and its length among it; as long as
these stay, a lively place is where it was. Most lively places hold plain values, in one frame after the other. A value of a mapping
that was ever seen to be anything else, or that is replaced by something new time after time, is *loose*: whoever reads it has to
look at what it is.

This module knows nothing of what follows from a change, and it does not find out which places are lively.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Iterable, Sequence
from itertools import compress
from operator import getitem, is_not, setitem
from typing import Any, NamedTuple

__all__ = ["Lively", "Values"]


class Values(NamedTuple):
    """What lively places held at one moment: those that are not loose, and the loose."""

    plain: list[Any]
    loose: list[Any]


class Lively:
    """The lively places of a plan.

    Args:
        chosen: of each object that has any: its place in the plan, the object, and the keys of its places that are not loose, and
            of those that are.
    """

    __slots__ = ("_kept", "_keys", "_loose_keys", "_loose_objects", "_objects", "loose", "plain")

    def __init__(self, chosen: Iterable[tuple[int, Any, Sequence[Any], Sequence[Any]]] = ()) -> None:
        #: Of each: the place of its object in the plan, and its key.
        self.plain: list[tuple[int, Any]] = []
        self.loose: list[tuple[int, Any]] = []
        self._objects: list[Any] = []
        self._keys: list[Any] = []
        self._loose_objects: list[Any] = []
        self._loose_keys: list[Any] = []
        self._kept: dict[int, tuple[tuple[Any, ...], tuple[Any, ...]]] = {}
        for place, obj, plain, loose in chosen:
            self._kept[place] = tuple(plain), tuple(loose)
            self.plain += [(place, key) for key in plain]
            self.loose += [(place, key) for key in loose]
            self._objects += [obj] * len(plain)
            self._keys += plain
            self._loose_objects += [obj] * len(loose)
            self._loose_keys += loose

    def __bool__(self) -> bool:
        return bool(self._kept)

    def read(self) -> Values:
        """What the places hold now."""
        values: Values = _new(
            Values, ([*map(getitem, self._objects, self._keys)], [*map(getitem, self._loose_objects, self._loose_keys)])
        )
        return values

    def write(self, values: Values) -> None:
        """Let the places hold this again."""
        plain, loose = self.read()
        for objects, keys, then, now in (
            (self._objects, self._keys, values.plain, plain),
            (self._loose_objects, self._loose_keys, values.loose, loose),
        ):
            other = [*map(is_not, then, now)]
            if True in other:
                deque(map(setitem, compress(objects, other), compress(keys, other), compress(then, other)), maxlen=0)

    def overlay(self, contents: Sequence[Any], values: Values, places: Container[int] | None = None) -> list[Any]:
        """The whole contents of a plan's entries, from contents that hold nobody knows what at lively places.

        Args:
            places: of which entries they are wanted; None: of all.
        """
        whole = [*contents]
        for place in self._kept:
            if places is None or place in places:
                whole[place] = whole[place].copy()
        for known, held in ((self.plain, values.plain), (self.loose, values.loose)):
            for (place, key), value in zip(known, held, strict=True):
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
        """What the places hold in the contents of a plan's entries: whole ones, but for objects with the same places in `other`, of
        which there are the values."""
        known: dict[tuple[int, Any], Any] = {}
        if other is not None and values is not None:
            unlike = self.unlike(other)
            pairs = [*zip(other.plain, values.plain, strict=True), *zip(other.loose, values.loose, strict=True)]
            known = {where: value for where, value in pairs if where[0] not in unlike}

        def found(where: tuple[int, Any]) -> Any:
            return known[where] if where in known else contents[where[0]][where[1]]

        return Values([*map(found, self.plain)], [*map(found, self.loose)])


def _has(content: Any, key: Any) -> bool:
    return key in content if isinstance(content, dict) else key < len(content)


#: Makes a named tuple from all its fields, without naming them: once a frame.
_new: Any = tuple.__new__

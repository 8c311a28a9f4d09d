"""The mould of what an environment makes anew in every frame: objects of the same types, held in the same places.

Once the objects that hang at one place were found, one by one, frame after frame, and always hung together alike, they are taken
out along a mould: of each it is looked up only whether it is what was there before, and no object is asked what sort it is. What
does not fit is found one by one again.

What a mould finds is a tree. An object that is held twice in it is taken twice, with the same contents: that is as good. It knows
nothing of plans or of changes.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple

from .contents import ARRAY, DICT, LIST, Kind
from .kinds import ARRAY_TYPES, VALUE_TYPES, Role, role_of

__all__ = ["Mould"]

#: A tree with more objects has no mould.
MOST = 500
_DTYPE = attrgetter("dtype")
_Getter = Callable[[Any], Sequence[Any]]


class _Place(NamedTuple):
    """What is to be found at one place of the tree.

    Attributes:
        kind: how its contents are captured; None for a tuple, which has none of its own.
        attributes: whether its contents are its attributes.
        keys: of a mapping, in order.
        types: of all that it holds, in order.
        arrays: gives the plain arrays in it, all of which have memory of their own, and `dtypes`, in order.
        children: gives those other things in it that are places themselves.
        tuples, known: the keys of tuples of values, and of what is somebody else's to capture.
    """

    kind: Kind | None
    attributes: bool
    keys: list[Any] | None
    types: list[type]
    arrays: _Getter | None
    dtypes: list[Any]
    children: _Getter | None
    tuples: Sequence[Any]
    known: Sequence[Any]


class Mould:
    """The shape of one tree of objects."""

    def __init__(self, head: type, places: list[_Place]) -> None:
        self._head = head
        self._places = places
        self._dtypes = [dtype for place in places for dtype in place.dtypes]
        #: How many arrays there are; they are taken first.
        self.arrays = len(self._dtypes)
        #: Of the objects that have contents, in the order in which they are taken.
        self.kinds: list[Kind] = [ARRAY] * self.arrays + [place.kind for place in places if place.kind is not None]

    @classmethod
    def of(cls, head: Any, index: Container[int], is_value: Callable[[Any], bool]) -> Mould | None:
        """The mould of the tree at `head`; None if something in it is neither mapping, list, tuple, plain array nor plain object.

        Args:
            index: identities of objects that are somebody else's to capture; neither they nor what they hold belongs to the tree.
            is_value: whether an object, mostly a tuple, neither changes nor holds anything that does.
        """
        found: list[Any] = [head]
        places: list[_Place] = []
        seen = {id(head)}
        for obj in found:
            place = _place_of(obj, index, is_value)
            if place is None or len(seen) > MOST:
                return None
            places.append(place)
            held = _attributes_of(obj) if place.attributes else obj
            below = place.children(held) if place.children else ()
            for child in (*below, *(place.arrays(held) if place.arrays else ())):
                if id(child) in seen:
                    return None
                seen.add(id(child))
            found += below
        return cls(type(head), places)

    def take(self, head: Any, index: Container[int], is_value: Callable[[Any], bool]) -> tuple[list[Any], list[Any]] | None:
        """The objects of a tree that have contents, and their contents; None if it is another tree. Arguments as for `of`."""
        if type(head) is not self._head:
            return None
        found: list[Any] = [head]
        plain: list[Any] = []
        objects: list[Any] = []
        contents: list[Any] = []
        held: Any
        for obj, (kind, attributes, keys, types, arrays, _, children, tuples, known) in zip(found, self._places, strict=False):
            if kind is DICT:
                if attributes:
                    obj = _attributes_of(obj)
                held = dict(obj)
                if [*held] != keys or [*map(type, held.values())] != types:
                    return None
            else:
                held = obj if kind is None else list(obj)
                if [*map(type, held)] != types:
                    return None
            if arrays is not None:
                plain += arrays(held)
            if kind is not None:
                objects.append(obj)
                contents.append(held)
            for key in tuples:
                if not is_value(held[key]):
                    return None
            for key in known:
                if id(held[key]) not in index:
                    return None
            if children is not None:
                found += children(held)
        taken = [(array.shape, array.tobytes(), array.flags.writeable) for array in plain if array.base is None]
        if len(taken) < len(plain) or [*map(_DTYPE, plain)] != self._dtypes:
            return None
        return plain + objects, taken + contents


def _place_of(obj: Any, index: Container[int], is_value: Callable[[Any], bool]) -> _Place | None:
    kind, attributes = _kind_of(obj)
    if kind is None and type(obj) is not tuple:
        return None
    held: Any = _attributes_of(obj) if attributes else obj
    items = [*held.items()] if kind is DICT else [*enumerate(held)]
    keys = [key for key, _ in items] if kind is DICT else None
    if keys and not VALUE_TYPES.issuperset(map(type, keys)):
        return None
    arrays, children, tuples, known = [], [], [], []
    for key, value in items:
        if type(value) in VALUE_TYPES:
            continue
        if id(value) in index:
            known.append(key)
        elif is_value(value):
            tuples.append(key)
        elif type(value) in ARRAY_TYPES:
            if value.base is not None or value.dtype.hasobject:
                return None
            arrays.append(key)
        else:
            children.append(key)
    dtypes = [_DTYPE(held[key]) for key in arrays]
    types = [type(value) for _, value in items]
    return _Place(kind, attributes, keys, types, _getter(arrays), dtypes, _getter(children), tuples, known)


def _kind_of(obj: Any) -> tuple[Kind | None, bool]:
    """How the contents of an object are captured, and whether these are its attributes; (None, False) if that is not so easy."""
    if type(obj) is dict or type(obj) is list:
        return (DICT if type(obj) is dict else LIST), False
    role, kind, slots, attributes = role_of(obj)
    if role is Role.MUTABLE and kind is None and slots is None and type(attributes) is dict:
        return DICT, True
    return None, False


def _attributes_of(obj: Any) -> dict[str, Any]:
    attributes: dict[str, Any] = object.__getattribute__(obj, "__dict__")
    return attributes


def _getter(keys: list[Any]) -> _Getter | None:
    if not keys:
        return None
    if len(keys) == 1:
        (key,) = keys
        return lambda held: (held[key],)
    return itemgetter(*keys)

"""Finding what can change in a graph of objects: one walk from where something new was met.

It knows nothing of plans, or of what was found before but for its identity.
"""

from __future__ import annotations

import functools
from collections.abc import Set as AbstractSet
from typing import Any

from ..errors import SnapshotError
from .contents import ARRAY, DICT, LIST, SET, ArrayKind, Kind, ReplacedKind
from .foreign import full_name
from .generators import BitGeneratorKind
from .kinds import ARRAY_TYPES, VALUE_TYPES, Role, children_of_value, may_be_replaced, role_of
from .parts import Part

__all__ = ["PLAIN_KINDS", "SetMet", "are_plain", "is_plain", "is_value", "search"]

PLAIN_KINDS: dict[type, Kind] = {dict: DICT, list: LIST}
_IN_VALUE_TYPES = VALUE_TYPES.__contains__
#: Whether objects of all these types neither change nor hold anything that does.
are_plain = VALUE_TYPES.issuperset


class SetMet(Exception):
    """There is a set where none may be brought into another order."""


def search(
    start: Any, index: set[int], into: Part, where: str, beyond: AbstractSet[int] = frozenset(), *, may_order: bool = True
) -> None:
    """Append every changeable object reachable from `start` and not in `index`, with its present contents.

    What is met goes into the index; what is in `beyond` is passed over as well.

    Raises:
        SnapshotError: something can be neither copied nor written back.
        SetMet: there is a set, and nothing may be brought into another order.
    """
    stack = [start]
    held, append = into.held, into.append
    while stack:
        obj = stack.pop()
        type_: Any = type(obj)
        if type_ in VALUE_TYPES or id(obj) in index or id(obj) in beyond:
            continue
        if type_ in ARRAY_TYPES and obj.base is None and not obj.dtype.hasobject:
            index.add(id(obj))
            held.append(obj)
            append(obj, ARRAY, (obj.shape, obj.tobytes(), obj.flags.writeable))
            continue
        plain = PLAIN_KINDS.get(type_)
        if plain is not None:
            index.add(id(obj))
            held.append(obj)
            content = type_(obj)
            append(obj, plain, content)
            stack.extend([part for part in plain.parts(content) if type(part) not in VALUE_TYPES])
            continue
        if is_value(obj):
            continue
        role, kind, slots, attributes = role_of(obj)
        if role is Role.VALUE:
            continue
        if role is Role.REFUSED:
            raise SnapshotError(
                f"a {full_name(type_)} (found from {where}) can be neither copied nor written back; give the "
                "environment get_state() and set_state(), or keep that object out of it"
            )
        index.add(id(obj))
        held.append(obj)
        targets: list[tuple[Any, Kind]] = [] if kind is None else [(obj, kind)]
        if slots is not None:
            targets.append((obj, slots))
        if attributes is not None and id(attributes) not in index and id(attributes) not in beyond:
            index.add(id(attributes))
            targets.append((attributes, DICT))
        parts: list[Any] = []
        for target, how in targets:
            if how is SET and not may_order:
                raise SetMet
            content = how.capture(target, None)
            append(target, how, content)
            into.has_replaced |= isinstance(how, ReplacedKind)
            into.has_sets |= how is SET
            parts.extend(how.parts(content))
        if role is Role.PARTS:
            children = list(children_of_value(obj))
            if any(map(may_be_replaced, map(type, children))):
                _require_exchangeable(obj, children)
            parts.extend(children)
        elif isinstance(kind, ArrayKind | BitGeneratorKind):
            parts.extend(children_of_value(obj))
        stack.extend([part for part in parts if type(part) not in VALUE_TYPES])


def _require_exchangeable(holder: Any, parts: list[Any]) -> None:
    for part in parts:
        if isinstance(role_of(part)[1], ReplacedKind):
            raise SnapshotError(
                f"a {type(part).__name__} held by a {type(holder).__name__} can be brought back only by a copy in its place, "
                f"which a {type(holder).__name__} does not allow; hold it in an attribute, a list or a mapping"
            )


def is_value(obj: Any) -> bool:
    """Whether an object neither changes nor holds anything that does: the plainest values, and tuples of them."""
    kind: Any = type(obj)
    if kind in VALUE_TYPES:
        return True
    return _is_tuple(kind) and (all(map(_IN_VALUE_TYPES, map(type, obj))) or all(map(is_value, obj)))


def is_plain(value: Any) -> bool:
    """Whether a value is of a type whose objects neither change nor hold anything that does."""
    return type(value) in VALUE_TYPES or (role_of(value)[0] is Role.VALUE and type(value) in VALUE_TYPES)


@functools.cache
def _is_tuple(kind: type) -> bool:
    return issubclass(kind, tuple) and kind.__dictoffset__ == 0

"""Whether two checkpoints of one graph hold the same state, found out from what differs between them alone.

What stays of a graph is the same objects in both; what is made anew in every frame is others, which are taken two by two. A digest
would tell the same at a hundred times the cost. Where it would take long to find out, or cannot be, the answer is no: it is never
wrongly yes. Nothing here knows of environments or frames.
"""

from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Container
from itertools import compress
from operator import is_not
from typing import Any

from .checkpoint import AnyBranch
from .contents import DICT, Kind, ReplacedKind
from .generators import BitGeneratorKind, RandomKind, RandomStateKind
from .graph import Checkpoint
from .lively import Values

__all__ = ["same"]

_EXACT = {int, str, bytes, bool, type(None)}


def same(one: Checkpoint, other: Checkpoint) -> bool:
    """Whether two checkpoints surely hold the same state: graphs that nothing but the addresses of objects tells apart."""
    if one is other:
        return True
    if one.plan is not other.plan or len(one.contents) != len(other.contents) or one.branches.keys() != other.branches.keys():
        return False
    return _Comparison().run(one, other)


class _Comparison:
    """One comparison. It knows for each object of a branch of the one which object of the other is in its place."""

    def __init__(self) -> None:
        self._there: dict[int, Any] = {}
        self._taken: set[int] = set()

    def run(self, one: Checkpoint, other: Checkpoint) -> bool:
        """Compare two checkpoints of one plan, with branches at the same places."""
        branches = [(branch, other.branches[place]) for place, branch in one.branches.items()]
        # Also where a branch is the very same: what it holds may be held in another one as well.
        if not all(self._pair(branch, found) for branch, found in branches):
            return False
        entries = one.plan.entries
        beside = one.lively is other.lively is one.plan.lively
        if beside and not self._hold_the_same(one.values, other.values):
            return False
        contents, found_there = (one.contents, other.contents) if beside else (one.whole, other.whole)
        for at in compress(range(len(contents)), map(is_not, contents, found_there)):
            entry, content, there = entries[at], contents[at], found_there[at]
            if beside and entry.lively:
                content, there = _without(content, entry.lively), _without(there, entry.lively)
            if not self._alike(entry.kind, (entry.obj, content), (entry.obj, there)):
                return False
        return all(branch is found or self._within(branch, found) for branch, found in branches)

    def _hold_the_same(self, ones: Values, others: Values) -> bool:
        """Whether lively places hold the same."""
        different = compress(zip(ones.plain, others.plain, strict=True), map(is_not, ones.plain, others.plain))
        return all(itertools.starmap(self._equal, different)) and self._all(ones.loose, others.loose)

    def _pair(self, branch: AnyBranch, found: AnyBranch) -> bool:
        """Take the objects of two branches two by two. False if they do not go together."""
        pairs, others = [*branch.pairs()], [*found.pairs()]
        if type(branch) is not type(found) or branch.has_replaced or found.has_replaced or len(pairs) != len(others):
            return False
        for (item, _), (at, _) in zip(pairs, others, strict=True):
            known = self._there.get(id(item.obj))
            if known is not None:
                if known is not at.obj:
                    return False
                continue
            if type(item.obj) is not type(at.obj) or id(at.obj) in self._taken or item.kind is not at.kind:
                return False
            self._there[id(item.obj)] = at.obj
            self._taken.add(id(at.obj))
        return True

    def _within(self, branch: AnyBranch, found: AnyBranch) -> bool:
        return all(
            item.kind is at.kind and self._alike(item.kind, (item.obj, content), (at.obj, there))
            for (item, content), (at, there) in zip(branch.pairs(), found.pairs(), strict=True)
        )

    def _alike(self, kind: Kind, one: tuple[Any, Any], other: tuple[Any, Any]) -> bool:
        """Whether two objects of one kind hold the same."""
        (obj, content), (at, there) = one, other
        if content is there:
            return True
        if isinstance(kind, ReplacedKind):
            return False
        if isinstance(kind, RandomKind | BitGeneratorKind | RandomStateKind):
            return bool(kind.canonical(obj, content) == kind.canonical(at, there))
        if getattr(obj, "dtype", None) is not getattr(at, "dtype", None):
            return False
        if kind is DICT:
            return len(content) == len(there) and self._all(content, there) and self._all(content.values(), there.values())
        if type(content) is list:
            return type(there) is list and len(content) == len(there) and self._all(content, there)
        return self._equal(content, there)

    def _all(self, ones: Any, others: Any) -> bool:
        return all(map(self._equal, ones, others))

    def _equal(self, one: Any, other: Any) -> bool:
        if one is other:
            return id(one) not in self._there or self._there[id(one)] is other
        known = self._there.get(id(one))
        if known is not None:
            return known is other
        kind: Any = type(one)
        if kind is not type(other):
            return False
        if kind is float:
            return bool(one == other and (one != 0.0 or math.copysign(1.0, one) == math.copysign(1.0, other)))
        if kind in _EXACT:
            return bool(one == other)
        np = sys.modules.get("numpy")
        if np is not None and isinstance(one, np.generic):
            return bool(one.dtype == other.dtype and one.tobytes() == other.tobytes())
        if kind is tuple:
            return len(one) == len(other) and self._all(one, other)
        # An object that holds nothing but attributes is known by these.
        attributes = _attributes_of(one)
        return attributes is not None and self._there.get(id(attributes)) is _attributes_of(other)


def _without(content: Any, keys: Container[Any]) -> Any:
    """What a mapping or a list holds elsewhere."""
    if type(content) is list:
        return [item for place, item in enumerate(content) if place not in keys]
    return {key: value for key, value in content.items() if key not in keys}


def _attributes_of(obj: Any) -> Any | None:
    try:
        return object.__getattribute__(obj, "__dict__")
    except AttributeError:
        return None

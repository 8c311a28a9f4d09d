"""What becomes of a graph where references changed: what they lead to joins the plan, or hangs at a volatile place as a branch.

A place where something new was found once belongs to the plan; where that happens again, it is volatile. This module knows nothing
of how changes are found, or of how anything is brought back.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from itertools import compress, islice
from operator import is_, is_not
from typing import Any

from .checkpoint import AnyBranch, Branches, Place
from .contents import ARRAY, DICT, LIST, Kind
from .kinds import ARRAY_TYPES, VALUE_TYPES, Role, role_of
from .mould import Mould
from .parts import Addition, Branch, Cast, Entry, Leaf, Part, Plan
from .search import PLAIN_KINDS, are_plain, is_value, search

__all__ = ["Change", "Growth", "may_lead_on"]

#: An entry, what it holds, what it held, and of a mapping that has the keys that it had, the items that changed.
Change = tuple[Entry, Any, Any, list[tuple[Any, Any]] | None]
#: What was met in so many branches running is there to stay.
_PERSISTENT = 4
_KEYS = object()  # the place of a mapping's keys, as against its values


class Growth:
    """The growing of one graph's plans and branches."""

    def __init__(self) -> None:
        self._plan: Plan
        self._branches: Branches
        self._may_order = True
        self.begin()

    def follow(self, plan: Plan, before: Branches, changed: list[Change], grown: Branches, *, may_order: bool) -> Addition | None:
        """Find what new references lead to: into the plan, or, at a volatile place, into a branch. It joins those that have grown
        already; and so does, last, what was there before and still is.

        Returns:
            What is to join the plan, if anything is. All that it holds is in the plan's index already.

        Raises:
            SnapshotError, SetMet: as `search`.
        """
        self._plan, self._branches, self._may_order = plan, before, may_order
        dropped: set[Place] = set()
        added = self._added
        for entry, new, old, items in changed:
            if items is not None:
                self._follow_items(entry, items, grown, dropped, added)
            elif entry.kind is DICT:
                self._follow_mapping(entry, new, old, grown, dropped, added)
            else:
                self._follow_parts(entry, new, old, grown, dropped, added)
        for known, branch in before.items():
            if known not in grown and known not in dropped:
                grown[known] = self._refresh(branch, added)
        if not added.held:
            return None
        self.begin()
        return added

    def begin(self) -> None:
        """Nothing of what is to join the plan counts any more."""
        self._added = Addition()

    def _follow_parts(
        self,
        entry: Entry,
        new: Any,
        old: Any,
        grown: Branches,
        dropped: set[Place],
        added: Addition,
    ) -> None:
        """An object without keys, or a list that is captured as a whole, has other parts than before."""
        if not entry.volatile:
            fresh = [part for part in _added(entry.kind.parts(new), entry.kind.parts(old)) if not is_value(part)]
            if not fresh or not self._admit(entry, None, fresh, added):
                return
        dropped.add((entry, None))
        parts = [part for part in entry.kind.parts(new) if not is_value(part)]
        if parts:
            grown[entry, None] = self._grow(parts, self._branches.get((entry, None)), added)

    def _follow_mapping(
        self,
        entry: Entry,
        new: dict[Any, Any],
        old: dict[Any, Any],
        grown: Branches,
        dropped: set[Place],
        added: Addition,
    ) -> None:
        if len(new) == len(old) and all(map(is_, new, old)):
            items = [*compress(new.items(), map(is_not, new.values(), old.values()))]
        else:
            items = [*new.items()]
            dropped.update((entry, key) for key in entry.volatile if key not in new)
            if not are_plain(map(type, new)):
                self._admit(entry, _KEYS, list(new), added)
        self._follow_items(entry, items, grown, dropped, added)

    def _follow_items(
        self, entry: Entry, items: list[tuple[Any, Any]], grown: Branches, dropped: set[Place], added: Addition
    ) -> None:
        volatile = entry.volatile
        for key, value in items:
            if type(value) in VALUE_TYPES or is_value(value):
                if key in volatile:
                    dropped.add((entry, key))
            elif key in volatile or self._admit(entry, key, [value], added):
                place = entry, key
                grown[place] = self.leaf(self._plan, value) or self._grow([value], self._branches.get(place), added)

    def _admit(self, entry: Entry, key: Any, fresh: list[Any], added: Addition) -> bool:
        """Take objects that are new at a place into the plan; True instead if the place has become volatile."""
        index = self._plan.index
        fresh = [part for part in fresh if not is_value(part) and id(part) not in index and role_of(part)[0] is not Role.VALUE]
        if not fresh:
            return False
        if key in entry.seen and key is not _KEYS:
            entry.volatile.add(key)
            return True
        entry.seen.add(key)
        for part in fresh:
            self._search(part, index, added, type(entry.obj).__name__)
        return False

    def _search(self, start: Any, index: set[int], into: Part, where: str, beyond: Set[int] = frozenset()) -> None:
        search(start, index, into, where, beyond, may_order=self._may_order)

    @staticmethod
    def leaf(plan: Plan, obj: Any) -> Leaf | None:
        """A branch that is this object alone: an array of plain numbers with memory of its own, or a list or a mapping that holds
        plain values only, or nothing but what the plan has. None if it is anything else."""
        type_: Any = type(obj)
        index = plan.index
        if type_ in ARRAY_TYPES:
            if obj.base is not None or obj.dtype.hasobject or id(obj) in index:
                return None
            return Leaf(obj, ARRAY, (obj.shape, obj.tobytes(), obj.flags.writeable))
        plain = PLAIN_KINDS.get(type_)
        if plain is None or id(obj) in index or (plain is DICT and not are_plain(map(type, obj))):
            return None
        content = obj.copy()
        held = content if plain is LIST else content.values()
        if are_plain(map(type, held)) or index.issuperset(map(id, held)):
            return Leaf(obj, plain, content)
        return None

    @staticmethod
    def alike(plan: Plan, obj: Any, before: AnyBranch | None) -> Leaf | Cast | None:
        """A branch for what is new at a place, where it is like the one before, and so easily had."""
        if type(before) is not Cast:
            return Growth.leaf(plan, obj)
        taken = before.mould.take(obj, plan.index, is_value) if id(obj) not in plan.index else None
        return None if taken is None else Cast(obj, before.mould, taken, before.wait)

    def _grow(self, heads: list[Any], before: AnyBranch | None, added: Addition) -> AnyBranch:
        """A new branch from these heads. What was in one after the other before it is there to stay, and goes into the plan."""
        index = self._plan.index
        head = heads[0]
        branch = Branch()
        if isinstance(before, Branch | Cast) and len(heads) == 1 and id(head) not in index:
            cast = self._cast(branch, head, before)
            if cast is not None:
                return cast
        own: set[int] = set()
        for head in heads:
            self._search(head, own, branch, type(head).__name__, index)
        if isinstance(before, Branch | Cast):
            ages = before.ages
            for obj in branch.held:
                branch.ages[id(obj)] = age = ages.get(id(obj), 0) + 1
                if age == _PERSISTENT:
                    self._search(obj, index, added, type(obj).__name__)
        branch.held.append(heads)
        return branch

    def _cast(self, branch: Branch, head: Any, before: Branch | Cast) -> Cast | None:
        """Take a branch along the mould that the one before it fitted, if there is one and this one fits it, too."""
        index, mould = self._plan.index, before.mould if isinstance(before, Cast) else None
        branch.wait, branch.turns = before.wait, before.turns + 1
        if mould is None and before.turns >= before.wait:
            branch.wait *= 2  # what does not stay alike is asked ever more seldom whether it does now
            branch.turns = 0
            mould = Mould.of(head, index, is_value)
        taken = None if mould is None else mould.take(head, index, is_value)
        return None if mould is None or taken is None else Cast(head, mould, taken, branch.wait)

    def _refresh(self, branch: AnyBranch, added: Addition) -> AnyBranch:
        """Capture a branch whose head is still the same; where a reference in it changed, find it anew."""
        if isinstance(branch, Leaf):
            if branch.kind.capture(branch.obj, branch.content) is branch.content:
                return branch
            return self.leaf(self._plan, branch.obj) or self._grow([branch.obj], branch, added)
        pairs = zip(branch.objects, branch.kinds, branch.contents, strict=True)
        contents = [kind.capture(obj, old) for obj, kind, old in pairs]
        if all(map(is_, contents, branch.contents)):
            return branch
        changed = [(kind, new) for kind, new, old in zip(branch.kinds, contents, branch.contents, strict=True) if new is not old]
        if any(not is_value(part) for kind, new in changed for part in kind.parts(new)):
            return self._grow(branch.held[-1], branch, added)
        return branch.holding(contents)


def may_lead_on(kind: Kind, new: Any, old: Any) -> bool:
    """Whether there may be something in the contents of an object that was not there before, and is more than a value."""
    if kind is DICT:
        return True
    added = _added(new, old) if type(new) is list else _added(kind.parts(new), kind.parts(old))
    return not all(map(is_value, added))


def _added(new: Iterable[Any], old: Iterable[Any]) -> Iterable[Any]:
    """Which parts there are that there were not before."""
    if type(new) is list and type(old) is list:
        # Most often something was put at the end; of a trail that is as long as it may be the first is taken away.
        gone = 1 if len(new) == len(old) else 0
        stays = len(old) - gone
        if stays <= len(new) and all(map(is_, new, islice(old, gone, None))):
            return new[stays:]
    known = set(map(id, old))
    return [part for part in new if id(part) not in known]

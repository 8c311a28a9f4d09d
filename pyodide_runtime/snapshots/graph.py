"""Checkpoints of an object graph: every changeable object's contents are copied out, and later written back in place.

Identity and aliasing survive, because no object is replaced: a list that two others share is shared after a restore
too, a closure still sees its variable, a lambda is no obstacle. Values that cannot change are shared between snapshots.

How it stays fast. The changeable objects are found once, by a walk from the roots, and kept in a *plan*; a `Layout`
compares them all together with what they were. Only where a reference changed is there anything new to find, so only
there it looks again. A place whose content is replaced time after time (an environment that makes a new array at
every step) is remembered as *volatile*: what hangs there is kept beside the plan, and replaced as a whole, so that the
plan does not grow.

Sets. Their order of iteration depends on the history of their hash table, which no copy can bring back. So every
capture rebuilds the set in an order that depends on its elements alone, and a restore builds it in the same order.
A graph with sets must therefore be saved after every step, on every host alike: then equal steps begin with equal
tables, whether a rollback happened or not. (Elements hashed by identity have no such order; nothing can help
those.)

This module knows nothing of environments, frames or networks; it is given roots and gives contents.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from operator import is_
from typing import Any

from ..errors import SnapshotError
from .contents import ARRAY, DICT, LIST, ArrayKind, Kind, ReplacedKind
from .generators import BitGeneratorKind
from .kinds import ARRAY_TYPES, VALUE_TYPES, Role, children_of_value, may_be_replaced, role_of
from .layout import Entry, Item, Layout

__all__ = ["Checkpoint", "Checkpointer"]


class _Part:
    """A part of the graph: its changeable objects, their contents, and what must be kept alive for its identity's sake."""

    __slots__ = ("contents", "has_replaced", "held")

    def __init__(self) -> None:
        self.contents: list[Any] = []
        self.held: list[Any] = []
        self.has_replaced = False

    def append(self, obj: Any, kind: Kind, content: Any, owner: Any) -> None:
        raise NotImplementedError


class _Addition(_Part):
    """A part that belongs to a plan."""

    __slots__ = ("entries",)

    def __init__(self) -> None:
        super().__init__()
        self.entries: list[Entry] = []

    def append(self, obj: Any, kind: Kind, content: Any, owner: Any) -> None:
        self.entries.append(Entry(obj, kind, content, owner))
        self.contents.append(content)


class _Branch(_Part):
    """A part beside the plan, at a volatile place."""

    __slots__ = ("entries",)

    def __init__(self) -> None:
        super().__init__()
        self.entries: list[Item] = []

    def append(self, obj: Any, kind: Kind, content: Any, owner: Any) -> None:
        self.entries.append(Item(obj, kind))
        self.contents.append(content)

    def pairs(self) -> Iterator[tuple[Item, Any]]:
        return zip(self.entries, self.contents, strict=True)

    def restore(self) -> None:
        for entry, content in zip(self.entries, self.contents, strict=True):
            entry.kind.restore(entry.obj, content)


class _Leaf:
    """A branch that is one array of plain numbers with memory of its own: what a volatile place holds most often."""

    __slots__ = ("array", "content")

    has_replaced = False

    def __init__(self, array: Any, content: Any) -> None:
        self.array = array
        self.content = content

    def pairs(self) -> Iterator[tuple[Item, Any]]:
        yield Item(self.array, ARRAY), self.content

    def restore(self) -> None:
        if ARRAY.capture(self.array, self.content) is not self.content:
            ARRAY.restore(self.array, self.content)


class _Plan:
    """The part of the graph whose references stay. It only grows; beyond `most` entries it is time to make another."""

    __slots__ = ("entries", "has_replaced", "held", "index", "layout", "most", "spoiled")

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.held: list[Any] = []
        self.index: set[int] = set()  # identities of all objects visited, every one of them kept alive by entries or held
        self.has_replaced = False
        self.most = 0
        self.spoiled = False  # whether objects are in the index that are in no entry
        self.layout: Layout  # the newest


_Place = tuple[Entry, Any]  # an entry of the plan, and the key in it (None where there are no keys)
_Branches = dict[_Place, "_Branch | _Leaf"]


class Checkpoint:
    """The contents of a graph at one moment. Opaque; only the `Checkpointer` that made it can restore it."""

    __slots__ = ("branches", "hot", "layout", "moving", "plan")

    def __init__(self, plan: _Plan, layout: Layout, hot: Sequence[Any], moving: list[Any], branches: _Branches) -> None:
        self.plan = plan
        self.layout = layout
        self.hot = hot
        self.moving = moving
        self.branches = branches

    def pairs(self) -> Iterator[tuple[Item, Any]]:
        """Every changeable object's entry with its captured contents."""
        yield from self.layout.still_contents(self.hot)
        yield from zip(self.layout.moving, self.moving, strict=True)
        for branch in self.branches.values():
            yield from branch.pairs()

    def contents_by_identity(self) -> dict[int, list[tuple[Kind, Any]]]:
        """Kinds and captured contents by the `id` of the object; attributes are found by the id of their `__dict__`."""
        found: dict[int, list[tuple[Kind, Any]]] = {}
        for entry, content in self.pairs():
            known = found.setdefault(id(entry.obj), [])
            if not any(kind is entry.kind for kind, _ in known):
                known.append((entry.kind, content))
        return found


class Checkpointer:
    """Saves and restores the state of everything changeable that can be reached from some roots.

    Args:
        roots: the objects to begin at. They stay the same objects for good.
        beyond: objects that somebody else takes care of: neither they nor what is reached only through them is covered.

    Raises:
        SnapshotError: something reachable can be neither copied nor written back; the message names its type.
    """

    def __init__(self, roots: Sequence[Any], beyond: Sequence[Any] = ()) -> None:
        self._roots = list(roots)
        self._beyond = list(beyond)
        self.rescan()

    def add_root(self, root: Any) -> None:
        """Also cover what can be reached from `root`, from the next save on."""
        if not any(root is known for known in self._roots):
            self._roots.append(root)
            self.rescan()

    def rescan(self) -> None:
        """Forget the plan and walk the whole graph again, as after an episode's reset, when most of it is new."""
        plan, main = _Plan(), _Addition()
        plan.index.update(map(id, self._beyond))
        for root in self._roots:
            self._walk(root, plan.index, main, type(root).__name__)
        plan.entries, plan.held, plan.most = main.entries, main.held, 2 * len(main.entries) + 100
        plan.has_replaced = main.has_replaced
        self._lay_out(plan, main.contents)
        self._branches: _Branches = {}
        self._stale = False

    def _lay_out(self, plan: _Plan, contents: list[Any]) -> None:
        self._plan = plan
        self._layout = plan.layout = layout = Layout(plan.entries, contents)
        self._hot = layout.hot
        self._moving = [content for entry, content in zip(plan.entries, contents, strict=True) if entry.moving]

    # -- finding -----------------------------------------------------------------------------------------------------

    def _walk(self, start: Any, index: set[int], into: _Part, where: str) -> None:
        """Append every changeable object reachable from `start` and not in `index`, with its present contents."""
        stack = [start]
        while stack:
            obj = stack.pop()
            type_: Any = type(obj)
            if type_ in VALUE_TYPES or id(obj) in index:
                continue
            plain = _PLAIN.get(type_)
            if plain is not None:
                index.add(id(obj))
                into.held.append(obj)
                content = type_(obj)
                into.append(obj, plain, content, None)
                stack.extend([part for part in plain.parts(content) if type(part) not in VALUE_TYPES])
                continue
            if _is_value(obj):
                continue
            role, kind, slots, attributes = role_of(obj)
            if role is Role.VALUE:
                continue
            if role is Role.REFUSED:
                raise SnapshotError(
                    f"a {type_.__module__}.{type_.__qualname__} (found from {where}) can be neither copied nor written "
                    "back; give the environment get_state() and set_state(), or keep that object out of it"
                )
            index.add(id(obj))
            into.held.append(obj)
            targets: list[tuple[Any, Kind]] = [] if kind is None else [(obj, kind)]
            if slots is not None:
                targets.append((obj, slots))
            if attributes is not None and id(attributes) not in index:
                index.add(id(attributes))
                targets.append((attributes, DICT))
            parts: list[Any] = []
            for target, how in targets:
                content = how.capture(target, None)
                into.append(target, how, content, obj if target is attributes else None)
                into.has_replaced |= isinstance(how, ReplacedKind)
                parts.extend(how.parts(content))
            if role is Role.PARTS:
                children = list(children_of_value(obj))
                if any(map(may_be_replaced, map(type, children))):
                    self._require_exchangeable(obj, children)
                parts.extend(children)
            elif isinstance(kind, ArrayKind | BitGeneratorKind):
                parts.extend(children_of_value(obj))
            stack.extend([part for part in parts if type(part) not in VALUE_TYPES])

    @staticmethod
    def _require_exchangeable(holder: Any, parts: list[Any]) -> None:
        for part in parts:
            if isinstance(role_of(part)[1], ReplacedKind):
                raise SnapshotError(
                    f"a {type(part).__name__} held by a {type(holder).__name__} can be brought back only by a copy in its place, "
                    f"which a {type(holder).__name__} does not allow; hold it in an attribute, a list or a mapping"
                )

    # -- saving ------------------------------------------------------------------------------------------------------

    def save(self) -> Checkpoint:
        """The contents of the whole graph now.

        Raises:
            SnapshotError: something new can be neither copied nor written back.
        """
        if self._stale:
            self.rescan()
        wholes: list[tuple[Entry, Any, Any]] = []
        places: list[tuple[Entry, Any, Any]] = []
        grown: _Branches = {}
        layout, branches = self._layout, self._branches
        hot = layout.look()
        if hot is None:
            self._learn(wholes, places)
            layout = self._layout
        else:
            for spot, new, old in zip(layout.spots, hot, self._hot, strict=True):
                if new is old:
                    continue
                kind = type(new)
                if kind in ARRAY_TYPES and spot.place in branches and (leaf := self._leaf(new)) is not None:
                    grown[spot.place] = leaf
                elif kind not in VALUE_TYPES or spot.place in branches:
                    places.append((spot.entry, spot.key, new))
            self._hot = hot
        if layout.moving:
            after: list[Any] = []
            for entry, old in zip(layout.moving, self._moving, strict=True):
                new = entry.kind.capture(entry.obj, old)
                after.append(new)
                if new is not old:
                    wholes.append((entry, new, old))
            self._moving = after
        if not wholes and not places and grown.keys() == branches.keys():
            self._branches = grown
        elif wholes or places or branches:
            # Until this is through: a save that fails half-way must not count as a look.
            self._stale = self._plan.spoiled = True
            self._branches = self._follow(wholes, places, grown)
            # In a plan that grows and grows there is much that the graph has long forgotten.
            self._plan.spoiled = False
            self._stale = len(self._plan.entries) > self._plan.most
        return Checkpoint(self._plan, self._layout, self._hot, self._moving, self._branches)

    def _learn(self, wholes: list[tuple[Entry, Any, Any]], places: list[tuple[Entry, Any, Any]]) -> None:
        """Something still has changed: find out what, and look at it apart from now on."""
        contents = self._layout.contents(self._hot, self._moving)
        for entry, _ in self._layout.still:
            old = contents[entry]
            new = entry.kind.capture(entry.obj, old)
            if new is old:
                continue
            contents[entry] = new
            changed = entry.learn(new, old)
            if changed is None:
                wholes.append((entry, new, old))
            else:
                places.extend((entry, key, value) for key, value in changed)
        self._lay_out(self._plan, [contents[entry] for entry in self._plan.entries])

    def _follow(
        self, wholes: list[tuple[Entry, Any, Any]], places: list[tuple[Entry, Any, Any]], grown: _Branches
    ) -> _Branches:
        """Find what new references lead to: into the plan, or, at a volatile place, into a branch."""
        dropped: set[_Place] = set()
        rest = []
        for place in places:
            entry, key, value = place
            if key not in entry.volatile or entry.kind is LIST:
                rest.append(place)
            elif type(value) in VALUE_TYPES or _is_value(value):
                dropped.add((entry, key))
            else:
                grown[entry, key] = self._grow([value])
        if rest or wholes:
            self._find(wholes, rest, grown, dropped)
        for known, branch in self._branches.items():
            if known not in grown and known not in dropped:
                grown[known] = self._refresh(branch)
        return grown

    def _find(
        self,
        wholes: list[tuple[Entry, Any, Any]],
        places: list[tuple[Entry, Any, Any]],
        grown: _Branches,
        dropped: set[_Place],
    ) -> None:
        """Take what is new at places that are not volatile into the plan, or find that they are."""
        added = _Addition()
        for entry, key, value in places:
            if entry.kind is LIST and None in entry.volatile:
                grown[entry, None] = self._grow([part for part in entry.obj if not _is_value(part)])
            elif type(value) in VALUE_TYPES or _is_value(value):
                if key in entry.volatile:
                    dropped.add((entry, key))
            elif key in entry.volatile or self._admit(entry, key, [value], added):
                grown[entry, key] = self._grow([value])
        for entry, new, old in wholes:
            if entry.kind is DICT:
                self._follow_mapping(entry, new, old, grown, dropped, added)
            else:
                self._follow_parts(entry, new, old, grown, dropped, added)
        if added.held:
            self._extend(added)

    def _follow_parts(
        self,
        entry: Entry,
        new: Any,
        old: Any,
        grown: _Branches,
        dropped: set[_Place],
        added: _Addition,
    ) -> None:
        """An object without keys, or a list that is captured as a whole, has other parts than before."""
        volatile = entry.volatile
        if volatile:
            # While it was looked at place by place, each had a branch of its own.
            dropped.update((entry, key) for key in volatile)
            entry.volatile = {None}
        else:
            known = set(map(id, entry.kind.parts(old)))
            fresh = [part for part in entry.kind.parts(new) if id(part) not in known and not _is_value(part)]
            if not fresh or not self._admit(entry, None, fresh, added):
                return
        parts = [part for part in entry.kind.parts(new) if not _is_value(part)]
        if parts:
            grown[entry, None] = self._grow(parts)

    def _follow_mapping(
        self,
        entry: Entry,
        new: dict[Any, Any],
        old: dict[Any, Any],
        grown: _Branches,
        dropped: set[_Place],
        added: _Addition,
    ) -> None:
        volatile = entry.volatile
        if len(new) == len(old) and all(map(is_, new, old)):
            changed = [item for item, before in zip(new.items(), old.values(), strict=True) if item[1] is not before]
        else:
            changed = list(new.items())
        for key, value in changed:
            if key in volatile:
                dropped.add((entry, key))
            if type(value) in VALUE_TYPES or _is_value(value):
                continue
            if key in volatile or self._admit(entry, key, [value], added):
                grown[entry, key] = self._grow([value])
        if volatile:
            dropped.update((entry, key) for key in volatile if key not in new)
        if not all(map(_IN_VALUE_TYPES, map(type, new))):
            self._admit(entry, _KEYS, list(new), added)

    def _admit(self, entry: Entry, key: Any, fresh: list[Any], added: _Addition) -> bool:
        """Take objects that are new at a place into the plan; True instead if the place has become volatile."""
        index = self._plan.index
        fresh = [part for part in fresh if not _is_value(part) and id(part) not in index and role_of(part)[0] is not Role.VALUE]
        if not fresh:
            return False
        if key in entry.seen and key is not _KEYS:
            entry.volatile.add(key)
            return True
        entry.seen.add(key)
        for part in fresh:
            self._walk(part, index, added, type(entry.obj).__name__)
        return False

    def _extend(self, added: _Addition) -> None:
        plan, contents = self._plan, self._layout.contents(self._hot, self._moving)
        known = [contents[entry] for entry in plan.entries]
        plan.entries = plan.entries + added.entries
        plan.held.extend(added.held)
        plan.has_replaced |= added.has_replaced
        self._lay_out(plan, known + added.contents)

    def _leaf(self, array: Any) -> _Leaf | None:
        if array.base is None and not array.dtype.hasobject and id(array) not in self._plan.index:
            return _Leaf(array, ARRAY.capture(array, None))
        return None

    def _grow(self, heads: list[Any]) -> _Branch | _Leaf:
        index = self._plan.index
        if len(heads) == 1 and type(heads[0]) in ARRAY_TYPES and (leaf := self._leaf(heads[0])) is not None:
            return leaf
        branch = _Branch()
        over = _Overlay(index)
        branch.held.append(heads)
        for head in heads:
            self._walk(head, over, branch, type(head).__name__)
        return branch

    def _refresh(self, branch: _Branch | _Leaf) -> _Branch | _Leaf:
        """Capture a branch whose head is still the same; where a reference in it changed, find it anew."""
        if isinstance(branch, _Leaf):
            content = ARRAY.capture(branch.array, branch.content)
            return branch if content is branch.content else _Leaf(branch.array, content)
        contents = [entry.kind.capture(entry.obj, old) for entry, old in branch.pairs()]
        changed = [
            (entry, new) for entry, new, old in zip(branch.entries, contents, branch.contents, strict=True) if new is not old
        ]
        if not changed:
            return branch
        if any(not _is_value(part) for entry, new in changed for part in entry.kind.parts(new)):
            return self._grow(branch.held[0])
        fresh = _Branch()
        fresh.entries, fresh.held, fresh.contents, fresh.has_replaced = branch.entries, branch.held, contents, branch.has_replaced
        return fresh

    # -- restoring ---------------------------------------------------------------------------------------------------

    def restore(self, checkpoint: Checkpoint) -> None:
        """Write the contents of a checkpoint back, in place. Any checkpoint of this object, any number of times."""
        plan, branches = checkpoint.plan, checkpoint.branches
        renewed = checkpoint.layout is plan.layout or self._renew(checkpoint)
        layout = checkpoint.layout
        replaced = plan.has_replaced or any(branch.has_replaced for branch in branches.values())
        if replaced:
            swap = {
                id(entry.obj): entry.kind.fresh(content)
                for entry, content in checkpoint.pairs()
                if isinstance(entry.kind, ReplacedKind)
            }
            for entry, content in checkpoint.pairs():
                entry.kind.restore(entry.obj, _swapped(entry.kind, content, swap))
        else:
            now = layout.look() if layout is self._layout else None
            if now is None:
                for entry, content in layout.still_contents(checkpoint.hot):
                    entry.kind.restore(entry.obj, content)
            else:
                for spot, value, present in zip(layout.spots, checkpoint.hot, now, strict=True):
                    if value is not present:
                        spot.entry.obj[spot.key] = value
            for entry, content in zip(layout.moving, checkpoint.moving, strict=True):
                entry.kind.restore(entry.obj, content)
            for branch in branches.values():
                branch.restore()
        self._plan, self._layout, self._hot, self._moving = plan, layout, checkpoint.hot, checkpoint.moving
        # What was exchanged for a copy is to be found anew, if not by comparison with the layout, then by a walk.
        self._branches, self._stale = branches, plan.spoiled or (replaced and not renewed)
        if not renewed and not replaced:
            contents = _of_all(checkpoint)
            self._lay_out(plan, [contents[entry] for entry in plan.entries])
            checkpoint.layout, checkpoint.hot, checkpoint.moving = self._layout, self._hot, self._moving

    @staticmethod
    def _renew(checkpoint: Checkpoint) -> bool:
        """Tell a checkpoint in terms of its plan's newest layout; False if that does not go."""
        taken = checkpoint.plan.layout.take(_of_all(checkpoint))
        if taken is None:
            return False
        checkpoint.layout = checkpoint.plan.layout
        checkpoint.hot, checkpoint.moving = taken
        return True


def _of_all(checkpoint: Checkpoint) -> dict[Entry, Any]:
    """The contents of every entry that the plan has now.

    Objects found after the checkpoint was made stay in the plan, for they may be met again. Then it holds them in a branch, or
    it does not matter what is in them.
    """
    contents = checkpoint.layout.contents(checkpoint.hot, checkpoint.moving)
    if len(contents) < len(checkpoint.plan.entries):
        branches = checkpoint.branches.values()
        branched = {(id(entry.obj), entry.kind): content for branch in branches for entry, content in branch.pairs()}
        for entry in checkpoint.plan.entries:
            if entry not in contents:
                content = branched.get((id(entry.obj), entry.kind))
                contents[entry] = entry.kind.capture(entry.obj, None) if content is None else content
    return contents


class _Overlay(set[int]):
    """A set of identities on top of another that it does not change."""

    def __init__(self, base: set[int]) -> None:
        super().__init__()
        self._base = base

    def __contains__(self, item: object) -> bool:
        return set.__contains__(self, item) or item in self._base


def _is_value(obj: Any) -> bool:
    """Whether an object neither changes nor holds anything that does: the plainest values, and tuples of them."""
    kind: Any = type(obj)
    if kind in VALUE_TYPES:
        return True
    return _is_tuple(kind) and (all(map(_IN_VALUE_TYPES, map(type, obj))) or all(map(_is_value, obj)))


@functools.cache
def _is_tuple(kind: type) -> bool:
    return issubclass(kind, tuple) and kind.__dictoffset__ == 0


_IN_VALUE_TYPES = VALUE_TYPES.__contains__
_PLAIN: dict[type, Kind] = {dict: DICT, list: LIST}
_MISSING = object()
_KEYS = object()  # the place of a mapping's keys, as against its values


def _swapped(kind: Kind, content: Any, swap: dict[int, Any]) -> Any:
    """`content` with every object that was copied exchanged for its copy."""
    if kind is DICT:
        if any(id(value) in swap for value in content.values()):
            return {key: swap.get(id(value), value) for key, value in content.items()}
        return content
    if isinstance(content, tuple | list) and any(id(part) in swap for part in kind.parts(content)):
        return type(content)(swap.get(id(part), part) for part in content)
    return content

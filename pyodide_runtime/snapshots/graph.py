"""Checkpoints of an object graph: every changeable object's contents are copied out, and later written back in place.

Identity and aliasing survive, because no object is replaced: a list that two others share is shared after a restore
too, a closure still sees its variable, a lambda is no obstacle. Values that cannot change are shared between snapshots.

How it stays fast. The changeable objects are found once, by a walk from the roots, and kept in a *plan*. Nearly all
of them never change; those are *still*, and one pass in C over all their references together, compared by identity,
tells that they have not. The others are *moving*: each is compared with its contents of the save before, which are
shared if they are the same. A still object that is seen to change is moving from then on. Only where a reference
changed is there anything new to find, so only there it looks again. A place whose content is replaced time after
time (an environment that makes a new array at every step) is remembered as *volatile*: what hangs there is kept
beside the plan, and replaced as a whole, so that the plan does not grow.

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
from itertools import chain
from operator import attrgetter, is_, methodcaller
from typing import Any

from ..errors import SnapshotError
from .contents import ARRAY, DICT, LIST, ArrayKind, Kind, ReplacedKind
from .generators import BitGeneratorKind
from .kinds import VALUE_TYPES, Role, children_of_value, may_be_replaced, role_of

__all__ = ["Checkpoint", "Checkpointer"]


class _Entry:
    """One changeable object: how to capture it, and what was seen of it."""

    __slots__ = ("kind", "moving", "obj", "seen", "volatile")

    def __init__(self, obj: Any, kind: Kind) -> None:
        self.obj = obj
        self.kind = kind
        # Only plain mappings, lists and arrays can be compared all together.
        self.moving = not (kind is ARRAY or (kind is DICT and type(obj) is dict) or (kind is LIST and type(obj) is list))
        self.seen: set[Any] = set()  # places where something new was found once
        self.volatile: set[Any] = set()  # places where it was found twice


class _Branch:
    """A part of the graph: its changeable objects, their contents, and what must be kept alive for its identity's sake."""

    __slots__ = ("contents", "entries", "held")

    def __init__(self) -> None:
        self.entries: list[_Entry] = []
        self.contents: list[Any] = []
        self.held: list[Any] = []


class _Plan:
    """The part of the graph whose references stay. It only grows."""

    __slots__ = ("entries", "has_replaced", "held", "index", "layout")

    def __init__(self) -> None:
        self.entries: list[_Entry] = []
        self.held: list[Any] = []
        self.index: set[int] = set()  # identities of all objects visited, every one of them kept alive by entries or held
        self.has_replaced = False
        self.layout: _Layout  # the newest


class _Layout:
    """A plan's objects as they were known at one time, the still apart from the moving, with the contents of the still.

    Args:
        plan: whose entries these are.
        contents: of every entry, in order.
    """

    def __init__(self, plan: _Plan, contents: list[Any]) -> None:
        self.plan = plan
        pairs = list(zip(plan.entries, contents, strict=True))
        self.moving = [entry for entry, _ in pairs if entry.moving]
        self.still = [(entry, content) for entry, content in pairs if not entry.moving]
        mappings = [(entry.obj, content) for entry, content in self.still if entry.kind is DICT]
        lists = [(entry.obj, content) for entry, content in self.still if entry.kind is LIST]
        arrays = [(entry.obj, content) for entry, content in self.still if entry.kind is ARRAY]
        self._mappings = [obj for obj, _ in mappings]
        self._mapping_sizes = [len(content) for _, content in mappings]
        self._keys = list(chain.from_iterable(content for _, content in mappings))
        self._values = list(chain.from_iterable(content.values() for _, content in mappings))
        self._lists = [obj for obj, _ in lists]
        self._list_sizes = [len(content) for _, content in lists]
        self._items = list(chain.from_iterable(content for _, content in lists))
        self._arrays = [obj for obj, _ in arrays]
        self._shapes = [(content[0], content[2]) for _, content in arrays]
        self._bytes = [content[1] for _, content in arrays]
        self._array_bytes = methodcaller("tobytes")
        self._array_shape = attrgetter("shape", "flags.writeable")

    def unchanged(self) -> bool:
        """Whether all still objects are as they were."""
        return (
            list(map(len, self._mappings)) == self._mapping_sizes
            and all(map(is_, chain.from_iterable(map(dict.values, self._mappings)), self._values))
            and all(map(is_, chain.from_iterable(self._mappings), self._keys))
            and list(map(len, self._lists)) == self._list_sizes
            and all(map(is_, chain.from_iterable(self._lists), self._items))
            and list(map(self._array_bytes, self._arrays)) == self._bytes
            and list(map(self._array_shape, self._arrays)) == self._shapes
        )

    def all_contents(self, moving: list[Any]) -> dict[_Entry, Any]:
        """The contents of every entry, given those of the moving."""
        return {**dict(self.still), **dict(zip(self.moving, moving, strict=True))}


_Place = tuple[_Entry, Any]  # an entry of the plan, and the key in it (None where there are no keys)


class Checkpoint:
    """The contents of a graph at one moment. Opaque; only the `Checkpointer` that made it can restore it."""

    __slots__ = ("branches", "layout", "moving")

    def __init__(self, layout: _Layout, moving: list[Any], branches: dict[_Place, _Branch]) -> None:
        self.layout = layout
        self.moving = moving
        self.branches = branches

    def pairs(self) -> Iterator[tuple[_Entry, Any]]:
        """Every changeable object's entry with its captured contents."""
        yield from self.layout.still
        yield from zip(self.layout.moving, self.moving, strict=True)
        for branch in self.branches.values():
            yield from zip(branch.entries, branch.contents, strict=True)

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
        plan, main = _Plan(), _Branch()
        plan.index.update(map(id, self._beyond))
        for root in self._roots:
            self._walk(root, plan.index, main, type(root).__name__)
        plan.entries, plan.held = main.entries, main.held
        plan.has_replaced = any(isinstance(entry.kind, ReplacedKind) for entry in main.entries)
        self._lay_out(plan, main.contents)
        self._branches: dict[_Place, _Branch] = {}
        self._stale = False

    def _lay_out(self, plan: _Plan, contents: list[Any]) -> None:
        self._plan = plan
        self._layout = plan.layout = _Layout(plan, contents)
        self._moving = [content for entry, content in zip(plan.entries, contents, strict=True) if entry.moving]

    # -- finding -----------------------------------------------------------------------------------------------------

    def _walk(self, start: Any, index: set[int], into: _Branch, where: str) -> None:
        """Append every changeable object reachable from `start` and not in `index`, with its present contents."""
        stack = [start]
        while stack:
            obj = stack.pop()
            if _is_value(obj) or id(obj) in index:
                continue
            role, kind, slots, attributes = role_of(obj)
            if role is Role.VALUE:
                continue
            if role is Role.REFUSED:
                raise SnapshotError(
                    f"a {type(obj).__module__}.{type(obj).__qualname__} (found from {where}) can be neither copied nor written "
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
                into.entries.append(_Entry(target, how))
                into.contents.append(content)
                parts.extend(how.parts(content))
            if role is Role.PARTS:
                children = list(children_of_value(obj))
                if any(map(may_be_replaced, map(type, children))):
                    self._require_exchangeable(obj, children)
                parts.extend(children)
            elif isinstance(kind, ArrayKind | BitGeneratorKind):
                parts.extend(children_of_value(obj))
            stack.extend(reversed(parts))

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
        changes: list[tuple[_Entry, Any, Any]] = []
        if not self._layout.unchanged():
            self._set_moving(changes)
        after: list[Any] = []
        append = after.append
        for entry, old in zip(self._layout.moving, self._moving, strict=True):
            new = entry.kind.capture(entry.obj, old)
            append(new)
            if new is not old:
                changes.append((entry, new, old))
        self._moving = after
        if changes or self._branches:
            self._stale = True  # until this is through: a save that fails half-way must not count as a look
            self._branches = self._follow(changes)
            self._stale = False
        return Checkpoint(self._layout, self._moving, self._branches)

    def _set_moving(self, changes: list[tuple[_Entry, Any, Any]]) -> None:
        """Some still object has changed: find out which, and count them among the moving from now on."""
        contents = self._layout.all_contents(self._moving)
        for entry, old in self._layout.still:
            new = entry.kind.capture(entry.obj, old)
            if new is not old:
                entry.moving = True
                contents[entry] = new
                changes.append((entry, new, old))
        self._lay_out(self._plan, [contents[entry] for entry in self._plan.entries])

    def _follow(self, changes: list[tuple[_Entry, Any, Any]]) -> dict[_Place, _Branch]:
        """Find what new references lead to: into the plan, or, at a volatile place, into a branch."""
        regrow: dict[_Place, list[Any]] = {}
        dropped: set[_Place] = set()
        added = _Branch()
        for entry, new, old in changes:
            if entry.kind is DICT:
                self._follow_mapping(entry, new, old, regrow, dropped, added)
                continue
            if all(map(_is_value, entry.kind.parts(new))):
                if None in entry.volatile:
                    dropped.add((entry, None))
                continue
            if None in entry.volatile:
                regrow[entry, None] = [part for part in entry.kind.parts(new) if not _is_value(part)]
                continue
            known = set(map(id, entry.kind.parts(old)))
            fresh = [part for part in entry.kind.parts(new) if id(part) not in known]
            if fresh and self._admit(entry, None, fresh, added):
                regrow[entry, None] = [part for part in entry.kind.parts(new) if not _is_value(part)]
        if added.held:
            self._extend(added)
        if not self._branches and not regrow:
            return self._branches
        result = {
            place: self._refresh(branch) for place, branch in self._branches.items() if place not in dropped and place not in regrow
        }
        for place, heads in regrow.items():
            result[place] = self._grow(heads)
        return result

    def _follow_mapping(
        self,
        entry: _Entry,
        new: dict[Any, Any],
        old: dict[Any, Any],
        regrow: dict[_Place, list[Any]],
        dropped: set[_Place],
        added: _Branch,
    ) -> None:
        volatile = entry.volatile
        if len(new) == len(old):
            changed = [item for item, before in zip(new.items(), old.values(), strict=True) if item[1] is not before]
        else:
            changed = list(new.items())
        for key, value in changed:
            if key in volatile:
                dropped.add((entry, key))
            if type(value) in VALUE_TYPES or _is_value(value):
                continue
            if key in volatile or self._admit(entry, key, [value], added):
                regrow[entry, key] = [value]
        if volatile:
            dropped.update((entry, key) for key in volatile if key not in new)
        if not all(map(_IN_VALUE_TYPES, map(type, new))):
            self._admit(entry, _KEYS, list(new), added)

    def _admit(self, entry: _Entry, key: Any, fresh: list[Any], added: _Branch) -> bool:
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

    def _extend(self, added: _Branch) -> None:
        plan, contents = self._plan, self._layout.all_contents(self._moving)
        known = [contents[entry] for entry in plan.entries]
        plan.entries = plan.entries + added.entries
        plan.held.extend(added.held)
        plan.has_replaced |= any(isinstance(entry.kind, ReplacedKind) for entry in added.entries)
        self._lay_out(plan, known + added.contents)

    def _grow(self, heads: list[Any]) -> _Branch:
        branch = _Branch()
        index = _Overlay(self._plan.index)
        branch.held.append(heads)
        for head in heads:
            self._walk(head, index, branch, type(head).__name__)
        return branch

    def _refresh(self, branch: _Branch) -> _Branch:
        """Capture a branch whose head is still the same; where a reference in it changed, find it anew."""
        contents = [entry.kind.capture(entry.obj, old) for entry, old in zip(branch.entries, branch.contents, strict=True)]
        changed = [
            (entry, new) for entry, new, old in zip(branch.entries, contents, branch.contents, strict=True) if new is not old
        ]
        if not changed:
            return branch
        if any(not _is_value(part) for entry, new in changed for part in entry.kind.parts(new)):
            return self._grow(branch.held[0])
        fresh = _Branch()
        fresh.entries, fresh.held, fresh.contents = branch.entries, branch.held, contents
        return fresh

    # -- restoring ---------------------------------------------------------------------------------------------------

    def restore(self, checkpoint: Checkpoint) -> None:
        """Write the contents of a checkpoint back, in place. Any checkpoint of this object, any number of times."""
        layout, plan = checkpoint.layout, checkpoint.layout.plan
        swap = self._swap(checkpoint)
        if swap:
            for entry, content in checkpoint.pairs():
                entry.kind.restore(entry.obj, _swapped(entry.kind, content, swap))
        else:
            if layout is not self._layout or not layout.unchanged():
                for entry, content in layout.still:
                    entry.kind.restore(entry.obj, content)
            for entry, content in zip(layout.moving, checkpoint.moving, strict=True):
                entry.kind.restore(entry.obj, content)
            for branch in checkpoint.branches.values():
                for entry, content in zip(branch.entries, branch.contents, strict=True):
                    entry.kind.restore(entry.obj, content)
        self._branches, self._stale = checkpoint.branches, False
        if layout is plan.layout:
            self._plan, self._layout, self._moving = plan, layout, checkpoint.moving
            return
        # Objects found after this checkpoint was made stay in the plan, for they may be met again.
        contents = layout.all_contents(checkpoint.moving)
        known = [contents[entry] if entry in contents else entry.kind.capture(entry.obj, None) for entry in plan.entries]
        self._lay_out(plan, known)

    @staticmethod
    def _swap(checkpoint: Checkpoint) -> dict[int, Any]:
        """A fresh copy for every object that cannot be written back in place, by the identity of the original."""
        if not checkpoint.layout.plan.has_replaced and not checkpoint.branches:
            return {}
        return {
            id(entry.obj): entry.kind.fresh(content)
            for entry, content in checkpoint.pairs()
            if isinstance(entry.kind, ReplacedKind)
        }


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

"""Checkpoints of an object graph: every changeable object's contents are copied out, and later written back in place.

Identity and aliasing survive, because no object is replaced: a list that two others share is shared after a restore
too, a closure still sees its variable, a lambda is no obstacle. Values that cannot change are shared between snapshots.

How it stays fast. The changeable objects are found once by a walk from the roots and kept in a *plan*. A save goes
through the plan and compares each object's references with those of the save before, by identity; unchanged contents are
shared between the two snapshots. Only where a reference changed is there anything new to find, so only there it looks
again. A place whose content is replaced time after time (an environment that makes a new array at every step) is
remembered as *volatile*: what hangs there is kept beside the plan, and replaced as a whole, so that the plan does not grow.

Sets. Their order of iteration depends on the history of their hash table, which no copy can bring back. So every capture
rebuilds the set in an order that depends on its elements alone, and a restore builds it in the same order. A graph with
sets must therefore be saved after every step, on every host alike: then equal steps begin with equal tables, whether a
rollback happened or not. (Elements hashed by identity have no such order; nothing can help those.)

This module knows nothing of environments, frames or networks; it is given roots and gives contents.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ..errors import SnapshotError
from .contents import DICT, SET, ArrayKind, Kind, ReplacedKind
from .kinds import VALUE_TYPES, Role, children_of_value, role_of

__all__ = ["Checkpoint", "Checkpointer"]


class _Entry:
    """One changeable object: how to capture it, and at which of its places new objects turned up before."""

    __slots__ = ("kind", "obj", "seen", "volatile")

    def __init__(self, obj: Any, kind: Kind) -> None:
        self.obj = obj
        self.kind = kind
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
    """The part of the graph whose references stay. It only grows; a checkpoint's length says how much of it was known."""

    __slots__ = ("entries", "has_replaced", "held", "index")

    def __init__(self) -> None:
        self.entries: list[_Entry] = []
        self.held: list[Any] = []
        self.index: set[int] = set()  # identities of all objects visited, every one of them kept alive by entries or held
        self.has_replaced = False


_Place = tuple[int, Any]  # number of an entry of the plan, and the key in it (None where there are no keys)


class Checkpoint:
    """The contents of a graph at one moment. Opaque; only the `Checkpointer` that made it can restore it."""

    __slots__ = ("branches", "contents", "plan")

    def __init__(self, plan: _Plan, contents: list[Any], branches: dict[_Place, _Branch]) -> None:
        self.plan = plan
        self.contents = contents
        self.branches = branches

    def pairs(self) -> Iterator[tuple[_Entry, Any]]:
        """Every changeable object's entry with its captured contents."""
        yield from zip(self.plan.entries, self.contents, strict=False)
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
        beyond: objects that somebody else takes care of: neither they nor what is reached through them alone is covered.

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
        self._plan, self._contents = plan, main.contents
        self._branches: dict[_Place, _Branch] = {}
        self._stale = False

    @property
    def has_sets(self) -> bool:
        """Whether the graph is known to hold a set: then it has to be saved after every step (see the module's text)."""
        return any(entry.kind is SET for entry in self._plan.entries) or any(
            entry.kind is SET for branch in self._branches.values() for entry in branch.entries
        )

    # -- finding -----------------------------------------------------------------------------------------------------

    @staticmethod
    def _walk(start: Any, index: set[int], into: _Branch, where: str) -> None:
        """Append every changeable object reachable from `start` and not in `index`, with its present contents."""
        stack = [start]
        while stack:
            obj = stack.pop()
            if type(obj) in VALUE_TYPES or id(obj) in index:
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
            if role is Role.PARTS or isinstance(kind, ArrayKind):
                parts.extend(children_of_value(obj))
            stack.extend(reversed(parts))

    # -- saving ------------------------------------------------------------------------------------------------------

    def save(self) -> Checkpoint:
        """The contents of the whole graph now.

        Raises:
            SnapshotError: something new can be neither copied nor written back.
        """
        if self._stale:
            self.rescan()
        plan, before, branches = self._plan, self._contents, self._branches
        after: list[Any] = []
        append = after.append
        moved: list[tuple[int, Any]] = []
        for place, (entry, old) in enumerate(zip(plan.entries, before, strict=True)):
            new = entry.kind.capture(entry.obj, old)
            append(new)
            if new is not old:
                moved.append((place, old))
        if moved or branches:
            self._stale = True  # until this is through: a save that fails half-way must not count as a look
            self._branches = self._follow(moved, after, branches)
            self._stale = False
        self._contents = after
        return Checkpoint(plan, after, self._branches)

    def _follow(self, moved: list[tuple[int, Any]], after: list[Any], branches: dict[_Place, _Branch]) -> dict[_Place, _Branch]:
        """Find what new references lead to; contents of newly found objects are appended to `after`."""
        plan = self._plan
        regrow: dict[_Place, list[Any]] = {}
        dropped: set[_Place] = set()
        for place, old in moved:
            entry, new = plan.entries[place], after[place]
            if entry.kind is DICT:
                self._follow_mapping(place, entry, new, old, regrow, dropped, after)
                continue
            if None in entry.volatile:
                regrow[place, None] = list(entry.kind.parts(new))
                continue
            known = set(map(id, entry.kind.parts(old)))
            fresh = [part for part in entry.kind.parts(new) if id(part) not in known]
            if self._admit(entry, None, fresh, after):
                regrow[place, None] = list(entry.kind.parts(new))
        if not branches and not regrow:
            return branches
        result = {
            place: self._refresh(branch, after)
            for place, branch in branches.items()
            if place not in dropped and place not in regrow
        }
        for spot, heads in regrow.items():
            result[spot] = self._grow(heads)
        return result

    def _follow_mapping(
        self,
        place: int,
        entry: _Entry,
        new: dict[Any, Any],
        old: dict[Any, Any],
        regrow: dict[_Place, list[Any]],
        dropped: set[_Place],
        after: list[Any],
    ) -> None:
        get = old.get
        for key, value in new.items():
            if get(key, _MISSING) is value:
                continue
            if key in entry.volatile:
                dropped.add((place, key))
            if type(key) not in VALUE_TYPES and key not in old:
                self._admit(entry, _KEYS, [key], after)
            if type(value) not in VALUE_TYPES and (key in entry.volatile or self._admit(entry, key, [value], after)):
                regrow[place, key] = [value]
        dropped.update((place, key) for key in entry.volatile if key not in new)

    def _admit(self, entry: _Entry, key: Any, fresh: list[Any], after: list[Any]) -> bool:
        """Take objects that are new at a place into the plan; True instead if the place has become volatile."""
        index = self._plan.index
        fresh = [
            part for part in fresh if type(part) not in VALUE_TYPES and id(part) not in index and role_of(part)[0] is not Role.VALUE
        ]
        if not fresh:
            return False
        if key in entry.seen and key is not _KEYS:
            entry.volatile.add(key)
            return True
        entry.seen.add(key)
        found = _Branch()
        for part in fresh:
            self._walk(part, index, found, type(entry.obj).__name__)
        self._plan.entries.extend(found.entries)
        self._plan.held.extend(found.held)
        self._plan.has_replaced |= any(isinstance(entry.kind, ReplacedKind) for entry in found.entries)
        after.extend(found.contents)
        return False

    def _grow(self, heads: list[Any]) -> _Branch:
        branch = _Branch()
        index = _Overlay(self._plan.index)
        branch.held.append(heads)
        for head in heads:
            self._walk(head, index, branch, type(head).__name__)
        return branch

    def _refresh(self, branch: _Branch, after: list[Any]) -> _Branch:
        """Capture a branch whose head is still the same; where a reference in it changed, find it anew."""
        contents = [entry.kind.capture(entry.obj, old) for entry, old in zip(branch.entries, branch.contents, strict=True)]
        changed = [
            (entry, new) for entry, new, old in zip(branch.entries, contents, branch.contents, strict=True) if new is not old
        ]
        if not changed:
            return branch
        if any(type(part) not in VALUE_TYPES for entry, new in changed for part in entry.kind.parts(new)):
            return self._grow(branch.held[0])
        fresh = _Branch()
        fresh.entries, fresh.held, fresh.contents = branch.entries, branch.held, contents
        return fresh

    # -- restoring ---------------------------------------------------------------------------------------------------

    def restore(self, checkpoint: Checkpoint) -> None:
        """Write the contents of a checkpoint back, in place. Any checkpoint of this object, any number of times."""
        swap = self._swap(checkpoint)
        if swap:
            for entry, content in checkpoint.pairs():
                entry.kind.restore(entry.obj, _swapped(entry.kind, content, swap))
        else:
            for entry, content in zip(checkpoint.plan.entries, checkpoint.contents, strict=False):
                entry.kind.restore(entry.obj, content)
            for branch in checkpoint.branches.values():
                for entry, content in zip(branch.entries, branch.contents, strict=True):
                    entry.kind.restore(entry.obj, content)
        plan = checkpoint.plan
        # Objects found after this checkpoint was made stay in the plan, for they may be met again.
        later = plan.entries[len(checkpoint.contents) :]
        self._contents = checkpoint.contents + [entry.kind.capture(entry.obj, None) for entry in later]
        self._plan, self._branches, self._stale = plan, checkpoint.branches, False

    @staticmethod
    def _swap(checkpoint: Checkpoint) -> dict[int, Any]:
        """A fresh copy for every object that cannot be written back in place, by the identity of the original."""
        if not checkpoint.plan.has_replaced and not checkpoint.branches:
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


_MISSING = object()
_KEYS = object()  # the place of a mapping's keys, as against its values


def _swapped(kind: Kind, content: Any, swap: dict[int, Any]) -> Any:
    """`content` with every object that was copied exchanged for its copy."""
    if kind is DICT:
        if any(id(value) in swap for value in content.values()):
            return {key: swap.get(id(value), value) for key, value in content.items()}
        return content
    if isinstance(content, tuple | list):
        if any(id(part) in swap for part in kind.parts(content)):
            return type(content)(swap.get(id(part), part) for part in content)
    return content

"""Checkpoints of an object graph: every changeable object's contents are copied out, and later written back in place.

Identity and aliasing survive, because no object is replaced: a list that two others share is shared after a restore
too, a closure still sees its variable, a lambda is no obstacle. Values that cannot change are shared between snapshots.

How it stays fast. The changeable objects are found once, by a walk from the roots, and kept in a *plan*; a `Watch`
tells which of them may have changed since it last looked, and only these are captured. Only where a reference changed
is there anything new to find, so only there it looks again. A place whose content is replaced time after time (an
environment that makes a new array at every step) is remembered as *volatile*: what hangs there is kept beside the plan,
and replaced as a whole, so that the plan does not grow; and if it always hangs together alike, it is taken along a `Mould`.

Sets. Their order of iteration depends on the history of their hash table, which no copy can bring back. So every
capture rebuilds the set in an order that depends on its elements alone, and a restore builds it in the same order.
A graph with sets must therefore be saved after the same steps on every host: then equal steps begin with equal
tables, whether a rollback happened or not. (Elements hashed by identity have no such order; nothing can help
those.) Between such saves a graph may be saved only as long as it has no sets, which `save_untouched` sees to.

This module knows nothing of environments, frames or networks; it is given roots and gives contents.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Container, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from itertools import compress
from operator import is_, is_not
from typing import Any

from ..errors import SnapshotError
from .contents import ARRAY, DICT, LIST, SET, ArrayKind, Kind, ReplacedKind
from .foreign import full_name
from .generators import BitGeneratorKind
from .kinds import ARRAY_TYPES, VALUE_TYPES, Role, children_of_value, may_be_replaced, role_of
from .mould import Mould
from .parts import Addition, Branch, Entry, Leaf, Part, Plan
from .watch import Item, Watch

__all__ = ["Checkpoint", "Checkpointer"]


class _SetMet(Exception):
    """There is a set where none may be brought into another order."""


_Place = tuple[Entry, Any]  # an entry of the plan, and the key in it (None where there are no keys)
_Branches = dict[_Place, Branch | Leaf]
#: An entry, what it holds, what it held, and of a mapping that has the keys that it had, the items that changed.
_Change = tuple[Entry, Any, Any, list[tuple[Any, Any]] | None]


class Checkpoint:
    """The contents of a graph at one moment. Opaque; only the `Checkpointer` that made it can restore it."""

    __slots__ = ("branches", "contents", "plan")

    def __init__(self, plan: Plan, contents: list[Any], branches: _Branches) -> None:
        self.plan = plan
        self.contents = contents  # of the first so many entries of the plan
        self.branches = branches

    def pairs(self) -> Iterator[tuple[Item, Any]]:
        """Every changeable object's entry with its captured contents."""
        yield from zip(self.plan.entries, self.contents, strict=False)
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

    def own_bytes(self, before: Checkpoint) -> int:
        """About how many bytes of memory it takes beside an earlier checkpoint: what it has of its own."""
        shared = {id(content) for _, content in before.pairs()}
        return sum(_bytes_of(content) for _, content in self.pairs() if id(content) not in shared)


class Checkpointer:
    """Saves and restores the state of everything changeable that can be reached from some roots.

    Args:
        roots: the objects to begin at. They stay the same objects for good.
        beyond: objects that somebody else takes care of: neither they nor what is reached only through them is covered.
        watched: whether to find out where objects keep what they hold, so that few need be looked at. Not so, where hardly
            anything is ever saved or restored.

    Raises:
        SnapshotError: something reachable can be neither copied nor written back; the message names its type.
    """

    def __init__(self, roots: Sequence[Any], beyond: Sequence[Any] = (), *, watched: bool = True) -> None:
        self._roots = list(roots)
        self._beyond = list(beyond)
        self._watched = watched
        self._may_order = True
        self.rescan()

    def add_root(self, root: Any) -> None:
        """Also cover what can be reached from `root`, from the next save on."""
        if not any(root is known for known in self._roots):
            self._roots.append(root)
            self.rescan()

    @property
    def has_sets(self) -> bool:
        """Whether there was a set in the graph when it was last saved."""
        return self._plan.has_sets or any(branch.has_sets for branch in self._branches.values())

    def rescan(self) -> None:
        """Forget the plan and walk the whole graph again, as after an episode's reset, when most of it is new."""
        plan, main = Plan(), Addition(moving=not self._watched)
        plan.index.update(map(id, self._beyond))
        for root in self._roots:
            self._walk(root, plan.index, main, type(root).__name__)
        plan.entries, plan.held, plan.most = main.entries, main.held, 2 * len(main.entries) + 100
        plan.has_replaced, plan.has_sets = main.has_replaced, main.has_sets
        plan.watch = Watch(plan.entries)
        self._plan, self._contents = plan, main.contents
        self._branches: _Branches = {}
        self._stale = False
        #: The places of entries that may hold something else than what the watch saw last (None: any of them may), and of those
        #: among them that may have other keys.
        self._doubtful: Iterable[int] | None = ()
        self._reshaped: Iterable[int] = ()

    # -- finding -----------------------------------------------------------------------------------------------------

    def _walk(self, start: Any, index: set[int], into: Part, where: str, beyond: AbstractSet[int] = frozenset()) -> None:
        """Append every changeable object reachable from `start` and not in `index`, with its present contents.

        What is met goes into the index; what is in `beyond` is passed over as well.
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
            plain = _PLAIN.get(type_)
            if plain is not None:
                index.add(id(obj))
                held.append(obj)
                content = type_(obj)
                append(obj, plain, content)
                stack.extend([part for part in plain.parts(content) if type(part) not in VALUE_TYPES])
                continue
            if _is_value(obj):
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
                if how is SET and not self._may_order:
                    raise _SetMet
                content = how.capture(target, None)
                append(target, how, content)
                into.has_replaced |= isinstance(how, ReplacedKind)
                into.has_sets |= how is SET
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
        doubtful = self._look()
        # Until this is through: a save that fails half-way must not count as a look.
        self._stale = self._plan.spoiled = True
        changed = self._capture(*doubtful)
        if changed or self._branches:
            self._branches = self._follow(changed)
        if self._plan.watch.moved:
            self._rewatch()
        self._doubtful = self._reshaped = ()
        self._plan.spoiled = False
        # In a plan that grows and grows there is much that the graph has long forgotten.
        self._stale = len(self._plan.entries) > self._plan.most
        return Checkpoint(self._plan, self._contents, self._branches)

    def as_found(self) -> Checkpoint:
        """The contents as they were when the graph was walked, at the beginning or by `rescan`."""
        return Checkpoint(self._plan, self._contents, self._branches)

    def save_untouched(self) -> Checkpoint | None:
        """As `save`, but nothing is brought into another order; None if there is, or was, a set in the graph."""
        if self.has_sets:
            return None
        self._may_order = False
        try:
            return self.save()
        except _SetMet:
            return None
        finally:
            self._may_order = True

    def _look(self) -> tuple[Iterable[int], Container[int]]:
        """The places of all entries that may not hold what they held, and of those among them that hold nobody knows what.

        Until they are seen to, any may.
        """
        before, self._doubtful = self._doubtful, None
        found, moved = self._plan.watch.look(), self._plan.watch.moved
        if before is None:
            every = range(len(self._plan.entries))
            return every, every
        return ({*found, *before} if before else found), ({*moved, *self._reshaped} if self._reshaped else moved)

    def _capture(self, places: Iterable[int], unknown: Container[int]) -> list[_Change]:
        """Take the contents of the entries at these places; those that have really changed."""
        entries, contents = self._plan.entries, self._contents
        fresh = contents.copy()
        found: list[_Change] = []
        for place in places:
            entry, old = entries[place], contents[place]
            if entry.keyed and place not in unknown:  # its keys are what they were
                new = dict(entry.obj)
                changed = [*compress(new.items(), map(is_not, new.values(), old.values()))]
                if changed:
                    fresh[place] = new
                    found.append((entry, new, old, changed))
            elif (new := entry.kind.capture(entry.obj, old)) is not old:
                fresh[place] = new
                found.append((entry, new, old, None))
        if found:
            self._contents = fresh
        return found

    def _rewatch(self) -> None:
        """Watch entries where they are now: they have moved, or there are more."""
        plan = self._plan
        for place in plan.watch.moved:
            plan.entries[place].move(self._contents[place])
        plan.watch = Watch(plan.entries)

    def _follow(self, changed: list[_Change]) -> _Branches:
        """Find what new references lead to: into the plan, or, at a volatile place, into a branch."""
        grown: _Branches = {}
        dropped: set[_Place] = set()
        added = Addition(moving=not self._watched)
        for entry, new, old, items in changed:
            if items is not None:
                self._follow_items(entry, items, grown, dropped, added)
            elif entry.kind is DICT:
                self._follow_mapping(entry, new, old, grown, dropped, added)
            else:
                self._follow_parts(entry, new, old, grown, dropped, added)
        for known, branch in self._branches.items():
            if known not in grown and known not in dropped:
                grown[known] = self._refresh(branch, added)
        if added.held:
            self._extend(added)
        return grown

    def _follow_parts(
        self,
        entry: Entry,
        new: Any,
        old: Any,
        grown: _Branches,
        dropped: set[_Place],
        added: Addition,
    ) -> None:
        """An object without keys, or a list that is captured as a whole, has other parts than before."""
        if not entry.volatile:
            known = set(map(id, entry.kind.parts(old)))
            fresh = [part for part in entry.kind.parts(new) if id(part) not in known and not _is_value(part)]
            if not fresh or not self._admit(entry, None, fresh, added):
                return
        dropped.add((entry, None))
        parts = [part for part in entry.kind.parts(new) if not _is_value(part)]
        if parts:
            grown[entry, None] = self._grow(parts, self._branches.get((entry, None)), added)

    def _follow_mapping(
        self,
        entry: Entry,
        new: dict[Any, Any],
        old: dict[Any, Any],
        grown: _Branches,
        dropped: set[_Place],
        added: Addition,
    ) -> None:
        if len(new) == len(old) and all(map(is_, new, old)):
            items = [*compress(new.items(), map(is_not, new.values(), old.values()))]
        else:
            items = [*new.items()]
            dropped.update((entry, key) for key in entry.volatile if key not in new)
            if not all(map(_IN_VALUE_TYPES, map(type, new))):
                self._admit(entry, _KEYS, list(new), added)
        self._follow_items(entry, items, grown, dropped, added)

    def _follow_items(
        self, entry: Entry, items: list[tuple[Any, Any]], grown: _Branches, dropped: set[_Place], added: Addition
    ) -> None:
        volatile = entry.volatile
        for key, value in items:
            if key in volatile:
                dropped.add((entry, key))
            if type(value) in VALUE_TYPES or _is_value(value):
                continue
            if key in volatile or self._admit(entry, key, [value], added):
                grown[entry, key] = self._grow([value], self._branches.get((entry, key)), added)

    def _admit(self, entry: Entry, key: Any, fresh: list[Any], added: Addition) -> bool:
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

    def _extend(self, added: Addition) -> None:
        plan = self._plan
        plan.entries = plan.entries + added.entries
        plan.held.extend(added.held)
        plan.has_replaced |= added.has_replaced
        plan.has_sets |= added.has_sets
        self._contents = self._contents + added.contents
        self._rewatch()

    def _grow(self, heads: list[Any], before: Branch | Leaf | None, added: Addition) -> Branch | Leaf:
        """A new branch from these heads. What was in one after the other before it is there to stay, and goes into the plan."""
        index = self._plan.index
        head = heads[0]
        if len(heads) == 1 and type(head) in ARRAY_TYPES and _is_plain_array(head) and id(head) not in index:
            return Leaf(head, ARRAY.capture(head, None))
        branch = Branch()
        if isinstance(before, Branch) and len(heads) == 1 and id(head) not in index and self._fits(branch, head, before):
            return branch
        own: set[int] = set()
        for head in heads:
            self._walk(head, own, branch, type(head).__name__, index)
        if isinstance(before, Branch):
            ages = before.ages
            for obj in branch.held:
                branch.ages[id(obj)] = age = ages.get(id(obj), 0) + 1
                if age == _PERSISTENT:
                    self._walk(obj, index, added, type(obj).__name__)
        branch.held.append(heads)
        return branch

    def _fits(self, branch: Branch, head: Any, before: Branch) -> bool:
        """Fill a branch by the mould that the one before it fitted, if it has one and this one fits it, too."""
        index, mould = self._plan.index, before.mould
        branch.wait, branch.turns = before.wait, before.turns + 1
        if mould is None and before.turns >= before.wait:
            branch.wait *= 2  # what does not stay alike is asked ever more seldom whether it does now
            branch.turns = 0
            mould = Mould.of(head, index, _is_value)
        taken = None if mould is None else mould.take(head, index, _is_value)
        if mould is None or taken is None:
            return False
        branch.mould, branch.turns = mould, 0
        branch.objects, branch.contents = taken
        branch.kinds = mould.kinds
        branch.held.append([head])
        return True

    def _refresh(self, branch: Branch | Leaf, added: Addition) -> Branch | Leaf:
        """Capture a branch whose head is still the same; where a reference in it changed, find it anew."""
        if isinstance(branch, Leaf):
            content = ARRAY.capture(branch.array, branch.content)
            return branch if content is branch.content else Leaf(branch.array, content)
        contents = branch.capture()
        if all(map(is_, contents, branch.contents)):
            return branch
        changed = [(kind, new) for kind, new, old in zip(branch.kinds, contents, branch.contents, strict=True) if new is not old]
        if any(not _is_value(part) for kind, new in changed for part in kind.parts(new)):
            return self._grow(branch.held[-1], branch, added)
        fresh = Branch()
        fresh.objects, fresh.kinds, fresh.held = branch.objects, branch.kinds, branch.held
        fresh.ages, fresh.contents = branch.ages, contents
        fresh.mould, fresh.turns, fresh.wait = branch.mould, branch.turns, branch.wait
        fresh.has_replaced, fresh.has_sets = branch.has_replaced, branch.has_sets
        return fresh

    # -- restoring ---------------------------------------------------------------------------------------------------

    def restore(self, checkpoint: Checkpoint) -> None:
        """Write the contents of a checkpoint back, in place. Any checkpoint of this object, any number of times."""
        plan, branches = checkpoint.plan, checkpoint.branches
        contents = checkpoint.contents = _of_all(checkpoint)
        entries, before = plan.entries, self._contents
        if plan is not self._plan:
            self._plan, self._doubtful = plan, None
        doubtful, unknown = self._look()
        replaced = plan.has_replaced or any(branch.has_replaced for branch in branches.values())
        reshaped: list[int] = []
        if replaced:
            self._restore_replaced(checkpoint)
        else:
            if before is not contents:
                doubtful = {*doubtful, *compress(range(len(entries)), map(is_not, before, contents))}
            for place in doubtful:
                entry, content = entries[place], contents[place]
                if entry.keyed and place not in unknown and len(entry.obj) == len(content) and all(map(is_, entry.obj, content)):
                    entry.obj.update(content)
                else:
                    entry.kind.restore(entry.obj, content)
                    reshaped.append(place)
            for branch in branches.values():
                branch.restore()
        self._contents, self._branches, self._stale = contents, branches, plan.spoiled
        # What holds a copy now does not hold what the contents say. All else that was written is not what the watch saw.
        # So the watch stays as it was before: one that began now would take for the places of objects what they were before.
        self._doubtful, self._reshaped = (None if replaced else doubtful), reshaped

    def _restore_replaced(self, checkpoint: Checkpoint) -> None:
        """Write contents back where some objects must be exchanged for copies, in all that hold them."""
        swap = {
            id(entry.obj): entry.kind.fresh(content)
            for entry, content in checkpoint.pairs()
            if isinstance(entry.kind, ReplacedKind)
        }
        for entry, content in checkpoint.pairs():
            entry.kind.restore(entry.obj, _swapped(entry.kind, content, swap))


def _bytes_of(content: Any) -> int:
    """The size of an entry's contents; the bytes of an array lie within a tuple."""
    within = sum(len(part) for part in content if type(part) is bytes) if type(content) is tuple else 0
    return sys.getsizeof(content) + within


def _of_all(checkpoint: Checkpoint) -> list[Any]:
    """The contents of every entry that the plan has now.

    Objects found after the checkpoint was made stay in the plan, for they may be met again. Then it holds them in a branch, or
    it does not matter what is in them.
    """
    contents = checkpoint.contents
    later = checkpoint.plan.entries[len(contents) :]
    if not later:
        return contents
    branches = checkpoint.branches.values()
    branched = {(id(entry.obj), entry.kind): content for branch in branches for entry, content in branch.pairs()}
    found = [branched.get((id(entry.obj), entry.kind)) for entry in later]
    return contents + [
        entry.kind.capture(entry.obj, None) if content is None else content for entry, content in zip(later, found, strict=True)
    ]


def _is_value(obj: Any) -> bool:
    """Whether an object neither changes nor holds anything that does: the plainest values, and tuples of them."""
    kind: Any = type(obj)
    if kind in VALUE_TYPES:
        return True
    return _is_tuple(kind) and (all(map(_IN_VALUE_TYPES, map(type, obj))) or all(map(_is_value, obj)))


def _is_plain_array(array: Any) -> bool:
    """Whether an array holds plain numbers, in memory of its own."""
    return array.base is None and not array.dtype.hasobject


@functools.cache
def _is_tuple(kind: type) -> bool:
    return issubclass(kind, tuple) and kind.__dictoffset__ == 0


#: What was met in so many branches running is there to stay.
_PERSISTENT = 4
_IN_VALUE_TYPES = VALUE_TYPES.__contains__
_PLAIN: dict[type, Kind] = {dict: DICT, list: LIST}
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

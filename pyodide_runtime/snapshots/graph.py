"""Checkpoints of an object graph: every changeable object's contents are copied out, and later written back in place.

Identity and aliasing survive, because no object is replaced: a list that two others share is shared after a restore
too, a closure still sees its variable, a lambda is no obstacle. Values that cannot change are shared between snapshots.

How it stays fast. The changeable objects are found once, by a walk from the roots, and kept in a *plan*; a `Watch`
tells which of them may have changed since it last looked, and only these are captured. Single values that change in
nearly every frame are not even watched, but read (`lively`). Only where a reference changed is there anything new to find,
so only there it looks again. A place whose content is replaced time after time (an environment that makes a new array at
every step) is remembered as *volatile*: what hangs there is kept beside the plan, and replaced as a whole, so that the plan
does not grow; and if it always hangs together alike, it is taken along a `Mould` (`growth`).

Sets. Their order of iteration depends on the history of their hash table, which no copy can bring back. So every
capture rebuilds the set in an order that depends on its elements alone, and a restore builds it in the same order. (One that the
watch finds just as its last capture left it, down to where it last popped, is in that order already.)
A graph with sets must therefore be saved after the same steps on every host: then equal steps begin with equal
tables, whether a rollback happened or not. (Elements hashed by identity have no such order; nothing can help
those.) Between such saves a graph may be saved only as long as it has no sets, which `save_untouched` sees to.

This module knows nothing of environments, frames or networks; it is given roots and gives contents.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from itertools import compress
from operator import is_, is_not
from typing import Any

from .checkpoint import Branches, Checkpoint
from .contents import DICT, LIST, Kind, ReplacedKind
from .growth import Change, Growth, may_lead_on
from .lively import Values
from .livening import LATE, LONGEST_LIST, SOON, gather, liven, liven_alike
from .parts import Addition, Plan
from .search import SetMet, are_plain, is_plain, search
from .watch import Watch

__all__ = ["Checkpoint", "Checkpointer"]

#: So many new objects are looked at one by one in every frame, for a while: to go on with another watch takes as long as a hundred
#: such looks.
FEW = 8


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
        self._growth = Growth()
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
        plan, main = Plan(), Addition()
        self._growth.begin()
        plan.index.update(map(id, self._beyond))
        for root in self._roots:
            search(root, plan.index, main, type(root).__name__, may_order=self._may_order)
        plan.entries, plan.held, plan.most = main.entries, main.held, 2 * len(main.entries) + 100
        plan.has_replaced, plan.has_sets = main.has_replaced, main.has_sets
        self._plan, self._contents, self._values = plan, main.contents, plan.lively.read()
        self._locate(range(len(plan.entries)))
        plan.watch, plan.watched, plan.due = Watch(plan.entries), len(plan.entries), SOON
        self._branches: Branches = {}
        self._stale = False
        #: The places of entries that may hold something else than what the watch saw last (None: any of them may), and of those
        #: among them that may have other keys.
        self._doubtful: Iterable[int] | None = ()
        self._reshaped: Iterable[int] = ()

    # -- saving ------------------------------------------------------------------------------------------------------

    def save(self) -> Checkpoint:
        """The contents of the whole graph now.

        Raises:
            SnapshotError: something new can be neither copied nor written back.
        """
        if self._stale:
            self.rescan()
        doubtful, unknown = self._look()
        plan = self._plan
        # Until this is through: a save that fails half-way must not count as a look.
        self._stale = plan.spoiled = True
        if plan.watch.moved and self._is_lively(plan.watch.moved):
            self._settle(plan.watch.moved)
        values = plan.lively.read()
        if not are_plain(map(type, values.plain)):
            doubtful = {*doubtful, *self._loosen(values)}
            values = plan.lively.read()
        changed = self._capture(doubtful, unknown) if doubtful else []
        grown: Branches = {}
        if plan.lively.loose:
            changed += self._changed_loose(values, grown)
        self._values = values
        if changed or grown.keys() != self._branches.keys():
            added = self._growth.follow(plan, self._branches, changed, grown, may_order=self._may_order)
            if added is not None:
                self._extend(added)
        self._branches = grown
        plan.saves += 1
        if plan.saves >= plan.due or plan.watch.moved or len(plan.entries) > plan.watched + FEW:
            self._go_on_watching()
        self._doubtful = self._reshaped = ()
        plan.spoiled = False
        # In a plan that grows and grows there is much that the graph has long forgotten.
        self._stale = len(plan.entries) > plan.most
        return Checkpoint(plan, self._contents, self._values, self._branches)

    def as_found(self) -> Checkpoint:
        """The contents as they were when the graph was walked, at the beginning or by `rescan`."""
        return Checkpoint(self._plan, self._contents, self._values, self._branches)

    def save_untouched(self) -> Checkpoint | None:
        """As `save`, but nothing is brought into another order; None if there is, or was, a set in the graph."""
        if self.has_sets:
            return None
        self._may_order = False
        try:
            return self.save()
        except SetMet:
            return None
        finally:
            self._may_order = True

    def _look(self) -> tuple[Iterable[int], Container[int]]:
        """The places of all entries that may not hold what they held, and of those among them that hold nobody knows what.

        Until they are seen to, any may.
        """
        plan, before, self._doubtful = self._plan, self._doubtful, None
        found, moved = plan.watch.look(), plan.watch.moved
        if before is None:
            every = range(len(plan.entries))
            return every, every
        if len(plan.entries) > plan.watched:  # what is new is not watched as yet
            more = range(plan.watched, len(plan.entries))
            found, moved = [*found, *more], [*moved, *more]
        return ({*found, *before} if before else found), ({*moved, *self._reshaped} if self._reshaped else moved)

    def _capture(self, places: Iterable[int], unknown: Container[int]) -> list[Change]:
        """Take the contents of the entries at these places; those that have changed, and may lead to something new."""
        entries, contents = self._plan.entries, self._contents
        fresh, different = contents.copy(), False
        found: list[Change] = []
        for place in places:
            entry, old = entries[place], contents[place]
            if entry.keyed and place not in unknown:  # its keys are what they were
                new = dict(entry.obj)
                changed = [*compress(new.items(), map(is_not, new.values(), old.values()))]
                if entry.lively:
                    changed = [item for item in changed if item[0] not in entry.lively]
                if changed:
                    fresh[place], different = new, True
                    if entry.volatile or not are_plain([type(value) for _, value in changed]):
                        found.append((entry, new, old, changed))
                    self._plan.warm[place] = entry
                    entry.warm([key for key, _ in changed])
            elif (new := entry.kind.capture(entry.obj, old)) is not old:
                fresh[place], different = new, True
                if entry.kind.refers and (entry.volatile or may_lead_on(entry.kind, new, old)):
                    found.append((entry, new, old, None))
                if entry.kind is LIST and len(new) == len(old) <= LONGEST_LIST:
                    self._plan.warm[place] = entry
                    entry.warm(compress(range(len(new)), map(is_not, new, old)))
        if different:
            self._contents = fresh
        return found

    # -- lively places -----------------------------------------------------------------------------------------------

    def _is_lively(self, places: Iterable[int]) -> bool:
        entries = self._plan.entries
        return any(entries[place].lively for place in places)

    def _settle(self, places: Iterable[int]) -> None:
        """As `_quieten`, where contents and values are those of this plan, and go on to be right."""
        self._contents = self._plan.lively.overlay(self._contents, self._values)
        self._quieten(places)
        self._values = self._plan.lively.pick(self._contents)

    def _quieten(self, places: Iterable[int]) -> None:
        """No place of these entries is lively any more: it is not where it was, or holds what it should not."""
        plan = self._plan
        for place in places:
            plan.entries[place].calm()
        gather(plan)
        # They are not watched as yet, and so may always have changed.
        plan.watch.lose([place for place in places if place not in plan.watch.moved])

    def _loosen(self, values: Values) -> set[int]:
        """Some lively places hold more than plain values. Lists are lively no more; which these are."""
        plan = self._plan
        lists: set[int] = set()
        for (place, key), value in zip(plan.lively.plain, values.plain, strict=True):
            if not is_plain(value):
                entry = plan.entries[place]
                entry.loose |= {key}
                if not entry.keyed:
                    lists.add(place)
        self._settle(lists)
        return lists

    def _changed_loose(self, values: Values, grown: Branches) -> list[Change]:
        """The loose places that hold something else now; where that is most easily captured, it is, and that is all."""
        entries = self._plan.entries
        changed: list[Change] = []
        for (place, key), new, old in zip(self._plan.lively.loose, values.loose, self._values.loose, strict=True):
            if new is not old:
                entry = entries[place]
                branch = Growth.alike(self._plan, new, self._branches.get((entry, key))) if key in entry.volatile else None
                if branch is None:
                    changed.append((entry, None, None, [(key, new)]))
                else:
                    grown[entry, key] = branch
        return changed

    def _go_on_watching(self) -> None:
        """Watch what is new, and what has moved where it is now; and no longer what is seen to be lively."""
        plan, entries = self._plan, self._plan.entries
        moved, more = plan.watch.moved, range(plan.watched, len(plan.entries))
        self._locate(more)
        for place in moved:
            entries[place].move(self._contents[place])
        left: set[int] = set()
        if plan.saves >= (plan.livened + SOON if moved or more else plan.due):
            left = liven(plan, self._contents)
            plan.due = plan.saves + LATE
        alike = plan.habits and more and liven_alike(plan, self._contents, more)
        if left or alike:
            gather(plan)
            self._values = plan.lively.read()
        if moved:
            plan.watch = Watch(entries)
        else:
            if more:
                plan.watch.extend(entries)
            if left:
                plan.watch.leave_out(left)
        plan.watched = len(entries)

    def _locate(self, places: Iterable[int]) -> None:
        """These entries, which are new, are about to be watched."""
        if self._watched:
            for place in places:
                self._plan.entries[place].locate(self._contents[place])

    def _extend(self, added: Addition) -> None:
        plan = self._plan
        plan.entries = plan.entries + added.entries
        plan.held.extend(added.held)
        plan.has_replaced |= added.has_replaced
        plan.has_sets |= added.has_sets
        self._contents = self._contents + added.contents

    # -- restoring ---------------------------------------------------------------------------------------------------

    def restore(self, checkpoint: Checkpoint) -> None:
        """Write the contents of a checkpoint back, in place. Any checkpoint of this object, any number of times."""
        plan, branches, values = checkpoint.plan, checkpoint.branches, checkpoint.values
        contents = checkpoint.of_all_entries()
        entries, before = plan.entries, self._contents
        if plan is not self._plan:
            self._plan, self._doubtful = plan, None
            self._growth.begin()
        doubtful, unknown = self._look()
        if plan.watch.moved and self._is_lively(plan.watch.moved):
            self._quieten(plan.watch.moved)
        unlike: set[int] = set()  # of what these hold at lively places, present contents do not tell
        then = checkpoint.lively
        if then is not plan.lively:
            unlike = plan.lively.unlike(then)
            contents = then.overlay(contents, values, unlike)
            gone = plan.lively.missing(contents, unlike)
            if gone:
                self._quieten(gone)
                unlike |= plan.lively.unlike(then)
                contents = then.overlay(contents, values, unlike)
            values = plan.lively.pick(contents, then, values)
        checkpoint.contents, checkpoint.lively, checkpoint.values = contents, plan.lively, values
        replaced = plan.has_replaced or any(branch.has_replaced for branch in branches.values())
        reshaped: list[int] = []
        if replaced:
            self._restore_replaced(checkpoint)
        else:
            if before is not contents:
                doubtful = {*doubtful, *compress(range(len(entries)), map(is_not, before, contents))}
            if unlike:
                doubtful = {*doubtful, *unlike}
            for place in doubtful:
                entry, content = entries[place], contents[place]
                if entry.keyed and place not in unknown and len(entry.obj) == len(content) and all(map(is_, entry.obj, content)):
                    entry.obj.update(content)
                else:
                    entry.kind.restore(entry.obj, content)
                    reshaped.append(place)
            plan.lively.write(values)
            for branch in branches.values():
                branch.restore()
        self._contents, self._values, self._branches, self._stale = contents, values, branches, plan.spoiled
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


def _swapped(kind: Kind, content: Any, swap: dict[int, Any]) -> Any:
    """`content` with every object that was copied exchanged for its copy."""
    if kind is DICT:
        if any(id(value) in swap for value in content.values()):
            return {key: swap.get(id(value), value) for key, value in content.items()}
        return content
    if isinstance(content, tuple | list) and any(id(part) in swap for part in kind.parts(content)):
        return type(content)(swap.get(id(part), part) for part in content)
    return content

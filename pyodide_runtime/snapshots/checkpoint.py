"""What a graph of objects held at one moment: the contents of a plan's entries, what is at its lively places, and its branches.

Nothing here knows how it was found, or how it is brought back.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from .contents import Kind
from .lively import Values
from .parts import Branch, Cast, Entry, Leaf, Plan
from .watch import Item

__all__ = ["AnyBranch", "Branches", "Checkpoint", "Place"]

Place = tuple[Entry, Any]  # an entry of the plan, and the key in it (None where there are no keys)
AnyBranch = Branch | Cast | Leaf
Branches = dict[Place, AnyBranch]


class Checkpoint:
    """The contents of a graph at one moment. Opaque; only the `Checkpointer` that made it can restore it."""

    __slots__ = ("branches", "contents", "lively", "plan", "values")

    def __init__(self, plan: Plan, contents: list[Any], values: Values, branches: Branches) -> None:
        self.plan = plan
        self.contents = contents  # of the first so many entries of the plan; what they hold at lively places does not count
        self.lively = plan.lively
        self.values = values  # that is here
        self.branches = branches

    @property
    def whole(self) -> list[Any]:
        """The contents of the first so many entries of the plan, with all that counts."""
        return self.lively.overlay(self.contents, self.values) if self.lively else self.contents

    def pairs(self) -> Iterator[tuple[Item, Any]]:
        """Every changeable object's entry with its captured contents."""
        yield from zip(self.plan.entries, self.whole, strict=False)
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
        shared = {id(content) for content in before.stored()}
        return sum(_bytes_of(content) for content in self.stored() if id(content) not in shared)

    def stored(self) -> Iterator[Any]:
        """All that is kept, each as it is kept."""
        yield from self.contents
        yield self.values.plain
        for branch in self.branches.values():
            yield from [content for _, content in branch.pairs()]

    def of_all_entries(self) -> list[Any]:
        """The contents of every entry that the plan has now.

        Objects found after the checkpoint was made stay in the plan, for they may be met again. Then it holds them in a branch, or
        it does not matter what is in them.
        """
        contents = self.contents
        later = self.plan.entries[len(contents) :]
        if not later:
            return contents
        branches = self.branches.values()
        branched = {(id(entry.obj), entry.kind): content for branch in branches for entry, content in branch.pairs()}
        found = [branched.get((id(entry.obj), entry.kind)) for entry in later]
        return contents + [
            entry.kind.capture(entry.obj, None) if content is None else content for entry, content in zip(later, found, strict=True)
        ]


def _bytes_of(content: Any) -> int:
    """The size of an entry's contents; the bytes of an array lie within a tuple."""
    within = sum(len(part) for part in content if type(part) is bytes) if type(content) is tuple else 0
    return sys.getsizeof(content) + within

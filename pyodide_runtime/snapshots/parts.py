"""What a graph of objects is divided into: a plan of those that stay, and branches that are made anew, at places in the plan.

Each part keeps its objects alive, and knows what they held when they were last looked at. How objects come into a part, and out of
it, is not known here.
"""

from __future__ import annotations

import abc
from collections.abc import Collection, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from .contents import Kind
from .lively import Lively
from .mould import Mould
from .watch import Item, Watch, Watched

_NONE: frozenset[Any] = frozenset()

__all__ = ["SETTLED", "Addition", "Branch", "Cast", "Entry", "Leaf", "Part", "Plan"]

#: What was found alike for so many frames is expected to be so in the next.
SETTLED = 8


class Entry(Watched):
    """One changeable object of a plan, and what was seen of it.

    Attributes:
        keyed: whether it is a mapping, and a watch sees a change of its keys.
        seen, volatile: places where something new was found once, and twice.
        heat: how often each of its places was found to have changed, lately.
        lively: which of its places are (`lively` says what that means), and so are not watched.
        loose: those of them that were ever seen to hold more than plain values.
    """

    __slots__ = ("heat", "keyed", "lively", "loose", "seen", "volatile")

    def __init__(self, obj: Any, kind: Kind) -> None:
        super().__init__(obj, kind)
        self.keyed = False
        self.seen: set[Any] = set()
        self.volatile: set[Any] = set()
        self.heat: dict[Any, int] | None = None
        self.lively: Collection[Any] = _NONE
        self.loose: frozenset[Any] = _NONE

    def locate(self, contents: Any) -> None:
        """As `Watched.locate`."""
        super().locate(contents)
        self.keyed = type(self.obj) is dict and self.places is not None

    def move(self, contents: Any) -> None:
        """As `Watched.move`."""
        super().move(contents)
        self.calm()
        self.keyed = self.keyed and self.places is not None

    def warm(self, keys: Iterable[Any]) -> None:
        """These of its places have changed once more."""
        heat = self.heat
        if heat is None:
            heat = self.heat = {}
        for key in keys:
            heat[key] = heat.get(key, 0) + 1

    def liven(self, keys: Iterable[Any], contents: Any) -> None:
        """These of its places are lively, too; it holds `contents`."""
        assert self.places is not None
        wanted = {*self.lively, *keys}
        found = [*zip(contents if self.keyed else range(len(contents)), self.places.slots, strict=True)]
        self.lively = {key: None for key, _ in found if key in wanted}
        self.unwatched = {slot for key, slot in found if key in wanted}
        self.changes = 0

    def calm(self) -> None:
        """None of its places is lively any more."""
        self.heat, self.lively, self.unwatched = None, _NONE, _NONE


class Part(abc.ABC):
    """A part of the graph: its changeable objects, their contents, and what must be kept alive for its identity's sake."""

    __slots__ = ("contents", "has_replaced", "has_sets", "held")

    def __init__(self) -> None:
        self.contents: list[Any] = []
        self.held: list[Any] = []
        self.has_replaced = self.has_sets = False

    @abc.abstractmethod
    def append(self, obj: Any, kind: Kind, content: Any) -> None:
        """One more object, and what it holds now."""


class Addition(Part):
    """A part that belongs to a plan."""

    __slots__ = ("entries",)

    def __init__(self) -> None:
        super().__init__()
        self.entries: list[Entry] = []

    def append(self, obj: Any, kind: Kind, content: Any) -> None:
        """As `Part.append`."""
        self.entries.append(Entry(obj, kind))
        self.contents.append(content)


class Branch(Part):
    """A part beside the plan, at a volatile place."""

    __slots__ = ("ages", "kinds", "objects", "turns", "wait")

    def __init__(self) -> None:
        super().__init__()
        # Beside each other, for it is made anew time after time.
        self.objects: list[Any] = []
        self.kinds: list[Kind] = []
        self.ages: dict[int, int] = {}  # for each object, by its identity, in how many branches running it was met
        self.turns = 0  # how many branches running were found without a mould
        self.wait = SETTLED  # after how many of them a mould is made

    def append(self, obj: Any, kind: Kind, content: Any) -> None:
        """As `Part.append`."""
        self.objects.append(obj)
        self.kinds.append(kind)
        self.contents.append(content)

    def pairs(self) -> Iterator[tuple[Item, Any]]:
        """Each object with its contents."""
        return zip(map(Item, self.objects, self.kinds), self.contents, strict=True)

    def holding(self, contents: list[Any]) -> Branch:
        """The same objects with other contents."""
        fresh = Branch()
        fresh.objects, fresh.kinds, fresh.held = self.objects, self.kinds, self.held
        fresh.ages, fresh.contents, fresh.turns, fresh.wait = self.ages, contents, self.turns, self.wait
        fresh.has_replaced, fresh.has_sets = self.has_replaced, self.has_sets
        return fresh

    def restore(self) -> None:
        """Write the contents back where they are others now."""
        _restore(self.objects, self.kinds, self.contents)


class Cast:
    """A branch that was taken along a mould."""

    __slots__ = ("contents", "head", "mould", "objects", "wait")

    has_replaced = has_sets = False
    ages: ClassVar[Mapping[int, int]] = MappingProxyType({})
    turns = 0

    def __init__(self, head: Any, mould: Mould, taken: tuple[list[Any], list[Any]], wait: int) -> None:
        self.head = head
        self.mould = mould
        self.objects, self.contents = taken
        self.wait = wait

    @property
    def kinds(self) -> list[Kind]:
        """Of each object, how it is captured."""
        return self.mould.kinds

    @property
    def held(self) -> list[Any]:
        """As that of any other part: its last are the heads."""
        return [[self.head]]

    def pairs(self) -> Iterator[tuple[Item, Any]]:
        """Each object with its contents."""
        return zip(map(Item, self.objects, self.kinds), self.contents, strict=True)

    def holding(self, contents: list[Any]) -> Cast:
        """The same objects with other contents."""
        return Cast(self.head, self.mould, (self.objects, contents), self.wait)

    def restore(self) -> None:
        """Write the contents back where they are others now."""
        objects, kinds, contents, arrays = self.objects, self.mould.kinds, self.contents, self.mould.arrays
        # All arrays at once: to ask them one by one takes twice as long.
        if [(array.shape, array.tobytes(), array.flags.writeable) for array in objects[:arrays]] == contents[:arrays]:
            objects, kinds, contents = objects[arrays:], kinds[arrays:], contents[arrays:]
        _restore(objects, kinds, contents)


def _restore(objects: list[Any], kinds: list[Kind], contents: list[Any]) -> None:
    for obj, kind, content in zip(objects, kinds, contents, strict=True):
        if not kind.holds(obj, content):
            kind.restore(obj, content)


class Leaf:
    """A branch that is a single object: what a volatile place holds most often."""

    __slots__ = ("content", "kind", "obj")

    has_replaced = has_sets = False

    def __init__(self, obj: Any, kind: Kind, content: Any) -> None:
        self.obj = obj
        self.kind = kind
        self.content = content

    def pairs(self) -> Iterator[tuple[Item, Any]]:
        """Each object with its contents."""
        yield Item(self.obj, self.kind), self.content

    def restore(self) -> None:
        """Write the contents back where they are others now."""
        if not self.kind.holds(self.obj, self.content):
            self.kind.restore(self.obj, self.content)


class Plan:
    """The part of the graph whose references stay. It only grows; beyond `most` entries it is time to make another."""

    __slots__ = (
        "due",
        "entries",
        "habits",
        "has_replaced",
        "has_sets",
        "held",
        "index",
        "lively",
        "livened",
        "most",
        "saves",
        "spoiled",
        "warm",
        "watch",
        "watched",
    )

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.held: list[Any] = []
        self.index: set[int] = set()  # identities of all objects visited, every one of them kept alive by entries or held
        self.has_replaced = self.has_sets = False
        self.most = 0
        self.saves = 0  # how many there were since it was made
        self.spoiled = False  # whether objects are in the index that are in no entry
        self.watch: Watch  # over the first so many entries, `watched`
        self.watched = 0
        self.lively = Lively()
        self.livened = 0  # at which save it was last asked which places are
        self.due = 0  # at which that is to be asked again, if nothing new makes it sooner
        self.warm: dict[int, Entry] = {}  # of which it is counted how often their places change, by their places
        #: By all keys of a mapping, those that are lively, and of these the loose, where others with the same keys were seen.
        self.habits: dict[tuple[Any, ...], tuple[Collection[Any], Collection[Any]]] = {}

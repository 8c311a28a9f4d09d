"""Which of many objects may have changed, asked of all of them together.

The words that tell whether an object has changed (`memory` knows where they are) are gathered from all over the memory
into one array and compared with what was gathered before, in a few calls into C. That touches neither the objects nor
what they refer to, and costs a small part of a look at each of them. An object that cannot be watched so, or whose
places move time after time, is *moving*: it may always have changed. Of the others a few are *restless*: they change in
nearly every frame. Their words come last, so that if nothing else has changed it need not be found out which of them has.

A word that stays is a reference to the same object only as long as that object lives; whoever keeps a watch also keeps
the contents that were there when it last looked. This module knows nothing of graphs, or of what is to be done about a change.
"""

from __future__ import annotations

import ctypes
import functools
import sys
from collections.abc import Callable, Container, Sequence, Set
from itertools import chain
from typing import Any

from .contents import Kind
from .memory import WORD, Places, places_of

__all__ = ["Item", "Watch", "Watched"]

#: What has changed so many times running is restless, and is no more when it is seen not to. That is looked into every so often.
_RESTLESS, _REVIEW = 6, 128
#: Guards, heads and words.
_LEVELS = 3
#: What is read at once. To read where there is no memory any more is an error, unless all memory is one piece, as in WebAssembly.
_STEPS = [range(_LEVELS)] if sys.platform == "emscripten" else [[level] for level in range(_LEVELS)]
#: How much memory there can be, in bytes: what one buffer can hold, and no more than a process has.
_MOST = min(1 << 47, sys.maxsize + 1) - 2 * WORD


class Item:
    """One changeable object, and how to capture it."""

    __slots__ = ("kind", "obj")

    def __init__(self, obj: Any, kind: Kind) -> None:
        self.obj = obj
        self.kind = kind


class Watched(Item):
    """An object that can be under watch once it is located, and where it keeps what it holds. `places` is None if it is moving.

    Attributes:
        changes: how many times running it was seen to have changed, up to three.
        unwatched: addresses of words of which no watch is to tell.
    """

    __slots__ = ("_moved", "changes", "places", "unwatched")

    def __init__(self, obj: Any, kind: Kind) -> None:
        super().__init__(obj, kind)
        self.changes = 0
        self.unwatched: Set[int] = frozenset()
        self._moved = False
        self.places: Places | None = None

    def move(self, contents: Any) -> None:
        """Its places have moved. It holds `contents`, and is watched where they are now, but not if they move again."""
        if self._moved:
            self.places = None
        else:
            self.locate(contents)
        self._moved = True
        self.unwatched = frozenset()

    @property
    def words(self) -> Sequence[int]:
        """Where the words are of which a watch is to tell, if there are any."""
        words = self.places.words if self.places else ()
        return [at for at in words if at not in self.unwatched] if self.unwatched else words

    def locate(self, contents: Any) -> None:
        """It holds `contents`, and is watched where they are now."""
        self.places = None
        if "numpy" not in sys.modules:  # there is nothing that could gather
            return
        places = places_of(self.obj, self.kind, contents)
        if places is not None and all(max(addresses, default=0) < _MOST for addresses in places[:_LEVELS]):
            self.places = places


@functools.cache
def _memory() -> Any:
    """All memory but its first word, as words. None is ever read but those that places tell of."""
    np = sys.modules["numpy"]
    return np.frombuffer((ctypes.c_char * _MOST).from_address(WORD), dtype=f"u{WORD}")


class Watch:
    """A watch over objects, which begins with what they hold now. Objects are told of by their places in `items`.

    Attributes:
        moved: objects whose places were found to have moved. They count as moving as long as this watch lasts.
    """

    def __init__(self, items: Sequence[Watched]) -> None:
        self._count = 0
        self._moving: list[int] = []
        self.moved: list[int] = []
        self._steps: list[_Words] = []
        self._stretch_of: list[int] = []
        self._stretches: list[Any] = []
        self._expected: list[bytes] = []
        self._reads: list[Callable[[], bytes]] = []
        self.extend(items)

    def extend(self, items: Sequence[Watched]) -> None:
        """Watch more objects: `items` are all of them, those that are watched already first."""
        added = [*enumerate(items)][self._count :]
        self._count = len(items)
        still = [(place, item) for place, item in added if item.places is not None]
        self._moving = [*self._moving, *[place for place, item in added if item.places is None]]
        if still and not self._steps:
            self._steps = [_Words(step) for step in _STEPS]
        for words in self._steps:
            words.extend(items, still)
        more = [(place, stretch, bytes(stretch)) for place, item in still for stretch in _stretches_of(item)]
        if more:
            self._hold([*zip(self._stretch_of, self._stretches, self._expected, strict=True), *more])

    def leave_out(self, addresses: set[int]) -> None:
        """Of the words at these addresses nothing is to be told any more."""
        for words in self._steps:
            words.leave_out(addresses)

    def look(self) -> list[int]:
        """All objects that may have changed since the last look. From now on only later changes count."""
        found: list[int] = []
        for words in self._steps:
            moved, changed = words.changed()
            if moved:
                self.lose(moved)
            found += changed
        if self._reads and [read() for read in self._reads] != self._expected:
            found += self._changed_stretches()
        found += self._moving
        return found

    def lose(self, moved: Sequence[int]) -> None:
        """Do not look at these objects: where they kept what they hold nothing of theirs may be any more."""
        if not moved:
            return
        self.moved += moved
        self._moving = [*self._moving, *moved]
        lost = set(moved)
        for words in self._steps:
            words.drop(lost)
        pairs = zip(self._stretch_of, self._stretches, self._expected, strict=True)
        self._hold([(place, stretch, data) for place, stretch, data in pairs if place not in lost])

    def _hold(self, stretches: list[tuple[int, Any, bytes]]) -> None:
        self._stretch_of = [place for place, _, _ in stretches]
        self._stretches = [stretch for _, stretch, _ in stretches]
        # NumPy copies them in a tenth of the time that ctypes would take.
        self._reads = [sys.modules["numpy"].frombuffer(stretch, dtype="u1").tobytes for stretch in self._stretches]
        self._expected = [data for _, _, data in stretches]

    def _changed_stretches(self) -> list[int]:
        before, self._expected = self._expected, [read() for read in self._reads]
        return [place for place, now, then in zip(self._stretch_of, self._expected, before, strict=True) if now != then]


def _stretches_of(item: Watched) -> Sequence[Any]:
    return () if item.places is None else item.places.stretches


class _Words:
    """Words all over the memory, each of which belongs to an object, and what they were when last gathered.

    Args:
        step: which levels of the objects' words.
    """

    def __init__(self, step: Sequence[int]) -> None:
        self._np = np = sys.modules["numpy"]
        self._memory = _memory()
        self._step = step
        self._items: Sequence[Watched] = ()
        self._lately: list[int] = []
        self._looks = 0
        #: Where each is in the memory.
        self._at = np.array([], dtype=np.intp)
        #: An object by its place; where its words lie elsewhere once this word has changed, by its complement.
        self._of = np.array([], dtype=np.intp)
        self._words = self._gather(self._at)

    def extend(self, items: Sequence[Watched], still: list[tuple[int, Watched]]) -> None:
        """Take the words of more objects.

        Args:
            items: all objects.
            still: those among them that are new and watched, with their places.
        """
        np, self._items = self._np, items
        runs = [
            (place, item.words) if level == _LEVELS - 1 else (~place, item.places[level])
            for level in self._step
            for place, item in still
            if item.places
        ]
        at = np.array([*chain.from_iterable([at for _, at in runs])], dtype=np.intp) // WORD - 1
        of = np.repeat(np.array([told for told, _ in runs], dtype=np.intp), [len(at) for _, at in runs])
        self._words = np.concatenate([self._words, self._gather(at)])
        self._at, self._of = np.concatenate([self._at, at]), np.concatenate([self._of, of])
        self._sort()

    def _gather(self, at: Any) -> Any:
        # No place is out of bounds, so none is clipped; but not to look for such takes half the time.
        return self._memory.take(at, mode="clip")

    def _sort(self) -> None:
        """Bring the words of restless objects behind the others, and all else into the order in which it lies in the memory: after
        a step hardly any of it is at hand, and it is fetched in pieces."""
        np, of = self._np, self._of
        often = np.array([item.changes >= _RESTLESS for item in self._items], dtype=bool)
        restless = often[np.maximum(of, ~of)] & (of >= 0)
        order = np.lexsort((self._at, restless))
        self._at, self._of, self._words = self._at[order], of[order], self._words[order]
        calm = len(of) - int(restless.sum())
        self._restless = list(dict.fromkeys(self._of[calm:].tolist()))
        self._bytes = self._words.tobytes()
        #: The words of all others, which come first.
        self._calm = self._bytes[: calm * WORD]

    def changed(self) -> tuple[Sequence[int], Sequence[int]]:
        """The objects whose places have moved, and those that may hold something else."""
        words = self._gather(self._at)
        now = words.tobytes()
        if now == self._bytes:
            return (), ()
        then, self._words, self._bytes = self._words, words, now
        self._looks += 1
        if now.startswith(self._calm):
            if self._looks % _REVIEW:
                if self._lately:
                    self._settle(())
                return (), self._restless
        else:
            self._calm = now[: len(self._calm)]
        told = dict.fromkeys(self._of[words != then].tolist())
        found = [place for place in told if place >= 0 and ~place not in told]
        self._count(found)
        return [~place for place in told if place < 0], found

    def _count(self, found: list[int]) -> None:
        before = set(self._restless)
        self._settle({*found, *before})
        for place in before.difference(found):
            self._items[place].changes = 0
        for place in found:
            self._items[place].changes = min(self._items[place].changes + 1, _RESTLESS)
        self._lately = [place for place in found if place not in before]
        if {place for place in found if self._items[place].changes == _RESTLESS} != before:
            self._lately = []
            self._sort()

    def _settle(self, changed: Container[int]) -> None:
        """What changed lately, and not now, is not on its way to be restless."""
        for place in self._lately:
            if place not in changed:
                self._items[place].changes = 0
        self._lately = []

    def drop(self, objects: set[int]) -> None:
        """Forget the words of these objects."""
        kept = self._np.ones(len(self._items), dtype=bool)
        kept[[*objects]] = False
        self._keep(kept[self._np.maximum(self._of, ~self._of)])

    def leave_out(self, addresses: set[int]) -> None:
        """Forget the words at these addresses."""
        left = {address // WORD - 1 for address in addresses}
        self._keep(self._np.array([at not in left for at in self._at.tolist()], dtype=bool))

    def _keep(self, kept: Any) -> None:
        self._at, self._of, self._words = self._at[kept], self._of[kept], self._words[kept]
        self._sort()

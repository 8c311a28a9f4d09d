"""The three ways to take a snapshot of an environment, and the choice between them.

`graph`: the object graph is captured in place; the default, for it needs nothing of the environment.
`own`: the environment's own `get_state()` and `set_state()`, for what lives outside Python (a physics engine, say).
`pickle`: the whole environment through pickle; after a restore it is another object.

Python's and NumPy's global generators belong to every snapshot. Nothing here knows of frames, rewards or networks.
"""

from __future__ import annotations

import abc
import enum
import pickle
import random
import sys
from collections.abc import Sequence
from typing import Any

from ..environment import Environment
from ..errors import SnapshotError
from . import canonical
from .difference import State, first_difference
from .generators import RandomKind, RandomStateKind
from .graph import Checkpoint, Checkpointer
from .sameness import same

__all__ = ["SnapshotWay", "Way", "choose_way", "global_generators", "global_states", "restore_globals", "stash_globals"]


class SnapshotWay(enum.Enum):
    """Names of the ways, for a caller who wants one in particular."""

    AUTO = "auto"
    GRAPH = "graph"
    OWN = "own"
    PICKLE = "pickle"


def global_generators() -> list[Any]:
    """Python's global `random.Random`, and NumPy's global `RandomState` if NumPy is loaded."""
    found: list[Any] = [random._inst]
    mtrand = sys.modules.get("numpy.random.mtrand")
    if mtrand is not None:
        found.append(mtrand._rand)
    return found


_RANDOM, _RANDOM_STATE = RandomKind(), RandomStateKind()


def stash_globals() -> list[Any]:
    """The contents of the global generators, for `restore_globals`."""
    return [_kind_of(generator).capture(generator, None) for generator in global_generators()]


def restore_globals(stash: Sequence[Any]) -> None:
    """Give the global generators the contents that they had; those that there were not then stay as they are."""
    for generator, contents in zip(global_generators(), stash, strict=False):
        _kind_of(generator).restore(generator, contents)


def global_states() -> list[Any]:
    """The state of each global generator, as `Way.generators` gives it for a saved state."""
    return [
        _kind_of(generator).canonical(generator, _kind_of(generator).capture(generator, None)) for generator in global_generators()
    ]


def _kind_of(generator: Any) -> RandomKind | RandomStateKind:
    return _RANDOM if isinstance(generator, random.Random) else _RANDOM_STATE


class Way(abc.ABC):
    """One way of saving, restoring and digesting the state of one environment and of the global generators."""

    name: SnapshotWay
    #: Whether a save must follow every step, on every host alike, for equal steps to have equal results.
    every_step: bool

    @property
    def ordering(self) -> bool:
        """Whether a save may bring something into another order: then it must happen in the same frames on every host."""
        return True

    @abc.abstractmethod
    def refresh(self) -> None:
        """Look at the environment anew, after a reset. SnapshotError if this way does not suit it."""

    def try_out(self) -> None:
        """See whether this way suits the environment as it is now, after a reset. SnapshotError if not."""
        self.save()

    @abc.abstractmethod
    def save(self) -> Any:
        """The state now. SnapshotError if it holds something that cannot be brought back."""

    def save_untouched(self) -> Any | None:
        """The state now, if it can be saved without a trace: in some frames on this host, and in others elsewhere. None if not.

        Raises:
            SnapshotError: as `save`.
        """
        return None

    @abc.abstractmethod
    def restore(self, saved: Any) -> None:
        """Bring a saved state back; any number of times."""

    @abc.abstractmethod
    def parts(self, saved: Any) -> tuple[list[Any], canonical.Contents]:
        """The environment in a saved state, to be walked, and after it what is beside it: roots, and the contents of what can
        be reached from them."""

    @abc.abstractmethod
    def own_bytes(self, saved: Any, before: Any) -> int:
        """About how many bytes of memory a saved state takes beside an earlier one, with which it may share the most."""

    def same(self, one: Any, other: Any) -> bool:
        """Whether two saved states are surely the same; False where that would take long to find out."""
        return False

    def digest(self, saved: Any) -> bytes:
        """Canonical digest of the environment in a saved state."""
        return canonical.digest(*self.parts(saved))

    @abc.abstractmethod
    def generators(self, saved: Any) -> list[Any]:
        """The state of each global generator in a saved state, as values that can be compared and written out."""


class GraphWay(Way):
    """The object graph, in place."""

    name = SnapshotWay.GRAPH
    every_step = True  # for a set may be born in any step, and be iterated in the next

    def __init__(self, environment: Environment, beside: Sequence[Any] = ()) -> None:
        self._environment = environment
        self._beside = beside
        self._checkpointer = Checkpointer([environment.root, *beside, *global_generators()])

    @property
    def ordering(self) -> bool:
        return self._checkpointer.has_sets

    def refresh(self) -> None:
        for generator in global_generators():
            self._checkpointer.add_root(generator)
        self._checkpointer.rescan()

    def save(self) -> Checkpoint:
        return self._checkpointer.save()

    def save_untouched(self) -> Checkpoint | None:
        return self._checkpointer.save_untouched()

    def restore(self, saved: Checkpoint) -> None:
        self._checkpointer.restore(saved)

    def same(self, one: Checkpoint, other: Checkpoint) -> bool:
        return same(one, other)

    def parts(self, saved: Checkpoint) -> tuple[list[Any], canonical.Contents]:
        return [self._environment.root, *self._beside], saved.contents_by_identity()

    def own_bytes(self, saved: Checkpoint, before: Checkpoint) -> int:
        return saved.own_bytes(before)

    def generators(self, saved: Checkpoint) -> list[Any]:
        return _of_generators(saved)


class OwnWay(Way):
    """The environment's own `get_state` and `set_state`; wrappers around it and what is beside it are captured as a graph."""

    name = SnapshotWay.OWN
    every_step = True

    def __init__(self, environment: Environment, beside: Sequence[Any] = ()) -> None:
        inner = _with_own_state(environment.root)
        if inner is None:
            raise SnapshotError(f"{type(environment.root).__name__} has no get_state() and set_state()")
        self._inner = inner
        wrappers = [] if inner is environment.root else [environment.root]
        self._around = Checkpointer([*wrappers, *beside, *global_generators()], beyond=[inner])
        self._wrappers = wrappers
        self._beside = beside

    def refresh(self) -> None:
        for generator in global_generators():
            self._around.add_root(generator)
        self._around.rescan()

    def save(self) -> tuple[bytes, Checkpoint]:
        try:
            data = pickle.dumps(self._inner.get_state(), protocol=5)
        except Exception as error:
            raise SnapshotError(f"get_state() of {type(self._inner).__name__} cannot be kept: {error}") from error
        return data, self._around.save()

    def restore(self, saved: tuple[bytes, Checkpoint]) -> None:
        self._inner.set_state(pickle.loads(saved[0]))
        self._around.restore(saved[1])

    def parts(self, saved: tuple[bytes, Checkpoint]) -> tuple[list[Any], canonical.Contents]:
        contents = saved[1].contents_by_identity()
        return [pickle.loads(saved[0]), *_without(self._wrappers, self._inner, contents), *self._beside], contents

    def own_bytes(self, saved: tuple[bytes, Checkpoint], before: tuple[bytes, Checkpoint]) -> int:
        return len(saved[0]) + saved[1].own_bytes(before[1])

    def generators(self, saved: tuple[bytes, Checkpoint]) -> list[Any]:
        return _of_generators(saved[1])


def _without(wrappers: list[Any], inner: Any, contents: Any) -> list[Any]:
    """The captured attributes of each wrapper, without the environment that it wraps."""
    found: list[Any] = []
    for wrapper in wrappers:
        current = wrapper
        while current is not inner and current is not None:
            ((_, attributes),) = contents[id(vars(current))]
            found.append({key: value for key, value in attributes.items() if key != "env"})
            current = attributes.get("env")
    return found


def _of_generators(saved: Checkpoint) -> list[Any]:
    wanted = {id(generator): place for place, generator in enumerate(global_generators())}
    found: list[Any] = [None] * len(wanted)
    for entry, content in saved.pairs():
        place = wanted.get(id(entry.obj))
        if place is not None and isinstance(entry.kind, RandomKind | RandomStateKind):
            found[place] = entry.kind.canonical(entry.obj, content)
    return found


class PickleWay(Way):
    """The whole environment through pickle; what is beside it is captured as a graph."""

    name = SnapshotWay.PICKLE

    def __init__(self, environment: Environment, beside: Sequence[Any] = ()) -> None:
        self._environment = environment
        self._beside = beside
        self.every_step = bool(beside)  # it may have sets
        self._around = Checkpointer([*beside, *global_generators()])

    def refresh(self) -> None:
        for generator in global_generators():
            self._around.add_root(generator)
        self.try_out()

    def try_out(self) -> None:
        saved = self.save()
        # Many environments are pickled as the arguments that they were made from, and forget all else.
        lost = first_difference(State({}, [self._environment.root]), State({}, [pickle.loads(saved[0])]))
        if lost is not None:
            name = type(self._environment.root).__name__
            raise SnapshotError(f"{name} is another one once it was pickled: {lost.path} is {lost.one}, and then {lost.two}")
        self.restore(saved)

    def save(self) -> tuple[bytes, Checkpoint]:
        try:
            return pickle.dumps(self._environment.root, protocol=5), self._around.save()
        except Exception as error:
            raise SnapshotError(f"{type(self._environment.root).__name__} cannot be pickled: {error}") from error

    def restore(self, saved: tuple[bytes, Checkpoint]) -> None:
        self._environment.root = pickle.loads(saved[0])  # type: ignore[misc]
        self._around.restore(saved[1])

    def parts(self, saved: tuple[bytes, Checkpoint]) -> tuple[list[Any], canonical.Contents]:
        return [pickle.loads(saved[0]), *self._beside], saved[1].contents_by_identity()

    def own_bytes(self, saved: tuple[bytes, Checkpoint], before: tuple[bytes, Checkpoint]) -> int:
        return len(saved[0]) + saved[1].own_bytes(before[1])

    def generators(self, saved: tuple[bytes, Checkpoint]) -> list[Any]:
        return _of_generators(saved[1])


def _with_own_state(root: Any) -> Any | None:
    # A wrapper may pass these on to what it wraps; its own attributes would be forgotten, so it is not asked.
    for candidate in (root, getattr(root, "unwrapped", None)):
        kind = type(candidate)
        if callable(getattr(kind, "get_state", None)) and callable(getattr(kind, "set_state", None)):
            return candidate
    return None


_WAYS: dict[SnapshotWay, type[Way]] = {SnapshotWay.GRAPH: GraphWay, SnapshotWay.OWN: OwnWay, SnapshotWay.PICKLE: PickleWay}


def choose_way(
    environment: Environment, wanted: SnapshotWay = SnapshotWay.AUTO, *, beside: Sequence[Any] = (), after_reset: bool = False
) -> Way:
    """The way that suits an environment: the first of graph, own and pickle that can bring back what it holds.

    Args:
        wanted: a way in particular; then no other is tried.
        beside: changeable objects that are part of the state as well, captured as a graph whatever the way; they stay the same.
        after_reset: whether the environment was reset, so that a trial save can be made.

    Raises:
        SnapshotError: none suits; the message says for each why not.
    """
    reasons = []
    for name, kind in _WAYS.items():
        if wanted not in (SnapshotWay.AUTO, name):
            continue
        try:
            way = kind(environment, beside)  # type: ignore[call-arg]
            if after_reset:
                way.try_out()
            return way
        except SnapshotError as error:
            reasons.append(f"{name.value}: {error}")
    raise SnapshotError("no way to take a snapshot of this environment. " + "; ".join(reasons))

"""Laws of the three ways to take a snapshot: each brings back everything, and the first that can is taken."""

from __future__ import annotations

import pickle
import random
import weakref
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import gymnasium
import numpy as np
import pytest
from gymnasium.utils import EzPickle
from hypothesis import given, settings
from hypothesis import strategies as st
from pettingzoo.utils import wrappers

import pyodide_runtime as pr
from tests.core.courses import Course, Move, Straight, check_everything_held, moves
from tests.core.environments import Relay
from tests.core.sorts import SORTS
from tests.core.tangle import ACTIONS, Tangle


class Walk(gymnasium.Env[Any, Any]):
    """A walk with a generator of its own; it also draws from both global ones."""

    def __init__(self) -> None:
        self.action_space = gymnasium.spaces.Discrete(3)
        self.observation_space = gymnasium.spaces.Discrete(100)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[int, dict[str, Any]]:
        super().reset(seed=seed)
        self.place, self.path = 0, [0]
        return 0, {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        draw = float(self.np_random.random()) + random.random() + float(np.random.random())
        self.place = (self.place * 3 + action + int(draw * 10)) % 97
        self.path.append(self.place)
        return self.place, draw, False, False, {"sum": sum(self.path)}


class Owning(Walk):
    """Says itself what its state is."""

    def get_state(self) -> Any:
        return {"place": self.place, "path": list(self.path), "bits": self.np_random.bit_generator.state}

    def set_state(self, state: Any) -> None:
        self.place, self.path = state["place"], list(state["path"])
        self.np_random.bit_generator.state = state["bits"]


def endless() -> Iterator[int]:
    yield from range(10**9)


class Outside(Owning):
    """Holds something that no graph and no pickle can bring back, and needs not: its own state has all of it."""

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[int, dict[str, Any]]:
        self.engine = endless()
        return super().reset(seed=seed, options=options)


class Remote(Owning):
    """Keeps its place and its path outside of the graph, as a physics engine does."""

    _outside: ClassVar[weakref.WeakKeyDictionary[Remote, dict[str, Any]]] = weakref.WeakKeyDictionary()

    @property
    def place(self) -> Any:
        return self._outside[self]["place"]

    @place.setter
    def place(self, place: Any) -> None:
        self._outside.setdefault(self, {})["place"] = place

    @property
    def path(self) -> Any:
        return self._outside[self]["path"]

    @path.setter
    def path(self, path: Any) -> None:
        self._outside.setdefault(self, {})["path"] = path


class Queued(Walk):
    """Holds an iterator in a tuple, where a graph cannot put another in its place."""

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[int, dict[str, Any]]:
        self.queue = (iter(list(range(1000))), "queue")
        return super().reset(seed=seed, options=options)

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        place, reward, terminated, truncated, info = super().step(action)
        return place, reward + next(self.queue[0]), terminated, truncated, info


class Hopeless(Walk):
    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[int, dict[str, Any]]:
        self.engine = endless()
        return super().reset(seed=seed, options=options)


class Forgetful(Queued, EzPickle):
    """Is pickled as the arguments it was made from."""

    def __init__(self) -> None:
        EzPickle.__init__(self)
        super().__init__()


CASES: list[tuple[str, Callable[[], Any]]] = [
    ("graph", Walk),
    ("graph", Owning),
    ("own", Owning),
    ("own", Remote),
    ("pickle", Walk),
    ("pickle", Queued),
    ("graph", lambda: gymnasium.wrappers.TimeLimit(Walk(), 9)),
    ("own", lambda: gymnasium.wrappers.TimeLimit(Owning(), 9)),
    ("own", lambda: gymnasium.wrappers.TimeLimit(Remote(), 9)),
    ("pickle", lambda: gymnasium.wrappers.TimeLimit(Walk(), 9)),
]


@pytest.mark.parametrize(("way", "make"), CASES)
@settings(deadline=None, max_examples=12)
@given(cascade=moves(st.integers(0, 2).map(lambda action: (bytes([action]),)), 10), seed=st.integers(0, 99))
def test_every_way_brings_back_everything(way: str, make: Callable[[], Any], cascade: list[Move], seed: int) -> None:
    course = Course(pr.Runtime(make(), seed=seed, snapshots=way))
    assert course.runtime.simulation.way is pr.SnapshotWay(way)
    course.go(("snapshot", 0, ()))
    for move in cascade:
        course.go(move)
    check_everything_held(course, Straight(make, seed, snapshots=way), [(b"\1",), (b"\2",)])


@pytest.mark.parametrize(
    ("make", "way"),
    [(Walk, "graph"), (Owning, "graph"), (Outside, "own"), (Queued, "pickle"), (lambda: gymnasium.make("CartPole-v1"), "graph")],
)
def test_the_first_way_that_suits_is_taken(make: Callable[[], Any], way: str) -> None:
    assert pr.Runtime(make()).simulation.way is pr.SnapshotWay(way)


def test_if_none_suits_the_message_says_why_not_for_each() -> None:
    with pytest.raises(pr.SnapshotError) as failed:
        pr.Runtime(Hopeless())
    for word in ("graph: a builtins.generator", "own: Hopeless has no get_state", "pickle: Hopeless cannot be pickled"):
        assert word in str(failed.value)


def test_an_environment_that_is_another_one_once_it_was_pickled_is_not_taken_for_the_same() -> None:
    with pytest.raises(pr.SnapshotError, match=r"pickle: Forgetful is another one once it was pickled: environment.* and then"):
        pr.Runtime(Forgetful())


@pytest.mark.parametrize(("way", "make"), [("own", Walk), ("pickle", Hopeless), ("graph", Hopeless)])
def test_a_way_in_particular_is_taken_or_refused(way: str, make: Callable[[], Any]) -> None:
    with pytest.raises(pr.SnapshotError, match=way):
        pr.Runtime(make(), snapshots=way)


def test_a_way_that_there_is_not_is_refused() -> None:
    with pytest.raises(pr.SessionError, match="'graph'"):
        pr.Runtime(Walk(), snapshots="photograph")


class OwnRelay(Relay):
    """A turn-based environment that says itself what its state is."""

    def get_state(self) -> Any:
        return pickle.dumps(vars(self))

    def set_state(self, state: Any) -> None:
        self.__dict__.clear()
        self.__dict__.update(pickle.loads(state))


@pytest.mark.parametrize("way", ["graph", "own", "pickle"])
def test_the_wrappers_around_an_environment_belong_to_the_state(way: str) -> None:
    """PettingZoo's wrappers pass `get_state` on to what they wrap, and remember things of their own."""

    class Remembering(wrappers.BaseWrapper[str, int, int]):  # type: ignore[misc]  # published without types
        def reset(self, seed: int | None = None, options: Any = None) -> None:
            self.turns: list[Any] = []
            super().reset(seed=seed, options=options)

        def step(self, action: Any) -> None:
            self.turns.append(action)
            super().step(action)

    globals()["Remembering"] = Remembering  # where pickle looks for it
    Remembering.__qualname__ = "Remembering"
    runtime = pr.Runtime(Remembering(OwnRelay()), snapshots=way)
    runtime.batch([pr.Step({"x": 1}), pr.Snapshot()])
    before = runtime.digest()
    runtime.batch([pr.Step({"y": 1})])
    assert runtime.digest() != before
    runtime.batch([pr.Restore(1)])
    assert runtime.simulation.root.turns == [1]
    assert runtime.simulation.root.unwrapped.log == [("x", 1)]
    assert runtime.digest() == before


class Unwatched(Tangle):
    """A tangle without weak references, which cannot be pickled."""

    watch = property(lambda self: None, lambda self, value: None)


def test_an_environment_of_every_sort_of_memory_can_be_pickled_or_says_that_it_cannot() -> None:
    """Pickling copies what the graph keeps in place, so what can be pickled must go on as if it had been."""
    picklable = []
    for name in sorted(SORTS):
        if name in ("set", "names", "locked"):
            continue  # neither the order of a set survives pickling nor the leave to unlock an array
        try:
            runtime = pr.Runtime(Unwatched([name]), seed=2, snapshots="pickle")
        except pr.SnapshotError:
            continue
        try:
            runtime.batch([pr.Snapshot(), *(pr.Step((bytes([turn % ACTIONS]),)) for turn in range(12))])
        except pr.BatchError as failed:
            assert isinstance(failed.cause, pr.SnapshotError), name
            continue
        picklable.append(name)
        straight = runtime.digest(), runtime.rows
        for _ in range(2):
            runtime.batch([pr.Rollback(0, [(bytes([turn % ACTIONS]),) for turn in range(12)])])
            assert (runtime.digest(), runtime.rows) == straight, name
    assert len(picklable) > 5

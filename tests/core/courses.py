"""Courses of events: a runtime that is stepped, restored and rolled back at will, and the straight run it must equal.

A *history* is the inputs that led to a state. Whatever detours a runtime took, its state is judged by its history alone, against
a fresh runtime that went straight there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from hypothesis import strategies as st

import pyodide_runtime as pr
from tests.core.dumper import difference, dump

#: The inputs that led to a state: for each frame the canonical bytes of every player's action.
Inputs = tuple[bytes, ...]
History = tuple[Inputs, ...]


class Seen(NamedTuple):
    """Everything that can be observed of a state."""

    frame: int
    done: bool
    digest: bytes
    rows: list[dict[str, Any]]
    records: list[Any]
    dump: list[str]


def observe(runtime: pr.Runtime) -> Seen:
    """All that the runtime says of its state, and a dump of the environment, made independently of the product."""
    return Seen(
        runtime.frame,
        runtime.done,
        runtime.digest(),
        runtime.rows,
        list(runtime.records),
        _dump(runtime),
    )


def _dump(runtime: pr.Runtime) -> list[str]:
    partner = runtime.simulation.partner
    # What a policy remembers can be looked at only while it is in its simulation.
    return runtime.simulation.show(dump if partner is None else lambda root: dump(root, partner.state["policy"]))


def assert_same(one: Seen, two: Seen) -> None:
    assert one[:2] == two[:2]
    assert one.dump == two.dump, difference(one.dump, two.dump)
    assert one.records == two.records
    assert one.rows == two.rows
    assert one.digest == two.digest


class Straight:
    """Runs that never roll back, each in an environment of its own, remembered by their histories."""

    def __init__(self, make: Callable[[], Any], seed: int, **settings: Any) -> None:
        self._make = make
        self._seed = seed
        self._settings = settings
        self._seen: dict[History, Seen] = {}

    def after(self, history: History) -> Seen:
        """What a fresh runtime shows after these inputs, each a batch of its own."""
        if history not in self._seen:
            runtime = pr.Runtime(self._make(), seed=self._seed, **self._settings)
            for at in range(len(history) + 1):
                self._seen[history[:at]] = observe(runtime)
                if at < len(history):
                    runtime.batch([pr.Step(history[at])])
        return self._seen[history]


class Course:
    """A runtime with the history of its present state, and those of all the snapshots that it must hold."""

    def __init__(self, runtime: pr.Runtime) -> None:
        self.runtime = runtime
        self.history: list[Inputs] = []
        self.held: dict[int, History] = {}
        self.rollbacks = 0

    def operations(self, move: Move) -> list[Any]:
        """A move as the operations of one batch; those that would be refused are left out."""
        kind, choice, actions = move
        if kind == "step":
            return [pr.Step(actions[0])] if not self.runtime.done else []
        if kind == "snapshot":
            return [pr.Snapshot()]
        frames = self.runtime.held_frames
        if not frames:
            return []
        frame = frames[choice % len(frames)]
        if kind == "restore":
            return [pr.Restore(frame)]
        return [pr.Rollback(frame, list(actions), stop_at_end=True, save_all=choice % 3 == 0)]

    def go(self, move: Move) -> None:
        """Carry a move out, and keep account of what must have become of it."""
        operations = self.operations(move)
        results = self.runtime.batch(operations)
        for operation, result in zip(operations, results, strict=True):
            self._account(operation, result)
        assert self.runtime.held_frames == sorted(self.held)
        assert self.runtime.frame == len(self.history)

    def _account(self, operation: Any, result: Any) -> None:
        if isinstance(operation, pr.Step):
            self.history.append(self.runtime.encode(operation.actions))
            self._forget_from(len(self.history))
        elif isinstance(operation, pr.Snapshot):
            self.held[len(self.history)] = tuple(self.history)
        elif isinstance(operation, pr.Restore):
            self.history = list(self.held[operation.frame])
        else:
            self.rollbacks += 1
            stale = set(self.held)
            self.history = list(self.held[operation.frame])
            self._forget_from(operation.frame + 1)
            for step, actions in zip(result["steps"], operation.actions, strict=False):
                self.history.append(actions)
                assert step["frame"] == len(self.history)
                if operation.save_all or len(self.history) in stale:
                    self.held[len(self.history)] = tuple(self.history)

    def _forget_from(self, frame: int) -> None:
        for later in [held for held in self.held if held >= frame]:
            del self.held[later]


Move = tuple[str, int, tuple[Inputs, ...]]


def moves(actions: st.SearchStrategy[Inputs], most: int) -> st.SearchStrategy[list[Move]]:
    """Lists of moves; a step uses the first of its actions, a rollback all of them."""
    kinds = st.sampled_from(["step", "step", "snapshot", "rollback", "rollback", "restore"])
    one = st.tuples(kinds, st.integers(0, 11), st.lists(actions, min_size=1, max_size=6).map(tuple))
    return st.lists(one, min_size=4, max_size=most)


def check_everything_held(course: Course, straight: Straight, future: Sequence[Inputs]) -> None:
    """Law: the present state and every snapshot held equal those of a straight run, and so does what follows from them."""
    runtime = course.runtime
    for frame, history in course.held.items():
        assert runtime.snapshot_digest(frame) == straight.after(history).digest
    assert_same(observe(runtime), straight.after(tuple(course.history)))
    for frame, history in sorted(course.held.items(), reverse=True):
        runtime.batch([pr.Restore(frame)])
        assert_same(observe(runtime), straight.after(history))
        course.history = list(history)
        for actions in future:
            if runtime.done:
                break
            course.go(("step", 0, (actions,)))
        assert_same(observe(runtime), straight.after(tuple(course.history)))

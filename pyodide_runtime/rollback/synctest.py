"""Whether an environment can be rolled back: at every frame by every depth, and against a second instance of itself.

An environment is deterministic if its state after a frame follows from its seed and its actions alone. Two things show that
it is not: a replay of frames that comes to another state or row than the frames did when they were played, and a second
instance that does so though it was given the same seed and the same actions. States are compared by canonical digests of all
that can be reached; where they differ, the first difference is named. It knows nothing of networks.
"""

from __future__ import annotations

import copy
import enum
import random
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ..actions import PARTNER
from ..errors import EnvironmentNotSupported, NotDeterministic, SessionError
from ..partner import Policy
from ..rows import make_row
from ..simulation import Saved, Simulation, StepRecord, episode_seed
from ..snapshots.difference import first_difference
from ..snapshots.ways import SnapshotWay
from ..virtual.inputs import Controllers, DrawnInputs
from .inputs import action_of, make_input

__all__ = ["SyncDifference", "SyncFault", "SyncReport", "sync_test"]

#: By how much the clocks of the module `time` are set forward for the second instance, in s: so much that whatever is
#: read off them, hours, minutes or fractions of a second, differs.
AHEAD_S = 3661.7
CLOCKS = {"time": 1, "monotonic": 1, "perf_counter": 1, "time_ns": 10**9, "monotonic_ns": 10**9, "perf_counter_ns": 10**9}


class SyncFault(enum.Enum):
    """What it was that came to something else."""

    REPLAY = "replay"  #: frames that were replayed after a rollback
    INSTANCE = "instance"  #: a second instance of the environment, with the same seed and actions


@dataclass(frozen=True, slots=True)
class SyncDifference:
    """The first thing that was not as it should have been.

    Attributes:
        fault: what came to something else.
        episode: number of the episode.
        frame: of a row, its frame; of a state, the frame at whose beginning it is.
        depth: how many frames had been rolled back; None for a second instance.
        place: "row" or "state".
        path: in a row, the column; in the state, the way to the first value that differs, as in `environment.board[1]`.
        expected: what was there when the frame was played.
        found: what was there instead. Both as text: numbers to the last digit.
    """

    fault: SyncFault
    episode: int
    frame: int
    depth: int | None
    place: str
    path: str
    expected: str
    found: str

    def __str__(self) -> str:
        who = f"a rollback by {self.depth} frames" if self.fault is SyncFault.REPLAY else "a second instance"
        where = f"the {self.place} of frame {self.frame}" + (f" of episode {self.episode}" if self.episode else "")
        return f"{who} came to another {self.place}: {self.path} in {where} is {self.found} instead of {self.expected}"


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What was found to be as it should.

    Attributes:
        players: their names.
        frames: how many were played, over all episodes.
        episodes: how many were begun.
        window: the greatest depth.
        rollbacks: how many there were.
        replayed: how many frames were played again after them.
        states: how many states were compared.
        actions: how many different actions each player took.
        snapshots: the way of taking snapshots.
    """

    players: tuple[str, ...]
    frames: int
    episodes: int
    window: int
    rollbacks: int
    replayed: int
    states: int
    actions: tuple[int, ...]
    snapshots: SnapshotWay


def sync_test(
    env: Any,
    *,
    frames: int = 200,
    window: int = 8,
    seed: int = 0,
    players: int | None = None,
    max_steps: int | None = None,
    controllers: Controllers | None = None,
    snapshots: SnapshotWay | str = SnapshotWay.AUTO,
    partner: Policy | None = None,
) -> SyncReport:
    """Play an environment with seeded random actions; roll back at every frame by every depth, and compare.

    Args:
        env: a function that makes the environment (best), or an environment, of which a deep copy is the second instance.
        frames: how many to play; where an episode ends before, another follows.
        window: the greatest depth, in frames.
        seed: of the episodes and of the actions.
        players: as for `adapt`.
        max_steps: after that many frames an episode is cut off.
        controllers: as for `simulate`; by default actions at random.
        snapshots: the way of taking them.
        partner: a partner policy, to be tested with the environment: it plays in about half of the frames of every player.

    While the second instance is stepped, the clocks of the module `time` run more than an hour ahead.

    Returns:
        What was compared, if all of it was alike.

    Raises:
        NotDeterministic: something was not; its `difference` says what, by frame, depth, path and both values.
        SessionError: a setting cannot be.
        EnvironmentNotSupported: no second instance can be had, or it is no environment.
        ActionError, EnvironmentFailed, SnapshotError: the environment cannot be run.
    """
    for name, value in (("frames", frames), ("window", window)):
        if type(value) is not int or value < 1:
            raise SessionError(f"{name}={value!r}: give a whole number of at least 1")
    first, second = _two_instances(env)
    one, two = (
        Simulation(made, max_steps=max_steps, snapshots=snapshots, players=players, partner=partner) for made in (first, second)
    )
    return _SyncTest(one, two, frames, window, seed, controllers).run()


def _two_instances(env: Any) -> tuple[Any, Any]:
    if isinstance(env, type) or (callable(env) and not hasattr(env, "step")):
        return env(), env()
    try:
        return env, copy.deepcopy(env)
    except Exception as error:  # whatever a foreign class raises, it means the same
        raise EnvironmentNotSupported(
            f"{type(env).__name__} cannot be copied ({type(error).__name__}: {error}); give a function that makes it"
        ) from error


@contextmanager
def _ahead() -> Iterator[None]:
    """While it lasts, the clocks of the module `time` are ahead."""

    def later(clock: Callable[[], float], unit: int) -> Callable[[], float]:
        ahead = int(AHEAD_S * unit) if unit > 1 else AHEAD_S
        return lambda: clock() + ahead

    right = {name: getattr(time, name) for name in CLOCKS}
    for name, unit in CLOCKS.items():
        setattr(time, name, later(right[name], unit))
    try:
        yield
    finally:
        for name, clock in right.items():
            setattr(time, name, clock)


class _SyncTest:
    """One test, as it goes on."""

    def __init__(
        self, one: Simulation, two: Simulation, frames: int, window: int, seed: int, controllers: Controllers | None
    ) -> None:
        self._one = one
        self._two = two
        self._frames = frames
        self._window = window
        self._seed = seed
        neutral = [make_input(codec.encode(codec.neutral()), True) for codec in one.codecs]
        self._absences = random.Random(seed)
        self._inputs = DrawnInputs(one.players, one.codecs, neutral, seed, controllers)
        self._episode = -1
        self._played = self._rollbacks = self._replayed = self._states = 0
        self._known: tuple[Saved | None, bytes] = (None, b"")  # a saved state and its digest

    def run(self) -> SyncReport:
        """Play all frames."""
        while self._played < self._frames:
            self._play_episode()
        told = [[data for inputs in episodes.values() for data in inputs] for episodes in self._inputs.told]
        return SyncReport(
            players=self._one.players,
            frames=self._played,
            episodes=self._episode + 1,
            window=self._window,
            rollbacks=self._rollbacks,
            replayed=self._replayed,
            states=self._states,
            actions=tuple(len(set(map(action_of, inputs))) for inputs in told),
            snapshots=self._one.way,
        )

    def _play_episode(self) -> None:
        one, two = self._one, self._two
        self._episode += 1
        seed = episode_seed(self._seed, self._episode)
        one.reset(seed)
        with _ahead():
            two.reset(seed)
        self._compare_states(one.save(), two, None)
        if one.done:
            raise SessionError("the environment's episodes are over before their first frame")
        saves = deque([one.save()], maxlen=self._window + 1)
        actions: deque[tuple[bytes, ...]] = deque(maxlen=self._window)
        records: deque[StepRecord] = deque(maxlen=self._window)
        while not one.done and self._played < self._frames:
            actions.append(self._draw(one.frame))
            records.append(one.step(actions[-1]))
            saves.append(one.save())
            self._played += 1
            for depth in range(1, len(saves)):
                self._roll_back(depth, saves, list(actions)[-depth:], list(records)[-depth:])
            one.load(saves[-1])
            with _ahead():
                found = two.step(actions[-1])
            self._compare_rows(records[-1], found, None)
            self._compare_states(saves[-1], two, None)

    def _draw(self, frame: int) -> tuple[bytes, ...]:
        actions = [action_of(self._inputs.at(player, self._episode, frame)) for player in range(len(self._one.players))]
        if self._one.partner is not None:
            actions = [PARTNER if self._absences.random() < 0.5 else action for action in actions]
        return tuple(actions)

    def _roll_back(self, depth: int, saves: deque[Saved], actions: list[tuple[bytes, ...]], records: list[StepRecord]) -> None:
        one = self._one
        one.load(saves[-1 - depth])
        self._rollbacks += 1
        for action, record in zip(actions, records, strict=True):
            self._replayed += 1
            self._compare_rows(record, one.step(action), depth)
        self._compare_states(saves[-1], one, depth)

    def _compare_rows(self, expected: StepRecord, found: StepRecord, depth: int | None) -> None:
        if expected == found:
            return
        # What is written is compared, for a number that is none equals nothing.
        one, two = (self._row(record) for record in (expected, found))
        for column in dict.fromkeys([*one, *two]):
            here, there = one.get(column, "no such column"), two.get(column, "no such column")
            if here != there:
                self._fail(expected.frame, depth, "row", column, here, there)

    def _row(self, record: StepRecord) -> dict[str, str]:
        one = self._one
        return dict(make_row(self._episode, record, one.players, one.codecs, (True,) * len(one.players)).cells)

    def _compare_states(self, expected: Saved, simulation: Simulation, depth: int | None) -> None:
        self._states += 1
        if self._known[0] is not expected:
            self._known = expected, self._one.digest(expected)
        wanted, found = self._known[1], simulation.digest()
        if wanted == found:
            return
        difference = first_difference(self._one.state(expected), simulation.state())
        if difference is None:  # then it was only looking that made them differ
            self._fail(expected.frame, depth, "state", "digest", wanted.hex(), found.hex())
        else:
            self._fail(expected.frame, depth, "state", difference.path, difference.one, difference.two)

    def _fail(self, frame: int, depth: int | None, place: str, path: str, expected: str, found: str) -> None:
        fault = SyncFault.INSTANCE if depth is None else SyncFault.REPLAY
        difference = SyncDifference(fault, self._episode, frame, depth, place, path, expected, found)
        raise NotDeterministic(f"the environment is not deterministic: {difference}", difference)

"""Makes a schedule that fails small: fewer frames, fewer disturbances, calmer lines, simpler inputs, while it fails alike.

Delta debugging: of a list of things that can be left out, ever smaller parts are left out as long as what remains still
fails (A. Zeller and R. Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", IEEE Transactions on Software
Engineering 28, 2002). Nothing is drawn: the same schedule shrinks to the same one. What it is that fails, and how a
schedule is played, is for the caller to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import NamedTuple, TypeVar

from ..errors import SessionError
from ..network.virtual import Fate, Line, NetworkConditions, Partition
from ..partner import Policy
from ..rollback.inputs import FOCUSED
from ..spacing import AUTO
from .scenario import Departure, Factory, Freeze, Scenario
from .schedule import Schedule
from .simulate import replay

__all__ = ["Shrunk", "shrink", "shrink_with"]

T = TypeVar("T")

#: So many matches are played at the most.
MOST_TRIALS = 2000


class Shrunk(NamedTuple):
    """What became of a schedule, and in how many matches."""

    schedule: Schedule
    trials: int


class _Run(NamedTuple):
    """Inputs of a player that are the same for some frames in a row."""

    player: int
    episode: int
    start: int
    end: int
    data: bytes


def shrink(
    factory: Factory,
    schedule: Schedule,
    *,
    partner: Policy | None = None,
    most_trials: int = MOST_TRIALS,
    on_trial: Callable[[int, Schedule], None] = lambda trials, schedule: None,
) -> Shrunk:
    """The smallest schedule found that fails as this one does (a divergence, a desync, an error of the environment, no end).

    Args:
        factory: makes the environment.
        schedule: one of a match that failed.
        partner: that match's partner policy.
        most_trials: how many matches are played at the most.
        on_trial: told after each match how many there were, and the smallest schedule so far.

    A schedule that does not fail is returned as it is. Raises as `replay`.
    """
    first = replay(factory, schedule, partner=partner)
    if first.failure_kind is None:
        return Shrunk(schedule, 1)

    def attempt(candidate: Schedule) -> Schedule | None:
        report = replay(factory, candidate, partner=partner)
        return report.schedule if report.failure_kind == first.failure_kind else None

    # What was played may need less than what was written down.
    return shrink_with(attempt, first.schedule, most_trials=most_trials, on_trial=on_trial)


def shrink_with(
    attempt: Callable[[Schedule], Schedule | None],
    schedule: Schedule,
    *,
    most_trials: int = MOST_TRIALS,
    on_trial: Callable[[int, Schedule], None] = lambda trials, schedule: None,
) -> Shrunk:
    """As `shrink`; `attempt` plays a schedule and gives it back, as it was needed, if it fails as it is to fail, else None."""
    shrinking = _Shrinking(attempt, schedule, most_trials, on_trial)
    shrinking.run()
    return Shrunk(shrinking.best, shrinking.trials)


class _Shrinking:
    """The smallest schedule so far, and the ways to a smaller one."""

    def __init__(
        self,
        attempt: Callable[[Schedule], Schedule | None],
        schedule: Schedule,
        most_trials: int,
        on_trial: Callable[[int, Schedule], None],
    ) -> None:
        self.best = schedule
        self.trials = 0
        self._attempt = attempt
        self._most = most_trials
        self._on_trial = on_trial
        self._tried: set[str] = set()

    def run(self) -> None:
        """Go every way until none leads on."""
        before = None
        while before != self.best and self.trials < self._most:
            before = self.best
            self._fewer_frames()
            self._calmer()
            self._fewer_disturbances()
            self._simpler_inputs()

    def _try(self, candidate: Schedule) -> bool:
        """Play a schedule; if it fails, too, it is the best from now on."""
        written = candidate.to_json()
        if candidate == self.best or written in self._tried or self.trials >= self._most:
            return False
        self._tried.add(written)
        self.trials += 1
        played = self._attempt(candidate)
        if played is not None:
            self.best = played
        self._on_trial(self.trials, self.best)
        return played is not None

    # -- the ways ----------------------------------------------------------------------------------------------------

    def _fewer_frames(self) -> None:
        for episodes in range(1, self.best.scenario.episodes):
            if self._try(_with(self.best, episodes=episodes)):
                break
        # From the present number towards 0 by ever smaller steps; what is played later hardly ever matters.
        frames = self.best.scenario.frames or max((len(inputs) for inputs in _all(self.best.inputs)), default=1)
        step = frames // 2
        while step:
            if frames - step >= 1 and self._try(_with(self.best, frames=frames - step)):
                frames -= step
                step = min(step, frames // 2)
            else:
                step //= 2

    def _calmer(self) -> None:
        """Settings of the scenario one by one, as simple as they can be."""
        self._try(_with(self.best, conditions=NetworkConditions(), lines={}))
        simple: dict[str, object] = {"clocks": (), "start_skew_ms": 0.0, "lines": {}, "input_delay": 0, "snapshot_every": AUTO}
        for name, value in simple.items():
            self._try(_with(self.best, **{name: value}))
        for line in list(self.best.scenario.lines):
            self._try(_with(self.best, lines={key: value for key, value in self.best.scenario.lines.items() if key != line}))
        self._fewer_spectators()
        for departure in self.best.scenario.departures:
            stays_away = replace(departure, back_ms=None)
            others = [stays_away if other == departure else other for other in self.best.scenario.departures]
            self._try(_with(self.best, departures=tuple(others)))
        self._try(_with(self.best, conditions=replace(self.best.scenario.conditions, bandwidth_bytes_per_s=None)))
        for latency in _smaller(self.best.scenario.conditions.latency_ms):
            if self._try(_with(self.best, conditions=replace(self.best.scenario.conditions, latency_ms=latency))):
                break

    def _fewer_spectators(self) -> None:
        """Without the last of those who watch, as long as nothing is said of that host."""
        while self.best.scenario.spectators:
            try:
                candidate = _with(self.best, spectators=self.best.scenario.spectators[:-1])
            except SessionError:
                return
            if not self._try(candidate):
                return

    def _fewer_disturbances(self) -> None:
        self._minimise(lambda: list(_disturbances(self.best)), lambda kept: _with_disturbances(self.best, kept))

    def _simpler_inputs(self) -> None:
        neutral = self.best.neutral
        self._minimise(
            lambda: [run for run in _runs(self.best) if run.data != neutral[run.player]],
            lambda kept: _with_runs(self.best, kept, neutral),
        )
        focused = tuple(
            tuple(tuple(bytes([FOCUSED]) + data[1:] for data in inputs) for inputs in of_player) for of_player in self.best.inputs
        )
        self._try(replace(self.best, inputs=focused))

    def _minimise(self, items_now: Callable[[], list[T]], keeping: Callable[[Sequence[T]], Schedule]) -> None:
        """Delta debugging: leave out ever smaller parts of the items, as long as what remains fails.

        What there is is asked for anew after each success, for a match that is played otherwise may need less.
        """
        items = items_now()
        if items and self._try(keeping([])):
            return
        parts = 2
        while items and self.trials < self._most:
            size = max(1, -(-len(items) // parts))
            for start in range(0, len(items), size):
                rest = items[:start] + items[start + size :]
                if self._try(keeping(rest)):
                    items = items_now()
                    parts = max(parts - 1, 2)
                    break
            else:
                if size == 1:
                    return
                parts = min(2 * parts, len(items))


def _smaller(number: float) -> Iterator[float]:
    """Whole numbers below a number, the smallest first: 0, 1, 2, 4, ..."""
    yield 0.0
    candidate = 1.0
    while candidate < number:
        yield candidate
        candidate *= 2


def _with(schedule: Schedule, **settings: object) -> Schedule:
    return replace(schedule, scenario=_replaced(schedule.scenario, settings))


def _replaced(scenario: Scenario, settings: dict[str, object]) -> Scenario:
    return replace(scenario, **settings)  # type: ignore[arg-type]  # they are named by this module alone


_Disturbance = tuple[Line, int, Fate] | Partition | Freeze | Departure


def _disturbances(schedule: Schedule) -> Iterator[_Disturbance]:
    """Everything that befell the match."""
    yield from schedule.scenario.partitions
    yield from schedule.scenario.freezes
    yield from schedule.scenario.departures
    for line, fates in schedule.fates.items():
        for number, fate in fates.items():
            yield line, number, fate


def _with_disturbances(schedule: Schedule, kept: Iterable[_Disturbance]) -> Schedule:
    fates: dict[Line, dict[int, Fate]] = {}
    partitions: list[Partition] = []
    freezes: list[Freeze] = []
    departures: list[Departure] = []
    for item in kept:
        if isinstance(item, Partition):
            partitions.append(item)
        elif isinstance(item, Freeze):
            freezes.append(item)
        elif isinstance(item, Departure):
            departures.append(item)
        else:
            fates.setdefault(item[0], {})[item[1]] = item[2]
    return replace(_with(schedule, partitions=tuple(partitions), freezes=tuple(freezes), departures=tuple(departures)), fates=fates)


def _all(inputs: Iterable[Iterable[Sequence[bytes]]]) -> Iterator[Sequence[bytes]]:
    for of_player in inputs:
        yield from of_player


def _runs(schedule: Schedule) -> Iterator[_Run]:
    for player, of_player in enumerate(schedule.inputs):
        for episode, inputs in enumerate(of_player):
            start = 0
            for data, group in groupby(inputs):
                end = start + len(list(group))
                yield _Run(player, episode, start, end, data)
                start = end


def _with_runs(schedule: Schedule, kept: Iterable[_Run], neutral: Sequence[bytes]) -> Schedule:
    """The schedule with neutral inputs everywhere else."""
    inputs = [[[neutral[player]] * len(frames) for frames in of_player] for player, of_player in enumerate(schedule.inputs)]
    for run in kept:
        inputs[run.player][run.episode][run.start : run.end] = [run.data] * (run.end - run.start)
    return replace(schedule, inputs=tuple(tuple(tuple(frames) for frames in of_player) for of_player in inputs))

"""The command `simulate`: plays many matches of an environment on bad virtual networks, and proves each.

What fails is named with the command that plays it again, and can be made small. This module knows only what is
printed.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..errors import ScheduleError, SessionError
from .options import add_options, count, scenario_of, words_of
from .progress import Progress
from .report import SimulationReport
from .scenario import Scenario
from .schedule import Schedule
from .shrinking import shrink
from .simulate import play, replay
from .target import Target, load_target

__all__ = ["add_arguments", "run"]

PROGRAM = "python -m pyodide_runtime simulate"
#: So many matches of several players without a single misprediction have proved nothing about rollback.
ENOUGH = 20
TOTALS = (
    "frames", "rollbacks", "replayed", "spared", "mispredictions", "stalls", "bytes_sent", "packets_sent", "packets_lost",
    "packets_parted", "packets_overflowed", "packets_duplicated",
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `simulate`."""
    add = parser.add_argument
    add(
        "target",
        nargs="?",
        metavar="MODULE:FACTORY",
        help="what makes the environment; MODULE is a module's name or the path of a .py file; without FACTORY, its `experiment`",
    )
    add("--sessions", type=count, default=1, metavar="N", help="how many matches, each with the next seed (default: 1)")
    add_options(parser)
    add("--json", action="store_true", help="print the result as one JSON object")
    add("--shrink", action="store_true", help="make what fails small, and write it down as a schedule")
    add("--schedules", type=Path, default=Path(), metavar="FOLDER", help="where small schedules are written (default: here)")
    add("--schedule", type=Path, metavar="FILE", help="play the match that is written down in a file, and nothing else")


@dataclass
class Summary:
    """What all the matches of one call were."""

    asked: int
    target: str
    played: int = 0
    players: int = 1
    identical: int = 0
    completed: int = 0
    deepest: int = 0
    virtual_ms: float = 0.0
    totals: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TOTALS, 0))
    failures: list[dict[str, Any]] = field(default_factory=list)
    sessions: list[dict[str, Any]] = field(default_factory=list)

    def add(self, report: SimulationReport) -> None:
        """Count one match."""
        self.played += 1
        self.players = len(report.players)
        self.identical += report.identical
        self.completed += report.outcome is not None and report.outcome.value == "completed"
        self.deepest = max(self.deepest, report.max_rollback_depth)
        self.virtual_ms += report.virtual_ms
        for name in TOTALS:
            self.totals[name] += getattr(report, name)
        self.sessions.append(report.summary())

    @property
    def vacuous(self) -> bool:
        """Whether so much was played without a misprediction that nothing was proved about rollback."""
        return self.players > 1 and self.played >= ENOUGH and not self.totals["mispredictions"]

    def as_json(self) -> str:
        """Everything, as one JSON object."""
        told = {
            "target": self.target,
            "sessions_asked": self.asked,
            "sessions_played": self.played,
            "identical": self.identical,
            "completed": self.completed,
            "max_rollback_depth": self.deepest,
            "virtual_ms": self.virtual_ms,
            **self.totals,
            "vacuous": self.vacuous,
            "failures": self.failures,
            "sessions": self.sessions,
        }
        return json.dumps(told, indent=1)

    def as_text(self) -> str:
        """What ran, for people."""
        total = self.totals
        lines = [
            f"{self.played} of {self.asked} matches of {self.target}, {self.virtual_ms / 1000:.0f} s of virtual time",
            f"  identical        {self.identical}: every host's data are those of a run without network",
            f"  completed        {self.completed}",
            f"  frames           {total['frames']}",
            f"  mispredictions   {total['mispredictions']}",
            f"  rollbacks        {total['rollbacks']}, {total['replayed']} frames replayed ({total['spared']} of them spared), "
            f"the deepest {self.deepest} frames",
            f"  stalls           {total['stalls']}",
            f"  packets          {total['packets_sent']} sent ({total['bytes_sent']} bytes), {total['packets_lost']} lost, "
            f"{total['packets_parted']} in partitions, {total['packets_overflowed']} for want of bandwidth, "
            f"{total['packets_duplicated']} doubled",
            f"  failures         {len(self.failures)}",
        ]
        if self.vacuous:
            lines.append("  There was not one misprediction: this has proved nothing about rollback.")
        return "\n".join(lines)


def run(arguments: argparse.Namespace) -> int:
    """Play; 0 if nothing is wrong, 1 if some match failed or nothing was proved, 130 if it was interrupted.

    Raises:
        PyodideRuntimeError: what was asked for cannot be played.
    """
    schedule = _read(arguments.schedule) if arguments.schedule is not None else None
    name = arguments.target or (schedule.target if schedule is not None else "")
    if not name:
        raise SessionError("say what to simulate: MODULE:FACTORY, or the path of an experiment file")
    target = load_target(name)
    if schedule is not None:
        partner = target.partner_in(schedule.scenario)
        again = f"{_python()} {shlex.quote(name)} --schedule {shlex.quote(str(arguments.schedule))}"
        return _Run(arguments, target, 1).play([(lambda: replay(target.factory, schedule, partner=partner), again)])
    scenario = scenario_of(arguments, target)
    matches = [
        (_match(target, replace(scenario, seed=seed)), " ".join([_python(), shlex.quote(name), *words_of(arguments, seed)]))
        for seed in range(scenario.seed, scenario.seed + arguments.sessions)
    ]
    return _Run(arguments, target, arguments.sessions).play(matches)


def _match(target: Target, scenario: Scenario) -> Callable[[], SimulationReport]:
    return lambda: play(target.factory, scenario, partner=target.partner_in(scenario))


class _Run:
    """One call of the command, as it goes on."""

    def __init__(self, arguments: argparse.Namespace, target: Target, asked: int) -> None:
        self._arguments = arguments
        self._target = target
        self._summary = Summary(asked, target.name)
        self._progress = Progress(asked, sys.stderr)

    def play(self, matches: list[tuple[Callable[[], SimulationReport], str]]) -> int:
        """Play matches, each given with the command that plays it again; the exit status."""
        summary, status = self._summary, 0
        try:
            for match, again in matches:
                report = match()
                summary.add(report)
                if report.failure is not None:
                    self._fail(report, again)
                self._progress.show(summary.played, f"matches, {len(summary.failures)} failed")
        except KeyboardInterrupt:
            status = 130
        self._progress.clear()
        print(summary.as_json() if self._arguments.json else summary.as_text())
        return status or (1 if summary.failures or summary.vacuous else 0)

    def _fail(self, report: SimulationReport, again: str) -> None:
        failure = {"seed": report.seed, "kind": report.failure_kind, "failure": report.failure, "command": again}
        self._tell(f"FAILED: seed {report.seed}: {report.failure}", f"  again: {again}")
        self._summary.failures.append(failure)
        if self._arguments.shrink:
            failure.update(self._shrink(report))

    def _shrink(self, report: SimulationReport) -> dict[str, Any]:
        """Make a schedule small, write it, and say what became of it."""
        shrunk = shrink(
            self._target.factory,
            replace(report.schedule, target=self._target.name),
            partner=self._target.partner_in(report.schedule.scenario),
            on_trial=lambda trials, best: self._progress.show(
                self._summary.played - 1, f"matches; shrinking: {trials} trials, {_size(best)}"
            ),
        )
        small = replace(shrunk.schedule, target=self._target.name)
        file = self._arguments.schedules / f"schedule-{report.seed}.json"
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(small.to_json(), encoding="utf-8")
        except OSError as error:
            raise ScheduleError(f"{file}: the schedule cannot be written: {error.strerror}") from None
        command = f"{_python()} {shlex.quote(self._target.name)} --schedule {shlex.quote(str(file))}"
        size = f"{_size(small)} (of {_size(report.schedule)}), in {shrunk.trials} trials"
        self._tell(f"  small: {size}", f"  again: {command}", small.to_json())
        return {"schedule": str(file), "small": _size(small), "trials": shrunk.trials, "schedule_command": command}

    def _tell(self, *lines: str) -> None:
        """Say something about a failure: where the result is JSON, on stderr."""
        self._progress.clear()
        print(*lines, sep="\n", file=sys.stderr if self._arguments.json else sys.stdout, flush=True)


def _size(schedule: Schedule) -> str:
    return f"{schedule.scenario.frames} frames, {schedule.disturbances} disturbances, {schedule.changes} inputs"


def _read(file: Path) -> Schedule:
    try:
        return Schedule.from_json(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ScheduleError(f"{file}: {error}") from None
    except ScheduleError as error:
        raise ScheduleError(f"{file}: {error}") from None


def _python() -> str:
    # What depends on the order of a set of texts depends on this, too.
    seed = os.environ.get("PYTHONHASHSEED", "")
    return f"PYTHONHASHSEED={shlex.quote(seed)} {PROGRAM}" if seed else PROGRAM

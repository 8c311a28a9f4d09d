"""One session of a soak: played from its seed, compared row by row and byte by byte with a run without network."""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field

from bench.soaking.fire import Fire
from bench.soaking.laws import Broken, Counts, check, must_not_differ
from bench.soaking.plan import Plan, draw
from pyodide_runtime.settings import Outcome
from pyodide_runtime.virtual.oracle import divergence_of, run_straight

__all__ = ["Report", "play"]


@dataclass
class Report:
    """What one session was, what happened in it over all its hosts, and what was wrong with it.

    `failure` is None if nothing was; `completed`: every host did; `forged` is a part of `thrown`.
    """

    seed: int
    plan: str = ""
    failure: str | None = None
    completed: bool = False
    ill: bool = False
    thrown: int = 0
    forged: int = 0
    counts: Counts = field(default_factory=Counts)


def play(seed: int, environment: str | None = None) -> Report:
    """Play the session of a seed. Whatever goes wrong in it is in the report, whoever raised it."""
    report = Report(seed)
    try:
        plan = draw(seed, environment)
        report.plan, report.ill = str(plan), plan.ill
        table = Fire(plan)
        try:
            table.play()
        finally:
            report.thrown, report.forged = table.thrown, table.forged
        report.counts = _check_each(plan, table) if plan.ill else check(table)
        report.completed = all(match.outcome is Outcome.COMPLETED for match in table.matches)
    except Broken as error:
        report.failure = str(error)
    except Exception as error:
        # A soak goes on after any failure, and says where this one came from.
        places = [f"{frame.name}, line {frame.lineno} of {frame.filename.rpartition('/')[2]}" for frame in _frames(error)]
        report.failure = f"{type(error).__name__}: {error} (in {'; '.join(places[-3:])})"
    return report


def _frames(error: Exception) -> list[traceback.FrameSummary]:
    return list(traceback.extract_tb(error.__traceback__))


def _check_each(plan: Plan, table: Fire) -> Counts:
    """Compare each host with a run from its own inputs: a player that means ill may have told each something else."""
    counts = Counts()
    counts.count(table)
    for host in table.hosts:
        for journal in (*host.before, host.journal):
            every = host.match.settings.digest_every
            oracle = run_straight(plan.factory, plan.scenario, journal, digest_every=every, partner=plan.partner)
            must_not_differ(divergence_of(host.number, journal, oracle, complete=True))
            counts.compared += len(oracle.rows)
        if host.match.counters.deepest_rollback > host.match.settings.prediction_window:
            raise Broken(f"host {host.number} rolled back {host.match.counters.deepest_rollback} frames, more than its window")
    return counts

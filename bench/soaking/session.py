"""One session of a soak: played from its seed, compared row by row and byte by byte with a run without network."""

from __future__ import annotations

import traceback
from dataclasses import dataclass

from bench.soaking.fire import Broken, Fire
from bench.soaking.plan import Plan, draw
from pyodide_runtime.match import Outcome
from pyodide_runtime.virtual.oracle import Divergence, divergence_of, first_divergence, run_straight

__all__ = ["Report", "play"]


@dataclass
class Report:
    """What one session was, what happened in it over all its hosts, and what was wrong with it.

    `failure` is None if nothing was; `compared` counts rows, of every host with a run without network.
    """

    seed: int
    plan: str = ""
    failure: str | None = None
    completed: bool = False
    ill: bool = False
    hosts: int = 0
    compared: int = 0
    rollbacks: int = 0
    deepest: int = 0
    replayed: int = 0
    mispredictions: int = 0
    stalls: int = 0
    lost: int = 0
    duplicated: int = 0
    thrown: int = 0
    virtual_ms: float = 0.0


def play(seed: int, environment: str | None = None) -> Report:
    """Play the session of a seed. Whatever goes wrong in it is in the report, whoever raised it."""
    report = Report(seed)
    try:
        plan = draw(seed, environment)
        report.plan, report.ill, report.hosts = str(plan), plan.ill, plan.scenario.players
        table = Fire(plan)
        try:
            table.play()
        finally:
            _count(report, table)
        _judge(report, plan, table)
    except Broken as error:
        report.failure = str(error)
    except Exception as error:
        # A soak goes on after any failure, and says where this one came from.
        places = [f"{frame.name}, line {frame.lineno} of {frame.filename.rpartition('/')[2]}" for frame in _frames(error)]
        report.failure = f"{type(error).__name__}: {error} (in {'; '.join(places[-3:])})"
    return report


def _frames(error: Exception) -> list[traceback.FrameSummary]:
    return list(traceback.extract_tb(error.__traceback__))


def _count(report: Report, table: Fire) -> None:
    for match in table.matches:
        report.rollbacks += match.counters.rollbacks
        report.deepest = max(report.deepest, match.counters.deepest_rollback)
        report.replayed += match.counters.replayed
        report.mispredictions += match.counters.mispredictions
        report.stalls += match.counters.stalls
    report.lost, report.duplicated = table.network.lost, table.network.duplicated
    report.thrown, report.virtual_ms = table.thrown, table.now


def _judge(report: Report, plan: Plan, table: Fire) -> None:
    """Raise Broken with the first law that does not hold."""
    journals, outcomes = table.journals, [match.outcome for match in table.matches]
    for place, match in enumerate(table.matches):
        # From this host's own inputs: a player that means ill may have told each host something else.
        oracle = run_straight(plan.factory, plan.scenario, journals[place], digest_every=match.settings.digest_every)
        _must_not_differ(divergence_of(place, journals[place], oracle, complete=True))
        report.compared += len(oracle.rows)
        if match.counters.deepest_rollback > match.settings.prediction_window:
            raise Broken(f"host {place} rolled back {match.counters.deepest_rollback} frames, more than its window")
    report.completed = all(outcome is Outcome.COMPLETED for outcome in outcomes)
    if plan.ill:
        return
    _must_not_differ(first_divergence(oracle, journals, outcomes))
    for place, match in enumerate(table.matches):
        if match.outcome is not Outcome.COMPLETED:
            raise Broken(f"host {place} ended as {match.outcome and match.outcome.value}: {match.detail}")
        if journals[place].ends != journals[0].ends:
            raise Broken(f"host {place} and host 0 agreed on different ends of episodes")
        if match.certified_through != (match.episode, len(match.ledger) - 1):
            raise Broken(f"host {place} completed, but its data are certified only through {match.certified_through}")
        if match.malformed != table.refused[place]:
            raise Broken(f"host {place} dropped {match.malformed} packets, but {table.refused[place]} bad ones were thrown at it")
    if len(journals[0].ends) != plan.scenario.episodes or not journals[0].cells:
        raise Broken(f"{len(journals[0].ends)} episodes were played instead of {plan.scenario.episodes}")


def _must_not_differ(divergence: Divergence | None) -> None:
    if divergence is not None:
        raise Broken(str(divergence))

"""The command `python -m bench.soak`: plays many seeded matches over bad virtual networks, in CPython, and proves each one.

Every session is drawn from its seed: environment, players, lines, window, input delay, mishaps. Every host's data are
compared, row by row and byte by byte, with a run without network from the same inputs, while packets that nobody sent are
thrown at it. Nothing here is a browser or Pyodide: those are for `make e2e` and `make pyodide`.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field

from bench.soaking.plan import draw
from bench.soaking.session import Report, play

PROGRESS_SECONDS = 10.0
#: So many sessions without a single misprediction have proved nothing.
ENOUGH = 20


@dataclass
class Summary:
    """What all sessions together were."""

    asked: int
    environment: str | None = None
    reports: int = 0
    total: Report = field(default_factory=lambda: Report(0))
    completed: int = 0
    ill: int = 0
    ill_completed: int = 0
    failures: list[Report] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def add(self, report: Report) -> None:
        """Count one session, and say at once if it failed."""
        self.reports += 1
        self.ill += report.ill
        self.completed += report.completed and not report.ill
        self.ill_completed += report.completed and report.ill
        total = self.total
        for name in ("hosts", "compared", "rollbacks", "replayed", "mispredictions", "stalls", "lost", "duplicated", "thrown"):
            setattr(total, name, getattr(total, name) + getattr(report, name))
        total.virtual_ms += report.virtual_ms
        total.deepest = max(total.deepest, report.deepest)
        if report.failure is not None:
            self.failures.append(report)
            print(f"FAILED: the session of seed {report.seed}: {report.failure}")
            print(f"  it was: {report.plan}")
            print(f"  again:  {self.again(report)}", flush=True)

    def again(self, report: Report) -> str:
        """The command that plays a session once more."""
        environment = f" --environment {self.environment}" if self.environment else ""
        return f"python -m bench.soak --seed {report.seed} --sessions 1{environment}"

    @property
    def line(self) -> str:
        """How far it is, in one line."""
        total, seconds = self.total, time.monotonic() - self.began
        return (
            f"{self.reports} of {self.asked} sessions in {seconds:.0f} s, {len(self.failures)} failed; "
            f"{total.compared} rows compared, {total.rollbacks} rollbacks"
        )

    def tell(self, why: str) -> str:
        """What ran, for people, with nothing left out."""
        total = self.total
        lines = [
            f"{self.reports} of {self.asked} sessions were played{why}, in {time.monotonic() - self.began:.1f} s "
            f"({total.virtual_ms / 3_600_000:.2f} hours of virtual time), in CPython on virtual networks.",
            f"  matches          {self.reports - self.ill}, of which {self.completed} completed",
            f"  with ill will    {self.ill}: one player forged packets; {self.ill_completed} completed all the same",
            f"  rows compared    {total.compared}, of {total.hosts} hosts, each with a run without network",
            f"  mispredictions   {total.mispredictions}",
            f"  rollbacks        {total.rollbacks}, {total.replayed} frames replayed, the deepest {total.deepest} frames",
            f"  stalls           {total.stalls}",
            f"  packets          {total.lost} lost, {total.duplicated} doubled, {total.thrown} thrown in that nobody sent",
            f"  failures         {len(self.failures)}" + "".join(f"\n    {self.again(report)}" for report in self.failures[:20]),
        ]
        if self.vacuous:
            lines.append("  There was not one misprediction: this has proved nothing about rollback.")
        return "\n".join(lines)

    @property
    def vacuous(self) -> bool:
        """Whether so much was played without a misprediction that something is wrong with the soak itself."""
        return self.reports >= ENOUGH and not self.total.mispredictions


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a soak: 0 if every session held, 1 if one did not or nothing was proved, 130 if it was interrupted."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--sessions", type=_count, default=500, metavar="N", help="how many sessions (default: 500)")
    parser.add_argument("--seed", type=int, default=1, help="of the first session; each next one has the next (default: 1)")
    parser.add_argument("--minutes", type=float, metavar="M", help="begin no session after so many minutes")
    parser.add_argument("--jobs", type=_count, default=1, metavar="N", help="how many processes play (default: 1)")
    parser.add_argument(
        "--environment",
        metavar="MODULE:FACTORY",
        help="soak this environment instead of the pond and the arena",
    )
    asked = parser.parse_args(arguments)
    if asked.environment:
        try:
            draw(asked.seed, asked.environment)
        except ValueError as error:
            parser.error(str(error))
    summary = Summary(asked.sessions, asked.environment)
    print(f"soak: {asked.sessions} sessions from seed {asked.seed} on", flush=True)
    why, status = "", 0
    try:
        _soak(summary, asked)
        if summary.reports < asked.sessions:
            why = f" (the rest were not begun within {asked.minutes:g} minutes)"
    except KeyboardInterrupt:
        why, status = " before it was interrupted", 130
    print(summary.tell(why))
    return 1 if summary.failures or summary.vacuous else status


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError(f"{count}: give 1 or more")
    return count


def _soak(summary: Summary, asked: argparse.Namespace) -> None:
    end = summary.began + 60 * asked.minutes if asked.minutes is not None else float("inf")
    said = summary.began
    for report in _reports(asked, end):
        summary.add(report)
        if time.monotonic() - said >= PROGRESS_SECONDS:
            said = time.monotonic()
            print(summary.line, flush=True)


def _reports(asked: argparse.Namespace, end: float) -> Iterator[Report]:
    """The reports, in the order of the seeds. No session begins after `end`, a time of the monotonic clock."""
    seeds = (seed for seed in range(asked.seed, asked.seed + asked.sessions) if time.monotonic() < end)
    if asked.jobs == 1:
        yield from (play(seed, asked.environment) for seed in seeds)
        return
    waiting: deque[Future[Report]] = deque()
    # Not forked: a fork of a process that has imported NumPy inherits its threads' locks.
    with ProcessPoolExecutor(asked.jobs, multiprocessing.get_context("spawn")) as pool:
        for seed in seeds:
            waiting.append(pool.submit(play, seed, asked.environment))
            if len(waiting) >= 2 * asked.jobs:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


if __name__ == "__main__":
    sys.exit(main())

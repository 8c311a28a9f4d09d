"""The command `python -m bench.soak`: plays many seeded matches over bad virtual networks, in CPython, and proves each one.

Every session is drawn from its seed: environment, players, hosts, spectators, lines, window, input delay, mishaps, who goes, when,
and what then happens. Every host's data are compared, row by row and byte by byte, with a run without network from the same inputs,
while packets that nobody sent are thrown at it. Before that, a million packets at random, damaged or forged are thrown at hosts
in the middle of a match. Nothing here is a browser or Pyodide: those are for `make e2e` and `make pyodide`.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

from bench.soaking.bombardment import BLOCK, Block, bombard
from bench.soaking.laws import Counts
from bench.soaking.plan import draw
from bench.soaking.session import Report, play

PROGRESS_SECONDS = 10.0
#: So many sessions without a single misprediction have proved nothing.
ENOUGH = 20


_Result = TypeVar("_Result")


@dataclass
class Summary:
    """What all sessions together were, and what was thrown at hosts before."""

    asked: int
    environment: str | None = None
    reports: int = 0
    total: Counts = field(default_factory=Counts)
    thrown: int = 0
    forged: int = 0
    completed: int = 0
    ill: int = 0
    ill_completed: int = 0
    failures: list[str] = field(default_factory=list)
    bombarded: Block = field(default_factory=lambda: Block(0))
    began: float = field(default_factory=time.monotonic)

    def add(self, report: Report) -> None:
        """Count one session, and say at once if it failed."""
        self.reports += 1
        self.ill += report.ill
        self.completed += report.completed and not report.ill
        self.ill_completed += report.completed and report.ill
        self.thrown += report.thrown
        self.forged += report.forged
        self.total.add(report.counts)
        if report.failure is not None:
            environment = f" --environment {self.environment}" if self.environment else ""
            self._failed(
                f"the session of seed {report.seed}: {report.failure}",
                f"python -m bench.soak --seed {report.seed} --sessions 1 --packets 0{environment}",
                f"  it was: {report.plan}\n",
            )

    def add_block(self, block: Block) -> None:
        """Count some packets, and say at once if one did harm."""
        self.bombarded.thrown += block.thrown
        self.bombarded.sealed += block.sealed
        self.bombarded.taken += block.taken
        if block.failure is not None:
            again = f"python -m bench.soak --seed {block.seed} --sessions 0 --packets {BLOCK}"
            self._failed(f"the packets of seed {block.seed}: {block.failure}", again)

    def _failed(self, what: str, again: str, more: str = "") -> None:
        self.failures.append(again)
        print(f"FAILED: {what}\n{more}  again:  {again}", flush=True)

    @property
    def line(self) -> str:
        """How far it is, in one line."""
        total, seconds = self.total, time.monotonic() - self.began
        return (
            f"{self.reports} of {self.asked} sessions in {seconds:.0f} s, {len(self.failures)} failed; "
            f"{total.compared} rows compared, {total.rollbacks} rollbacks, {total.drops} drops, {total.rejoins} rejoins"
        )

    def tell(self, why: str) -> str:
        """What ran, for people, with nothing left out."""
        total, bombarded = self.total, self.bombarded
        lines = [
            f"{self.reports} of {self.asked} sessions were played{why}, in {time.monotonic() - self.began:.1f} s "
            f"({total.virtual_ms / 3_600_000:.2f} hours of virtual time), in CPython on virtual networks.",
            f"  bombardment      {bombarded.thrown} packets that nobody sent, {bombarded.sealed} of them sealed by a player who "
            f"means ill; {bombarded.taken} of those were taken for honest ones",
            f"  matches          {self.reports - self.ill}, of which {self.completed} completed for all hosts",
            f"  with ill will    {self.ill}: one player forged {self.forged} packets; {self.ill_completed} completed all the same",
            f"  rows compared    {total.compared}, of {total.hosts} hosts, each with a run without network",
            f"  mispredictions   {total.mispredictions}",
            f"  rollbacks        {total.rollbacks}, {total.replayed} frames replayed, the deepest {total.deepest} frames",
            f"  stalls           {total.stalls}",
            f"  drops            {total.drops} hosts were dropped by agreement, for {total.absent} frames of players",
            f"  rejoins          {total.rejoins} came back and went on",
            f"  packets          {total.lost} lost, {total.duplicated} doubled, {self.thrown} thrown in that nobody sent",
            f"  failures         {len(self.failures)}" + "".join(f"\n    {again}" for again in self.failures[:20]),
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
    parser.add_argument("--sessions", type=_count, default=100_000, metavar="N", help="how many sessions (default: 100000)")
    parser.add_argument(
        "--packets", type=_count, default=10**6, metavar="N", help="how many packets to throw at hosts first (default: 1000000)"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the first session; each next one has the next (default: 1)")
    parser.add_argument("--minutes", type=float, metavar="M", help="begin no session after so many minutes")
    parser.add_argument("--jobs", type=_jobs, default=1, metavar="N", help="how many processes play (default: 1)")
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
    if count < 0:
        raise argparse.ArgumentTypeError(f"{count}: give 0 or more")
    return count


def _jobs(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError(f"{count}: give 1 or more")
    return count


def _soak(summary: Summary, asked: argparse.Namespace) -> None:
    end = summary.began + 60 * asked.minutes if asked.minutes is not None else float("inf")
    blocks = [(asked.seed + number, min(BLOCK, asked.packets - number * BLOCK)) for number in range(-(-asked.packets // BLOCK))]
    for block in _results(bombard, blocks, asked.jobs, end):
        summary.add_block(block)
    said = summary.began
    sessions = ((seed, asked.environment) for seed in range(asked.seed, asked.seed + asked.sessions))
    for report in _results(play, sessions, asked.jobs, end):
        summary.add(report)
        if time.monotonic() - said >= PROGRESS_SECONDS:
            said = time.monotonic()
            print(summary.line, flush=True)


def _results(work: Callable[..., _Result], tasks: Iterable[tuple[object, ...]], jobs: int, end: float) -> Iterator[_Result]:
    """What comes of the tasks, in their order. None begins after `end`, a time of the monotonic clock."""
    begun = (task for task in tasks if time.monotonic() < end)
    if jobs == 1:
        yield from (work(*task) for task in begun)
        return
    waiting: deque[Future[_Result]] = deque()
    # Not forked: a fork of a process that has imported NumPy inherits its threads' locks.
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        for task in begun:
            waiting.append(pool.submit(work, *task))
            if len(waiting) >= 2 * jobs:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


if __name__ == "__main__":
    sys.exit(main())

"""What must hold of a match that was played at a table, whatever happened in it, and what did happen, in numbers.

Every law is checked from what the hosts have written down, never from what they think of each other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from typing import Any

from pyodide_runtime.drops import OnDrop
from pyodide_runtime.journal import MemoryJournal
from pyodide_runtime.rollback.delay import InputDelay
from pyodide_runtime.rows import to_csv
from pyodide_runtime.settings import Outcome
from pyodide_runtime.virtual.oracle import Divergence, Oracle, first_divergence, run_straight
from pyodide_runtime.virtual.report import WRONG
from pyodide_runtime.virtual.table import Table

__all__ = ["Broken", "Counts", "check", "must_not_differ"]


class Broken(Exception):
    """A law does not hold; the message says which and where."""


@dataclass
class Counts:
    """What happened in some matches, over all their hosts.

    `drops` and `rejoins` count each drop, and each return, of a host once, however many noted it; `deepest` is a maximum of frames.
    """

    matches: int = 0
    hosts: int = 0
    compared: int = 0
    rollbacks: int = 0
    deepest: int = 0
    replayed: int = 0
    mispredictions: int = 0
    stalls: int = 0
    drops: int = 0
    rejoins: int = 0
    absent: int = 0
    lost: int = 0
    duplicated: int = 0
    completed: int = 0
    virtual_ms: float = 0.0

    def add(self, other: Counts) -> None:
        """Count others' matches, too."""
        for name in [field.name for field in fields(self) if field.name != "deepest"]:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.deepest = max(self.deepest, other.deepest)

    def count(self, table: Table) -> None:
        """Count one match, except for what comes from a comparison."""
        self.matches += 1
        self.hosts += len(table.hosts)
        for match in table.matches:
            self.rollbacks += match.counters.rollbacks
            self.deepest = max(self.deepest, match.counters.deepest_rollback)
            self.replayed += match.counters.replayed
            self.mispredictions += match.counters.mispredictions
            self.stalls += match.counters.stalls
            self.completed += match.outcome is Outcome.COMPLETED
        self.drops += len(_noted(table, "dropped"))
        self.rejoins += len(_noted(table, "returned"))
        self.lost += table.network.lost
        self.duplicated += table.network.duplicated
        self.virtual_ms += table.now


def check(table: Table) -> Counts:
    """What a match of honest hosts, that has ended, was.

    Raises:
        Broken: with the first law that does not hold.
    """
    counts = Counts()
    counts.count(table)
    scenario, journals = table.scenario, list(_journals(table))
    longest = max((journal for _, journal in journals), key=lambda journal: len(journal.cells))
    every = table.matches[0].settings.digest_every
    oracle = run_straight(table.factory, scenario, longest, digest_every=every, partner=table.partner)
    earlier = [(host.number, journal) for host in table.hosts for journal in host.before]
    must_not_differ(first_divergence(oracle, table.journals, [match.outcome for match in table.matches], earlier))
    counts.compared = sum(len(journal.cells) for _, journal in journals)
    counts.absent = sum(value == "true" for cells in oracle.rows for name, value in cells if name.startswith("absent."))
    for host, match in enumerate(table.matches):
        if match.outcome in WRONG:
            raise Broken(f"host {host} ended as {match.outcome.value}: {match.detail}")
        if match.counters.deepest_rollback > scenario.prediction_window:
            raise Broken(f"host {host} rolled back {match.counters.deepest_rollback} frames, more than its window")
    _check_completed(table)
    _check_certified(table, oracle)
    _check_survivors(table)
    _check_drops(table)
    return counts


def must_not_differ(divergence: Divergence | None) -> None:
    """Raise Broken if there is one."""
    if divergence is not None:
        raise Broken(str(divergence))


def _journals(table: Table) -> Iterator[tuple[int, MemoryJournal]]:
    """All that was written, with the numbers of the hosts."""
    for host in table.hosts:
        for journal in (*host.before, host.journal):
            yield host.number, journal


def _noted(table: Table, event: str) -> set[tuple[int, int, int]]:
    """Host, episode and frame of each drop or return that somebody noted."""
    return {
        (note["host"], note["episode"], note["frame"])
        for _, journal in _journals(table)
        for note in journal.notes
        if note["event"] == event
    }


def _check_completed(table: Table) -> None:
    """Where nobody goes and no mishap lasts too long, everybody completes; and whoever completes has all episodes, and the same."""
    completed = [host for host in table.hosts if host.match.outcome is Outcome.COMPLETED]
    longest = max([freeze.for_ms for freeze in table.scenario.freezes], default=0.0)
    stayed = not table.scenario.departures and not table.off and longest < table.scenario.disconnect_after_ms
    if stayed and len(completed) < len(table.hosts):
        host = next(host for host in table.hosts if host not in completed)
        outcome = host.match.outcome
        raise Broken(f"host {host.number} ended as {outcome and outcome.value}, though nobody went: {host.match.detail}")
    # A host that has gone can no longer vouch for rows; and one that watches asks for nobody's word.
    whole = not _noted(table, "dropped") and not table.off and not any(host.before for host in table.hosts)
    for host in completed:
        if host.journal.ends != completed[0].journal.ends:
            raise Broken(f"hosts {host.number} and {completed[0].number} agreed on different ends of episodes")
        if len(host.journal.ends) != table.scenario.episodes or not host.journal.cells:
            raise Broken(f"host {host.number} completed {len(host.journal.ends)} episodes instead of {table.scenario.episodes}")
        if whole and not host.match.watching and host.match.certified_through != (host.match.episode, len(host.match.ledger) - 1):
            raise Broken(f"host {host.number} completed, but its data are certified only through {host.match.certified_through}")


def _check_certified(table: Table, oracle: Oracle) -> None:
    """Of what a host says that all are known to have alike, every host that was a part of the match to its end has it all."""
    known = {(int(cells[0][1]), int(cells[1][1])) for cells in oracle.rows}
    for host in table.hosts:
        certified = host.match.certified_through
        if certified != (0, -1) and certified not in known:
            raise Broken(f"host {host.number} says that its data are certified through {certified}, which is no row")


def _check_survivors(table: Table) -> None:
    """Where a match ends with a drop, it does so at the same frame for all that were left over."""
    if table.scenario.on_drop is not OnDrop.END:
        return
    dropped = {number for number, *_ in _noted(table, "dropped")}
    left = [host for host in table.hosts if host.players and host.number not in dropped | table.off and not host.before]
    left = [host for host in left if any(note["event"] == "dropped" for note in host.journal.notes)]
    for host in left:
        if to_csv(host.journal.cells) != to_csv(left[0].journal.cells):
            rows = len(host.journal.cells), len(left[0].journal.cells)
            raise Broken(f"hosts {host.number} and {left[0].number} were left over with {rows[0]} and {rows[1]} rows")


def _check_drops(table: Table) -> None:
    """A drop is agreed at one frame: all that were there note the frame from which on their rows say that the player is absent."""
    noted: dict[int, set[tuple[int, int]]] = defaultdict(set)
    # Where a drop ends a match, those that gave each other up each end by themselves, and need not agree on a third.
    ending = table.scenario.on_drop is OnDrop.END
    given_up = {number for number, *_ in _noted(table, "dropped")} if ending else set()
    returned = _noted(table, "returned")
    # Of the episodes that had an end of their own: after one that a drop has cut off there is no next.
    ends = {episode: frames for _, journal in _journals(table) for episode, frames, _ in journal.ends}
    delay = table.scenario.input_delay
    first = delay.first if isinstance(delay, InputDelay) else delay
    for host in table.hosts:
        if host.number in given_up:
            continue
        journal = [*host.before, host.journal][0]  # later incarnations note what was agreed on before they came
        rows = {(int(cells[0][1]), int(cells[1][1])): dict(cells) for cells in journal.cells}
        for note in [note for note in journal.notes if note["event"] == "dropped"]:
            number, episode, frame = note["host"], note["episode"], note["frame"]
            # From the end of an episode on is from the first input of the next on, where some of the others already are.
            over = frame >= ends.get(episode, frame + 1)
            noted[number].add((episode + 1, first) if over else (episode, frame))
            for player in _names(table, table.scenario.places[number]) if table.scenario.on_drop.may_be_absent else ():
                row, before = rows.get((episode, frame)), rows.get((episode, frame - 1))
                where = f"host {host.number}: {player} was dropped at frame {frame} of episode {episode}, but"
                if row is not None and row[f"absent.{player}"] != "true":
                    raise Broken(f"{where} is not absent there")
                if before is not None and before[f"absent.{player}"] == "true" and (number, episode, frame) not in returned:
                    raise Broken(f"{where} was absent before")
    for number, drops in noted.items():
        incarnations = table.hosts[number].match.incarnation + 1
        if len(drops) > incarnations:
            raise Broken(f"host {number} came {incarnations} times, but was dropped at {sorted(drops)}")


def _names(table: Table, places: Iterable[int]) -> list[Any]:
    return [table.matches[0].runtime.players[place] for place in places]

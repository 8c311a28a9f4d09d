"""The run without network that every host is compared with, and the first place at which a host differs from it.

The oracle simulates the confirmed inputs of one journal straight through: no prediction, no rollback, no packets. It
knows nothing of networks or tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..errors import PyodideRuntimeError
from ..journal import MemoryJournal
from ..ledger import EpisodeLedger
from ..partner import Policy
from ..rerun import replay_episode
from ..rows import Cells
from ..settings import Outcome
from .scenario import Factory, Scenario

__all__ = ["Divergence", "Oracle", "divergence_of", "first_divergence", "run_straight"]


@dataclass(frozen=True, slots=True)
class Oracle:
    """What a run without network made of the confirmed inputs.

    Attributes:
        rows: all rows.
        ends: of each episode its number, its number of frames, and the digest chain over its rows and states.
        stopped: why it could not go on to the last of the inputs; empty if it could.
    """

    rows: list[Cells]
    ends: list[tuple[int, int, bytes]]
    stopped: str = ""


@dataclass(frozen=True, slots=True)
class Divergence:
    """The first place at which a host's data are not those of the run without network.

    Attributes:
        host: its number.
        episode, frame: of the first row that differs.
        column: of the first cell in it that does; None if a whole row is missing or too many, or if only the state behind
            the rows differs.
        found: what the host has there.
        expected: what the run without network has there.
    """

    host: int
    episode: int
    frame: int
    column: str | None
    found: str
    expected: str

    def __str__(self) -> str:
        where = f"episode {self.episode}, frame {self.frame}" + (f", column {self.column}" if self.column else "")
        return f"host {self.host}, {where}: {self.found} instead of {self.expected}"


def run_straight(
    factory: Factory, scenario: Scenario, journal: MemoryJournal, *, digest_every: int, partner: Policy | None = None
) -> Oracle:
    """Simulate the inputs in a journal straight through; `digest_every` and `partner` are those of the match.

    Raises what `Scenario.runtime` raises. What the environment raises later is in the result.
    """
    runtime = scenario.runtime(factory, partner)
    more = scenario.settings(runtime).more_columns
    rows: list[Cells] = []
    ends: list[tuple[int, int, bytes]] = []
    for episode, seed in journal.episodes:
        ledger = EpisodeLedger(episode, seed, runtime.players, runtime.simulation.codecs, more)
        chunks = [inputs for number, _, inputs in journal.inputs if number == episode]
        try:
            for cells in replay_episode(runtime, ledger, chunks, digest_every=digest_every):
                rows.append(cells)  # one by one: those before an error count
        except PyodideRuntimeError as error:
            return Oracle(rows, ends, str(error))
        ends.append((episode, len(ledger), ledger.newest))
    return Oracle(rows, ends)


def first_divergence(
    oracle: Oracle,
    journals: Sequence[MemoryJournal],
    outcomes: Sequence[Outcome | None],
    earlier: Iterable[tuple[int, MemoryJournal]] = (),
) -> Divergence | None:
    """The first host that differs from the oracle, and where; None if none does.

    Args:
        journals: of every host, in order, and `outcomes`: how the match ended for it.
        earlier: what earlier incarnations of hosts wrote, with the hosts' numbers.

    Every host's rows must be the first of the oracle's, all of them if the host completed; and the ends of episodes that
    hosts agreed on must have the oracle's digests.
    """
    written = [(host, *told) for host, told in enumerate(zip(journals, outcomes, strict=True))]
    written += [(host, journal, None) for host, journal in earlier]
    found = (divergence_of(host, journal, oracle, complete=outcome is Outcome.COMPLETED) for host, journal, outcome in written)
    return next((divergence for divergence in found if divergence is not None), None)


def divergence_of(host: int, journal: MemoryJournal, oracle: Oracle, *, complete: bool) -> Divergence | None:
    """The first place at which one host differs; if it is `complete`, it must have all of the oracle's rows."""
    return _in_rows(host, journal.cells, oracle, complete) or _in_ends(host, journal, oracle)


def _in_rows(host: int, rows: list[Cells], oracle: Oracle, complete: bool) -> Divergence | None:
    for row, other in zip(rows, oracle.rows, strict=False):
        if row == other:
            continue
        place = next((at for at, (one, two) in enumerate(zip(row, other, strict=False)) if one != two), min(len(row), len(other)))
        here, there = (cells[place] if place < len(cells) else None for cells in (row, other))
        if here is not None and there is not None and here[0] == there[0]:
            return Divergence(host, *_key(row), here[0], here[1], there[1])
        return Divergence(host, *_key(row), (here or there or ("", ""))[0], _cell(here), _cell(there))
    if len(rows) > len(oracle.rows):
        why = f"no such row ({oracle.stopped})" if oracle.stopped else "no such row"
        return Divergence(host, *_key(rows[len(oracle.rows)]), None, "a row", why)
    if complete and len(rows) < len(oracle.rows):
        return Divergence(host, *_key(oracle.rows[len(rows)]), None, "no such row", "a row")
    return None


def _in_ends(host: int, journal: MemoryJournal, oracle: Oracle) -> Divergence | None:
    known = {episode: (frames, chain) for episode, frames, chain in oracle.ends}
    for episode, frames, chain in journal.ends:
        if episode in known and known[episode] != (frames, chain):
            # The rows are alike, or this would not have been asked for; so it is the states that are digested with them.
            texts = [f"digest {data.hex()} over {count} rows and states" for count, data in ((frames, chain), known[episode])]
            return Divergence(host, episode, frames - 1, None, *texts)
    return None


def _key(row: Cells) -> tuple[int, int]:
    return int(row[0][1]), int(row[1][1])


def _cell(cell: tuple[str, str] | None) -> str:
    return "no such column" if cell is None else f"{cell[0]} {cell[1]}"

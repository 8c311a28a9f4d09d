"""Whole matches at the virtual table, with short options, and what they must have come to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pyodide_runtime.errors import MatchStuck
from pyodide_runtime.journal import MemoryJournal
from pyodide_runtime.network.virtual import VirtualNetwork
from pyodide_runtime.playing.match import Match
from pyodide_runtime.rollback.guesses import Predictor
from pyodide_runtime.rollback.inputs import Prediction
from pyodide_runtime.rows import to_csv
from pyodide_runtime.settings import MatchSettings, Outcome
from pyodide_runtime.virtual import table
from pyodide_runtime.virtual.inputs import Sampler
from pyodide_runtime.virtual.oracle import Oracle, first_divergence, run_straight
from pyodide_runtime.virtual.scenario import Clock, Scenario

__all__ = ["MatchStuck", "Result", "Sampler", "Table", "assert_completed"]


@dataclass
class Result:
    """What came out of one match."""

    matches: list[Match]
    journals: list[MemoryJournal]
    csv: list[bytes]
    oracle: bytes
    divergence: str
    network: VirtualNetwork
    virtual_ms: float


class Table(table.Table):
    """The product's table, with other defaults: shorter episodes, and hellos and ends that are lost as all else is.

    Args:
        window, clock_rates: `prediction_window`, and the rates of `clocks`, of a `Scenario`.
        sampler: makes the source of one host's inputs.
        options: the rest of a `Scenario`.
    """

    def __init__(
        self,
        factory: Callable[[], Any],
        *,
        frames: int | None = 120,
        window: int = 8,
        prediction: Prediction | Predictor = Prediction.LAST,
        clock_rates: list[float] | None = None,
        reliable_control: bool = False,
        settings: Callable[[int, MatchSettings], MatchSettings] = lambda number, settings: settings,
        sampler: Callable[[int], Sampler] | None = None,
        factories: Callable[[int], Callable[[], Any]] | None = None,
        journal: Callable[[], MemoryJournal] = MemoryJournal,
        **options: Any,
    ) -> None:
        scenario = Scenario(
            frames=frames,
            prediction_window=window,
            prediction=prediction,
            clocks=tuple(Clock(rate=rate) for rate in clock_rates or ()),
            reliable_control=reliable_control,
            **options,
        )
        super().__init__(factory, scenario, factories=factories, settings=settings, journal=journal)
        if sampler is not None:
            for host in self.hosts:
                host.sampler = sampler(host.number)

    def result(self) -> Result:
        """What came out. The oracle replays the longest journal."""
        journals = self.journals
        longest = max(journals, key=lambda journal: len(journal.cells))
        oracle = self._straight(longest)
        divergence = first_divergence(oracle, journals, [match.outcome for match in self.matches])
        csv = [to_csv(journal.cells) for journal in journals]
        return Result(self.matches, journals, csv, to_csv(oracle.rows), str(divergence or ""), self.network, self.now)

    def straight(self, journal: MemoryJournal) -> list[Any]:
        """The rows of a run without network from the inputs in a journal."""
        return self._straight(journal).rows

    def _straight(self, journal: MemoryJournal) -> Oracle:
        every = self.matches[0].settings.digest_every
        return run_straight(self.factory, self.scenario, journal, digest_every=every, partner=self.partner)


def assert_completed(result: Result, rows: int | None = None) -> None:
    """Every host completed, all have the same bytes, and those are the bytes of a run without network."""
    assert [match.outcome for match in result.matches] == [Outcome.COMPLETED] * len(result.matches), [
        (match.outcome, match.detail) for match in result.matches
    ]
    assert set(result.csv) == {result.oracle}
    assert result.divergence == "", "nor does the state behind the rows differ"
    count = result.oracle.count(b"\n") - 1
    assert count > 0
    if rows is not None:
        assert count == rows
    for match in result.matches:
        assert match.malformed == 0
        assert match.certified_through == (match.episode, len(match.ledger) - 1)

"""A witness: remembers all that the hosts at a table hold, wrote or ended as, and notices when it is not what it was."""

from __future__ import annotations

from typing import Any

from bench.soaking.laws import Broken
from pyodide_runtime.playing.match import Match
from pyodide_runtime.virtual.table import Host, Table

__all__ = ["Witness"]


class Witness:
    """Watches a table.

    Args:
        table: with its hosts, of whom each may come again, as another incarnation.
    """

    def __init__(self, table: Table) -> None:
        self._table = table
        self._inputs: dict[tuple[int, int, int, int], dict[int, bytes]] = {}
        self._written: dict[tuple[int, int], tuple[int, int, Any]] = {}

    def look(self) -> None:
        """Look at all hosts.

        Raises:
            Broken: a confirmed input, a row or an outcome is not what it was.
        """
        for host in self._table.hosts:
            self._look_at_inputs(host.number, host.match)
            self._look_at_journal(host)

    def _look_at_inputs(self, number: int, match: Match) -> None:
        for player, queue in enumerate(match.session.queues):
            known = self._inputs.setdefault((number, match.incarnation, match.episode, player), {})
            for frame in range(queue.first, queue.last + 1):
                data = queue.held(frame)
                if data is None:
                    raise Broken(f"host {number} lost the input of player {player} for frame {frame} of episode {match.episode}")
                if known.setdefault(frame, data) != data:
                    raise Broken(
                        f"host {number} changed the input of player {player} for frame {frame} of episode {match.episode} "
                        f"from {known[frame].hex()} to {data.hex()}"
                    )

    def _look_at_journal(self, host: Host) -> None:
        journal, place = host.journal, (host.number, host.match.incarnation)
        rows, last, result = self._written.get(place, (0, 0, None))
        if len(journal.cells) < rows or (rows and hash(journal.cells[rows - 1]) != last):
            raise Broken(f"host {host.number} has changed its rows")
        if result is not None and journal.result is not result:
            raise Broken(f"host {host.number} ended twice: {result}, then {journal.result}")
        newest = hash(journal.cells[-1]) if journal.cells else 0
        self._written[place] = (len(journal.cells), newest, journal.result)

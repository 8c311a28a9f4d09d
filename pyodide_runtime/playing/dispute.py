"""A dispute over data that differ: one diagnosis with one peer, from the first doubt to the sentence that the match ends with.

What is asked and answered is in `desync`. Whose data are right is not known here, nor anywhere.
"""

from __future__ import annotations

from typing import Any

from ..desync.diagnosis import Diagnosis
from ..network.wire import Ask, Tell
from ..versions import versions
from .course import Course, Doubt
from .lineup import Lineup
from .outbox import CONTROL, Outbox

__all__ = ["Dispute"]


class Dispute:
    """The one dispute that a match may have.

    Args:
        course: this host's data.
        lineup: who is there.
        outbox: takes what is asked and answered.
    """

    def __init__(self, course: Course, lineup: Lineup, outbox: Outbox) -> None:
        self._course = course
        self._lineup = lineup
        self._outbox = outbox
        self._doubt = ""
        self._diagnosis: Diagnosis | None = None

    @property
    def raised(self) -> bool:
        """Whether there is a dispute."""
        return self._diagnosis is not None

    @property
    def alike(self) -> str:
        """How much is not disputed, for people."""
        return f"the first {self._course.ledger.certified} rows are alike"

    @property
    def findings(self) -> dict[str, Any]:
        """What has been found out, as JSON."""
        return self._diagnosed.report.as_json()

    @property
    def _diagnosed(self) -> Diagnosis:
        assert self._diagnosis is not None
        return self._diagnosis

    def begin(self, doubt: Doubt) -> None:
        """Begin to find out, with the peer in doubt, where its data are other ones."""
        lineup, ledger = self._lineup, self._course.ledger
        self._doubt = doubt.detail
        self._diagnosis = Diagnosis(
            self._course.evidence,
            versions(),
            names=[lineup.players_of(number) for number in range(len(lineup.membership.players))],
            local=lineup.host,
            incarnation=lineup.incarnation,
            partner=doubt.host,
            claim=(len(ledger), ledger.newest),
        )

    def go_on(self, now_ms: float) -> None:
        """Ask and answer what is due."""
        for host, packet in self._diagnosed.due(now_ms):
            self._outbox.send(self._lineup.peers[host], CONTROL, packet)

    def over(self, now_ms: float) -> bool:
        """Whether there is nothing more to wait for."""
        return self._diagnosed.over(now_ms)

    def take(self, packet: Ask | Tell) -> None:
        """Take what a peer asks or tells.

        Raises:
            WireError: it is none of what it could ask or tell.
        """
        self._diagnosed.take(packet)

    def satisfied(self, host: int) -> None:
        """A peer will ask no more."""
        self._diagnosed.satisfied(host)

    def is_with(self, host: int) -> bool:
        """Whether nothing more can be found out without this peer."""
        return host == self._diagnosed.partner

    def close(self, unfinished: str) -> str:
        """Ask no more. What is known, for people; `unfinished`: why it may not be all."""
        diagnosis = self._diagnosed
        diagnosis.close(unfinished)
        report = diagnosis.report
        doubt = [self._doubt] if report.first is None and report.row is None else []
        return "; ".join(part for part in [*doubt, diagnosis.sentence, self.alike] if part)

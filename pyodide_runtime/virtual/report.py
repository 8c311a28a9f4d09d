"""What came out of a virtual match: every host's data, whether they are those of a run without network, and what it took.

It is told; nothing is run here.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from ..settings import Outcome
from .oracle import Divergence
from .schedule import Schedule

__all__ = ["PeerReport", "SimulationReport"]

_TOLD = (
    "seed", "players", "identical", "failure", "detail", "frames", "rollbacks", "max_rollback_depth", "replayed",
    "spared", "mispredictions", "stalls", "bytes_sent", "packets_sent", "packets_lost", "packets_parted", "packets_overflowed",
    "packets_duplicated", "virtual_ms",
)  # fmt: skip
_TOLD_OF_PEERS = (
    "players", "frames", "detail", "certified_through", "rollbacks", "max_rollback_depth", "replayed", "spared",
    "mispredictions", "stalls", "bytes_sent", "bytes_received", "malformed",
)  # fmt: skip
#: Outcomes that say that something is wrong with the environment or the netcode, not with the network.
WRONG = {Outcome.DESYNC, Outcome.REFUSED, Outcome.ENVIRONMENT_ERROR}


@dataclass(frozen=True, slots=True)
class PeerReport:
    """One host.

    Attributes:
        players: names of the players whose inputs came from it.
        csv: its export.
        frames: how many rows that has.
        outcome: how the match ended for it; None if it had not ended, or if the host had gone for good by then.
        detail: the outcome in words.
        certified_through: episode and frame of the last row that all are known to have alike; (0, -1) if there is none.
        rollbacks: how often it went back.
        max_rollback_depth: the most frames that it replayed at once.
        replayed: how many frames it replayed in all.
        spared: how many of these it did not simulate again, since the correction had changed nothing by then.
        mispredictions: how many inputs were not what had been predicted.
        stalls: how many frames had to wait for inputs.
        bytes_sent, bytes_received: in packets, without the headers of the transport.
        malformed: how many packets it dropped because they were none.
    """

    players: tuple[str, ...]
    csv: bytes = field(repr=False)
    frames: int
    outcome: Outcome | None
    detail: str
    certified_through: tuple[int, int]
    rollbacks: int
    max_rollback_depth: int
    replayed: int
    spared: int
    mispredictions: int
    stalls: int
    bytes_sent: int
    bytes_received: int
    malformed: int


@dataclass(frozen=True, slots=True)
class SimulationReport:
    """A whole match.

    Attributes:
        seed: of the match.
        players: their names.
        peers: every host, in order.
        oracle_csv: the export of a run without network from the confirmed inputs.
        divergence: the first place at which a host's data are not the oracle's; None if there is none.
        outcome: how the match ended: completed, if it did for every host that was there to the end; else how it did for the one
            of them that ended first without having completed; None if it did not end.
        detail: that outcome in words.
        frames: how many rows the oracle has.
        packets_sent: attempts to transmit a packet again included.
        packets_lost: by chance; `packets_parted`: in partitions; `packets_overflowed`: for want of bandwidth.
        packets_duplicated: that arrived twice.
        virtual_ms: how long the match took on the virtual clock.
        schedule: the match written down, to be played again.
    """

    seed: int
    players: tuple[str, ...]
    peers: tuple[PeerReport, ...]
    oracle_csv: bytes = field(repr=False)
    divergence: Divergence | None
    outcome: Outcome | None
    detail: str
    frames: int
    packets_sent: int
    packets_lost: int
    packets_parted: int
    packets_overflowed: int
    packets_duplicated: int
    virtual_ms: float
    schedule: Schedule = field(repr=False)

    def summary(self) -> dict[str, Any]:
        """Everything but the data and the schedule, as JSON values."""
        peers = [
            {**{name: getattr(peer, name) for name in _TOLD_OF_PEERS}, "outcome": peer.outcome and peer.outcome.value}
            for peer in self.peers
        ]
        return {
            **{name: getattr(self, name) for name in _TOLD},
            "outcome": self.outcome and self.outcome.value,
            "divergence": None if self.divergence is None else asdict(self.divergence),
            "peers": peers,
        }

    @property
    def identical(self) -> bool:
        """Whether every host's data are the oracle's, all of them if the match completed, else the first of them."""
        return self.divergence is None

    @property
    def failure(self) -> str | None:
        """What is wrong with the environment or the netcode, for people; None if nothing is.

        That a host was lost, on a network as bad as that, is no failure.
        """
        if self.divergence is not None:
            return str(self.divergence)
        if self.outcome is None:
            return self.detail
        return f"{self.outcome.value}: {self.detail}" if self.outcome in WRONG else None

    @property
    def failure_kind(self) -> str | None:
        """A word for the sort of the failure: "divergence", "stuck", or the outcome's. None if there is none."""
        if self.divergence is not None and self.outcome is not Outcome.DESYNC:
            return "divergence"
        if self.outcome is None:
            return "stuck"
        return self.outcome.value if self.outcome in WRONG else None

    @property
    def rollbacks(self) -> int:
        """How often hosts went back, all together."""
        return sum(peer.rollbacks for peer in self.peers)

    @property
    def max_rollback_depth(self) -> int:
        """The most frames that any host replayed at once."""
        return max(peer.max_rollback_depth for peer in self.peers)

    @property
    def replayed(self) -> int:
        """How many frames hosts replayed, all together."""
        return sum(peer.replayed for peer in self.peers)

    @property
    def spared(self) -> int:
        """How many of these were not simulated again, since the correction had changed nothing by then, all together."""
        return sum(peer.spared for peer in self.peers)

    @property
    def mispredictions(self) -> int:
        """How many inputs were not what hosts had predicted, all together."""
        return sum(peer.mispredictions for peer in self.peers)

    @property
    def stalls(self) -> int:
        """How many frames had to wait for inputs, all together."""
        return sum(peer.stalls for peer in self.peers)

    @property
    def bytes_sent(self) -> int:
        """Of all hosts together, in packets, without the headers of the transport."""
        return sum(peer.bytes_sent for peer in self.peers)

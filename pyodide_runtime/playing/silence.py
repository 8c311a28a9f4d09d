"""Who was not heard for too long, where that is not this host's own fault.

It knows when this host was last called and when each peer was last heard, and nothing of what they said. What is to become of
one that is silent is not decided here.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..network.peer import Peer
from .lineup import Lineup

__all__ = ["Silence"]

#: A gap between two ticks that is longer than this was a pause of this host, in ms: its peers are not to blame for
#: their silence.
PAUSE_MS = 500.0
#: This share of the time after which a host is given up is surely not too long, however fast the other's clock runs.
SURE = 0.75


class Silence:
    """How long peers have been silent.

    Args:
        lineup: who is there.
        patience_ms: a peer that was silent for longer is taken to be gone.
    """

    def __init__(self, lineup: Lineup, patience_ms: float) -> None:
        self._lineup = lineup
        self._patience = patience_ms
        self._since: float | None = None
        self._taught_at = 0.0  # when somebody was last heard who knows how the match goes

    @property
    def since(self) -> float:
        """Since when a peer that was never heard is waited for; 0 before any is."""
        return self._since or 0.0

    def forgive(self, now_ms: float, last_ms: float | None) -> None:
        """A pause counts as a short silence, not as a long one; but a host that does nothing but pause notices, too.

        Args:
            last_ms: when this host was last called; None if it never was.
        """
        forgiven = now_ms - last_ms - PAUSE_MS if last_ms is not None else 0.0
        if forgiven > 0:
            for peer in self._lineup.peers.values():
                if peer.last_heard is not None:
                    peer.last_heard = min(now_ms, peer.last_heard + forgiven)
            if self._since is not None:
                self._since += forgiven

    def overlong(self, now_ms: float) -> Iterator[tuple[Peer, float]]:
        """The peers that were silent for too long, or whose connection was closed, and for how many s they were silent."""
        lineup = self._lineup
        if self._since is None:
            self._since = now_ms
        for peer in list(lineup.peers.values()):
            # What is found of one may change what is expected of the next.
            if lineup.membership.is_out(peer.host) and not lineup.is_late(peer):
                continue
            since = peer.last_heard if peer.last_heard is not None else self._since
            # Before the first packet a peer may still be connecting; it has three times as long for that.
            patience = self._patience * (1 if peer.last_heard is not None else 3)
            if now_ms - since > patience or (peer.closed_at is not None and not lineup.is_late(peer)):
                yield peer, (now_ms - since) / 1000

    def taught(self, now_ms: float) -> None:
        """Somebody is there who knows how the match goes."""
        self._taught_at = now_ms

    def is_untaught(self, now_ms: float) -> bool:
        """Whether nobody was there for too long from whom one that comes late can learn."""
        if any(peer.last_heard is not None for peer in self._lineup.teachers(now_ms)):
            self._taught_at = now_ms
        return now_ms - self._taught_at > self._patience

    def is_sure(self, peer: Peer, now_ms: float) -> bool:
        """Whether a peer that is gone played with this host until then: it had heard this host not long before. Otherwise it may
        have given this host up, and gone on alone for a while."""
        heard = peer.heard_us_at
        return heard is not None and now_ms - heard < SURE * self._patience

"""Hosts that are gone: suspected, given up by agreement, stood in for, and let in again when they come back.

It keeps the `Membership` of one match going: says what is to be stated to whom, what a sponsor gives in the place of an absent
host, and what is to become of a host that was lost. It knows no transport; time is given to it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

from ..drops import OnDrop
from ..network.membership import Membership, Statement
from ..network.peer import Peer
from ..network.wire import Members
from ..rollback.inputs import ABSENT, RETURNS, STOPS
from ..rollback.session import RollbackSession
from ..settings import MatchSettings, Outcome

__all__ = ["Absences", "Reason"]

Reason = tuple[Outcome, str]
"""Why a host is gone, or a match ends: an outcome, and words for people."""

#: How often a statement is repeated until all agree, and how often after that, for those who were not there, in ms.
REPEAT_MS, AFTERWARDS_MS = 50.0, 1000.0


class Absences:
    """The absences in one match.

    Args:
        membership: who plays.
        peers: what is known of each remote host, by number.
        settings: of the match.
        neutral: each player's neutral input.
    """

    def __init__(
        self, membership: Membership, peers: Mapping[int, Peer], settings: MatchSettings, neutral: Sequence[bytes]
    ) -> None:
        self._membership = membership
        self._peers = peers
        self._settings = settings
        self._stand_in = [bytes((ABSENT,)) + data[1:] for data in neutral]
        self._stated_at = -math.inf
        self._reminded_at: dict[int, float] = {}
        self._deadlines: dict[int, float] = {}  # by when those that are waited for are to be back
        #: Why each host that is gone is gone.
        self.reasons: dict[int, Reason] = {}
        #: Hosts that had done their part when they went.
        self.excused: set[int] = set()

    # -- going -------------------------------------------------------------------------------------------------------

    def lose(self, host: int, incarnation: int, reason: Reason, now: float, *, sure: bool) -> None:
        """A host is gone, or was silent for too long."""
        if self._membership.suspect(host, incarnation, left=sure):
            self.reasons.setdefault(host, reason)
            self._deadlines.pop(host, None)
            self._deadline(host, now)
            self._stated_at = -math.inf

    def returned(self, host: int) -> None:
        """A host that was gone goes on again: if it goes once more, that has reasons of its own."""
        self.reasons.pop(host, None)
        self._deadlines.pop(host, None)

    def _deadline(self, host: int, now: float) -> float:
        """By when a host that is gone is to be back. Of some, this host learned only from others that they are gone."""
        peer = self._peers.get(host)
        waited = now - peer.last_heard if peer is not None and peer.last_heard is not None else 0.0
        return self._deadlines.setdefault(host, now + max(0.0, self._settings.return_within_ms - waited))

    def give_up(self, peer: Peer, start: float, now: float) -> bool:
        """Whether a host whose connection is closed, or that is silent, is to be given up, rather than waited for.

        Args:
            start: since when a host that was never heard is waited for.
        """
        if self._settings.on_drop is not OnDrop.PAUSE:
            return True
        heard = start if peer.last_heard is None else peer.last_heard
        return now - (heard if peer.closed_at is None else peer.closed_at) > self._settings.return_within_ms

    def overdue(self, now: float) -> str | None:
        """Why a host is gone whose return, or certainty about it, was waited for as long as is set; None if there is none."""
        for host in self._membership.undecided:
            if now > self._deadline(host, now):
                return self.reasons.get(host, (Outcome.PEER_LOST, "the others lost a peer"))[1]
        return None

    def statements(self, now: float, episode: int, needs: Sequence[int]) -> Iterator[tuple[int, Statement]]:
        """What is to be stated now, and to which host, so that all come to agree."""
        if now - self._stated_at < (REPEAT_MS if self._membership.undecided else AFTERWARDS_MS):
            return
        self._stated_at = now
        statement = self._membership.state(episode, needs)
        # Those that are held for gone hear it, too: they may be there.
        for host in (*self._membership.left_over, *self._membership.undecided):
            if host != self._membership.host and host not in self.excused:
                yield host, statement

    def remind(self, host: int, now: float) -> bool:
        """Whether to tell a host, that goes on speaking though it was given up, that it was."""
        if now - self._reminded_at.get(host, -math.inf) < REPEAT_MS:
            return False
        self._reminded_at[host] = now
        return True

    def agree(self, episode: int, needs: Sequence[int]) -> list[int]:
        """The hosts that all have now agreed to give up."""
        if self.excused.issuperset(self._membership.missing(episode, needs)):
            return self._membership.settle()
        return []

    def overrules(self, packet: Members) -> bool | None:
        """Of two sides that have given each other up, whether this one is to go on; None if that is not decided yet.

        The larger goes on; if both are as large, the one that the arbiter lets go on, or that with the first host.
        """
        theirs = [number for number, standing in enumerate(packet.standings) if not standing.out]
        ours = self._membership.left_over
        if self._membership.arbitrated and len(ours) == len(theirs):
            return True if not self._membership.undecided else False if packet.agreed else None
        return (-len(ours), ours) < (-len(theirs), theirs)

    def reason(self, hosts: Sequence[int], name: Callable[[int], str]) -> Reason:
        """Why a match ends that ends because some hosts are gone."""
        if not hosts:
            return Outcome.PEER_LOST, "the match was cut off"
        for host in hosts:
            if host in self.reasons:
                return self.reasons[host]
        host = hosts[0]
        left = self._membership.standings[host].left
        return (Outcome.PEER_LEFT, f"{name(host)} left") if left else (Outcome.PEER_LOST, f"the others lost {name(host)}")

    # -- standing in, and coming back --------------------------------------------------------------------------------

    def stand_in(self, session: RollbackSession, episode: int, through: int, now: float) -> None:
        """Give the inputs of the absent players that this host is the sponsor of, up to frame `through`."""
        membership = self._membership
        for host, players in enumerate(membership.players):
            # The players of a host have one continuer together.
            if host == membership.host or membership.owner(players[0]) != membership.host:
                continue
            returning = self._returning(host, session, episode, now)
            for player in players:
                self._continue(session, player, host, through, returning, now)

    def _continue(self, session: RollbackSession, player: int, host: int, through: int, returning: Peer | None, now: float) -> None:
        queue, data, policy = session.queues[player], self._stand_in[player], self._settings.on_drop
        newest = queue.held(queue.last)
        if newest is not None and newest[0] & STOPS:
            return
        if newest is not None and newest[0] & RETURNS and newest[0] >> 4 > self._membership.standings[host].gone:
            return  # it was let in; that takes effect when all have it
        start = queue.last + 1
        if policy is OnDrop.END or (policy is OnDrop.PAUSE and returning is None and self._waited_enough(host, now)):
            session.receive(player, start, [bytes((ABSENT | STOPS,)) + data[1:]])
        elif returning is not None:
            session.receive(player, start, [bytes((ABSENT | RETURNS | returning.incarnation << 4,)) + data[1:]])
        elif policy is not OnDrop.PAUSE and through >= start:
            session.receive(player, start, [data] * (through - queue.last))

    def _waited_enough(self, host: int, now: float) -> bool:
        """Whether a host that was given up while all pause is late, and does not even try to come back."""
        peer = self._peers.get(host)
        trying = peer is not None and peer.incarnation > self._membership.standings[host].gone and self._lives(peer, now)
        return not trying and now > self._deadline(host, now)

    def _lives(self, peer: Peer, now: float) -> bool:
        """Whether a peer was heard of late, and its connection is open."""
        if peer.closed_at is not None or peer.last_heard is None:
            return False
        return now - peer.last_heard <= self._settings.disconnect_after_ms

    def _returning(self, host: int, session: RollbackSession, episode: int, now: float) -> Peer | None:
        """A new incarnation of a host that has caught up, so that it can go on."""
        peer = self._peers.get(host)
        if peer is None or peer.incarnation <= self._membership.standings[host].gone:
            return None
        if not peer.knows_us or not self._lives(peer, now):
            return None
        trip = (peer.round_trip_ms or 0.0) * self._settings.fps / 1000
        behind = session.final - peer.held
        if peer.episode != episode or peer.round_trip_ms is None or behind > trip + self._settings.prediction_window + 2:
            return None
        return peer

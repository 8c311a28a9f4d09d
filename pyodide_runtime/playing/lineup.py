"""Who is there in a match: its hosts, the peers among them, and what follows for each from who plays and who is gone.

It is asked in every tick, so what seldom changes is worked out when it does. It sends nothing and decides nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..network.membership import LAST_INCARNATION, Membership
from ..network.peer import Peer
from ..settings import MatchSettings

__all__ = ["SILENT_MS", "Lineup"]

#: A peer that was not heard for so long is told of as silent, in ms.
SILENT_MS = 500.0


class Lineup:
    """The hosts of one match, as one of them sees them.

    Args:
        host, incarnation: this host.
        settings: of the match.
        names: of the players.

    Attributes:
        host, incarnation: this host, too.
        membership: who plays, as far as is known here.
        peers: by host, what is known of each of the others that ever was met, and of all that are to play.
        members: the hosts, but for this one, that play.
        giving: the players whose inputs this host gives: its own, and all that it has of those who are gone.
        anybody_gone: whether some host is gone, or was.
        watching: whether this host only watches: for good, or until it has caught up.
    """

    def __init__(self, host: int, incarnation: int, settings: MatchSettings, names: Sequence[str]) -> None:
        hosts = settings.hosts_of(len(names))
        self.host = host
        self.incarnation = incarnation
        self.membership = Membership(host, hosts, incarnation, arbitrated=settings.arbitrated)
        self.peers: dict[int, Peer] = {}
        self.watching = incarnation > 0 or host >= len(hosts)
        self._names = tuple(names)
        self._period = 1000.0 / settings.fps
        self._patience = settings.disconnect_after_ms
        self._goes_on = settings.on_drop.goes_on
        self._numbers = len(hosts) + settings.spectators
        self._awaited: dict[int, int] = {}  # which incarnation of a host was last expected to say hello
        for number in range(len(hosts)):
            if number != host:
                # Of the peers of one that comes late it is not known how often they came.
                self.meet(number, -1 if self.watching else 0)
        self.work_out()

    # -- one peer ----------------------------------------------------------------------------------------------------

    def meet(self, host: int, incarnation: int) -> Peer:
        """A peer comes, for the first time or anew; -1 stands for an incarnation that is still to say its number."""
        peer = self.peers[host] = Peer(host, incarnation, len(self._names), self._period)
        return peer

    def may_come(self, host: int, incarnation: int) -> bool:
        """Whether there can be such a host."""
        return host < self._numbers and host != self.host and incarnation <= LAST_INCARNATION

    def is_late(self, peer: Peer) -> bool:
        """Whether a peer only watches, for good or until it has caught up."""
        return self.is_spectator(peer.host) or peer.incarnation > self.membership.standings[peer.host].running

    def is_spectator(self, host: int) -> bool:
        """Whether a host has no players."""
        return host >= len(self.membership.players)

    def is_known(self, peer: Peer, now_ms: float) -> bool:
        """Whether hellos were exchanged with a peer, and nothing hints at its having come anew since then."""
        silent = self.watching and (self._is_silent(peer, now_ms, SILENT_MS) or peer.closed_at is not None)
        return peer.heard_hello and peer.knows_us and not silent

    @staticmethod
    def _is_silent(peer: Peer, now: float, ms: float) -> bool:
        return peer.last_heard is None or now - peer.last_heard > ms

    def may_give(self, peer: Peer, player: int) -> bool:
        """Whether a peer's word counts for a player: its own, one of a host that is gone, or any for who only watches."""
        owner = self.membership.host_of[player]
        return (owner != self.host and (peer.host == owner or self.membership.is_out(owner))) or self.watching

    def name(self, host: int) -> str:
        """A host's players, as people know them."""
        if self.is_spectator(host):
            return f"spectator {host - len(self.membership.players) + 1}"
        return f"player{'s' * (len(self.membership.players[host]) > 1)} {self.players_of(host)}"

    def players_of(self, host: int) -> str:
        """The names of a host's players."""
        return " and ".join(self._names[place] for place in self.membership.players[host])

    # -- all of them -------------------------------------------------------------------------------------------------

    def work_out(self) -> None:
        """Work out anew what follows from who plays."""
        membership = self.membership
        for host in membership.left_over:
            known, running = self.peers.get(host), membership.standings[host].running
            if host != self.host and (known is None or known.incarnation < running > self._awaited.get(host, 0)):
                self.meet(host, -1)  # it came back, and is still to say hello
                self._awaited[host] = running
        self.members = [host for host in membership.left_over if host in self.peers and not self.is_late(self.peers[host])]
        # Of those who are gone everybody passes on what it has: to the sponsor, too, before it goes on with it.
        hosts = membership.host_of.items()
        giving = [player for player, host in hosts if host == self.host or membership.is_out(host)]
        self.giving = [] if self.watching else giving
        self.anybody_gone = any(standing.gone >= 0 for standing in membership.standings)

    @property
    def replaced(self) -> list[Peer]:
        """Hosts that were let in, but whose pages have been loaded once more since then."""
        found = [self.peers[host] for host in self.membership.left_over if host in self.peers]
        return [peer for peer in found if self.is_late(peer)]

    @property
    def awaited(self) -> list[Peer]:
        """The hosts without which nothing begins: all that play and are there, as far as is known."""
        found = [self.peers[host] for host in self.membership.left_over if host in self.peers]
        return [peer for peer in found if peer.closed_at is None]

    @property
    def hearers(self) -> list[Peer]:
        """The peers that are told how this host is: those that play; but who watches may not know yet that a host has been let
        in again, and tells all."""
        hosts = range(len(self.membership.players)) if self.watching else self.members
        return [self.peers[host] for host in hosts if host in self.peers]

    @property
    def learners(self) -> list[Peer]:
        """The peers that come late and are to learn from this host how the match goes."""
        if self.watching or len(self.peers) == len(self.members):
            return []
        return [peer for peer in self.peers.values() if peer.heard_hello and self.is_late(peer)]

    def teachers(self, now_ms: float) -> list[Peer]:
        """The peers from whom one that comes late can learn: who plays, or has played, and is there, though others gave it up.

        One that was never heard may be there, too, as long as nobody has given it up.
        """
        found = []
        for peer in self.peers.values():
            plays = not self.is_spectator(peer.host) and (peer.begun or not self.is_late(peer))
            to_come = peer.last_heard is None and not self.membership.is_out(peer.host)
            if plays and peer.closed_at is None and (to_come or not self._is_silent(peer, now_ms, self._patience)):
                found.append(peer)
        return found

    @property
    def untold(self) -> list[int]:
        """The players of whom this host tells learners: its own, and those of whom nobody else may tell."""
        return [player for player, host in self.membership.host_of.items() if host == self.host or host not in self.members]

    def presence(self, now_ms: float) -> dict[int, str]:
        """How each of the other players' hosts is: "here", "silent", "absent", or "returning"."""
        found = {}
        for host, standing in enumerate(self.membership.standings):
            peer = self.peers.get(host)
            if peer is None:
                continue
            if self._goes_on and host in self.membership.undecided:
                # Nobody has gone on without it: all the others are still to say so, or the arbiter is, and may say no.
                found[host] = "silent"
            elif self.membership.is_out(host) or peer.closed_at is not None:
                found[host] = "returning" if peer.incarnation > standing.gone and peer.closed_at is None else "absent"
            else:
                silent = peer.last_heard is not None and self._is_silent(peer, now_ms, SILENT_MS)
                found[host] = "silent" if silent else "here"
        return found

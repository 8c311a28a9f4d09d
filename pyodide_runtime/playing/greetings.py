"""Hellos: what is said, when it is said again and over which channel, and what those of the others mean.

Whether the match goes on or is refused by what they say is not decided here. It knows nothing of episodes or inputs.
"""

from __future__ import annotations

from ..errors import WireError
from ..network.peer import Peer
from ..network.wire import PROTOCOL_VERSION, Hello
from ..settings import Phase
from ..terms import first_difference
from .lineup import Lineup
from .outbox import CONTROL, INPUT, Outbox
from .pacing import REPEAT_MS

__all__ = ["RELIABLE_GREETINGS", "Greetings"]

#: One in so many hellos goes over the reliable channel.
RELIABLE_GREETINGS = 8


class Greetings:
    """The hellos of one host.

    Args:
        terms: canonical JSON of what must be equal on every host.
        lineup: who is there.
        outbox: takes what is said.
    """

    def __init__(self, terms: bytes, lineup: Lineup, outbox: Outbox) -> None:
        self._terms = terms
        self._lineup = lineup
        self._outbox = outbox
        self._late = lineup.watching  # the match may have begun without this host
        self._greeted_at = -REPEAT_MS

    # -- what is said ------------------------------------------------------------------------------------------------

    def hello(self, heard: int, phase: Phase) -> Hello:
        """This host's hello to one whose incarnation `heard` was heard; -1 if none was."""
        lineup = self._lineup
        begun = phase is not Phase.CONNECTING and not lineup.watching
        return Hello(lineup.host, lineup.incarnation, self._terms, heard, begun, tuple(lineup.membership.standings))

    def greet_strangers(self, now_ms: float, phase: Phase) -> None:
        """Say hello to those with whom none was exchanged: all are new to this host, or they came back, or it did."""
        if now_ms - self._greeted_at < REPEAT_MS:
            return
        self._greeted_at = now_ms
        for peer in self._lineup.hearers:
            if phase is Phase.CONNECTING or not self._lineup.is_known(peer, now_ms):
                self._greet(peer, phase)

    def _greet(self, peer: Peer, phase: Phase) -> None:
        """Say hello once. What is new in it, and then one in some, goes reliably.

        Congestion is of all channels of a connection together (RFC 9260, section 7.2): a reliable channel that has much to
        transmit again holds up the unreliable one. What is repeated anyway goes over that; what is too long to get over a
        bad line in one go gets there in the end.
        """
        heard = peer.incarnation if peer.heard_hello else -1
        if heard != peer.told_heard:
            peer.told_heard, peer.greetings = heard, 0
        reliably = peer.greetings % RELIABLE_GREETINGS == 0
        peer.greetings += 1
        self._outbox.send(peer, CONTROL if reliably else INPUT, self.hello(heard, phase))

    # -- what is heard -----------------------------------------------------------------------------------------------

    @property
    def in_vain(self) -> bool:
        """Whether nobody who is there knows how a match went so far that has begun without this host."""
        awaited = self._lineup.awaited
        return self._late and all(peer.heard_hello and peer.incarnation > 0 and not peer.begun for peer in awaited)

    @property
    def complete(self) -> bool:
        """Whether hellos were exchanged with all that are awaited, so that this host can begin."""
        awaited = self._lineup.awaited
        begun = not self._late or any(peer.begun for peer in awaited)
        return begun and all(peer.heard_hello and peer.knows_us for peer in awaited)

    def take(self, peer: Peer, packet: Hello, phase: Phase) -> str | None:
        """Take a peer's hello, and answer it if need be. Why there can be no match with it; None if there can.

        Raises:
            WireError: it contradicts an earlier one.
        """
        lineup = self._lineup
        difference = first_difference(self._terms, packet.terms)
        if packet.version != PROTOCOL_VERSION:
            difference = f"protocol is {PROTOCOL_VERSION} here and {packet.version} there"
        if difference is not None:
            if peer.heard_hello:
                raise WireError("a second hello, with other terms than the first")
            # It is to see for itself what differs; once it has told us its own terms, no more is to be said.
            if phase is not Phase.OVER or packet.heard != lineup.incarnation:
                self._outbox.send(peer, CONTROL, self.hello(peer.incarnation, phase))
            if phase is Phase.CONNECTING or not lineup.is_late(peer):
                return f"{lineup.name(peer.host)} plays by other terms: {difference}"
            return None
        peer.heard_hello = True
        peer.begun = packet.begun
        peer.knows_us = peer.knows_us or packet.heard == lineup.incarnation
        if lineup.watching and lineup.membership.merge(packet.standings, also_sponsors=True):
            lineup.work_out()
        # As long as it has not begun, it may not know that it was heard: an answer can be lost.
        settled = packet.heard == lineup.incarnation and (packet.begun or lineup.watching)
        if phase is not Phase.CONNECTING and not settled:
            self._greet(peer, phase)
        return None

"""The end of an episode: what this host says of it, how long it repeats that, and whether all have come to the same.

It knows of ends that episodes were long past, for those who come late, and of one that is being agreed on. What follows from it,
the next episode or the end of the match, is not decided here.
"""

from __future__ import annotations

from collections.abc import Iterator, Set

from ..network.peer import Peer
from ..network.wire import End
from ..settings import Phase
from .course import Course, Doubt
from .lineup import Lineup
from .outbox import INPUT, Outbox
from .pacing import REPEAT_MS

__all__ = ["Endings"]


class Endings:
    """The ends of a match's episodes.

    Args:
        course: the episodes.
        lineup: who is there.
        excused: hosts that had done their part when they went.
        outbox: takes what is said.

    Attributes:
        archive: by episode, this host's word on each that all have agreed on.
    """

    def __init__(self, course: Course, lineup: Lineup, excused: Set[int], outbox: Outbox) -> None:
        self.archive: dict[int, End] = {}
        self._course = course
        self._lineup = lineup
        self._excused = excused
        self._outbox = outbox
        self._ends: dict[int, End] = {}  # by host, what it says of this episode
        self._passed = False  # some peer has gone on from this episode
        self._repeated_at = -REPEAT_MS

    def begin_episode(self) -> None:
        """Nobody has said anything of the end of this one."""
        self._ends = {}
        self._passed = False

    # -- this host's word --------------------------------------------------------------------------------------------

    def reached(self, now_ms: float) -> None:
        """The episode has ended here: that is to be said at once."""
        self._repeated_at = now_ms - REPEAT_MS

    def repeat(self, now_ms: float) -> None:
        """Say again, if it is time, how the episode ended here."""
        if now_ms - self._repeated_at < REPEAT_MS:
            return
        self._repeated_at = now_ms
        lineup = self._lineup
        # Also to peers of whom all is known here: one that waits for a third may not know that its own End arrived.
        for peer in lineup.peers.values():
            if peer.heard_hello and not (lineup.watching and lineup.is_late(peer)):
                self._outbox.send(peer, INPUT, self._own(heard=peer.ended))

    def settle(self) -> None:
        """All have ended alike: keep this host's word on it for those who come late."""
        self.archive[self._course.episode] = self._own(heard=True, settled=True)

    def _own(self, *, heard: bool, settled: bool = False) -> End:
        course, lineup = self._course, self._lineup
        return End(lineup.host, lineup.incarnation, course.episode, len(course.ledger), course.ledger.newest, heard, settled)

    # -- the others' -------------------------------------------------------------------------------------------------

    @property
    def settled(self) -> bool:
        """Whether all that play have ended the episode alike, and know it of this host."""
        lineup = self._lineup
        members = [lineup.peers[host] for host in lineup.members if host not in self._excused]
        if lineup.watching:
            members = [peer for peer in members if peer.closed_at is None]
        agreed = self._passed or lineup.watching or not lineup.membership.undecided
        return agreed and all(peer.ended and (peer.end_heard or lineup.watching) for peer in members)

    def early(self) -> Iterator[Doubt]:
        """Compare what was said before the episode had ended here; what is doubtful about it."""
        for host, end in list(self._ends.items()):
            if host in self._lineup.peers and not self._lineup.membership.is_out(host):  # one that is gone ended where it stopped
                doubt = self._compare(self._lineup.peers[host], end)
                if doubt is not None:
                    yield doubt

    def take(self, peer: Peer, packet: End, phase: Phase) -> Doubt | None:
        """Take what a peer says, and answer it if need be. What is doubtful about it, if anything is."""
        course, lineup = self._course, self._lineup
        if packet.episode < course.episode or phase is Phase.OVER:
            known = self.archive.get(packet.episode)
            if known is not None and not packet.settled:
                self._outbox.send(peer, INPUT, known)
            return None
        if packet.episode > course.episode or (lineup.membership.is_out(peer.host) and not lineup.is_late(peer)):
            return None  # one that is gone ended where it stopped
        if lineup.is_late(peer):
            # Not what answers this host's own word: if each takes the other for one that comes late, that would never end.
            if phase is Phase.SETTLING and not lineup.watching and not packet.heard:
                self._outbox.send(peer, INPUT, self._own(heard=True))
            return None
        self._ends[peer.host] = packet
        if phase is not Phase.SETTLING:
            return None
        peer.end_heard = peer.end_heard or packet.heard
        doubt = self._compare(peer, packet)
        if doubt is None and not packet.heard:
            self._outbox.send(peer, INPUT, self._own(heard=True))
        return doubt

    def _compare(self, peer: Peer, packet: End) -> Doubt | None:
        episode, ledger, name = self._course.episode, self._course.ledger, self._lineup.name(peer.host)
        if self._lineup.watching and packet.frames < len(ledger):
            # A drop cut it off there, and others went on apart from it: what it has is a beginning of theirs.
            return self._course.claim(peer.host, packet.frames, packet.chain)
        if packet.frames != len(ledger):
            return Doubt(peer.host, f"episode {episode} has {len(ledger)} frames here and {packet.frames} at {name}")
        if packet.chain != ledger.newest:
            return Doubt(peer.host, f"the rows of episode {episode} differ from those of {name}")
        peer.ended = True
        ledger.claim(peer.host, packet.frames, packet.chain)
        if packet.settled:
            self.pass_on()
        return None

    def pass_on(self) -> None:
        """A peer has gone on. It could not have done so without everybody's End, and all were like its own."""
        self._passed = True
        ledger = self._course.ledger
        for host in self._lineup.members:
            peer = self._lineup.peers[host]
            peer.ended = peer.end_heard = True
            ledger.claim(host, len(ledger), ledger.newest)

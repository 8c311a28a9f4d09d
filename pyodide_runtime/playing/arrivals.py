"""What comes from peers that go on: how far they are, what they have, and the inputs of the players they speak for.

It refuses what no honest peer says before anything of it is taken. It knows nothing of other packets, nor of what follows from data
that differ.
"""

from __future__ import annotations

from ..errors import WireError
from ..network.peer import Peer
from ..network.strictness import InputCheck
from ..network.wire import Inputs
from ..settings import MatchSettings
from .course import Course, Doubt
from .delays import Delays
from .lineup import Lineup
from .pacing import Pacing

__all__ = ["FARTHEST", "Arrivals"]

#: How far beyond its own frame a host takes inputs, in frames. No honest peer gets so far ahead.
FARTHEST = 4096


class Arrivals:
    """The Inputs packets of peers.

    Args:
        course: what is made of the inputs.
        lineup: who is there.
        pacing: of this host's frames.
        delays: is told how far peers have gone on without this host's inputs.
        settings: of the match.
    """

    def __init__(self, course: Course, lineup: Lineup, pacing: Pacing, delays: Delays, settings: MatchSettings) -> None:
        self._course = course
        self._lineup = lineup
        self._pacing = pacing
        self._delays = delays
        self._count = len(course.runtime.players)
        self._episodes = settings.episodes
        self._inputs = InputCheck(course.runtime.simulation.codecs, settings)

    def is_meant(self, packet: Inputs) -> bool:
        """Whether a packet is for this host, and not for what it was before its page was loaded again.

        Raises:
            WireError: it is of another match.
        """
        if len(packet.needs) != self._count:
            raise WireError("acknowledgements of another number of players")
        return packet.receiver == self._lineup.incarnation

    def acknowledge(self, peer: Peer, packet: Inputs, now_ms: float) -> None:
        """Learn from one that comes late how far it is. Its inputs are not asked for, nor what it claims."""
        if not peer.episode <= packet.episode < self._episodes:
            return
        if packet.episode > peer.episode:
            peer.begin_episode(packet.episode)
        if packet.episode <= self._course.episode:  # else it has gone on with others
            peer.take(packet, now_ms, self._course.session.frame)

    def learn(self, peer: Peer, packet: Inputs, now_ms: float) -> None:
        """Learn how far a peer is in this episode, and what it has.

        Raises:
            WireError: it says what cannot be; nothing was learnt.
        """
        self._check(packet)
        if peer.episode != packet.episode:
            peer.begin_episode(packet.episode)  # it came late, as this host did, when that began
        peer.take(packet, now_ms, self._course.session.frame - self._pacing.part_to_come(now_ms))

    def take(self, peer: Peer, packet: Inputs, now_ms: float) -> Doubt | None:
        """Take the inputs from a packet that was learnt from. What is doubtful about its rows, if anything is."""
        course, lineup, session = self._course, self._lineup, self._course.session
        if not lineup.watching:
            self._delays.observe(now_ms, peer, packet.frame, packet.needs[session.local[0]])
        for stream in packet.streams:
            if lineup.may_give(peer, stream.player):
                # What is not final may yet be another's to give: who watches has no part in the agreements on that.
                taken = stream.inputs[: max(0, packet.final - stream.start)] if lineup.watching else stream.inputs
                session.receive(stream.player, stream.start, taken)
        if not lineup.watching:
            session.report(peer.host, packet.held - 1)
        return None if lineup.is_late(peer) else course.claim(peer.host, packet.final, packet.chain)

    def _check(self, packet: Inputs) -> None:
        session = self._course.session
        queues, frame = session.queues, session.frame
        for stream in packet.streams:
            if stream.player >= self._count:
                raise WireError(f"inputs of a player {stream.player}, which there is not")
            if stream.start > queues[stream.player].last + 1 or stream.start + len(stream.inputs) > frame + FARTHEST:
                raise WireError(f"inputs from frame {stream.start} on are not what follows")
            self._inputs.check(stream.player, stream.inputs)
        for player in session.local:
            if packet.needs[player] > queues[player].last + 1:
                raise WireError("an acknowledgement of what was never sent")
        if packet.final > FARTHEST + frame and not self._lineup.watching:
            raise WireError("a peer has more final frames than there can be")

"""What follows from somebody's coming or going: who is met, missed, given up, let in again, and no longer asked for.

It keeps line-up, session and ledger at one with who plays. What the match is to end by is told to the caller. It knows nothing of
how it is agreed on who is gone, and sends nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..drops import OnDrop
from ..errors import WireError
from ..journal import Journal
from ..network.peer import Peer
from ..network.wire import Hello, Packet
from ..rollback.inputs import RETURNS
from ..rollback.session import FinalFrame
from ..settings import MatchSettings, Outcome, Phase
from .absences import Absences, Reason
from .course import Course
from .lineup import Lineup
from .silence import Silence

__all__ = ["Attendance"]

#: How often the arbiter is asked until it answers, in ms.
APPEAL_MS = 1000.0


class Attendance:
    """Who comes to one match, and who goes.

    Args:
        course: what is played.
        lineup: who is there.
        absences: what becomes of those who are not.
        silence: who was heard when.
        settings: of the match.
        journal: where drops and returns are noted.
    """

    def __init__(
        self,
        course: Course,
        lineup: Lineup,
        absences: Absences,
        silence: Silence,
        settings: MatchSettings,
        journal: Journal,
    ) -> None:
        self._course = course
        self._lineup = lineup
        self._membership = lineup.membership
        self._absences = absences
        self._silence = silence
        self._settings = settings
        self._journal = journal
        self._appealed_at = -APPEAL_MS
        self._now = 0.0
        self._over = False
        self._unasked: dict[int, tuple[int, int]] = {}  # by host, in which episode which incarnation of it is about to be let in

    def called(self, now_ms: float) -> None:
        """This host was called. What it learns by that of who came is taken to be so from now on."""
        self._now = now_ms

    def close(self) -> None:
        """The match is over here: nobody is missed any more."""
        self._over = True

    # -- coming ------------------------------------------------------------------------------------------------------

    def line_up(self) -> None:
        """Somebody came or went: see what follows."""
        lineup, course = self._lineup, self._course
        if not lineup.watching and not self._over:
            for peer in lineup.replaced:
                self._replaced(peer)
        lineup.work_out()
        if not lineup.watching:
            for host in self._membership.left_over:
                if host != lineup.host:
                    course.session.expect_report(host)
                    course.ledger.expect(host)
            for peer in map(lineup.peers.__getitem__, lineup.members):
                if peer.episode < course.episode:
                    peer.begin_episode(course.episode)  # it was let in; of this episode it has not said yet what it lacks

    def newcomer(self, packet: Packet) -> Peer | None:
        """Another incarnation of a host than the one that is known, or a spectator; None if its hello is still to come.

        Raises:
            WireError: there can be no such host.
        """
        host, lineup = packet.sender, self._lineup
        if not lineup.may_come(host, packet.incarnation):
            raise WireError("a packet of a host that is not known")
        if not isinstance(packet, Hello):
            return None
        known = lineup.peers.get(host)
        playing = not lineup.is_spectator(host) and not self._membership.is_out(host) and not self._over
        if playing and known is not None and known.incarnation >= 0:
            self._replaced(known)
        peer = lineup.meet(host, packet.incarnation)
        self.line_up()
        return peer

    def _replaced(self, peer: Peer) -> None:
        """A host that plays has come anew: what it was is gone."""
        reason = (Outcome.PEER_LEFT, f"{self._lineup.name(peer.host)} loaded its page again")
        sure = peer.sure if peer.closed_at is not None else self._silence.is_sure(peer, self._now)
        self._absences.lose(peer.host, self._membership.standings[peer.host].running, reason, self._now, sure=sure)

    def take_returns(self, final: Sequence[FinalFrame]) -> None:
        """Let hosts in whose players' own inputs are to follow on some of these frames."""
        lineup, membership, course = self._lineup, self._membership, self._course
        for frame in final:
            for player, data in enumerate(frame.inputs):
                if not data[0] & RETURNS:
                    continue
                host, incarnation = membership.host_of[player], data[0] >> 4
                membership.admit(host, incarnation)
                if host == lineup.host and incarnation == lineup.incarnation and lineup.watching:
                    lineup.watching = False
                    course.session.join()
                runs = incarnation == membership.standings[host].running and not membership.is_out(host)
                if runs and player == membership.players[host][0]:  # all that are at one host return together
                    self._absences.returned(host)
                    number = frame.record.frame + 1
                    self._journal.note({"event": "returned", "host": host, "episode": course.episode, "frame": number})
                    self._give_up_unasked(host, incarnation)
                self.line_up()

    def _give_up_unasked(self, host: int, incarnation: int) -> None:
        """Give up one that is let in, if its word was not asked for when others were given up, though one of these may have let
        it in by then: it may have taken from that one what nobody else has. It comes in again."""
        if self._unasked.pop(host, None) == (self._course.episode, incarnation):
            reason = (Outcome.PEER_LOST, f"{self._lineup.name(host)} was let in while others were given up")
            self._absences.lose(host, incarnation, reason, self._now, sure=False)

    def _note_unasked(self) -> None:
        """Others were given up: keep in mind who is about to be let in, and was not asked."""
        for host, standing in enumerate(self._membership.standings):
            queue = self._course.session.queues[self._membership.players[host][0]]
            newest = queue.held(queue.last)
            if newest is not None and newest[0] & RETURNS and newest[0] >> 4 > standing.running:
                self._unasked[host] = (self._course.episode, newest[0] >> 4)

    # -- going -------------------------------------------------------------------------------------------------------

    def closed(self, peer: Peer, now_ms: float) -> None:
        """A peer has said goodbye, or its connection was closed; that it is lost is told apart from this."""
        if peer.closed_at is None:
            peer.closed_at, peer.sure = now_ms, self._silence.is_sure(peer, now_ms)

    def lost(self, peer: Peer, reason: Reason, now_ms: float, phase: Phase) -> Reason | None:
        """A peer is gone, or it was silent for too long. How the match ends by that; None if it does not, or not yet.

        Args:
            reason: what is to be said of it.
            phase: where the match stands.
        """
        lineup, course, settings = self._lineup, self._course, self._settings
        last = course.episode + 1 == settings.episodes or course.session.stop is not None
        if phase is Phase.SETTLING and peer.ended and last and not (course.cut and lineup.watching):
            self._absences.excused.add(peer.host)  # its data are known to be ours, and there was nothing left to do with it
        elif lineup.is_spectator(peer.host):
            del lineup.peers[peer.host]
        elif lineup.is_late(peer) and not lineup.watching:
            pass  # it is only to come, and nobody waits for it
        elif lineup.watching:
            return self._lost_while_watching(peer, reason, now_ms)
        elif phase is Phase.CONNECTING and (settings.on_drop is OnDrop.END or not peer.heard_hello):
            return reason
        elif self._absences.give_up(peer, self._silence.since, now_ms):
            running = self._membership.standings[peer.host].running  # of one that came back no hello may have been heard
            self._absences.lose(peer.host, max(peer.incarnation, running), reason, now_ms, sure=peer.sure)
            self.line_up()
        return None

    def _lost_while_watching(self, peer: Peer, reason: Reason, now_ms: float) -> Reason | None:
        """One that comes late agrees on nothing; but somebody must be left from whom it can learn."""
        peer.closed_at = peer.closed_at or 0.0
        return None if self._lineup.teachers(now_ms) else reason

    def agree(self, now_ms: float) -> Reason | None:
        """Give up those who are gone, if all agree. How the match ends if they cannot, for want of those that would have to."""
        course, membership = self._course, self._membership
        if not membership.undecided:
            return None
        if self._settings.on_drop is not OnDrop.END and not membership.may_go_on:
            late = self._absences.overdue(now_ms)
            if late is not None:
                return Outcome.PEER_LOST, f"{late}; it may be this side that is cut off, so it does not go on alone"
            return None
        given_up = self._absences.agree(course.episode, course.needs)
        for host in given_up:
            gone = membership.standings[host].gone
            frame = min(course.session.queues[player].dropped_at(gone) for player in membership.players[host])
            at_ms = round(now_ms, 1)
            self._journal.note({"event": "dropped", "host": host, "episode": course.episode, "frame": frame, "at_ms": at_ms})
            course.session.release(host)
            course.ledger.release(host)
        if given_up:
            self._note_unasked()
            self.line_up()
        return None

    # -- the arbiter -------------------------------------------------------------------------------------------------

    def appeal(self, now_ms: float) -> tuple[tuple[int, int], ...]:
        """Hosts, with their incarnations, without whom this host asks the arbiter to be allowed to go on; mostly none."""
        waits = not self._over and not self._lineup.watching and self._settings.on_drop is not OnDrop.END
        if not waits or not self._membership.tied or now_ms - self._appealed_at < APPEAL_MS:
            return ()
        self._appealed_at = now_ms
        return tuple([(host, self._membership.standings[host].gone) for host in self._membership.unsure])

    def take_verdict(self, gone: Sequence[tuple[int, int]], granted: bool) -> Reason | None:
        """What the arbiter says to an appeal. How the match ends by that; None if this side goes on, or need not be told."""
        membership = self._membership
        if self._over or not any(membership.is_out(host) for host, _ in gone if 0 <= host < len(membership.players)):
            return None
        if not granted:
            return Outcome.DROPPED, "the server let the others go on, who were lost"
        for host, incarnation in gone:
            membership.suspect(host, incarnation, left=True)
        return None

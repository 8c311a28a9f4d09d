"""What hosts state of each other: who is gone, and what each has of the inputs of those who are.

Statements are repeated until all state the same; the agreement itself is in `network.membership`. Here they are said, answered,
and weighed: one that says that this host itself is gone may end the match for it. It knows nothing of silence or of closed
connections.
"""

from __future__ import annotations

from ..drops import OnDrop
from ..errors import WireError
from ..network.membership import LAST_INCARNATION, Statement
from ..network.peer import Peer
from ..network.wire import Members
from .absences import Absences
from .attendance import Attendance
from .course import Course
from .endings import Endings
from .lineup import Lineup
from .outbox import INPUT, Outbox

__all__ = ["Statements"]


class Statements:
    """The statements of one host, and those that it hears.

    Args:
        course: what there is of the inputs.
        lineup: who is there.
        absences: what becomes of those who are not.
        attendance: is told of the news.
        endings: is told of who has gone on to the next episode.
        outbox: takes what is said.
        on_drop: what happens when a host is gone.
    """

    def __init__(
        self,
        course: Course,
        lineup: Lineup,
        absences: Absences,
        attendance: Attendance,
        endings: Endings,
        outbox: Outbox,
        on_drop: OnDrop,
    ) -> None:
        self._course = course
        self._lineup = lineup
        self._membership = lineup.membership
        self._absences = absences
        self._attendance = attendance
        self._endings = endings
        self._outbox = outbox
        self._on_drop = on_drop

    # -- this host's -------------------------------------------------------------------------------------------------

    def repeat(self, now_ms: float) -> None:
        """State, if it is time, who is gone, so that all come to agree."""
        for host, statement in self._absences.statements(now_ms, self._course.episode, self._course.needs):
            self._say(host, statement)

    def remind(self, host: int, now_ms: float) -> None:
        """Tell a host that goes on playing that it was given up, now and then."""
        if self._absences.remind(host, now_ms):
            self._say_to(host, self._course.episode)

    def _say_to(self, host: int, episode: int) -> None:
        self._say(host, self._membership.state(episode, self._course.needs))

    def _say(self, host: int, statement: Statement) -> None:
        peer = self._lineup.peers.get(host)
        if peer is not None:
            # It is repeated anyway, and must not wait for what a reliable channel transmits again.
            self._outbox.send(peer, INPUT, Members(self._lineup.host, self._lineup.incarnation, *statement))

    # -- the others' -------------------------------------------------------------------------------------------------

    def check(self, packet: Members) -> None:
        """Raise WireError if no honest host states this."""
        if len(packet.standings) != len(self._membership.players) or len(packet.needs) != len(self._course.needs):
            raise WireError("a statement on another number of hosts or players")
        if any(standing.gone > LAST_INCARNATION for standing in packet.standings):
            raise WireError("a statement on an incarnation that cannot be")

    def answer(self, peer: Peer, packet: Members) -> None:
        """Say what is known here, to a peer that is still to come to agree; this is all that one needs whose match is over."""
        if not packet.agreed and not self._membership.undecided:
            self._say_to(peer.host, packet.episode)

    def take(self, peer: Peer, packet: Members, now_ms: float, *, settling: bool) -> str | None:
        """Learn from a statement. Why this host was dropped; None if it was not.

        Args:
            settling: whether this host waits for the others to end the episode.
        """
        lineup, membership, course = self._lineup, self._membership, self._course
        name = lineup.name(peer.host)
        if not lineup.is_spectator(lineup.host) and packet.standings[lineup.host].gone >= lineup.incarnation:
            if self._was_given_up(peer, packet, now_ms):
                return f"{name} and those that are left gave this host up and went on"
            return None
        if membership.is_out(peer.host):
            return None
        if lineup.watching:
            membership.merge(packet.standings, also_sponsors=True)
            self._attendance.line_up()
            return None
        if packet.agreed and self._was_passed_over(packet):
            return f"{name} went on before it had let this host in again"
        if packet.episode == course.episode + 1 and settling:
            self._endings.pass_on()
        if membership.hear(peer.host, Statement(packet.episode, packet.standings, packet.needs, packet.agreed)):
            self._attendance.line_up()
        if not packet.agreed and not membership.undecided:
            self._say_to(peer.host, course.episode)
        return None

    def _was_given_up(self, peer: Peer, packet: Members, now: float) -> bool:
        """Whether a peer that holds this host for gone goes on without it."""
        if self._on_drop is OnDrop.END:
            return False  # the match ends, and a goodbye is to tell why
        overrules = self._membership.is_out(peer.host) and self._absences.overrules(packet)
        if overrules:
            self.remind(peer.host, now)
        return overrules is False  # if it is None the arbiter decides

    def _was_passed_over(self, packet: Members) -> bool:
        """Whether others have agreed on a drop without this host's word, since they had not let it in when it thought so."""
        lineup = self._lineup
        if packet.standings[lineup.host].running >= lineup.incarnation or self._on_drop is OnDrop.END:
            return False
        pairs = zip(packet.standings, self._membership.standings, strict=True)
        return any(told.out and told.gone >= known.running and not known.out for told, known in pairs)

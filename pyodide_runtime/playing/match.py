"""One match: its players' hosts, its episodes one after the other, and how it ends.

A match says hello to every peer and refuses one whose terms differ; plays each episode, paced by the frame rate and slowed a little
when it is ahead; and goes on to the next one, or ends, once all peers have exchanged the last frame and the digest of the rows. A
host that comes late, because its page was loaded again or because it only watches, simulates the whole match from its first frame
on, from the final inputs that the others send it. Here is what happens when, and from which phase the match goes to which; how
each thing is done is in the modules beside this one. All time is given to it, and all packets; so it runs on a virtual clock as
well as in a browser. It knows nothing of transports, pages or files.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..actions import ActionCodec
from ..batch import Runtime
from ..drops import OnDrop, check_partner
from ..errors import EnvironmentFailed, EnvironmentNotSupported, PyodideRuntimeError, SessionError, SnapshotError, WireError
from ..journal import Journal
from ..ledger import EpisodeLedger
from ..network.membership import LAST_INCARNATION
from ..network.peer import Peer
from ..network.wire import MAX_INPUT, Ask, Bye, End, Hello, Inputs, Members, Tell, decode, encode, session_key
from ..rollback.inputs import make_input
from ..rollback.session import RollbackSession
from ..settings import MOST_EPISODES, REASONS, MatchSettings, Outcome, Phase, match_terms
from .absences import Absences, Reason
from .arrivals import FARTHEST, Arrivals
from .attendance import Attendance
from .attention import Attention
from .course import Course, Doubt
from .delays import Delays
from .dispute import Dispute
from .endings import Endings
from .greetings import Greetings
from .lineup import Lineup
from .outbox import CONTROL, Outbox
from .pacing import POLL_MS, REPEAT_MS, Pacing
from .sending import Sending
from .silence import Silence
from .statements import Statements

__all__ = ["Match"]

#: How many frames a host that catches up simulates in one tick, so that it goes on answering meanwhile; and from how far behind
#: on it hurries so, in s.
CATCH_UP, BEHIND_S = 16, 0.25
#: How a match ends for one that comes late when nobody is there from whom it could learn.
UNTAUGHT = Outcome.PEER_LOST, "nobody is left who knows how the match went so far"


class Match:
    """This host's part in a match.

    Args:
        runtime: the environment; the match resets it.
        host: this host's number. From the number of the players' hosts on, it only watches.
        settings: equal on every host, or the hellos say so.
        journal: where final rows go.
        incarnation: how often this host came to the match before; from 1 on, the match has begun without it.

    Raises:
        SessionError, ActionError, WireError: a setting cannot work, the runtime has no partner though one is to play or has one
            though none is, a default action lies outside its space, or the terms are too long to be sent.
        EnvironmentFailed: the environment's reset raised.
    """

    def __init__(self, runtime: Runtime, *, host: int, settings: MatchSettings, journal: Journal, incarnation: int = 0) -> None:
        players, codecs = runtime.players, runtime.simulation.codecs
        hosts = settings.hosts_of(len(players))
        if not 0 <= host < len(hosts) + settings.spectators:
            raise SessionError(f"host {host} of a match with {len(hosts)} hosts and {settings.spectators} spectators")
        if not 0 <= incarnation <= LAST_INCARNATION:
            raise SessionError(f"incarnation {incarnation}: a host can come back {LAST_INCARNATION} times at the most")
        check_partner(settings.on_drop, runtime.simulation.partner)
        if not 1 <= settings.episodes <= MOST_EPISODES:
            raise SessionError(f"{settings.episodes} episodes: a match has 1 to {MOST_EPISODES}")
        longest = max(1 + codec.size for codec in codecs)
        if longest > MAX_INPUT:
            raise SessionError(f"an input of {longest} bytes: an action space of more than {MAX_INPUT - 1} bytes cannot be played")
        neutral = _neutral_inputs(settings, codecs)
        self.runtime = runtime
        self.settings = settings
        self.host = host
        self.incarnation = incarnation
        self.players = hosts[host] if host < len(hosts) else ()
        self.phase = Phase.CONNECTING
        self.outcome: Outcome | None = None
        self.detail = ""
        self.malformed = 0
        self.lineup = lineup = Lineup(host, incarnation, settings, players)
        self.peers, self.membership = lineup.peers, lineup.membership
        self._journal = journal
        self._key = session_key(settings.session)
        self._last_tick: float | None = None
        self._noted_pause: tuple[str, ...] = ()
        self._outbox = outbox = Outbox(self._key)
        self.outbox = outbox.packets
        self._attention = Attention(settings.when_hidden, settings.hidden_limit_ms)
        self._pacing = Pacing(settings.fps)
        self._greetings = Greetings(match_terms(runtime, settings), lineup, outbox)
        self._course = course = Course(runtime, settings, lineup, self.players, neutral, journal)
        self.counters = course.counters
        self._delays = Delays(settings, course, journal)
        self._arrivals = Arrivals(course, lineup, self._pacing, self._delays, settings)
        self._silence = Silence(lineup, settings.disconnect_after_ms)
        self._absences = absences = Absences(self.membership, self.peers, settings, neutral)
        self._attendance = Attendance(course, lineup, absences, self._silence, settings, journal)
        self._endings = Endings(course, lineup, absences.excused, outbox)
        self._statements = Statements(course, lineup, absences, self._attendance, self._endings, outbox, settings.on_drop)
        self._sending = Sending(course, lineup, self._endings.archive, self._attention, outbox, self._pacing.period_ms)
        self._dispute = Dispute(course, lineup, outbox)
        encode(self._greetings.hello(-1, self.phase), self._key)  # too long a hello is better said here than later
        self._begin_episode()

    # -- to be read --------------------------------------------------------------------------------------------------

    @property
    def episode(self) -> int:
        """The number of the episode that is played."""
        return self._course.episode

    @property
    def session(self) -> RollbackSession:
        """What simulates that episode."""
        return self._course.session

    @property
    def ledger(self) -> EpisodeLedger:
        """The final rows of that episode."""
        return self._course.ledger

    @property
    def frame(self) -> int:
        """The next frame to be simulated."""
        return self.session.frame

    @property
    def paused(self) -> tuple[str, ...]:
        """The players for whose sake nobody goes on: their pages are hidden, and the match is to pause then."""
        hosts = [host for host in self.lineup.members if self.peers[host].paused]
        if self._attention.paused and not self.lineup.watching:
            hosts.append(self.host)
        if not hosts or self.phase is Phase.OVER:
            return ()
        places = sorted(place for host in hosts for place in self.membership.players[host])
        return tuple(self.runtime.players[place] for place in places)

    @property
    def round_trip_ms(self) -> float | None:
        """The longest round trip to any peer; None as long as none was measured."""
        trips = [peer.round_trip_ms for peer in self.peers.values() if peer.round_trip_ms is not None]
        return max(trips) if trips else None

    @property
    def frame_advantage(self) -> float:
        """How many frames this host is ahead of the peer that is farthest behind."""
        return max([self.peers[host].sync.ahead for host in self.lineup.members], default=0.0)

    @property
    def wake_at(self) -> float:
        """When `tick` wants to be called next, in ms of the caller's clock."""
        last = self._last_tick or 0.0
        if self.phase is Phase.OVER:
            return last + REPEAT_MS
        if self.phase is Phase.PLAYING:
            return min(self._pacing.due, last + POLL_MS)
        return last + min(self._pacing.period_ms, REPEAT_MS / 4)

    @property
    def certified_through(self) -> tuple[int, int]:
        """Episode and frame of the last row that all peers are known to have alike; (0, -1) if there is none."""
        return self._course.certified_through

    @property
    def watching(self) -> bool:
        """Whether this host simulates what others have made final, and gives no inputs (yet)."""
        return self.lineup.watching

    def presence(self, now_ms: float) -> dict[int, str]:
        """How each of the other players' hosts is: "here", "silent", "absent", or "returning"."""
        return self.lineup.presence(now_ms)

    # -- time --------------------------------------------------------------------------------------------------------

    def tick(self, now_ms: float, sample: Callable[[int], bytes]) -> int:
        """Go on as far as the time allows; packets to send are put into `outbox` as (host, channel, bytes).

        Args:
            now_ms: the time, of a clock that only this host reads; it never goes back.
            sample: gives a local player's encoded input (`make_input`), by its place; called only when an input is taken.

        Returns:
            How many frames were simulated for the first time.
        """
        before = self.session.frame
        self._attendance.called(now_ms)
        self._silence.forgive(now_ms, self._last_tick)
        self._attend(now_ms)
        try:
            if self.phase is Phase.CONNECTING:
                self._connect(now_ms)
            if self.phase is Phase.PLAYING:
                self._play(now_ms, sample)
            if self.phase is Phase.SETTLING:
                self._settle(now_ms)
            if self.phase is Phase.DIAGNOSING:
                self._diagnose(now_ms)
        except (EnvironmentFailed, EnvironmentNotSupported, SnapshotError) as error:
            self._end(Outcome.ENVIRONMENT_ERROR, str(error))
        if self.phase is not Phase.OVER:
            self._check_silence(now_ms)
        if self.phase in (Phase.PLAYING, Phase.SETTLING) and self.lineup.anybody_gone and not self.lineup.watching:
            self._statements.repeat(now_ms)
            self._end_by(self._attendance.agree(now_ms))
        if self.phase in (Phase.PLAYING, Phase.SETTLING):
            self._greetings.greet_strangers(now_ms, self.phase)
        over = self.phase is Phase.OVER
        untold = over and self.outcome is not Outcome.COMPLETED
        self._sending.teach(now_ms, over=over, goodbye=self._bye() if untold else None)
        self._last_tick = now_ms
        return max(0, self.session.frame - before)

    def hide(self, hidden: bool, now_ms: float) -> None:
        """This host's page was hidden, or is seen again."""
        if self._attention.hide(hidden, now_ms) and self.phase is not Phase.OVER:
            self._journal.note({"event": "visibility", "hidden": hidden, "at_ms": round(now_ms, 1)})

    def _attend(self, now: float) -> None:
        hidden = self._attention.overdue(now) if self.players else None
        if hidden is not None and self.phase in (Phase.CONNECTING, Phase.PLAYING):
            self._end(Outcome.HIDDEN, f"the page was hidden for {hidden / 1000:.1f} s")
        if self.phase is not Phase.OVER and self.paused != self._noted_pause:
            self._noted_pause = self.paused
            self._journal.note({"event": "paused", "players": list(self.paused), "at_ms": round(now, 1)})

    def _check_silence(self, now: float) -> None:
        for peer, seconds in self._silence.overlong(now):
            name = self.lineup.name(peer.host)
            if peer.closed_at is None:
                self._lost(peer, (Outcome.PEER_LOST, f"{name} was silent for {seconds:.1f} s"), now)
            else:
                self._closed(peer, f"{name} closed the connection", now)
            if self.phase is Phase.OVER:
                return
        if self.lineup.watching and self.phase is not Phase.CONNECTING and self._silence.is_untaught(now):
            self._end(*UNTAUGHT)

    # -- from phase to phase -----------------------------------------------------------------------------------------

    def _connect(self, now: float) -> None:
        if self._greetings.in_vain:
            self._end(*UNTAUGHT)
        elif self._greetings.complete:
            self.phase = Phase.PLAYING
            self._pacing.begin(now)
            self._silence.taught(now)
            self._attendance.line_up()
        else:
            self._greetings.greet_strangers(now, self.phase)

    def _begin_episode(self) -> None:
        self._course.begin_episode()
        self._delays.begin_episode()
        self._endings.begin_episode()
        self._attendance.line_up()

    def _play(self, now: float, sample: Callable[[int], bytes]) -> None:
        session = self.session
        sampled = session.frame
        if self.lineup.watching:
            self._watch(now)
        else:
            sampled = session.queues[self.players[0]].last
            self._advance(now, sample)
        if self.lineup.anybody_gone and not self.lineup.watching and self.phase is Phase.PLAYING:
            self._absences.stand_in(session, self.episode, session.queues[self.players[0]].last, now)
        if self.phase is Phase.PLAYING and session.ended:
            self.phase = Phase.SETTLING
            self._endings.reached(now)
            for doubt in self._endings.early():
                self._differs(doubt)
        if self.phase is not Phase.OVER:
            at_once = not self.lineup.watching and session.queues[self.players[0]].last > sampled
            self._sending.send_inputs(now, at_once=at_once)

    def _advance(self, now: float, sample: Callable[[int], bytes]) -> None:
        session, pacing = self.session, self._pacing
        if self._delays.adaptive and self.paused:
            self._delays.rest(now)
        self._delays.adapt(now)
        if self._attention.paused:
            pacing.hold(now)
        if now < pacing.due or self._attention.paused:
            replayed, _ = session.advance(step=False)
        else:
            local = {player: sample(player) for player in self.players} if session.wants_input else None
            replayed, stepped = session.advance(local)
            if stepped:
                pacing.stepped(now, session.frame, [self.peers[host].sync for host in self.lineup.members])
            elif pacing.failed(now, stalled=session.stalled):
                self.counters.stalls += 1
        self._course.note_failure()
        if replayed:
            self._journal.note(
                {"event": "rollback", "episode": self.episode, "frame": session.frame, "depth": replayed, "at_ms": round(now, 1)}
            )
        self._write_final()

    def _watch(self, now: float) -> None:
        """Simulate what others have made final: at their pace, and as fast as can be as long as there is more than a little."""
        session = self.session
        behind = session.held + 1 - session.frame
        hurry = behind > BEHIND_S * self.settings.fps
        if not hurry and now < self._pacing.due:
            return
        for _ in range(min(behind, CATCH_UP) if hurry else 1):
            if not self.lineup.watching or not session.advance().stepped:
                break
            self._write_final()
        self._write_final()
        self._pacing.watched(now, hurry=hurry)

    def _write_final(self) -> None:
        final = self._course.write_final()
        if not final:
            return
        if self.lineup.anybody_gone or self.lineup.watching:
            self._attendance.take_returns(final)
        self._differs(self._course.review())
        self._course.let_go(disputed=self._dispute.raised)

    def _settle(self, now: float) -> None:
        # Who watches was no party to that end, and is told why with a goodbye.
        if self._endings.settled and not (self._course.cut and self.lineup.watching):
            self._go_on(now)
        else:
            self._endings.repeat(now)
            self._sending.send_inputs(now)

    def _go_on(self, now: float) -> None:
        """All agree on the episode: begin the next one, or end."""
        self._endings.settle()
        gone = [host for host, standing in enumerate(self.membership.standings) if standing.out]
        if self._course.cut or (gone and self.settings.on_drop is OnDrop.END):
            self._end(*self._absences.reason(gone, self.lineup.name))
            return
        self._course.end_episode()
        if self.episode + 1 == self.settings.episodes:
            self._end(Outcome.COMPLETED, "")
        else:
            self._begin_episode()
            self.phase = Phase.PLAYING
            self._pacing.begin(now)

    def _differs(self, doubt: Doubt | None) -> None:
        """If the data of a peer are not those of this host, find out where, and end."""
        if doubt is None or self._dispute.raised or self.phase is Phase.OVER:
            return
        if self.lineup.watching:  # who comes late has no evidence of its own, nor a say in the match
            self._end(Outcome.DESYNC, f"{doubt.detail}; {self._dispute.alike}")
            return
        self.phase = Phase.DIAGNOSING
        self._dispute.begin(doubt)

    def _diagnose(self, now: float) -> None:
        self._dispute.go_on(now)
        if self.phase is Phase.DIAGNOSING:
            self._sending.send_inputs(now)  # the peer may need them to come as far as this host, and see for itself
            if self._dispute.over(now):
                self._end(Outcome.DESYNC, self._dispute.close("there was no more time"))

    # -- the end of it all -------------------------------------------------------------------------------------------

    def leave(self, detail: str = "") -> None:
        """Say goodbye and end the match here, if it is not over."""
        if self.phase is Phase.DIAGNOSING:
            # It will not even answer any more, as one does whose goodbye gives the desync for its reason.
            goodbye = Bye(self.host, self.incarnation, REASONS.index(Outcome.LEFT), detail)
            self._end(Outcome.DESYNC, self._dispute.close(detail or "this host left"), goodbye)
        elif self.phase is not Phase.OVER:
            self._end(Outcome.LEFT, detail)

    def link_closed(self, host: int, now_ms: float) -> None:
        """The connection to a peer was closed for good."""
        peer = self.peers.get(host)
        if peer is not None and self.phase is not Phase.OVER:
            self._closed(peer, f"{self.lineup.name(host)} closed the connection", now_ms)

    def appeal(self, now_ms: float) -> tuple[tuple[int, int], ...]:
        """Hosts, with their incarnations, without whom this host asks the arbiter to be allowed to go on; mostly none.

        The answer goes to `take_verdict`. Without one it is asked again.
        """
        return self._attendance.appeal(now_ms)

    def take_verdict(self, gone: Sequence[tuple[int, int]], granted: bool) -> None:
        """What the arbiter says to an appeal.

        Args:
            gone: the hosts and incarnations of the appeal.
            granted: whether this host's side goes on without them, and so they do not; or they do, and this host does not.
        """
        self._end_by(self._attendance.take_verdict(gone, granted))

    def _closed(self, peer: Peer, detail: str, now: float) -> None:
        """A peer is gone for good: it said so, or its connection was closed."""
        self._attendance.closed(peer, now)
        self._lost(peer, (Outcome.PEER_LEFT, detail), now)

    def _lost(self, peer: Peer, reason: Reason, now: float) -> None:
        """A peer is gone, or it was silent for too long."""
        if self.phase is not Phase.DIAGNOSING:
            self._end_by(self._attendance.lost(peer, reason, now, self.phase))
            return
        self._dispute.satisfied(peer.host)
        if self._dispute.is_with(peer.host):
            self._end(Outcome.DESYNC, self._dispute.close(reason[1]))

    def _end_by(self, reason: Reason | None) -> None:
        if reason is not None:
            self._end(*reason)

    def _end(self, outcome: Outcome, detail: str, goodbye: Bye | None = None) -> None:
        if self.phase is Phase.OVER:
            return
        self.outcome, self.detail, self.phase = outcome, detail, Phase.OVER
        self._attendance.close()
        if outcome not in (Outcome.COMPLETED, Outcome.PEER_LEFT):
            # Those that come late learn first what there is to be learned up to the failure.
            learners = self.lineup.learners if outcome is Outcome.ENVIRONMENT_ERROR else []
            for peer in self.peers.values():
                if peer not in learners:
                    self._outbox.send(peer, CONTROL, goodbye or self._bye())
        report = {"desync": self._dispute.findings} if self._dispute.raised else {}
        if report:
            self._journal.note({"event": "desync", **report["desync"]})
        self._journal.outcome(
            {
                "outcome": outcome.value,
                "detail": detail,
                "certified_through": [*self.certified_through],
                "episodes": self.episode + 1,
                "rows": self._course.rows,
                "chain": self.ledger.newest.hex(),
                **report,
            }
        )

    def _bye(self) -> Bye:
        assert self.outcome is not None
        return Bye(self.host, self.incarnation, REASONS.index(self.outcome), self.detail)

    # -- packets -----------------------------------------------------------------------------------------------------

    def receive(self, host: int, data: bytes, now_ms: float) -> None:
        """Take a packet that came over the connection to a host. A malformed one is counted and dropped."""
        self._attendance.called(now_ms)
        try:
            packet = decode(data, self._key)
            if packet.sender != host:
                raise WireError("a packet of somebody else")
            peer = self.peers.get(host)
            if peer is None or packet.incarnation != peer.incarnation:
                if peer is not None and packet.incarnation < peer.incarnation:
                    return  # it was on its way when its sender's page was loaded again
                peer = self._attendance.newcomer(packet)
                if peer is None:
                    return
            if isinstance(packet, Inputs):
                self._take_inputs(peer, packet, now_ms)
            peer.heard(now_ms, len(data))
            if isinstance(packet, Hello):
                self._take_hello(peer, packet)
            elif isinstance(packet, End):
                self._differs(self._endings.take(peer, packet, self.phase))
            elif isinstance(packet, Bye):
                self._take_bye(peer, packet, now_ms)
            elif isinstance(packet, Members):
                self._take_members(peer, packet, now_ms)
            elif isinstance(packet, Ask | Tell):
                self._take_diagnosis(peer, packet, now_ms)
            if isinstance(packet, Inputs | Members) and not self.lineup.is_late(peer):
                self._remind(peer, now_ms)
        except WireError:
            self.malformed += 1
        except PyodideRuntimeError as error:
            self._end(Outcome.ENVIRONMENT_ERROR, str(error))

    def _take_hello(self, peer: Peer, packet: Hello) -> None:
        difference = self._greetings.take(peer, packet, self.phase)
        if difference is not None:
            self._end(Outcome.REFUSED, difference)

    def _take_inputs(self, peer: Peer, packet: Inputs, now: float) -> None:
        if not peer.heard_hello:
            return  # it knows us already, but we do not know it; it will say all this again
        if not self._arrivals.is_meant(packet):
            return
        peer.knows_us = True
        late = self.lineup.is_late(peer)
        if late and not self.lineup.watching:
            self._arrivals.acknowledge(peer, packet, now)
        elif packet.episode == self.episode:
            self._arrivals.learn(peer, packet, now)
            # Who watches takes what is final, and that is right whoever tells it: where all have given each other up, too.
            if self.phase is not Phase.OVER and (self.lineup.watching or not self.membership.is_out(peer.host)):
                self._differs(self._arrivals.take(peer, packet, now))
        elif packet.episode == self.episode + 1 and self.phase is Phase.SETTLING:
            self._endings.pass_on()

    def _take_members(self, peer: Peer, packet: Members, now: float) -> None:
        self._statements.check(packet)
        if self.lineup.is_late(peer):
            return
        if self.phase is Phase.OVER:
            self._statements.answer(peer, packet)
            return
        dropped = self._statements.take(peer, packet, now, settling=self.phase is Phase.SETTLING)
        if dropped is not None:
            self._end(Outcome.DROPPED, dropped)

    def _take_diagnosis(self, peer: Peer, packet: Ask | Tell, now: float) -> None:
        if self.lineup.is_late(peer):
            return
        if not self._dispute.raised:
            if isinstance(packet, Tell):
                raise WireError("an answer to what was never asked")
            if packet.rows > FARTHEST + self.session.frame:
                raise WireError("a peer has rows of frames that are far ahead")
            if packet.episode != self.episode or self.phase not in (Phase.PLAYING, Phase.SETTLING):
                return
            # Nobody is taken at their word: it is answered only once the data are seen to differ here, too.
            self._differs(self._course.claim(peer.host, packet.rows, packet.chain))
            if self.session.ended and packet.rows > len(self.ledger):
                detail = f"episode {self.episode} has {len(self.ledger)} frames here and more at the peer"
                self._differs(Doubt(peer.host, detail))
        if self._dispute.raised:
            self._dispute.take(packet)
            self._diagnose(now)
            if self.phase is Phase.OVER and isinstance(packet, Ask) and not packet.question:
                # It waits for nothing else, and may not have got the first.
                self._outbox.send(peer, CONTROL, self._bye())

    def _take_bye(self, peer: Peer, packet: Bye, now: float) -> None:
        if self.phase is Phase.OVER:
            return
        reason = REASONS[packet.reason] if packet.reason < len(REASONS) else Outcome.LEFT
        name = self.lineup.name(peer.host)
        grave = reason in (Outcome.REFUSED, Outcome.DESYNC, Outcome.ENVIRONMENT_ERROR) and not self.lineup.is_late(peer)
        if self._dispute.raised and reason is Outcome.DESYNC:
            self._dispute.satisfied(peer.host)  # it has its own report, and still answers
        elif grave and not self._dispute.raised:
            self._end(reason, f"{name} says: {packet.detail}")
        else:
            self._closed(peer, f"{name} left" + (f": {packet.detail}" if packet.detail else ""), now)

    def _remind(self, peer: Peer, now: float) -> None:
        """Tell a peer that goes on playing what it seems not to know: that it was given up, or that the match is over here."""
        if self.phase is not Phase.OVER:
            if self.membership.is_absent(peer.host):
                self._statements.remind(peer.host, now)
        elif self.outcome is not Outcome.COMPLETED and self._absences.remind(peer.host, now):
            self._outbox.send(peer, CONTROL, self._bye())


def _neutral_inputs(settings: MatchSettings, codecs: Sequence[ActionCodec]) -> list[bytes]:
    """Each player's input that means nothing was done."""
    defaults, players = settings.default_actions, len(codecs)
    if len(defaults) == 1:
        defaults = defaults * players
    if len(defaults) != players:
        raise SessionError(f"{len(defaults)} default actions for {players} players: give one for each, or one for all")
    return [make_input(codec.encode(action), True) for codec, action in zip(codecs, defaults, strict=True)]

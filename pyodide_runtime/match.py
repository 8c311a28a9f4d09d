"""One match: its players' hosts, its episodes one after the other, and how it ends.

A match says hello to every peer and refuses one whose terms differ; plays each episode with a `RollbackSession`,
paced by the frame rate and slowed a little when it is ahead; writes final rows; and goes on to the next episode, or
ends, once all peers have exchanged the last frame and the digest of the rows. A host that comes late, because its page was
loaded again or because it only watches, simulates the whole match from its first frame on, from the final inputs that the
others send it. What becomes of hosts that are gone is in `absences`. All time is given to it, and all packets; so it runs on
a virtual clock as well as in a browser. It knows nothing of transports, pages or files.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .absences import Absences
from .attention import Attention
from .batch import Runtime
from .desync.diagnosis import Diagnosis
from .desync.evidence import Evidence
from .drops import OnDrop, check_partner
from .errors import (
    BatchError,
    EnvironmentFailed,
    EnvironmentNotSupported,
    PyodideRuntimeError,
    SessionError,
    SnapshotError,
    WireError,
)
from .journal import Journal
from .ledger import EpisodeLedger
from .lineup import Lineup
from .network.history import History
from .network.lessons import lesson, rest_of_lesson
from .network.membership import LAST_INCARNATION, Statement
from .network.peer import Peer
from .network.strictness import InputCheck
from .network.wire import (
    MAX_INPUT,
    PROTOCOL_VERSION,
    Ask,
    Bye,
    End,
    Hello,
    Inputs,
    Members,
    Packet,
    Stream,
    Tell,
    decode,
    encode,
    session_key,
)
from .operations import Reset
from .rollback.delay import DelayChooser, InputDelay
from .rollback.guesses import guessers_of
from .rollback.inputs import RETURNS, Prediction, make_input
from .rollback.session import Counters, FinalFrame, RollbackSession
from .settings import MOST_EPISODES, REASONS, MatchSettings, Outcome, Phase, match_terms
from .simulation import episode_seed
from .terms import first_difference
from .versions import versions

__all__ = ["CONTROL", "INPUT", "Match", "MatchSettings", "OnDrop", "Outcome", "Phase"]

#: The two channels: unreliable and unordered; reliable and ordered.
INPUT, CONTROL = 0, 1

#: How often a hello or an end is repeated until it is answered, in ms.
REPEAT_MS = 100.0
#: One in so many hellos goes over the reliable channel.
RELIABLE_GREETINGS = 8
#: After how many periods a packet is sent though no input was sampled.
WITHOUT_INPUT = 1.5
#: How often the arbiter is asked until it answers, in ms.
APPEAL_MS = 1000.0
#: Up to when in an episode one that began before the others waits for them, and how long at the most, in s.
START_S, LONGEST_WAIT_S = 2.0, 0.5
#: How soon a stalled frame is tried again, in ms.
RETRY_MS = 8.0
#: How long packets wait at the most before they are looked at, in ms: at a low frame rate, less than a frame.
POLL_MS = 25.0
#: A gap between two ticks that is longer than this was a pause of this host, in ms: its peers are not to blame for
#: their silence.
PAUSE_MS = 500.0
#: This share of the time after which a host is given up is surely not too long, however fast the other's clock runs.
SURE = 0.75
#: How far beyond its own frame a host takes inputs, in frames. No honest peer gets so far ahead.
FARTHEST = 4096
#: How many frames a host that catches up simulates in one tick, so that it goes on answering meanwhile.
CATCH_UP = 16


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
        players = runtime.players
        hosts = settings.hosts_of(len(players))
        if not 0 <= host < len(hosts) + settings.spectators:
            raise SessionError(f"host {host} of a match with {len(hosts)} hosts and {settings.spectators} spectators")
        if not 0 <= incarnation <= LAST_INCARNATION:
            raise SessionError(f"incarnation {incarnation}: a host can come back {LAST_INCARNATION} times at the most")
        check_partner(settings.on_drop, runtime.simulation.partner)
        self.runtime = runtime
        self.settings = settings
        self.host = host
        self.incarnation = incarnation
        self.players = hosts[host] if host < len(hosts) else ()
        self.phase = Phase.CONNECTING
        self.outcome: Outcome | None = None
        self.detail = ""
        self.outbox: list[tuple[int, int, bytes]] = []
        self.malformed = 0
        self.counters = Counters()
        self.lineup = Lineup(host, incarnation, settings, players)
        self.peers, self.membership = self.lineup.peers, self.lineup.membership
        self._count = len(players)
        self._journal = journal
        self._key = session_key(settings.session)
        self._terms = match_terms(runtime, settings)
        self._period = 1000.0 / settings.fps
        self._codecs = runtime.simulation.codecs
        defaults = settings.default_actions
        if len(defaults) == 1:
            defaults = defaults * len(players)
        if len(defaults) != len(players):
            raise SessionError(f"{len(defaults)} default actions for {len(players)} players: give one for each, or one for all")
        if not 1 <= settings.episodes <= MOST_EPISODES:
            raise SessionError(f"{settings.episodes} episodes: a match has 1 to {MOST_EPISODES}")
        longest = max(1 + codec.size for codec in self._codecs)
        if longest > MAX_INPUT:
            raise SessionError(f"an input of {longest} bytes: an action space of more than {MAX_INPUT - 1} bytes cannot be played")
        self._attention = Attention(settings.when_hidden, settings.hidden_limit_ms)
        self._noted_pause: tuple[str, ...] = ()
        delay = settings.input_delay
        adaptive = delay if isinstance(delay, InputDelay) else None
        self._chooser = DelayChooser(adaptive, settings.fps, settings.prediction_window) if adaptive else None
        self._noted_delay: int | None = None if isinstance(delay, InputDelay) else delay
        self._neutral = [make_input(codec.encode(action), True) for codec, action in zip(self._codecs, defaults, strict=True)]
        self._absences = Absences(self.membership, self.peers, settings, self._neutral)
        self._late = self.lineup.watching
        encode(self._hello(-1), self._key)  # too long a hello is better said here than later
        self._check = InputCheck(self._codecs, settings)
        guessers = guessers_of(settings.prediction, players, self._codecs)
        self._guessers = [None if place in self.players else guesser for place, guesser in enumerate(guessers)]
        self._noted_failure = False
        self._history = History([1 + codec.size for codec in self._codecs])
        self._archive: dict[int, End] = {}
        self._certified = (0, -1)
        self._rows = 0
        self._due = 0.0
        self._sent_at = self._fed_at = -REPEAT_MS
        self._repeated_at = self._greeted_at = -REPEAT_MS
        self._appealed_at = -APPEAL_MS
        self._last_tick: float | None = None
        self._waiting = False
        self._silent_since: float | None = None
        self._taught_at = 0.0  # when somebody was last heard who knows how the match goes
        self._doubt = ""
        self._diagnosis: Diagnosis | None = None
        self.episode = -1
        self._begin_episode()

    # -- to be read --------------------------------------------------------------------------------------------------

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
        if self.phase is Phase.OVER:
            return (self._last_tick or 0.0) + REPEAT_MS
        if self.phase is Phase.PLAYING:
            return min(self._due, (self._last_tick or 0.0) + POLL_MS)
        return (self._last_tick or 0.0) + min(self._period, REPEAT_MS / 4)

    @property
    def certified_through(self) -> tuple[int, int]:
        """Episode and frame of the last row that all peers are known to have alike; (0, -1) if there is none."""
        count = self.ledger.certified
        return (self.episode, count - 1) if count else self._certified

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
        self._forgive_pause(now_ms)
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
            self._agree(now_ms)
        if self.phase in (Phase.PLAYING, Phase.SETTLING):
            self._greet_strangers(now_ms)
        self._feed(now_ms)
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

    def _forgive_pause(self, now: float) -> None:
        """A pause counts as a short silence, not as a long one; but a host that does nothing but pause notices, too."""
        forgiven = now - self._last_tick - PAUSE_MS if self._last_tick is not None else 0.0
        if forgiven > 0:
            for peer in self.peers.values():
                if peer.last_heard is not None:
                    peer.last_heard = min(now, peer.last_heard + forgiven)
            if self._silent_since is not None:
                self._silent_since += forgiven

    def _check_silence(self, now: float) -> None:
        if self._silent_since is None:
            self._silent_since = now
        for peer in list(self.peers.values()):
            if self.membership.is_out(peer.host) and not self.lineup.is_late(peer):
                continue
            since = peer.last_heard if peer.last_heard is not None else self._silent_since
            # Before the first packet a peer may still be connecting; it has three times as long for that.
            patience = self.settings.disconnect_after_ms * (1 if peer.last_heard is not None else 3)
            if now - since > patience or (peer.closed_at is not None and not self.lineup.is_late(peer)):
                text = f"{self.lineup.name(peer.host)} was silent for {(now - since) / 1000:.1f} s"
                if peer.closed_at is None:
                    self._lost(peer, Outcome.PEER_LOST, text, now, sure=False)
                else:
                    self._closed(peer, f"{self.lineup.name(peer.host)} closed the connection", now)
            if self.phase is Phase.OVER:
                return
        if self.lineup.watching and self.phase is not Phase.CONNECTING:
            self._check_teachers(now)

    def _check_teachers(self, now: float) -> None:
        """Who comes late needs somebody who plays, or has played, and not only others who come late."""
        players = [peer for peer in self.peers.values() if not self.lineup.is_spectator(peer.host)]
        if any(self.lineup.knows_the_match(peer, now) for peer in players):
            self._taught_at = now
        elif now - self._taught_at > self.settings.disconnect_after_ms:
            self._end(Outcome.PEER_LOST, "nobody is left who knows how the match went so far")

    # -- connecting --------------------------------------------------------------------------------------------------

    def _hello(self, heard: int) -> Hello:
        begun = self.phase is not Phase.CONNECTING and not self.lineup.watching
        return Hello(self.host, self.incarnation, self._terms, heard, begun, tuple(self.membership.standings))

    def _greet(self, peer: Peer) -> None:
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
        self._send(peer, CONTROL if reliably else INPUT, self._hello(heard))

    def _connect(self, now: float) -> None:
        awaited = self.lineup.awaited
        if self._late and all(peer.heard_hello and peer.incarnation > 0 and not peer.begun for peer in awaited):
            self._end(Outcome.PEER_LOST, "nobody is left who knows how the match went so far")
            return
        begun = not self._late or any(peer.begun for peer in awaited)
        if begun and all(peer.heard_hello and peer.knows_us for peer in awaited):
            self.phase = Phase.PLAYING
            self._due = self._taught_at = now
            self._line_up()
        else:
            self._greet_strangers(now)

    def _greet_strangers(self, now: float) -> None:
        """Say hello to those with whom none was exchanged: all are new to this host, or they came back, or it did."""
        if now - self._greeted_at < REPEAT_MS:
            return
        self._greeted_at = now
        for peer in self.lineup.hearers:
            if self.phase is Phase.CONNECTING or not self.lineup.is_known(peer, now):
                self._greet(peer)

    def _take_hello(self, peer: Peer, packet: Hello) -> None:
        difference = first_difference(self._terms, packet.terms)
        if packet.version != PROTOCOL_VERSION:
            difference = f"protocol is {PROTOCOL_VERSION} here and {packet.version} there"
        if difference is not None:
            if peer.heard_hello:
                raise WireError("a second hello, with other terms than the first")
            # It is to see for itself what differs; once it has told us its own terms, no more is to be said.
            if self.phase is not Phase.OVER or packet.heard != self.incarnation:
                self._send(peer, CONTROL, self._hello(peer.incarnation))
            if self.phase is Phase.CONNECTING or not self.lineup.is_late(peer):
                self._end(Outcome.REFUSED, f"{self.lineup.name(peer.host)} plays by other terms: {difference}")
            return
        peer.heard_hello = True
        peer.begun = packet.begun
        peer.knows_us = peer.knows_us or packet.heard == self.incarnation
        if self.lineup.watching:
            self.membership.merge(packet.standings, also_sponsors=True)
        # As long as it has not begun, it may not know that it was heard: an answer can be lost.
        settled = packet.heard == self.incarnation and (packet.begun or self.lineup.watching)
        if self.phase is not Phase.CONNECTING and not settled:
            self._greet(peer)

    def _newcomer(self, packet: Packet) -> Peer | None:
        """Another incarnation of a host than the one that is known, or a spectator; None if its hello is still to come."""
        host, known = packet.sender, self.peers.get(packet.sender)
        if not self.lineup.may_come(host, packet.incarnation):
            raise WireError("a packet of a host that is not known")
        if not isinstance(packet, Hello):
            return None
        playing = not self.lineup.is_spectator(host) and not self.membership.is_out(host) and self.phase is not Phase.OVER
        if playing and known is not None and known.incarnation >= 0:
            self._replaced(known, self.membership.standings[host].running)
        peer = self.lineup.meet(host, packet.incarnation)
        self._line_up()
        return peer

    def _replaced(self, peer: Peer, running: int) -> None:
        """A host that plays has come anew: what it was is gone."""
        now = self._last_tick or 0.0
        reason = (Outcome.PEER_LEFT, f"{self.lineup.name(peer.host)} loaded its page again")
        sure = peer.sure if peer.closed_at is not None else self._is_sure(peer, now)
        self._absences.lose(peer.host, running, reason, now, sure=sure)

    # -- who plays ---------------------------------------------------------------------------------------------------

    def _line_up(self) -> None:
        """Somebody came or went: see what follows."""
        lineup = self.lineup
        if not lineup.watching and self.phase is not Phase.OVER:
            for peer in lineup.replaced:
                self._replaced(peer, self.membership.standings[peer.host].running)
        lineup.work_out()
        if not lineup.watching:
            for host in self.membership.left_over:
                if host != self.host:
                    self.session.expect_report(host)
                    self.ledger.expect(host)

    def _agree(self, now: float) -> None:
        """Come to an agreement on who is gone, and go on without them."""
        needs = self._needs()
        for host, statement in self._absences.statements(now, self.episode, needs):
            self._state(host, statement)
        if not self.membership.undecided:
            return
        if self.settings.on_drop is not OnDrop.END and not self.membership.may_go_on:
            late = self._absences.overdue(now)
            if late is not None:
                self._end(Outcome.PEER_LOST, f"{late}; it may be this side that is cut off, so it does not go on alone")
            return
        given_up = self._absences.agree(self.episode, needs)
        if not given_up:
            return
        for host in given_up:
            gone = self.membership.standings[host].gone
            frame = min(self.session.queues[player].dropped_at(gone) for player in self.membership.players[host])
            self._journal.note({"event": "dropped", "host": host, "episode": self.episode, "frame": frame, "at_ms": round(now, 1)})
            self.session.release(host)
            self.ledger.release(host)
        self._line_up()

    def appeal(self, now_ms: float) -> tuple[tuple[int, int], ...]:
        """Hosts, with their incarnations, without whom this host asks the arbiter to be allowed to go on; mostly none.

        The answer goes to `take_verdict`. Without one it is asked again.
        """
        waits = self.phase is not Phase.OVER and not self.lineup.watching and self.settings.on_drop is not OnDrop.END
        if not waits or not self.membership.tied or now_ms - self._appealed_at < APPEAL_MS:
            return ()
        self._appealed_at = now_ms
        return tuple([(host, self.membership.standings[host].gone) for host in self.membership.unsure])

    def take_verdict(self, gone: Sequence[tuple[int, int]], granted: bool) -> None:
        """What the arbiter says to an appeal.

        Args:
            gone: the hosts and incarnations of the appeal.
            granted: whether this host's side goes on without them, and so they do not; or they do, and this host does not.
        """
        membership = self.membership
        if self.phase is Phase.OVER or not any(membership.is_out(host) for host, _ in gone if 0 <= host < len(membership.players)):
            return
        if granted:
            for host, incarnation in gone:
                membership.suspect(host, incarnation, left=True)
        else:
            self._end(Outcome.DROPPED, "the server let the others go on, who were lost")

    def _needs(self) -> tuple[int, ...]:
        return tuple([queue.last + 1 for queue in self.session.queues])

    def _state(self, host: int, statement: Statement) -> None:
        peer = self.peers.get(host)
        if peer is not None:
            # It is repeated anyway, and must not wait for what a reliable channel transmits again.
            self._send(peer, INPUT, Members(self.host, self.incarnation, *statement))

    def _take_members(self, peer: Peer, packet: Members, now: float) -> None:
        membership = self.membership
        if len(packet.standings) != len(membership.players) or len(packet.needs) != self._count:
            raise WireError("a statement on another number of hosts or players")
        if any(standing.gone > LAST_INCARNATION for standing in packet.standings):
            raise WireError("a statement on an incarnation that cannot be")
        if self.lineup.is_late(peer):
            return
        if self.phase is Phase.OVER:
            if not packet.agreed and not membership.undecided:
                self._state(peer.host, membership.state(packet.episode, self._needs()))
            return
        if self.players and packet.standings[self.host].gone >= self.incarnation:
            if self.settings.on_drop is OnDrop.END:
                return  # the match ends, and a goodbye is to tell why
            overrules = membership.is_out(peer.host) and self._absences.overrules(packet)
            if overrules is None:
                return  # the arbiter decides
            if overrules:
                if self._absences.remind(peer.host, now):
                    self._state(peer.host, membership.state(self.episode, self._needs()))
                return
            self._end(Outcome.DROPPED, f"{self.lineup.name(peer.host)} and those that are left gave this host up and went on")
            return
        if membership.is_out(peer.host):
            return
        if self.lineup.watching:
            membership.merge(packet.standings, also_sponsors=True)
            self._line_up()
            return
        if packet.agreed and self._was_passed_over(packet):
            self._end(Outcome.DROPPED, f"{self.lineup.name(peer.host)} went on before it had let this host in again")
            return
        if packet.episode == self.episode + 1 and self.phase is Phase.SETTLING:
            self._all_have_ended()
        if membership.hear(peer.host, Statement(packet.episode, packet.standings, packet.needs, packet.agreed)):
            self._line_up()
        if not packet.agreed and not membership.undecided:
            self._state(peer.host, membership.state(self.episode, self._needs()))

    def _was_passed_over(self, packet: Members) -> bool:
        """Whether others have agreed on a drop without this host's word, since they had not let it in when it thought so."""
        if packet.standings[self.host].running >= self.incarnation or self.settings.on_drop is OnDrop.END:
            return False
        pairs = zip(packet.standings, self.membership.standings, strict=True)
        return any(told.out and told.gone >= known.running and not known.out for told, known in pairs)

    def _take_returns(self, final: list[FinalFrame]) -> None:
        """Let hosts in whose players' own inputs are to follow."""
        membership = self.membership
        for frame in final:
            for player, data in enumerate(frame.inputs):
                if not data[0] & RETURNS:
                    continue
                host, incarnation = membership.host_of[player], data[0] >> 4
                membership.admit(host, incarnation)
                if host == self.host and incarnation == self.incarnation and self.lineup.watching:
                    self.lineup.watching = False
                    self.session.join()
                if incarnation == membership.standings[host].running and not membership.is_out(host):
                    self._absences.returned(host)
                    self._journal.note(
                        {"event": "returned", "host": host, "episode": self.episode, "frame": frame.record.frame + 1}
                    )
                self._line_up()

    # -- playing -----------------------------------------------------------------------------------------------------

    def _begin_episode(self) -> None:
        episode = self.episode + 1
        seed = episode_seed(self.settings.seed, episode)
        try:
            self.runtime.batch([Reset(seed)])
        except BatchError as error:
            raise error.cause from error.cause.__cause__
        self.episode = episode  # only now: what is certified of the one before stays so if this one cannot begin
        settings = self.settings
        self.session = RollbackSession(
            self.runtime,
            local=self.players,
            neutral=self._neutral,
            input_delay=settings.input_delay,
            wishes_every=max(1, round(settings.fps)),
            window=settings.prediction_window,
            prediction=settings.prediction if isinstance(settings.prediction, Prediction) else Prediction.LAST,
            guessers=self._guessers,
            counters=self.counters,
            watching=self.lineup.watching,
        )
        self.ledger = EpisodeLedger(self.episode, seed, self.runtime.players, self._codecs, settings.more_columns)
        self._history.begin_episode()
        for peer in self.peers.values():
            if not self.lineup.is_late(peer):
                peer.begin_episode(episode)
        self._evidence = Evidence(self.runtime, self.episode, settings.digest_every)
        if self.peers:
            self._evidence.begin()
        if self._chooser is not None:
            self._chooser.restart()
        self._line_up()
        self._ends: dict[int, End] = {}
        self._waited = False  # for those who began later
        self._passed = False  # some peer has gone on from this episode
        self._journal.episode(self.episode, seed)

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
            self._repeated_at = now - REPEAT_MS
            for host, end in list(self._ends.items()):
                if host in self.peers and not self.membership.is_out(host):  # one that is gone ended where it stopped
                    self._compare_end(self.peers[host], end)
        if self.phase is not Phase.OVER:
            at_once = not self.lineup.watching and session.queues[self.players[0]].last > sampled
            self._send_inputs(now, at_once=at_once)

    def _advance(self, now: float, sample: Callable[[int], bytes]) -> None:
        session = self.session
        self._adapt_delay(now)
        if self._attention.paused:
            self._due = max(self._due, now + min(RETRY_MS, self._period))
        if now < self._due or self._attention.paused:
            replayed, _ = session.advance(step=False)
        else:
            local = {player: sample(player) for player in self.players} if session.wants_input else None
            replayed, stepped = session.advance(local)
            if stepped:
                due = self._due + self._period * self._stretch()
                self._due = max(due, now - self._period) + self._period * self._wait_at_start()
                self._waiting = False
            else:
                if session.stalled and not self._waiting:
                    self._waiting = True
                    self.counters.stalls += 1
                self._due = now + min(RETRY_MS, self._period)
        if not self._noted_failure:
            self._note_failure()
        if replayed:
            self._journal.note(
                {"event": "rollback", "episode": self.episode, "frame": session.frame, "depth": replayed, "at_ms": round(now, 1)}
            )
        self._write_final()

    def _note_failure(self) -> None:
        """Say once that the experiment's own predictor does not do what it should."""
        failed = [guesser.failure for guesser in self._guessers if guesser is not None and guesser.failure]
        if failed:
            self._noted_failure = True
            self._journal.note({"event": "prediction_failed", "episode": self.episode, "error": failed[0]})

    def _watch(self, now: float) -> None:
        """Simulate what others have made final: at their pace, and as fast as can be as long as there is more than a little."""
        session = self.session
        behind = session.held + 1 - session.frame
        hurry = behind > self.settings.fps / 4
        if not hurry and now < self._due:
            return
        for _ in range(min(behind, CATCH_UP) if hurry else 1):
            if not self.lineup.watching or not session.advance().stepped:
                break
            self._write_final()
        self._write_final()
        self._due = now if hurry else max(self._due + self._period, now - self._period)

    def _adapt_delay(self, now: float) -> None:
        session = self.session
        if self._chooser is not None:
            if self.paused:
                self._chooser.rest(now)
            session.wish_delay(self._chooser.choose(now))
        if session.delay != self._noted_delay:
            self._noted_delay = session.delay
            self._journal.note(
                {
                    "event": "input_delay",
                    "episode": self.episode,
                    "frame": session.frame,
                    "delay": session.delay,
                    "at_ms": round(now, 1),
                }
            )

    def _stretch(self) -> float:
        return max([self.peers[host].sync.stretch for host in self.lineup.members], default=1.0)

    def _wait_at_start(self) -> float:
        """How many frames to wait now, once in an episode: hosts do not begin it together, the later one up to a round trip later.

        One pause before much has happened is noticed less than a hundred slow frames.
        """
        if self._waited or self.session.frame > START_S * self.settings.fps:
            return 0.0
        syncs = [self.peers[host].sync for host in self.lineup.members]
        if not all(sync.settled for sync in syncs):
            return 0.0
        self._waited = True
        ahead = min(self.frame_advantage, LONGEST_WAIT_S * self.settings.fps)
        if ahead < 1.0:
            return 0.0
        for sync in syncs:
            sync.waited(ahead)
        return ahead

    def _write_final(self) -> None:
        final = self.session.take_final()
        if not final:
            return
        every, ledger, history = self.settings.digest_every, self.ledger, self._history
        start, rows = len(ledger), []
        for frame in final:
            number = frame.record.frame + 1
            digest = self.runtime.snapshot_digest(number) if number % every == 0 else b""
            rows.append(ledger.append(frame, digest))
            history.add(frame.inputs)
        self._rows += len(rows)
        self._journal.rows(self.episode, start, rows, [frame.inputs for frame in final])
        if self.peers and not self.lineup.watching:
            self._evidence.add(rows, final)
        self.session.retire()
        if self.lineup.anybody_gone or self.lineup.watching:
            self._take_returns(final)
        self._compared(self.ledger.review())
        if self._diagnosis is None:
            self._evidence.agreed(ledger.certified)
        since = self._evidence.since
        self.runtime.forget_before(self.session.final if since is None else min(since, self.session.final))

    def _send_inputs(self, now: float, *, at_once: bool = False) -> None:
        # What was just sampled is not kept waiting. Where nothing is sampled all else is said as often, or nearly: a frame that
        # comes a little late must not be preceded by a packet that says less.
        if not at_once and now - self._sent_at < WITHOUT_INPUT * self._period:
            return
        self._sent_at = now
        queues, final = self.session.queues, self.session.final
        needs = self._needs()
        giving = self.lineup.giving
        for peer in self.lineup.hearers:
            if not peer.heard_hello:
                continue
            if min(peer.needs) < final and not self.lineup.watching:
                rest = rest_of_lesson(self._history, peer, self.episode, final, queues, giving)
                self._send_state(peer, now, self.episode, needs, rest)
                continue
            streams = []
            for player in giving:
                queue, start = queues[player], peer.needs[player]
                if start <= queue.last:
                    streams.append(Stream(player, start, tuple(queue.span(start))))
            self._send_state(peer, now, self.episode, needs, tuple(streams))

    def _feed(self, now: float) -> None:
        """Send those that come late what is final, from the beginning; also after the end."""
        learners = self.lineup.learners
        if not learners or now - self._fed_at < self._period:
            return
        self._fed_at = now
        players = range(self._count) if self.phase is Phase.OVER else self.lineup.untold
        for peer in learners:
            if peer.episode > self.episode:
                continue
            streams = lesson(self._history, peer, players, self._count)
            self._send_state(peer, now, peer.episode, self._needs(), streams)
            end = self._archive.get(peer.episode)
            if end is not None and peer.held >= end.frames:
                self._send(peer, INPUT, end)
            if self.phase is Phase.OVER and self.outcome is not Outcome.COMPLETED and peer.held >= self.session.final:
                self._send(peer, CONTROL, self._bye())  # there is no more to come

    def _send_state(self, peer: Peer, now: float, episode: int, needs: tuple[int, ...], streams: tuple[Stream, ...]) -> None:
        session, ledger = self.session, self.ledger
        end = self._archive.get(episode)
        final, chain = (len(ledger), ledger.newest) if end is None else (end.frames, end.chain)
        packet = peer.compose(
            now,
            sender=self.host,
            incarnation=self.incarnation,
            episode=episode,
            frame=session.frame,
            held=min(needs),
            final=final,
            chain=chain,
            needs=needs,
            streams=streams,
        )
        self._send(peer, INPUT, packet._replace(paused=True) if self._attention.paused else packet)

    def _take_inputs(self, peer: Peer, packet: Inputs, now: float) -> None:
        if not peer.heard_hello:
            return  # it knows us already, but we do not know it; it will say all this again
        if len(packet.needs) != self._count:
            raise WireError("acknowledgements of another number of players")
        if packet.receiver != self.incarnation:
            return  # it was on its way when this host's page was loaded again
        peer.knows_us = True
        late = self.lineup.is_late(peer)
        if late and not self.lineup.watching:
            self._take_acknowledgement(peer, packet, now)
            return
        if packet.episode != self.episode:
            if packet.episode == self.episode + 1 and self.phase is Phase.SETTLING:
                self._all_have_ended()
            return
        session = self.session
        queues, frame = session.queues, session.frame
        for stream in packet.streams:
            if stream.player >= self._count:
                raise WireError(f"inputs of a player {stream.player}, which there is not")
            if stream.start > queues[stream.player].last + 1 or stream.start + len(stream.inputs) > frame + FARTHEST:
                raise WireError(f"inputs from frame {stream.start} on are not what follows")
            self._check.check(stream.player, stream.inputs)
        for player in session.local:
            if packet.needs[player] > queues[player].last + 1:
                raise WireError("an acknowledgement of what was never sent")
        if packet.final > FARTHEST + frame and not self.lineup.watching:
            raise WireError("a peer has more final frames than there can be")
        # A frame that is not due for some time yet is not wholly there.
        wait = min(1.0, max(0.0, (self._due - now) / self._period))
        if peer.episode != packet.episode:
            peer.begin_episode(packet.episode)  # it came late, as this host did, when that began
        peer.take(packet, now, frame - wait)
        if self.phase is Phase.OVER or (self.membership.is_out(peer.host) and not late):
            return
        if self._chooser is not None and not self.lineup.watching:
            lacks = packet.needs[self.players[0]]
            self._chooser.observe(now, peer.host, packet.frame, lacks, session.delay, peer.round_trip_ms)
        for stream in packet.streams:
            if self.lineup.may_give(peer, stream.player):
                # What is not final may yet be another's to give: who watches has no part in the agreements on that.
                taken = stream.inputs[: max(0, packet.final - stream.start)] if self.lineup.watching else stream.inputs
                session.receive(stream.player, stream.start, taken)
        if not self.lineup.watching:
            session.report(peer.host, packet.held - 1)
        if not late:
            self._compared(self.ledger.claim(peer.host, packet.final, packet.chain))

    def _take_acknowledgement(self, peer: Peer, packet: Inputs, now: float) -> None:
        """A packet of one that comes late: how far it is. Its inputs are not asked for, nor what it claims."""
        if packet.episode > self.episode or packet.episode < peer.episode:
            return
        if packet.episode > peer.episode:
            peer.begin_episode(packet.episode)
        peer.take(packet, now, self.session.frame)

    def _compared(self, differing: int | None) -> None:
        if differing is not None and self.ledger.dissenter is not None:
            self._differs(
                self.ledger.dissenter, f"the data of the peers differ within the first {differing} rows of episode {self.episode}"
            )

    # -- ending an episode -------------------------------------------------------------------------------------------

    def _settle(self, now: float) -> None:
        members = [self.peers[host] for host in self.lineup.members if host not in self._absences.excused]
        if self.lineup.watching:
            members = [peer for peer in members if peer.closed_at is None]
        agreed = self._passed or self.lineup.watching or not self.membership.undecided
        if agreed and all(peer.ended and (peer.end_heard or self.lineup.watching) for peer in members):
            self._go_on(now)
            return
        if now - self._repeated_at >= REPEAT_MS:
            self._repeated_at = now
            # Also to peers of whom all is known here: one that waits for a third may not know that its own End arrived.
            for peer in self.peers.values():
                if peer.heard_hello and not (self.lineup.watching and self.lineup.is_late(peer)):
                    self._send(peer, INPUT, self._own_end(heard=peer.ended))
        self._send_inputs(now)

    def _go_on(self, now: float) -> None:
        """All agree on the episode: begin the next one, or end."""
        end = self._own_end(heard=True, settled=True)
        self._archive[self.episode] = end
        gone = [host for host, standing in enumerate(self.membership.standings) if standing.out]
        cut = self.session.stop is not None and not self.runtime.done
        if cut or (gone and self.settings.on_drop is OnDrop.END):
            self._end(*self._absences.reason(gone, self.lineup.name))
            return
        self._certified = (self.episode, len(self.ledger) - 1)
        self._journal.episode_end(self.episode, end.frames, end.chain)
        if self.episode + 1 == self.settings.episodes:
            self._end(Outcome.COMPLETED, "")
        else:
            self._begin_episode()
            self.phase = Phase.PLAYING
            self._due = now

    def _own_end(self, *, heard: bool, settled: bool = False) -> End:
        return End(self.host, self.incarnation, self.episode, len(self.ledger), self.ledger.newest, heard, settled)

    def _take_end(self, peer: Peer, packet: End) -> None:
        if packet.episode < self.episode or self.phase is Phase.OVER:
            known = self._archive.get(packet.episode)
            if known is not None and not packet.settled:
                self._send(peer, INPUT, known)
            return
        if packet.episode > self.episode or (self.membership.is_out(peer.host) and not self.lineup.is_late(peer)):
            return  # one that is gone ended where it stopped
        if self.lineup.is_late(peer):
            if self.phase is Phase.SETTLING and not self.lineup.watching:
                self._send(peer, INPUT, self._own_end(heard=True))
            return
        self._ends[peer.host] = packet
        if self.lineup.watching and not self.runtime.done:
            self.session.stop = packet.frames  # where it ends, if it was cut off
        if self.phase is Phase.SETTLING:
            peer.end_heard = peer.end_heard or packet.heard
            self._compare_end(peer, packet)
            if self.phase is Phase.SETTLING and not packet.heard:
                self._send(peer, INPUT, self._own_end(heard=True))

    def _compare_end(self, peer: Peer, packet: End) -> None:
        own = self._own_end(heard=True)
        if (packet.frames, packet.chain) != (own.frames, own.chain):
            detail = f"episode {self.episode} has {own.frames} frames here and {packet.frames} at {self.lineup.name(peer.host)}"
            if packet.frames == own.frames:
                detail = f"the rows of episode {self.episode} differ from those of {self.lineup.name(peer.host)}"
            self._differs(peer.host, detail)
            return
        peer.ended = True
        self.ledger.claim(peer.host, packet.frames, packet.chain)
        if packet.settled:
            self._all_have_ended()

    def _all_have_ended(self) -> None:
        """A peer has gone on. It could not have done so without everybody's End, and all were like its own."""
        self._passed = True
        for host in self.lineup.members:
            self.peers[host].ended = self.peers[host].end_heard = True
            self.ledger.claim(host, len(self.ledger), self.ledger.newest)

    # -- when the data differ ----------------------------------------------------------------------------------------

    def _differs(self, host: int, detail: str) -> None:
        """The data of a peer are not those of this host: find out where, and end."""
        if self._diagnosis is not None or self.phase is Phase.OVER:
            return
        if self.lineup.watching:  # who comes late has no evidence of its own, nor a say in the match
            self._end(Outcome.DESYNC, f"{detail}; the first {self.ledger.certified} rows are alike")
            return
        self.phase, self._doubt = Phase.DIAGNOSING, detail
        claim = len(self.ledger), self.ledger.newest
        names = [self.lineup.players_of(number) for number in range(len(self.membership.players))]
        self._diagnosis = Diagnosis(
            self._evidence, versions(), names=names, local=self.host, incarnation=self.incarnation, partner=host, claim=claim
        )

    def _diagnose(self, now: float) -> None:
        diagnosis = self._diagnosis
        assert diagnosis is not None
        for host, packet in diagnosis.due(now):
            self._send(self.peers[host], CONTROL, packet)
        if self.phase is Phase.DIAGNOSING:
            self._send_inputs(now)  # the peer may need them to come as far as this host, and see for itself
            if diagnosis.over(now):
                self._end_diagnosed("there was no more time")

    def _take_diagnosis(self, peer: Peer, packet: Ask | Tell, now: float) -> None:
        if self.lineup.is_late(peer):
            return
        if self._diagnosis is None:
            if isinstance(packet, Tell):
                raise WireError("an answer to what was never asked")
            if packet.rows > FARTHEST + self.session.frame:
                raise WireError("a peer has rows of frames that are far ahead")
            if packet.episode != self.episode or self.phase not in (Phase.PLAYING, Phase.SETTLING):
                return
            # Nobody is taken at their word: it is answered only once the data are seen to differ here, too.
            self._compared(self.ledger.claim(peer.host, packet.rows, packet.chain))
            if self.session.ended and packet.rows > len(self.ledger):
                self._differs(peer.host, f"episode {self.episode} has {len(self.ledger)} frames here and more at the peer")
        if self._diagnosis is not None:
            self._diagnosis.take(packet)
            self._diagnose(now)
            if self.phase is Phase.OVER and isinstance(packet, Ask) and not packet.question:
                # It waits for nothing else, and may not have got the first.
                self._send(peer, CONTROL, self._bye())

    def _end_diagnosed(self, unfinished: str) -> None:
        """End the match with what is known; `unfinished`: why it may not be all."""
        diagnosis = self._diagnosis
        assert diagnosis is not None
        diagnosis.close(unfinished)
        report = diagnosis.report
        doubt = [self._doubt] if report.first is None and report.row is None else []
        told = [*doubt, diagnosis.sentence, f"the first {self.ledger.certified} rows are alike"]
        self._end(Outcome.DESYNC, "; ".join(part for part in told if part))

    def _gone_while_diagnosing(self, diagnosis: Diagnosis, peer: Peer, detail: str) -> None:
        diagnosis.satisfied(peer.host)
        if peer.host == diagnosis.partner:
            self._end_diagnosed(detail)

    # -- the end of it all -------------------------------------------------------------------------------------------

    def leave(self, detail: str = "") -> None:
        """Say goodbye and end the match here, if it is not over."""
        if self.phase is Phase.DIAGNOSING:
            for peer in self.peers.values():  # it will not even answer any more
                self._send(peer, CONTROL, Bye(self.host, self.incarnation, REASONS.index(Outcome.LEFT), detail))
            self._end_diagnosed(detail or "this host left")
        elif self.phase is not Phase.OVER:
            self._end(Outcome.LEFT, detail)

    def link_closed(self, host: int, now_ms: float) -> None:
        """The connection to a peer was closed for good."""
        peer = self.peers.get(host)
        if peer is not None and self.phase is not Phase.OVER:
            self._closed(peer, f"{self.lineup.name(host)} closed the connection", now_ms)

    def _closed(self, peer: Peer, detail: str, now: float) -> None:
        if peer.closed_at is None:
            peer.closed_at, peer.sure = now, self._is_sure(peer, now)
        self._lost(peer, Outcome.PEER_LEFT, detail, now, sure=peer.sure)

    def _is_sure(self, peer: Peer, now: float) -> bool:
        """Whether a peer that is gone played with this host until then: it had heard this host not long before. Otherwise it may
        have given this host up, and gone on alone for a while."""
        heard = peer.heard_us_at
        return heard is not None and now - heard < SURE * self.settings.disconnect_after_ms

    def _lost(self, peer: Peer, outcome: Outcome, detail: str, now: float, *, sure: bool) -> None:
        """A peer is gone, or it was silent for too long."""
        if self.phase is Phase.DIAGNOSING and self._diagnosis is not None:
            self._gone_while_diagnosing(self._diagnosis, peer, detail)
            return
        last = self.episode + 1 == self.settings.episodes or self.session.stop is not None
        if self.phase is Phase.SETTLING and peer.ended and last:
            self._absences.excused.add(peer.host)  # its data are known to be ours, and there was nothing left to do with it
        elif self.lineup.is_spectator(peer.host):
            del self.peers[peer.host]  # a spectator
        elif self.lineup.is_late(peer) and not self.lineup.watching:
            return  # it is only to come, and nobody waits for it
        elif self.lineup.watching:
            self._lost_while_watching(peer, outcome, detail)
        elif self.phase is Phase.CONNECTING and (self.settings.on_drop is OnDrop.END or not peer.heard_hello):
            self._end(outcome, detail)
        elif self._absences.give_up(peer, self._silent_since or 0.0, now):
            running = self.membership.standings[peer.host].running  # of one that came back no hello may have been heard
            self._absences.lose(peer.host, max(peer.incarnation, running), (outcome, detail), now, sure=sure)
            self._line_up()

    def _lost_while_watching(self, peer: Peer, outcome: Outcome, detail: str) -> None:
        """One that comes late agrees on nothing; but somebody must be left from whom it can learn."""
        peer.closed_at = peer.closed_at or 0.0
        if all(self.peers[host].closed_at is not None for host in self.membership.left_over if host in self.peers):
            self._end(outcome, detail)

    def _end(self, outcome: Outcome, detail: str) -> None:
        if self.phase is Phase.OVER:
            return
        self.outcome, self.detail, self.phase = outcome, detail, Phase.OVER
        if outcome not in (Outcome.COMPLETED, Outcome.PEER_LEFT):
            for peer in self.peers.values():
                self._send(peer, CONTROL, self._bye())
        episode, frame = self.certified_through
        report = {} if self._diagnosis is None else {"desync": self._diagnosis.report.as_json()}
        if report:
            self._journal.note({"event": "desync", **report["desync"]})
        self._journal.outcome(
            {
                "outcome": outcome.value,
                "detail": detail,
                "certified_through": [episode, frame],
                "episodes": self.episode + 1,
                "rows": self._rows,
                "chain": self.ledger.newest.hex(),
                **report,
            }
        )

    def _bye(self) -> Bye:
        assert self.outcome is not None
        return Bye(self.host, self.incarnation, REASONS.index(self.outcome), self.detail)

    def _take_bye(self, peer: Peer, packet: Bye, now: float) -> None:
        if self.phase is Phase.OVER:
            return
        reason = REASONS[packet.reason] if packet.reason < len(REASONS) else Outcome.LEFT
        name = self.lineup.name(peer.host)
        grave = reason in (Outcome.REFUSED, Outcome.DESYNC, Outcome.ENVIRONMENT_ERROR) and not self.lineup.is_late(peer)
        if self._diagnosis is not None and reason is Outcome.DESYNC:
            self._diagnosis.satisfied(peer.host)  # it has its own report, and still answers
        elif grave and self._diagnosis is None:
            self._end(reason, f"{name} says: {packet.detail}")
        else:
            self._closed(peer, f"{name} left" + (f": {packet.detail}" if packet.detail else ""), now)

    # -- packets -----------------------------------------------------------------------------------------------------

    def receive(self, host: int, data: bytes, now_ms: float) -> None:
        """Take a packet that came over the connection to a host. A malformed one is counted and dropped."""
        try:
            packet = decode(data, self._key)
            if packet.sender != host:
                raise WireError("a packet of somebody else")
            peer = self.peers.get(host)
            if peer is None or packet.incarnation != peer.incarnation:
                if peer is not None and packet.incarnation < peer.incarnation:
                    return  # it was on its way when its sender's page was loaded again
                peer = self._newcomer(packet)
                if peer is None:
                    return
            if isinstance(packet, Inputs):
                self._take_inputs(peer, packet, now_ms)
            peer.heard(now_ms, len(data))
            if isinstance(packet, Hello):
                self._take_hello(peer, packet)
            elif isinstance(packet, End):
                self._take_end(peer, packet)
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

    def _remind(self, peer: Peer, now: float) -> None:
        """Tell a peer that goes on playing what it seems not to know: that it was given up, or that the match is over here."""
        over = self.phase is Phase.OVER and self.outcome is not Outcome.COMPLETED
        given_up = self.phase is not Phase.OVER and self.membership.is_absent(peer.host)
        if (over or given_up) and self._absences.remind(peer.host, now):
            if over:
                self._send(peer, CONTROL, self._bye())
            else:
                self._state(peer.host, self.membership.state(self.episode, self._needs()))

    def _send(self, peer: Peer, channel: int, packet: Packet) -> None:
        data = encode(packet, self._key)
        peer.bytes_sent += len(data)
        self.outbox.append((peer.host, channel, data))

"""One match: its players' peers, its episodes one after the other, and how it ends.

A match says hello to every peer and refuses one whose terms differ; plays each episode with a `RollbackSession`,
paced by the frame rate and slowed a little when it is ahead; writes final rows; and goes on to the next episode, or
ends, once all peers have exchanged the last frame and the digest of the rows. All time is given to it, and all
packets; so it runs on a virtual clock as well as in a browser. It knows nothing of transports, pages or files.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .attention import Attention, WhenHidden
from .batch import Runtime
from .errors import (
    ActionError,
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
from .network.peer import Peer
from .network.wire import MAX_INPUT, PROTOCOL_VERSION, Bye, End, Hello, Inputs, Packet, decode, encode, session_key
from .operations import Reset
from .rollback.delay import DelayChooser, InputDelay, plain_delay
from .rollback.inputs import Prediction, delay_of, make_input
from .rollback.session import Counters, RollbackSession
from .simulation import episode_seed
from .terms import encode_terms, first_difference

__all__ = ["CONTROL", "INPUT", "Match", "MatchSettings", "Outcome", "Phase"]

#: The two channels: unreliable and unordered; reliable and ordered.
INPUT, CONTROL = 0, 1

#: How often a hello or an end is repeated until it is answered, in ms.
REPEAT_MS = 100.0
#: How soon a stalled frame is tried again, in ms.
RETRY_MS = 8.0
#: How long packets wait at the most before they are looked at, in ms: at a low frame rate, less than a frame.
POLL_MS = 25.0
#: A gap between two ticks that is longer than this was a pause of this host, in ms: its peers are not to blame for
#: their silence.
PAUSE_MS = 500.0
#: How far beyond its own frame a host takes inputs, in frames. No honest peer gets so far ahead.
FARTHEST = 4096
#: As many as have a number on the wire.
MOST_EPISODES = 65_535


class Phase(enum.Enum):
    """Where a match stands."""

    CONNECTING = "connecting"  #: hellos are on their way
    PLAYING = "playing"
    SETTLING = "settling"  #: the episode is over and final here; its end is being agreed on
    OVER = "over"


class Outcome(enum.Enum):
    """How a match ended. The numbers of `REASONS` stand for these on the wire."""

    COMPLETED = "completed"  #: every episode ended and was agreed on by all
    LEFT = "left"  #: this host left before the end
    PEER_LEFT = "peer_left"  #: another host said goodbye or closed its connection
    PEER_LOST = "peer_lost"  #: another host was silent for too long
    REFUSED = "refused"  #: the peers' terms differ
    DESYNC = "desync"  #: the peers' data differ
    ENVIRONMENT_ERROR = "environment_error"  #: the environment raised
    HIDDEN = "hidden"  #: this host's page was hidden for too long


REASONS = list(Outcome)


@dataclass(frozen=True, slots=True)
class MatchSettings:
    """What a match is played by. `fps` in frames a second, `..._ms` in milliseconds, the rest in frames or counts."""

    session: str
    seed: int
    fps: float = 30.0
    episodes: int = 1
    input_delay: int | InputDelay = 0
    prediction_window: int = 8
    prediction: Prediction = Prediction.LAST
    state_digest_every: int | None = None
    disconnect_after_ms: float = 5000.0
    when_hidden: WhenHidden = WhenHidden.PLAY
    hidden_limit_ms: float | None = None
    default_actions: tuple[Any, ...] = (0,)
    terms: Mapping[str, Any] = field(default_factory=dict)

    @property
    def digest_every(self) -> int:
        """Every how many frames the chain of rows covers the whole state."""
        return self.state_digest_every or max(1, round(self.fps))


class Match:
    """This host's part in a match.

    Args:
        runtime: the environment; the match resets it.
        local: the place of the local player in the runtime's order of players.
        settings: equal on every host, or the hellos say so.
        journal: where final rows go.

    Raises:
        SessionError, ActionError, WireError: a setting cannot work, a default action lies outside its space, or the terms
            are too long to be sent.
        EnvironmentFailed: the environment's reset raised.
    """

    def __init__(self, runtime: Runtime, *, local: int, settings: MatchSettings, journal: Journal) -> None:
        players = runtime.players
        if not 0 <= local < len(players):
            raise SessionError(f"local player {local} of an environment with {len(players)} players")
        self.runtime = runtime
        self.settings = settings
        self.local = local
        self.phase = Phase.CONNECTING
        self.outcome: Outcome | None = None
        self.detail = ""
        self.outbox: list[tuple[int, int, bytes]] = []
        self.malformed = 0
        self.counters = Counters()
        self.peers = {place: Peer(place, 1000.0 / settings.fps) for place in range(len(players)) if place != local}
        self._journal = journal
        self._key = session_key(settings.session)
        self._terms = _terms(runtime, settings)
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
        encode(Hello(local, self._terms, True), self._key)  # too long a hello is better said here than later
        self._attention = Attention(settings.when_hidden, settings.hidden_limit_ms)
        self._noted_pause: tuple[str, ...] = ()
        delay = settings.input_delay
        adaptive = delay if isinstance(delay, InputDelay) else None
        self._chooser = DelayChooser(adaptive, settings.fps, settings.prediction_window) if adaptive else None
        self._most_told = adaptive.most if adaptive else 0  # a fixed delay is not told in the inputs
        self._noted_delay: int | None = None if isinstance(delay, InputDelay) else delay
        self._neutral = [make_input(codec.encode(action), True) for codec, action in zip(self._codecs, defaults, strict=True)]
        self._valid: list[set[bytes]] = [set() for _ in players]
        self._archive: dict[int, End] = {}
        self._certified = (0, -1)
        self._rows = 0
        self._due = 0.0
        self._sent_at = -REPEAT_MS
        self._repeated_at = -REPEAT_MS
        self._last_tick: float | None = None
        self._waiting = False
        self._silent_since: float | None = None
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
        if self.phase is Phase.OVER:
            return ()
        own = self._attention.paused
        return tuple(
            name for place, name in enumerate(self.runtime.players) if (own if place == self.local else self.peers[place].paused)
        )

    @property
    def round_trip_ms(self) -> float | None:
        """The longest round trip to any peer; None as long as none was measured."""
        trips = [peer.round_trip_ms for peer in self.peers.values() if peer.round_trip_ms is not None]
        return max(trips) if trips else None

    @property
    def frame_advantage(self) -> float:
        """How many frames this host is ahead of the peer that is farthest behind."""
        return max([peer.sync.ahead for peer in self.peers.values()], default=0.0)

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

    # -- time --------------------------------------------------------------------------------------------------------

    def tick(self, now_ms: float, sample: Callable[[], bytes]) -> int:
        """Go on as far as the time allows; packets to send are put into `outbox` as (player, channel, bytes).

        Args:
            now_ms: the time, of a clock that only this host reads; it never goes back.
            sample: gives the local player's encoded input (`make_input`); called only when an input is taken.

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
        except (EnvironmentFailed, EnvironmentNotSupported, SnapshotError) as error:
            self._end(Outcome.ENVIRONMENT_ERROR, str(error))
        if self.phase is not Phase.OVER:
            self._check_silence(now_ms)
        self._last_tick = now_ms
        return max(0, self.session.frame - before)

    def hide(self, hidden: bool, now_ms: float) -> None:
        """This host's page was hidden, or is seen again."""
        if self._attention.hide(hidden, now_ms) and self.phase is not Phase.OVER:
            self._journal.note({"event": "visibility", "hidden": hidden, "at_ms": round(now_ms, 1)})

    def _attend(self, now: float) -> None:
        hidden = self._attention.overdue(now)
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
        for peer in self.peers.values():
            since = peer.last_heard if peer.last_heard is not None else self._silent_since
            # Before the first packet a peer may still be connecting; it has three times as long for that.
            patience = self.settings.disconnect_after_ms * (1 if peer.last_heard is not None else 3)
            if now - since > patience:
                self._gone(peer, Outcome.PEER_LOST, f"player {self._name(peer.player)} was silent for {(now - since) / 1000:.1f} s")
            if self.phase is Phase.OVER:
                return

    # -- connecting --------------------------------------------------------------------------------------------------

    def _connect(self, now: float) -> None:
        if all(peer.heard_hello and peer.knows_us for peer in self.peers.values()):
            self.phase = Phase.PLAYING
            self._due = now
        elif now - self._repeated_at >= REPEAT_MS:
            self._repeated_at = now
            for peer in self.peers.values():
                self._send(peer, CONTROL, Hello(self.local, self._terms, peer.heard_hello))

    def _take_hello(self, peer: Peer, packet: Hello) -> None:
        difference = first_difference(self._terms, packet.terms)
        if packet.version != PROTOCOL_VERSION:
            difference = f"protocol is {PROTOCOL_VERSION} here and {packet.version} there"
        if difference is not None:
            if peer.heard_hello:
                raise WireError("a second hello, with other terms than the first")
            # It is to see for itself what differs; once it has told us its own terms, no more is to be said.
            if self.phase is not Phase.OVER or not packet.heard:
                self._send(peer, CONTROL, Hello(self.local, self._terms, True))
            self._end(Outcome.REFUSED, f"player {self._name(peer.player)} plays by other terms: {difference}")
            return
        peer.heard_hello = True
        peer.knows_us = peer.knows_us or packet.heard
        if not packet.heard and self.phase is not Phase.CONNECTING:
            self._send(peer, CONTROL, Hello(self.local, self._terms, True))

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
            local=[self.local],
            neutral=self._neutral,
            input_delay=settings.input_delay,
            wishes_every=max(1, round(settings.fps)),
            window=settings.prediction_window,
            prediction=settings.prediction,
            counters=self.counters,
        )
        self.ledger = EpisodeLedger(self.episode, seed, self.runtime.players, self._codecs)
        for peer in self.peers.values():
            peer.begin_episode()
            self.session.expect_report(peer.player)
            self.ledger.expect(peer.player)
        if self._chooser is not None:
            self._chooser.restart()
        self._ends: dict[int, End] = {}
        self._journal.episode(self.episode, seed)

    def _play(self, now: float, sample: Callable[[], bytes]) -> None:
        session = self.session
        sampled = session.queues[self.local].last
        self._adapt_delay(now)
        if self._attention.paused:
            self._due = max(self._due, now + min(RETRY_MS, self._period))
        if now < self._due or self._attention.paused:
            replayed, _ = session.advance(step=False)
        else:
            replayed, stepped = session.advance({self.local: sample()} if session.wants_input else None)
            if stepped:
                self._due = max(self._due + self._period * self._stretch(), now - self._period)
                self._waiting = False
            else:
                if session.stalled and not self._waiting:
                    self._waiting = True
                    self.counters.stalls += 1
                self._due = now + min(RETRY_MS, self._period)
        if replayed:
            self._journal.note(
                {"event": "rollback", "episode": self.episode, "frame": session.frame, "depth": replayed, "at_ms": round(now, 1)}
            )
        self._write_final()
        if self.phase is Phase.PLAYING and session.ended:
            self.phase = Phase.SETTLING
            self._repeated_at = now - REPEAT_MS
            for place, end in self._ends.items():
                self._compare_end(self.peers[place], end)
        if self.phase is not Phase.OVER:
            self._send_inputs(now, at_once=session.queues[self.local].last > sampled)

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
        return max([peer.sync.stretch for peer in self.peers.values()], default=1.0)

    def _write_final(self) -> None:
        final = self.session.take_final()
        if not final:
            return
        every, ledger = self.settings.digest_every, self.ledger
        start, rows = len(ledger), []
        for frame in final:
            number = frame.record.frame + 1
            digest = self.runtime.snapshot_digest(number) if number % every == 0 else b""
            rows.append(ledger.append(frame, digest))
        self._rows += len(rows)
        self._journal.rows(self.episode, start, rows, [frame.inputs for frame in final])
        self.session.retire(min([peer.acknowledged for peer in self.peers.values()], default=self.session.final))
        self._compared(self.ledger.review())

    def _send_inputs(self, now: float, *, at_once: bool = False) -> None:
        # What was just sampled is not kept waiting; all else is said once a period.
        if not at_once and now - self._sent_at < self._period:
            return
        self._sent_at = now
        session, ledger = self.session, self.ledger
        own = session.queues[self.local]
        for peer in self.peers.values():
            start = max(peer.acknowledged, own.first)
            packet = peer.compose(
                now,
                sender=self.local,
                episode=self.episode,
                frame=session.frame,
                need=session.queues[peer.player].last + 1,
                held=session.held + 1,
                final=len(ledger),
                chain=ledger.newest,
                start=start,
                inputs=own.span(start),
            )
            self._send(peer, INPUT, packet._replace(paused=self._attention.paused))

    def _take_inputs(self, peer: Peer, packet: Inputs, now: float) -> None:
        if not peer.heard_hello:
            return  # it knows us already, but we do not know it; it will say all this again
        if packet.episode != self.episode:
            if packet.episode == self.episode + 1 and self.phase is Phase.SETTLING:
                peer.end_heard = True  # it could not have gone on without our End
            return
        session = self.session
        frame, own_sent = session.frame, session.queues[self.local].last + 1
        if packet.start > session.queues[peer.player].last + 1 or packet.start + len(packet.inputs) > frame + FARTHEST:
            raise WireError(f"inputs from frame {packet.start} on are not what follows")
        if packet.held > own_sent or packet.final > FARTHEST + frame:
            raise WireError("a peer says that it holds what was never sent")
        self._check_inputs(peer.player, packet.inputs)
        # A frame that is not due for some time yet is not wholly there.
        wait = min(1.0, max(0.0, (self._due - now) / self._period))
        if not peer.take(packet, now, frame - wait, own_sent):
            raise WireError("an acknowledgement of what was never sent")
        peer.knows_us = True
        if self.phase is Phase.OVER:
            return
        if self._chooser is not None:
            self._chooser.observe(now, peer.player, packet.frame, packet.need, session.delay, peer.round_trip_ms)
        session.receive(peer.player, packet.start, packet.inputs)
        session.report(peer.player, packet.held - 1)
        self._compared(self.ledger.claim(peer.player, packet.final, packet.chain))

    def _check_inputs(self, player: int, inputs: tuple[bytes, ...]) -> None:
        valid, codec = self._valid[player], self._codecs[player]
        if valid.issuperset(inputs):
            return
        for data in set(inputs) - valid:
            if len(data) != 1 + codec.size or data[0] & 0x0F > 1 or delay_of(data) > self._most_told:
                raise WireError("an input of the wrong length, or with unknown flags")
            try:
                codec.decode(data[1:])
            except ActionError as error:
                raise WireError(str(error)) from None
            if len(valid) < FARTHEST:
                valid.add(data)

    def _compared(self, differing: int | None) -> None:
        if differing is not None and self.phase is not Phase.OVER:
            detail = f"the data of the peers differ within the first {differing} rows of episode {self.episode}"
            self._end(Outcome.DESYNC, f"{detail}; the first {self.ledger.certified} rows are alike")

    # -- ending an episode -------------------------------------------------------------------------------------------

    def _settle(self, now: float) -> None:
        if all(peer.ended and peer.end_heard for peer in self.peers.values()):
            self._certified = (self.episode, len(self.ledger) - 1)
            end = self._own_end(heard=True, settled=True)
            self._archive[self.episode] = end
            self._journal.episode_end(self.episode, end.frames, end.chain)
            if self.episode + 1 == self.settings.episodes:
                self._end(Outcome.COMPLETED, "")
            else:
                self._begin_episode()
                self.phase = Phase.PLAYING
                self._due = now
            return
        if now - self._repeated_at >= REPEAT_MS:
            self._repeated_at = now
            # Also to peers of whom all is known here: one that waits for a third may not know that its own End arrived.
            for peer in self.peers.values():
                self._send(peer, CONTROL, self._own_end(heard=peer.ended))
        self._send_inputs(now)

    def _own_end(self, *, heard: bool, settled: bool = False) -> End:
        return End(self.local, self.episode, len(self.ledger), self.ledger.newest, heard, settled)

    def _take_end(self, peer: Peer, packet: End) -> None:
        if packet.episode < self.episode or self.phase is Phase.OVER:
            known = self._archive.get(packet.episode)
            if known is not None and not packet.settled:
                self._send(peer, CONTROL, known)
            return
        if packet.episode > self.episode:
            return
        self._ends[peer.player] = packet
        if self.phase is Phase.SETTLING:
            peer.end_heard = peer.end_heard or packet.heard
            self._compare_end(peer, packet)
            if self.phase is Phase.SETTLING and not packet.heard:
                self._send(peer, CONTROL, self._own_end(heard=True))

    def _compare_end(self, peer: Peer, packet: End) -> None:
        own = self._own_end(heard=True)
        if (packet.frames, packet.chain) != (own.frames, own.chain):
            detail = f"episode {self.episode} has {own.frames} frames here and {packet.frames} at player {self._name(peer.player)}"
            if packet.frames == own.frames:
                detail = f"the rows of episode {self.episode} differ from those of player {self._name(peer.player)}"
            self._end(Outcome.DESYNC, f"{detail}; the first {self.ledger.certified} rows are alike")
            return
        peer.ended = True
        self.ledger.claim(peer.player, packet.frames, packet.chain)

    # -- the end of it all -------------------------------------------------------------------------------------------

    def leave(self, detail: str = "") -> None:
        """Say goodbye and end the match here, if it is not over."""
        if self.phase is not Phase.OVER:
            self._end(Outcome.LEFT, detail)

    def link_closed(self, player: int) -> None:
        """The connection to a peer was closed for good."""
        peer = self.peers.get(player)
        if peer is not None and self.phase is not Phase.OVER:
            self._gone(peer, Outcome.PEER_LEFT, f"player {self._name(player)} closed the connection")

    def _gone(self, peer: Peer, outcome: Outcome, detail: str) -> None:
        if self.phase is Phase.SETTLING and peer.ended and self.episode + 1 == self.settings.episodes:
            peer.end_heard = True  # its data are known to be ours, and there was nothing left to do with it
            if all(other.ended and other.end_heard for other in self.peers.values()):
                self._settle(self._last_tick or 0.0)
            return
        self._end(outcome, detail)

    def _end(self, outcome: Outcome, detail: str) -> None:
        if self.phase is Phase.OVER:
            return
        if outcome not in (Outcome.COMPLETED, Outcome.PEER_LEFT):
            for peer in self.peers.values():
                self._send(peer, CONTROL, Bye(self.local, REASONS.index(outcome), detail))
        self.outcome, self.detail, self.phase = outcome, detail, Phase.OVER
        episode, frame = self.certified_through
        self._journal.outcome(
            {
                "outcome": outcome.value,
                "detail": detail,
                "certified_through": [episode, frame],
                "episodes": self.episode + 1,
                "rows": self._rows,
                "chain": self.ledger.newest.hex(),
            }
        )

    def _take_bye(self, peer: Peer, packet: Bye) -> None:
        if self.phase is Phase.OVER:
            return
        reason = REASONS[packet.reason] if packet.reason < len(REASONS) else Outcome.LEFT
        name = self._name(peer.player)
        if reason in (Outcome.REFUSED, Outcome.DESYNC, Outcome.ENVIRONMENT_ERROR):
            self._end(reason, f"player {name} says: {packet.detail}")
        else:
            self._gone(peer, Outcome.PEER_LEFT, f"player {name} left" + (f": {packet.detail}" if packet.detail else ""))

    # -- packets -----------------------------------------------------------------------------------------------------

    def receive(self, player: int, data: bytes, now_ms: float) -> None:
        """Take a packet that came over the connection to `player`. A malformed one is counted and dropped."""
        peer = self.peers.get(player)
        try:
            packet = decode(data, self._key)
            if peer is None or packet.sender != player:
                raise WireError("a packet of somebody else")
            if isinstance(packet, Inputs):
                self._take_inputs(peer, packet, now_ms)
            peer.heard(now_ms, len(data))
            if isinstance(packet, Hello):
                self._take_hello(peer, packet)
            elif isinstance(packet, End):
                self._take_end(peer, packet)
            elif isinstance(packet, Bye):
                self._take_bye(peer, packet)
        except WireError:
            self.malformed += 1
        except PyodideRuntimeError as error:
            self._end(Outcome.ENVIRONMENT_ERROR, str(error))

    def _send(self, peer: Peer, channel: int, packet: Packet) -> None:
        data = encode(packet, self._key)
        peer.bytes_sent += len(data)
        self.outbox.append((peer.player, channel, data))

    def _name(self, place: int) -> str:
        return self.runtime.players[place]


def _terms(runtime: Runtime, settings: MatchSettings) -> bytes:
    """Canonical JSON of all that must be equal on every host, in the order in which differences are named."""
    return encode_terms(
        {
            "protocol": PROTOCOL_VERSION,
            **settings.terms,
            "players": list(runtime.players),
            "max_steps": runtime.simulation.max_steps,
            "snapshot_every": runtime.simulation.snapshot_every,
            "seed": settings.seed,
            "fps": settings.fps,
            "episodes": settings.episodes,
            "when_hidden": [settings.when_hidden.value, settings.hidden_limit_ms],
            "input_delay": plain_delay(settings.input_delay),
            "prediction_window": settings.prediction_window,
            "prediction": settings.prediction.value,
            "state_digest_every": settings.digest_every,
            "start": runtime.digest().hex(),
        }
    )

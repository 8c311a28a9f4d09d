"""What is known of one remote host: what it has acknowledged, how far it is, how long packets take, whether it lives.

It turns that knowledge into the fields of an `Inputs` packet and takes such packets apart. It knows nothing of
simulation; time is given to it in ms of a clock that only this host reads.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..rollback.timesync import TimeSync
from .wire import Inputs, Stream

__all__ = ["Peer"]

_MASK = 0xFFFFFFFF
_NO_ECHO = 0xFFFF
_NO_VIEW = -0x8000
#: What is looked at after so many ms, and frames, without a look had waited for this host, for who knows how long.
WAITED_MS, WAITED_FRAMES = 500.0, 3


class Peer:
    """One incarnation of a remote host.

    Args:
        host: its number.
        incarnation: how often it came before.
        players: how many play in the match.
        period_ms: the time between two frames.
    """

    def __init__(self, host: int, incarnation: int, players: int, period_ms: float) -> None:
        self.host = host
        self.incarnation = incarnation
        self._players = players
        self._period = period_ms
        self.heard_hello = False  # its hello arrived and its terms are ours
        self.begun = False  # it plays already
        self.knows_us = False  # it has told us that our hello arrived
        self.last_heard: float | None = None
        self.heard_us_at: float | None = None  # when the newest packet was sent that is known to have arrived there
        self.closed_at: float | None = None  # when its connection was closed
        self.sure = False  # it is gone, and played with this host until then
        self.round_trip_ms: float | None = None
        self.paused = False  # its page is hidden, and so it does not go on
        self.bytes_sent = 0
        self.greetings = 0  # how often this host said the same hello to it
        self.told_heard: int | None = None  # which hello of its own that said to have arrived
        self.bytes_received = 0
        self.sync = TimeSync(1000.0 / period_ms)
        self._looked_at = 0.0
        self._waited = False  # what is looked at now
        self._peer_ms = 0  # its clock, from some time on; unlike what it sends this does not begin anew
        self.begin_episode(0)

    def begin_episode(self, episode: int) -> None:
        """Forget what belonged to the episode before. The round trip stays."""
        self.episode = episode
        #: For each player the first frame of whose inputs it lacks.
        self.needs = [0] * self._players
        self.frame = self.held = 0
        #: How many frames are final there.
        self.final = 0
        self.sync.restart()
        self.ended = False  # its End arrived
        self.end_heard = False  # our End arrived there
        self._peer_clock: int | None = None
        self._peer_clock_at = 0.0

    def compose(
        self,
        now_ms: float,
        *,
        sender: int,
        incarnation: int,
        episode: int,
        frame: int,
        held: int,
        final: int,
        chain: bytes,
        needs: tuple[int, ...],
        streams: tuple[Stream, ...],
    ) -> Inputs:
        """The packet to send now: the caller's part, and the clocks and the acknowledgement that are kept here."""
        age, echo = _NO_ECHO, 0
        if self._peer_clock is not None:
            age, echo = min(_NO_ECHO - 1, int(now_ms - self._peer_clock_at)), self._peer_clock
        advantage = max(_NO_VIEW + 1, round(self.sync.own * 16)) if self.sync.seen else _NO_VIEW
        sent = int(now_ms) & _MASK
        to = self.incarnation
        return Inputs(sender, incarnation, to, episode, frame, held, advantage, sent, echo, age, final, chain[:8], needs, streams)

    def heard(self, now_ms: float, size: int) -> None:
        """Some packet of this peer arrived."""
        self.last_heard = now_ms
        self.bytes_received += size

    def acknowledge(self, needs: Sequence[int]) -> None:
        """It lacks, of each player, the inputs from these frames on."""
        if needs != self.needs:
            self.needs = list(map(max, self.needs, needs))

    def take(self, packet: Inputs, now_ms: float, our_frame: float) -> None:
        """Learn from a packet of this host's episode.

        Args:
            our_frame: the next frame that is simulated here, less the part of a frame that is to pass until then.
        """
        self.acknowledge(packet.needs)
        self.final = max(self.final, packet.final)
        if now_ms != self._looked_at:
            self._waited = now_ms - self._looked_at > max(WAITED_MS, WAITED_FRAMES * self._period)
            self._looked_at = now_ms
        # Time may be read only off packets that arrive in order; an old one would spoil the clocks.
        order = (packet.sent - (self._peer_clock or 0)) & _MASK
        if self._peer_clock is None or 0 < order < 1 << 31:
            self._peer_clock, self._peer_clock_at = packet.sent, now_ms
            self._peer_ms += order
            self.frame, self.held, self.paused = packet.frame, packet.held, packet.paused
            if packet.echo_age != _NO_ECHO:
                self.heard_us_at = now_ms - ((int(now_ms) - packet.echo) & _MASK)
            if self._waited:
                return
            if packet.echo_age != _NO_ECHO:
                trip = ((int(now_ms) - packet.echo) & _MASK) - packet.echo_age
                if 0 <= trip < 60_000:
                    before = self.round_trip_ms
                    self.round_trip_ms = float(trip) if before is None else before + (trip - before) / 8
                    self.sync.clock.observe(now_ms, self._peer_ms + trip / 2)
            if self.round_trip_ms is not None:
                # Of frames on the way: a slower clock makes fewer, and a faster one is slowed down to ours.
                way = self.round_trip_ms / 2 / self._period * min(1.0, self.sync.clock.rate)
                view = packet.advantage / 16 if packet.advantage != _NO_VIEW else None
                self.sync.observe(our_frame - packet.frame - way, view, way)

"""What is said of this host's progress: inputs to those who play, and the whole match so far to those who come late.

It says what is there, and says it again until it is acknowledged. It takes nothing, simulates nothing and decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..network.lessons import lesson, rest_of_lesson
from ..network.peer import Peer
from ..network.wire import Bye, End, Stream
from .attention import Attention
from .course import Course
from .lineup import Lineup
from .outbox import CONTROL, INPUT, Outbox
from .pacing import REPEAT_MS

__all__ = ["WITHOUT_INPUT", "Sending"]

#: After how many periods a packet is sent though no input was sampled.
WITHOUT_INPUT = 1.5


class Sending:
    """The Inputs packets of one host.

    Args:
        course: what there is to be said.
        lineup: to whom.
        archive: by episode, how each ended that all have agreed on.
        attention: of this host's page.
        outbox: takes what is said.
        period_ms: the time between two frames.
    """

    def __init__(
        self,
        course: Course,
        lineup: Lineup,
        archive: Mapping[int, End],
        attention: Attention,
        outbox: Outbox,
        period_ms: float,
    ) -> None:
        self._course = course
        self._lineup = lineup
        self._archive = archive
        self._attention = attention
        self._outbox = outbox
        self._period = period_ms
        self._sent_at = self._fed_at = -REPEAT_MS

    def send_inputs(self, now_ms: float, *, at_once: bool = False) -> None:
        """Tell those who play what they lack. What was just sampled (`at_once`) is not kept waiting.

        Where nothing is sampled all else is said as often, or nearly: a frame that comes a little late must not be preceded by a
        packet that says less.
        """
        if not at_once and now_ms - self._sent_at < WITHOUT_INPUT * self._period:
            return
        self._sent_at = now_ms
        course, lineup = self._course, self._lineup
        episode, needs, queues, final = course.episode, course.needs, course.session.queues, course.session.final
        giving = lineup.giving
        for peer in lineup.hearers:
            if not peer.heard_hello:
                continue
            if min(peer.needs) < final and not lineup.watching:
                rest = rest_of_lesson(course.history, peer, episode, final, queues, giving)
                self._send(peer, now_ms, episode, needs, rest)
                continue
            streams = []
            for player in giving:
                queue, start = queues[player], peer.needs[player]
                if start <= queue.last:
                    streams.append(Stream(player, start, tuple(queue.span(start))))
            self._send(peer, now_ms, episode, needs, tuple(streams))

    def teach(self, now_ms: float, *, over: bool, goodbye: Bye | None) -> None:
        """Tell those that come late what is final, from the beginning; also after the end.

        Args:
            over: whether the match is over here.
            goodbye: what to say to those who have learned all, as there is no more to come; None if there is, or they know.
        """
        course, lineup = self._course, self._lineup
        learners = lineup.learners
        if not learners or now_ms - self._fed_at < self._period:
            return
        self._fed_at = now_ms
        count = len(course.session.queues)
        players = range(count) if over else lineup.untold
        for peer in learners:
            further = peer.episode > course.episode  # it has gone on with others, and there is nothing to learn here
            if not further:
                end = self._archive.get(peer.episode)
                # What is held beyond that is not spoken of: a host that was let in meanwhile may give those inputs itself.
                final = len(course.ledger) if end is None else end.frames
                streams = lesson(course.history, peer, players, count)
                self._send(peer, now_ms, peer.episode, (final,) * count, streams)
                if end is not None and peer.held >= end.frames:
                    self._outbox.send(peer, INPUT, end)
            if goodbye is not None and (further or (peer.episode == course.episode and peer.held >= course.session.final)):
                self._outbox.send(peer, CONTROL, goodbye)

    def _send(self, peer: Peer, now: float, episode: int, needs: tuple[int, ...], streams: tuple[Stream, ...]) -> None:
        course, end = self._course, self._archive.get(episode)
        final, chain = (len(course.ledger), course.ledger.newest) if end is None else (end.frames, end.chain)
        packet = peer.compose(
            now,
            sender=self._lineup.host,
            incarnation=self._lineup.incarnation,
            episode=episode,
            frame=course.session.frame,
            held=min(needs),
            final=final,
            chain=chain,
            needs=needs,
            streams=streams,
        )
        self._outbox.send(peer, INPUT, packet._replace(paused=True) if self._attention.paused else packet)

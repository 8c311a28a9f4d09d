"""The episodes of a match as one host simulates them, one after the other, and what becomes final of them.

It writes every final row once, keeps of it what those who come late are told and what is evidence should the data of peers
differ, and says up to where all have the same. It knows nothing of packets, and it does not know what time it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..batch import Runtime
from ..desync.evidence import Evidence
from ..errors import BatchError
from ..journal import Journal
from ..ledger import EpisodeLedger
from ..network.history import History
from ..operations import Reset
from ..rollback.guesses import guessers_of
from ..rollback.inputs import Prediction
from ..rollback.session import Counters, FinalFrame, RollbackSession
from ..settings import MatchSettings
from ..simulation import episode_seed
from .lineup import Lineup

__all__ = ["Course", "Doubt"]


class Doubt(NamedTuple):
    """The data of a peer, `host`, seem to be other than those of this host; `detail` says why, for people."""

    host: int
    detail: str


class Course:
    """What this host has of a match.

    Args:
        runtime: the environment; it is reset for each episode.
        settings: of the match.
        lineup: who is there.
        local: the places of this host's players.
        neutral: each player's neutral input.
        journal: where final rows go.

    Attributes:
        episode: the number of the episode that is played; -1 before the first.
        session, ledger, evidence: of that episode.
        history: the final inputs of all episodes.
        counters: what prediction cost in all of them.
        rows: how many were written in all of them.
    """

    session: RollbackSession
    ledger: EpisodeLedger
    evidence: Evidence

    def __init__(
        self,
        runtime: Runtime,
        settings: MatchSettings,
        lineup: Lineup,
        local: Sequence[int],
        neutral: Sequence[bytes],
        journal: Journal,
    ) -> None:
        codecs = runtime.simulation.codecs
        self.runtime = runtime
        self.episode = -1
        self.history = History([1 + codec.size for codec in codecs])
        self.counters = Counters()
        self.rows = 0
        self._settings = settings
        self._lineup = lineup
        self._local = tuple(local)
        self._neutral = tuple(neutral)
        self._journal = journal
        self._codecs = codecs
        guessers = guessers_of(settings.prediction, runtime.players, codecs)
        self._guessers = [None if place in self._local else guesser for place, guesser in enumerate(guessers)]
        self._noted_failure = False
        self._certified = (0, -1)

    @property
    def certified_through(self) -> tuple[int, int]:
        """Episode and frame of the last row that all peers are known to have alike; (0, -1) if there is none."""
        count = self.ledger.certified
        return (self.episode, count - 1) if count else self._certified

    @property
    def needs(self) -> tuple[int, ...]:
        """For each player the first frame of whose inputs this host lacks."""
        return tuple([queue.last + 1 for queue in self.session.queues])

    @property
    def cut(self) -> bool:
        """Whether the episode has ended, or is to end, where somebody went, and with it the match."""
        return self.session.stop is not None and not self.runtime.done

    # -- episodes ----------------------------------------------------------------------------------------------------

    def begin_episode(self) -> None:
        """Go on to the next episode, with all peers that play.

        Raises:
            EnvironmentFailed: the environment's reset raised; nothing of the episode before is forgotten.
        """
        episode = self.episode + 1
        settings, peers = self._settings, self._lineup.peers
        seed = episode_seed(settings.seed, episode)
        try:
            self.runtime.batch([Reset(seed)])
        except BatchError as error:
            raise error.cause from error.cause.__cause__
        self.episode = episode  # only now: what is certified of the one before stays so if this one cannot begin
        self.session = RollbackSession(
            self.runtime,
            local=self._local,
            neutral=self._neutral,
            input_delay=settings.input_delay,
            wishes_every=max(1, round(settings.fps)),
            window=settings.prediction_window,
            prediction=settings.prediction if isinstance(settings.prediction, Prediction) else Prediction.LAST,
            guessers=self._guessers,
            counters=self.counters,
            watching=self._lineup.watching,
        )
        self.ledger = EpisodeLedger(episode, seed, self.runtime.players, self._codecs, settings.more_columns)
        self.history.begin_episode()
        for peer in peers.values():
            if not self._lineup.is_late(peer):
                peer.begin_episode(episode)
        self.evidence = Evidence(self.runtime, episode, settings.digest_every)
        if peers:
            self.evidence.begin()
        self._journal.episode(episode, seed)

    def end_episode(self) -> None:
        """All agree on the whole episode."""
        self._certified = (self.episode, len(self.ledger) - 1)
        self._journal.episode_end(self.episode, len(self.ledger), self.ledger.newest)

    def note_failure(self) -> None:
        """Say once that the experiment's own predictor does not do what it should."""
        if self._noted_failure:
            return
        failed = [guesser.failure for guesser in self._guessers if guesser is not None and guesser.failure]
        if failed:
            self._noted_failure = True
            self._journal.note({"event": "prediction_failed", "episode": self.episode, "error": failed[0]})

    # -- what is final -----------------------------------------------------------------------------------------------

    def write_final(self) -> list[FinalFrame]:
        """Write the rows of the frames that have become final; these are returned."""
        final = self.session.take_final()
        if not final:
            return final
        every, ledger, history = self._settings.digest_every, self.ledger, self.history
        start, rows = len(ledger), []
        for frame in final:
            number = frame.record.frame + 1
            digest = self.runtime.snapshot_digest(number) if number % every == 0 else b""
            rows.append(ledger.append(frame, digest))
            history.add(frame.inputs)
        self.rows += len(rows)
        self._journal.rows(self.episode, start, rows, [frame.inputs for frame in final])
        if self._lineup.peers and not self._lineup.watching:
            self.evidence.add(rows, final)
        self.session.retire()
        return final

    def let_go(self, *, disputed: bool) -> None:
        """Forget what can be no evidence any more; of what is disputed, nothing."""
        if not disputed:
            self.evidence.agreed(self.ledger.certified)
        since, final = self.evidence.since, self.session.final
        self.runtime.forget_before(final if since is None else min(since, final))

    # -- what peers have ---------------------------------------------------------------------------------------------

    def claim(self, host: int, rows: int, chain: bytes) -> Doubt | None:
        """A peer says what its chain is after so many rows of this episode. What is doubtful about it, if anything is."""
        return self._doubt(self.ledger.claim(host, rows, chain))

    def review(self) -> Doubt | None:
        """Look again at what peers have said of rows that were not here yet; as `claim`."""
        return self._doubt(self.ledger.review())

    def _doubt(self, differing: int | None) -> Doubt | None:
        host = self.ledger.dissenter
        if differing is None or host is None:
            return None
        return Doubt(host, f"the data of the peers differ within the first {differing} rows of episode {self.episode}")

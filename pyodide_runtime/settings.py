"""What a match is played by, and the words for where it stands and how it ended. Nothing here plays one."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .batch import Runtime
from .drops import OnDrop
from .errors import SessionError
from .ledger import more_columns
from .network.wire import PROTOCOL_VERSION
from .playing.attention import WhenHidden
from .rollback.delay import InputDelay, plain_delay
from .rollback.guesses import Predictor, prediction_name
from .rollback.inputs import Prediction
from .terms import encode_terms

__all__ = ["REASONS", "MatchSettings", "Outcome", "Phase", "match_terms"]

#: As many as have a number on the wire.
MOST_EPISODES = 65_535
#: So many hosts can have players; hosts that only watch have the numbers after theirs, so many of them at the most.
MOST_HOSTS, MOST_SPECTATORS = 64, 64


class Phase(enum.Enum):
    """Where a match stands."""

    CONNECTING = "connecting"  #: hellos are on their way
    PLAYING = "playing"
    SETTLING = "settling"  #: the episode is over and final here; its end is being agreed on
    DIAGNOSING = "diagnosing"  #: the peers' data differ; which value did so first is being found out
    OVER = "over"


class Outcome(enum.Enum):
    """How a match ended. The numbers of `REASONS` stand for these on the wire."""

    COMPLETED = "completed"  #: every episode ended and was agreed on by all that were left
    LEFT = "left"  #: this host left before the end
    PEER_LEFT = "peer_left"  #: another host said goodbye or closed its connection
    PEER_LOST = "peer_lost"  #: another host was silent for too long
    REFUSED = "refused"  #: the peers' terms differ
    DESYNC = "desync"  #: the peers' data differ
    ENVIRONMENT_ERROR = "environment_error"  #: the environment raised
    HIDDEN = "hidden"  #: this host's page was hidden for too long
    DROPPED = "dropped"  #: the others lost this host, and went on without it


REASONS = list(Outcome)


@dataclass(frozen=True, slots=True)
class MatchSettings:
    """What a match is played by. `fps` in frames a second, `..._ms` in milliseconds, the rest in frames or counts.

    Attributes:
        prediction: how the inputs of others are guessed; or a predictor of the experiment's own, which may be another on each host.
        hosts: for each host the places of its players; None: every player has a host of its own.
        spectators: how many hosts may watch.
        on_drop: what happens when a host is gone.
        disconnect_after_ms: a host that was silent for so long is taken to be gone.
        return_within_ms: how long all wait for it, if they do.
        when_hidden, hidden_limit_ms: what it means that a host's page is hidden, and for how long it may be.
        arbitrated: whether a server can be asked which of two halves goes on; see `network.arbiter`.
    """

    session: str
    seed: int
    fps: float = 30.0
    episodes: int = 1
    input_delay: int | InputDelay = 0
    prediction_window: int = 8
    prediction: Prediction | Predictor = Prediction.LAST
    state_digest_every: int | None = None
    disconnect_after_ms: float = 5000.0
    default_actions: tuple[Any, ...] = (0,)
    terms: Mapping[str, Any] = field(default_factory=dict)
    hosts: tuple[tuple[int, ...], ...] | None = None
    spectators: int = 0
    on_drop: OnDrop = OnDrop.END
    return_within_ms: float = 60_000.0
    when_hidden: WhenHidden = WhenHidden.PLAY
    hidden_limit_ms: float | None = None
    arbitrated: bool = False

    @property
    def adaptive_delay(self) -> bool:
        """Whether inputs say by which input delay they were taken."""
        return isinstance(self.input_delay, InputDelay)

    @property
    def more_columns(self) -> tuple[str, ...]:
        """The columns that rows have only in matches that are played so."""
        return more_columns(self.on_drop, adaptive_delay=self.adaptive_delay)

    @property
    def digest_every(self) -> int:
        """Every how many frames the chain of rows covers the whole state."""
        return self.state_digest_every or max(1, round(self.fps))

    def hosts_of(self, players: int) -> tuple[tuple[int, ...], ...]:
        """The places of each host's players.

        Raises:
            SessionError: not every player has exactly one host, or there are too many hosts.
        """
        hosts = tuple((player,) for player in range(players)) if self.hosts is None else self.hosts
        if sorted(player for host in hosts for player in host) != list(range(players)) or not all(hosts):
            raise SessionError(f"hosts={hosts}: each of {players} players must have one host, and each host a player")
        if len(hosts) > MOST_HOSTS or not 0 <= self.spectators <= MOST_SPECTATORS:
            raise SessionError(f"{len(hosts)} hosts: at most {MOST_HOSTS} can play, and {MOST_SPECTATORS} watch")
        return hosts


def match_terms(runtime: Runtime, settings: MatchSettings) -> bytes:
    """Canonical JSON of all that must be equal on every host, in the order in which differences are named."""
    return encode_terms(
        {
            "protocol": PROTOCOL_VERSION,
            **settings.terms,
            "players": list(runtime.players),
            "hosts": [list(places) for places in settings.hosts_of(len(runtime.players))],
            "max_steps": runtime.simulation.max_steps,
            "snapshot_every": runtime.simulation.snapshot_every,
            "seed": settings.seed,
            "fps": settings.fps,
            "episodes": settings.episodes,
            "when_hidden": [settings.when_hidden.value, settings.hidden_limit_ms],
            "input_delay": plain_delay(settings.input_delay),
            "prediction_window": settings.prediction_window,
            "prediction": prediction_name(settings.prediction),
            "state_digest_every": settings.digest_every,
            "on_drop": settings.on_drop.value,
            "return_within_ms": settings.return_within_ms,
            "arbitrated": settings.arbitrated,
            # Who is surely gone follows from how long the others wait for a host that they do not hear.
            "disconnect_after_ms": None if settings.on_drop is OnDrop.END else settings.disconnect_after_ms,
            "start": runtime.digest().hex(),
        }
    )

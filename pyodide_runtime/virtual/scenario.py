"""What a virtual match is played under: its terms, its lines, its clocks and its mishaps. Settings, checked when made.

Two matches of one environment, one scenario and the same inputs are the same match. Nothing here runs one.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ..actions import action_text
from ..batch import Runtime
from ..drops import OnDrop, check_partner
from ..errors import SessionError
from ..network.virtual import NetworkConditions, Partition
from ..network.virtual.conditions import check_milliseconds
from ..partner import Policy
from ..rollback.delay import InputDelay
from ..rollback.guesses import Predictor
from ..rollback.inputs import Prediction
from ..settings import MatchSettings
from ..spacing import AUTO, Spacing

__all__ = ["Clock", "Departure", "Factory", "Freeze", "Scenario"]

Factory = Callable[[], Any]
"""Makes an environment; called for every host, and for the run without network."""

#: How many steps a capture is taken to cost, where that is not measured.
CAPTURE_IN_STEPS = 2.0
#: The session of every virtual match.
SESSION = "virtual"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """A host's own clock.

    Attributes:
        rate: how many of its seconds pass in a second of the virtual clock; above 0.
        offset_ms: what it showed when the virtual clock showed 0, in ms.

    Raises:
        SessionError: a value is none of these.
    """

    rate: float = 1.0
    offset_ms: float = 0.0

    def __post_init__(self) -> None:
        if isinstance(self.rate, bool) or not isinstance(self.rate, int | float) or not 0 < self.rate < math.inf:
            raise SessionError(f"rate={self.rate!r}: give a number above 0; 1 is a clock that is right")
        check_milliseconds("offset_ms", self.offset_ms, longest=1e12)

    def read(self, now_ms: float) -> float:
        """What the clock shows at a time of the virtual clock, in ms."""
        return self.offset_ms + now_ms * self.rate

    def when(self, shown_ms: float) -> float:
        """At what time of the virtual clock it shows this, in ms."""
        return (shown_ms - self.offset_ms) / self.rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """A host does nothing for a while, as a tab in the background does; what arrives meanwhile waits for it.

    Attributes:
        host: its number.
        at_ms: when that begins, on the virtual clock.
        for_ms: how long it lasts.

    Raises:
        SessionError: a value is none of these.
    """

    host: int
    at_ms: float
    for_ms: float

    def __post_init__(self) -> None:
        if type(self.host) is not int or self.host < 0:
            raise SessionError(f"host={self.host!r}: give the number of a host, from 0 on")
        check_milliseconds("at_ms", self.at_ms, longest=math.inf)
        check_milliseconds("for_ms", self.for_ms, longest=math.inf)

    def lasts_until(self, now_ms: float) -> float:
        """When it is over, if it has begun; `now_ms` otherwise, and once it is over."""
        return max(now_ms, self.at_ms + self.for_ms) if self.at_ms <= now_ms else now_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """A host's page is closed, and perhaps loaded again.

    Attributes:
        host: its number.
        at_ms: when that happens, on the virtual clock.
        back_ms: how much later it is there again, with nothing but its name; None: never.
        how: "leaves": it says goodbye; "closes": its peers see their connections closed; "crashes": they see nothing.

    Raises:
        SessionError: a value is none of these.
    """

    host: int
    at_ms: float
    back_ms: float | None = None
    how: str = "closes"

    def __post_init__(self) -> None:
        if type(self.host) is not int or self.host < 0:
            raise SessionError(f"host={self.host!r}: give the number of a host, from 0 on")
        check_milliseconds("at_ms", self.at_ms, longest=math.inf)
        if self.back_ms is not None:
            check_milliseconds("back_ms", self.back_ms, longest=math.inf)
        if self.how not in ("leaves", "closes", "crashes"):
            raise SessionError(f"how={self.how!r}: give 'leaves', 'closes' or 'crashes'")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Everything that a match is played under, except the environment and the inputs.

    Attributes:
        players: how many play.
        frames: after so many frames an episode is cut off; None leaves its end to the environment.
        episodes: how many are played one after the other.
        hosts: how many players each host has, in their order; None: one each.
        spectators: when hosts come that only watch, in ms.
        departures: when which hosts go, and come back.
        seed: of the match; its episodes, all that happens to packets and inputs drawn at random follow from it.
        fps: frames a second.
        input_delay, prediction_window, prediction, snapshot_every, state_digest_every, disconnect_after_ms, on_drop,
            return_within_ms: as for `MatchSettings` and `Runtime`.
        default_actions: one for each player, or one for all; None: the neutral action of each player's space.
        conditions: of every line between two hosts.
        lines: conditions of single lines, by (sender, receiver): a line may be worse in one direction.
        reliable_control: whether hellos, ends and goodbyes go over a reliable, ordered channel, as in a browser; if not, they are
            lost, repeated and overtaken as everything else is.
        partitions: when which hosts are cut off from each other.
        freezes: when which hosts do nothing.
        clocks: of the hosts, from host 0 on; the rest are right.
        start_skew_ms: how much later than the one before it each host starts.
        hold: actions at random are held for 1 to so many frames.
        arbitrated: whether hosts that fall apart into halves can ask a server which half goes on, as in a browser.

    Raises:
        SessionError: a value cannot be.
    """

    players: int = 2
    frames: int | None = 450
    episodes: int = 1
    seed: int = 0
    fps: float = 30.0
    input_delay: int | InputDelay = 0
    prediction_window: int = 8
    prediction: Prediction | Predictor = Prediction.LAST
    snapshot_every: int | Literal["auto"] = AUTO
    state_digest_every: int | None = None
    disconnect_after_ms: float = 5000.0
    on_drop: OnDrop = OnDrop.END
    return_within_ms: float = 60_000.0
    default_actions: tuple[Any, ...] | None = None
    conditions: NetworkConditions = field(default_factory=NetworkConditions)
    lines: Mapping[tuple[int, int], NetworkConditions] = field(default_factory=dict)
    reliable_control: bool = True
    partitions: tuple[Partition, ...] = ()
    freezes: tuple[Freeze, ...] = ()
    clocks: tuple[Clock, ...] = ()
    start_skew_ms: float = 0.0
    hold: int = 4
    hosts: tuple[int, ...] | None = None
    spectators: tuple[float, ...] = ()
    departures: tuple[Departure, ...] = ()
    arbitrated: bool = False

    def __post_init__(self) -> None:
        least = {"players": 1, "episodes": 1, "prediction_window": 1, "hold": 1}
        for name, lowest in least.items():
            _check_whole(name, getattr(self, name), lowest)
        if self.snapshot_every != AUTO:
            _check_whole("snapshot_every", self.snapshot_every, 1)
        for name in ("frames", "state_digest_every"):
            if getattr(self, name) is not None:
                _check_whole(name, getattr(self, name), 1)
        object.__setattr__(self, "input_delay", InputDelay.of(self.input_delay))
        if type(self.seed) is not int or not 0 <= self.seed < 2**63:
            raise SessionError(f"seed={self.seed!r}: give a whole number from 0 to 2**63 - 1")
        if isinstance(self.fps, bool) or not isinstance(self.fps, int | float) or not 1 <= self.fps <= 1000:
            raise SessionError(f"fps={self.fps!r}: give frames a second, from 1 to 1000")
        object.__setattr__(self, "fps", float(self.fps))
        if not callable(self.prediction):
            self._set_choice("prediction", Prediction)
        self._set_choice("on_drop", OnDrop)
        check_milliseconds("start_skew_ms", self.start_skew_ms)
        for at_ms in self.spectators:
            check_milliseconds("spectators", at_ms, longest=math.inf)
        object.__setattr__(self, "spectators", tuple(self.spectators))
        if self.hosts is not None:
            object.__setattr__(self, "hosts", tuple(self.hosts))
            if not all(type(count) is int and count > 0 for count in self.hosts) or sum(self.hosts) != self.players:
                raise SessionError(f"hosts={self.hosts!r}: give the number of players of each host; of {self.players} in all")
        check_milliseconds("disconnect_after_ms", self.disconnect_after_ms, longest=1e12)
        check_milliseconds("return_within_ms", self.return_within_ms, longest=1e12)
        if self.default_actions is not None:
            plain = tuple(json.loads(action_text(action)) for action in self.default_actions)
            object.__setattr__(self, "default_actions", plain)  # as it is written down, so that it is the same when it is read
        self._check_kinds()
        self._check_hosts()

    def _set_choice(self, name: str, kind: type[Prediction | OnDrop]) -> None:
        """Let a setting be one of its choices, which may be given by its value."""
        try:
            object.__setattr__(self, name, kind(getattr(self, name)))
        except ValueError:
            known = " or ".join(repr(choice.value) for choice in kind)
            raise SessionError(f"{name}={getattr(self, name)!r}: give {known}") from None

    def _check_kinds(self) -> None:
        if not isinstance(self.conditions, NetworkConditions):
            raise SessionError(f"conditions={self.conditions!r}: give NetworkConditions(...)")
        if not isinstance(self.lines, Mapping) or not all(isinstance(line, NetworkConditions) for line in self.lines.values()):
            raise SessionError(f"lines={self.lines!r}: give a dict such as {{(0, 1): NetworkConditions(...)}}")
        for name, kind in (("partitions", Partition), ("freezes", Freeze), ("clocks", Clock), ("departures", Departure)):
            value = getattr(self, name)
            if isinstance(value, str) or not isinstance(value, Iterable) or not all(isinstance(item, kind) for item in value):
                raise SessionError(f"{name}={value!r}: give a list of {kind.__name__}(...)")
            object.__setattr__(self, name, tuple(value))

    def _check_hosts(self) -> None:
        hosts = range(self.players_hosts + len(self.spectators))
        for line in self.lines:
            if not isinstance(line, tuple) or len(line) != 2 or line[0] == line[1] or not all(end in hosts for end in line):
                raise SessionError(f"lines: {line!r} does not lead from one of {len(hosts)} hosts to another")
        named = [freeze.host for freeze in self.freezes] + [departure.host for departure in self.departures]
        named += [host for partition in self.partitions for host in (*partition.hosts, *(partition.others or ()))]
        strange = next((host for host in named if host not in hosts), None)
        if strange is not None:
            raise SessionError(f"there is no host {strange}: of {len(hosts)} hosts the last is {len(hosts) - 1}")
        if len(self.clocks) > len(hosts):
            raise SessionError(f"{len(self.clocks)} clocks for {len(hosts)} hosts")

    @property
    def players_hosts(self) -> int:
        """How many hosts have players."""
        return self.players if self.hosts is None else len(self.hosts)

    @property
    def places(self) -> tuple[tuple[int, ...], ...]:
        """The places of each host's players; of those who watch, none."""
        counts = (1,) * self.players if self.hosts is None else self.hosts
        starts = [sum(counts[:number]) for number in range(len(counts))]
        playing = tuple(tuple(range(start, start + count)) for start, count in zip(starts, counts, strict=True))
        return playing + ((),) * len(self.spectators)

    def clock(self, host: int) -> Clock:
        """A host's clock."""
        return self.clocks[host] if host < len(self.clocks) else Clock()

    def runtime(self, factory: Factory, partner: Policy | None = None) -> Runtime:
        """An environment with its state, and with the partner that plays if `on_drop` says so, at the beginning.

        Raises:
            SessionError: `factory` makes none, or one of another number of players; or there is a partner and none is to play, or
                the other way round.
            EnvironmentNotSupported, ActionError, EnvironmentFailed, SnapshotError: it cannot be run.
        """
        if not callable(make := factory):
            raise SessionError(f"{make!r} is no function that makes an environment; every host needs one of its own")
        check_partner(self.on_drop, partner)
        runtime = Runtime(
            factory(),
            seed=self.seed,
            max_steps=self.frames,
            snapshot_every=self.snapshot_every,
            players=self.players,
            partner=partner,
        )
        # Even a match of an environment that cannot be rolled back is the same match whenever it is played.
        runtime.simulation.spacing = Spacing(CAPTURE_IN_STEPS)
        if len(runtime.players) != self.players:
            names = ", ".join(runtime.players)
            raise SessionError(f"the environment has {len(runtime.players)} players ({names}); this is a match of {self.players}")
        return runtime

    def settings(self, runtime: Runtime) -> MatchSettings:
        """What every host's match is played by."""
        defaults = self.default_actions
        return MatchSettings(
            session=SESSION,
            seed=self.seed,
            fps=self.fps,
            episodes=self.episodes,
            input_delay=self.input_delay,
            prediction_window=self.prediction_window,
            prediction=self.prediction,
            state_digest_every=self.state_digest_every,
            disconnect_after_ms=self.disconnect_after_ms,
            hosts=self.places[: self.players_hosts],
            spectators=len(self.spectators),
            on_drop=self.on_drop,
            return_within_ms=self.return_within_ms,
            arbitrated=self.arbitrated,
            default_actions=tuple(codec.neutral() for codec in runtime.simulation.codecs) if defaults is None else tuple(defaults),
        )


def _check_whole(name: str, value: Any, lowest: int) -> None:
    if type(value) is not int or value < lowest:
        raise SessionError(f"{name}={value!r}: give a whole number of at least {lowest}")

"""Whole matches on the virtual network and clock, and the run without network that they are compared with."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pyodide_runtime.batch import Runtime
from pyodide_runtime.journal import MemoryJournal
from pyodide_runtime.match import CONTROL, Match, MatchSettings, Outcome, Phase
from pyodide_runtime.network.virtual import NetworkConditions, VirtualNetwork
from pyodide_runtime.rerun import replay_journal
from pyodide_runtime.rollback.inputs import Prediction, make_input
from pyodide_runtime.rows import to_csv

Sampler = Callable[[], bytes]


@dataclass
class Result:
    """What came out of one match."""

    matches: list[Match]
    journals: list[MemoryJournal]
    csv: list[bytes]
    oracle: bytes
    network: VirtualNetwork
    virtual_ms: float


class Table:
    """The hosts of one match, the lines between them, and the time. As in a browser, what arrives waits for the next tick.

    Args:
        factory: makes the environment; called for every host, and for the oracle.
        conditions: of every line. The control channel loses and repeats packets as the input channel does, which is worse
            than a browser's, unless it is `reliable_control`: then it is late instead.
        clock_rates: how fast each host's clock runs.
        start_skew_ms: how much later than the one before it each host starts.
        settings: changes one host's settings.
        sampler: makes the source of one host's inputs; by default random actions, each held for up to `hold` frames.
    """

    def __init__(
        self,
        factory: Callable[[], Any],
        *,
        players: int = 2,
        frames: int | None = 120,
        conditions: NetworkConditions | None = None,
        seed: int = 0,
        episodes: int = 1,
        input_delay: int = 0,
        window: int = 8,
        prediction: Prediction = Prediction.LAST,
        actions: int = 5,
        hold: int = 4,
        snapshot_every: int = 1,
        clock_rates: list[float] | None = None,
        start_skew_ms: float = 0.0,
        settings: Callable[[int, MatchSettings], MatchSettings] = lambda place, settings: settings,
        reliable_control: bool = False,
        sampler: Callable[[int], Sampler] | None = None,
        factories: Callable[[int], Callable[[], Any]] | None = None,
        journal: Callable[[], MemoryJournal] = MemoryJournal,
    ) -> None:
        line = conditions or NetworkConditions()
        self.network = VirtualNetwork(line, seed)
        late = NetworkConditions(latency_ms=line.latency_ms + line.jitter_ms + 400 * line.loss)
        self.control = VirtualNetwork(late, seed) if reliable_control else self.network
        self.rates = clock_rates or [1.0] * players
        self.factory, self.frames, self.seed, self.snapshot_every = factory, frames, seed, snapshot_every
        shared = MatchSettings(
            session="virtual",
            seed=seed,
            fps=30.0,
            episodes=episodes,
            input_delay=input_delay,
            prediction_window=window,
            prediction=prediction,
        )
        self.journals = [journal() for _ in range(players)]
        make = factories or (lambda place: factory)
        self.matches = [
            Match(
                Runtime(make(place)(), seed=seed, max_steps=frames, snapshot_every=snapshot_every),
                local=place,
                settings=settings(place, shared),
                journal=self.journals[place],
            )
            for place in range(players)
        ]
        held = sampler or (lambda place: held_actions(random.Random(seed * 31 + place), actions, hold))
        self.samplers = [held(place) for place in range(players)]
        self.now = 0.0
        self.off: set[int] = set()  # hosts that do nothing at all
        self._wakes = [place * start_skew_ms for place in range(players)]
        self.ticked: list[int] = []
        self._inboxes: list[list[tuple[int, bytes]]] = [[] for _ in range(players)]

    def clock(self, place: int) -> float:
        """The time on a host's own clock, in ms."""
        return self.now * self.rates[place]

    def turn(self) -> None:
        """Go on to the next moment at which some host wants to do something, and let it."""
        self.now = min(wake for place, wake in enumerate(self._wakes) if place not in self.off)
        for network in {id(network): network for network in (self.network, self.control)}.values():
            for sender, receiver, data in network.arrivals(self.now):
                self._inboxes[receiver].append((sender, data))
        self.ticked = []
        for place, match in enumerate(self.matches):
            if place in self.off or self._wakes[place] > self.now:
                continue
            self.ticked.append(place)
            for sender, data in self._inboxes[place]:
                match.receive(sender, data, self.clock(place))
            self._inboxes[place].clear()
            match.tick(self.clock(place), self.samplers[place])
            self.post(place)
            self._wakes[place] = max(self.now + 1.0, match.wake_at / self.rates[place])

    def post(self, place: int) -> None:
        """Send what a host wants to send."""
        outbox = self.matches[place].outbox
        for receiver, channel, data in outbox:
            (self.control if channel == CONTROL else self.network).send(self.now, place, receiver, data)
        outbox.clear()

    def pause(self, place: int, ms: float) -> None:
        """Let a host not be called for some time; what arrives meanwhile waits for it."""
        self._wakes[place] = max(self._wakes[place], self.now + ms)

    @property
    def over(self) -> bool:
        """Whether all hosts that are not off have ended."""
        return all(match.phase is Phase.OVER for place, match in enumerate(self.matches) if place not in self.off)

    def run(
        self, until: Callable[[], bool] | None = None, *, each: Callable[[], None] | None = None, limit_ms: float = 120_000.0
    ) -> Table:
        """Go on until all is over, or `until` says so; `each` is called after every moment."""
        end = self.now + limit_ms
        while not (until() if until else self.over):
            assert self.now < end, [
                (m.phase, m.outcome, m.detail, m.episode, m.frame, m.session.held, m.session.final) for m in self.matches
            ]
            self.turn()
            if each is not None:
                each()
        return self

    def result(self) -> Result:
        """What came out. The oracle replays the longest journal."""
        csv = [to_csv(journal.cells) for journal in self.journals]
        longest = max(self.journals, key=lambda journal: len(journal.cells))
        return Result(self.matches, self.journals, csv, to_csv(self.straight(longest)), self.network, self.now)

    def straight(self, journal: MemoryJournal) -> list[Any]:
        """The rows of a run without network from the inputs in a journal."""
        every = self.snapshot_every
        return replay_journal(journal, Runtime(self.factory(), seed=self.seed, max_steps=self.frames, snapshot_every=every))


def play(factory: Callable[[], Any], **options: Any) -> Result:
    """Play a match to its end; the options are those of `Table`."""
    return Table(factory, **options).run().result()


def held_actions(source: random.Random, actions: int, hold: int) -> Sampler:
    """Random actions, each held for 1 to `hold` frames; one frame in ten is without focus."""
    left = action = 0

    def sample() -> bytes:
        nonlocal left, action
        if left == 0:
            left, action = source.randint(1, hold), source.randrange(actions)
        left -= 1
        return make_input(bytes([action]), source.random() < 0.9)

    return sample


def assert_completed(result: Result, rows: int | None = None) -> None:
    """Every host completed, all have the same bytes, and those are the bytes of a run without network."""
    assert [match.outcome for match in result.matches] == [Outcome.COMPLETED] * len(result.matches), [
        (match.outcome, match.detail) for match in result.matches
    ]
    assert set(result.csv) == {result.oracle}
    count = result.oracle.count(b"\n") - 1
    assert count > 0
    if rows is not None:
        assert count == rows
    for match in result.matches:
        assert match.malformed == 0
        assert match.certified_through == (match.episode, len(match.ledger) - 1)

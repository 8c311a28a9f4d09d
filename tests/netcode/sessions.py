"""Whole matches on the virtual network, and the run without network that they are compared with."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pyodide_runtime.batch import Runtime
from pyodide_runtime.journal import MemoryJournal
from pyodide_runtime.match import Match, MatchSettings, Outcome, Phase
from pyodide_runtime.network.virtual import NetworkConditions, VirtualNetwork
from pyodide_runtime.rerun import replay_journal
from pyodide_runtime.rollback.inputs import Prediction, make_input
from pyodide_runtime.rows import to_csv


@dataclass
class Result:
    """What came out of one match."""

    matches: list[Match]
    journals: list[MemoryJournal]
    csv: list[bytes]
    oracle: bytes
    network: VirtualNetwork
    virtual_ms: float


def play(
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
    clock_rates: list[float] | None = None,
    start_skew_ms: float = 0.0,
    settings: Callable[[int, MatchSettings], MatchSettings] = lambda place, settings: settings,
    meddle: Callable[[float, list[Match], VirtualNetwork], None] | None = None,
    limit_ms: float = 120_000.0,
) -> Result:
    """Play a match of `players` hosts to its end, on the virtual clock, each with random actions held for up to `hold` frames."""
    rates = clock_rates or [1.0] * players
    network = VirtualNetwork(conditions or NetworkConditions(), seed)
    shared = MatchSettings(
        session="virtual",
        seed=seed,
        fps=30.0,
        episodes=episodes,
        input_delay=input_delay,
        prediction_window=window,
        prediction=prediction,
        disconnect_after_ms=5000.0,
    )
    journals = [MemoryJournal() for _ in range(players)]
    matches = [
        Match(
            Runtime(factory(), seed=seed, max_steps=frames), local=place, settings=settings(place, shared), journal=journals[place]
        )
        for place in range(players)
    ]
    samplers = [_sampler(random.Random(seed * 31 + place), actions, hold) for place in range(players)]
    wakes = [place * start_skew_ms for place in range(players)]
    now = 0.0
    while now < limit_ms:
        now = min(wakes)
        if meddle is not None:
            meddle(now, matches, network)
        for sender, receiver, data in network.arrivals(now):
            matches[receiver].receive(sender, data, now * rates[receiver])
        for place, match in enumerate(matches):
            if wakes[place] > now:
                continue
            match.tick(now * rates[place], samplers[place])
            for receiver, _, data in match.outbox:
                network.send(now, place, receiver, data)
            match.outbox.clear()
            wakes[place] = max(now + 1.0, match.wake_at / rates[place])
        if all(match.phase is Phase.OVER for match in matches):
            break
    csv = [to_csv(journal.cells) for journal in journals]
    longest = max(journals, key=lambda journal: len(journal.cells))
    oracle = to_csv(replay_journal(longest, Runtime(factory(), seed=seed, max_steps=frames)))
    return Result(matches, journals, csv, oracle, network, now)


def _sampler(source: random.Random, actions: int, hold: int) -> Callable[[], bytes]:
    state = {"left": 0, "action": 0}

    def sample() -> bytes:
        if state["left"] == 0:
            state["left"], state["action"] = source.randint(1, hold), source.randrange(actions)
        state["left"] -= 1
        return make_input(bytes([state["action"]]), source.random() < 0.9)

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

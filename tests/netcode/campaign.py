"""Many matches under one regime: each proved against its oracle, and together proved to have been worth it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from .environments import Pond
from .sessions import MatchStuck, Result, Table, assert_completed


@dataclass
class Tally:
    """What happened in all the matches of a campaign, over all hosts."""

    matches: int = 0
    rows: int = 0
    most_rows: int = 0  # if no episode had ended before its last frame
    rollbacks: int = 0
    replayed: int = 0
    mispredictions: int = 0
    stalls: int = 0
    lost: int = 0
    duplicated: int = 0
    fewest_actions: int = 1000

    def add(self, result: Result) -> None:
        """Count one match."""
        self.matches += 1
        self.rows += result.oracle.count(b"\n") - 1
        for match in result.matches:
            self.rollbacks += match.counters.rollbacks
            self.replayed += match.counters.replayed
            self.mispredictions += match.counters.mispredictions
            self.stalls += match.counters.stalls
        self.lost += result.network.lost
        self.duplicated += result.network.duplicated
        self.fewest_actions = min(self.fewest_actions, *distinct_actions(result))


def distinct_actions(result: Result) -> list[int]:
    """How many different actions each player took."""
    header, *rows = [line.split(",") for line in result.oracle.decode().splitlines()]
    places = [place for place, column in enumerate(header) if column.startswith("action.")]
    return [len({row[place] for row in rows}) for place in places]


def campaign(seeds: Iterable[int], options: Callable[[random.Random], dict[str, Any]], *, ends_at: int | None = None) -> Tally:
    """Play one match for each seed, under options drawn from it, and prove each.

    The name of a match that fails is its seed: the same seed plays the same match.
    """
    tally = Tally()
    for seed in seeds:
        drawn = options(random.Random(seed))
        players = drawn.setdefault("players", 2)

        def pond(players: int = players) -> Pond:
            return Pond(players, ends_at=ends_at)

        try:
            result = Table(pond, seed=seed, **drawn).run().result()
            assert_completed(result, None if ends_at else drawn["frames"] * drawn.get("episodes", 1))
            for match in result.matches:
                assert match.counters.deepest_rollback <= match.settings.prediction_window
        except (AssertionError, MatchStuck) as error:
            raise AssertionError(f"the match of seed {seed} under {drawn}: {error}") from error
        tally.add(result)
        tally.most_rows += drawn["frames"] * drawn.get("episodes", 1)
    print(tally)
    return tally

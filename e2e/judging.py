"""The laws by which a match is judged. Every one is an equality of bytes or of whole numbers; there is no tolerance.

It reads what came of a match, and knows nothing of how it was played.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from e2e.data import Table, read_table
from e2e.match import Half, Played
from e2e.rerunning import Host, rerun_all

STEPS = 450
"""The frames of an episode of Overcooked and of the arena."""
EXACT = (
    "arena", "far", "going_on", "long_arena", "pairs", "partnered", "three_episodes", "three_going_on", "three_players", "waiting"
)  # fmt: skip
"""Experiments whose arithmetic is the same on every host."""
LEAST_ROLLBACKS = 30
LEAST_ACTIONS = 4


def hosts_of(played: Played) -> tuple[Host, ...]:
    """Where a record can be run again: anywhere if the experiment's arithmetic is exact everywhere, else where the browsers' is."""
    return ("node", "cpython") if played.match.experiment.stem in EXACT else ("node",)


def assert_complete_and_equal(played: Played, *, episodes: int = 1, steps: int = STEPS) -> Table:
    """All peers ended every episode, have every row, and have the same bytes, as has a run without browser and network."""
    assert played.summary["outcome"] == "completed", played.summary
    for half in played.halves:
        assert half.problems == []
        assert (half.phase, half.error) == ("finished", "")
        assert half.outcome["outcome"] == "completed", half.outcome
        assert half.outcome["certified_through"] == [episodes - 1, steps - 1], half.outcome
        assert half.outcome["rows"] == episodes * steps
        frames = [(row["episode"], row["frame"]) for row in read_table(half.export).rows]
        assert frames == [(str(episode), str(frame)) for episode in range(episodes) for frame in range(steps)]
    one, *others = played.halves
    for other in others:
        assert one.export == other.export, first_difference(one.export, other.export)
        assert one.outcome["chain"] == other.outcome["chain"]
    assert_reruns_equal(played)
    return read_table(one.export)


def assert_reruns_equal(played: Played, *, through: Sequence[Half] = ()) -> None:
    """The records of these peers, or all, run again on every host that can, give exactly the bytes of their exports."""
    halves = through or played.halves
    for (record, host), again in rerun_all([half.record for half in halves], hosts_of(played)).items():
        assert (again.differences, again.status) == ("", 0), f"{record} under {host}: {again.differences}"
        for half in halves:
            difference = first_difference(half.export, again.export)
            assert half.export == again.export, f"{half.player_id} and {record} under {host}: {difference}"


def assert_prefixes(played: Played) -> int:
    """The exports of a match that was cut off, and the re-runs of its records, are prefixes of one sequence of rows.

    Returns how many rows the shorter export has.
    """
    sequences = [half.export for half in played.halves]
    reruns = rerun_all([half.record for half in played.halves], hosts_of(played))
    for (record, host), again in reruns.items():
        assert (again.differences, again.status) == ("", 0), f"{record} under {host}: {again.differences}"
        sequences.append(again.export)
    longest = max(sequences, key=len)
    for sequence in sequences:
        assert sequence.endswith(b"\n")
        assert longest.startswith(sequence), first_difference(longest, sequence)
    return min(len(half.export.splitlines()) for half in played.halves) - 1


def rollbacks_of(half: Half) -> int:
    """How often a peer rolled back, counted in its diagnostics, which the server has; the page's own count is the same."""
    counted = [entry["event"] for entry in half.diagnostics].count("rollback")
    assert counted == half.stats["rollbacks"]
    return counted


def assert_active(played: Played, table: Table) -> None:
    """The match was no idle one: some peer rolled back often, and all players did different things."""
    assert max(rollbacks_of(half) for half in played.halves) >= LEAST_ROLLBACKS
    assert len(table.players) == played.match.count
    for player in table.players:
        done = Counter(table.column(f"action.{player}"))
        assert len(done) >= LEAST_ACTIONS, f"{player} did no more than {done}"


def assert_round_trips(played: Played) -> None:
    """The data channel's round trip, as both peers measured it, was never less than what was injected.

    The lines were bad before the peers connected, so this holds for every sample from the first on.
    """
    injected = sum(line.least_round_trip_ms for line in played.match.lines)
    for half in played.halves:
        trips = [sample["roundTripMs"] for sample in half.samples if sample["roundTripMs"] >= 0]
        assert len(trips) >= 10
        assert min(trips) >= injected, f"{half.player_id} measured {min(trips)} ms with {injected} ms injected"


def assert_lossy(played: Played, least_share: float) -> None:
    """At least this share of the packets that each browser sent to the other never got there."""
    for half, other in zip(played.halves, played.halves[::-1], strict=True):
        sent, received = half.traffic.sent, other.traffic.received
        assert 100 <= received <= (1 - least_share) * sent, f"{other.player_id} got {received} of {sent} packets"


def first_difference(one: bytes, other: bytes) -> str:
    """Where two exports differ first, for whoever reads a failed test."""
    return _first_difference(one.decode().splitlines(), other.decode().splitlines())


def _first_difference(one: Sequence[str], other: Sequence[str]) -> str:
    for number, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return f"line {number}: {left!r} and {right!r}"
    return f"{len(one)} and {len(other)} lines"

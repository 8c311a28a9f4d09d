"""The arena played by two real pages over a data channel that is really late and really lossy: how evenly its frames come.

What the pages' workers themselves noted of every frame is what is measured. The pages, their keys and their network are those of
the end-to-end tests.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from bench.lines import Line, median, percentile
from bench.serving import ROOT
from e2e.house import House
from e2e.impairment import Line as Network
from e2e.match import Half, Match

__all__ = ["measure_match"]

LATENCY_MS, LOSS_PERCENT = 100, 15
FRAME_LIMIT_MS = 40
TRAFFIC_LIMIT = 3000


def measure_match() -> list[Line]:
    """One match of 450 frames, both players pressing keys all the time. ValueError if it is not played to its end."""
    print("arena: a match in two pages", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        halves = asyncio.run(_play(Path(folder)))
    lines = []
    for half in halves:
        if half.outcome["outcome"] != "completed":
            raise ValueError(f"the match of player {half.player_id} ended as {half.outcome}")
        lines += _lines(half)
    return lines


async def _play(folder: Path) -> tuple[Half, ...]:
    line = Network(latency_ms=LATENCY_MS, loss_percent=LOSS_PERCENT)
    match = Match(ROOT / "examples" / "arena.py", "bench", lines=(line, Network()), active=(True, True))
    async with House(folder, folder) as house:
        played = await match.play(house)
    return played.halves


def _lines(half: Half) -> list[Line]:
    """One player's lines."""
    who = f"arena, player {half.player_id}"
    intervals: list[float] = []
    for entry in half.diagnostics:
        intervals += entry.get("frame_intervals_ms", [])
    stats = half.stats
    depths = [entry["depth"] for entry in half.diagnostics if entry.get("event") == "rollback"]
    seconds = sum(intervals) / 1000
    how = f"{LATENCY_MS} ms and {LOSS_PERCENT} % loss, two pages of one machine"
    return [
        Line(f"frame interval, 99th percentile, {who}", percentile(intervals, 0.99), "ms", how, FRAME_LIMIT_MS),
        Line(f"frame interval, median, {who}", median(intervals), "ms", f"{len(intervals)} frames at 30 a second"),
        Line(f"frame interval, longest, {who}", max(intervals), "ms", ""),
        Line(f"rollbacks, {who}", stats["rollbacks"], "", f"{sum(depths)} frames replayed, up to {max(depths, default=0)} at once"),
        Line(f"stalls, {who}", stats["stalls"], "", f"round trip {stats['roundTripMs']:.0f} ms"),
        Line(f"sent in the match, {who}", stats["bytesSent"] / seconds, "B/s", "payload of both data channels", TRAFFIC_LIMIT),
    ]

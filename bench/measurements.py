"""What is measured, and what was promised of it: from the figures of a worker or a match to lines of the report.

Limits are those that the project holds itself to. A ratio is of two things timed in turns in the same worker, and its value is the
median over all turns; so a machine that is busy makes both slower alike.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bench.lines import Line, median, percentile
from bench.serving import ROOT
from bench.workers import Chromium, PyodideWorker
from pyodide_runtime.server.loading import load

__all__ = ["IN_WORKERS", "TITLES", "Example", "examples", "measure_in_workers"]

TITLES = ("Overcooked", "CartPole", "arena")
DEPTHS = (1, 2, 4, 8, 16)
#: Depths that no line of today comes to; a few pairs of them show how cost grows.
DEEP = (32, 64)
PROMISED_DEPTH = 8
TICK_LIMIT_US = 150
#: One batch against one message for every operation.
MESSAGES_LIMIT = 0.25
#: Memory of held snapshots against as many pickles.
HELD, HELD_LIMIT = 600, 0.3
#: By how much the heap may grow in so many frames, in bytes; how many frames an episode has, and how many lie between two looks.
GROWTH_FRAMES, GROWTH_LIMIT = 20_000, 2**20
GROWTH_EPISODE, GROWTH_EVERY = 450, 2000
SIZES = {"1 KB": 1000, "10 KB": 10_000, "100 KB": 100_000, "1 MB": 1_000_000, "10 MB": 10_000_000}
#: Bytes a second that a host sends to each other one, at 30 frames a second.
TRAFFIC_LIMIT = 3000
PLAYERS = (2, 3, 4, 5, 6, 7, 8)


@dataclass(frozen=True)
class Example:
    """An example to be measured.

    Attributes:
        title: for people.
        source: as a browser's worker is told of it.
        packages: of the distribution, to be loaded.
        rollback_limit: a rollback of 8 frames against 8 bare steps, at the most.
        save_limit: a save against what one would do otherwise, at the most.
        pairs: how many rollbacks of each depth are timed.
        blocks: how many blocks of saves are timed.
        frames: of the match whose ticks are timed.
    """

    title: str
    source: dict[str, Any]
    packages: list[str]
    rollback_limit: float | None
    save_limit: float
    pairs: int
    blocks: int
    frames: int


def examples() -> list[Example]:
    """The three examples, by the titles in `TITLES`."""
    return [
        Example("Overcooked", _source("overcooked"), ["cogrid"], 1.05, 0.7, pairs=45, blocks=20, frames=200),
        Example("CartPole", _source("cart_pole"), ["gymnasium"], 1.5, 0.15, pairs=200, blocks=40, frames=300),
        Example("arena", _source("arena"), ["pettingzoo"], None, 0.3, pairs=120, blocks=40, frames=450),
    ]


def _source(name: str) -> dict[str, Any]:
    return load(ROOT / "examples" / f"{name}.py").for_worker()


def rollbacks(worker: PyodideWorker, example: Example) -> list[Line]:
    """A rollback of k frames against k bare steps."""
    told: dict[str, list[list[float]]] = {}
    for depths, count, seconds in ((DEPTHS, example.pairs, 20), (DEEP, example.pairs // 4, 5)):
        settings = {"depths": depths, "pairs": count, "seconds": seconds, "futile": False}
        told |= worker.call("rollbacks", "measure", source=example.source, **settings)
    futile = {"depths": [PROMISED_DEPTH], "pairs": example.pairs, "seconds": 10, "futile": True}
    unchanged = worker.call("rollbacks", "measure", source=example.source, **futile)[str(PROMISED_DEPTH)]
    every = example.source["settings"]["snapshot_every"]
    captured = "" if every == "auto" else f"; snapshot_every={every}"
    lines = []
    named = [(f"rollback of {depth} frames", depth, told[str(depth)]) for depth in (*DEPTHS, *DEEP)]
    named.append((f"rollback of {PROMISED_DEPTH} frames that changes nothing", PROMISED_DEPTH, unchanged))
    for name, depth, pairs in named:
        ratio = median([rollback / bare for rollback, bare in pairs])
        rollback, bare = (median([pair[place] for pair in pairs]) for place in range(2))
        lines.append(
            Line(
                f"{name}, {example.title}",
                ratio,
                "",
                f"{depth} bare steps: {rollback:.0f} us against {bare:.0f} us, {len(pairs)} pairs{captured}",
                example.rollback_limit if depth == PROMISED_DEPTH and pairs is not unchanged else None,
            )
        )
    return lines


def snapshots(worker: PyodideWorker, example: Example) -> list[Line]:
    """Saving, restoring and digesting a state."""
    told = worker.call("snapshots", "measure", source=example.source, blocks=example.blocks)
    step = median(told["step"])
    against = f"a bare step: {step:.0f} us; snapshots by {told['way']}"
    save, otherwise = median(told["save"]), median(told["otherwise"])
    what = "get_state() as JSON" if example.title == "Overcooked" else "pickle.dumps"
    return [
        *(Line(f"{name}, {example.title}", median(told[name]), "us", against) for name in ("save", "restore", "digest")),
        Line(
            f"save against {what}, {example.title}",
            median([own / other for own, other in zip(told["save"], told["otherwise"], strict=True)]),
            "",
            f"{save:.0f} us against {otherwise:.0f} us, {len(told['save'])} blocks of 10 frames",
            example.save_limit,
        ),
    ]


def messages(worker: PyodideWorker, example: Example) -> list[Line]:
    """A rollback by one message against one message for every operation, from the page."""
    rounds = 60
    given = worker.call("messages", "prepare", source=example.source, depth=PROMISED_DEPTH, rounds=rounds + 1)
    pairs = worker.measure("measureMessages", depth=PROMISED_DEPTH, rounds=rounds, **given)
    batch, single = (median([pair[place] for pair in pairs]) for place in range(2))
    return [
        Line(
            f"rollback of {PROMISED_DEPTH} frames, {example.title}, against one message per operation",
            median([batch / single for batch, single in pairs]),
            "",
            f"{batch:.0f} us in one message against {single:.0f} us in {2 * PROMISED_DEPTH + 1}, with JSON snapshots; "
            f"{len(pairs)} pairs",
            MESSAGES_LIMIT,
        )
    ]


def held(worker: PyodideWorker, example: Example) -> list[Line]:
    """The memory of many held snapshots."""
    told = worker.call("held", "measure", source=example.source, count=HELD)
    snapshots, pickles = told["snapshots"], told["pickles"]
    against = f"{HELD} pickles of its get_state(): {snapshots / 1e6:.2f} MB against {pickles / 1e6:.2f} MB of the heap"
    return [Line(f"memory of {HELD} held snapshots, {example.title}", snapshots / pickles, "", against, HELD_LIMIT)]


def growth(worker: PyodideWorker, example: Example) -> list[Line]:
    """What a long session leaves on the heap."""
    lines = []
    for name, episode in (("episodes of 450 frames", GROWTH_EPISODE), ("one episode", 10 * GROWTH_FRAMES)):
        frames = GROWTH_FRAMES + GROWTH_EVERY
        told = worker.call("growth", "measure", frames=frames, episode=episode, every=GROWTH_EVERY)
        heap = told["heap"]
        by_design = told["by_design"][-1] - told["by_design"][0]
        grown = heap[-1] - heap[0]
        lines.append(
            Line(
                f"heap growth over {GROWTH_FRAMES} frames, {name}",
                grown - by_design,
                "B",
                f"{grown / 1e3:.0f} kB in all, less {by_design / 1e3:.0f} kB of inputs and digests that are kept by design; "
                f"{told['rollbacks']} rollbacks, {told['rows']} rows uploaded",
                GROWTH_LIMIT,
            )
        )
    return lines


def pauses(worker: PyodideWorker, example: Example) -> list[Line]:
    """Garbage collection while a match goes on."""
    frames = max(example.frames, 450)
    told = worker.call("pauses", "measure", source=example.source, frames=frames)
    lines = []
    for name, who in (("product", ""), ("python", ", as Python does it by itself")):
        within = [pause for pause, stepped in told[name] if stepped]
        longest = max((pause for pause, _ in told[name]), default=0.0)
        against = f"{len(told[name])} collections in {frames} frames, the longest {longest:.2f} ms"
        most = max(within, default=0.0)
        lines.append(Line(f"garbage collection within a frame, longest, {example.title}{who}", most, "ms", against))
    return lines


def sizes(worker: PyodideWorker, example: Example) -> list[Line]:
    """What growing states cost."""
    lines = []
    for name, size in SIZES.items():
        told = worker.call("sizes", "measure", size=size, frames=40, held=20, pairs=20)
        save, pickled, restore = (median(told[what]) for what in ("save", "pickle", "restore"))
        ratio = median([rollback / bare for rollback, bare in told["rollback"]])
        rollback, bare = (median([pair[place] for pair in told["rollback"]]) for place in range(2))
        lines += [
            Line(
                f"save, state of {name}",
                save,
                "us",
                f"pickle.dumps: {pickled:.0f} us; restore: {restore:.0f} us; by {told['way']}",
            ),
            Line(
                f"rollback of {PROMISED_DEPTH} frames, state of {name}",
                ratio,
                "",
                f"bare steps: {rollback:.0f} us against {bare:.0f} us; one of 16 arrays changes in each frame",
            ),
            Line(f"memory of a held snapshot, state of {name}", told["held"] / 1000, "kB", "one of 16 arrays changed"),
        ]
    return lines


def ticks(worker: PyodideWorker, example: Example) -> list[Line]:
    """A tick without a rollback."""
    told = worker.call("ticks", "measure", source=example.source, frames=example.frames)
    if told["rollbacks"]:
        raise ValueError(f"{told['rollbacks']} rollbacks in a match that should have none")
    stepped, idle = told["stepped"], told["idle"]
    beyond = [tick - drawing - bare for tick, drawing, bare in stepped]
    tick, drawing, bare = (median([entry[place] for entry in stepped]) for place in range(3))
    name, per_frame = example.title, len(idle) / len(stepped)
    lines = [
        Line(
            f"tick beyond the step, {name}",
            median(beyond),
            "us",
            f"tick {tick:.0f} us, less a bare step of {bare:.0f} us and its picture",
            TICK_LIMIT_US,
        ),
        Line(f"picture, {name}", drawing, "us", "the example's draw function, and its shapes as bytes for the page"),
        Line(f"tick beyond the step, mean, {name}", sum(beyond) / len(beyond), "us", "uploads and digests included"),
        Line(f"tick beyond the step, 99th percentile, {name}", percentile(beyond, 0.99), "us", f"of {len(beyond)} ticks"),
    ]
    if idle:
        lines.append(Line(f"tick that simulates nothing, {name}", median(idle), "us", f"{per_frame:.1f} of them a frame"))
    return lines


def crossings(worker: PyodideWorker, example: Example, *, isolated: bool = True) -> list[Line]:
    """A tick's way from JavaScript into Python and back, and a picture's from the worker to the page."""
    where = "" if isolated else ", without SharedArrayBuffer"
    lines = []
    for inbox, outbox in ((0, 200), (60, 4000), (2000, 40_000)):
        samples = worker.call("crossing", "measure", inbox=inbox, outbox=outbox)
        lines.append(Line(f"crossing, {inbox} bytes in and {outbox} out{where}", median(samples), "us", "a tick that does nothing"))
    for shared in (False, True) if isolated else (False,):
        samples = worker.measure("measurePassing", bytes=4000, blocks=20, shared=shared)
        way = "through shared memory" if shared else f"in a message{where}"
        against = "there and back; the product sends messages"
        lines.append(Line(f"4000 bytes asked of the worker, {way}", median(samples), "us", against))
    return lines


def traffic(worker: PyodideWorker, example: Example) -> list[Line]:
    """What a player sends at 30 frames a second, on good and bad lines."""
    lines = []
    for latency, loss in ((20, 0.0), (100, 0.15)):
        frames = example.frames
        told = worker.call("traffic", "measure", source=example.source, fps=30, frames=frames, latency_ms=latency, loss=loss)
        most, packets = max(told["bytes_a_second"]), max(told["packets_a_second"])
        lines.append(
            Line(
                f"sent by a player, {latency} ms, {loss:.0%} loss, {example.title}",
                most,
                "B/s",
                f"virtual network, 30 frames a second; {packets:.0f} packets a second, {max(told['rollbacks'])} rollbacks",
                TRAFFIC_LIMIT,
            )
        )
    return lines


def players(worker: PyodideWorker, example: Example) -> list[Line]:
    """What each further player costs a host: time for a frame, and bytes."""
    return _frames_by_players(worker) + _traffic_by_players(worker)


def _frames_by_players(worker: PyodideWorker) -> list[Line]:
    told = worker.call("crowd", "measure", players=PLAYERS, frames=200, rounds=7)
    rounds = [[told[str(count)][number] for count in PLAYERS] for number in range(len(told["2"]))]
    shares = [[frame / of_all[0] for frame in of_all] for of_all in rounds]
    lines = []
    for place, count in enumerate(PLAYERS):
        share = median([of_all[place] for of_all in shares])
        more = f", {(share - 1) / (count - 2):.2f} of that for each player added" if count > 2 else ""
        lines.append(
            Line(
                f"frame beyond the step, {count} players",
                median([of_all[place] for of_all in rounds]),
                "us",
                f"{share:.2f} times that of 2 players{more}; all ticks of a frame, without its picture",
            )
        )
    lines.append(
        Line(
            "frame beyond the step, 8 players against 2",
            median([of_all[-1] for of_all in shares]),
            "",
            f"4 would be as many times as there are players; {len(rounds)} rounds of {len(PLAYERS)} matches",
            PLAYERS[-1] / PLAYERS[0],
        )
    )
    middle = len(PLAYERS) // 2
    lines.append(
        Line(
            "a player more, at 5 to 8 players against 2 to 5",
            median([(of_all[-1] - of_all[middle]) / (of_all[middle] - of_all[0]) for of_all in rounds]),
            "",
            "1 where cost is linear in the number of players; 1.86 where it is quadratic",
        )
    )
    return lines


def _traffic_by_players(worker: PyodideWorker) -> list[Line]:
    lines = []
    for count in PLAYERS:
        told = worker.call("traffic", "measure", players=count, fps=30, frames=450, latency_ms=50, loss=0.02)
        most, others = max(told["bytes_a_second"]), count - 1
        lines.append(
            Line(
                f"sent by a host, {count} players",
                most,
                "B/s",
                f"{most / others:.0f} to each of {others}; 50 ms, 2 % loss, 30 frames a second, {max(told['rollbacks'])} rollbacks",
                TRAFFIC_LIMIT * others,
            )
        )
    return lines


Measurement = Callable[[PyodideWorker, Example], list[Line]]

IN_WORKERS: dict[str, tuple[Measurement, tuple[str, ...]]] = {
    "rollback": (rollbacks, TITLES),
    "messages": (messages, ("CartPole",)),
    "snapshot": (snapshots, TITLES),
    "held": (held, ("Overcooked",)),
    "sizes": (sizes, ("arena",)),
    "growth": (growth, ("arena",)),
    "pauses": (pauses, ("Overcooked", "arena")),
    "tick": (ticks, TITLES),
    "crossing": (crossings, ("arena",)),
    "traffic": (traffic, ("arena",)),
    "players": (players, ("arena",)),
}
"""What is measured in a worker, by the name that selects it, with the examples that it is measured with."""


def measure_in_workers(chromium: Chromium, names: list[str], titles: list[str], versions: dict[str, str]) -> list[Line]:
    """Everything of these names with the examples of these titles, in one worker for each.

    `versions` learns what runs in the workers.
    """
    found: dict[str, list[Line]] = {name: [] for name in names}
    for example in examples():
        wanted = [name for name in names if example.title in titles and example.title in IN_WORKERS[name][1]]
        if not wanted:
            continue
        print(f"{example.title}: loading", file=sys.stderr, flush=True)
        worker = chromium.open(example.packages)
        versions |= {"pyodide": worker.versions["pyodide"], "python in pyodide": worker.versions["python"]}
        for name in wanted:
            print(f"{example.title}: {name}", file=sys.stderr, flush=True)
            found[name] += IN_WORKERS[name][0](worker, example)
        worker.close()
        if "crossing" in wanted:
            worker = chromium.open(example.packages, isolated=False)
            found["crossing"] += crossings(worker, example, isolated=False)
            worker.close()
    return [line for name in names for line in found[name]]

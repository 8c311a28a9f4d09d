"""A small experiment in several files, and the pages of its players: what the bridge does, without a browser."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pyodide_runtime.errors import PyodideRuntimeError
from pyodide_runtime.participant import STATS, Participant
from pyodide_runtime.records import Kind, Record
from pyodide_runtime.rows import to_csv
from pyodide_runtime.worker import load_experiment

#: `late` is imported only in a step, and `parts/look.py` draws.
FILES = {
    "study.py": """
import pyodide_runtime as pr
from parts import world
from parts.look import draw

experiment = pr.Experiment(
    name="Study", environment=world.Walk, players=2, fps=20, max_steps=24, episodes=2,
    keys={"ArrowUp": 1, " ": 2}, draw=draw, instructions="Walk.", state_digest_every=5,
)
""",
    "parts/__init__.py": "",
    "parts/look.py": """
def draw(env, player):
    env.looked = True  # which must leave no trace
    if getattr(env, "places", {}).get("left") == 13:
        raise LookupError("no picture of thirteen")
    shapes = [{"shape": "circle", "x": place, "y": 5, "radius": 3} for place in env.places.values()]
    return {"width": 320, "height": 200, "shapes": shapes, "looks": player}
""",
    "parts/late.py": "def reward(looked):\n    return 100.0 if looked else 1.0\n",
    "parts/world.py": """
class Discrete:
    start, n = 0, 3

class Walk:
    possible_agents = ["left", "right"]

    def __init__(self):
        self.agents, self.places, self.space, self.looked = [], {}, Discrete(), False

    def action_space(self, agent):
        return self.space

    def reset(self, seed=None, options=None):
        self.agents = list(self.possible_agents)
        self.places = {name: 10 for name in self.agents}
        return dict(self.places), {name: {} for name in self.agents}

    def step(self, actions):
        from parts.late import reward
        for name, action in actions.items():
            self.places[name] += action
        no = dict.fromkeys(self.agents, False)
        rewards = dict.fromkeys(self.agents, reward(self.looked))
        return dict(self.places), rewards, no, no, {name: {"place": self.places[name]} for name in self.agents}
""",
}


def source(files: Mapping[str, str] = FILES, module: str = "study") -> dict[str, Any]:
    """What the server sends of an experiment."""
    return {"files": dict(files), "module": module, "requirements": [], "settings": {}}


def start(place: int, *, pages: int = 2, incarnation: int = 0) -> dict[str, Any]:
    """What the server sends when a match begins, or when a page comes late to it."""
    seats = [{"player_id": f"person {seat}", "index": seat} for seat in reversed(range(pages))]
    return {"session": "room-1", "seed": 7, "players": seats, "index": place, "incarnation": incarnation}


def participant(folder: Path, files: Mapping[str, str] = FILES) -> Participant:
    """A participant who has opened the experiment."""
    told = source(files)
    return Participant(load_experiment(told, folder), told)


def event(told: Any) -> bytes:
    """An inbox with one event."""
    data = told if isinstance(told, bytes) else json.dumps(told).encode()
    return struct.pack("<BBBBI", Kind.EVENT, 0, 0, 0, len(data)) + data


def packet(sender: int, channel: int, data: bytes) -> bytes:
    """An inbox with one packet."""
    return struct.pack("<BBBBI", Kind.PACKET, sender, channel, 0, len(data)) + data


class Outbox(NamedTuple):
    """What a tick answered."""

    wake: float
    records: list[Record]

    def of(self, kind: Kind) -> list[Record]:
        return [record for record in self.records if record.kind is kind]

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(record.payload) for record in self.of(Kind.EVENT)]

    @property
    def stats(self) -> dict[str, float]:
        """The numbers; empty if this tick told none."""
        told = [struct.unpack(f"<{len(STATS)}d", record.payload) for record in self.of(Kind.STATS)]
        assert len(told) <= 1
        return dict(zip(STATS, told[0], strict=True)) if told else {}


def unpack(data: bytes) -> Outbox:
    """An outbox as the other side reads it."""
    (wake,), at, records = struct.unpack_from("<d", data), 8, []
    while at < len(data):
        kind, peer, channel, _, length = struct.unpack_from("<BBBBI", data, at)
        records.append(Record(Kind(kind), peer, channel, data[at + 8 : at + 8 + length]))
        at += 8 + length
    return Outbox(wake, records)


class Page:
    """A player's page: it answers uploads as the server does, and remembers what it was told."""

    def __init__(self, participant: Participant) -> None:
        self.participant = participant
        self.inbox: list[bytes] = []
        self.events: list[dict[str, Any]] = []
        self.views: list[bytes] = []
        self.files: dict[str, bytes] = {}
        self.stored: dict[str, int] = {}
        self.stats: dict[str, float] = {}
        self.wake = 0.0
        self.returns_at = math.inf  # when the page is seen again, in ms
        self.loses: set[int] = set()  # uploads, by number, that do not arrive the first time

    def tick(self, now: float) -> Outbox:
        if now >= self.returns_at:
            self.returns_at = math.inf
            self.inbox.append(event({"type": "visibility", "hidden": False}))
        box = unpack(self.participant.tick(now, b"".join(self.inbox)))
        self.inbox.clear()
        self.wake, self.stats = box.wake, box.stats or self.stats
        self.events += box.events
        self.views += [record.payload for record in box.of(Kind.VIEW)]
        for record in box.of(Kind.UPLOAD):
            number, length = struct.unpack_from("<II", record.payload)
            if number in self.loses:
                self.loses.remove(number)
                self.inbox.append(event({"type": "unstored", "upload": number, "error": "lost"}))
                continue
            header = json.loads(record.payload[8 : 8 + length])
            kind, sequence = header["kind"], header["sequence"]
            assert sequence == self.stored.get(kind, 0), "each chunk is sent once, in order"
            self.stored[kind] = sequence + 1
            self.files[kind] = self.files.get(kind, b"") + record.payload[8 + length :]
            self.inbox.append(event({"type": "stored", "upload": number}))
        return box

    def lines(self, kind: str) -> list[Any]:
        return [json.loads(line) for line in self.files.get(kind, b"").splitlines()]

    @property
    def csv(self) -> bytes:
        return to_csv(row["cells"] for row in self.lines("rows"))

    @property
    def phases(self) -> list[str]:
        return [told["phase"] for told in self.events if told["type"] == "phase"]


class Network:
    """The pages of a match, by their indices, and the packets between them, which take their time.

    Attributes:
        pages: those that are open; a page that is closed, or taken in the place of another, may be put here at any time.
        away: indices of pages that no packet reaches or leaves.
        now: the time in ms.
    """

    def __init__(self, pages: Mapping[int, Page], *, keys: bool = True, late_ms: float = 70.0) -> None:
        self.pages = dict(pages)
        self.away: set[int] = set()
        self.now = 0.0
        self._keys, self._late, self._turn = keys, late_ms, 0
        self._on_the_way: list[tuple[float, int, bytes]] = []

    def run(self, until: Callable[[], bool], limit_ms: float = 60_000.0) -> None:
        """Go on until something is so, but no longer than for `limit_ms`."""
        end = self.now + limit_ms
        while not until():
            assert self.now < end, [page.events for page in self.pages.values()]
            arrived = [(place, data) for at, place, data in self._on_the_way if at <= self.now]
            self._on_the_way = [one for one in self._on_the_way if one[0] > self.now]
            for place, data in arrived:
                if place in self.pages and place not in self.away:
                    self.pages[place].inbox.append(data)
            for place, page in self.pages.items():
                if self._keys and self._turn % 7 == 3 * place:
                    page.inbox.append(event({"type": "key", "key": "ArrowUp", "down": self._turn % 2 == 0}))
                for record in page.tick(self.now).of(Kind.PACKET):
                    if place not in self.away:
                        data = packet(place, record.channel, record.payload)
                        self._on_the_way.append((self.now + self._late, record.peer, data))
            self._turn += 1
            self.now += 10.0


def play(pages: list[Page], *, keys: bool = True, late_ms: float = 70.0, limit_ms: float = 60_000.0) -> None:
    """Let the pages play until everybody was told of the end; packets take their time."""

    def over() -> bool:
        return all({"finished", "failed"} & set(page.phases) and "outcome" in page.files for page in pages)

    Network(dict(enumerate(pages)), keys=keys, late_ms=late_ms).run(over, limit_ms)


def refused(page: Page, inbox: bytes, error: type[PyodideRuntimeError]) -> None:
    """Law: the inbox is refused by this type of error."""
    try:
        page.participant.tick(0.0, inbox)
    except error:
        return
    raise AssertionError(f"{inbox!r} was not refused")

"""One match of two players or more, from their open pages to what the server has stored of it.

A `Match` says what is to happen; `play` makes it happen and brings back what came of it, judging nothing. Keys are seeded
choices, given by real keyboard events; when exactly they arrive is the machine's affair, as it is with people.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import Error as PlaywrightError

from e2e.browsers import Engine
from e2e.house import House
from e2e.impairment import Line
from e2e.player import SECONDS_TO_LOAD, SECONDS_TO_PLAY, SECONDS_TO_START, SMALL_WINDOW, Player
from e2e.server import Server
from e2e.traffic import Traffic

IDS = ("A", "B", "C")
SECONDS_TO_STORE = 60.0


@dataclass
class Room:
    """A match while it goes on: what a happening works with."""

    name: str
    server: Server
    players: tuple[Player, ...]
    make: Callable[[str], Awaitable[Player]]
    watchers: list[Player] = field(default_factory=list)

    async def watch(self, name: str) -> Player:
        """Somebody opens a page that only watches."""
        watcher = await self.make(name)
        self.watchers.append(watcher)
        await watcher.open(self.server.url, self.name, {"watch": "1"})
        return watcher


Happening = Callable[[Room], Awaitable[None]]


@dataclass(frozen=True)
class Match:
    """What is to be played. All tuples are in the order of the players; one that is too short is filled up.

    Attributes:
        experiment: the experiment's file.
        name: of the room and of the seed of the keys.
        count: how many players the experiment takes.
        lines: the networks of the pages.
        active: who presses keys all the time.
        engines: the browsers.
        queries: what is added to the pages' addresses.
        user_agents: what the browsers call themselves; None for their own names.
        before: called when all pages exist and none is open.
        during: happens from the moment at which all play; the match's end is waited for afterwards.
        picture: the file for a screenshot of the first page at the end, under `artifacts`; none if empty.
    """

    experiment: Path
    name: str
    count: int = 2
    lines: tuple[Line, ...] = ()
    active: tuple[bool, ...] = ()
    engines: tuple[Engine, ...] = ()
    queries: tuple[dict[str, str], ...] = ()
    user_agents: tuple[str | None, ...] = ()
    before: Happening | None = None
    during: Happening | None = None
    picture: str = ""

    def __post_init__(self) -> None:
        usual: dict[str, Any] = {"lines": Line(), "active": False, "engines": "chromium", "queries": {}, "user_agents": None}
        for name, value in usual.items():
            given = getattr(self, name)
            object.__setattr__(self, name, given + (value,) * (self.count - len(given)))

    async def play(self, house: House) -> Played:
        """Play it to its end, whatever that is. Raises what a happening raises, and TimeoutError where nothing happens."""
        server = await house.server(self.experiment)
        made: list[Player] = []
        ids = IDS[: self.count]
        for player_id, engine, line, agent in zip(ids, self.engines, self.lines, self.user_agents, strict=True):
            browser = await house.browsers.get(engine)
            made.append(await Player.make(player_id, browser, engine, server.url, line, window=SMALL_WINDOW, user_agent=agent))

        async def make(name: str) -> Player:
            return await Player.make(name, await house.browsers.get("chromium"), "chromium", server.url, window=SMALL_WINDOW)

        room = Room(self.name, server, tuple(made), make)
        try:
            return await self._play(room, house.artifacts)
        finally:
            await asyncio.gather(*(player.leave() for player in [*made, *room.watchers]))

    async def _play(self, room: Room, artifacts: Path) -> Played:
        players = room.players
        if self.before:
            await self.before(room)
        # One after the other up to "joined", so that A is the first player; then all load together.
        for player, query in zip(players, self.queries, strict=True):
            await player.open(room.server.url, room.name, query)
            await player.page.wait_for_function("window.pyodideRuntime?.config || document.documentElement.dataset.error")
        await asyncio.gather(*(player.reach("waiting", "playing", "failed", seconds=SECONDS_TO_LOAD) for player in players))
        begun = ("playing", "finished", "failed")
        phases = await asyncio.gather(*(player.reach(*begun, seconds=SECONDS_TO_START) for player in players))
        session: str = await players[0].read("window.pyodideRuntime.start.session")
        if set(phases) == {"playing"}:
            await self._go_on(room)
        await asyncio.gather(*(_end(player) for player in [*players, *room.watchers]))
        await _stored(room, session)
        return await self._collect(room, session, artifacts)

    async def _go_on(self, room: Room) -> None:
        """Press, disturb and sample, until all pages are over or closed."""
        doings: list[Coroutine[Any, Any, None]] = [player.sample() for player in room.players]
        for player, line, active in zip(room.players, self.lines, self.active, strict=True):
            choices = random.Random(f"{self.name} {player.player_id}")
            if active:
                doings.append(player.press_keys(choices))
            if line.jitter_ms:
                assert player.impairment is not None
                doings.append(player.impairment.jitter(line, choices))
        tasks = [asyncio.create_task(_while_open(doing)) for doing in doings]
        if self.during:
            await self.during(room)
        await asyncio.gather(*(_end(player) for player in room.players))
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, Exception):
                raise result

    async def _collect(self, room: Room, session: str, artifacts: Path) -> Played:
        if self.picture:
            await room.players[0].page.screenshot(path=artifacts / self.picture)
        summary = await asyncio.to_thread(room.server.summary, session)
        halves = []
        for player in room.players:
            half = await asyncio.to_thread(_half, room.server, session, player, summary)
            if not player.page.is_closed():
                half.stats = await player.stats()
                half.links = half.stats.pop("links", {})
                half.channels = await player.read("window.pyodideRuntime.channels")
                half.phase, half.error = await player.read(_PHASE_AND_ERROR)
            halves.append(half)
        watchers = []
        for one in room.watchers:
            phase, error = await one.read(_PHASE_AND_ERROR)
            watchers.append(Watcher(phase, error, await one.stats(), one.problems))
        return Played(self, session, summary, tuple(halves), list(room.server.lines), tuple(watchers))


_PHASE_AND_ERROR = "[document.documentElement.dataset.phase, document.documentElement.dataset.error ?? '']"


@dataclass(repr=False)
class Half:
    """What came of a match on one player's side.

    Attributes:
        player_id: as in the page's address.
        export: the bytes of export.csv.
        record: the file record.ndjson, where the server keeps it; of the page of this player that got farthest.
        outcome: outcome.json.
        diagnostics: the lines of diagnostics.ndjson.
        problems, samples, traffic: as of the `Player`.
        stats: the page's numbers at the end; empty if it was closed, as are the next four.
        links: how packets went to each other page at the end.
        channels: how each data channel reached the worker.
        phase, error: what the page said at the end.
    """

    player_id: str
    export: bytes
    record: Path
    outcome: dict[str, Any]
    diagnostics: list[dict[str, Any]]
    problems: list[str]
    samples: list[dict[str, Any]]
    traffic: Traffic
    stats: dict[str, Any]
    channels: dict[str, dict[str, str]]
    links: dict[str, str] = field(default_factory=dict)
    phase: str = ""
    error: str = ""


@dataclass(frozen=True)
class Watcher:
    """A page that only watched: what it said at the end, its numbers, and its problems."""

    phase: str
    error: str
    stats: dict[str, Any]
    problems: list[str]


@dataclass(repr=False)
class Played:
    """What came of a match.

    Attributes:
        session, summary: the server's.
        halves: every player's part.
        terminal: the server's terminal so far.
        watchers: what those saw who watched.
    """

    match: Match
    session: str
    summary: dict[str, Any]
    halves: tuple[Half, ...]
    terminal: list[str]
    watchers: tuple[Watcher, ...] = ()


def _half(server: Server, session: str, player: Player, summary: dict[str, Any]) -> Half:
    name = player.player_id
    served = next(told["incarnation"] for told in summary["players"] if told["player_id"] == name)
    folder = server.data / session / "players" / name / (f"incarnation-{served}" if served else "")
    # The outcome first: what it speaks of is stored before it.
    outcome: dict[str, Any] = json.loads(server.of_player(session, name, "outcome.json"))
    return Half(
        name,
        server.of_player(session, name, "export.csv"),
        folder / "record.ndjson",
        outcome,
        [json.loads(line) for line in server.of_player(session, name, "diagnostics.ndjson").splitlines()],
        player.problems,
        player.samples,
        player.traffic,
        {},
        {},
    )


async def _while_open(doing: Coroutine[Any, Any, None]) -> None:
    """Do it until it is cancelled or its page is closed."""
    try:
        await doing
    except PlaywrightError as error:
        if "closed" not in str(error):
            raise


async def _end(player: Player) -> None:
    """Wait until the player's page is over, or closed."""
    if player.page.is_closed():
        return
    try:
        await player.reach("finished", "failed", seconds=SECONDS_TO_PLAY)
    except PlaywrightError:
        if not player.page.is_closed():
            raise


async def _stored(room: Room, session: str) -> None:
    """Wait until the server has every open page's own word on the outcome, and its own on every closed one's."""
    deadline = time.monotonic() + SECONDS_TO_STORE
    while True:
        summary = await asyncio.to_thread(room.server.summary, session)
        told = {player["player_id"]: player for player in summary["players"]}
        lacking = [
            player.player_id
            for player in room.players
            if told[player.player_id]["outcome"] is None
            or (not player.page.is_closed() and told[player.player_id]["told_by"] != "player")
        ]
        if not lacking:
            return
        assert time.monotonic() < deadline, f"the server never got the outcome of {', '.join(lacking)}: {summary}"
        await asyncio.sleep(0.1)

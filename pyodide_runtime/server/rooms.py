"""All rooms of a server, by name.

A room is there from the first player who joins until its session is over or everybody has left; then the
name may be used again. This module knows nothing of WebSockets and of HTTP.
"""

from __future__ import annotations

import asyncio
import secrets
from datetime import UTC, datetime

from pyodide_runtime.errors import ExperimentError
from pyodide_runtime.server.experiment_file import ExperimentFile
from pyodide_runtime.server.identifiers import new_session
from pyodide_runtime.server.loading import LoadedExperiment
from pyodide_runtime.server.room import Connection, Refused, Report, Room, RoomState, Seat
from pyodide_runtime.server.storage import Storage

SEEDS = 2**31
"""Seeds that are drawn lie below, which suits every environment: older generators take no larger ones."""


class Rooms:
    """The rooms in which the players of one experiment meet.

    Args:
        source: the experiment file, read anew for each session.
        storage: where sessions are kept.
        report: prints in the terminal.
    """

    def __init__(self, source: ExperimentFile, storage: Storage, report: Report) -> None:
        self._source = source
        self._storage = storage
        self._report = report
        self._rooms: dict[str, Room] = {}
        self._joining = asyncio.Lock()

    async def join(self, name: str, player_id: str, connection: Connection, *, watching: bool = False) -> tuple[Room, Seat]:
        """Seat a player or a spectator. Names have been checked. Raises Refused with a text for the person."""
        async with self._joining:
            before = self._gathering_or_running(name)
            if before is not None:
                before.check_open(player_id, watching=watching)
                if before.state is RoomState.RUNNING:
                    # It goes on as it began, whatever the file says by now.
                    return before, before.join(player_id, connection, watching=watching)
            try:
                loaded = await self._source.read()
            except ExperimentError as error:
                self._report(str(error))
                raise Refused(str(error)) from None
            room = self._room_for(name, loaded)
            try:
                return room, room.join(player_id, connection, watching=watching)
            finally:
                self._forget_vacant(room)

    def resume(self, name: str, player_id: str, key: str, connection: Connection) -> tuple[Room, Seat]:
        """Give a page its seat back over a new connection. Raises Refused if the room or the seat is gone."""
        room = self._rooms.get(name)
        if room is None:
            raise Refused(f"Room {name} is not there any more.")
        return room, room.resume(player_id, key, connection)

    def leave(self, room: Room, seat: Seat, connection: Connection, *, lost: bool = False) -> bool:
        """A page's connection is gone; `lost` if without a goodbye. True if `give_up` is to be called after some time."""
        may_return = room.leave(seat, connection, lost=lost)
        self._forget_vacant(room)
        return may_return

    def give_up(self, room: Room, seat: Seat, connection: Connection) -> None:
        """A page whose connection was lost has had its time to come back."""
        room.give_up(seat, connection)
        self._forget_vacant(room)

    def outcome_stored(self, session: str) -> None:
        """A player's outcome in this session was stored."""
        for room in self._rooms.values():
            if room.session == session:
                room.look_whether_over()

    def _gathering_or_running(self, name: str) -> Room | None:
        room = self._rooms.get(name)
        return None if room is None or room.state is RoomState.OVER else room

    def _forget_vacant(self, room: Room) -> None:
        if self._rooms.get(room.name) is room and room.is_vacant():
            del self._rooms[room.name]

    def _room_for(self, name: str, loaded: LoadedExperiment) -> Room:
        """The room as it is, or a new one, also where the experiment was edited while players gathered."""
        room = self._gathering_or_running(name)
        if room is not None and room.state is RoomState.GATHERING and room.is_outdated(loaded):
            room.dissolve("The experiment was edited after you joined. Reload this page.")
            room = None
        if room is None:
            seed = loaded.experiment.seed
            room = self._rooms[name] = Room(
                name,
                session=new_session(datetime.now(UTC)),
                seed=secrets.randbelow(SEEDS) if seed is None else seed,
                loaded=loaded,
                source=self._source,
                storage=self._storage,
                report=self._report,
            )
        return room

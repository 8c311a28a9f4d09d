"""A room: the players of one session, from the first who joins to the last who has an outcome.

    GATHERING --all seats taken and ready--> RUNNING --every player has an outcome--> OVER
        |                                                                              ^
        +--dissolved: a page failed, or the experiment was edited----------------------+

A room talks to pages through `Connection` and keeps sessions through `Storage`; it knows nothing of
WebSockets. Nothing here waits, so every method is one indivisible step.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from pyodide_runtime.errors import PyodideRuntimeError
from pyodide_runtime.server import messages
from pyodide_runtime.server.experiment_file import ExperimentFile
from pyodide_runtime.server.loading import LoadedExperiment
from pyodide_runtime.server.messages import Failed, MessageError, Ready, Signal
from pyodide_runtime.server.storage import SessionEntry, Storage, StorageFailed, now

Report = Callable[[str], None]
"""Prints a line in the server's terminal."""


class Refused(PyodideRuntimeError):
    """A page cannot join; the message is for the person in front of it."""


class Connection(Protocol):
    """The way to one page."""

    def send(self, message: Mapping[str, Any]) -> None:
        """Send a message, in order, without waiting."""

    def close(self) -> None:
        """Close the connection once all that was sent is on its way."""


class RoomState(enum.Enum):
    """How far a room's session is."""

    GATHERING = "gathering"
    RUNNING = "running"
    OVER = "over"


@dataclass(eq=False)
class Seat:
    """A player's place in a room."""

    player_id: str
    index: int
    connection: Connection
    ready: bool = False
    present: bool = True


class Room:
    """One session.

    Args:
        name: the room's name.
        session: the session's name.
        seed: the session's seed.
        loaded: the experiment as it was read for this session.
        source: makes the pages' configuration of it.
        storage: where the session is kept once it starts, or fails to.
        report: prints in the terminal.
    """

    def __init__(
        self,
        name: str,
        *,
        session: str,
        seed: int,
        loaded: LoadedExperiment,
        source: ExperimentFile,
        storage: Storage,
        report: Report,
    ) -> None:
        self.name = name
        self.session = session
        self.seed = seed
        self.loaded = loaded
        self.state = RoomState.GATHERING
        self.seats: dict[int, Seat] = {}
        self._source = source
        self._storage = storage
        self._report = report

    @property
    def capacity(self) -> int:
        """How many players make the session."""
        return self.loaded.experiment.players

    def check_open(self, player_id: str) -> None:
        """Raise Refused if this player cannot join now."""
        if self.state is RoomState.RUNNING:
            raise Refused(f"The session in room {self.name} has already started. Open another room, or wait until it is over.")
        others = [seat for seat in self.seats.values() if seat.player_id != player_id]
        if len(others) >= self.capacity:
            raise Refused(f"Room {self.name} is full: {len(others)} of {self.capacity} players are here. Open another room.")

    def join(self, player_id: str, connection: Connection) -> Seat:
        """Take a seat: the player's own, whose old connection is then closed, or the first free one.

        Raises Refused.
        """
        self.check_open(player_id)
        old = next((seat for seat in self.seats.values() if seat.player_id == player_id), None)
        if old is None:
            index = min(set(range(self.capacity)) - self.seats.keys())
        else:
            index = old.index
            self._dismiss(old, "You joined this room again from another window, which plays on instead of this one.")
        seat = self.seats[index] = Seat(player_id, index, connection)
        config = self._source.config(self.loaded, self.session, player_id)
        connection.send(messages.joined(self.session, player_id, index, self.capacity, config))
        self._tell_roster()
        return seat

    def receive(self, seat: Seat, message: Ready | Signal | Failed) -> None:
        """Do what a page's message asks.

        Raises MessageError if it does not fit the moment; then nothing has changed.
        """
        if not seat.present:
            raise MessageError("you are not in this room any more")
        match message:
            case Ready():
                self._ready(seat)
            case Signal(to, data):
                self._signal(seat, to, data)
            case Failed(error, outcome):
                self._failed(seat, error, outcome or "failed")

    def leave(self, seat: Seat) -> None:
        """The seat's connection is gone."""
        if not seat.present:
            return
        seat.present = False
        if self.state is RoomState.GATHERING:
            del self.seats[seat.index]
            self._tell_roster()
            return
        for other in self._present():
            other.connection.send(messages.left(seat.index))
        if self.state is RoomState.RUNNING:
            self._conclude(seat, "left", "the page was closed, or lost its connection to the server")

    def is_outdated(self, loaded: LoadedExperiment) -> bool:
        """Whether the experiment was edited between the reading of this session and the given one."""
        return loaded.fingerprint() != self.loaded.fingerprint()

    def is_vacant(self) -> bool:
        """Whether nobody is here any more."""
        return not self._present()

    def dissolve(self, reason: str) -> None:
        """End a session that has not started; everybody is told why."""
        self.state = RoomState.OVER
        for seat in self._present():
            self._dismiss(seat, reason)

    def look_whether_over(self) -> None:
        """A player's outcome was stored: note if it was the last one."""
        if self.state is RoomState.RUNNING and self._storage.is_over(self.session):
            self.state = RoomState.OVER
            outcome = self._storage.summary(self.session)["outcome"]
            self._report(f"room {self.name}: session {self.session} is over: {outcome}")

    def _present(self) -> list[Seat]:
        return [seat for _, seat in sorted(self.seats.items()) if seat.present]

    def _tell_roster(self) -> None:
        present = self._present()
        message = messages.roster((seat.player_id, seat.index, seat.ready) for seat in present)
        for seat in present:
            seat.connection.send(message)

    def _dismiss(self, seat: Seat, reason: str) -> None:
        seat.present = False
        seat.connection.send(messages.refused(reason))
        seat.connection.close()

    def _ready(self, seat: Seat) -> None:
        if self.state is not RoomState.GATHERING:
            raise MessageError("ready has no meaning once the session has started")
        if seat.ready:
            return
        seat.ready = True
        self._tell_roster()
        if len(self.seats) == self.capacity and all(seat.ready for seat in self.seats.values()):
            self._start()

    def _start(self) -> None:
        players = [seat.player_id for seat in self._present()]
        try:
            self._store(started=now())
        except StorageFailed as error:
            self._report(f"room {self.name}: {error}")
            self.dissolve(f"The session cannot start: {error}")
            return
        self.state = RoomState.RUNNING
        self._report(f"room {self.name}: session {self.session} starts with {', '.join(players)}")
        for seat in self._present():
            seat.connection.send(messages.start(self.session, self.seed, players, seat.index))

    def _signal(self, seat: Seat, to: int, data: dict[str, Any]) -> None:
        if to == seat.index:
            raise MessageError("a signal to oneself has no meaning")
        if not 0 <= to < self.capacity:
            raise MessageError(f"there is no player {to}; indices go from 0 to {self.capacity - 1}")
        other = self.seats.get(to)
        if other is None or not other.present:
            raise MessageError(f"player {to} is not here")
        other.connection.send(messages.signal(seat.index, data))

    def _failed(self, seat: Seat, error: str, outcome: str) -> None:
        self._report(f"room {self.name}: player {seat.player_id} failed: {printable(error)}")
        if self.state is RoomState.RUNNING:
            self._conclude(seat, outcome, error)
        elif self.state is RoomState.GATHERING:
            self._fail_to_start(seat, error)

    def _fail_to_start(self, seat: Seat, error: str) -> None:
        others = [other for other in self._present() if other is not seat]
        try:
            self._store(started=None)
            for player, outcome, detail in [
                (seat.player_id, "failed", error),
                *((other.player_id, "refused", f"player {seat.player_id} failed") for other in others),
            ]:
                self._storage.conclude(self.session, player, outcome, detail)
        except StorageFailed as fault:
            self._report(f"room {self.name}: {fault}")
        seat.present = False
        self.dissolve(f"Player {seat.player_id} could not start: {error}")

    def _store(self, started: str | None) -> None:
        self._storage.create(
            SessionEntry(
                session=self.session,
                room=self.name,
                name=self.loaded.experiment.name,
                seed=self.seed,
                players=[seat.player_id for seat in self._present()],
                started=started,
                experiment=self.loaded.for_worker(),
            )
        )

    def _conclude(self, seat: Seat, outcome: str, detail: str) -> None:
        try:
            self._storage.conclude(self.session, seat.player_id, outcome, detail)
            self.look_whether_over()
        except StorageFailed as error:
            self._report(f"room {self.name}: {error}")


def printable(text: str) -> str:
    """A page's text without what would command the terminal; lines stay lines."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "?" for letter in text)

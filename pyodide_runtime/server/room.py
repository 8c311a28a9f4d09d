"""A room: the players of one session, from the first who joins to the last who has an outcome, and who watches them.

    GATHERING --all seats taken and ready--> RUNNING --every player has an outcome--> OVER
        |                                                                              ^
        +--dissolved: a page failed, or the experiment was edited----------------------+

A running room keeps the seat of a player whose page is gone. Its next page is another incarnation of the seat; it takes part as
soon as it is ready. Spectators have seats behind those of the players; nothing waits for them.

A room talks to pages through `Connection` and keeps sessions through `Storage`; it knows nothing of
WebSockets. Nothing here waits, so every method is one indivisible step.
"""

from __future__ import annotations

import enum
import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from pyodide_runtime.errors import PyodideRuntimeError
from pyodide_runtime.network.arbiter import Arbiter
from pyodide_runtime.network.membership import LAST_INCARNATION
from pyodide_runtime.server import messages, relay
from pyodide_runtime.server.experiment_file import ExperimentFile
from pyodide_runtime.server.loading import LoadedExperiment
from pyodide_runtime.server.messages import Appeal, Failed, FromPage, MessageError, Ready, Signal
from pyodide_runtime.server.relay import Relayed
from pyodide_runtime.server.storage import COMPLETED, SessionEntry, Storage, StorageFailed, now

Report = Callable[[str], None]
"""Prints a line in the server's terminal."""


class Refused(PyodideRuntimeError):
    """A page cannot join; the message is for the person in front of it."""


class Connection(Protocol):
    """The way to one page."""

    def send(self, message: Mapping[str, Any]) -> None:
        """Send a message, in order, without waiting."""

    def send_packet(self, data: bytes, *, may_be_lost: bool) -> None:
        """Send bytes, in order, without waiting; or lose them, if they may be and too much waits already."""

    def close(self) -> None:
        """Close the connection once all that was sent is on its way."""


class RoomState(enum.Enum):
    """How far a room's session is."""

    GATHERING = "gathering"
    RUNNING = "running"
    OVER = "over"


@dataclass(eq=False)
class Seat:
    """A page's place in a room.

    Attributes:
        incarnation: how many pages had this place before, once the session runs.
        ready: its worker has loaded the environment.
        present: its connection stands.
        lost: it does not, and nobody closed it: the page may still be there.
        playing: it was told of the start, so it takes part.
        key: what only this page knows.
    """

    player_id: str
    index: int
    connection: Connection
    incarnation: int = 0
    ready: bool = False
    present: bool = True
    lost: bool = False
    playing: bool = False
    key: str = field(default_factory=lambda: secrets.token_urlsafe(16))


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
        self._arbiter = Arbiter()
        self._source = source
        self._storage = storage
        self._report = report

    @property
    def capacity(self) -> int:
        """How many players make the session."""
        return self.loaded.experiment.pages

    def check_open(self, player_id: str, *, watching: bool = False) -> None:
        """Raise Refused if this person cannot join now, as a player or as a spectator."""
        own = self._seat_of(player_id)
        if own is not None and self._watches(own) != watching:
            does = "watches" if self._watches(own) else "plays"
            raise Refused(f"{player_id} {does} in room {self.name} already. Come under another name.")
        if watching:
            self._check_open_for_spectator(player_id)
        elif self.state is RoomState.RUNNING:
            self._check_open_again(own)
        else:
            others = [seat for seat in self._players() if seat.player_id != player_id]
            if len(others) >= self.capacity:
                raise Refused(f"Room {self.name} is full: {len(others)} of {self.capacity} players are here. Open another room.")

    def _check_open_for_spectator(self, player_id: str) -> None:
        most = self.loaded.experiment.spectators
        others = [seat for seat in self._present() if self._watches(seat) and seat.player_id != player_id]
        if most == 0:
            raise Refused("This experiment takes no spectators.")
        if len(others) >= most:
            raise Refused(f"Room {self.name} has no place left to watch from: {len(others)} of {most} spectators are here.")

    def _check_open_again(self, own: Seat | None) -> None:
        if own is None:
            raise Refused(f"The session in room {self.name} has already started. Open another room, or wait until it is over.")
        if self._storage.outcome(self.session, own.player_id) == COMPLETED:
            raise Refused(f"You have completed the session in room {self.name}; it waits for the others only.")
        if own.incarnation >= LAST_INCARNATION:
            raise Refused(f"You have come back to room {self.name} too often.")

    def join(self, player_id: str, connection: Connection, *, watching: bool = False) -> Seat:
        """Take a seat: the person's own, whose old connection is then closed, or the first free one.

        Raises Refused.
        """
        self.check_open(player_id, watching=watching)
        old = self._seat_of(player_id)
        index = self._free_index(watching) if old is None else old.index
        before = self.seats.get(index)
        seat = Seat(player_id, index, connection)
        if self.state is RoomState.RUNNING and before is not None:
            seat.incarnation = before.incarnation + 1
            self._store_incarnation(seat)
        was_there = before is not None and before.playing and (before.present or before.lost)
        if before is not None and before.present:
            self._dismiss(before, "You joined this room again from another window, which plays on instead of this one.")
        self.seats[index] = seat
        if was_there:
            # A page that is loaded again may be here before the end of its old line is; the others are not to wait for that.
            for other in self._others(seat):
                if other.present:
                    other.connection.send(messages.left(index, False))
        config = self._source.config(self.loaded, self.session, player_id)
        running = self.state is RoomState.RUNNING
        joined = messages.joined(self.session, player_id, index, self.capacity, seat.key, config, running=running)
        connection.send(joined)
        self._tell_roster()
        return seat

    def resume(self, player_id: str, key: str, connection: Connection) -> Seat:
        """Give a page that takes part its seat back over a new connection; for the others nothing has happened.

        Raises Refused if it has no such seat any more.
        """
        seat = self._seat_of(player_id)
        if seat is None or not seat.playing or not hmac.compare_digest(seat.key.encode(), key.encode()):
            raise Refused("Another page has this seat, or nobody.")
        was_present, old = seat.present, seat.connection
        seat.connection, seat.present, seat.lost = connection, True, False
        connection.send(messages.resumed())
        if was_present:
            old.close()
        else:
            if not self._watches(seat):
                self._withdraw(seat)
            self._tell_rejoined(seat)
        # Who left meanwhile, or came, is not known to it.
        for other in self._others(seat):
            known = messages.rejoined(other.index, other.incarnation) if other.present else messages.left(other.index, other.lost)
            connection.send(known)
        return seat

    def receive(self, seat: Seat, message: FromPage) -> None:
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
            case Failed(error, outcome, text):
                self._failed(seat, error, text, outcome or "failed")
            case Appeal(gone):
                self._appeal(seat, gone)

    def relay(self, seat: Seat, relayed: Relayed) -> None:
        """Hand a packet on to another page that takes part. One that does not yet, or whose line was lost, loses it.

        Raises MessageError if it does not fit the moment.
        """
        if not seat.present:
            raise MessageError("you are not in this room any more")
        if not seat.playing:
            raise MessageError("packets are relayed once the session has started")
        to = self.seats.get(relayed.to)
        if to is not None and to.lost:
            return
        other = self._addressed(seat, relayed.to, "a packet")
        if other.playing:
            other.connection.send_packet(relay.compose(seat.index, relayed), may_be_lost=relayed.channel == relay.INPUT)

    def leave(self, seat: Seat, connection: Connection, *, lost: bool = False) -> bool:
        """A seat's connection is gone, if it still is the seat's; `lost` if without a goodbye.

        Returns whether the page may still come back to its seat: then `give_up` is to be called after some time.
        """
        if not seat.present or seat.connection is not connection:
            return False
        seat.present, seat.lost = False, lost and seat.playing
        if self.state is RoomState.GATHERING:
            del self.seats[seat.index]
            self._tell_roster()
            return False
        for other in self._others(seat):
            if other.present:
                other.connection.send(messages.left(seat.index, seat.lost))
        if not seat.lost:
            self._conclude_left(seat)
        return seat.lost

    def give_up(self, seat: Seat, connection: Connection) -> None:
        """A page whose connection was lost has had its time to come back."""
        if seat.lost and seat.connection is connection and self.seats.get(seat.index) is seat:
            seat.lost = False
            self._conclude_left(seat)

    def is_outdated(self, loaded: LoadedExperiment) -> bool:
        """Whether the experiment was edited between the reading of this session and the given one."""
        return loaded.fingerprint() != self.loaded.fingerprint()

    def is_vacant(self) -> bool:
        """Whether nobody is here any more, nor may come back over another connection."""
        return not any(seat.present or seat.lost for seat in self.seats.values())

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
            for seat in self._present():
                if not seat.playing:
                    self._dismiss(seat, "The session is over: there is nothing left to see.")

    def _present(self) -> list[Seat]:
        return [seat for _, seat in sorted(self.seats.items()) if seat.present]

    def _players(self) -> list[Seat]:
        """The players who are here, by index."""
        return [seat for seat in self._present() if not self._watches(seat)]

    def _watches(self, seat: Seat) -> bool:
        return seat.index >= self.capacity

    def _others(self, seat: Seat) -> list[Seat]:
        """The seats of the other pages that take part, or did."""
        return [other for _, other in sorted(self.seats.items()) if other is not seat and other.playing]

    def _seat_of(self, player_id: str) -> Seat | None:
        return next((seat for seat in self.seats.values() if seat.player_id == player_id), None)

    def _free_index(self, watching: bool) -> int:
        """The first free place. A spectator who left has given theirs up; a player's is kept."""
        first, end = (self.capacity, self.capacity + self.loaded.experiment.spectators) if watching else (0, self.capacity)
        return next(index for index in range(first, end) if index not in self.seats or not self.seats[index].present)

    def _tell_roster(self) -> None:
        if self.state is not RoomState.GATHERING:
            return
        message = messages.roster((seat.player_id, seat.index, seat.ready) for seat in self._players())
        for seat in self._present():
            seat.connection.send(message)

    def _dismiss(self, seat: Seat, reason: str) -> None:
        seat.present = False
        seat.connection.send(messages.refused(reason))
        seat.connection.close()

    def _appeal(self, seat: Seat, gone: tuple[tuple[int, int], ...]) -> None:
        if not seat.playing or self._watches(seat):
            raise MessageError("an appeal has a meaning for players of a running session only")
        for index, incarnation in gone:
            other = self.seats.get(index)
            if other is None or other is seat or self._watches(other) or incarnation > other.incarnation:
                raise MessageError(
                    f"an appeal against player {index}, incarnation {incarnation}, who is not another one of this session"
                )
        granted = self._arbiter.appeal(seat.index, seat.incarnation, gone)
        names = " and ".join(self.seats[index].player_id for index, _ in gone)
        self._report(f"room {self.name}: {seat.player_id} lost {names}, and {'goes on' if granted else 'does not go on'} without")
        seat.connection.send(messages.verdict(gone, granted))

    def _ready(self, seat: Seat) -> None:
        if seat.playing or self.state is RoomState.OVER:
            raise MessageError("ready has no meaning once the session has started")
        if seat.ready:
            return
        seat.ready = True
        if self.state is RoomState.RUNNING:
            self._tell_rejoined(seat)
            self._tell_start(seat, running=True)
            return
        self._tell_roster()
        players = self._players()
        if len(players) == self.capacity and all(player.ready for player in players):
            self._start()

    def _start(self) -> None:
        players = [seat.player_id for seat in self._players()]
        try:
            self._store(started=now())
        except StorageFailed as error:
            self._report(f"room {self.name}: {error}")
            self.dissolve(f"The session cannot start: {error}")
            return
        self.state = RoomState.RUNNING
        self._report(f"room {self.name}: session {self.session} starts with {', '.join(players)}")
        taking_part = [seat for seat in self._present() if seat.ready]
        for seat in taking_part:
            seat.playing = True
        for seat in taking_part:
            self._tell_start(seat, running=False)

    def _tell_start(self, seat: Seat, *, running: bool) -> None:
        seat.playing = True
        # By the seats, not by who is here: a player may be away when another one comes back.
        players = [self.seats[index].player_id for index in range(self.capacity)]
        peers = [(other.index, other.incarnation) for other in self._others(seat) if other.present]
        seat.connection.send(
            messages.start(self.session, self.seed, players, seat.index, incarnation=seat.incarnation, running=running, peers=peers)
        )

    def _tell_rejoined(self, seat: Seat) -> None:
        for other in self._others(seat):
            if other.present:
                other.connection.send(messages.rejoined(seat.index, seat.incarnation))

    def _signal(self, seat: Seat, to: int, data: dict[str, Any]) -> None:
        self._addressed(seat, to, "a signal").connection.send(messages.signal(seat.index, data))

    def _addressed(self, seat: Seat, to: int, what: str) -> Seat:
        """The seat with this index, if something of another one can be sent there. Raises MessageError."""
        if to == seat.index:
            raise MessageError(f"{what} to oneself has no meaning")
        last = self.capacity + self.loaded.experiment.spectators - 1
        if not 0 <= to <= last:
            raise MessageError(f"there is no player {to}; indices go from 0 to {last}")
        other = self.seats.get(to)
        if other is None or not other.present:
            raise MessageError(f"player {to} is not here")
        return other

    def _failed(self, seat: Seat, error: str, text: str, outcome: str) -> None:
        does = "spectator" if self._watches(seat) else "player"
        full = text if error in text else f"{error}\n{text}".strip()
        self._report(f"room {self.name}: {does} {seat.player_id} failed: {printable(full)}")
        if self._watches(seat):
            return
        if self.state is RoomState.RUNNING:
            self._conclude(seat, outcome, full)
        elif self.state is RoomState.GATHERING:
            self._fail_to_start(seat, error, full)

    def _fail_to_start(self, seat: Seat, error: str, full: str) -> None:
        others = [other for other in self._players() if other is not seat]
        try:
            self._store(started=None)
            for player, outcome, detail in [
                (seat.player_id, "failed", full),
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
                players=[seat.player_id for seat in self._players()],
                started=started,
                experiment=self.loaded.for_worker(),
            )
        )

    def _store_incarnation(self, seat: Seat) -> None:
        """What the next page of a player uploads is kept apart; the outcome of the one before is theirs no more."""
        if self._watches(seat):
            return
        try:
            self._storage.begin(self.session, seat.player_id, seat.incarnation)
        except StorageFailed as error:
            self._report(f"room {self.name}: {error}")
            raise Refused(f"You cannot come back to room {self.name}: {error}") from None
        self._report(f"room {self.name}: player {seat.player_id} comes back, for time {seat.incarnation}")

    def _withdraw(self, seat: Seat) -> None:
        try:
            self._storage.withdraw(self.session, seat.player_id)
        except StorageFailed as error:
            self._report(f"room {self.name}: {error}")

    def _conclude_left(self, seat: Seat) -> None:
        if self.state is RoomState.RUNNING and not self._watches(seat):
            self._conclude(seat, "left", "the page was closed, or lost its connection to the server")

    def _conclude(self, seat: Seat, outcome: str, detail: str) -> None:
        try:
            self._storage.conclude(self.session, seat.player_id, outcome, detail)
            self.look_whether_over()
        except StorageFailed as error:
            self._report(f"room {self.name}: {error}")


def printable(text: str) -> str:
    """A page's text without what would command the terminal; lines stay lines."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "?" for letter in text)

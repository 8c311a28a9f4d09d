"""Sessions on disk: who played what, and the rows, record, diagnostics and outcome of every player.

Each kind of upload is one file that only grows. Beside the files, `progress.json` says how many chunks and
bytes of each count; it is replaced after the bytes are written, so what a crash left behind in between does
not count and is overwritten. All of a session can be told from its folder; nothing is kept in memory. The
calls are short and not made for threads: one server, one event loop, one data folder.

    data/<session>/session.json
    data/<session>/players/<player_id>/{rows,record,diagnostics}.ndjson, outcome.json, progress.json
    data/<session>/players/<player_id>/incarnation-<n>/...  the same, of the n-th page after the first

A page that takes a player's seat anew simulates the whole session anew, so what it uploads are the same rows once more, from the
first on; it is kept apart. What counts of a player are the files of the page that got farthest, the newest of those; rows that
are not the beginning of the others, where they should be, are told of in the summary. The outcome is that of the newest page.

This module knows nothing of HTTP, sockets or rooms.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pyodide_runtime.errors import PyodideRuntimeError
from pyodide_runtime.server.chunks import LARGEST_CHUNK_BYTES, LARGEST_FILE_BYTES, Kind, Place, parse
from pyodide_runtime.server.identifiers import checked, is_allowed

_AGAIN = "incarnation-"
COMPLETED = "completed"
RUNNING = "running"


class NotStored(PyodideRuntimeError):
    """There is no such session, player, or file of a player."""


class SequenceGap(PyodideRuntimeError):
    """A chunk came before one that precedes it.

    Attributes:
        expected: the sequence number of the chunk that must come next.
    """

    def __init__(self, sequence: int, expected: int) -> None:
        super().__init__(f"chunk {sequence} came, but chunk {expected} must come next")
        self.expected = expected


class TooLarge(PyodideRuntimeError):
    """A chunk, or the file it would be appended to, is larger than is taken."""


class StorageFailed(PyodideRuntimeError):
    """The data folder cannot be written; the message says why."""


@dataclass(frozen=True, kw_only=True)
class SessionEntry:
    """What is said of a session once, when it is stored.

    Attributes:
        session: its name.
        room: the room in which it gathered.
        name: the experiment's name.
        seed: the session's seed.
        players: the players' ids by index.
        started: ISO 8601 time in UTC at which play started, or None if it never did.
        experiment: module, files, requirements and settings, as the browsers got them.
    """

    session: str
    room: str
    name: str
    seed: int
    players: list[str]
    started: str | None
    experiment: dict[str, Any]


@dataclass
class _File:
    """How much of an uploaded file counts."""

    next: int = 0
    size: int = 0
    lines: int = 0
    last: list[int] | None = None


@dataclass
class _Progress:
    """How far a player's uploads have come, what is certified of them, and who told the outcome and when."""

    files: dict[str, _File] = field(default_factory=lambda: {kind.value: _File() for kind in Kind})
    certified: list[int] | None = None
    outcome_by: str | None = None
    outcome_at: str | None = None


def now() -> str:
    """This moment in UTC, ISO 8601, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class Storage:
    """All sessions in a data folder, which is made if need be.

    Raises StorageFailed if the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            probe = folder / f".{os.getpid()}.probe"
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as error:
            raise StorageFailed(f"the data folder {folder} cannot be written: {error.strerror}") from None

    def create(self, entry: SessionEntry) -> None:
        """Store a new session. Raises StorageFailed."""
        folder = self.folder / checked("session", entry.session)
        try:
            for player in entry.players:
                (folder / "players" / checked("player_id", player)).mkdir(parents=True)
            _write_json(folder / "session.json", asdict(entry))
        except OSError as error:
            raise StorageFailed(f"session {entry.session} cannot be stored: {error.strerror}") from None

    def begin(self, session: str, player: str, incarnation: int) -> None:
        """Another page takes the player's place: what it uploads is kept apart, and the player has no outcome until it has.

        Raises NotStored or StorageFailed.
        """
        try:
            (self._player(session, player) / f"{_AGAIN}{incarnation}").mkdir()
        except OSError as error:
            raise StorageFailed(f"incarnation {incarnation} of player {player} cannot be stored: {error.strerror}") from None

    def append(self, session: str, player: str, kind: Kind, sequence: int, body: bytes, incarnation: int = 0) -> None:
        """Take chunk number `sequence`, counted from 0 for each incarnation of a player and each kind.

        A chunk that is there already is taken for a repeat and changes nothing. Raises NotStored,
        SequenceGap, BadChunk, TooLarge or StorageFailed; then nothing is changed either.
        """
        folder = self._incarnation(session, player, incarnation)
        progress = _read_progress(folder)
        file = progress.files[kind.value]
        if sequence < file.next:
            return
        if sequence > file.next:
            raise SequenceGap(sequence, file.next)
        if len(body) > LARGEST_CHUNK_BYTES:
            raise TooLarge(f"a chunk may have {LARGEST_CHUNK_BYTES} bytes, this one has {len(body)}")
        last: Place | None = None if file.last is None else (file.last[0], file.last[1])
        chunk = parse(kind, body, last)
        if file.size + len(chunk.data) > LARGEST_FILE_BYTES:
            raise TooLarge(f"the {kind.value} of player {player} would pass {LARGEST_FILE_BYTES} bytes")
        try:
            if chunk.outcome is None:
                _write_at(folder / f"{kind.value}.ndjson", file.size, chunk.data)
            else:
                _write_json(folder / "outcome.json", chunk.outcome)
                progress.outcome_by, progress.outcome_at = "player", now()
            file.next += 1
            file.size += len(chunk.data)
            file.lines += chunk.lines
            file.last = None if chunk.last is None else list(chunk.last)
            if chunk.certified is not None:
                progress.certified = list(chunk.certified)
            _write_json(folder / "progress.json", asdict(progress))
        except OSError as error:
            raise StorageFailed(f"the {kind.value} of player {player} cannot be stored: {error.strerror}") from None

    def conclude(self, session: str, player: str, outcome: str, detail: str) -> bool:
        """Give a player the outcome that the server saw, unless there is one. True if there was none.

        It is certified through what the player said last, as far as the rows came. The player's own word, if it comes later,
        takes its place. Raises NotStored or StorageFailed.
        """
        folder = self._incarnations(session, player)[-1]
        progress = _read_progress(folder)
        if progress.outcome_by is not None:
            return False
        progress.outcome_by, progress.outcome_at = "server", now()
        rows = progress.files[Kind.ROWS.value]
        certified = None if progress.certified is None or rows.last is None else min(progress.certified, rows.last)
        told = {"outcome": outcome, "detail": detail, "certified_through": certified, "rows": rows.lines}
        try:
            _write_json(folder / "outcome.json", told)
            _write_json(folder / "progress.json", asdict(progress))
        except OSError as error:
            raise StorageFailed(f"the outcome of player {player} cannot be stored: {error.strerror}") from None
        return True

    def withdraw(self, session: str, player: str) -> bool:
        """Take back the outcome that the server gave a player, who plays on after all. True if there was one.

        Raises NotStored or StorageFailed.
        """
        folder = self._incarnations(session, player)[-1]
        progress = _read_progress(folder)
        if progress.outcome_by != "server":
            return False
        progress.outcome_by = progress.outcome_at = None
        try:
            _write_json(folder / "progress.json", asdict(progress))
            (folder / "outcome.json").unlink()
        except OSError as error:
            raise StorageFailed(f"the outcome of player {player} cannot be taken back: {error.strerror}") from None
        return True

    def outcome(self, session: str, player: str) -> str | None:
        """The word for a player's outcome; None as long as there is none. Raises NotStored."""
        folder = self._incarnations(session, player)[-1]
        if _read_progress(folder).outcome_by is None:
            return None
        return str(_read_json(folder / "outcome.json")["outcome"])

    def conclude_all(self, outcome: str, detail: str) -> None:
        """Give every player of every session that has no outcome this one: none of them is here any more."""
        for session in self._names():
            for player in self._entry(session)["players"]:
                self.conclude(session, player, outcome, detail)

    def text(self, session: str, player: str, kind: Kind) -> bytes:
        """All that a player stored of a kind, as it was stored: of the page that got farthest.

        Raises NotStored, also while there is no outcome.
        """
        folders = self._incarnations(session, player)
        if kind is Kind.OUTCOME:
            if _read_progress(folders[-1]).outcome_by is None:
                raise NotStored(f"player {player} has no outcome yet")
            return (folders[-1] / "outcome.json").read_bytes()
        folder = folders[_farthest([_read_progress(folder) for folder in folders])]
        progress = _read_progress(folder)
        size = progress.files[kind.value].size
        return (folder / f"{kind.value}.ndjson").read_bytes()[:size] if size else b""

    def summary(self, session: str) -> dict[str, Any]:
        """A session, its players and their outcomes, as JSON values. Raises NotStored."""
        entry = self._entry(session)
        players = [self._player_summary(session, index, player) for index, player in enumerate(entry["players"])]
        outcomes = [player["outcome"] for player in players]
        others = [outcome for outcome in outcomes if outcome != COMPLETED]
        running = None in outcomes
        finished = None if running else max(player.pop("_at") for player in players)
        for player in players:
            player.pop("_at", None)
        return {
            "session": entry["session"],
            "room": entry["room"],
            "name": entry["name"],
            "seed": entry["seed"],
            "outcome": RUNNING if running else others[0] if others else COMPLETED,
            "started": entry["started"],
            "finished": finished,
            "players": players,
        }

    def summaries(self) -> list[dict[str, Any]]:
        """All sessions, the newest first. Raises StorageFailed, naming the file, if one is damaged."""
        return [self.summary(session) for session in sorted(self._names(), reverse=True)]

    def is_over(self, session: str) -> bool:
        """Whether all players of a session have an outcome. Raises NotStored."""
        return bool(self.summary(session)["outcome"] != RUNNING)

    def _player_summary(self, session: str, index: int, player: str) -> dict[str, Any]:
        folders = self._incarnations(session, player)
        progresses = [_read_progress(folder) for folder in folders]
        newest, farthest = progresses[-1], _farthest(progresses)
        told: dict[str, Any] = {}
        if newest.outcome_by is not None:
            told = _read_json(folders[-1] / "outcome.json")
        return {
            "player_id": player,
            "index": index,
            "outcome": told.get("outcome"),
            "told_by": newest.outcome_by,
            "detail": told.get("detail", ""),
            "rows": progresses[farthest].files[Kind.ROWS.value].lines,
            "certified_through": told.get("certified_through"),
            "desync": told.get("desync"),
            "incarnations": len(folders),
            "incarnation": farthest,
            "error": _contradiction(folders, progresses, farthest),
            "_at": newest.outcome_at,
        }

    def _names(self) -> list[str]:
        names = (file.parent.name for file in self.folder.glob("*/session.json"))
        return [name for name in names if is_allowed(name)]

    def _entry(self, session: str) -> dict[str, Any]:
        file = self.folder / checked("session", session) / "session.json"
        try:
            return _read_json(file)
        except FileNotFoundError:
            raise NotStored(f"there is no session {session}") from None

    def _player(self, session: str, player: str) -> Path:
        folder = self.folder / checked("session", session) / "players" / checked("player_id", player)
        if not folder.is_dir():
            self._entry(session)
            raise NotStored(f"there is no player {player} in session {session}")
        return folder

    def _incarnations(self, session: str, player: str) -> list[Path]:
        """The folders of all pages that have played for a player, in order."""
        first = self._player(session, player)
        count = sum(1 for _ in first.glob(f"{_AGAIN}*/"))
        return [first, *(first / f"{_AGAIN}{number}" for number in range(1, count + 1))]

    def _incarnation(self, session: str, player: str, number: int) -> Path:
        folders = self._incarnations(session, player)
        if number >= len(folders):
            raise NotStored(f"player {player} in session {session} has had {len(folders)} pages; there is no incarnation {number}")
        return folders[number]


def _farthest(progresses: list[_Progress]) -> int:
    """Which page stored the most rows: the newest of those that did."""
    return max(range(len(progresses)), key=lambda number: (progresses[number].files[Kind.ROWS.value].lines, number))


def _contradiction(folders: list[Path], progresses: list[_Progress], farthest: int) -> str | None:
    """What a person must know if the rows of a page are not the beginning of those of the page that got farthest."""
    longest = folders[farthest] / "rows.ndjson"
    for number, (folder, progress) in enumerate(zip(folders, progresses, strict=True)):
        size = progress.files[Kind.ROWS.value].size
        if number == farthest or not size:
            continue
        with open(folder / "rows.ndjson", "rb") as one, open(longest, "rb") as other:
            for place, line in enumerate(one):
                if one.tell() > size:
                    break
                if other.readline() != line:
                    return f"the rows of incarnation {number} and of incarnation {farthest} differ from row {place} on"
    return None


def _read_progress(folder: Path) -> _Progress:
    try:
        told = _read_json(folder / "progress.json")
    except FileNotFoundError:
        return _Progress()
    told["files"] = {kind: _File(**file) for kind, file in told["files"].items()}
    return _Progress(**told)


def _read_json(file: Path) -> dict[str, Any]:
    try:
        value: dict[str, Any] = json.loads(file.read_bytes())
    except ValueError as error:
        raise StorageFailed(f"{file} is damaged: {error}") from None
    return value


def _write_json(file: Path, value: object) -> None:
    """Replace a file in one go: a reader sees the old contents or the new."""
    new = file.with_name(f".{file.name}.new")
    new.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
    os.replace(new, file)


def _write_at(file: Path, offset: int, data: bytes) -> None:
    """Write data at an offset, which is where the file that counts ends, and nothing behind it."""
    with open(os.open(file, os.O_RDWR | os.O_CREAT, 0o644), "r+b") as stream:
        if stream.seek(0, os.SEEK_END) < offset:
            raise OSError(0, f"{file.name} is shorter than what was stored in it")
        stream.truncate(offset)
        stream.seek(offset)
        stream.write(data)

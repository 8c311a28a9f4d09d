"""Laws of what is kept of a session, and of the chunks that it is kept in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pyodide_runtime.server import storage
from pyodide_runtime.server.chunks import BadChunk, Kind
from pyodide_runtime.server.identifiers import BadIdentifier
from pyodide_runtime.server.storage import (
    NotStored,
    SequenceGap,
    SessionEntry,
    Storage,
    StorageFailed,
    TooLarge,
    now,
)
from pyodide_runtime.uploads import read_rows

SESSION = "20260101-000000-abc"


def entry(session: str = SESSION, *players: str) -> SessionEntry:
    return SessionEntry(
        session=session,
        room="demo",
        name="Pots",
        seed=7,
        players=list(players or ("A", "B")),
        started=now(),
        experiment={"module": "pots"},
    )


def rows(*places: tuple[int, int]) -> bytes:
    lines = [
        {"episode": episode, "frame": frame, "cells": [["episode", str(episode)], ["frame", str(frame)]]}
        for episode, frame in places
    ]
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


@pytest.fixture
def kept(tmp_path: Path) -> Storage:
    made = Storage(tmp_path / "deep" / "data")
    made.create(entry())
    return made


def everything(kept: Storage) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in sorted(kept.folder.rglob("*")) if file.is_file()}


def test_chunks_are_appended_in_order(kept: Storage) -> None:
    kept.append(SESSION, "A", Kind.ROWS, 0, rows((0, 0), (0, 1)))
    kept.append(SESSION, "A", Kind.ROWS, 1, rows((0, 2)).removesuffix(b"\n"))
    kept.append(SESSION, "A", Kind.ROWS, 2, b"")
    kept.append(SESSION, "A", Kind.ROWS, 3, rows((1, 0)))
    assert kept.text(SESSION, "A", Kind.ROWS) == rows((0, 0), (0, 1), (0, 2), (1, 0))
    assert kept.summary(SESSION)["players"][0]["rows"] == 4


def test_a_repeated_chunk_is_taken_and_changes_nothing(kept: Storage) -> None:
    kept.append(SESSION, "A", Kind.ROWS, 0, rows((0, 0)))
    kept.append(SESSION, "A", Kind.ROWS, 1, rows((0, 1)))
    before = everything(kept)
    kept.append(SESSION, "A", Kind.ROWS, 0, rows((0, 0)))
    kept.append(SESSION, "A", Kind.ROWS, 1, b"something else")
    assert everything(kept) == before


def test_a_gap_in_chunks_is_refused_with_the_number_expected(kept: Storage) -> None:
    for sequence in (1, 7):
        with pytest.raises(SequenceGap) as caught:
            kept.append(SESSION, "A", Kind.RECORD, sequence, b"{}\n")
        assert caught.value.expected == 0
    kept.append(SESSION, "A", Kind.RECORD, 0, b"{}\n")
    with pytest.raises(SequenceGap) as caught:
        kept.append(SESSION, "A", Kind.RECORD, 2, b"{}\n")
    assert caught.value.expected == 1


def test_players_and_kinds_count_apart(kept: Storage) -> None:
    kept.append(SESSION, "A", Kind.RECORD, 0, b'{"record":1}\n')
    kept.append(SESSION, "B", Kind.RECORD, 0, b'{"record":2}\n')
    kept.append(SESSION, "A", Kind.DIAGNOSTICS, 0, b'{"d":1}\n')
    assert kept.text(SESSION, "A", Kind.RECORD) == b'{"record":1}\n'
    assert kept.text(SESSION, "B", Kind.RECORD) == b'{"record":2}\n'
    assert kept.text(SESSION, "A", Kind.DIAGNOSTICS) == b'{"d":1}\n'
    assert kept.text(SESSION, "B", Kind.DIAGNOSTICS) == b""


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (Kind.ROWS, b"{"),
        (Kind.ROWS, b"[]"),
        (Kind.ROWS, b"{}"),
        (Kind.ROWS, b"\n"),
        (Kind.ROWS, b"\xff"),
        (Kind.ROWS, rows((0, 0)) + b"{}"),
        (Kind.ROWS, rows((0, 1), (0, 1))),
        (Kind.ROWS, rows((0, 1), (0, 0))),
        (Kind.ROWS, rows((1, 0), (0, 5))),
        (Kind.ROWS, rows((-1, 0))),
        (Kind.ROWS, b'{"episode":0,"frame":0,"cells":[],"more":1}'),
        (Kind.ROWS, b'{"episode":0,"frame":0.0,"cells":[]}'),
        (Kind.ROWS, b'{"episode":true,"frame":0,"cells":[]}'),
        (Kind.ROWS, b'{"episode":0,"frame":0,"cells":{"a":"b"}}'),
        (Kind.ROWS, b'{"episode":0,"frame":0,"cells":[["a",1]]}'),
        (Kind.ROWS, b'{"episode":0,"frame":0,"cells":[["a"]]}'),
        (Kind.ROWS, b'{"episode":0,"frame":0,"cells":[["a","1"],["a","2"]]}'),
        (Kind.ROWS, b'{"episode":0,"frame":0,"cells":[["a","\\ud800"]]}'),
        (Kind.RECORD, b"3"),
        (Kind.RECORD, b'{"a":NaN}'),
        (Kind.RECORD, b'{"a":1}\n\n'),
        (Kind.RECORD, b'{"a":' + b"[" * 100_000),
        (Kind.RECORD, b'{"a":' + b"9" * 10_000 + b"}"),
        (Kind.DIAGNOSTICS, b"null"),
        (Kind.OUTCOME, b""),
        (Kind.OUTCOME, b"{}"),
        (Kind.OUTCOME, b'"completed"'),
        (Kind.OUTCOME, b'{"outcome":""}'),
        (Kind.OUTCOME, b'{"outcome":"Quite Well"}'),
        (Kind.OUTCOME, b'{"outcome":"completed","detail":3}'),
        (Kind.OUTCOME, b'{"outcome":"desync","desync":"frame 3"}'),
        (Kind.OUTCOME, b'{"outcome":"completed","certified_through":450}'),
        (Kind.OUTCOME, b'{"outcome":"completed","certified_through":[0]}'),
        (Kind.OUTCOME, b'{"outcome":"completed"}\n{"outcome":"left"}'),
    ],
)
def test_a_malformed_chunk_is_refused_and_changes_nothing(kept: Storage, kind: Kind, body: bytes) -> None:
    before = everything(kept)
    with pytest.raises(BadChunk):
        kept.append(SESSION, "A", kind, 0, body)
    assert everything(kept) == before


def test_a_row_is_never_written_twice_over_chunks_either(kept: Storage) -> None:
    kept.append(SESSION, "A", Kind.ROWS, 0, rows((0, 0), (0, 1)))
    with pytest.raises(BadChunk, match="written once"):
        kept.append(SESSION, "A", Kind.ROWS, 1, rows((0, 1)))
    kept.append(SESSION, "A", Kind.ROWS, 1, rows((0, 2)))


def test_cells_come_back_row_by_row(kept: Storage) -> None:
    kept.append(SESSION, "A", Kind.ROWS, 0, b'{"episode":0,"frame":0,"cells":[["a\\u2028","1\\r"],["b","x"]]}\r\n')
    assert list(read_rows(kept.text(SESSION, "A", Kind.ROWS))) == [[("a\u2028", "1\r"), ("b", "x")]]


def test_sizes_are_limited(kept: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "LARGEST_CHUNK_BYTES", 10)
    monkeypatch.setattr(storage, "LARGEST_FILE_BYTES", 20)
    kept.append(SESSION, "A", Kind.RECORD, 0, b'{"abc":1}\n')
    kept.append(SESSION, "A", Kind.RECORD, 1, b'{"abc":1}\n')
    before = everything(kept)
    for body in (b'{"abcd":1}\n', b"{}\n"):
        with pytest.raises(TooLarge):
            kept.append(SESSION, "A", Kind.RECORD, 2, body)
    assert everything(kept) == before


def test_what_a_crash_left_behind_does_not_count(kept: Storage) -> None:
    kept.append(SESSION, "A", Kind.RECORD, 0, b'{"a":1}\n')
    with open(kept.folder / SESSION / "players/A/record.ndjson", "ab") as file:
        file.write(b'{"half')
    assert kept.text(SESSION, "A", Kind.RECORD) == b'{"a":1}\n'
    kept.append(SESSION, "A", Kind.RECORD, 1, b"{}\n")
    assert kept.text(SESSION, "A", Kind.RECORD) == b'{"a":1}\n{}\n'
    assert (kept.folder / SESSION / "players/A/record.ndjson").read_bytes() == b'{"a":1}\n{}\n'


def test_a_file_that_lost_stored_bytes_is_not_written_to(kept: Storage) -> None:
    kept.append(SESSION, "A", Kind.RECORD, 0, b'{"a":1}\n')
    (kept.folder / SESSION / "players/A/record.ndjson").write_bytes(b"{")
    with pytest.raises(StorageFailed):
        kept.append(SESSION, "A", Kind.RECORD, 1, b"{}\n")


def test_storage_survives_a_restart_in_the_middle_of_a_session(kept: Storage) -> None:
    kept.append(SESSION, "A", Kind.ROWS, 0, rows((0, 0)))
    again = Storage(kept.folder)
    with pytest.raises(SequenceGap):
        again.append(SESSION, "A", Kind.ROWS, 2, rows((0, 2)))
    again.append(SESSION, "A", Kind.ROWS, 1, rows((0, 1)))
    assert again.text(SESSION, "A", Kind.ROWS) == rows((0, 0), (0, 1))
    assert [session["session"] for session in again.summaries()] == [SESSION]


def outcome(word: str, **more: Any) -> bytes:
    return json.dumps({"outcome": word, **more}).encode()


@pytest.mark.parametrize(
    ("first", "second", "session"),
    [
        ("completed", "completed", "completed"),
        ("completed", "peer_left", "peer_left"),
        ("left", "peer_left", "left"),
        ("desync", "completed", "desync"),
    ],
)
def test_a_session_is_completed_if_all_are_else_the_first_other(kept: Storage, first: str, second: str, session: str) -> None:
    kept.append(SESSION, "B", Kind.OUTCOME, 0, outcome(second))
    assert kept.summary(SESSION)["outcome"] == "running"
    assert kept.summary(SESSION)["finished"] is None
    assert not kept.is_over(SESSION)
    kept.append(SESSION, "A", Kind.OUTCOME, 0, outcome(first))
    told = kept.summary(SESSION)
    assert told["outcome"] == session
    assert told["finished"] >= told["started"]
    assert kept.is_over(SESSION)


def test_an_outcome_is_kept_as_the_player_told_it(kept: Storage) -> None:
    with pytest.raises(NotStored):
        kept.text(SESSION, "A", Kind.OUTCOME)
    told = {
        "outcome": "desync",
        "detail": "frame 3",
        "certified_through": [0, 2],
        "rows": 3,
        "chain": "ab",
        "paths": [1],
    }
    kept.append(SESSION, "A", Kind.OUTCOME, 0, json.dumps(told).encode())
    assert json.loads(kept.text(SESSION, "A", Kind.OUTCOME)) == told
    player = kept.summary(SESSION)["players"][0]
    assert player == {
        "player_id": "A",
        "index": 0,
        "outcome": "desync",
        "told_by": "player",
        "detail": "frame 3",
        "rows": 0,
        "certified_through": [0, 2],
        "desync": None,
        "incarnations": 1,
        "incarnation": 0,
        "error": None,
    }


def test_what_a_desync_was_found_to_be_is_kept_and_told_with_the_session(kept: Storage) -> None:
    report = {"episode": 0, "frame": 37, "path": "environment.x", "values": {"player_0": "1.5", "player_1": "1.25"}}
    kept.append(SESSION, "A", Kind.OUTCOME, 0, outcome("desync", desync=report))
    kept.append(SESSION, "B", Kind.OUTCOME, 0, outcome("desync"))
    assert [player["desync"] for player in kept.summary(SESSION)["players"]] == [report, None]
    assert json.loads(kept.text(SESSION, "A", Kind.OUTCOME))["desync"] == report


def test_what_the_server_concludes_is_certified_as_far_as_the_player_said_and_the_rows_came(kept: Storage) -> None:
    rows = [{"episode": 0, "frame": frame, "cells": []} for frame in range(4)]
    kept.append(SESSION, "A", Kind.ROWS, 0, "\n".join(map(json.dumps, rows)).encode())
    for sequence, certified in enumerate(([0, 1], [0, 9], "soon")):
        note = json.dumps({"event": "summary", "certified_through": certified}).encode()
        kept.append(SESSION, "A", Kind.DIAGNOSTICS, sequence, note)
        if sequence == 0:
            kept.append(SESSION, "B", Kind.ROWS, 0, json.dumps(rows[0]).encode())
            kept.append(SESSION, "B", Kind.DIAGNOSTICS, 0, b'{"event":"summary","certified_through":[0,-1]}')
    for player in "AB":
        assert kept.conclude(SESSION, player, "left", "gone")
    players = kept.summary(SESSION)["players"]
    assert [player["certified_through"] for player in players] == [[0, 3], [0, -1]]
    assert {player["told_by"] for player in players} == {"server"}


def test_what_the_server_concludes_never_hides_what_the_player_says(kept: Storage) -> None:
    assert kept.conclude(SESSION, "A", "left", "gone")
    assert not kept.conclude(SESSION, "A", "failed", "again")
    assert json.loads(kept.text(SESSION, "A", Kind.OUTCOME))["outcome"] == "left"
    kept.append(SESSION, "A", Kind.OUTCOME, 0, outcome("completed"))
    assert not kept.conclude(SESSION, "A", "left", "gone")
    assert json.loads(kept.text(SESSION, "A", Kind.OUTCOME)) == {"outcome": "completed"}


def test_players_of_an_earlier_server_without_outcome_have_left(kept: Storage) -> None:
    kept.append(SESSION, "A", Kind.OUTCOME, 0, outcome("completed"))
    kept.conclude_all("left", "stopped")
    assert [player["outcome"] for player in kept.summary(SESSION)["players"]] == ["completed", "left"]


# -- several pages of one player -----------------------------------------------------------------------------------------


def test_each_incarnation_counts_its_own_chunks(kept: Storage) -> None:
    kept.append(SESSION, "A", Kind.ROWS, 0, rows((0, 0), (0, 1)))
    kept.begin(SESSION, "A", 1)
    with pytest.raises(SequenceGap):
        kept.append(SESSION, "A", Kind.ROWS, 1, rows((0, 2)), 1)
    kept.append(SESSION, "A", Kind.ROWS, 0, rows((0, 0)), 1)
    kept.append(SESSION, "A", Kind.ROWS, 1, rows((0, 2)))
    assert kept.text(SESSION, "A", Kind.ROWS) == rows((0, 0), (0, 1), (0, 2))
    assert (kept.folder / SESSION / "players/A/incarnation-1/rows.ndjson").read_bytes() == rows((0, 0))


def test_the_newest_of_those_that_got_equally_far_is_served_with_all_its_files(kept: Storage) -> None:
    for number in range(3):
        if number:
            kept.begin(SESSION, "A", number)
        kept.append(SESSION, "A", Kind.RECORD, 0, b'{"page":%d}\n' % number, number)
        kept.append(SESSION, "A", Kind.DIAGNOSTICS, 0, b'{"page":%d}\n' % number, number)
        kept.append(SESSION, "A", Kind.ROWS, 0, rows((0, 0)) if number < 2 else b"", number)
    for kind in (Kind.RECORD, Kind.DIAGNOSTICS):
        assert kept.text(SESSION, "A", kind) == b'{"page":1}\n'
    told = kept.summary(SESSION)["players"][0]
    assert (told["rows"], told["incarnation"], told["incarnations"], told["error"]) == (1, 1, 3, None)


def test_the_outcome_is_the_newest_pages_own(kept: Storage) -> None:
    kept.append(SESSION, "A", Kind.OUTCOME, 0, outcome("left"))
    assert kept.outcome(SESSION, "A") == "left"
    kept.begin(SESSION, "A", 1)
    assert kept.outcome(SESSION, "A") is None
    with pytest.raises(NotStored):
        kept.text(SESSION, "A", Kind.OUTCOME)
    assert kept.conclude(SESSION, "A", "left", "gone again")
    assert json.loads(kept.text(SESSION, "A", Kind.OUTCOME))["detail"] == "gone again"
    kept.append(SESSION, "A", Kind.OUTCOME, 0, outcome("completed"), 1)
    assert kept.outcome(SESSION, "A") == kept.summary(SESSION)["players"][0]["outcome"] == "completed"


def test_only_what_the_server_concluded_is_taken_back(kept: Storage) -> None:
    assert not kept.withdraw(SESSION, "A")
    kept.conclude(SESSION, "A", "left", "gone")
    assert kept.withdraw(SESSION, "A")
    assert kept.outcome(SESSION, "A") is None and not kept.is_over(SESSION)
    kept.append(SESSION, "A", Kind.OUTCOME, 0, outcome("left"))
    assert not kept.withdraw(SESSION, "A")
    assert kept.outcome(SESSION, "A") == "left"


@pytest.mark.parametrize(("later", "place"), [(((0, 0), (0, 2)), 1), (((0, 1),), 0), (((0, 0), (0, 1), (0, 3), (0, 4)), 2)])
def test_rows_that_contradict_those_of_another_page_are_told_of_by_their_first(
    kept: Storage, later: tuple[tuple[int, int], ...], place: int
) -> None:
    kept.append(SESSION, "A", Kind.ROWS, 0, rows((0, 0), (0, 1), (0, 2)))
    kept.begin(SESSION, "A", 1)
    kept.append(SESSION, "A", Kind.ROWS, 0, rows(*later), 1)
    told = kept.summary(SESSION)["players"][0]["error"]
    assert told is not None and told.endswith(f"differ from row {place} on")
    assert kept.summary(SESSION)["players"][1]["error"] is None


def test_what_a_crash_left_behind_in_the_rows_contradicts_nothing(kept: Storage) -> None:
    kept.append(SESSION, "A", Kind.ROWS, 0, rows((0, 0)))
    kept.begin(SESSION, "A", 1)
    kept.append(SESSION, "A", Kind.ROWS, 0, rows((0, 0), (0, 1)), 1)
    with open(kept.folder / SESSION / "players/A/rows.ndjson", "ab") as file:
        file.write(b'{"half')
    assert kept.summary(SESSION)["players"][0]["error"] is None


def test_an_incarnation_begins_once_and_in_order(kept: Storage) -> None:
    kept.begin(SESSION, "A", 1)
    with pytest.raises(StorageFailed):
        kept.begin(SESSION, "A", 1)
    with pytest.raises(NotStored, match="no incarnation 2"):
        kept.append(SESSION, "A", Kind.RECORD, 0, b"{}\n", 2)
    with pytest.raises(NotStored):
        kept.begin(SESSION, "C", 1)


def test_pages_survive_a_restart(kept: Storage) -> None:
    kept.append(SESSION, "A", Kind.ROWS, 0, rows((0, 0)))
    kept.begin(SESSION, "A", 1)
    again = Storage(kept.folder)
    again.append(SESSION, "A", Kind.ROWS, 0, rows((0, 0), (0, 1)), 1)
    again.conclude_all("left", "stopped")
    assert again.summary(SESSION)["players"][0]["rows"] == 2
    assert again.outcome(SESSION, "A") == "left"


def test_sessions_are_listed_newest_first_and_foreign_folders_are_not(kept: Storage) -> None:
    kept.create(entry("20260102-000000-abc", "C"))
    (kept.folder / ".hidden").mkdir()
    (kept.folder / ".hidden" / "session.json").write_text("{}")
    (kept.folder / "notes").mkdir()
    assert [session["session"] for session in kept.summaries()] == ["20260102-000000-abc", SESSION]


def test_a_session_is_stored_once(kept: Storage) -> None:
    with pytest.raises(StorageFailed):
        kept.create(entry())


@pytest.mark.parametrize("bad", ["", "..", ".", "../x", "a/b", "a\\b", "a\0", "-a", "a" * 65, "a b", "ä", "a\n"])
def test_no_name_leads_out_of_the_folder(kept: Storage, bad: str) -> None:
    with pytest.raises(BadIdentifier):
        kept.append(bad, "A", Kind.RECORD, 0, b"")
    with pytest.raises(BadIdentifier):
        kept.append(SESSION, bad, Kind.RECORD, 0, b"")
    with pytest.raises(BadIdentifier):
        kept.text(SESSION, bad, Kind.RECORD)
    with pytest.raises(BadIdentifier):
        kept.create(entry(bad))
    with pytest.raises(BadIdentifier):
        kept.create(entry("good", bad))


def test_what_is_not_there_is_named(kept: Storage) -> None:
    with pytest.raises(NotStored, match="no session other"):
        kept.append("other", "A", Kind.RECORD, 0, b"")
    with pytest.raises(NotStored, match="no player C in session"):
        kept.append(SESSION, "C", Kind.RECORD, 0, b"")


def test_damage_is_named(kept: Storage) -> None:
    (kept.folder / SESSION / "session.json").write_text("{")
    with pytest.raises(StorageFailed, match=r"session\.json is damaged"):
        kept.summaries()


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageFailed, match="cannot be written"):
        Storage(tmp_path / "file" / "data")

"""Laws of uploads: every line is stored once, in its order, whatever is lost on the way, and the outcome comes last."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyodide_runtime.rows import Row, to_csv
from pyodide_runtime.uploads import (
    CHUNK_BYTES,
    FIRST_WAIT_MS,
    GATHER_MS,
    LONGEST_WAIT_MS,
    PATIENCE_MS,
    ROOM_MS,
    Chunk,
    UploadJournal,
)
from pyodide_runtime.worker import export


def lines(chunks: list[Chunk], kind: str) -> list[Any]:
    return [json.loads(line) for chunk in chunks if chunk.kind == kind for line in chunk.body.splitlines()]


def settle(journal: UploadJournal, now: float = 0.0) -> list[Chunk]:
    """Store all that becomes due; what was sent, in order."""
    sent: list[Chunk] = []
    while not journal.settled:
        now += GATHER_MS
        for chunk in journal.due(now):
            sent.append(chunk)
            journal.stored(chunk.number)
    return sent


def test_every_call_is_a_line_of_its_kind() -> None:
    journal = UploadJournal({"session": "s"})
    journal.episode(0, 5)
    columns = ("episode", "x")
    journal.rows(0, 3, [Row(columns, ("0", "a")), Row(columns, ("0", "é"))], [(b"\1",), (b"\2",)])
    journal.note({"event": "rollback"})
    journal.episode_end(0, 5, b"\xab\xcd")
    journal.outcome({"outcome": "completed"})
    sent = settle(journal)
    assert lines(sent, "record") == [
        {"record": 1, "session": "s"},
        {"episode": 0, "seed": 5},
        {"inputs": ["AQI="], "episode": 0, "from": 3},
        {"end": 0, "frames": 5, "chain": "abcd"},
        {"outcome": {"outcome": "completed"}},
    ]
    assert lines(sent, "rows") == [
        {"episode": 0, "frame": 3, "cells": [["episode", "0"], ["x", "a"]]},
        {"episode": 0, "frame": 4, "cells": [["episode", "0"], ["x", "é"]]},
    ]
    assert lines(sent, "diagnostics") == [{"event": "rollback"}]
    assert lines(sent, "outcome") == [{"outcome": "completed"}] and sent[-1].kind == "outcome"


@given(st.lists(st.lists(st.tuples(st.text(), st.text()), max_size=4), max_size=3), st.integers(0), st.integers(0))
def test_the_line_of_a_row_is_compact_json_whatever_the_texts(rows: list[list[tuple[str, str]]], episode: int, start: int) -> None:
    journal = UploadJournal({})
    parts = [Row(tuple(column for column, _ in row), tuple(text for _, text in row)) for row in rows]
    journal.rows(episode, start, parts, [])
    body = b"".join(chunk.body for chunk in settle(journal) if chunk.kind == "rows")
    values = [{"episode": episode, "frame": frame, "cells": row} for frame, row in enumerate(rows, start)]
    assert body == b"".join(json.dumps(value, separators=(",", ":")).encode() + b"\n" for value in values)


def test_lines_are_gathered_for_a_while_unless_they_are_flushed() -> None:
    journal = UploadJournal({})
    assert journal.due(GATHER_MS - 1) == []
    (first,) = journal.due(GATHER_MS)
    journal.stored(first.number)
    journal.note({"n": 1})
    assert journal.due(2 * GATHER_MS - 1) == []
    journal.flush()
    assert [chunk.kind for chunk in journal.due(2 * GATHER_MS - 1)] == ["diagnostics"]


def test_of_each_kind_one_chunk_is_on_its_way_at_a_time() -> None:
    journal = UploadJournal({})
    (first,) = journal.due(GATHER_MS)
    journal.episode(0, 1)
    journal.note({"n": 1})
    assert [chunk.kind for chunk in journal.due(2 * GATHER_MS)] == ["diagnostics"]
    journal.stored(first.number)
    (second,) = journal.due(3 * GATHER_MS)
    assert (second.kind, second.sequence) == ("record", 1)


def test_a_chunk_that_was_not_stored_is_sent_again_ever_more_patiently() -> None:
    journal, now = UploadJournal({}), GATHER_MS
    (chunk,) = journal.due(now)
    waits = []
    for _ in range(8):
        journal.unstored(chunk.number, now)
        assert journal.due(now) == [] and not journal.settled
        wait = FIRST_WAIT_MS
        while not (again := journal.due(now + wait)):
            wait += FIRST_WAIT_MS
        assert again == [chunk]
        waits.append(wait)
        now += wait
    assert waits == [250, 500, 1000, 2000, 4000, 8000, 8000, LONGEST_WAIT_MS]
    journal.stored(chunk.number)
    assert journal.settled
    journal.episode(0, 1)
    (following,) = journal.due(now + GATHER_MS)
    journal.unstored(following.number, now)
    assert journal.due(now + FIRST_WAIT_MS) == [following], "after a success patience begins anew"


def test_answers_about_chunks_that_are_not_on_their_way_change_nothing() -> None:
    journal = UploadJournal({})
    (chunk,) = journal.due(GATHER_MS)
    for number in (0, -1, chunk.number + 1, 2**32):
        journal.stored(number)
        journal.unstored(number, 0.0)
    assert not journal.settled and journal.due(9 * GATHER_MS) == []
    journal.stored(chunk.number)
    journal.stored(chunk.number)
    journal.unstored(chunk.number, 0.0)
    assert journal.settled


def test_the_outcome_waits_until_all_else_is_stored() -> None:
    journal = UploadJournal({})
    journal.note({"n": 1})
    journal.outcome({"outcome": "left"})
    record, note = journal.due(0.0)
    journal.stored(record.number)
    assert journal.due(0.0) == []
    journal.unstored(note.number, 0.0)
    assert journal.due(FIRST_WAIT_MS) == [note]
    journal.stored(note.number)
    (outcome,) = journal.due(FIRST_WAIT_MS)
    assert outcome.kind == "outcome"


def test_on_leaving_every_chunk_that_is_not_stored_goes_out_at_once_and_in_order() -> None:
    journal = UploadJournal({"n": 0})
    (first,) = journal.due(GATHER_MS)
    journal.episode(0, 1)
    journal.outcome({"outcome": "left"})
    left = journal.leave()
    assert [(chunk.kind, chunk.sequence) for chunk in left] == [("record", 0), ("record", 1), ("outcome", 0)]
    assert left[0] == first and journal.leave() == left
    assert journal.due(9 * GATHER_MS) == [], "they are on their way"
    journal.unstored(first.number, 0.0)
    assert journal.due(9 * GATHER_MS) == [first]


def test_a_chunk_is_no_larger_than_it_may_be_unless_one_line_is() -> None:
    journal = UploadJournal({})
    for size in (100_000, 100_000, 100_000, 300_000, 10):
        journal.note({"text": "x" * size})
    notes = [chunk for chunk in settle(journal) if chunk.kind == "diagnostics"]
    assert [chunk.sequence for chunk in notes] == list(range(len(notes)))
    assert [chunk.body.count(b"\n") for chunk in notes] == [2, 1, 1, 1]
    assert all(len(chunk.body) <= CHUNK_BYTES or chunk.body.count(b"\n") == 1 for chunk in notes)


@pytest.mark.parametrize("fate", ["stored", "lost", "stored, but the answer is lost"])
@settings(deadline=None, max_examples=60)
@given(course=st.lists(st.tuples(st.sampled_from(["note", "episode", "flush", "wait"]), st.integers(0, 3)), max_size=30))
def test_whatever_is_lost_every_line_is_stored_once_and_in_order(fate: str, course: list[tuple[str, int]]) -> None:
    journal = UploadJournal({})
    stored: dict[tuple[str, int], Chunk] = {}
    written: dict[str, list[Any]] = {"record": [{"record": 1}], "diagnostics": []}
    now, turn = 0.0, 0

    def carry(chunk: Chunk) -> None:
        nonlocal turn
        turn += 1
        well = fate == "stored" or turn % 3 == 0
        if well or fate != "lost":  # the server knows a chunk by its kind and sequence, and stores it once
            assert stored.setdefault((chunk.kind, chunk.sequence), chunk) == chunk
        journal.stored(chunk.number) if well else journal.unstored(chunk.number, now)

    for number, (what, count) in enumerate(course):
        if what == "note":
            journal.note({"n": number})
            written["diagnostics"].append({"n": number})
        elif what == "episode":
            journal.episode(number, count)
            written["record"].append({"episode": number, "seed": count})
        elif what == "flush":
            journal.flush()
        else:
            now += count * GATHER_MS
        for chunk in journal.due(now):
            carry(chunk)
    while not journal.settled:
        now += GATHER_MS
        for chunk in journal.due(now):
            carry(chunk)
    for kind, wanted in written.items():
        assert lines([stored[key] for key in sorted(stored) if key[0] == kind], kind) == wanted
        assert [key[1] for key in sorted(stored) if key[0] == kind] == list(range(sum(key[0] == kind for key in stored)))


def test_lines_are_made_text_between_two_frames_where_there_is_time_and_in_the_end_in_any_case() -> None:
    journal = UploadJournal({"session": "S"})
    assert journal.due(GATHER_MS - 1, 1000.0) == []
    assert journal.due(GATHER_MS, 0.0) == [], "within a frame"
    assert journal.due(GATHER_MS + 1, ROOM_MS - 0.1) == [], "shortly before one"
    assert [chunk.kind for chunk in journal.due(GATHER_MS + 2, ROOM_MS)] == ["record"]
    busy = UploadJournal({"session": "S"})
    assert not any(busy.due(float(now), 0.0) for now in range(int(GATHER_MS + PATIENCE_MS)))
    assert [chunk.kind for chunk in busy.due(GATHER_MS + PATIENCE_MS, 0.0)] == ["record"]
    flushed = UploadJournal({"session": "S"})
    flushed.flush()
    assert [chunk.kind for chunk in flushed.due(0.0, 0.0)] == ["record"], "what is asked for waits for nothing"


def test_the_table_of_the_chunks_is_that_of_the_rows() -> None:
    journal = UploadJournal({"session": "S"})
    rows = [Row(("episode", "frame", "info.a"), (0, frame, 'a "b",\r\u2028')) for frame in range(40)]
    for start in (0, 25):
        journal.rows(0, start, rows[start : 25 if start == 0 else 40], [(b"\1\2",)] * 25)
    body = b"".join(chunk.body for chunk in journal.due(GATHER_MS) if chunk.kind == "rows")
    assert export(body) == to_csv([row.cells for row in rows])
    assert export(b"") == to_csv([])

"""Laws of uploading to and reading of sessions over HTTP."""

from __future__ import annotations

import json

import pytest
from starlette.testclient import TestClient

from pyodide_runtime.server import sessions
from pyodide_runtime.server.app import make_app
from tests.server.conftest import Site

ROW = {"episode": 0, "frame": 0, "cells": [["episode", "0"], ["frame", "0"], ["action.A", "a,b"]]}


@pytest.fixture
def session(site: Site) -> str:
    """A session of A and B, both of whom are gone."""
    with site.page("A") as first, site.page("B") as second:
        first.send(type="ready")
        second.send(type="ready")
        name = second.until("start")["start"]["session"]
    assert isinstance(name, str)
    return name


def test_chunks_are_acknowledged_by_number(site: Site, session: str) -> None:
    for sequence in (0, 1, 1, 0):
        answer = site.upload(session, "A", "record", sequence, b'{"record":1}\n')
        assert (answer.status_code, answer.json()) == (200, {"stored": sequence})
    stored = site.client.get(f"/api/sessions/{session}/players/A/record.ndjson")
    assert stored.content == b'{"record":1}\n' * 2
    assert stored.headers["content-type"].startswith("application/x-ndjson")
    assert stored.headers["cache-control"] == "no-store"


def test_a_gap_in_chunks_is_refused(site: Site, session: str) -> None:
    answer = site.upload(session, "A", "record", 1, b"{}\n")
    assert answer.status_code == 409
    assert answer.json() == {"error": "chunk 1 came, but chunk 0 must come next", "expected": 0}


def test_the_export_is_the_table_of_the_stored_cells(site: Site, session: str) -> None:
    site.upload(session, "A", "rows", 0, json.dumps(ROW).encode()).raise_for_status()
    export = site.client.get(f"/api/sessions/{session}/players/A/export.csv")
    assert export.content == b'episode,frame,action.A\n0,0,"a,b"\n'
    assert export.headers["content-type"] == "text/csv; charset=utf-8"


def test_the_outcome_is_there_once_it_was_told(site: Site, session: str) -> None:
    site.conclude(session, "A", certified_through=[0, 449], episodes=1)
    told = site.client.get(f"/api/sessions/{session}/players/A/outcome.json").json()
    assert told == {"outcome": "completed", "certified_through": [0, 449], "episodes": 1}
    listed = site.client.get(f"/api/sessions/{session}").json()
    assert listed == site.sessions()[0]
    assert listed["players"][0]["certified_through"] == [0, 449]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("SESSION/players/A/chunks/rows?sequence=-1", 400),
        ("SESSION/players/A/chunks/rows?sequence=1.0", 400),
        ("SESSION/players/A/chunks/rows?sequence=%D9%A1", 400),
        ("SESSION/players/A/chunks/rows?sequence=" + "9" * 5000, 400),
        ("SESSION/players/A/chunks/rows", 400),
        ("SESSION/players/A/chunks/progress?sequence=0", 404),
        ("SESSION/players/C/chunks/rows?sequence=0", 404),
        ("other/players/A/chunks/rows?sequence=0", 404),
        ("SESSION/players/%2e%2e/chunks/rows?sequence=0", 400),
        ("SESSION/players/..%5cA/chunks/rows?sequence=0", 400),
        ("SESSION/players/a%00/chunks/rows?sequence=0", 400),
    ],
)
def test_an_upload_to_nowhere_is_a_clear_error(site: Site, session: str, path: str, status: int) -> None:
    answer = site.client.post(f"/api/sessions/{path.replace('SESSION', session)}", content=b"{}")
    assert answer.status_code == status
    assert list(site.options.data.rglob("*.ndjson")) == []
    if answer.headers["content-type"] == "application/json":
        assert isinstance(answer.json()["error"], str)


def test_a_malformed_chunk_names_its_line(site: Site, session: str) -> None:
    answer = site.upload(session, "A", "record", 0, b"{}\n{\n")
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("line 2 is not JSON")


def test_an_oversized_chunk_is_refused_before_it_is_read_to_its_end(
    site: Site, session: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "LARGEST_CHUNK_BYTES", 10)
    assert site.upload(session, "A", "record", 0, b"{}\n" * 4).status_code == 413
    assert site.upload(session, "A", "record", 0, b"{}\n" * 3).status_code == 200


def test_a_full_disk_is_a_clear_error_and_the_chunk_can_come_again(
    site: Site, session: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("pyodide_runtime.server.storage._write_at", full)
        answer = site.upload(session, "A", "record", 0, b"{}\n")
        assert answer.status_code == 507
        assert "No space left on device" in answer.json()["error"]
    assert site.upload(session, "A", "record", 0, b"{}\n").status_code == 200


def test_reading_what_is_not_there_is_404(site: Site, session: str) -> None:
    for path in (
        "other",
        f"{session}/players/C/export.csv",
        f"{session}/players/A/progress.json",
        f"{session}/players/A/session.json",
        "other/players/A/outcome.json",
    ):
        assert site.client.get(f"/api/sessions/{path}").status_code == 404


def test_nothing_stored_is_an_empty_table(site: Site, session: str) -> None:
    assert site.client.get(f"/api/sessions/{session}/players/A/export.csv").content == b"episode,frame\n"
    assert site.client.get(f"/api/sessions/{session}/players/A/record.ndjson").content == b""


def test_sessions_are_listed_from_disk_after_a_restart(site: Site, session: str) -> None:
    site.upload(session, "A", "rows", 0, json.dumps(ROW).encode())
    site.conclude(session, "A")
    before = site.sessions()
    restarted = TestClient(make_app(site.options))
    assert restarted.get("/api/sessions").json() == before
    answer = restarted.post(
        f"/api/sessions/{session}/players/A/chunks/rows?sequence=1",
        content=json.dumps({**ROW, "frame": 1}).encode(),
    )
    assert answer.json() == {"stored": 1}


def test_players_cut_off_by_the_end_of_the_server_have_left(site: Site) -> None:
    with site.page("A") as first, site.page("B") as second:
        first.send(type="ready")
        second.send(type="ready")
        first.until("start")
        restarted = TestClient(make_app(site.options))
        (listed,) = restarted.get("/api/sessions").json()
        assert [player["outcome"] for player in listed["players"]] == ["left", "left"]
        assert "the server was stopped" in listed["players"][0]["detail"]

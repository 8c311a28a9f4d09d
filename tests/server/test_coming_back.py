"""Laws of pages that come to a session that goes on: players again, pages whose line was lost, and spectators."""

from __future__ import annotations

import json
import time

import pytest

from pyodide_runtime.server import signalling
from tests.server.conftest import MakeSite, Site
from tests.server.test_signalling import expect_refused, start


def row(frame: int, text: str = "x") -> bytes:
    cells = [["episode", "0"], ["frame", str(frame)], ["a", text]]
    return json.dumps({"episode": 0, "frame": frame, "cells": cells}).encode() + b"\n"


# -- players -------------------------------------------------------------------------------------------------------------


def test_a_player_who_comes_back_has_the_same_seat_and_starts_at_once_when_ready(site: Site) -> None:
    with site.page("A") as first:
        with site.page("B") as second:
            session, seed = start(first, second)
        assert first.receive() == {"type": "left", "index": 1, "lost": False}
        with site.page("B") as again:
            joined = again.receive()
            assert (joined["index"], joined["session"], joined["running"]) == (1, session, True)
            again.send(type="ready")
            assert first.receive() == {"type": "rejoined", "index": 1, "incarnation": 1}
            assert again.receive() == {
                "type": "start",
                "start": {
                    "session": session,
                    "seed": seed,
                    "players": [{"player_id": "A", "index": 0}, {"player_id": "B", "index": 1}],
                    "index": 1,
                    "incarnation": 1,
                    "running": True,
                    "peers": [{"index": 0, "incarnation": 0}],
                },
            }
            again.send(type="signal", to=0, data={"new": 1})
            assert first.receive() == {"type": "signal", "from": 1, "data": {"new": 1}}


def test_each_page_of_a_seat_is_another_incarnation_whose_number_all_others_know(make_site: MakeSite) -> None:
    site = make_site(players=3)
    with site.page("A") as first, site.page("B") as second:
        with site.page("C") as third:
            for page in (first, second, third):
                page.send(type="ready")
            third.until("start")
        for incarnation in (1, 2, 3):
            with site.page("C") as again:
                again.send(type="ready")
                assert again.until("start")["start"]["incarnation"] == incarnation
                for page in (first, second):
                    assert page.until("rejoined") == {"type": "rejoined", "index": 2, "incarnation": incarnation}


def test_who_comes_back_is_not_told_to_connect_to_players_who_are_away(make_site: MakeSite) -> None:
    site = make_site(players=3)
    with site.page("A") as first:
        with site.page("B") as second, site.page("C") as third:
            for page in (first, second, third):
                page.send(type="ready")
            third.until("start")
        with site.page("C") as again:
            again.send(type="ready")
            told = again.until("start")["start"]
            assert told["peers"] == [{"index": 0, "incarnation": 0}]
            assert [player["player_id"] for player in told["players"]] == ["A", "B", "C"]


def test_a_page_that_takes_a_seat_is_told_of_when_it_is_ready_and_at_once_that_the_one_before_has_left(site: Site) -> None:
    with site.page("A") as first, site.page("B") as second:
        start(first, second)
        with site.page("B") as again:
            assert "another window" in second.until("refused")["error"]
            assert again.until("joined")["running"] is True
            assert first.receive() == {"type": "left", "index": 1, "lost": False}
            first.send(type="signal", to=1, data={})
            again.send(type="ready")
            assert first.receive() == {"type": "rejoined", "index": 1, "incarnation": 1}
            again.until("start")
        assert first.receive() == {"type": "left", "index": 1, "lost": False}


def test_coming_back_withdraws_that_a_player_left_whoever_told_it(site: Site) -> None:
    with site.page("A") as first:
        for told_by in ("server", "player"):
            with site.page("B") as second:
                if told_by == "server":
                    session, _ = start(first, second)
                else:
                    site.upload(session, "B", "outcome", 0, b'{"outcome":"left"}', incarnation=1).raise_for_status()
            first.until("left")
            assert site.sessions()[0]["players"][1]["outcome"] == "left"
            assert site.sessions()[0]["players"][1]["told_by"] == told_by
        with site.page("B") as again:
            again.until("joined")
            (listed,) = site.sessions()
            assert listed["players"][1]["outcome"] is None
            assert listed["outcome"] == "running"
            site.conclude(session, "A")
            site.upload(session, "B", "outcome", 0, b'{"outcome":"completed"}', incarnation=2).raise_for_status()
            assert site.sessions()[0]["outcome"] == "completed"


def test_a_late_word_of_the_page_before_does_not_count(site: Site) -> None:
    with site.page("A") as first:
        with site.page("B") as second:
            session, _ = start(first, second)
        first.until("left")
        with site.page("B") as again:
            again.until("joined")
            site.upload(session, "B", "outcome", 0, b'{"outcome":"left"}').raise_for_status()
            assert site.sessions()[0]["players"][1]["outcome"] is None


def test_the_rows_of_the_page_that_got_farthest_are_exported(site: Site) -> None:
    with site.page("A") as first:
        with site.page("B") as second:
            session, _ = start(first, second)
            site.upload(session, "B", "rows", 0, row(0) + row(1) + row(2)).raise_for_status()
            site.upload(session, "B", "record", 0, b'{"record":1}\n').raise_for_status()
        first.until("left")
        with site.page("B") as again:
            again.until("joined")
            for sequence, frames in enumerate(((0, 1), (2, 3))):
                body = b"".join(map(row, frames))
                site.upload(session, "B", "rows", sequence, body, incarnation=1).raise_for_status()
                site.upload(session, "B", "record", sequence, b'{"record":2}\n', incarnation=1).raise_for_status()
                player = site.sessions()[0]["players"][1]
                assert (player["rows"], player["incarnation"], player["incarnations"]) == ((3, 0, 2), (4, 1, 2))[sequence]
                files = site.client.get(f"/api/sessions/{session}/players/B/record.ndjson").content
                assert files == (b'{"record":1}\n', b'{"record":2}\n' * 2)[sequence]
            assert site.sessions()[0]["players"][1]["error"] is None
            export = site.client.get(f"/api/sessions/{session}/players/B/export.csv").text
            assert export.splitlines()[1:] == ["0,0,x", "0,1,x", "0,2,x", "0,3,x"]


def test_rows_of_two_pages_that_contradict_each_other_are_an_error_in_the_summary(site: Site) -> None:
    with site.page("A") as first:
        with site.page("B") as second:
            session, _ = start(first, second)
            site.upload(session, "B", "rows", 0, row(0) + row(1) + row(2)).raise_for_status()
        first.until("left")
        with site.page("B") as again:
            again.until("joined")
            site.upload(session, "B", "rows", 0, row(0) + row(1, "y"), incarnation=1).raise_for_status()
            told = "the rows of incarnation 1 and of incarnation 0 differ from row 1 on"
            assert site.sessions()[0]["players"][1]["error"] == told
            assert told in site.client.get("/").text


def test_chunks_of_a_page_that_never_was_are_refused(site: Site) -> None:
    with site.page("A") as first, site.page("B") as second:
        session, _ = start(first, second)
        answer = site.upload(session, "B", "rows", 0, row(0), incarnation=1)
        assert (answer.status_code, "no incarnation 1" in answer.json()["error"]) == (404, True)
        assert site.upload(session, "B", "rows", 0, row(0), incarnation="x").status_code == 400


def test_who_has_completed_the_session_has_nothing_to_come_back_for(site: Site) -> None:
    with site.page("A") as first, site.page("B") as second:
        session, _ = start(first, second)
        site.conclude(session, "B")
        with site.page("B") as again:
            assert "completed" in expect_refused(again)
        second.send(type="signal", to=0, data={})
        assert first.receive()["type"] == "signal"


def test_a_session_is_over_for_all_once_nobody_plays_it_any_more(site: Site) -> None:
    with site.page("A") as first:
        with site.page("B") as second:
            session, _ = start(first, second)
        first.until("left")
        site.conclude(session, "A", "peer_left")
        with site.page("B") as again:
            assert again.receive()["session"] != session, "there is nobody left who has the inputs"


def test_a_player_comes_back_whatever_became_of_the_file(site: Site) -> None:
    with site.page("A") as first:
        with site.page("B") as second:
            session, _ = start(first, second)
        first.until("left")
        (site.folder / "pots.py").write_text("1 / 0\n")
        with site.page("B") as again:
            assert again.receive()["session"] == session


def test_a_player_who_cannot_start_again_does_not_end_the_session_of_the_others(site: Site) -> None:
    with site.page("A") as first:
        with site.page("B") as second:
            start(first, second)
        first.until("left")
        with site.page("B") as again:
            again.until("joined")
            again.send(type="failed", error="no memory", outcome=None)
            again.send(type="signal", to=0, data={})
            assert first.receive()["type"] == "signal"
            assert site.sessions()[0]["players"][1]["outcome"] == "failed"
            assert site.sessions()[0]["outcome"] == "running"


# -- lines ---------------------------------------------------------------------------------------------------------------


def test_a_page_whose_line_was_lost_has_its_seat_back_and_plays_on(site: Site) -> None:
    with site.page("A") as first:
        with site.page("B") as second:
            key = second.until("joined")["key"]
            session, _ = start(first, second)
        assert first.receive() == {"type": "left", "index": 1, "lost": False}
        assert site.sessions()[0]["players"][1]["outcome"] == "left"
        with site.page("B", resume=key) as back:
            assert back.receive() == {"type": "resumed"}
            assert back.receive() == {"type": "rejoined", "index": 0, "incarnation": 0}
            assert first.receive() == {"type": "rejoined", "index": 1, "incarnation": 0}
            assert site.sessions()[0]["players"][1]["outcome"] is None
            back.send_packet(0, 1, 0, b"on")
            assert first.socket.receive_bytes() == b"\x01\x01\x00on"
        assert first.receive() == {"type": "left", "index": 1, "lost": False}
        assert site.sessions()[0]["session"] == session


def test_a_new_line_may_come_before_the_old_one_is_known_to_be_lost(site: Site) -> None:
    with site.page("A") as first, site.page("B") as second:
        key = second.until("joined")["key"]
        start(first, second)
        with site.page("B", resume=key) as back:
            assert back.receive() == {"type": "resumed"}
            back.send(type="signal", to=0, data={"from": "the new line"})
            assert first.receive()["data"] == {"from": "the new line"}, "nobody was told that anything happened"


def test_a_line_that_broke_off_is_told_from_a_page_that_was_closed(site: Site) -> None:
    with site.page("A") as first, site.page("B") as second:
        key = second.until("joined")["key"]
        start(first, second)
        second.socket.close(1006)
        assert first.receive() == {"type": "left", "index": 1, "lost": True}
        first.send_packet(1, 0, 0, b"into the void")
        with site.page("B", resume=key) as back:
            back.until("rejoined")
            assert first.receive() == {"type": "rejoined", "index": 1, "incarnation": 0}, "packets to it were no mistakes"
            first.send_packet(1, 0, 0, b"on")
            assert back.socket.receive_bytes() == b"\x00\x00\x00on"


def test_all_lines_may_break_off_at_once(site: Site) -> None:
    with site.page("A") as first, site.page("B") as second:
        keys = [page.until("joined")["key"] for page in (first, second)]
        session, _ = start(first, second)
        for page in (first, second):
            page.socket.close(1006)
        with site.page("A", resume=keys[0]) as one, site.page("B", resume=keys[1]) as other:
            one.until("resumed")
            other.until("resumed")
            one.send_packet(1, 0, 0, b"on")
            while (event := other.socket.receive()).get("text") is not None:
                pass
            assert event["bytes"] == b"\x00\x00\x00on"
            assert site.sessions()[0]["outcome"] == "running"
            assert site.sessions()[0]["session"] == session


def test_a_page_whose_line_stays_away_has_left_in_the_end(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signalling, "GRACE_S", 0.3)
    with site.page("A") as first, site.page("B") as second:
        key = second.until("joined")["key"]
        start(first, second)
        second.socket.close(1006)
        assert first.receive()["lost"] is True
        assert site.sessions()[0]["players"][1]["outcome"] is None
        deadline = time.monotonic() + 10
        while site.sessions()[0]["players"][1]["outcome"] != "left":
            assert time.monotonic() < deadline
            time.sleep(0.02)
        with site.page("B", resume=key) as back:
            assert back.receive() == {"type": "resumed"}, "even then, as long as the session goes on"
            assert site.sessions()[0]["players"][1]["outcome"] is None


@pytest.mark.parametrize("key", ["wrong", "", "é"])
def test_a_seat_is_given_back_to_nobody_else(site: Site, key: str) -> None:
    with site.page("A") as first, site.page("B") as second:
        start(first, second)
        with site.page("B", resume=key or "x") as stranger:
            assert "Another page has this seat" in expect_refused(stranger)
        second.send(type="signal", to=0, data={})
        assert first.receive()["type"] == "signal"


def test_a_seat_that_another_page_took_is_not_given_back(site: Site) -> None:
    with site.page("A") as first, site.page("B") as second:
        key = second.until("joined")["key"]
        start(first, second)
        with site.page("B") as again:
            again.until("joined")
            with site.page("B", resume=key) as back:
                assert "Another page has this seat" in expect_refused(back)
    with site.page("B", resume=key) as late:
        assert "not there any more" in expect_refused(late)


# -- spectators ----------------------------------------------------------------------------------------------------------


def test_a_spectator_has_an_index_behind_the_players_and_nothing_waits_for_it(make_site: MakeSite) -> None:
    site = make_site(spectators=1)
    with site.page("S", watch="1") as watcher, site.page("A") as first, site.page("B") as second:
        joined = watcher.receive()
        assert (joined["index"], joined["player_count"]) == (2, 2)
        session, _ = start(first, second)
        watcher.send(type="ready")
        told = watcher.until("start")["start"]
        assert (told["index"], told["running"], told["incarnation"]) == (2, True, 0)
        assert [player["player_id"] for player in told["players"]] == ["A", "B"]
        assert told["peers"] == [{"index": 0, "incarnation": 0}, {"index": 1, "incarnation": 0}]
        for page in (first, second):
            assert page.receive() == {"type": "rejoined", "index": 2, "incarnation": 0}
        watcher.send_packet(1, 1, 0, b"hello")
        assert second.socket.receive_bytes() == b"\x02\x01\x00hello"
        assert [player["player_id"] for player in site.sessions()[0]["players"]] == ["A", "B"]
        for player in ("A", "B"):
            site.conclude(session, player)
        assert site.sessions()[0]["outcome"] == "completed"


def test_a_spectator_who_still_loads_when_the_session_is_over_is_told(make_site: MakeSite) -> None:
    site = make_site(spectators=2)
    with site.page("S", watch="1") as early, site.page("A") as first, site.page("B") as second:
        session, _ = start(first, second)
        early.send(type="ready")
        early.until("start")
        with site.page("T", watch="1") as late:
            assert late.until("joined")["running"] is True
            for player in ("A", "B"):
                site.conclude(session, player)
            assert "The session is over" in expect_refused(late)
        # Who watches already sees the end from the others, who are still there.
        early.send(type="signal", to=0, data={"still": "here"})
        assert first.until("signal")["data"] == {"still": "here"}


def test_a_room_of_pages_with_two_players_each_takes_half_as_many_pages(make_site: MakeSite) -> None:
    site = make_site(players=4)
    keys = 'players_per_page=2, keys=[{"ArrowUp": 1}, {"w": 1}],'
    file = site.write_experiment(players=4, more=keys)
    file.write_text(file.read_text().replace('    keys={"ArrowUp": 1},\n', ""))
    with site.page("A") as first, site.page("B") as second:
        assert first.receive()["player_count"] == 2
        assert (second.until("joined")["index"], second.until("roster")["type"]) == (1, "roster")
        session, _ = start(first, second)
        assert [player["player_id"] for player in site.sessions()[0]["players"]] == ["A", "B"]
        with site.page("C") as third:
            assert "already started" in expect_refused(third)
        for player in ("A", "B"):
            site.conclude(session, player)
        assert site.sessions()[0]["outcome"] == "completed"


def test_a_spectator_who_is_ready_at_the_start_is_there_from_the_start(make_site: MakeSite) -> None:
    site = make_site(spectators=1)
    with site.page("S", watch="1") as watcher, site.page("A") as first, site.page("B") as second:
        assert watcher.until("joined")["index"] == 2
        watcher.send(type="ready")
        watcher.settle()
        first.send(type="ready")
        second.send(type="ready")
        told = watcher.until("start")["start"]
        assert (told["running"], [peer["index"] for peer in told["peers"]]) == (False, [0, 1])
        assert {"index": 2, "incarnation": 0} in first.until("start")["start"]["peers"]


def test_spectators_are_as_many_as_the_experiment_allows(make_site: MakeSite) -> None:
    site = make_site(spectators=1)
    with site.page("S", watch="1") as watcher:
        watcher.until("joined")
        with site.page("T", watch="1") as other:
            assert "no place left to watch from" in expect_refused(other)
        with site.page("S", watch="1") as again:
            assert again.receive()["index"] == 2
    with make_site().page("S", watch="1") as unwanted:
        assert "takes no spectators" in expect_refused(unwanted)


def test_a_spectator_who_leaves_makes_room_for_another_incarnation(make_site: MakeSite) -> None:
    site = make_site(spectators=1)
    with site.page("A") as first, site.page("B") as second:
        start(first, second)
        for incarnation, name in enumerate("STU"):
            with site.page(name, watch="1") as watcher:
                watcher.send(type="ready")
                assert watcher.until("start")["start"]["incarnation"] == incarnation
                assert first.until("rejoined") == {"type": "rejoined", "index": 2, "incarnation": incarnation}
            assert first.until("left") == {"type": "left", "index": 2, "lost": False}


def test_nobody_plays_and_watches_under_one_name(make_site: MakeSite) -> None:
    site = make_site(spectators=1)
    with site.page("A") as first, site.page("S", watch="1") as watcher:
        first.until("joined")
        watcher.until("joined")
        with site.page("A", watch="1") as both:
            assert "A plays in room demo already" in expect_refused(both)
        with site.page("S") as both:
            assert "S watches in room demo already" in expect_refused(both)


def test_what_becomes_of_a_spectator_is_no_matter_of_the_session(make_site: MakeSite) -> None:
    site = make_site(spectators=2)
    with site.page("A") as first, site.page("B") as second:
        with site.page("S", watch="1") as watcher:
            watcher.send(type="failed", error="no memory", outcome=None)
            session, _ = start(first, second)
            watcher.send(type="ready")
            watcher.until("start")
            watcher.send(type="failed", error="no memory again", outcome="environment_error")
            assert site.upload(session, "S", "rows", 0, row(0)).status_code == 404
        first.until("left")
        (listed,) = site.sessions()
        assert (listed["outcome"], [player["player_id"] for player in listed["players"]]) == ("running", ["A", "B"])
    assert [line for line in site.printed if "spectator S failed" in line]


# -- halves --------------------------------------------------------------------------------------------------------------


def test_of_two_players_who_lost_each_other_the_first_to_ask_goes_on_and_no_other_question_is_answered(site: Site) -> None:
    with site.page("A") as first, site.page("B") as second:
        start(first, second)
        for gone in [[[0, 0]], [[1, 1]], [[5, 0]], [], [[1]], "1", [[1, 16]]]:
            first.send(type="appeal", gone=gone)
            assert first.until("error")["error"]
        second.send(type="appeal", gone=[[0, 0]])
        assert second.receive() == {"type": "verdict", "gone": [[0, 0]], "granted": True}
        first.send(type="appeal", gone=[[1, 0]])
        assert first.receive() == {"type": "verdict", "gone": [[1, 0]], "granted": False}
        second.send(type="appeal", gone=[[0, 0]])
        assert second.receive()["granted"] is True


def test_nobody_appeals_before_the_session_runs(site: Site) -> None:
    with site.page("A") as first, site.page("B") as second:
        first.send(type="appeal", gone=[[1, 0]])
        assert "running session" in first.until("error")["error"]
        start(first, second)

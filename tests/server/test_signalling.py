"""Laws of rooms as pages see them over their sockets."""

from __future__ import annotations

import json
import time

import pytest
from starlette.websockets import WebSocketDisconnect

from pyodide_runtime.server.messages import LARGEST_MESSAGE
from tests.server.conftest import MakeSite, Page, Site


def start(first: Page, second: Page) -> tuple[str, int]:
    """Both pages become ready; the session's name and seed. Every message up to the start is read."""
    first.send(type="ready")
    second.send(type="ready")
    told = first.until("start")["start"]
    other = {"index": 1, "peers": [{"index": 0, "incarnation": 0}]}
    assert second.until("start")["start"] == {**told, **other}
    return told["session"], told["seed"]


def expect_refused(page: Page) -> str:
    message = page.receive()
    assert message["type"] == "refused"
    with pytest.raises(WebSocketDisconnect):
        page.receive()
    text = message["error"]
    assert isinstance(text, str)
    return text


def test_a_page_that_joins_is_told_its_seat_and_what_its_worker_needs(site: Site) -> None:
    with site.page("A") as page:
        joined = page.receive()
        assert page.receive() == {
            "type": "roster",
            "players": [{"player_id": "A", "index": 0, "ready": False}],
        }
    session = joined["session"]
    config = joined.pop("config")
    assert len(joined.pop("key")) >= 16
    assert joined == {
        "type": "joined",
        "session": session,
        "player_id": "A",
        "index": 0,
        "player_count": 2,
        "running": False,
    }
    settings = config["experiment"].pop("settings")
    assert (settings["name"], settings["players"], settings["keys"]) == ("Pots & Pans", 2, {"ArrowUp": 1})
    assert config == {
        "session": session,
        "experiment": {
            "module": "pots",
            "files": {"pots.py": (site.folder / "pots.py").read_text()},
            "requirements": ["absent-package==1.0"],
        },
        "sprites": {"chef": "/sprites/chef"},
        "distribution": "/pyodide/",
        "ice_servers": [],
        "rtc_configuration": {},
        "uploads": f"/api/sessions/{session}/players/A/chunks",
    }
    assert site.client.get("/sprites/chef").content == b"\x89PNG chef"


def test_ice_servers_of_the_experiment_and_of_the_server_reach_the_page(make_site: MakeSite) -> None:
    stun, turn = {"urls": "stun:stun.example.org"}, {"urls": "turn:t.example.org", "username": "me", "credential": "secret"}
    site = make_site(ice_servers=[turn])
    site.write_experiment(more=f'ice_servers=[{stun}], ice_transport_policy="relay",')
    with site.page("A") as page:
        config = page.receive()["config"]
        assert config["ice_servers"] == [stun, turn]
        assert config["rtc_configuration"] == {"iceTransportPolicy": "relay"}


def test_the_servers_policy_goes_before_the_experiments(make_site: MakeSite) -> None:
    site = make_site(ice_transport_policy="all")
    site.write_experiment(more='ice_transport_policy="relay",')
    with site.page("A") as page:
        assert page.receive()["config"]["rtc_configuration"] == {}


def test_the_roster_follows_who_joins_gets_ready_and_leaves(site: Site) -> None:
    with site.page("A") as first:
        first.until("roster")
        with site.page("B") as second:
            both = [
                {"player_id": "A", "index": 0, "ready": False},
                {"player_id": "B", "index": 1, "ready": False},
            ]
            assert first.receive()["players"] == second.until("roster")["players"] == both
            second.send(type="ready")
            both[1]["ready"] = True
            assert first.receive()["players"] == second.receive()["players"] == both
        assert first.receive()["players"] == both[:1]
    assert site.sessions() == []


def test_a_session_starts_once_all_seats_are_taken_and_ready(site: Site) -> None:
    with site.page("A") as first, site.page("B") as second:
        first.send(type="ready")
        first.send(type="ready")
        second.send(type="ready")
        told = first.until("start")["start"]
        assert told["players"] == [{"player_id": "A", "index": 0}, {"player_id": "B", "index": 1}]
        assert (told["index"], told["seed"]) == (0, 7)
        assert (told["incarnation"], told["running"], told["peers"]) == (0, False, [{"index": 1, "incarnation": 0}])
        assert second.until("start")["start"] == {**told, "index": 1, "peers": [{"index": 0, "incarnation": 0}]}
        (session,) = site.sessions()
        assert (session["session"], session["room"], session["name"]) == (
            told["session"],
            "demo",
            "Pots & Pans",
        )
        assert (session["seed"], session["outcome"], session["finished"]) == (7, "running", None)
        assert [player["player_id"] for player in session["players"]] == ["A", "B"]


def test_one_player_starts_alone(make_site: MakeSite) -> None:
    site = make_site(players=1)
    with site.page("A") as page:
        page.send(type="ready")
        assert page.until("start")["start"]["players"] == [{"player_id": "A", "index": 0}]


def test_a_seed_that_the_experiment_leaves_open_is_drawn_and_recorded(make_site: MakeSite) -> None:
    site = make_site(seed=None)
    seeds = []
    for room in ("one", "two", "three"):
        with site.page("A", room) as first, site.page("B", room) as second:
            seeds.append(start(first, second)[1])
    assert len(set(seeds)) == 3
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert {session["room"]: session["seed"] for session in site.sessions()} == dict(
        zip(("one", "two", "three"), seeds, strict=True)
    )


def test_a_visitor_too_many_is_refused_and_disturbs_nobody(site: Site) -> None:
    with site.page("A") as first, site.page("B") as second:
        with site.page("C") as third:
            assert expect_refused(third) == "Room demo is full: 2 of 2 players are here. Open another room."
        start(first, second)


def test_joining_is_refused_once_the_session_has_started(site: Site) -> None:
    with site.page("A") as first, site.page("B") as second:
        start(first, second)
        with site.page("C") as late:
            assert "has already started" in expect_refused(late)
        first.send(type="signal", to=1, data={"still": "here"})
        assert second.receive() == {"type": "signal", "from": 0, "data": {"still": "here"}}


def test_a_player_who_reconnects_before_the_start_replaces_the_old_socket(site: Site) -> None:
    with site.page("A") as old, site.page("B") as second:
        old.send(type="ready")
        with site.page("A") as new:
            assert "another window" in old.until("refused")["error"]
            joined = new.receive()
            assert (joined["index"], joined["session"]) == (0, second.receive()["session"])
            assert new.receive()["players"] == [
                {"player_id": "A", "index": 0, "ready": False},
                {"player_id": "B", "index": 1, "ready": False},
            ]
            start(new, second)


def test_a_seat_that_was_left_is_taken_by_the_next_who_joins(site: Site) -> None:
    with site.page("B") as keeper:
        with site.page("X") as leaver:
            leaver.until("roster")
            keeper.until("roster")
            keeper.until("roster")
        keeper.until("roster")
        with site.page("C") as other:
            assert other.receive()["index"] == 1
    with site.page("Z", "other") as first, site.page("Y", "other") as second:
        first.until("roster")
        second.until("roster")
        first.socket.close()
        second.until("roster")
        with site.page("W", "other") as new:
            assert new.receive()["index"] == 0


def test_rooms_are_separate(site: Site) -> None:
    with site.page("A", "one") as first, site.page("A", "two") as second:
        assert first.receive()["session"] != second.receive()["session"]
        assert len(first.receive()["players"]) == 1


def test_signals_pass_between_players_untouched(site: Site) -> None:
    data = {"description": {"type": "offer", "sdp": "v=0\r\nä\u2028"}, "n": [1, 2.5, None, True]}
    with site.page("A") as first, site.page("B") as second:
        start(first, second)
        first.send(type="signal", to=1, data=data)
        first.send(type="signal", to=1, data={"second": 2})
        assert second.receive() == {"type": "signal", "from": 0, "data": data}
        assert second.receive()["data"] == {"second": 2}
        second.send(type="signal", to=0, data={})
        assert first.receive() == {"type": "signal", "from": 1, "data": {}}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "[]",
        '"ready"',
        "{}",
        '{"type": 3}',
        '{"type": "dance"}',
        '{"type": "start"}',
        '{"type": "ready", "now": true}',
        '{"type": "signal"}',
        '{"type": "signal", "to": 1}',
        '{"type": "signal", "to": "1", "data": {}}',
        '{"type": "signal", "to": true, "data": {}}',
        '{"type": "signal", "to": 1.0, "data": {}}',
        '{"type": "signal", "to": 1, "data": []}',
        '{"type": "signal", "to": 1, "data": {}, "more": 1}',
        '{"type": "signal", "to": 0, "data": {}}',
        '{"type": "signal", "to": 2, "data": {}}',
        '{"type": "signal", "to": -1, "data": {}}',
        '{"type": "failed"}',
        '{"type": "failed", "error": "x"}',
        '{"type": "failed", "error": "", "outcome": null}',
        '{"type": "failed", "error": {"text": "x"}, "outcome": null}',
        '{"type": "failed", "error": "x", "outcome": ["desync"]}',
        '{"type": "failed", "error": "x", "outcome": "../x"}',
        '{"type": "failed", "error": "x", "text": 3, "outcome": null}',
        "[" * 100_000,
        json.dumps({"type": "failed", "error": "x" * LARGEST_MESSAGE, "outcome": None}),
    ],
)
def test_a_malformed_message_is_answered_with_an_error_and_changes_nothing(site: Site, text: str) -> None:
    with site.page("A") as first, site.page("B") as second:
        first.until("roster")
        first.until("roster")
        second.until("roster")
        first.socket.send_text(text)
        answer = first.receive()
        assert answer["type"] == "error"
        assert 0 < len(answer["error"]) < 400
        start(first, second)
    assert not [line for line in site.printed if "failed" in line]


def test_ready_has_no_meaning_after_the_start(site: Site) -> None:
    with site.page("A") as first, site.page("B") as second:
        start(first, second)
        first.send(type="ready")
        assert first.receive()["type"] == "error"


def test_a_signal_to_a_seat_that_is_empty_is_an_error(site: Site) -> None:
    with site.page("A") as page:
        page.until("roster")
        page.send(type="signal", to=1, data={})
        assert page.receive() == {"type": "error", "error": "player 1 is not here"}


@pytest.mark.parametrize(("room", "player"), [("demo", ""), ("demo", "..%2Fx"), ("demo", "a b"), ("-x", "A"), ("demo", "x" * 65)])
def test_bad_names_are_refused(site: Site, room: str, player: str) -> None:
    with site.page(player, room) as page:
        assert " is no " in expect_refused(page)


def test_the_others_are_told_when_a_player_leaves_after_the_start(site: Site) -> None:
    with site.page("B") as second:
        with site.page("A") as first:
            start(second, first)
        assert second.receive() == {"type": "left", "index": 1, "lost": False}
        second.send(type="signal", to=1, data={})
        assert second.receive()["type"] == "error"


def test_a_player_whose_socket_goes_without_an_outcome_has_left(site: Site) -> None:
    with site.page("A") as first:
        with site.page("B") as second:
            session, _ = start(first, second)
            row = {"episode": 0, "frame": 0, "cells": [["frame", "0"]]}
            site.upload(session, "B", "rows", 0, json.dumps(row).encode()).raise_for_status()
        assert first.receive()["type"] == "left"
        (listed,) = site.sessions()
        assert listed["outcome"] == "running"
        assert listed["players"][0]["outcome"] is None
        assert (listed["players"][1]["outcome"], listed["players"][1]["rows"]) == ("left", 1)
        site.conclude(session, "A", "peer_left")
        (listed,) = site.sessions()
        assert listed["outcome"] == "peer_left"
        assert listed["finished"] >= listed["started"]


def test_an_outcome_that_comes_after_the_socket_went_counts(site: Site) -> None:
    with site.page("A") as first, site.page("B") as second:
        session, _ = start(first, second)
        site.conclude(session, "A")
        second.socket.close()
        first.until("left")
        assert site.sessions()[0]["outcome"] == "left"
        site.conclude(session, "B")
        assert site.sessions()[0]["outcome"] == "completed"


def test_a_room_may_be_used_again_when_its_session_is_over(site: Site) -> None:
    with site.page("A") as first, site.page("B") as second:
        session, _ = start(first, second)
        site.conclude(session, "A")
        with site.page("C") as early:
            assert "already started" in expect_refused(early)
        site.conclude(session, "B")
        with site.page("A") as again, site.page("C") as other:
            next_session, _ = start(again, other)
            assert next_session != session
    outcomes = {listed["session"]: listed["outcome"] for listed in site.sessions()}
    assert outcomes == {session: "completed", next_session: "left"}
    assert any("is over: completed" in line for line in site.printed)


def test_a_failure_is_printed_and_kept_as_the_players_outcome(site: Site) -> None:
    with site.page("A") as first, site.page("B") as second:
        session, _ = start(first, second)
        second.send(type="failed", error="ZeroDivisionError\n\x1b[31mat frame 3", outcome=None)
        second.send(type="signal", to=0, data={})
        first.until("signal")
        (listed,) = site.sessions()
        assert listed["players"][1]["outcome"] == "failed"
        assert listed["players"][1]["detail"] == "ZeroDivisionError\n\x1b[31mat frame 3"
        assert "room demo: player B failed: ZeroDivisionError\n?[31mat frame 3" in site.printed
        site.conclude(session, "B", "environment_error", detail="at frame 3")
        assert site.sessions()[0]["players"][1]["outcome"] == "environment_error"


def test_a_page_whose_match_has_failed_tells_how_before_its_worker_can(site: Site) -> None:
    with site.page("A") as first, site.page("B") as second:
        session, _ = start(first, second)
        second.send(type="failed", error="player A left", outcome="peer_left")
        second.send(type="signal", to=0, data={})
        first.until("signal")
        (listed,) = site.sessions()
        assert (listed["session"], listed["players"][1]["outcome"]) == (session, "peer_left")
        assert listed["players"][1]["detail"] == "player A left"


def test_a_failure_before_the_start_ends_the_session_for_all_with_the_reason(site: Site) -> None:
    with site.page("A") as first, site.page("B") as second:
        session = first.until("joined")["session"]
        second.until("roster")
        first.send(type="failed", error="no such package", text="Traceback ...", outcome=None)
        assert second.until("refused")["error"] == "Player A could not start: no such package"
    (listed,) = site.sessions()
    assert listed["players"][0]["detail"] == "no such package\nTraceback ..."
    assert (listed["session"], listed["outcome"], listed["started"]) == (session, "failed", None)
    assert [player["outcome"] for player in listed["players"]] == ["failed", "refused"]
    with site.page("A") as first, site.page("B") as second:
        assert start(first, second)[0] != session


def test_the_experiment_is_read_anew_for_each_session(site: Site) -> None:
    with site.page("A") as page:
        assert page.receive()["player_count"] == 2
    site.write_experiment(players=1)
    with site.page("A") as page:
        assert page.receive()["player_count"] == 1


def test_players_who_gathered_before_an_edit_are_asked_to_reload(site: Site) -> None:
    with site.page("A") as old:
        old.until("roster")
        site.write_experiment(seed=8)
        with site.page("B") as new:
            assert "edited after you joined" in expect_refused(old)
            assert new.receive()["index"] == 0
            with site.page("A") as reloaded:
                assert start(new, reloaded)[1] == 8


def test_a_running_session_does_not_mind_an_edit(site: Site) -> None:
    with site.page("A") as first, site.page("B") as second:
        start(first, second)
        site.write_experiment(seed=8)
        with site.page("C") as late:
            assert "already started" in expect_refused(late)
        first.send(type="signal", to=1, data={})
        assert second.receive()["type"] == "signal"


def test_a_mistake_in_the_experiment_reaches_the_page_and_the_terminal(site: Site) -> None:
    (site.folder / "pots.py").write_text("import absent_package\n1 / 0\n")
    with site.page("A") as page:
        text = expect_refused(page)
    assert text == f"{site.folder / 'pots.py'}:2: ZeroDivisionError: division by zero"
    assert site.printed == [text]


def test_the_artificial_delay_applies_to_both_directions_and_keeps_the_order(make_site: MakeSite) -> None:
    site = make_site(socket_delay_ms=60)
    with site.page("A") as first, site.page("B") as second:
        start(first, second)
        before = time.monotonic()
        for number in range(20):
            first.send(type="signal", to=1, data={"number": number})
        numbers = [second.receive()["data"]["number"] for _ in range(20)]
        assert time.monotonic() - before >= 0.120
        assert numbers == list(range(20))


def test_the_delay_is_of_each_message_not_of_each_after_the_other(make_site: MakeSite) -> None:
    site = make_site(socket_delay_ms=100)
    with site.page("A") as first, site.page("B") as second:
        start(first, second)
        before = time.monotonic()
        for number in range(50):
            first.send(type="signal", to=1, data={"number": number})
        for _ in range(50):
            second.receive()
        assert time.monotonic() - before < 50 * 0.1

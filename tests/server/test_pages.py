"""Laws of the entrance and of the way into a room."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.server.conftest import MakeSite, Site


def test_the_entrance_names_the_experiment_and_says_how_to_play(site: Site) -> None:
    page = site.client.get("/")
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "<h1>Pots &amp; Pans</h1>" in page.text
    assert "Cook &lt;soup&gt;." in page.text
    assert "2 players" in page.text
    assert 'name="room"' in page.text
    assert page.headers["cache-control"] == "no-store"


def test_the_entrance_lists_sessions_with_their_exports(site: Site) -> None:
    with site.page("A") as first, site.page("B") as second:
        first.send(type="ready")
        second.send(type="ready")
        session = first.until("start")["start"]["session"]
        assert f"/api/sessions/{session}/players/B/export.csv" in site.client.get("/").text


def test_damage_in_the_data_does_not_close_the_entrance(site: Site) -> None:
    (site.options.data / "broken").mkdir()
    (site.options.data / "broken" / "session.json").write_text("{")
    page = site.client.get("/")
    assert page.status_code == 200
    assert "session.json is damaged" in page.text
    assert site.client.get("/api/sessions").status_code == 507


def test_the_entrance_follows_the_file(make_site: MakeSite) -> None:
    site = make_site(players=1)
    assert "One player" in site.client.get("/").text
    (site.folder / "pots.py").write_text("x = <\n")
    page = site.client.get("/")
    assert page.status_code == 500
    assert "pots.py:1: SyntaxError: invalid syntax" in page.text
    assert len(site.printed) == 1


def test_a_new_room_has_a_name_that_can_be_said(site: Site) -> None:
    names = {site.client.get("/play", follow_redirects=False).headers["location"].partition("?")[0] for _ in range(5)}
    assert len(names) > 1
    assert all(re.fullmatch(r"/play/[a-z]{4}-[a-z]{4}", name) for name in names)


def test_a_player_without_a_name_is_given_one(site: Site) -> None:
    seen = set()
    for url in ("/play/demo", "/play?room=demo", "/play/demo?player_id="):
        answer = site.client.get(url, follow_redirects=False)
        assert answer.status_code == 303
        assert answer.headers["cache-control"] == "no-store"
        target = urlsplit(answer.headers["location"])
        assert target.path == "/play/demo"
        query = parse_qs(target.query)
        seen.add(query.pop("player_id")[0])
        assert query == {"invite": ["1"]}, "its page says how the others come"
    assert len(seen) == 3
    page = site.client.get("/play/demo")
    assert page.text == "<!doctype html><title>play</title>"


def test_a_players_own_name_is_kept(site: Site) -> None:
    page = site.client.get("/play/demo?player_id=A", follow_redirects=False)
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    answer = site.client.get("/play?room=demo&player_id=A", follow_redirects=False)
    assert answer.headers["location"] == "/play/demo?player_id=A"


def test_what_else_an_address_asks_for_goes_with_the_player_into_the_room(site: Site) -> None:
    for url in ("/play/demo?debug=1", "/play?room=demo&debug=1"):
        location = site.client.get(url, follow_redirects=False).headers["location"]
        assert re.fullmatch(r"/play/demo\?player_id=player-[0-9a-f]{8}&invite=1&debug=1", location)
    location = site.client.get("/play?room=demo&player_id=A&debug=1%26x", follow_redirects=False).headers["location"]
    assert location == "/play/demo?player_id=A&debug=1%26x"


@pytest.mark.parametrize(
    "url",
    [
        "/play/a%20b",
        "/play/demo?player_id=a/b",
        "/play?room=../x",
        "/play/demo?player_id=%3Cscript%3E",
        "/play/.x",
    ],
)
def test_a_bad_name_is_refused_with_a_page(site: Site, url: str) -> None:
    page = site.client.get(url, follow_redirects=False)
    assert page.status_code == 400
    assert "use 1 to 64 letters" in page.text
    assert "<script>" not in page.text

"""Laws of who may act on the server: pages of its own, and programs that are no pages."""

from __future__ import annotations

import pytest
from starlette.websockets import WebSocketDisconnect

from tests.server.conftest import MakeSite, Site

SOCKET = "/api/rooms/demo/socket?player_id=A"
OWN = [{}, {"origin": "http://testserver"}, {"origin": "http://testserver:80"}, {"origin": "HTTP://TestServer"}]
FOREIGN = [
    "http://evil.example",
    "http://testserver:81",
    "http://testserver.evil.example",
    "https://testserver:80",
    "http://evil@other",
    "null",
    "",
    "testserver",
    "file://",
    "http://testserver:port",
    "http://[",
]


@pytest.mark.parametrize("headers", OWN)
def test_own_pages_and_programs_join_and_upload(site: Site, headers: dict[str, str]) -> None:
    with site.client.websocket_connect(SOCKET, headers=headers) as socket:
        session = socket.receive_json()["session"]
        body = b'{"outcome":"left"}'
        url = f"/api/sessions/{session}/players/A/chunks/outcome?sequence=0"
        assert site.client.post(url, content=body, headers=headers).status_code in (200, 404)
    assert site.printed == []


@pytest.mark.parametrize("origin", FOREIGN)
def test_a_page_of_another_server_opens_no_socket(site: Site, origin: str) -> None:
    with pytest.raises(WebSocketDisconnect) as refused, site.client.websocket_connect(SOCKET, headers={"origin": origin}):
        pass
    assert refused.value.code == 1008
    assert site.printed[0].startswith(f"'/api/rooms/demo/socket' refused: a page of {origin!r} is none of 'testserver'")
    with site.page("A") as page:
        assert len(page.until("roster")["players"]) == 1, "whoever was refused has no seat"


@pytest.mark.parametrize("origin", FOREIGN)
def test_a_page_of_another_server_stores_nothing(site: Site, origin: str) -> None:
    with site.page("A") as first, site.page("B") as second:
        for page in (first, second):
            page.send(type="ready")
        session = first.until("start")["start"]["session"]
        url = f"/api/sessions/{session}/players/A/chunks/outcome?sequence=0"
        answer = site.client.post(url, content=b'{"outcome":"completed"}', headers={"origin": origin})
        assert answer.status_code == 403
        assert answer.json()["error"].startswith("refused: a page of ")
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert site.client.get(f"/api/sessions/{session}/players/A/outcome.json").status_code == 404
        site.conclude(session, "A")


def test_an_address_with_a_port_and_one_behind_a_proxy_are_the_servers_own(site: Site) -> None:
    for origin, host in [
        ("http://127.0.0.1:8000", "127.0.0.1:8000"),
        ("http://[::1]:8000", "[::1]:8000"),
        ("https://lab.example", "lab.example"),
        ("https://lab.example", "lab.example:443"),
    ]:
        with site.client.websocket_connect(SOCKET, headers={"origin": origin, "host": host}) as socket:
            assert socket.receive_json()["type"] == "joined"


def test_anybody_may_ask_for_pages(site: Site) -> None:
    assert site.client.get("/", headers={"origin": "http://evil.example"}).status_code == 200


# -- pages elsewhere that are allowed -------------------------------------------------------------------------------------

ELSEWHERE = "https://files.example"


@pytest.fixture
def allowing(make_site: MakeSite) -> Site:
    return make_site(allowed_origins=[ELSEWHERE])


def test_pages_of_an_allowed_origin_join_and_upload_and_read_the_answer(allowing: Site) -> None:
    headers = {"origin": ELSEWHERE}
    with (
        allowing.client.websocket_connect(SOCKET, headers=headers) as first,
        allowing.client.websocket_connect(SOCKET.replace("=A", "=B"), headers=headers) as second,
    ):
        session = first.receive_json()["session"]
        for page in (first, second):
            page.send_json({"type": "ready"})
        while first.receive_json()["type"] != "start":
            pass
        url = f"/api/sessions/{session}/players/A/chunks/outcome?sequence=0"
        answer = allowing.client.post(url, content=b'{"outcome":"completed"}', headers=headers)
    assert answer.json() == {"stored": 0}
    assert answer.headers["access-control-allow-origin"] == ELSEWHERE
    assert "Origin" in answer.headers["vary"]
    assert allowing.printed[0].startswith("room demo"), "nothing was refused"


def test_a_browser_that_asks_before_it_uploads_is_told_yes(allowing: Site) -> None:
    asked = {"origin": ELSEWHERE, "access-control-request-method": "POST", "access-control-request-headers": "content-type"}
    answer = allowing.client.options("/api/sessions/S/players/A/chunks/rows?sequence=0", headers=asked)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == ELSEWHERE
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert "content-type" in answer.headers["access-control-allow-headers"].lower()


@pytest.mark.parametrize("origin", ["http://files.example", "https://files.example:444", "https://x.files.example", *FOREIGN])
def test_pages_of_all_other_origins_stay_outside(allowing: Site, origin: str) -> None:
    with pytest.raises(WebSocketDisconnect), allowing.client.websocket_connect(SOCKET, headers={"origin": origin}):
        pass
    answer = allowing.client.post("/api/sessions/S/players/A/chunks/rows?sequence=0", content=b"", headers={"origin": origin})
    assert answer.status_code == 403 and "access-control-allow-origin" not in answer.headers
    assert "--allow-origin" in answer.json()["error"]
    assert "access-control-allow-origin" not in allowing.client.get("/api/sessions", headers={"origin": origin}).headers


def test_without_an_allowed_origin_no_browser_is_told_that_it_may(site: Site) -> None:
    asked = {"origin": ELSEWHERE, "access-control-request-method": "POST"}
    answer = site.client.options("/api/sessions/S/players/A/chunks/rows", headers=asked)
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_isolation_stays_what_it_was(allowing: Site) -> None:
    headers = allowing.client.get("/", headers={"origin": ELSEWHERE}).headers
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"

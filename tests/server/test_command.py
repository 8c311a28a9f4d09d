"""Laws of `python -m pyodide_runtime serve`, seen from outside: a real process, real sockets."""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.request import Request, urlopen

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from pyodide_runtime.server.command import bridge_folder, ice_server, ice_servers_file, origin

EXPERIMENT = """
import pyodide_runtime as pr
import absent_package
experiment = pr.Experiment(name="Soup", environment=absent_package.Soup, players=2)
"""


@dataclass
class Server:
    process: subprocess.Popen[str]
    greeting: list[str]
    url: str
    folder: Path

    def get(self, path: str) -> Any:
        with urlopen(self.url + path) as answer:
            return json.load(answer)

    def page(self, player: str) -> ClientConnection:
        return connect(f"{self.url.replace('http', 'ws')}/api/rooms/demo/socket?player_id={player}", proxy=None)

    def stderr_line(self) -> str:
        stream: IO[str] | None = self.process.stderr
        assert stream is not None
        return stream.readline()


def until(page: ClientConnection, kind: str) -> dict[str, Any]:
    while (message := json.loads(page.recv()))["type"] != kind:
        pass
    assert isinstance(message, dict)
    return message


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[Server]:
    (folder / "soup.py").write_text(EXPERIMENT)
    distribution = folder / "pyodide"
    distribution.mkdir(exist_ok=True)
    (distribution / "pyodide.mjs").write_text("export {};")
    (distribution / "pyodide-lock.json").write_text("{}")
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        [
            sys.executable,
            *["-m", "pyodide_runtime", "serve", "soup.py", "--port", "0", "--distribution", "pyodide"],
            *options,
        ],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        greeting = [process.stdout.readline().rstrip("\n") for _ in range(5)]
        url = greeting[0].removeprefix("listening on ")
        yield Server(process, greeting, url, folder)
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("serving")) as running:
        yield running


def test_the_first_line_says_where_the_server_listens_and_the_next_what_to_open(server: Server) -> None:
    assert re.fullmatch(r"listening on http://127\.0\.0\.1:[0-9]+", server.greeting[0])
    assert server.greeting[1] == f"Serving Soup on {server.url}/"
    assert server.greeting[2].endswith(f"open {server.url}/play/demo in two windows")


def test_the_page_and_its_modules_come_with_the_package(server: Server) -> None:
    with urlopen(f"{server.url}/play/demo?player_id=A") as page:
        assert page.headers["Cross-Origin-Embedder-Policy"] == "require-corp"
        assert page.headers["Content-Type"] == "text/html; charset=utf-8"
        scripts = re.findall(r'src="(/bridge/[^"]+)"', page.read().decode())
    assert scripts
    for script in scripts:
        with urlopen(server.url + script) as answer:
            assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"


def test_a_session_from_joining_to_the_listing(server: Server) -> None:
    with server.page("A") as first, server.page("B") as second:
        for page in (first, second):
            page.send('{"type":"ready"}')
        session = until(first, "start")["start"]["session"]
        until(second, "start")
        first.send('{"type":"signal","to":1,"data":{"candidate":"c"}}')
        assert until(second, "signal") == {"type": "signal", "from": 0, "data": {"candidate": "c"}}
        with server.page("C") as third:
            assert "already started" in until(third, "refused")["error"]
            with pytest.raises(ConnectionClosed):
                third.recv()
        second.send('{"type":"failed","error":"out of soup","outcome":null}')
        for player in "AB":
            path = f"/api/sessions/{session}/players/{player}/chunks/outcome?sequence=0"
            body = json.dumps({"outcome": "completed"}).encode()
            with urlopen(Request(server.url + path, data=body, method="POST")) as answer:
                assert json.load(answer) == {"stored": 0}
    (listed,) = server.get("/api/sessions")
    assert (listed["session"], listed["outcome"]) == (session, "completed")
    assert (server.folder / "data" / session / "session.json").is_file()
    assert server.stderr_line() == f"room demo: session {session} starts with A, B\n"
    assert server.stderr_line() == "room demo: player B failed: out of soup\n"


def test_a_message_beyond_all_measure_closes_the_socket_and_nothing_else(server: Server) -> None:
    with server.page("X") as page:
        until(page, "roster")
        page.send("x" * 2**21)
        with pytest.raises(ConnectionClosed):
            page.recv()
    assert isinstance(server.get("/api/sessions"), list)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_the_server_at_once_though_pages_are_open(tmp_path: Path, ending: signal.Signals) -> None:
    with serving(tmp_path) as server:
        with server.page("A") as page:
            until(page, "roster")
            server.process.send_signal(ending)
            _, err = server.process.communicate(timeout=10)
        assert server.process.returncode in (0, -signal.SIGTERM)
        assert "Traceback" not in err


def test_a_port_that_is_taken_is_one_message(tmp_path: Path, server: Server) -> None:
    port = server.url.rpartition(":")[2]
    with serving(tmp_path, "--port", port) as second:
        assert second.process.wait(10) == 2
        told = second.process.stderr.read() if second.process.stderr else ""
    assert told.startswith(f"cannot listen on 127.0.0.1, port {port}: Address already in use; choose another")
    assert told.count("\n") == 1


def test_a_data_folder_that_another_server_has_is_one_message(tmp_path: Path, server: Server) -> None:
    with serving(tmp_path, "--data", str(server.folder / "data")) as second:
        assert second.process.wait(10) == 2
        told = second.process.stderr.read() if second.process.stderr else ""
    assert told.startswith(f"the data folder {server.folder / 'data'} is in use by another server (process {server.process.pid}); ")
    assert told.count("\n") == 1


def test_a_page_of_another_server_is_refused_before_the_socket_opens(server: Server) -> None:
    address = f"{server.url.replace('http', 'ws')}/api/rooms/demo/socket?player_id=A"
    with pytest.raises(InvalidStatus) as refused, connect(address, proxy=None, origin=Origin("http://evil.example")):
        pass
    assert refused.value.response.status_code == 403
    lines = iter(server.stderr_line, "")
    assert any("refused: a page of 'http://evil.example'" in line for line in lines)
    with connect(address, proxy=None, origin=Origin(server.url)) as page:
        assert until(page, "joined")["player_id"] == "A"


def test_a_host_that_is_unknown_is_one_message(tmp_path: Path) -> None:
    with serving(tmp_path, "--host", "no such host") as server:
        assert server.process.wait(10) == 2
        told = server.process.stderr.read() if server.process.stderr else ""
    assert told.startswith("cannot listen on no such host, port 0: ")
    assert told.count("\n") == 1


def test_ice_servers_are_written_as_urls() -> None:
    assert ice_server("stun:stun.example.org:3478") == {"urls": "stun:stun.example.org:3478"}
    assert ice_server("turn:me:secret@turn.example.org:3478?transport=tcp") == {
        "urls": "turn:turn.example.org:3478?transport=tcp",
        "username": "me",
        "credential": "secret",
    }
    for wrong in ("example.org", "http://example.org", "turn:turn.example.org", "stun:", "stun:a b"):
        with pytest.raises(argparse.ArgumentTypeError):
            ice_server(wrong)


def test_a_file_of_ice_servers_is_read_and_checked(tmp_path: Path) -> None:
    file = tmp_path / "ice.json"
    servers = [{"urls": "turn:turn.example.org:3478", "username": "me", "credential": "secret"}]
    file.write_text(json.dumps(servers))
    assert ice_servers_file(str(file)) == servers
    for text, words in [("[", "not JSON"), ("{}", "no list"), ('[{"urls": "turn:x"}]', "username is missing")]:
        file.write_text(text)
        with pytest.raises(argparse.ArgumentTypeError, match=words):
            ice_servers_file(str(file))
    with pytest.raises(argparse.ArgumentTypeError, match=r"none\.json cannot be read"):
        ice_servers_file(str(tmp_path / "none.json"))


def test_the_bridge_is_found_in_the_tree() -> None:
    assert (bridge_folder() / "page" / "play.html").is_file()


def test_an_origin_is_written_as_browsers_write_it() -> None:
    assert origin("https://Lab.example/") == "https://lab.example"
    assert origin("https://lab.example:443") == "https://lab.example"
    assert origin("http://lab.example:8080") == "http://lab.example:8080"
    assert origin("http://[::1]:80") == "http://[::1]"
    for wrong in ("*", "null", "lab.example", "file:///x", "https://lab.example/x", "https://me@lab.example", "https://l.e:x"):
        with pytest.raises(argparse.ArgumentTypeError):
            origin(wrong)

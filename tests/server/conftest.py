"""A server on a small experiment of its own, with a page and a distribution that hold a few files."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlencode

import pytest
from starlette.testclient import TestClient, WebSocketTestSession

from pyodide_runtime.server.app import ServerOptions, make_app

EXPERIMENT = """
import pyodide_runtime as pr
import absent_package

def make_env():
    return absent_package.make()

experiment = pr.Experiment(
    name="Pots & Pans",
    environment=make_env,
    players={players},
    spectators={spectators},
    {more}
    seed={seed},
    keys={{"ArrowUp": 1}},
    requirements=["absent-package==1.0"],
    instructions="Cook <soup>.",
    sprites={{"chef": "chef.png"}},
)
"""


@dataclass
class Page:
    """A page's side of its socket."""

    socket: WebSocketTestSession

    def send(self, **message: Any) -> None:
        self.socket.send_json(message)

    def receive(self) -> dict[str, Any]:
        message: dict[str, Any] = self.socket.receive_json()
        return message

    def send_packet(self, to: int, channel: int, heard: int, packet: bytes) -> None:
        self.socket.send_bytes(bytes((to, channel, heard)) + packet)

    def settle(self) -> None:
        """Wait until the server has taken all that was sent; what it said until then is passed over."""
        self.send(type="no such message")
        self.until("error")

    def until(self, kind: str) -> dict[str, Any]:
        """The next message of a type; those before it are passed over."""
        while (message := self.receive())["type"] != kind:
            pass
        return message


@dataclass
class Site:
    """Everything a server is made of, and what it printed."""

    folder: Path
    options: ServerOptions
    client: TestClient
    printed: list[str] = field(default_factory=list)

    @contextmanager
    def page(self, player_id: str, room: str = "demo", **query: str) -> Iterator[Page]:
        asked = urlencode({"player_id": unquote(player_id), **query})
        with self.client.websocket_connect(f"/api/rooms/{room}/socket?{asked}") as socket:
            yield Page(socket)

    def write_experiment(self, players: int = 2, seed: int | None = 7, spectators: int = 0, more: str = "") -> Path:
        file = self.folder / "pots.py"
        file.write_text(EXPERIMENT.format(players=players, seed=seed, spectators=spectators, more=more))
        return file

    def sessions(self) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = self.client.get("/api/sessions").raise_for_status().json()
        return listed

    def upload(self, session: str, player: str, kind: str, sequence: object, body: bytes, incarnation: object = 0) -> Any:
        again = f"&incarnation={incarnation}" if incarnation != 0 else ""
        url = f"/api/sessions/{session}/players/{player}/chunks/{kind}?sequence={sequence}{again}"
        return self.client.post(url, content=body)

    def conclude(self, session: str, player: str, outcome: str = "completed", **more: Any) -> None:
        body = json.dumps({"outcome": outcome, **more}).encode()
        self.upload(session, player, "outcome", 0, body).raise_for_status()


MakeSite = Callable[..., Site]


@pytest.fixture
def make_site(tmp_path: Path) -> Iterator[MakeSite]:
    clients: list[TestClient] = []

    def make(players: int = 2, seed: int | None = 7, spectators: int = 0, **options: Any) -> Site:
        for name in ("experiment", "bridge/page", "distribution"):
            (tmp_path / name).mkdir(parents=True, exist_ok=True)
        (tmp_path / "bridge/page/play.html").write_text("<!doctype html><title>play</title>")
        printed: list[str] = []
        chosen = ServerOptions(
            **{
                "experiment_file": tmp_path / "experiment" / "pots.py",
                "data": tmp_path / "data",
                "distribution": tmp_path / "distribution",
                "bridge": tmp_path / "bridge",
                "report": printed.append,
                **options,
            }
        )
        (tmp_path / "experiment" / "chef.png").write_bytes(b"\x89PNG chef")
        site = Site(tmp_path / "experiment", chosen, TestClient(make_app(chosen)), printed)
        site.write_experiment(players, seed, spectators)
        clients.append(site.client)
        site.client.__enter__()
        return site

    yield make
    for client in clients:
        client.__exit__(None, None, None)


@pytest.fixture
def site(make_site: MakeSite) -> Site:
    """A server of an experiment for two."""
    return make_site()

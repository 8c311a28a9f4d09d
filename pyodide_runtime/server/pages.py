"""The pages: the entrance at `/`, the way into a room, and the page on which a room plays.

The playing page itself belongs to the bridge and is sent as it is, but for the addresses of the two folders, which bear
the folders' versions, so that browsers may keep what they load from there; and for what the experiment requires, so that it is
loaded while the page joins. This module knows nothing of what rooms
do.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from html import escape
from importlib.resources import files
from string import Template
from typing import Any
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from pyodide_runtime.errors import ExperimentError
from pyodide_runtime.experiment import Experiment
from pyodide_runtime.server.context import Context
from pyodide_runtime.server.identifiers import BadIdentifier, checked, new_player, new_room
from pyodide_runtime.server.statics import Folder
from pyodide_runtime.server.storage import StorageFailed

MOST_SESSIONS_LISTED = 20


def routes(context: Context, bridge: Folder, distribution: Folder) -> list[BaseRoute]:
    """The routes of the pages."""

    async def entrance(request: Request) -> Response:
        try:
            loaded = await context.experiment_file.read()
        except ExperimentError as error:
            context.options.report(str(error))
            return _page("There is a mistake in the experiment", f"<pre>{escape(str(error))}</pre>", 500)
        try:
            listing = _sessions(context.storage.summaries()[:MOST_SESSIONS_LISTED])
        except StorageFailed as error:
            listing = f'<p class="error">Sessions cannot be listed: {escape(str(error))}.</p>'
        return _page(loaded.experiment.name, _introduction(loaded.experiment) + listing)

    async def choose_room(request: Request) -> Response:
        room = request.query_params.get("room", "").strip() or new_room()
        return _to_room(room, request.query_params)

    async def play(request: Request) -> Response:
        room, player_id = request.path_params["room"], request.query_params.get("player_id", "")
        if not player_id:
            return _to_room(room, request.query_params)
        try:
            checked("room", room)
            checked("player_id", player_id)
        except BadIdentifier as error:
            return _refusal(error)
        text = (bridge.root / "page" / "play.html").read_text(encoding="utf-8")
        with contextlib.suppress(ExperimentError):  # who joins is told of the mistake
            required = (await context.experiment_file.read()).for_worker()["requirements"]
            text = text.replace('data-requirements=""', f'data-requirements="{escape(json.dumps(required))}"')
        for name, folder in (("bridge", bridge), ("pyodide", distribution)):
            text = text.replace(f'"/{name}/', f'"/{name}/@{folder.version()}/')
        return HTMLResponse(text, headers={"Cache-Control": "no-store"})

    return [
        Route("/", entrance),
        Route("/play", choose_room),
        Route("/play/{room}", play),
        Route("/favicon.ico", _no_icon),
    ]


def _to_room(room: str, asked: Mapping[str, str]) -> Response:
    """Into a room, with a name made here for a player without one, whose page then tells how the others come."""
    try:
        room = checked("room", room)
        player_id = asked.get("player_id", "").strip()
        query = {"player_id": checked("player_id", player_id)} if player_id else {"player_id": new_player(), "invite": "1"}
    except BadIdentifier as error:
        return _refusal(error)
    query = {**query, **{name: value for name, value in asked.items() if name not in ("room", *query)}}
    return RedirectResponse(f"/play/{quote(room)}?{urlencode(query)}", 303, {"Cache-Control": "no-store"})


async def _no_icon(request: Request) -> Response:
    return PlainTextResponse("", 204)


def _refusal(error: BadIdentifier) -> Response:
    body = f'<p class="error">{escape(str(error))}.</p><p><a class="button" href="/">Back</a></p>'
    return _page("This address does not work", body, 400)


def _page(title: str, body: str, status: int = 200) -> Response:
    template = Template(files(__package__).joinpath("page.html").read_text(encoding="utf-8"))
    content = template.substitute(title=escape(title), body=body)
    return HTMLResponse(content, status, {"Cache-Control": "no-store"})


def _introduction(experiment: Experiment) -> str:
    paragraphs = "".join(
        f"<p>{escape(paragraph.strip())}</p>" for paragraph in experiment.instructions.split("\n\n") if paragraph.strip()
    )
    alone, each = experiment.pages == 1, experiment.players_per_page
    players = "One player" if experiment.players == 1 else f"{experiment.players} players"
    if not alone:
        players += ", each in a browser of their own" if each == 1 else f", {each} at each browser"
    if alone:
        way = '<form action="/play"><button>Play</button></form>'
    else:
        way = (
            '<form action="/play"><button>Open a new room</button></form><p class="or">or</p>'
            '<form action="/play"><input name="room" placeholder="Name of a room" required maxlength="64" '
            'aria-label="Name of a room" pattern="[A-Za-z0-9][A-Za-z0-9_\\-]*" autocomplete="off">'
            "<button>Join it</button></form>"
            "<p>Everybody who opens the same room's name plays together. "
            "Two windows on this machine will do.</p>"
        )
    return f'<p class="players">{players}</p><div class="instructions">{paragraphs}</div><section class="ways">{way}</section>'


def _sessions(sessions: list[dict[str, Any]]) -> str:
    if not sessions:
        return ""
    rows = "".join(_session(session) for session in sessions)
    return (
        "<section><h2>Sessions</h2><table><thead><tr><th>Session<th>Room<th>Outcome<th>Exports</tr></thead>"
        f"<tbody>{rows}</tbody></table></section>"
    )


def _session(session: dict[str, Any]) -> str:
    exports = ", ".join(
        f'<a href="/api/sessions/{session["session"]}/players/{player["player_id"]}/export.csv">'
        f"{escape(player['player_id'])}</a> ({player['rows']} rows)"
        + (f' <span class="error">{escape(player["error"])}</span>' if player["error"] else "")
        for player in session["players"]
    )
    told = (session["session"], session["room"], session["outcome"])
    return "<tr>" + "".join(f"<td>{escape(text)}" for text in told) + f"<td>{exports}</tr>"

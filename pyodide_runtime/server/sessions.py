"""The HTTP interface to sessions: players upload what became final, and everybody can read it.

    POST /api/sessions/ID/players/PLAYER/chunks/KIND?sequence=N&incarnation=K
    GET  /api/sessions, /api/sessions/ID
    GET  /api/sessions/ID/players/PLAYER/{export.csv,record.ndjson,diagnostics.ndjson,outcome.json}

Errors are JSON objects with a text at "error". Where things are kept is `storage`'s matter.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from pyodide_runtime.errors import PyodideRuntimeError
from pyodide_runtime.rows import to_csv
from pyodide_runtime.server.chunks import LARGEST_CHUNK_BYTES, BadChunk, Kind
from pyodide_runtime.server.context import Context
from pyodide_runtime.server.identifiers import BadIdentifier
from pyodide_runtime.server.storage import NotStored, SequenceGap, StorageFailed, TooLarge
from pyodide_runtime.uploads import read_rows

Endpoint = Callable[[Request], Awaitable[Response]]

_STATUS: dict[type[PyodideRuntimeError], int] = {
    BadChunk: 400,
    BadIdentifier: 400,
    NotStored: 404,
    SequenceGap: 409,
    TooLarge: 413,
    StorageFailed: 507,
}


def routes(context: Context) -> list[BaseRoute]:
    """The routes of the interface."""
    storage = context.storage

    async def upload(request: Request) -> Response:
        session, player = request.path_params["session"], request.path_params["player"]
        kind = _kind(request.path_params["kind"])
        sequence = _count("sequence", request.query_params.get("sequence", ""))
        incarnation = _count("incarnation", request.query_params.get("incarnation", "0"))
        storage.append(session, player, kind, sequence, await _body(request), incarnation)
        if kind is Kind.OUTCOME:
            context.rooms.outcome_stored(session)
        return JSONResponse({"stored": sequence})

    async def sessions(request: Request) -> Response:
        return JSONResponse(storage.summaries())

    async def session(request: Request) -> Response:
        return JSONResponse(storage.summary(request.path_params["session"]))

    def file(kind: Kind, suffix: str, media_type: str) -> BaseRoute:
        async def download(request: Request) -> Response:
            session, player = request.path_params["session"], request.path_params["player"]
            content = storage.text(session, player, kind)
            if kind is Kind.ROWS:
                content = to_csv(read_rows(content))
            name = f"{session}-{player}-{suffix}"
            return Response(content, media_type=media_type, headers={"Content-Disposition": f'inline; filename="{name}"'})

        return Route(f"/api/sessions/{{session}}/players/{{player}}/{suffix}", _guarded(download))

    return [
        Route("/api/sessions", _guarded(sessions)),
        Route("/api/sessions/{session}", _guarded(session)),
        Route("/api/sessions/{session}/players/{player}/chunks/{kind}", _guarded(upload), methods=["POST"]),
        file(Kind.ROWS, "export.csv", "text/csv"),
        file(Kind.RECORD, "record.ndjson", "application/x-ndjson"),
        file(Kind.DIAGNOSTICS, "diagnostics.ndjson", "application/x-ndjson"),
        file(Kind.OUTCOME, "outcome.json", "application/json"),
    ]


def _guarded(endpoint: Endpoint) -> Endpoint:
    """The endpoint, its answers never cached, its errors answered as JSON with their status."""

    async def guarded(request: Request) -> Response:
        try:
            response = await endpoint(request)
        except PyodideRuntimeError as error:
            told: dict[str, object] = {"error": str(error)}
            if isinstance(error, SequenceGap):
                told["expected"] = error.expected
            status = next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 500)
            response = JSONResponse(told, status)
        except ClientDisconnect:
            response = JSONResponse({"error": "the upload broke off"}, 400)
        response.headers["Cache-Control"] = "no-store"
        return response

    return guarded


def _kind(word: str) -> Kind:
    try:
        return Kind(word)
    except ValueError:
        words = ", ".join(kind.value for kind in Kind)
        raise NotStored(f"there are no chunks of kind {word[:40]!r}; there are {words}") from None


def _count(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise BadChunk(f"{name} must be a whole number, 0 or more, not {text[:40]!r}")
    return int(text)


async def _body(request: Request) -> bytes:
    """The body, read only as far as a chunk may be long. Raises TooLarge."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_CHUNK_BYTES:
            raise TooLarge(f"a chunk may have {LARGEST_CHUNK_BYTES} bytes")
    return bytes(body)

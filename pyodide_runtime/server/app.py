"""The server as one ASGI application: puts the routes of all parts together.

`make_app` is all there is; what the parts do is in their modules.
"""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from pyodide_runtime.server import pages, sessions, signalling
from pyodide_runtime.server.context import Context, ServerOptions, make_context
from pyodide_runtime.server.isolation import CrossOriginIsolation
from pyodide_runtime.server.origin import SameOrigin
from pyodide_runtime.server.statics import Folder

__all__ = ["ServerOptions", "make_app"]


def make_app(options: ServerOptions) -> ASGIApp:
    """The application. Raises StorageFailed if the data folder cannot be used."""
    context = make_context(options)
    bridge, distribution = Folder(options.bridge), Folder(options.distribution)
    site = Starlette(
        routes=[
            *pages.routes(context, bridge, distribution),
            *sessions.routes(context),
            *signalling.routes(context),
            _folder("/bridge", bridge),
            _folder("/pyodide", distribution),
            _sprites(context),
        ]
    )
    app: ASGIApp = SameOrigin(site, options.report, options.allowed_origins)
    if options.allowed_origins:
        app = CORSMiddleware(
            app, allow_origins=options.allowed_origins, allow_methods=["GET", "POST"], allow_headers=["content-type"], max_age=3600
        )
    return CrossOriginIsolation(app)


def _folder(prefix: str, folder: Folder) -> BaseRoute:
    async def respond(request: Request) -> Response:
        return await folder.respond(request, request.path_params["path"])

    return Route(f"{prefix}/{{path:path}}", respond)


def _sprites(context: Context) -> BaseRoute:
    folder = Folder(context.options.experiment_file.parent)

    async def respond(request: Request) -> Response:
        name = request.path_params["name"]
        file = context.experiment_file.sprite(name)
        if file is None or not file.is_file():
            return PlainTextResponse(f"There is no sprite {name}.", 404)
        return await folder.respond_file(request, file)

    return Route("/sprites/{name}", respond)

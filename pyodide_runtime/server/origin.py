"""Who may act on this server: its own pages, those of origins that were allowed by name, and programs that are no pages at all.

A browser lets any site open WebSockets to any server and post to it, and says in `Origin` which site it was. So what changes
something here is refused if it comes from a page of another server. Reading is not this module's matter: the headers of
`isolation` keep other sites from that.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["SameOrigin"]

READING = frozenset({"GET", "HEAD", "OPTIONS"})
DEFAULT_PORTS = {"http": 80, "https": 443}
POLICY_VIOLATION = 1008


class SameOrigin:
    """An ASGI application whose WebSockets and whose changes are for its own pages, and those that are allowed.

    Args:
        app: the application.
        report: prints a line in the terminal; the page of a refused WebSocket learns no reason.
        allowed: origins of pages elsewhere, as browsers write them: scheme and host, and the port where it is not the usual one.
    """

    def __init__(self, app: ASGIApp, report: Callable[[str], None], allowed: Collection[str] = ()) -> None:
        self.app = app
        self._report = report
        self._allowed = frozenset(allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the application does, or refuse."""
        kind = scope["type"]
        if kind not in ("http", "websocket") or (kind == "http" and scope["method"] in READING):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        foreign = [origin for origin in headers.getlist("origin") if origin not in self._allowed and not _same(origin, host)]
        if not foreign:
            await self.app(scope, receive, send)
            return
        # Quoted and cut off: it is a stranger's text.
        told = (
            f"refused: a page of {foreign[0][:100]!r} is none of {host[:100]!r}; a proxy must pass the Host header on "
            "as it came, and a page elsewhere is let in by --allow-origin"
        )
        self._report(f"{scope['path'][:100]!r} {told}")
        if kind == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": ""})
        else:
            await JSONResponse({"error": told}, 403)(scope, receive, send)


def _same(origin: str, host: str) -> bool:
    """Whether a page of this origin came from the server of this `Host`. "null", as of a file or a sandbox, is none."""
    try:
        page, server = urlsplit(origin), urlsplit(f"//{host}")
        default = DEFAULT_PORTS[page.scheme]
        return page.hostname is not None and (page.hostname, page.port or default) == (server.hostname, server.port or default)
    except (KeyError, ValueError):
        return False

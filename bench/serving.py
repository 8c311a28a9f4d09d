"""A small server for the page that measures: its own files, the bridge and the distribution, isolated for a precise clock.

It knows nothing of what is measured.
"""

from __future__ import annotations

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType

__all__ = ["ROOT", "PageServer"]

ROOT = Path(__file__).resolve().parents[1]


class PageServer:
    """Serves from `__enter__` to `__exit__`, on a free port of this machine only.

    Args:
        distribution: the laid-out Pyodide folder.
        isolated: whether pages are isolated from other origins.

    Attributes:
        url: where, without a slash at its end.
    """

    def __init__(self, distribution: Path, *, isolated: bool = True) -> None:
        folders = {"bench": Path(__file__).parent / "page", "bridge": ROOT / "js_bridge", "pyodide": distribution.resolve()}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, folders, isolated))
        self._thread = threading.Thread(target=self._server.serve_forever, name="page server", daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> PageServer:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(SimpleHTTPRequestHandler):
    """Files of a few folders, the first part of a path naming the folder."""

    protocol_version = "HTTP/1.1"
    extensions_map = {  # noqa: RUF012
        **SimpleHTTPRequestHandler.extensions_map,
        ".js": "text/javascript",
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
        ".whl": "application/zip",
    }

    def __init__(self, folders: dict[str, Path], isolated: bool, *arguments: object) -> None:
        self._folders = folders
        self._isolated = isolated
        super().__init__(*arguments)  # type: ignore[arg-type]

    def translate_path(self, path: str) -> str:
        """The file that a path of a URL means; one that is not there where it means none."""
        first, _, rest = path.split("?")[0].lstrip("/").partition("/")
        folder = self._folders.get(first)
        file = (folder / rest).resolve() if folder is not None else None
        return str(file) if file is not None and folder is not None and file.is_relative_to(folder.resolve()) else "/nowhere"

    def end_headers(self) -> None:
        """Headers of isolation, with every answer where it is wanted."""
        if self._isolated:
            self.send_header("Cross-Origin-Opener-Policy", "same-origin")
            self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing is logged: a file that is missing is an error in the page."""

"""Bundles, made by the command that everybody has for it, and a file host that knows nothing of them: Python's `http.server`."""

from __future__ import annotations

import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType

from e2e.server import DISTRIBUTION, ROOT

SECONDS = 120


def bundle(experiment: Path, out: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Make the bundle of an experiment; what the command printed."""
    command = [sys.executable, "-m", "pyodide_runtime", "bundle", str(experiment), "--out", str(out)]
    command += ["--distribution", str(DISTRIBUTION), *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=True)


class FileHost:
    """Serves a folder from `__enter__` to `__exit__`, on a free port of this machine only.

    Attributes:
        url: where, without a slash at its end.
        asked: the paths that were asked for, in order.
    """

    def __init__(self, folder: Path) -> None:
        self.asked: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, self.asked, directory=str(folder)))
        self._thread = threading.Thread(target=self._server.serve_forever, name="file host", daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> FileHost:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Quiet(SimpleHTTPRequestHandler):
    """As it comes with Python, but that it notes what it would print, and, as some hosts do, knows no WebAssembly."""

    def __init__(self, asked: list[str], *arguments: object, directory: str) -> None:
        self._asked = asked
        self.extensions_map = {**self.extensions_map, ".wasm": "application/octet-stream"}
        super().__init__(*arguments, directory=directory)  # type: ignore[arg-type]

    def log_message(self, format: str, *arguments: object) -> None:
        """Note the path of a request."""
        self._asked.append(self.path)

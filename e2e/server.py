"""`python -m pyodide_runtime serve`, as a person starts it: a process of its own, read by its terminal and over HTTP.

It knows nothing of browsers or of what a test plays.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any

ROOT = Path(__file__).parent.parent
DISTRIBUTION = ROOT / "build" / "pyodide"
SECONDS_TO_START = 60.0
SECONDS_TO_ANSWER = 30.0


class Server:
    """One server for one experiment, from `__enter__` to `__exit__`.

    Args:
        experiment: the experiment's file.
        data: the folder for the players' data.
        options: further words for the command.

    Raises:
        AssertionError: it did not come to listen; the message holds what it printed.
    """

    def __init__(self, experiment: Path, data: Path, *options: str) -> None:
        self.experiment = experiment
        self.data = data
        self.options = options
        self.lines: list[str] = []
        self._changed = threading.Condition()
        self._over = False

    def __enter__(self) -> Server:
        command = [sys.executable, "-m", "pyodide_runtime", "serve", str(self.experiment)]
        command += ["--port", "0", "--data", str(self.data), "--distribution", str(DISTRIBUTION), *self.options]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self.url = self.wait_for_line("listening on ", SECONDS_TO_START).split()[-1]
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop()

    def _stop(self) -> None:
        self._process.terminate()
        self._process.wait()
        self._reader.join()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._changed:
                self.lines.append(line.rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def wait_for_line(self, text: str, seconds: float) -> str:
        """The first line of the terminal that holds this text. AssertionError if there is none within so many seconds."""

        def found() -> str | None:
            return next((line for line in self.lines if text in line), None)

        with self._changed:
            self._changed.wait_for(lambda: found() is not None or self._over, seconds)
            line = found()
            assert line is not None, f"the server never printed {text!r}, but:\n" + "\n".join(self.lines)
            return line

    def read(self, path: str) -> bytes:
        """What a GET of this path answers. Raises urllib's errors."""
        with urllib.request.urlopen(f"{self.url}{path}", timeout=SECONDS_TO_ANSWER) as response:
            body: bytes = response.read()
        return body

    def summary(self, session: str) -> dict[str, Any]:
        """A session with its players and outcomes, as `GET /api/sessions/ID` answers."""
        summary: dict[str, Any] = json.loads(self.read(f"/api/sessions/{session}"))
        return summary

    def of_player(self, session: str, player: str, file: str) -> bytes:
        """One file of a player: export.csv, record.ndjson, diagnostics.ndjson or outcome.json."""
        return self.read(f"/api/sessions/{session}/players/{player}/{file}")

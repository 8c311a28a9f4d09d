"""Pyodide in a module worker of Debian's Chromium: opened with some packages, then asked to call functions of `bench.inside`.

It knows nothing of what is measured.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, sync_playwright

from bench.serving import ROOT, PageServer

__all__ = ["Chromium", "PyodideWorker"]


class PyodideWorker:
    """One worker with Python in it.

    Attributes:
        versions: of Pyodide and of its Python.
    """

    def __init__(self, page: Page, packages: list[str], *, isolated: bool = True) -> None:
        self._page = page
        self.versions: dict[str, str] = self._ask({"open": {"packages": packages, "files": _files(), "isolated": isolated}})

    def call(self, module: str, name: str, **values: Any) -> Any:
        """Call a function of `bench.inside.MODULE` there, with JSON values; what it answers.

        Raises Playwright's Error with the traceback where the function raises.
        """
        return self._ask({"call": {"module": f"bench.inside.{module}", "name": name, "values": values}})

    def measure(self, function: str, **values: Any) -> Any:
        """Call a function of the page itself, `measureMessages` or `measurePassing`, with JSON values; what it answers."""
        return self._page.evaluate("([name, values]) => globalThis[name](values)", [function, values])

    def close(self) -> None:
        """End the worker and its page."""
        self._page.context.close()

    def _ask(self, request: dict[str, Any]) -> Any:
        return self._page.evaluate("request => ask(request)", request)


class Chromium:
    """Debian's Chromium without a screen, from `__enter__` to `__exit__`.

    Args:
        distribution: the laid-out Pyodide folder.
    """

    def __init__(self, distribution: Path) -> None:
        self._distribution = distribution

    def __enter__(self) -> Chromium:
        self._server = PageServer(self._distribution).__enter__()
        self._open_server = PageServer(self._distribution, isolated=False).__enter__()
        self._manager = sync_playwright()
        self._browser = _launch(self._manager.__enter__())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._browser.close()
        self._manager.__exit__(kind, error, trace)
        self._server.__exit__(kind, error, trace)
        self._open_server.__exit__(kind, error, trace)

    @property
    def version(self) -> str:
        """The browser's version."""
        return self._browser.version

    def open(self, packages: list[str], *, isolated: bool = True) -> PyodideWorker:
        """A new worker, in a context of its own, with `pyodide-runtime` and these packages of the distribution.

        Args:
            packages: names in the lock.
            isolated: whether the page is isolated from other origins, and so has a precise clock and memory to share.
        """
        page = self._browser.new_context().new_page()
        page.on("console", _pass_on)
        server = self._server if isolated else self._open_server
        page.goto(f"{server.url}/bench/index.html")
        page.wait_for_function("typeof ask === 'function'")
        return PyodideWorker(page, packages, isolated=isolated)


def _launch(playwright: Playwright) -> Browser:
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        raise SystemExit("Chromium is not installed; `make browsers` installs it")
    return playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-background-networking"])


def _pass_on(message: ConsoleMessage) -> None:
    print(f"    {message.text}", file=sys.stderr, flush=True)


def _files() -> dict[str, str]:
    """What is measured inside, by path."""
    folder = ROOT / "bench"
    files = [folder / "__init__.py", *sorted((folder / "inside").glob("*.py"))]
    return {str(file.relative_to(ROOT)): file.read_text(encoding="utf-8") for file in files}

"""Both engines, as Debian packages them: Chromium and Firefox without a screen, one of each for the whole run.

It knows nothing of pages; whoever plays makes contexts.
"""

from __future__ import annotations

import asyncio
import shutil
from typing import Literal

from playwright.async_api import Browser, Playwright

Engine = Literal["chromium", "firefox"]


def _program(*names: str) -> str:
    """The path of the first of these programs that is installed. AssertionError if none is."""
    path = next((path for name in names if (path := shutil.which(name))), None)
    assert path is not None, f"none of {', '.join(names)} is installed; `make browsers` does it"
    return path


class Browsers:
    """The browsers of a run, each launched when it is first asked for."""

    def __init__(self, playwright: Playwright) -> None:
        self._playwright = playwright
        self._launched: dict[Engine, Browser] = {}
        self._launching = asyncio.Lock()

    async def get(self, engine: Engine) -> Browser:
        """The browser of an engine."""
        async with self._launching:
            if engine not in self._launched:
                self._launched[engine] = await self._launch(engine)
            return self._launched[engine]

    async def close(self) -> None:
        """Close all of them."""
        for browser in self._launched.values():
            await browser.close()

    async def _launch(self, engine: Engine) -> Browser:
        if engine == "chromium":
            return await self._playwright.chromium.launch(
                executable_path=_program("chromium", "chromium-browser"),
                args=["--no-sandbox", "--disable-background-networking"],
            )
        return await self._playwright.firefox.launch(channel="moz-firefox", executable_path=_program("firefox-esr", "firefox"))

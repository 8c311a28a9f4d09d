"""One player: a page in a browser context of its own, with real keys, real focus and a network that can be made bad.

What is said of a page is read off the interfaces that others rely on: `document.documentElement.dataset.phase` and
`window.pyodideRuntime`. It knows nothing of the other player.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

from playwright.async_api import Browser, CDPSession, ConsoleMessage, Page
from playwright.async_api import Error as PlaywrightError

from e2e.browsers import Engine
from e2e.impairment import Impairment, Line
from e2e.traffic import Traffic

SECONDS_TO_LOAD = 180.0
SECONDS_TO_START = 60.0
SECONDS_TO_PLAY = 240.0
SAMPLE_EVERY_S = 0.25
Window = tuple[int, int]
SMALL_WINDOW: Window = (640, 480)
"""In pixels; what is drawn in software takes time from what is tested."""
LEVEL = Line()
"""A network that does nothing to packets."""


@contextmanager
def unless_loading() -> Iterator[None]:
    """What cannot be read off a page because it is being loaded anew is left out."""
    try:
        yield
    except PlaywrightError as error:
        if "navigation" not in str(error):
            raise


class Player:
    """A player whose page is open.

    Attributes:
        player_id: as in the page's address.
        page: the page.
        impairment: the network of the page; None in Firefox, which has no rules for it.
        problems: exceptions that nobody caught, and errors in the page's console.
        samples: `stats()` as it was during play, in order.
        traffic: the packets that it sent and received itself.
    """

    def __init__(self, player_id: str, page: Page, impairment: Impairment | None) -> None:
        self.player_id = player_id
        self.page = page
        self.impairment = impairment
        self.problems: list[str] = []
        self.samples: list[dict[str, Any]] = []
        self.traffic = Traffic(page)
        self.other_tab: Page | None = None
        self._focus_session: CDPSession | None = None
        page.on("pageerror", lambda error: self.problems.append(f"uncaught: {error}"))
        page.on("console", self._take_console)

    @classmethod
    async def make(
        cls,
        player_id: str,
        browser: Browser,
        engine: Engine,
        origin: str,
        line: Line = LEVEL,
        *,
        window: Window,
        user_agent: str | None = None,
    ) -> Player:
        """A player with a new page in a new context, not opened yet."""
        context = await browser.new_context(
            viewport={"width": window[0], "height": window[1]}, device_scale_factor=1, user_agent=user_agent
        )
        page = await context.new_page()
        page.set_default_timeout(SECONDS_TO_START * 1000)
        if engine == "firefox":
            assert line == LEVEL, "Firefox has no rules for a bad network"
            return cls(player_id, page, None)
        player = cls(player_id, page, await Impairment.install(page, origin, line))
        await player.traffic.install()
        return player

    async def open(self, origin: str, room: str, query: dict[str, str]) -> None:
        """Open the page that joins a room."""
        await self.page.goto(f"{origin}/play/{room}?{urlencode({'player_id': self.player_id, **query})}")

    async def reach(self, *phases: str, seconds: float) -> str:
        """Wait until the page is in one of these phases; says which. Playwright's TimeoutError if it never is."""
        selector = ", ".join(f'html[data-phase="{phase}"]' for phase in phases)
        await self.page.locator(selector).wait_for(state="attached", timeout=seconds * 1000)
        phase: str = await self.page.evaluate("document.documentElement.dataset.phase")
        return phase

    async def come_back(self) -> None:
        """Load the page anew, and wait until the match goes on in it."""
        await self.page.reload(wait_until="commit")
        await self.reach("playing", seconds=SECONDS_TO_LOAD)

    async def reach_frame(self, frame: int) -> None:
        """Wait until this page has simulated so many frames of its episode."""
        seen = "frame => window.pyodideRuntime.stats().frame >= frame"
        await self.page.wait_for_function(seen, arg=frame, timeout=SECONDS_TO_PLAY * 1000)

    async def reach_way(self, way: str, peer: int) -> None:
        """Wait until packets to another page, by its index, go "direct" or by "relay"."""
        seen = "([peer, way]) => window.pyodideRuntime.stats().links?.[peer] === way"
        await self.page.wait_for_function(seen, arg=[peer, way], timeout=SECONDS_TO_PLAY * 1000)

    async def stats(self) -> dict[str, Any]:
        """What `window.pyodideRuntime.stats()` says now."""
        stats: dict[str, Any] = await self.page.evaluate("window.pyodideRuntime.stats()")
        return stats

    async def read(self, expression: str) -> Any:
        """The value of an expression in the page."""
        return await self.page.evaluate(expression)

    async def sample(self) -> None:
        """Note the page's numbers again and again, until cancelled."""
        while True:
            # Of a page that is being loaded anew there are no numbers.
            with unless_loading():
                stats = await self.page.evaluate("window.pyodideRuntime?.stats()")
                if stats:
                    self.samples.append(stats)
                await self.traffic.look()
            await asyncio.sleep(SAMPLE_EVERY_S)

    async def press_keys(self, choices: random.Random) -> None:
        """Press keys of the experiment, one or two together, each for a moment, without a rest, until cancelled."""
        keys: list[str] = await self.page.evaluate("window.pyodideRuntime.about.keys")
        keyboard = self.page.keyboard
        while True:
            held = [_as_playwright_names(key) for key in choices.sample(keys, choices.choice([1, 1, 2]))]
            # Side by side with the moment: a browser that has much to do answers late, and people do not wait for that.
            moment = asyncio.sleep(choices.uniform(0.05, 0.25))
            await asyncio.gather(moment, *(keyboard.down(key) for key in held))
            await asyncio.gather(*(keyboard.up(key) for key in held))

    async def lose_focus(self) -> None:
        """Another tab of the same window comes to the front: this page gets `blur`, as when a person changes tabs.

        Playwright makes Chromium's pages believe that they have the focus at all times; that belief is ended first.
        """
        if self.impairment is not None:
            self._focus_session = await self.page.context.new_cdp_session(self.page)
            await self._focus_session.send("Emulation.setFocusEmulationEnabled", {"enabled": False})
        self.other_tab = await self.page.context.new_page()
        await self.other_tab.bring_to_front()
        await self.page.wait_for_function("!document.hasFocus()")

    async def regain_focus(self) -> None:
        """This page comes to the front again."""
        await self.page.bring_to_front()
        await self.page.wait_for_function("document.hasFocus()")

    async def freeze(self, frozen: bool) -> None:
        """Freeze the page's own thread, as browsers do with tabs in the background, or let it go on."""
        session = await self.page.context.new_cdp_session(self.page)
        await session.send("Page.setWebLifecycleState", {"state": "frozen" if frozen else "active"})

    async def close_tab(self) -> None:
        """Close the page as a person does, in the middle of whatever it does, and wait until it is gone."""
        async with self.page.expect_event("close"):
            await self.page.close(run_before_unload=True)

    async def leave(self) -> None:
        """Close the context."""
        await self.page.context.close()

    def _take_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.problems.append(message.text)


def _as_playwright_names(key: str) -> str:
    return "Space" if key == " " else key

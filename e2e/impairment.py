"""A bad network for the packets of one Chromium page, by the rules of its DevTools protocol.

A rule reaches data channels only if one is in force before the page makes its RTCPeerConnection, so an `Impairment` is installed
before the page is opened. It concerns packets only, not what the page loads. It knows nothing of matches.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from typing import Any

from playwright.async_api import CDPSession, Page


@dataclass(frozen=True)
class Line:
    """The network of one page.

    Attributes:
        latency_ms: by how much every packet is late, each way.
        loss_percent: how many of 100 packets are lost, each way.
        jitter_ms: by how much the latency goes up and down, at the most.
    """

    latency_ms: float = 0
    loss_percent: float = 0
    jitter_ms: float = 0

    @property
    def least_round_trip_ms(self) -> float:
        """What this line adds to every round trip, at the least."""
        return 2 * (self.latency_ms - self.jitter_ms)


JITTER_EVERY_S = 0.1
"""How often the latency of a line with jitter changes."""


class Impairment:
    """The rule that is in force on one page."""

    def __init__(self, session: CDPSession, origin: str) -> None:
        self._session = session
        self._origin = origin

    @classmethod
    async def install(cls, page: Page, origin: str, line: Line) -> Impairment:
        """Put a line into force on a page that has not been opened yet; `origin` is where it will be loaded from."""
        session = await page.context.new_cdp_session(page)
        await session.send("Network.enable")
        impairment = cls(session, origin)
        await impairment.change(line)
        return impairment

    async def change(self, line: Line) -> None:
        """Put another line into force, at once."""
        rules = [_rule(f"{self._origin}/*", Line()), _rule("", line)]
        await self._session.send("Network.emulateNetworkConditionsByRule", {"offline": False, "matchedNetworkConditions": rules})

    async def jitter(self, line: Line, choices: random.Random) -> None:
        """Change the latency within the jitter again and again, until cancelled."""
        while True:
            latency = choices.uniform(line.latency_ms - line.jitter_ms, line.latency_ms + line.jitter_ms)
            await self.change(Line(latency, line.loss_percent))
            await asyncio.sleep(JITTER_EVERY_S)


def _rule(pattern: str, line: Line) -> dict[str, Any]:
    return {
        "urlPattern": pattern,
        "latency": line.latency_ms,
        "packetLoss": line.loss_percent,
        "downloadThroughput": -1,
        "uploadThroughput": -1,
    }

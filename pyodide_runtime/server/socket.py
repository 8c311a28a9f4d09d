"""One page's WebSocket: messages in order, both ways, each as late as the artificial delay asks.

Sending never waits: messages queue until they are due. Text is JSON, what is binary is a packet that is
relayed. This module knows nothing of what messages mean.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

MOST_WAITING = 1024
"""Messages that may wait, each way. A page that reads none of them any more is given up."""

GOODBYES = frozenset({1000, 1001, 1005})
"""Codes with which a page closes its socket, or a browser does whose page is closed. Any other says that the line was lost."""

MOST_PACKETS_WAITING = 256
"""Messages that wait when packets which may be lost begin to be: who cannot take them in time has no use for them later."""


class PageSocket:
    """An accepted WebSocket, while the `async with` block lasts.

    Args:
        websocket: the socket.
        delay_s: seconds by which each message, in both directions, comes later than it would.
    """

    def __init__(self, websocket: WebSocket, delay_s: float = 0) -> None:
        self._websocket = websocket
        self._delay_s = delay_s
        self._outgoing: asyncio.Queue[tuple[float, str | bytes | None]] = asyncio.Queue()
        self._incoming: asyncio.Queue[tuple[float, str | bytes | None]] = asyncio.Queue(MOST_WAITING)
        self._code = 1006
        self._clock = asyncio.get_running_loop().time

    async def __aenter__(self) -> PageSocket:
        self._writer = asyncio.create_task(self._write())
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for task in (self._reader, self._writer):
            task.cancel()
        # Not `gather`: if this task is cancelled too, it would raise a cancellation that is not the one that was asked for.
        await asyncio.wait({self._reader, self._writer})
        for task in (self._reader, self._writer):
            if not task.cancelled():
                task.exception()  # looked at, so that nothing is said about it; the page is gone in any case
        with suppress(WebSocketDisconnect, RuntimeError):
            await self._websocket.close()

    def send(self, message: Mapping[str, Any]) -> None:
        """Send a JSON message, after those sent before, without waiting."""
        if self._outgoing.qsize() >= MOST_WAITING:
            self._writer.cancel()
        else:
            self._put(json.dumps(message, separators=(",", ":"), allow_nan=False))

    def send_packet(self, data: bytes, *, may_be_lost: bool) -> None:
        """Send bytes, after what was sent before, without waiting. What may be lost is, where too much waits already."""
        waiting = self._outgoing.qsize()
        if waiting >= MOST_WAITING:
            self._writer.cancel()
        elif not may_be_lost or waiting < MOST_PACKETS_WAITING:
            self._put(data)

    def close(self) -> None:
        """Close the socket once all that was sent is on its way."""
        self._put(None)

    @property
    def lost(self) -> bool:
        """Whether the socket, which is gone, went without a goodbye."""
        return self._code not in GOODBYES

    async def closed(self) -> None:
        """Wait until the socket, which was told to close, is closed or lost."""
        await asyncio.wait({self._writer})

    async def received(self) -> AsyncIterator[str | bytes]:
        """The page's messages, until it goes away or is sent away."""
        while True:
            getting = asyncio.create_task(self._incoming.get())
            try:
                await asyncio.wait({getting, self._writer}, return_when=asyncio.FIRST_COMPLETED)
                if not getting.done():
                    return
            finally:
                getting.cancel()
            due, message = getting.result()
            await self._until(due)
            if message is None:
                return
            yield message

    def _put(self, message: str | bytes | None) -> None:
        self._outgoing.put_nowait((self._clock() + self._delay_s, message))

    async def _until(self, due: float) -> None:
        late = due - self._clock()
        if late > 0:
            await asyncio.sleep(late)

    async def _write(self) -> None:
        with suppress(WebSocketDisconnect, RuntimeError):  # Starlette raises these once the page is gone
            while True:
                due, message = await self._outgoing.get()
                await self._until(due)
                if message is None:
                    await self._websocket.close()
                    return
                if isinstance(message, str):
                    await self._websocket.send_text(message)
                else:
                    await self._websocket.send_bytes(message)

    async def _read(self) -> None:
        message: str | bytes | None = ""
        while message is not None:
            event = await self._websocket.receive()
            if event["type"] != "websocket.receive":
                message = None
                self._code = event.get("code", 1005)
            else:
                text = event.get("text")
                message = event.get("bytes") or b"" if text is None else text
            await self._incoming.put((self._clock() + self._delay_s, message))

"""The WebSocket of a page in a room: `/api/rooms/ROOM/socket?player_id=X`, with `&watch=1` for a spectator.

With `&resume=KEY` a page whose socket was lost gets its seat back. Carries messages and relayed packets between the page and its
`Room`; what they do is the room's matter.
"""

from __future__ import annotations

import asyncio

from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket

from pyodide_runtime.server import messages, relay
from pyodide_runtime.server.context import Context
from pyodide_runtime.server.identifiers import BadIdentifier, checked
from pyodide_runtime.server.messages import MessageError
from pyodide_runtime.server.room import Refused, Room, Seat
from pyodide_runtime.server.socket import PageSocket

GRACE_S = 15.0
"""How long a page whose line broke off has its seat kept, before it has left; in seconds."""


def routes(context: Context) -> list[BaseRoute]:
    """The route of the pages' sockets."""

    async def room_socket(websocket: WebSocket) -> None:
        await websocket.accept()
        query = websocket.query_params
        async with PageSocket(websocket, context.options.socket_delay_ms / 1000) as socket:
            try:
                name = checked("room", websocket.path_params["room"])
                player_id = checked("player_id", query.get("player_id", ""))
                key = query.get("resume", "")
                if key:
                    room, seat = context.rooms.resume(name, player_id, key, socket)
                else:
                    room, seat = await context.rooms.join(name, player_id, socket, watching=query.get("watch") == "1")
            except (BadIdentifier, Refused) as error:
                socket.send(messages.refused(str(error)))
                socket.close()
                await socket.closed()
                return
            try:
                await _attend(socket, room, seat)
            finally:
                if context.rooms.leave(room, seat, socket, lost=socket.lost):
                    asyncio.get_running_loop().call_later(GRACE_S, context.rooms.give_up, room, seat, socket)

    return [WebSocketRoute("/api/rooms/{room}/socket", room_socket)]


async def _attend(socket: PageSocket, room: Room, seat: Seat) -> None:
    clock = asyncio.get_running_loop().time
    allowance = relay.Allowance(clock())
    warned_at = -1.0
    async for message in socket.received():
        try:
            if seat.connection is not socket:
                raise MessageError("you are not in this room any more")
            if isinstance(message, str):
                room.receive(seat, messages.parse(message))
            elif allowance.take(len(message), clock()):
                room.relay(seat, relay.parse(message))
            elif clock() - warned_at >= 1:
                # Not for each: the answers would be as many as what is too much.
                warned_at = clock()
                raise MessageError("too many packets are to be relayed; those beyond the allowance are lost")
        except MessageError as error:
            socket.send(messages.error(str(error)))

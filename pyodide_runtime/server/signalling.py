"""The WebSocket of a page in a room: `/api/rooms/ROOM/socket?player_id=X`.

Carries messages between the page and its `Room`; what they do is the room's matter.
"""

from __future__ import annotations

from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket

from pyodide_runtime.server import messages
from pyodide_runtime.server.context import Context
from pyodide_runtime.server.identifiers import BadIdentifier, checked
from pyodide_runtime.server.messages import MessageError
from pyodide_runtime.server.room import Refused, Room, Seat
from pyodide_runtime.server.socket import NotText, PageSocket


def routes(context: Context) -> list[BaseRoute]:
    """The route of the pages' sockets."""

    async def room_socket(websocket: WebSocket) -> None:
        await websocket.accept()
        async with PageSocket(websocket, context.options.socket_delay_ms / 1000) as socket:
            try:
                name = checked("room", websocket.path_params["room"])
                player_id = checked("player_id", websocket.query_params.get("player_id", ""))
                room, seat = await context.rooms.join(name, player_id, socket)
            except (BadIdentifier, Refused) as error:
                socket.send(messages.refused(str(error)))
                socket.close()
                await socket.closed()
                return
            try:
                await _attend(socket, room, seat)
            finally:
                context.rooms.leave(room, seat)

    return [WebSocketRoute("/api/rooms/{room}/socket", room_socket)]


async def _attend(socket: PageSocket, room: Room, seat: Seat) -> None:
    async for text in socket.received():
        try:
            if isinstance(text, NotText):
                raise MessageError("a message is text, not binary")
            room.receive(seat, messages.parse(text))
        except MessageError as error:
            socket.send(messages.error(str(error)))

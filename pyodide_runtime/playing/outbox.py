"""What a host has to send: packets, each to one peer over one of two channels, as bytes.

It knows nothing of what the packets say, when they are sent, or how they get there.
"""

from __future__ import annotations

from ..network.peer import Peer
from ..network.wire import Packet, encode

__all__ = ["CONTROL", "INPUT", "Outbox"]

#: The two channels: unreliable and unordered; reliable and ordered.
INPUT, CONTROL = 0, 1


class Outbox:
    """Packets of one match that are to be sent.

    Args:
        key: of the match's session; see `network.wire.session_key`.

    Attributes:
        packets: host, channel and bytes of each, in order; whoever sends them takes them out.
    """

    def __init__(self, key: bytes) -> None:
        self.packets: list[tuple[int, int, bytes]] = []
        self._key = key

    def send(self, peer: Peer, channel: int, packet: Packet) -> None:
        """Send a packet to a peer."""
        data = encode(packet, self._key)
        peer.bytes_sent += len(data)
        self.packets.append((peer.host, channel, data))

"""Flat records from the other side: what the bridge does between a participant's ticks, for matches that are played without one."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from typing import Any

from pyodide_runtime.participant import Participant

__all__ = ["event", "frame_of", "match_of", "packet", "records"]

_HEAD = struct.Struct("<BBBBI")
_PACKET, _EVENT = 1, 2


def records(answer: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    """Kind, peer, channel and payload of each record of an outbox."""
    at = 8
    while at < len(answer):
        kind, peer, channel, _, length = _HEAD.unpack_from(answer, at)
        at += _HEAD.size
        yield kind, peer, channel, answer[at : at + length]
        at += length


def packet(sender: int, channel: int, payload: bytes) -> bytes:
    """A packet of another host, as it goes into an inbox."""
    return _HEAD.pack(_PACKET, sender, channel, 0, len(payload)) + payload


def event(told: dict[str, Any]) -> bytes:
    """An event, as it goes into an inbox."""
    payload = json.dumps(told).encode()
    return _HEAD.pack(_EVENT, 0, 0, 0, len(payload)) + payload


def match_of(participant: Participant) -> Any:
    """The match that a participant plays."""
    return participant._match


def frame_of(participant: Participant) -> int:
    """The next frame to be simulated of the present episode."""
    frame: int = match_of(participant).frame
    return frame

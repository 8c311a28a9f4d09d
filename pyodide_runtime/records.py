"""The flat records that cross between JavaScript and Python: one buffer in and one out for each tick.

A record is kind, peer, channel and a zero, one byte each, then the length of its payload (4 bytes, little-endian),
then the payload. The outbox begins with the time of the next tick, as a double. js_bridge/records.js is the other
side; both are held to js_bridge/tests/goldens/records.json. Nothing here knows what the records mean.
"""

from __future__ import annotations

import enum
import functools
import json
import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from .errors import WireError
from .uploads import Chunk

__all__ = ["Kind", "Record", "decode_inbox", "encode_outbox", "event", "stats_record", "upload_record"]

_WAKE = struct.Struct("<d")
_HEAD = struct.Struct("<BBBBI")
_UPLOAD = struct.Struct("<II")


class Kind(enum.IntEnum):
    """What a record is."""

    PACKET = 1
    EVENT = 2
    VIEW = 3
    UPLOAD = 4
    STATS = 5


_INWARDS = {1: Kind.PACKET, 2: Kind.EVENT}


class Record(NamedTuple):
    """One record; `peer` and `channel` are of meaning to packets only."""

    kind: Kind
    peer: int
    channel: int
    payload: bytes


def decode_inbox(data: bytes) -> Iterator[Record]:
    """The records of an inbox, in order.

    WireError if it is cut off or holds a record of a kind that does not go inwards.
    """
    at, end = 0, len(data)
    while at < end:
        if end - at < _HEAD.size:
            raise WireError("the inbox ends within a record")
        kind, peer, channel, _, length = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        if kind not in _INWARDS or end - at < length:
            raise WireError(f"the inbox has a record of kind {kind} and length {length}, with {end - at} bytes left")
        yield Record(_INWARDS[kind], peer, channel, data[at : at + length])
        at += length


def encode_outbox(wake_at_ms: float, records: Iterable[Record]) -> bytes:
    """An outbox: when to tick next, and what is to be done until then."""
    parts = [_WAKE.pack(wake_at_ms)]
    for kind, peer, channel, payload in records:
        parts.append(_HEAD.pack(kind, peer, channel, 0, len(payload)))
        parts.append(payload)
    return b"".join(parts)


def event(record: Record) -> dict[str, Any]:
    """The JSON object of an EVENT record. WireError if it is none."""
    try:
        told = json.loads(record.payload)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise WireError("an event in the inbox is not a JSON object")
    return told


def stats_record(values: Sequence[float]) -> Record:
    """A STATS record: doubles, one after the other."""
    return Record(Kind.STATS, 0, 0, _doubles(len(values)).pack(*values))


@functools.cache
def _doubles(count: int) -> struct.Struct:
    return struct.Struct(f"<{count}d")


def upload_record(chunk: Chunk) -> Record:
    """An UPLOAD record: the chunk's number, the length of a JSON header, the header, and the body."""
    header = json.dumps({"kind": chunk.kind, "sequence": chunk.sequence}, separators=(",", ":")).encode()
    return Record(Kind.UPLOAD, 0, 0, _UPLOAD.pack(chunk.number, len(header)) + header + chunk.body)

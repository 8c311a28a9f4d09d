"""Packets as bytes. Everything that two peers say to each other has its layout here, and nowhere else.

Every packet begins with protocol version, type, session (4 bytes of a digest of its name) and the sender's player
place. All numbers are little-endian. `decode` accepts exactly the bytes that `encode` makes and raises WireError
for all others; it allocates nothing larger than the packet promises and can hold. This module knows nothing of
sessions, time or transport.

Hello    what both must agree on, as JSON, and whether the receiver's hello has arrived.
Inputs   all inputs since the receiver's acknowledgement, run-length coded, with acknowledgement, clocks and digests.
End      the last frame of an episode and the digest of its rows, and whether the receiver's own end has arrived.
Bye      why the sender leaves.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from itertools import groupby

from ..errors import WireError

__all__ = ["MAX_PACKET", "PROTOCOL_VERSION", "Bye", "End", "Hello", "Inputs", "Packet", "decode", "encode", "session_tag"]

#: Changed whenever a layout changes; peers of different versions refuse each other.
PROTOCOL_VERSION = 1
#: No packet is longer. Hellos carry settings and may be long; an Inputs packet is a few dozen bytes.
MAX_PACKET = 60_000
#: At most so many inputs travel in one packet, whatever their runs say.
MAX_INPUTS = 4_096
DIGEST = 8

_HEAD = struct.Struct("<BB4sB")
_INPUTS = struct.Struct("<HIIIhIIHI8sIBH")
_RUN = struct.Struct("<B")
_END = struct.Struct("<HI16sB")
_HELLO = struct.Struct("<BI")
_BYE = struct.Struct("<BH")


@dataclass(frozen=True, slots=True)
class Hello:
    """`terms`: canonical JSON of what must be equal on both sides. `heard`: the receiver's hello has arrived here."""

    sender: int
    terms: bytes
    heard: bool


@dataclass(frozen=True, slots=True)
class Inputs:
    """Inputs and the state of the line.

    Attributes:
        sender: place of the sending player.
        episode: number of the episode, from 0.
        frame: the sender's c, the next frame that it will simulate.
        need: the first frame of the receiver's inputs that the sender lacks: all before are acknowledged.
        held: the first frame of which the sender lacks some player's input.
        advantage: how many frames the sender sees itself ahead of the receiver, in sixteenths.
        sent: the sender's clock in ms, modulo 2**32.
        echo: the newest `sent` that the sender got from the receiver.
        echo_age: how many ms it has kept that; 65535 if there is none.
        final: how many frames are final at the sender, and `chain`: the first 8 bytes of its digest chain there.
        start: frame of the first input.
        inputs: all inputs from `start` on, each of the same length.
    """

    sender: int
    episode: int
    frame: int
    need: int
    held: int
    advantage: int
    sent: int
    echo: int
    echo_age: int
    final: int
    chain: bytes
    start: int
    inputs: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class End:
    """The episode ended: how many frames it had, the 16-byte chain over its rows.

    `heard`: the receiver's End has arrived here. `settled`: the sender has gone on and wants no answer.
    """

    sender: int
    episode: int
    frames: int
    chain: bytes
    heard: bool
    settled: bool


@dataclass(frozen=True, slots=True)
class Bye:
    """The sender leaves. `reason`: number of an outcome; `detail`: for people."""

    sender: int
    reason: int
    detail: str


Packet = Hello | Inputs | End | Bye


def session_tag(session: str) -> bytes:
    """The 4 bytes that stand for a session's name in every packet."""
    return hashlib.blake2b(session.encode(), digest_size=4, person=b"session").digest()


def encode(packet: Packet, tag: bytes) -> bytes:
    """The bytes of a packet of the session with this tag. WireError if it holds more than a packet can."""
    if isinstance(packet, Inputs):
        return _head(2, tag, packet.sender) + _encode_inputs(packet)
    if isinstance(packet, Hello):
        body = _HELLO.pack(packet.heard, len(packet.terms)) + packet.terms
        if len(body) > MAX_PACKET - _HEAD.size:
            raise WireError(f"the terms of a hello are {len(packet.terms)} bytes long, more than a packet holds")
        return _head(1, tag, packet.sender) + body
    if isinstance(packet, End):
        return _head(3, tag, packet.sender) + _END.pack(
            packet.episode, packet.frames, packet.chain, packet.heard | packet.settled << 1
        )
    detail = packet.detail.encode()[:1000].decode(errors="ignore").encode()
    return _head(4, tag, packet.sender) + _BYE.pack(packet.reason, len(detail)) + detail


def _head(kind: int, tag: bytes, sender: int) -> bytes:
    return _HEAD.pack(PROTOCOL_VERSION, kind, tag, sender)


def _encode_inputs(packet: Inputs) -> bytes:
    inputs = packet.inputs[:MAX_INPUTS]
    size = len(inputs[0]) if inputs else 0
    runs: list[bytes] = []
    for data, group in groupby(inputs):
        count = len(list(group))
        while count > 0:
            runs.append(_RUN.pack(min(count, 255)) + data)
            count -= 255
    head = _INPUTS.pack(
        packet.episode,
        packet.frame,
        packet.need,
        packet.held,
        max(-32768, min(32767, packet.advantage)),
        packet.sent,
        packet.echo,
        packet.echo_age,
        packet.final,
        packet.chain,
        packet.start,
        size,
        len(runs),
    )
    return head + b"".join(runs)


def decode(data: bytes, tag: bytes) -> Packet:
    """The packet that these bytes are.

    Raises:
        WireError: too short, too long, of another version, session or type, or with contents that contradict each
        other.
    """
    if len(data) > MAX_PACKET:
        raise WireError(f"a packet of {len(data)} bytes is longer than {MAX_PACKET}")
    if len(data) < _HEAD.size:
        raise WireError(f"a packet of {len(data)} bytes is shorter than its head")
    version, kind, its_tag, sender = _HEAD.unpack_from(data)
    if version != PROTOCOL_VERSION:
        raise WireError(f"a packet of protocol version {version}; this is version {PROTOCOL_VERSION}")
    if its_tag != tag:
        raise WireError("a packet of another session")
    body = data[_HEAD.size :]
    try:
        if kind == 2:
            return _decode_inputs(body, sender)
        if kind == 1:
            heard, length = _HELLO.unpack_from(body)
            return Hello(sender, _exactly(body, _HELLO.size, length), _flag(heard))
        if kind == 3:
            _exactly(body, _END.size, 0)
            episode, frames, chain, flags = _END.unpack(body)
            return End(sender, episode, frames, chain, _flag(flags & ~2), bool(flags & 2))
        if kind == 4:
            reason, length = _BYE.unpack_from(body)
            return Bye(sender, reason, _exactly(body, _BYE.size, length).decode())
    except (struct.error, UnicodeDecodeError) as error:
        raise WireError(f"a packet of type {kind} does not hold what it should: {error}") from None
    raise WireError(f"a packet of unknown type {kind}")


def _exactly(body: bytes, offset: int, length: int) -> bytes:
    if len(body) != offset + length:
        raise WireError(f"a packet says that {length} bytes follow, but {len(body) - offset} do")
    return body[offset:]


def _flag(value: int) -> bool:
    if value not in (0, 1):
        raise WireError(f"a flag is {value}, neither 0 nor 1")
    return bool(value)


def _decode_inputs(body: bytes, sender: int) -> Inputs:
    (episode, frame, need, held, advantage, sent, echo, echo_age, final, chain, start, size, runs) = _INPUTS.unpack_from(body)
    if (size == 0) != (runs == 0):
        raise WireError("a packet has runs of inputs without a size, or a size without runs")
    step = _RUN.size + size
    packed = _exactly(body, _INPUTS.size, runs * step)
    inputs: list[bytes] = []
    previous, room = b"", 0
    for at in range(0, len(packed), step):
        (count,) = _RUN.unpack_from(packed, at)
        data = packed[at + _RUN.size : at + step]
        # One form for one meaning: a run is as long as it can be.
        if count == 0 or (data == previous and room == 0):
            raise WireError("a run of inputs is empty, or goes on where the one before could have")
        room = 1 if count == 255 else 0
        previous = data
        inputs += [data] * count
        if len(inputs) > MAX_INPUTS:
            raise WireError(f"a packet holds more than {MAX_INPUTS} inputs")
    return Inputs(sender, episode, frame, need, held, advantage, sent, echo, echo_age, final, chain, start, tuple(inputs))

"""Packets as bytes. Everything that two peers say to each other has its layout here, and nowhere else.

Every packet begins with protocol version, type, check and the sender's player place. The check is 4 bytes of a
digest of all the rest, keyed by the session, so that a packet that is damaged, made up or of another session is not
taken for one of ours. All numbers are little-endian. `decode` accepts exactly the bytes that `encode` makes and
raises WireError for all others; it allocates nothing larger than the packet promises and can hold. This module
knows nothing of sessions, time or transport.

Hello    what both must agree on, as JSON, and whether the receiver's hello has arrived.
Inputs   all inputs since the receiver's acknowledgement, run-length coded, with acknowledgement, clocks and digests.
End      the last frame of an episode and the digest of its rows, and whether the receiver's own end has arrived.
Bye      why the sender leaves.

The head, the check and the layout of a hello stay as they are in every version, so that peers of different versions
can say so.
"""

from __future__ import annotations

import hashlib
import struct
from typing import NamedTuple

from ..errors import WireError

__all__ = [
    "MAX_INPUT",
    "MAX_PACKET",
    "PROTOCOL_VERSION",
    "Bye",
    "End",
    "Hello",
    "Inputs",
    "Packet",
    "decode",
    "encode",
    "session_key",
]

#: Changed whenever a layout changes; peers of different versions refuse each other.
PROTOCOL_VERSION = 2
#: No packet is longer. Hellos carry settings and may be long; an Inputs packet is a few dozen bytes.
MAX_PACKET = 60_000
#: At most so many inputs travel in one packet, whatever their runs say.
MAX_INPUTS = 4_096
#: No input is longer, in bytes, so that every packet has room for one.
MAX_INPUT = 32_000
#: So the uppermost bit of an input's size is free; it says that the sender is paused.
PAUSED = 0x8000
#: The text of a Bye is cut off after so many bytes.
MAX_DETAIL = 1_000

_HEAD = struct.Struct("<BB4sB")
_INPUTS = struct.Struct("<HIIIhIIHI8sIHH")
_RUN = struct.Struct("<B")
_END = struct.Struct("<HI16sB")
_HELLO = struct.Struct("<BI")
_BYE = struct.Struct("<BH")


class Hello(NamedTuple):
    """`terms`: canonical JSON of what must be equal on both sides. `heard`: the receiver's hello has arrived here.

    It is the one packet that is read whatever `version` it is of.
    """

    sender: int
    terms: bytes
    heard: bool
    version: int = PROTOCOL_VERSION


class Inputs(NamedTuple):
    """Inputs and the state of the line.

    Attributes:
        sender: place of the sending player.
        episode: number of the episode, from 0.
        frame: the sender's c, the next frame that it will simulate.
        need: the first frame of the receiver's inputs that the sender lacks: all before are acknowledged.
        held: the first frame of which the sender lacks some player's input.
        advantage: how many frames the sender sees itself ahead of the receiver, in sixteenths; -32768 if it has seen nothing yet.
        sent: the sender's clock in ms, modulo 2**32.
        echo: the newest `sent` that the sender got from the receiver.
        echo_age: how many ms it has kept that; 65535 if there is none.
        final: how many frames are final at the sender, and `chain`: the first 8 bytes of its digest chain there.
        start: frame of the first input.
        inputs: all inputs from `start` on, each of the same length.
        paused: the sender does not go on, because its page is hidden.
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
    paused: bool = False


class End(NamedTuple):
    """The episode ended: how many frames it had, the 16-byte chain over its rows.

    `heard`: the receiver's End has arrived here. `settled`: the sender has gone on and wants no answer.
    """

    sender: int
    episode: int
    frames: int
    chain: bytes
    heard: bool
    settled: bool


class Bye(NamedTuple):
    """The sender leaves. `reason`: number of an outcome; `detail`: for people."""

    sender: int
    reason: int
    detail: str


Packet = Hello | Inputs | End | Bye


def session_key(session: str) -> bytes:
    """The 16 bytes that key the check of every packet of a session."""
    return hashlib.blake2b(session.encode(), digest_size=16, person=b"session").digest()


def encode(packet: Packet, key: bytes) -> bytes:
    """The bytes of a packet of the session with this key.

    Of inputs, as many as fit go into one packet; the rest follow once these are acknowledged. WireError if a hello
    is too long.
    """
    version = PROTOCOL_VERSION
    if isinstance(packet, Inputs):
        kind, body = 2, _encode_inputs(packet)
    elif isinstance(packet, Hello):
        kind, version = 1, packet.version
        body = _HELLO.pack(packet.heard, len(packet.terms)) + packet.terms
        if len(body) > MAX_PACKET - _HEAD.size:
            raise WireError(f"the terms of a hello are {len(packet.terms)} bytes long, more than a packet holds")
    elif isinstance(packet, End):
        flags = packet.heard | packet.settled << 1
        kind, body = 3, _END.pack(packet.episode, packet.frames, packet.chain, flags)
    else:
        detail = packet.detail.encode(errors="replace")[:MAX_DETAIL].decode(errors="ignore").encode()
        kind, body = 4, _BYE.pack(packet.reason, len(detail)) + detail
    return _HEAD.pack(version, kind, _check(key, version, kind, packet.sender, body), packet.sender) + body


def _check(key: bytes, version: int, kind: int, sender: int, body: bytes) -> bytes:
    return hashlib.blake2b(bytes((version, kind, sender)) + body, digest_size=4, key=key).digest()


def _encode_inputs(packet: Inputs) -> bytes:
    inputs = packet.inputs[:MAX_INPUTS]
    size = len(inputs[0]) if inputs else 0
    room = (MAX_PACKET - _HEAD.size - _INPUTS.size) // (_RUN.size + size)
    runs: list[bytes] = []
    previous, count = b"", 0
    for data in inputs:
        if data == previous and 0 < count < 255:
            count += 1
            continue
        if count:
            runs.append(_RUN.pack(count) + previous)
        previous, count = data, 1
    if count:
        runs.append(_RUN.pack(count) + previous)
    del runs[room:]
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
        size | PAUSED if packet.paused else size,
        len(runs),
    )
    return head + b"".join(runs)


def decode(data: bytes, key: bytes) -> Packet:
    """The packet that these bytes are.

    Raises:
        WireError: too short, too long, damaged, of another version, session or type, or with contents that
            contradict each other.
    """
    if len(data) > MAX_PACKET:
        raise WireError(f"a packet of {len(data)} bytes is longer than {MAX_PACKET}")
    if len(data) < _HEAD.size:
        raise WireError(f"a packet of {len(data)} bytes is shorter than its head")
    version, kind, check, sender = _HEAD.unpack_from(data)
    body = data[_HEAD.size :]
    if check != _check(key, version, kind, sender, body):
        raise WireError("a packet of another session, or a damaged one")
    if version != PROTOCOL_VERSION and kind != 1:
        raise WireError(f"a packet of protocol version {version}; this is version {PROTOCOL_VERSION}")
    try:
        if kind == 2:
            return _decode_inputs(body, sender)
        if kind == 1:
            heard, length = _HELLO.unpack_from(body)
            return Hello(sender, _exactly(body, _HELLO.size, length), _flag(heard), version)
        if kind == 3:
            _exactly(body, _END.size, 0)
            episode, frames, chain, flags = _END.unpack(body)
            return End(sender, episode, frames, chain, _flag(flags & ~2), bool(flags & 2))
        if kind == 4:
            reason, length = _BYE.unpack_from(body)
            if length > MAX_DETAIL:
                raise WireError(f"the text of a goodbye has {length} bytes, more than {MAX_DETAIL}")
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
    paused, size = bool(size & PAUSED), size & ~PAUSED
    if (size == 0) != (runs == 0) or size > MAX_INPUT:
        raise WireError("a packet has runs of inputs without a size, or a size without runs, or too large a one")
    step = _RUN.size + size
    packed = _exactly(body, _INPUTS.size, runs * step)
    inputs: list[bytes] = []
    previous, room = b"", 0
    for at in range(0, len(packed), step):
        count = packed[at]
        data = packed[at + _RUN.size : at + step]
        # One form for one meaning: a run is as long as it can be.
        if count == 0 or (data == previous and room == 0):
            raise WireError("a run of inputs is empty, or goes on where the one before could have")
        room = 1 if count == 255 else 0
        previous = data
        inputs += [data] * count
        if len(inputs) > MAX_INPUTS:
            raise WireError(f"a packet holds more than {MAX_INPUTS} inputs")
    return Inputs(sender, episode, frame, need, held, advantage, sent, echo, echo_age, final, chain, start, tuple(inputs), paused)

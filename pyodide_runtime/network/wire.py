"""Packets as bytes. Everything that two hosts say to each other has its layout here, and nowhere else.

Every packet begins with protocol version, type, check, the sender's number and its incarnation. The check is 4 bytes of a
digest of all the rest, keyed by the session, so that a packet that is damaged, made up or of another session is not
taken for one of ours. All numbers are little-endian. `decode` accepts exactly the bytes that `encode` makes and
raises WireError for all others; it allocates nothing larger than the packet promises and can hold. This module
knows nothing of sessions, time or transport.

Hello    what both must agree on, as JSON, whether the receiver's hello has arrived, and who plays.
Inputs   for each player whose inputs the sender gives, all since the receiver's acknowledgement, run-length coded; with
         acknowledgements, clocks and digests.
End      the last frame of an episode and the digest of its rows, and whether the receiver's own end has arrived.
Bye      why the sender leaves.
Members  who plays and who is gone, and how many inputs of each player the sender has.
Ask      a question about data that differ, and the claim in which they do.
Tell     the answer.

The head, the check and the layout of a hello stay as they are in every version, so that peers of different versions
can say so.
"""

from __future__ import annotations

import functools
import hashlib
import struct
from typing import NamedTuple

from ..errors import WireError
from .membership import Standing

__all__ = [
    "MAX_ANSWER",
    "MAX_INPUT",
    "MAX_INPUTS",
    "MAX_PACKET",
    "MAX_QUESTION",
    "PROTOCOL_VERSION",
    "Ask",
    "Bye",
    "End",
    "Hello",
    "Inputs",
    "Members",
    "Packet",
    "Stream",
    "Tell",
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
#: The text of a Bye is cut off after so many bytes.
MAX_DETAIL = 1_000
#: No question, and no answer, is longer, in bytes.
MAX_QUESTION, MAX_ANSWER = 1_000, 59_000

_HEAD = struct.Struct("<BB4sBB")
_INPUTS = struct.Struct("<BHIIhIIHI8sBB")
_NEED_SIZE = 2
_FARTHEST_NEED = 0xFFFF
#: No incarnation has this bit: it says that the sender is paused.
_PAUSED = 0x80
_STREAM = struct.Struct("<BIHH")
_RUN = struct.Struct("<B")
_END = struct.Struct("<HI16sB")
_HELLO = struct.Struct("<BBBI")
_BYE = struct.Struct("<BH")
_MEMBERS = struct.Struct("<HBBB")
_STANDING = struct.Struct("<BBB")
_FRAME = struct.Struct("<I")
_ASK = struct.Struct("<HHI16sH")
_TELL = struct.Struct("<HHH")


class Hello(NamedTuple):
    """`terms`: canonical JSON of what must be equal on both sides. `heard`: the receiver's incarnation whose hello has arrived
    here; -1 if none has.

    `begun`: the sender plays already. `standings`: what it knows of each host. A hello is the one packet that is read
    whatever `version` it is of.
    """

    sender: int
    incarnation: int
    terms: bytes
    heard: int = -1
    begun: bool = False
    standings: tuple[Standing, ...] = ()
    version: int = PROTOCOL_VERSION


class Stream(NamedTuple):
    """Inputs of one player, each of the same length, from frame `start` on; at least one."""

    player: int
    start: int
    inputs: tuple[bytes, ...]


class Inputs(NamedTuple):
    """Inputs and the state of the line.

    Attributes:
        sender, incarnation: the sending host.
        receiver: the incarnation of the receiver that it is meant for. Another one may not know what this one was told.
        episode: number of the episode, from 0.
        frame: the sender's c, the next frame that it will simulate.
        held: the first frame of which the sender lacks some player's input.
        advantage: how many frames the sender sees itself ahead of the receiver, in sixteenths; -32768 if it has seen nothing yet.
        sent: the sender's clock in ms, modulo 2**32.
        echo: the newest `sent` that the sender got from the receiver.
        echo_age: how many ms it has kept that; 65535 if there is none.
        final: how many frames are final at the sender, and `chain`: the first 8 bytes of its digest chain there.
        needs: for each player the first frame of whose inputs the sender lacks: all before are acknowledged. Not below `held`,
            and told up to 65535 frames beyond it.
        streams: inputs, in the order of players.
        paused: the sender does not go on, because its page is hidden.
    """

    sender: int
    incarnation: int
    receiver: int
    episode: int
    frame: int
    held: int
    advantage: int
    sent: int
    echo: int
    echo_age: int
    final: int
    chain: bytes
    needs: tuple[int, ...]
    streams: tuple[Stream, ...]
    paused: bool = False


class End(NamedTuple):
    """The episode ended: how many frames it had, the 16-byte chain over its rows.

    `heard`: the receiver's End has arrived here. `settled`: the sender has gone on and wants no answer.
    """

    sender: int
    incarnation: int
    episode: int
    frames: int
    chain: bytes
    heard: bool
    settled: bool


class Bye(NamedTuple):
    """The sender leaves. `reason`: number of an outcome; `detail`: for people."""

    sender: int
    incarnation: int
    reason: int
    detail: str


class Members(NamedTuple):
    """What the sender states of all hosts (see `membership`), and of each player the first frame whose input it lacks."""

    sender: int
    incarnation: int
    episode: int
    standings: tuple[Standing, ...]
    needs: tuple[int, ...]
    agreed: bool


class Ask(NamedTuple):
    """The data of an episode differ, and the sender wants to know where.

    Attributes:
        sender, incarnation: the sending host.
        episode: number of the episode, from 0.
        number: of the question, from 1 on.
        rows: how many rows the sender has, and `chain`: the 16-byte chain over them.
        question: as `desync.questions` writes it; empty if the sender knows all that it wants to know.
    """

    sender: int
    incarnation: int
    episode: int
    number: int
    rows: int
    chain: bytes
    question: bytes


class Tell(NamedTuple):
    """The answer, as `desync.questions` writes it, to the receiver's question of that number."""

    sender: int
    incarnation: int
    episode: int
    number: int
    answer: bytes


Packet = Hello | Inputs | End | Bye | Members | Ask | Tell


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
        head = _HELLO.pack(packet.heard + 1, packet.begun, len(packet.standings), len(packet.terms))
        body = head + _standings(packet.standings) + packet.terms
        if len(body) > MAX_PACKET - _HEAD.size:
            raise WireError(f"the terms of a hello are {len(packet.terms)} bytes long, more than a packet holds")
    elif isinstance(packet, End):
        flags = packet.heard | packet.settled << 1
        kind, body = 3, _END.pack(packet.episode, packet.frames, packet.chain, flags)
    elif isinstance(packet, Ask):
        head = _ASK.pack(packet.episode, packet.number, packet.rows, packet.chain, len(packet.question))
        kind, body = 6, head + _at_most(packet.question, MAX_QUESTION)
    elif isinstance(packet, Tell):
        head = _TELL.pack(packet.episode, packet.number, len(packet.answer))
        kind, body = 7, head + _at_most(packet.answer, MAX_ANSWER)
    elif isinstance(packet, Bye):
        detail = packet.detail.encode(errors="replace")[:MAX_DETAIL].decode(errors="ignore").encode()
        kind, body = 4, _BYE.pack(packet.reason, len(detail)) + detail
    else:
        head = _MEMBERS.pack(packet.episode, packet.agreed, len(packet.standings), len(packet.needs))
        kind, body = 5, head + _standings(packet.standings) + b"".join(map(_FRAME.pack, packet.needs))
    check = _check(key, version, kind, packet.sender, packet.incarnation, body)
    return _HEAD.pack(version, kind, check, packet.sender, packet.incarnation) + body


def _check(key: bytes, version: int, kind: int, sender: int, incarnation: int, body: bytes) -> bytes:
    return hashlib.blake2b(bytes((version, kind, sender, incarnation)) + body, digest_size=4, key=key).digest()


@functools.cache
def _needs(players: int) -> struct.Struct:
    """The layout of the acknowledgements of so many players, at most 255."""
    return struct.Struct(f"<{players}H")


def _standings(standings: tuple[Standing, ...]) -> bytes:
    return b"".join([_STANDING.pack(running | left << 7, gone + 1, sponsor + 1) for running, gone, left, sponsor in standings])


def _encode_inputs(packet: Inputs) -> bytes:
    needs, held = packet.needs, packet.held
    told = _needs(len(needs)).pack(*[beyond if (beyond := need - held) < _FARTHEST_NEED else _FARTHEST_NEED for need in needs])
    room = MAX_PACKET - _HEAD.size - _INPUTS.size - len(told)
    count, streams = MAX_INPUTS, []
    for stream in packet.streams:
        coded, inputs = _encode_stream(stream, count, room)
        if not inputs:
            break
        streams.append(coded)
        count -= inputs
        room -= len(coded)
    head = _INPUTS.pack(
        packet.receiver | _PAUSED * packet.paused,
        packet.episode,
        packet.frame,
        held,
        max(-32768, min(32767, packet.advantage)),
        packet.sent,
        packet.echo,
        packet.echo_age,
        packet.final,
        packet.chain,
        len(needs),
        len(streams),
    )
    return head + told + b"".join(streams)


def _encode_stream(stream: Stream, most: int, room: int) -> tuple[bytes, int]:
    """A stream's bytes, of up to `most` inputs and no more than `room`, and how many inputs they hold."""
    size = len(stream.inputs[0])
    fitting = (room - _STREAM.size) // (_RUN.size + size)
    if fitting < 1:
        return b"", 0
    runs: list[bytes] = []
    previous, count, coded = b"", 0, 0
    for data in stream.inputs[:most]:
        if data == previous and 0 < count < 255:
            count += 1
            continue
        if count:
            runs.append(_RUN.pack(count) + previous)
            coded += count
            if len(runs) == fitting:
                count = 0
                break
        previous, count = data, 1
    if count:
        runs.append(_RUN.pack(count) + previous)
        coded += count
    return _STREAM.pack(stream.player, stream.start, size, len(runs)) + b"".join(runs), coded


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
    version, kind, check, sender, incarnation = _HEAD.unpack_from(data)
    body = data[_HEAD.size :]
    if check != _check(key, version, kind, sender, incarnation, body):
        raise WireError("a packet of another session, or a damaged one")
    if version != PROTOCOL_VERSION and kind != 1:
        raise WireError(f"a packet of protocol version {version}; this is version {PROTOCOL_VERSION}")
    try:
        if kind == 2:
            return _decode_inputs(body, sender, incarnation)
        if kind == 1:
            heard, begun, hosts, length = _HELLO.unpack_from(body)
            standings, at = _decode_standings(body, _HELLO.size, hosts)
            return Hello(sender, incarnation, _exactly(body, at, length), heard - 1, _flag(begun), standings, version)
        if kind == 3:
            _exactly(body, _END.size, 0)
            episode, frames, chain, flags = _END.unpack(body)
            return End(sender, incarnation, episode, frames, chain, _flag(flags & ~2), bool(flags & 2))
        if kind == 4:
            reason, length = _BYE.unpack_from(body)
            if length > MAX_DETAIL:
                raise WireError(f"the text of a goodbye has {length} bytes, more than {MAX_DETAIL}")
            return Bye(sender, incarnation, reason, _exactly(body, _BYE.size, length).decode())
        if kind == 5:
            episode, agreed, hosts, players = _MEMBERS.unpack_from(body)
            standings, at = _decode_standings(body, _MEMBERS.size, hosts)
            packed = _exactly(body, at, players * _FRAME.size)
            needs = tuple([need for (need,) in _FRAME.iter_unpack(packed)])
            return Members(sender, incarnation, episode, standings, needs, _flag(agreed))
        if kind == 6:
            episode, number, rows, chain, length = _ASK.unpack_from(body)
            question = _at_most(_exactly(body, _ASK.size, length), MAX_QUESTION)
            return Ask(sender, incarnation, episode, number, rows, chain, question)
        if kind == 7:
            episode, number, length = _TELL.unpack_from(body)
            return Tell(sender, incarnation, episode, number, _at_most(_exactly(body, _TELL.size, length), MAX_ANSWER))
    except (struct.error, UnicodeDecodeError) as error:
        raise WireError(f"a packet of type {kind} does not hold what it should: {error}") from None
    raise WireError(f"a packet of unknown type {kind}")


def _exactly(body: bytes, offset: int, length: int) -> bytes:
    if len(body) != offset + length:
        raise WireError(f"a packet says that {length} bytes follow, but {len(body) - offset} do")
    return body[offset:]


def _at_most(data: bytes, most: int) -> bytes:
    if len(data) > most:
        raise WireError(f"a question or an answer has {len(data)} bytes, more than {most}")
    return data


def _flag(value: int) -> bool:
    if value not in (0, 1):
        raise WireError(f"a flag is {value}, neither 0 nor 1")
    return bool(value)


def _decode_standings(body: bytes, at: int, hosts: int) -> tuple[tuple[Standing, ...], int]:
    """The standings that begin at an offset, and where they end."""
    end = at + hosts * _STANDING.size
    if len(body) < end:
        raise WireError(f"a packet says that it tells of {hosts} hosts, but it is too short for that")
    found = [
        Standing(running & 0x7F, gone - 1, bool(running & 0x80), sponsor - 1)
        for running, gone, sponsor in _STANDING.iter_unpack(body[at:end])
    ]
    return tuple(found), end


def _decode_inputs(body: bytes, sender: int, incarnation: int) -> Inputs:
    (receiver, episode, frame, held, advantage, sent, echo, echo_age, final, chain, players, count) = _INPUTS.unpack_from(body)
    at = _INPUTS.size + players * _NEED_SIZE
    if len(body) < at:
        raise WireError(f"a packet says that it tells of {players} players, but it is too short for that")
    needs = tuple([held + beyond for beyond in _needs(players).unpack_from(body, _INPUTS.size)])
    streams: list[Stream] = []
    room, last = MAX_INPUTS, -1
    for _ in range(count):
        stream, at = _decode_stream(body, at, room)
        if stream.player <= last:
            raise WireError("a packet's streams are not in the order of players")
        last = stream.player
        room -= len(stream.inputs)
        streams.append(stream)
    _exactly(body, at, 0)
    return Inputs(
        sender, incarnation, receiver & ~_PAUSED, episode, frame, held, advantage, sent, echo, echo_age, final, chain, needs,
        tuple(streams), bool(receiver & _PAUSED),
    )  # fmt: skip


def _decode_stream(body: bytes, at: int, room: int) -> tuple[Stream, int]:
    """The stream that begins at an offset, of no more than `room` inputs, and where it ends."""
    player, start, size, runs = _STREAM.unpack_from(body, at)
    at += _STREAM.size
    step = _RUN.size + size
    end = at + runs * step
    if size == 0 or runs == 0 or size > MAX_INPUT or len(body) < end:
        raise WireError("a stream of inputs without inputs, of too large ones, or of more than the packet holds")
    inputs: list[bytes] = []
    previous, free = b"", 0
    for run in range(at, end, step):
        count = body[run]
        data = body[run + _RUN.size : run + step]
        # One form for one meaning: a run is as long as it can be.
        if count == 0 or (data == previous and free == 0):
            raise WireError("a run of inputs is empty, or goes on where the one before could have")
        free = 1 if count == 255 else 0
        previous = data
        inputs += [data] * count
        if len(inputs) > room:
            raise WireError(f"a packet holds more than {MAX_INPUTS} inputs")
    return Stream(player, start, tuple(inputs)), end

"""Packets as bytes. Everything that two hosts say to each other has its layout here and in `inputs`, and nowhere else.

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

import hashlib
import struct

from ...errors import WireError
from ..membership import Standing
from .inputs import FAR, NEAR, decode_inputs, encode_inputs
from .packets import (
    MAX_ANSWER,
    MAX_DETAIL,
    MAX_PACKET,
    MAX_QUESTION,
    PROTOCOL_VERSION,
    Ask,
    Bye,
    End,
    Hello,
    Inputs,
    Members,
    Packet,
    Tell,
)

__all__ = ["decode", "encode", "session_key"]

_HEAD = struct.Struct("<BB4sBB")
_END = struct.Struct("<HI16sB")
_HELLO = struct.Struct("<BBBI")
_BYE = struct.Struct("<BH")
_MEMBERS = struct.Struct("<HBBB")
_STANDING = struct.Struct("<BBB")
_FRAME = struct.Struct("<I")
_ASK = struct.Struct("<HHI16sH")
_TELL = struct.Struct("<HHH")


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
        kind, body = encode_inputs(packet, MAX_PACKET - _HEAD.size)
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


def _standings(standings: tuple[Standing, ...]) -> bytes:
    return b"".join([_STANDING.pack(running | left << 7, gone + 1, sponsor + 1) for running, gone, left, sponsor in standings])


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
        if kind in (NEAR, FAR):
            return decode_inputs(kind, body, sender, incarnation)
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

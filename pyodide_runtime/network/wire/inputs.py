"""The layout of an Inputs packet, which is sent every frame, and so is kept small.

It has two forms. Where both hosts are about the same frame, as in play, all frames are told by how far they are from the
first one that the sender lacks, in a byte each; else, as when a host comes back, by four bytes each. An Inputs
has the near form wherever it fits, so there is one form for one meaning. Inputs that repeat are run-length coded.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Iterable
from typing import NamedTuple

from ...errors import WireError
from .packets import MAX_INPUT, MAX_INPUTS, Inputs, Stream

__all__ = ["FAR", "NEAR", "decode_inputs", "encode_inputs"]

#: The numbers of the two forms among the types of packets.
NEAR, FAR = 2, 8
#: Receiver and pause, episode, held, frame, final, advantage, sent, echo, age of the echo, chain, players, streams.
_NEAR = struct.Struct("<BBIbBhIIH8sBB")
_FAR = struct.Struct("<BHIIIhIIH8sBB")
#: Player, start, bytes of an input, runs.
_NEAR_STREAM = struct.Struct("<BbBB")
_FAR_STREAM = struct.Struct("<BIHH")
_RUN_SIZE = 1
_FARTHEST_NEED = 0xFFFF
_LAST_FRAME = 0xFFFF_FFFF
#: No incarnation has this bit: it says that the sender is paused.
_PAUSED = 0x80


class _Coded(NamedTuple):
    """A stream whose runs are bytes already."""

    player: int
    start: int
    size: int
    runs: int
    data: bytes


@functools.cache
def _needs(players: int, near: bool) -> struct.Struct:
    """The layout of the acknowledgements of so many players, at most 255."""
    return struct.Struct(f"<{players}{'B' if near else 'H'}")


def encode_inputs(packet: Inputs, room: int) -> tuple[int, bytes]:
    """The number of the form that a packet has, and its bytes after the head, at most `room`.

    Of inputs, as many as fit go into it; the rest follow once these are acknowledged.
    """
    # Whatever form it has, as many inputs fit as in the longer one.
    room -= _FAR.size + 2 * len(packet.needs)
    count, streams = MAX_INPUTS, []
    for stream in packet.streams:
        coded, inputs = _encode_stream(stream, count, room - _FAR_STREAM.size)
        if not inputs:
            break
        streams.append(coded)
        count -= inputs
        room -= _FAR_STREAM.size + len(coded.data)
    try:
        return NEAR, _pack_near(packet, streams)
    except struct.error:
        return FAR, _pack_far(packet, streams)


def _pack_near(packet: Inputs, streams: Iterable[_Coded]) -> bytes:
    """struct.error if the packet needs the other form."""
    held, needs = packet.held, packet.needs
    coded = [
        _NEAR_STREAM.pack(player, start - held, size, runs) + data for player, start, size, runs, data in streams
    ]  # fmt: skip
    head = _NEAR.pack(
        packet.receiver | _PAUSED * packet.paused,
        packet.episode,
        held,
        packet.frame - held,
        held - packet.final,
        max(-32768, min(32767, packet.advantage)),
        packet.sent,
        packet.echo,
        packet.echo_age,
        packet.chain,
        len(needs),
        len(coded),
    )
    return head + _needs(len(needs), True).pack(*[need - held for need in needs]) + b"".join(coded)


def _pack_far(packet: Inputs, streams: Iterable[_Coded]) -> bytes:
    held, needs = packet.held, packet.needs
    coded = [_FAR_STREAM.pack(player, start, size, runs) + data for player, start, size, runs, data in streams]
    head = _FAR.pack(
        packet.receiver | _PAUSED * packet.paused,
        packet.episode,
        held,
        packet.frame,
        packet.final,
        max(-32768, min(32767, packet.advantage)),
        packet.sent,
        packet.echo,
        packet.echo_age,
        packet.chain,
        len(needs),
        len(coded),
    )
    told = [beyond if (beyond := need - held) < _FARTHEST_NEED else _FARTHEST_NEED for need in needs]
    return head + _needs(len(needs), False).pack(*told) + b"".join(coded)


def _encode_stream(stream: Stream, most: int, room: int) -> tuple[_Coded, int]:
    """A stream's bytes, of up to `most` inputs and no more than `room`, and how many inputs they hold."""
    size = len(stream.inputs[0])
    fitting = room // (_RUN_SIZE + size)
    runs: list[bytes] = []
    previous, count, coded = b"", 0, 0
    for data in stream.inputs[:most]:
        if data == previous and 0 < count < 255:
            count += 1
            continue
        if count:
            runs.append(bytes((count,)) + previous)
            coded += count
        if len(runs) >= fitting:
            count = 0
            break
        previous, count = data, 1
    if count:
        runs.append(bytes((count,)) + previous)
        coded += count
    return _Coded(stream.player, stream.start, size, len(runs), b"".join(runs)), coded


def decode_inputs(kind: int, body: bytes, sender: int, incarnation: int) -> Inputs:
    """The packet of this form that these bytes are.

    Raises:
        WireError: they are none.
        struct.error: they are too short.
    """
    near = kind == NEAR
    layout = _NEAR if near else _FAR
    receiver, episode, held, frame, final, advantage, sent, echo, echo_age, chain, players, count = layout.unpack_from(body)
    if near:
        frame, final = _frame(held + frame), _frame(held - final)
    told = _needs(players, near)
    at = layout.size + told.size
    if len(body) < at:
        raise WireError(f"a packet says that it tells of {players} players, but it is too short for that")
    needs = tuple([held + beyond for beyond in told.unpack_from(body, layout.size)])
    streams: list[Stream] = []
    coded: list[_Coded] = []
    room, last = MAX_INPUTS, -1
    for _ in range(count):
        if near:
            player, start, size, runs = _NEAR_STREAM.unpack_from(body, at)
            start = _frame(held + start)
            at += _NEAR_STREAM.size
        else:
            player, start, size, runs = _FAR_STREAM.unpack_from(body, at)
            at += _FAR_STREAM.size
        if player <= last:
            raise WireError("a packet's streams are not in the order of players")
        inputs, end = _decode_runs(body, at, size, runs, room)
        coded.append(_Coded(player, start, size, runs, body[at:end]))
        at, last = end, player
        room -= len(inputs)
        streams.append(Stream(player, start, inputs))
    if len(body) != at:
        raise WireError(f"a packet says that {at} bytes follow, but {len(body)} do")
    packet = Inputs(
        sender, incarnation, receiver & ~_PAUSED, episode, frame, held, advantage, sent, echo, echo_age, final, chain, needs,
        tuple(streams), bool(receiver & _PAUSED),
    )  # fmt: skip
    if not near:
        _refuse_if_near(packet, coded)
    return packet


def _frame(number: int) -> int:
    if not 0 <= number <= _LAST_FRAME:
        raise WireError(f"a packet tells of a frame {number}")
    return number


def _refuse_if_near(packet: Inputs, streams: Iterable[_Coded]) -> None:
    try:
        _pack_near(packet, streams)
    except struct.error:
        return
    raise WireError("a packet of inputs has the long form, though the short one would do")


def _decode_runs(body: bytes, at: int, size: int, runs: int, room: int) -> tuple[tuple[bytes, ...], int]:
    """The inputs whose runs begin at an offset, no more than `room`, and where these end."""
    step = _RUN_SIZE + size
    end = at + runs * step
    if size == 0 or runs == 0 or size > MAX_INPUT or len(body) < end:
        raise WireError("a stream of inputs without inputs, of too large ones, or of more than the packet holds")
    inputs: list[bytes] = []
    previous, free = b"", 0
    for run in range(at, end, step):
        count = body[run]
        data = body[run + _RUN_SIZE : run + step]
        # One form for one meaning: a run is as long as it can be.
        if count == 0 or (data == previous and free == 0):
            raise WireError("a run of inputs is empty, or goes on where the one before could have")
        free = 1 if count == 255 else 0
        previous = data
        inputs += [data] * count
        if len(inputs) > room:
            raise WireError(f"a packet holds more than {MAX_INPUTS} inputs")
    return tuple(inputs), end

"""Packets as bytes: one form for each meaning, golden bytes for each version, and an error for everything else."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pyodide_runtime.errors import WireError
from pyodide_runtime.network.membership import Standing
from pyodide_runtime.network.wire import (
    MAX_ANSWER,
    MAX_INPUTS,
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
    Stream,
    Tell,
    decode,
    encode,
    session_key,
)
from pyodide_runtime.network.wire.inputs import FAR, NEAR
from pyodide_runtime.network.wire.packets import MAX_DETAIL

KEY = session_key("a session")
GOLDENS = Path(__file__).parent / "goldens" / "packets.json"

u16, u32, places = st.integers(0, 0xFFFF), st.integers(0, 0xFFFF_FFFF), st.integers(0, 255)


@st.composite
def runs_of_inputs(draw: st.DrawFn) -> tuple[bytes, ...]:
    """Inputs of one size, some held for long."""
    size = draw(st.integers(1, 12))
    runs = draw(st.lists(st.tuples(st.binary(min_size=size, max_size=size), st.integers(1, 600)), max_size=6))
    return tuple(data for data, count in runs for _ in range(count))


@st.composite
def streams_of_inputs(draw: st.DrawFn, starts: st.SearchStrategy[int]) -> tuple[Stream, ...]:
    """Streams of some players."""
    players = draw(st.lists(places, max_size=3, unique=True))
    given = [Stream(player, draw(starts), draw(runs_of_inputs())) for player in sorted(players)]
    streams = tuple(stream for stream in given if stream.inputs)
    assume(sum(len(stream.inputs) for stream in streams) <= MAX_INPUTS)  # of more, only the first travel
    return streams


@st.composite
def inputs_of_a_host(draw: st.DrawFn) -> Inputs:
    """Of hosts that are about the same frame, or of such as are not, or of such as hardly are."""
    held = draw(st.integers(0, 0xFFFF_0000))
    near = st.integers(max(0, held - 200), held + 200)
    frames = draw(st.sampled_from([u32, near]))
    needs = tuple(held + beyond for beyond in draw(st.lists(draw(st.sampled_from([u16, st.integers(0, 300)])), max_size=8)))
    chain = draw(st.binary(min_size=8, max_size=8))
    advantage = draw(st.integers(-32768, 32767))
    return Inputs(
        draw(places), draw(places), draw(st.integers(0, 127)), draw(st.sampled_from([0, 255, 256, 65535])), draw(frames), held,
        advantage, draw(u32), draw(u32), draw(u16), draw(frames), chain, needs, draw(streams_of_inputs(frames)),
        draw(st.booleans()),
    )  # fmt: skip


standings = st.lists(
    st.builds(Standing, st.integers(0, 127), st.integers(-1, 254), st.booleans(), st.integers(-1, 254)), max_size=8
).map(tuple)
hellos = st.builds(
    Hello, places, places, st.binary(max_size=300), st.integers(-1, 254), st.booleans(), standings, st.integers(0, 255)
)
ends = st.builds(End, places, places, u16, u32, st.binary(min_size=16, max_size=16), st.booleans(), st.booleans())
byes = st.builds(Bye, places, places, st.integers(0, 255), st.text(max_size=200))
statements = st.builds(Members, places, places, u16, standings, st.lists(u32, max_size=8).map(tuple), st.booleans())
asks = st.builds(Ask, places, places, u16, u16, u32, st.binary(min_size=16, max_size=16), st.binary(max_size=200))
tells = st.builds(Tell, places, places, u16, u16, st.binary(max_size=300))
packets = st.one_of(hellos, inputs_of_a_host(), ends, byes, statements, asks, tells)


@given(packets)
def test_every_packet_comes_back_as_it_was(packet: Packet) -> None:
    data = encode(packet, KEY)
    assert len(data) <= MAX_PACKET
    assert decode(data, KEY) == packet


@given(packets, st.data())
def test_every_byte_of_a_packet_is_guarded(packet: Packet, data: st.DataObject) -> None:
    """Whatever one changes, cuts off or adds, it is no packet any more."""
    good = encode(packet, KEY)
    at = data.draw(st.integers(0, len(good) - 1))
    flip = data.draw(st.integers(1, 255))
    for bad in (good[:at] + bytes([good[at] ^ flip]) + good[at + 1 :], good[:at], good + bytes([flip]), good[:at] + good[at + 1 :]):
        with pytest.raises(WireError):
            decode(bad, KEY)


@given(packets)
def test_a_packet_of_another_session_is_none(packet: Packet) -> None:
    with pytest.raises(WireError):
        decode(encode(packet, KEY), session_key("another session"))


@given(st.binary(max_size=200))
def test_what_is_not_a_packet_is_a_wire_error(data: bytes) -> None:
    with pytest.raises(WireError):
        decode(data, KEY)


@given(st.integers(0, 255), st.integers(0, 255), st.binary(max_size=120))
def test_what_decodes_is_what_encodes(kind: int, version: int, body: bytes) -> None:
    """Even with a right check: no two different bytes mean the same."""
    data = sealed(kind, body, version)
    try:
        packet = decode(data, KEY)
    except WireError:
        return
    assert encode(packet, KEY) == data


def sealed(kind: int, body: bytes, version: int = PROTOCOL_VERSION) -> bytes:
    """A packet with a right check and any body, as a peer could send it that means ill."""

    check = hashlib.blake2b(bytes((version, kind, 1, 0)) + body, digest_size=4, key=KEY).digest()
    return bytes((version, kind)) + check + b"\x01\x00" + body


def body_of(packet: Packet) -> bytes:
    return encode(packet, KEY)[8:]


A_STREAM = Stream(1, 26, (b"\x01\x02",) * 3 + (b"\x00\x04",))
A_PACKET = Inputs(1, 0, 0, 2, 30, 27, -8, 123456, 120000, 17, 25, b"chainchn", (28, 27), (A_STREAM,))


FAR_PACKET = A_PACKET._replace(held=100_000, needs=(100_001, 100_000), final=0)
"""Of a host that comes back: it has inputs of which it has played none."""
A_STATEMENT = Members(1, 0, 2, (Standing(), Standing(0, 0, True, 0), Standing(2, 1)), (30, 12, 7), True)


def with_inputs(*inputs: bytes) -> Inputs:
    return A_PACKET._replace(streams=(A_STREAM._replace(inputs=inputs),))


@pytest.mark.parametrize(
    "runs",
    [
        b"\x00\x01\x02",  # an empty run
        b"\x03\x01\x02\x02\x01\x02",  # two runs of the same input that are one
        b"\x01\x01\x02\xff\x01\x02",
        b"\x03\x01",  # cut off within a run
    ],
)
def test_runs_have_one_form(runs: bytes) -> None:
    count = max(1, len(runs) // 3)
    for packet, kind, width in ((A_PACKET, NEAR, 1), (FAR_PACKET, FAR, 2)):
        head = body_of(packet)[: -6 - 2 * width]
        size, two = (number.to_bytes(width, "little") for number in (2, 2))
        with pytest.raises(WireError):
            decode(sealed(kind, head + size + count.to_bytes(width, "little") + runs), KEY)
        fine = head + size + two + b"\xff\x01\x02\x04\x01\x02"
        stream = packet.streams[0]._replace(inputs=(b"\x01\x02",) * 259)
        assert decode(sealed(kind, fine), KEY) == packet._replace(streams=(stream,))


def test_a_few_bytes_never_become_many_inputs() -> None:
    head = body_of(A_PACKET)[:-8]
    body = head + b"\x01\xff" + b"".join(b"\xff" + bytes([number]) for number in range(255))
    with pytest.raises(WireError, match=str(MAX_INPUTS)):
        decode(sealed(NEAR, body), KEY)


def test_inputs_of_hosts_at_about_the_same_frame_are_short() -> None:
    assert [encode(packet, KEY)[1] for packet in (A_PACKET, FAR_PACKET)] == [NEAR, FAR]
    empty = A_PACKET._replace(streams=())
    assert (len(encode(empty, KEY)), len(encode(A_PACKET, KEY))) == (40, 50)


def test_the_long_form_is_refused_where_the_short_one_would_do() -> None:
    body = body_of(FAR_PACKET)
    held, near_start = (30).to_bytes(4, "little"), (26).to_bytes(4, "little")
    # The frame that the packet is at, and what else is far, is brought near: then each number fits into a byte.
    near = body[:3] + held + held + held + body[15:]
    at = len(near) - 6 - 2 * 2 - 4
    with pytest.raises(WireError, match="short"):
        decode(sealed(FAR, near[:at] + near_start + near[at + 4 :]), KEY)


@pytest.mark.parametrize("held, offset", [(0, -1), (0xFFFF_FFFF, 1)])
def test_a_frame_that_cannot_be_is_refused(held: int, offset: int) -> None:
    body = body_of(A_PACKET)
    frame = body[:2] + held.to_bytes(4, "little") + offset.to_bytes(1, "little", signed=True) + b"\0" + body[8:]
    with pytest.raises(WireError, match="a frame"):
        decode(sealed(NEAR, frame), KEY)


@pytest.mark.parametrize("size, count", [(255, 300), (256, 300), (801, 300), (32_000, 5), (1, 70_000)])
def test_of_long_inputs_as_many_travel_as_fit(size: int, count: int) -> None:
    inputs = tuple(
        number.to_bytes(4, "little")[-size:] * (size // 4) + bytes(size % 4 if size > 3 else 0) for number in range(count)
    )
    inputs = tuple(data.ljust(size, b"\0") for data in inputs)
    packet = with_inputs(*inputs)
    data = encode(packet, KEY)
    arrived = decode(data, KEY)
    assert isinstance(arrived, Inputs) and 1 <= len(fitting := arrived.streams[0].inputs) <= MAX_INPUTS
    assert fitting == inputs[: len(fitting)] and len(data) <= MAX_PACKET
    assert encode(arrived, KEY) == data


def test_the_text_of_a_goodbye_is_cut_off_and_never_breaks() -> None:
    for text in ("ü" * 5000, "x" * (MAX_DETAIL - 1) + "ü", "\ud800 is no text", ""):
        arrived = decode(encode(Bye(1, 0, 1, text), KEY), KEY)
        assert isinstance(arrived, Bye) and len(arrived.detail.encode()) <= MAX_DETAIL
        assert text.startswith(arrived.detail) or "?" in arrived.detail
    with pytest.raises(WireError):
        decode(sealed(4, b"\x01" + (MAX_DETAIL + 1).to_bytes(2, "little") + b"x" * (MAX_DETAIL + 1)), KEY)


def test_too_long_terms_are_refused_where_they_are_made() -> None:
    with pytest.raises(WireError):
        encode(Hello(0, 0, b"x" * MAX_PACKET), KEY)


def test_questions_and_answers_are_no_longer_than_they_may_be() -> None:
    ask, tell = Ask(1, 0, 0, 1, 3, bytes(16), b"x" * MAX_QUESTION), Tell(1, 0, 0, 1, b"x" * MAX_ANSWER)
    longest: list[tuple[Packet, Packet, int]] = [
        (ask, ask._replace(question=ask.question + b"x"), MAX_QUESTION),
        (tell, tell._replace(answer=tell.answer + b"x"), MAX_ANSWER),
    ]
    for packet, too_long, most in longest:
        data = encode(packet, KEY)
        assert len(data) <= MAX_PACKET and decode(data, KEY) == packet
        longer = body_of(packet)[: -most - 2] + (most + 1).to_bytes(2, "little") + b"x" * (most + 1)
        with pytest.raises(WireError):
            decode(sealed(data[1], longer), KEY)
        with pytest.raises(WireError):
            encode(too_long, KEY)


def test_only_a_hello_is_read_whatever_its_version() -> None:
    others = Bye(1, 0, 1, ""), A_STATEMENT, Ask(1, 0, 0, 1, 2, bytes(16), b""), Tell(1, 0, 0, 1, b"")
    for packet in (A_PACKET, End(1, 0, 0, 3, bytes(16), True, False), *others):
        kind = encode(packet, KEY)[1]
        with pytest.raises(WireError, match="version"):
            decode(sealed(kind, body_of(packet), PROTOCOL_VERSION + 1), KEY)
    hello = Hello(1, 0, b"{}", 0, True, version=PROTOCOL_VERSION + 1)
    assert decode(encode(hello, KEY), KEY) == hello


@pytest.mark.parametrize("flags", range(4, 256))
def test_unknown_flags_are_an_error(flags: int) -> None:
    body = body_of(End(1, 0, 0, 3, bytes(16), True, True))
    with pytest.raises(WireError):
        decode(sealed(3, body[:-1] + bytes([flags])), KEY)


# -- goldens ---------------------------------------------------------------------------------------------------------

EXAMPLES: dict[str, Packet] = {
    "hello": Hello(0, 0, b'{"protocol":1,"seed":7}'),
    "hello, heard": Hello(3, 2, b"{}", 1, True, (Standing(), Standing(1, 0, True, 0))),
    "inputs": A_PACKET,
    "no inputs": A_PACKET._replace(sender=0, advantage=40, echo=0, echo_age=0xFFFF, streams=()),
    "a key held for long": with_inputs(*[b"\x01\x03"] * 300),
    "inputs of a host that comes back": FAR_PACKET,
    "inputs of two players": A_PACKET._replace(streams=(A_STREAM, Stream(2, 0, (b"\x02\x00\x00",)))),
    "inputs of a host that is paused": A_PACKET._replace(paused=True),
    "end": End(1, 0, 2, 450, bytes(range(16)), False, False),
    "end, heard and settled": End(1, 0, 2, 450, bytes(range(16)), True, True),
    "bye": Bye(2, 0, 1, "the page was closed"),
    "members": A_STATEMENT,
    "ask": Ask(1, 0, 2, 3, 60, bytes(range(16)), b'[["overview"]]'),
    "ask, satisfied": Ask(0, 0, 0, 8, 60, bytes(range(16)), b""),
    "tell": Tell(0, 0, 2, 3, b'[["digests",[]]]'),
}


def as_json(packet: Packet) -> dict[str, Any]:
    def plain(value: Any) -> Any:
        if isinstance(value, bytes):
            return value.hex()
        return [plain(item) for item in value] if isinstance(value, tuple) else value

    return {"type": type(packet).__name__, **{name: plain(value) for name, value in packet._asdict().items()}}


def test_the_bytes_of_this_version_are_the_golden_ones() -> None:
    """Any change of a layout fails here: then `PROTOCOL_VERSION` goes up, and the goldens are written anew."""
    told = {
        "protocol_version": PROTOCOL_VERSION,
        "session": "a session",
        "packets": [
            {"name": name, "packet": as_json(packet), "bytes": encode(packet, KEY).hex()} for name, packet in EXAMPLES.items()
        ],
    }
    assert json.loads(GOLDENS.read_text()) == told


def test_golden_bytes_decode_to_their_packets() -> None:
    golden = json.loads(GOLDENS.read_text())
    assert golden["protocol_version"] == PROTOCOL_VERSION
    for entry in golden["packets"]:
        assert decode(bytes.fromhex(entry["bytes"]), session_key(golden["session"])) == EXAMPLES[entry["name"]]

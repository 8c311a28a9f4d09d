"""Packets as bytes: one form for each meaning, golden bytes for each version, and an error for everything else."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyodide_runtime.errors import WireError
from pyodide_runtime.network.wire import (
    MAX_DETAIL,
    MAX_INPUTS,
    MAX_PACKET,
    PROTOCOL_VERSION,
    Bye,
    End,
    Hello,
    Inputs,
    Packet,
    decode,
    encode,
    session_key,
)

KEY = session_key("a session")
GOLDENS = Path(__file__).parent / "goldens" / "packets.json"

u16, u32, places = st.integers(0, 0xFFFF), st.integers(0, 0xFFFF_FFFF), st.integers(0, 255)


@st.composite
def runs_of_inputs(draw: st.DrawFn) -> tuple[bytes, ...]:
    """Inputs of one size, some held for long."""
    size = draw(st.integers(1, 12))
    runs = draw(st.lists(st.tuples(st.binary(min_size=size, max_size=size), st.integers(1, 600)), max_size=6))
    return tuple(data for data, count in runs for _ in range(count))


hellos = st.builds(Hello, places, st.binary(max_size=300), st.booleans(), st.integers(0, 255))
inputs_packets = st.builds(
    Inputs,
    places,
    u16,
    u32,
    u32,
    u32,
    st.integers(-32768, 32767),
    u32,
    u32,
    u16,
    u32,
    st.binary(min_size=8, max_size=8),
    u32,
    runs_of_inputs(),
    st.booleans(),
)
ends = st.builds(End, places, u16, u32, st.binary(min_size=16, max_size=16), st.booleans(), st.booleans())
byes = st.builds(Bye, places, st.integers(0, 255), st.text(max_size=200))
packets = st.one_of(hellos, inputs_packets, ends, byes)


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

    check = hashlib.blake2b(bytes((version, kind, 1)) + body, digest_size=4, key=KEY).digest()
    return bytes((version, kind)) + check + b"\x01" + body


def body_of(packet: Packet) -> bytes:
    return encode(packet, KEY)[7:]


A_PACKET = Inputs(1, 2, 30, 28, 27, -8, 123456, 120000, 17, 25, b"chainchn", 26, (b"\x01\x02",) * 3 + (b"\x00\x04",))


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
    head = body_of(A_PACKET)[:-10]
    count = max(1, len(runs) // 3)
    with pytest.raises(WireError):
        decode(sealed(2, head + b"\x02\x00" + count.to_bytes(2, "little") + runs), KEY)
    fine = head + b"\x02\x00\x02\x00" + b"\xff\x01\x02\x04\x01\x02"
    assert decode(sealed(2, fine), KEY) == A_PACKET._replace(inputs=(b"\x01\x02",) * 259)


def test_a_few_bytes_never_become_many_inputs() -> None:
    head = body_of(A_PACKET)[:-10]
    body = head + b"\x01\x00\x00\x01" + b"".join(b"\xff" + bytes([number]) for number in range(256))
    with pytest.raises(WireError, match=str(MAX_INPUTS)):
        decode(sealed(2, body), KEY)


@pytest.mark.parametrize("size, count", [(255, 300), (256, 300), (801, 300), (32_000, 5), (1, 70_000)])
def test_of_long_inputs_as_many_travel_as_fit(size: int, count: int) -> None:
    inputs = tuple(
        number.to_bytes(4, "little")[-size:] * (size // 4) + bytes(size % 4 if size > 3 else 0) for number in range(count)
    )
    inputs = tuple(data.ljust(size, b"\0") for data in inputs)
    packet = A_PACKET._replace(inputs=inputs)
    data = encode(packet, KEY)
    arrived = decode(data, KEY)
    assert isinstance(arrived, Inputs) and 1 <= len(arrived.inputs) <= MAX_INPUTS
    assert arrived.inputs == inputs[: len(arrived.inputs)] and len(data) <= MAX_PACKET
    assert encode(arrived, KEY) == data


def test_the_text_of_a_goodbye_is_cut_off_and_never_breaks() -> None:
    for text in ("ü" * 5000, "x" * (MAX_DETAIL - 1) + "ü", "\ud800 is no text", ""):
        arrived = decode(encode(Bye(1, 1, text), KEY), KEY)
        assert isinstance(arrived, Bye) and len(arrived.detail.encode()) <= MAX_DETAIL
        assert text.startswith(arrived.detail) or "?" in arrived.detail
    with pytest.raises(WireError):
        decode(sealed(4, b"\x01" + (MAX_DETAIL + 1).to_bytes(2, "little") + b"x" * (MAX_DETAIL + 1)), KEY)


def test_too_long_terms_are_refused_where_they_are_made() -> None:
    with pytest.raises(WireError):
        encode(Hello(0, b"x" * MAX_PACKET, False), KEY)


def test_only_a_hello_is_read_whatever_its_version() -> None:
    for packet in (A_PACKET, End(1, 0, 3, bytes(16), True, False), Bye(1, 1, "")):
        kind = encode(packet, KEY)[1]
        with pytest.raises(WireError, match="version"):
            decode(sealed(kind, body_of(packet), PROTOCOL_VERSION + 1), KEY)
    arrived = decode(encode(Hello(1, b"{}", True, PROTOCOL_VERSION + 1), KEY), KEY)
    assert arrived == Hello(1, b"{}", True, PROTOCOL_VERSION + 1)


@pytest.mark.parametrize("flags", range(4, 256))
def test_unknown_flags_are_an_error(flags: int) -> None:
    body = body_of(End(1, 0, 3, bytes(16), True, True))
    with pytest.raises(WireError):
        decode(sealed(3, body[:-1] + bytes([flags])), KEY)


# -- goldens ---------------------------------------------------------------------------------------------------------

EXAMPLES: dict[str, Packet] = {
    "hello": Hello(0, b'{"protocol":1,"seed":7}', False),
    "hello, heard": Hello(3, b"{}", True),
    "inputs": A_PACKET,
    "no inputs": A_PACKET._replace(sender=0, advantage=40, echo=0, echo_age=0xFFFF, inputs=()),
    "a key held for long": A_PACKET._replace(inputs=(b"\x01\x03",) * 300),
    "inputs of a host that is paused": A_PACKET._replace(paused=True),
    "end": End(1, 2, 450, bytes(range(16)), False, False),
    "end, heard and settled": End(1, 2, 450, bytes(range(16)), True, True),
    "bye": Bye(2, 1, "the page was closed"),
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

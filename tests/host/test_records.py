"""Laws of the flat records between JavaScript and Python: the goldens are the other side's, too, and bad bytes are refused."""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyodide_runtime.drawing import encode_view
from pyodide_runtime.errors import WireError
from pyodide_runtime.records import Kind, Record, decode_inbox, encode_outbox, event, stats_record, upload_record
from pyodide_runtime.uploads import Chunk

GOLDENS = json.loads((Path(__file__).parents[2] / "js_bridge/tests/goldens/records.json").read_text(encoding="utf-8"))


def named(section: str) -> Any:
    return pytest.mark.parametrize("golden", GOLDENS[section], ids=lambda golden: golden.get("name", ""))


def records_of(golden: dict[str, Any]) -> list[Record]:
    return [Record(Kind(one["kind"]), one["peer"], one["channel"], bytes.fromhex(one["payload"])) for one in golden["records"]]


@named("inbox")
def test_an_inbox_holds_what_the_other_side_put_into_it(golden: dict[str, Any]) -> None:
    assert list(decode_inbox(bytes.fromhex(golden["bytes"]))) == records_of(golden)


@named("outbox")
def test_an_outbox_is_the_bytes_that_the_other_side_reads(golden: dict[str, Any]) -> None:
    assert encode_outbox(float(golden["wake_at_ms"]), records_of(golden)).hex() == golden["bytes"]


@named("malformed_inbox")
def test_a_malformed_inbox_is_refused(golden: dict[str, Any]) -> None:
    with pytest.raises(WireError):
        list(decode_inbox(bytes.fromhex(golden["bytes"])))


@named("uploads")
def test_an_upload_is_the_bytes_that_the_other_side_reads(golden: dict[str, Any]) -> None:
    chunk = Chunk(golden["upload"], golden["kind"], golden["sequence"], bytes.fromhex(golden["body"]))
    assert upload_record(chunk) == Record(Kind.UPLOAD, 0, 0, bytes.fromhex(golden["bytes"]))


@named("stats")
def test_stats_are_the_bytes_that_the_other_side_reads(golden: dict[str, Any]) -> None:
    assert stats_record(golden["values"]) == Record(Kind.STATS, 0, 0, bytes.fromhex(golden["bytes"]))


@named("views")
def test_a_view_is_the_bytes_that_the_other_side_reads(golden: dict[str, Any]) -> None:
    if golden["form"] == "scene":
        assert encode_view(golden["scene"]).hex() == golden["bytes"]
        return
    shape = (golden["height"], golden["width"], golden["channels"])
    pixels = np.frombuffer(bytes.fromhex(golden["pixels"]), dtype=np.uint8).reshape(shape)
    assert encode_view(pixels).hex() == golden["bytes"]


@pytest.mark.parametrize("kind", [0, 3, 4, 5, 6, 255])
def test_a_record_of_a_kind_that_does_not_go_inwards_is_refused(kind: int) -> None:
    with pytest.raises(WireError, match=f"kind {kind} "):
        list(decode_inbox(struct.pack("<BBBBI", kind, 0, 0, 0, 0)))


bytes_ = st.binary(max_size=20)
packets = st.builds(Record, st.sampled_from([Kind.PACKET, Kind.EVENT]), st.integers(0, 255), st.integers(0, 255), bytes_)


@given(st.lists(packets, max_size=5), st.data())
def test_what_is_put_in_comes_out_and_no_part_of_it_is_taken_for_the_whole(records: list[Record], data: st.DataObject) -> None:
    inbox = encode_outbox(0.0, records)[8:]
    assert list(decode_inbox(inbox)) == records
    ends = {0}
    for record in records:
        ends.add(max(ends) + 8 + len(record.payload))
    cut = data.draw(st.integers(0, len(inbox)))
    if cut in ends:
        assert list(decode_inbox(inbox[:cut])) == records[: sorted(ends).index(cut)]
    else:
        with pytest.raises(WireError):
            list(decode_inbox(inbox[:cut]))


@given(st.binary(max_size=60))
def test_any_bytes_are_an_inbox_or_are_refused(data: bytes) -> None:
    try:
        records = list(decode_inbox(data))
    except WireError:
        return
    assert sum(8 + len(record.payload) for record in records) == len(data)


@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b"null", b"1", b'"key"', b"\xff", b"[" * 100_000])
def test_an_event_that_is_no_object_is_refused(payload: bytes) -> None:
    with pytest.raises(WireError):
        event(Record(Kind.EVENT, 0, 0, payload))


def test_a_host_with_nothing_to_do_sleeps_for_ever() -> None:
    assert struct.unpack("<d", encode_outbox(math.inf, [])) == (math.inf,)

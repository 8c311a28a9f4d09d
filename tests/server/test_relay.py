"""Laws of packets that go through the server: untouched, to those they are for, and no more than a page may send."""

from __future__ import annotations

import pytest

from pyodide_runtime.server import relay
from pyodide_runtime.server.messages import MessageError
from pyodide_runtime.server.relay import LARGEST_PACKET, Allowance, Relayed
from tests.server.conftest import MakeSite, Page, Site
from tests.server.test_signalling import start

INPUT, CONTROL = relay.INPUT, relay.CONTROL


def is_answered(page: Page, words: str) -> None:
    message = page.receive()
    assert message["type"] == "error"
    assert words in message["error"]


def test_packets_reach_the_page_they_are_for_as_they_were_sent_and_in_order(make_site: MakeSite) -> None:
    site = make_site(players=3)
    packets = [b"\x00", bytes(range(256)), b"x" * LARGEST_PACKET]
    with site.page("A") as first, site.page("B") as second, site.page("C") as third:
        for page in (first, second, third):
            page.send(type="ready")
        for page in (first, second, third):
            page.until("start")
        for channel in (INPUT, CONTROL):
            for packet in packets:
                first.send_packet(2, channel, 1, packet)
                assert third.socket.receive_bytes() == bytes((0, channel, 1)) + packet
        third.send_packet(1, INPUT, 0, b"back")
        assert second.socket.receive_bytes() == bytes((2, INPUT, 0)) + b"back"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "header"),
        (b"\x01", "header"),
        (b"\x01\x00\x00", "header"),
        (b"\x01\x00\x00" + b"x" * (LARGEST_PACKET + 1), f"may have {LARGEST_PACKET} bytes"),
        (b"\x01\x02\x00x", "channel 0 or 1, not 2"),
        (b"\x01\x00\x02x", "0 or 1 for what it hears directly, not 2"),
        (b"\x00\x00\x00x", "to oneself"),
        (b"\x02\x00\x00x", "there is no player 2"),
        (b"\xff\x00\x00x", "there is no player 255"),
    ],
)
def test_a_malformed_packet_is_answered_with_an_error_and_changes_nothing(site: Site, data: bytes, words: str) -> None:
    with site.page("A") as first, site.page("B") as second:
        start(first, second)
        first.socket.send_bytes(data)
        is_answered(first, words)
        first.send_packet(1, CONTROL, 0, b"still here")
        assert second.socket.receive_bytes() == b"\x00\x01\x00still here"


def test_nothing_is_relayed_before_the_start(site: Site) -> None:
    with site.page("A") as first, site.page("B") as second:
        first.until("roster")
        first.until("roster")
        first.send_packet(1, INPUT, 0, b"early")
        is_answered(first, "once the session has started")
        start(first, second)


def test_a_packet_for_a_page_that_has_left_is_an_error(site: Site) -> None:
    with site.page("A") as first:
        with site.page("B") as second:
            start(first, second)
        first.until("left")
        first.send_packet(1, INPUT, 0, b"late")
        is_answered(first, "player 1 is not here")


def test_a_page_that_is_not_ready_yet_gets_no_packets(site: Site) -> None:
    with site.page("A") as first, site.page("B") as second:
        start(first, second)
        with site.page("B") as again:
            again.until("joined")
            first.send_packet(1, CONTROL, 0, b"for the match before")
            again.send(type="ready")
            again.until("start")
            first.until("rejoined")
            first.send_packet(1, CONTROL, 0, b"for this one")
            assert again.socket.receive_bytes() == b"\x00\x01\x00for this one"


def test_what_is_beyond_the_allowance_is_lost_and_told_of_once(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Allowance, "PACKETS_A_SECOND", 5.0)
    with site.page("A") as first, site.page("B") as second:
        start(first, second)
        for number in range(40):
            first.send_packet(1, INPUT, 0, bytes((number,)))
        is_answered(first, "too many packets")
        first.send(type="signal", to=1, data={"after": "all"})
        got = []
        while (event := second.socket.receive()).get("text") is None:
            got.append(event["bytes"][-1])
        assert got[:5] == [0, 1, 2, 3, 4] and got == sorted(got)
        assert len(got) < 20


def test_an_allowance_is_so_much_a_second_with_a_reserve_of_one() -> None:
    allowance = Allowance(0.0)
    whole = int(Allowance.BYTES_A_SECOND)
    assert allowance.take(whole, 0.0)
    assert not allowance.take(2, 0.0)
    assert allowance.take(whole // 2, 0.5)
    assert not allowance.take(whole // 4, 0.6)
    assert allowance.take(whole, 60.0)
    assert not allowance.take(whole, 60.5), "what was not used in a minute is not saved up"


def test_the_clock_of_an_allowance_may_stand_but_gives_nothing_for_going_back() -> None:
    allowance = Allowance(10.0)
    assert allowance.take(int(Allowance.BYTES_A_SECOND), 10.0)
    assert not allowance.take(100, 5.0)


def test_a_header_is_read_as_it_was_written() -> None:
    assert relay.parse(b"\x03\x01\x00abc") == Relayed(3, CONTROL, 0, b"abc")
    assert relay.compose(2, Relayed(3, CONTROL, 1, b"abc")) == b"\x02\x01\x01abc"
    with pytest.raises(MessageError):
        relay.parse(b"\x03\x01\x00")

"""Laws of ICE servers as people write them down: what browsers take is taken, and what is wrong is named with its place."""

from __future__ import annotations

from typing import Any

import pytest

from pyodide_runtime.ice import MOST_SERVERS, IceError, checked_policy, checked_servers

TURN = {"urls": "turn:turn.example.org:3478", "username": "me", "credential": "secret"}


@pytest.mark.parametrize(
    "servers",
    [
        [],
        [{"urls": "stun:stun.example.org"}],
        [{"urls": "stuns:[::1]:5349"}, TURN],
        [{**TURN, "urls": ["turn:a.example.org?transport=udp", "turns:a.example.org:443?transport=tcp"]}],
    ],
)
def test_servers_as_browsers_take_them_come_out_as_they_went_in(servers: list[dict[str, Any]]) -> None:
    assert checked_servers(servers) == servers
    assert checked_servers(tuple(servers)) == servers


@pytest.mark.parametrize(
    ("servers", "words"),
    [
        (None, "no list"),
        ("stun:stun.example.org", "no list"),
        (TURN, "no list"),
        (["stun:stun.example.org"], r"\[0\]: 'stun:stun.example.org' is no server"),
        ([TURN, {}], r"\[1\]: \"urls\" is missing"),
        ([{"urls": []}], "missing"),
        ([{"urls": 3}], "missing"),
        ([{"urls": [3]}], "3 is no address"),
        ([{"urls": "http://example.org"}], "no address; write stun:HOST:PORT"),
        ([{"urls": "turn:me:secret@turn.example.org"}], "no address"),
        ([{"urls": "stun:a b"}], "no address"),
        ([{"urls": "turn:t.example.org?transport=sctp"}], "no address"),
        ([{"url": "stun:stun.example.org"}], "'url' is no field of a server"),
        ([{"urls": "turn:turn.example.org"}], "the username is missing"),
        ([{**TURN, "credential": ""}], '"credential" is empty'),
        ([{**TURN, "credential": 3}], '"credential" is not a text'),
        ([{"urls": "turn:turn.example.org", "username": "me"}], "the credential is missing"),
        ([{"urls": "stun:stun.example.org"}] * (MOST_SERVERS + 1), f"at most {MOST_SERVERS}"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(servers: object, words: str) -> None:
    with pytest.raises(IceError, match=words):
        checked_servers(servers)


def test_there_are_two_policies() -> None:
    assert [checked_policy(policy) for policy in ("all", "relay")] == ["all", "relay"]
    for wrong in ("", "none", None, 1, ["all"]):
        with pytest.raises(IceError, match="is no policy; write 'all'"):
            checked_policy(wrong)

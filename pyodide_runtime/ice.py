"""ICE servers: what helps two browsers to find a way to each other, as experiments and the server's files write it down.

An `RTCIceServer` here is a JSON value: `urls`, and for TURN servers `username` and `credential`. Everything is checked before a
browser sees it, because a browser's refusal would only come when the match begins. Nothing here connects to anything; it imports
the standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias, get_args

__all__ = ["IceError", "IceTransportPolicy", "checked_policy", "checked_servers"]

IceTransportPolicy: TypeAlias = Literal["all", "relay"]
MOST_SERVERS = 16

_STUN = re.compile(r"stuns?:[^@\s?]+")
_TURN = re.compile(r"turns?:[^@\s?]+(?:\?transport=(?:udp|tcp))?")
_FIELDS = ("urls", "username", "credential")


class IceError(ValueError):
    """What was given describes no ICE server; the message names the place and says what to write."""


def checked_servers(value: object) -> list[dict[str, Any]]:
    """A list of ICE servers in canonical form. Raises IceError."""
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Sequence):
        raise IceError(f'{_shown(value)} is no list; write a list such as [{{"urls": "stun:stun.example.org:3478"}}]')
    if len(value) > MOST_SERVERS:
        raise IceError(f"there are {len(value)} servers; browsers are slow with many, name at most {MOST_SERVERS}")
    return [_server(server, f"[{place}]") for place, server in enumerate(value)]


def checked_policy(value: object) -> str:
    """The policy, if it is one. Raises IceError."""
    if value not in get_args(IceTransportPolicy):
        raise IceError(f"{_shown(value)} is no policy; write 'all', or 'relay' to connect through TURN servers only")
    return str(value)


def _server(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise IceError(
            f'{where}: {_shown(value)} is no server; write {{"urls": "turn:HOST:PORT", "username": ..., "credential": ...}}'
        )
    unknown = [name for name in value if name not in _FIELDS]
    if unknown:
        raise IceError(f"{where}: {_shown(unknown[0])} is no field of a server; there are {', '.join(_FIELDS)}")
    urls = value.get("urls")
    listed = [urls] if isinstance(urls, str) else list(urls) if isinstance(urls, list | tuple) else []
    if not listed:
        raise IceError(f'{where}: "urls" is missing; write an address such as "turn:turn.example.org:3478", or a list of them')
    for url in listed:
        if not isinstance(url, str) or not (_STUN.fullmatch(url) or _TURN.fullmatch(url)):
            raise IceError(f"{where}: {_shown(url)} is no address; write stun:HOST:PORT or turn:HOST:PORT (or stuns:, turns:)")
    told = {name: value[name] for name in _FIELDS[1:] if name in value}
    for name, text in told.items():
        if not isinstance(text, str) or not text:
            raise IceError(f'{where}: "{name}" is {"empty" if text == "" else "not a text"}; write it in quotes, or leave it out')
    turn = next((url for url in listed if url.startswith("turn")), None)
    if turn is not None and len(told) < 2:
        lacking = next(name for name in _FIELDS[1:] if name not in told)
        raise IceError(f'{where}: {turn} is a TURN server and needs a "username" and a "credential"; the {lacking} is missing')
    return {"urls": urls if isinstance(urls, str) else listed, **told}


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."

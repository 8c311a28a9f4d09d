"""Packets: what they are (`packets`), how inputs are laid out (`inputs`), and how every packet is sealed (`envelope`)."""

from __future__ import annotations

from .envelope import decode, encode, session_key
from .packets import (
    MAX_ANSWER,
    MAX_DETAIL,
    MAX_INPUT,
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
)

__all__ = [
    "MAX_ANSWER",
    "MAX_DETAIL",
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

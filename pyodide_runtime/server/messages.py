"""The JSON messages between a page and its room, in both directions.

What a page sends is read into types here, or refused with a clear text; the server's own messages are made
here and nowhere else. This module knows nothing of sockets and of what a room does with a message.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from pyodide_runtime.errors import PyodideRuntimeError
from pyodide_runtime.network.arbiter import are_incarnations
from pyodide_runtime.server.chunks import is_outcome

LARGEST_MESSAGE = 128 * 1024
"""Most characters of a message from a page."""

Message: TypeAlias = dict[str, Any]


class MessageError(PyodideRuntimeError):
    """A message from a page is malformed, or does not fit the moment; it has changed nothing."""


@dataclass(frozen=True)
class Ready:
    """The page's worker has loaded the environment."""


@dataclass(frozen=True)
class Signal:
    """Something for the page of the player with index `to`; the server does not look into `data`."""

    to: int
    data: dict[str, Any]


@dataclass(frozen=True)
class Failed:
    """The page cannot play, or not go on; `error` says why for people, and `text` in full, if there is more to say. `outcome` is
    that of its match, if that is what ended."""

    error: str
    outcome: str | None = None
    text: str = ""


@dataclass(frozen=True)
class Appeal:
    """The page asks to go on without others, whom it lost: indices and incarnations."""

    gone: tuple[tuple[int, int], ...]


FromPage: TypeAlias = Ready | Signal | Failed | Appeal


def parse(text: str) -> FromPage:
    """What a page says. Raises MessageError."""
    if len(text) > LARGEST_MESSAGE:
        raise MessageError(f"a message may have {LARGEST_MESSAGE} characters, this one has {len(text)}")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MessageError(f"the message is not JSON: {error}") from None
    if not isinstance(value, dict) or not isinstance(value.get("type"), str):
        raise MessageError('a message is a JSON object with a text at "type"')
    reader = _READERS.get(value["type"])
    if reader is None:
        raise MessageError(f"{value['type'][:40]!r} is no type of message; there are {', '.join(_READERS)}")
    return reader(value)


def _fields(value: Message, *names: str) -> list[Any]:
    if value.keys() != {"type", *names}:
        wanted = " and ".join(f'"{name}"' for name in names) or "no other fields"
        raise MessageError(f"a message of type {value['type']!r} has {wanted}, not {sorted(value.keys() - {'type'})}")
    return [value[name] for name in names]


def _read_ready(value: Message) -> Ready:
    _fields(value)
    return Ready()


def _read_signal(value: Message) -> Signal:
    to, data = _fields(value, "to", "data")
    if isinstance(to, bool) or not isinstance(to, int):
        raise MessageError('"to" of a signal is the index of a player, a whole number')
    if not isinstance(data, dict):
        raise MessageError('"data" of a signal is a JSON object')
    return Signal(to, data)


def _read_failed(value: Message) -> Failed:
    error, outcome, text = _fields({"text": "", **value}, "error", "outcome", "text")
    if not isinstance(error, str) or not error.strip():
        raise MessageError('"error" of a failure is a text that is not empty')
    if outcome is not None and not is_outcome(outcome):
        raise MessageError('"outcome" of a failure is a word, such as "peer_left", or null')
    if not isinstance(text, str):
        raise MessageError('"text" of a failure is a text')
    return Failed(error, outcome, text)


def _read_appeal(value: Message) -> Appeal:
    (gone,) = _fields(value, "gone")
    if not are_incarnations(gone) or not gone:
        raise MessageError('"gone" of an appeal is a list of pairs of a player\'s index and an incarnation')
    return Appeal(tuple((index, incarnation) for index, incarnation in gone))


_READERS: Mapping[str, Callable[[Message], FromPage]] = {
    "ready": _read_ready,
    "signal": _read_signal,
    "failed": _read_failed,
    "appeal": _read_appeal,
}


def joined(session: str, player_id: str, index: int, player_count: int, key: str, config: Message, *, running: bool) -> Message:
    """To a page that has a seat in its room; with `key` it may come back to it over another socket.

    Spectators have the indices from `player_count` upwards. `running`: the session goes on already.
    """
    return {
        "type": "joined",
        "session": session,
        "player_id": player_id,
        "index": index,
        "player_count": player_count,
        "key": key,
        "running": running,
        "config": config,
    }


def roster(players: Iterable[tuple[str, int, bool]]) -> Message:
    """To all pages of a room: player id, index and readiness of those who are there."""
    names = ("player_id", "index", "ready")
    return {"type": "roster", "players": [dict(zip(names, player, strict=True)) for player in players]}


def start(
    session: str,
    seed: int,
    player_ids: Iterable[str],
    index: int,
    *,
    incarnation: int,
    running: bool,
    peers: Iterable[tuple[int, int]],
) -> Message:
    """To the page with this index: all are ready, or were when the session began.

    `incarnation` counts the pages of its seat, from 0. `running`: the session goes on already. `peers`: index and incarnation
    of the other pages that take part at this moment, spectators included; those that come later are told of by `rejoined`.
    """
    players = [{"player_id": player_id, "index": place} for place, player_id in enumerate(player_ids)]
    others = [{"index": place, "incarnation": number} for place, number in peers]
    told: Message = {"session": session, "seed": seed, "players": players, "index": index}
    return {"type": "start", "start": {**told, "incarnation": incarnation, "running": running, "peers": others}}


def signal(sender: int, data: Message) -> Message:
    """To a page: what the page of another player sent it."""
    return {"type": "signal", "from": sender, "data": data}


def left(index: int, lost: bool) -> Message:
    """To the pages that remain after the start: another page's socket closed, or, if `lost`, broke off."""
    return {"type": "left", "index": index, "lost": lost}


def rejoined(index: int, incarnation: int) -> Message:
    """To the pages of a running session: a page takes part from now on, anew in its seat, or as a spectator.

    With the incarnation that is known already it is the same page, whose line to the server was lost for a time.
    """
    return {"type": "rejoined", "index": index, "incarnation": incarnation}


def resumed() -> Message:
    """To a page that has its seat back, over a new socket, as if the old one had not been lost."""
    return {"type": "resumed"}


def verdict(gone: Iterable[tuple[int, int]], granted: bool) -> Message:
    """To a page that appealed: whether it goes on without these; if not, they, or others, go on without it."""
    return {"type": "verdict", "gone": [list(pair) for pair in gone], "granted": granted}


def refused(text: str) -> Message:
    """To a page that cannot stay; its socket closes next."""
    return {"type": "refused", "error": text}


def error(text: str) -> Message:
    """To a page whose message was malformed or did not fit; nothing was changed by it."""
    return {"type": "error", "error": text}

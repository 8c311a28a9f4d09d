"""A whole state as one canonical string of bytes, any place in which can be told by its path and its value.

Two hosts that hold one state each find where these differ by comparing digests of parts of their transcripts, and never
send the states themselves. The first byte that differs lies at the same path on both: all before it, which is what led
the walk there, is alike. It knows nothing of frames, peers or networks.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .canonical import encode
from .difference import SHOWN, State, Visit, Walk, generator_text, shortened

__all__ = ["Place", "place_at", "transcript"]


class Place(NamedTuple):
    """What lies at some byte of a transcript.

    Attributes:
        path: how to get there, as in `environment.board[1][3]`; of an array, to the element.
        text: what is there, for people: numbers to the last digit, objects by type and size.
    """

    path: str
    text: str


def transcript(state: State, generators: tuple[str, ...]) -> bytes:
    """The canonical bytes of all that a state covers: equal exactly if the states are.

    Args:
        generators: the names of all global generators that there may be, in a fixed order.
    """
    heads = [data for _, data, _ in _heads(state, generators)]
    return b"".join([*heads, encode(state.roots, state.contents)])


def place_at(state: State, generators: tuple[str, ...], offset: int) -> Place:
    """What the byte at `offset` of a state's transcript belongs to; beyond its end, the end."""
    for path, data, text in _heads(state, generators):
        if offset < len(data):
            return Place(path, text)
        offset -= len(data)
    walk = Walk(state)
    for visit in walk.visits:
        if offset < len(visit.token):
            return _within(walk, visit, offset)
        offset -= len(visit.token)
    return Place("the end", "nothing")


def _heads(state: State, generators: tuple[str, ...]) -> list[tuple[str, bytes, str]]:
    """What comes before the environment: its path, its bytes and its text."""
    found: list[tuple[str, bytes, str]] = []
    for name, value in state.values.items():
        parts = [(f"{name}[{place}]", part) for place, part in enumerate(value)] if isinstance(value, tuple) else [(name, value)]
        found += [(path, repr(part).encode() + b"\n", repr(part)) for path, part in parts]
    for name in generators:
        drawn = state.generators.get(name)
        found.append((f"the state of {name}", repr(drawn).encode() + b"\n", generator_text(drawn)))
    return found


def _within(walk: Walk, visit: Visit, offset: int) -> Place:
    """A place within what one step of a walk wrote, as narrow as it can be told."""
    elements = walk.elements(visit.obj)
    if elements is not None and elements.size:
        number = (offset - _data_start(visit.token)) // elements.itemsize
        if 0 <= number < elements.size:
            return Place(visit.path + _index(number, elements.shape), shortened(repr(elements.flat[number].item())))
    if isinstance(visit.obj, str | bytes) and len(visit.obj) > SHOWN:
        start = _start_of(visit, offset)
        return Place(f"{visit.path}[{start}:]", shortened(repr(visit.obj[start:])))
    return Place(visit.path, walk.text(visit))


def _index(number: int, shape: tuple[int, ...]) -> str:
    """The index of so-manieth element of an array, as it is written behind its name."""
    places: list[str] = []
    for length in reversed(shape):
        number, place = divmod(number, length)
        places.append(str(place))
    return f"[{', '.join(reversed(places))}]" if places else ""


def _data_start(token: bytes) -> int:
    """Where the elements begin in what was written of an array: after its type, and after its element type and shape."""
    at = 0
    while token[at : at + 1] in (b"O", b"A"):
        tag, colon = token[at], token.index(b":", at)
        at = colon + 1 + int(token[at + 1 : colon])
        if tag == ord("A"):
            break
    return at


def _start_of(visit: Visit, offset: int) -> int:
    """The number of the first character or byte of a text to which a byte of its token belongs."""
    value: Any = visit.obj
    whole = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else bytes(value)
    within = max(0, offset - (len(visit.token) - len(whole)))
    if not isinstance(value, str):
        return within
    while whole[within] & 0xC0 == 0x80:  # within a character
        within -= 1
    return len(whole[:within].decode("utf-8", "surrogatepass"))

"""Action spaces and the canonical bytes that stand for one action of them.

An action travels between peers, is kept in records and is compared by these bytes alone: equal actions have equal
bytes on every host, and every byte string of the right length either decodes to one action of the space or is refused.
This module knows Gymnasium's spaces by their class names and imports neither Gymnasium nor NumPy before a space that
needs them is met. It knows nothing of environments, players or networks.
"""

from __future__ import annotations

import json
import math
import random
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from .errors import ActionError

__all__ = ["PARTNER", "ActionCodec", "action_text", "codec_for"]

#: What stands in the place of a player's encoded action where the simulation's partner policy is to choose it. No encoded
#: action is as short, except those of spaces that hold a single action, of which there is nothing to choose.
PARTNER = b""


class ActionCodec(Protocol):
    """Turns the actions of one space into bytes of one fixed length, and back."""

    @property
    def size(self) -> int:
        """Length of every encoded action, in bytes."""

    def encode(self, action: Any) -> bytes:
        """The canonical bytes of an action; ActionError if it lies outside the space."""

    def decode(self, data: bytes) -> Any:
        """The action that the bytes stand for; ActionError if they stand for none."""

    def neutral(self) -> Any:
        """The action that comes nearest to doing nothing: zero where the space has it, else what is next to it."""

    def draw(self, source: random.Random) -> Any:
        """An action of the space at random: the same from sources in the same state."""


def codec_for(space: Any) -> ActionCodec:
    """The codec of a Gymnasium space: Discrete, MultiDiscrete, MultiBinary, Box, Dict or Tuple, nested at will.

    Raises ActionError for a space whose actions have no fixed length (Text, Sequence, Graph, OneOf).
    """
    for ancestor in type(space).__mro__:
        maker = _MAKERS.get(ancestor.__name__)
        if maker is not None:
            return maker(space)
    raise ActionError(
        f"action space {space!r} of type {type(space).__name__} cannot travel as bytes of a fixed length; "
        "supported are Discrete, MultiDiscrete, MultiBinary, Box, and Dict or Tuple of these"
    )


def action_text(action: Any) -> str:
    """An action as text of a fixed form, for the data: compact JSON, floats in their shortest exact form."""
    return json.dumps(_plain(action), separators=(",", ":"), sort_keys=True)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _integer(value: Any, what: str) -> int:
    """`value` as an int if it is one of any kind (a bool, a NumPy integer, a 0-d integer array), else ActionError."""
    if type(value) is int:
        return value
    try:
        return int(value.__index__())
    except (AttributeError, TypeError):
        raise ActionError(f"{value!r} is not a whole number, as {what} needs") from None


def _width(count: int) -> int:
    """How many bytes hold the numbers 0 .. count-1: 1, 2, 4 or 8."""
    return 1 if count <= 1 << 8 else 2 if count <= 1 << 16 else 4 if count <= 1 << 32 else 8


def _require_length(data: bytes, size: int, what: str) -> None:
    if len(data) != size:
        raise ActionError(f"{what} is {size} bytes long, not {len(data)}")


class _Discrete:
    """`n` whole numbers from `start`: the distance from `start`, little-endian, in as few bytes as `n` needs."""

    def __init__(self, space: Any) -> None:
        self._n = int(space.n)
        self._start = int(getattr(space, "start", 0))
        self.size = _width(self._n)
        # Nearly all spaces are small; a table turns both directions into one look-up in the frame loop.
        few = self._n if self._n <= 256 else 0
        self._bytes = {self._start + i: i.to_bytes(self.size, "little") for i in range(few)}
        self._actions = {data: action for action, data in self._bytes.items()}

    @property
    def table(self) -> Mapping[bytes, int]:
        """Actions by their bytes, where there are few: those that are not in it are for `decode` to judge."""
        return self._actions

    def encode(self, action: Any) -> bytes:
        if type(action) is int and action in self._bytes:
            return self._bytes[action]
        number = _integer(action, "a Discrete space") - self._start
        if not 0 <= number < self._n:
            last = self._start + self._n - 1
            raise ActionError(f"action {action!r} is outside Discrete, which holds {self._start} to {last}")
        return number.to_bytes(self.size, "little")

    def decode(self, data: bytes) -> int:
        action = self._actions.get(data)
        if action is not None:
            return action
        _require_length(data, self.size, "an encoded Discrete action")
        number = int.from_bytes(data, "little")
        if number >= self._n:
            raise ActionError(f"encoded action {number} is outside Discrete of {self._n} actions")
        return self._start + number

    def neutral(self) -> int:
        return _nearest_to_zero(self._start, self._n)

    def draw(self, source: random.Random) -> int:
        return self._start + source.randrange(self._n)


class _MultiDiscrete:
    """An array of whole numbers, each with a count and a start of its own, one after the other in C order."""

    def __init__(self, space: Any) -> None:
        import numpy as np

        self._shape = tuple(int(n) for n in space.nvec.shape)
        self._dtype = np.dtype(space.dtype)
        self._counts = [int(n) for n in space.nvec.reshape(-1)]
        start = getattr(space, "start", None)
        self._starts = [0] * len(self._counts) if start is None else [int(n) for n in start.reshape(-1)]
        self._widths = [_width(n) for n in self._counts]
        self.size = sum(self._widths)

    def encode(self, action: Any) -> bytes:
        values = _flat(action, self._shape, "MultiDiscrete")
        parts = []
        for place, value in enumerate(values):
            number = _integer(value, "a MultiDiscrete space") - self._starts[place]
            if not 0 <= number < self._counts[place]:
                raise ActionError(f"element {place} of action {action!r} is outside its MultiDiscrete space")
            parts.append(number.to_bytes(self._widths[place], "little"))
        return b"".join(parts)

    def decode(self, data: bytes) -> Any:
        _require_length(data, self.size, "an encoded MultiDiscrete action")
        values, at = [], 0
        for place, width in enumerate(self._widths):
            number = int.from_bytes(data[at : at + width], "little")
            if number >= self._counts[place]:
                raise ActionError(f"element {place} of an encoded MultiDiscrete action is {number}, which is too large")
            values.append(number + self._starts[place])
            at += width
        return self._array(values)

    def neutral(self) -> Any:
        return self._array(map(_nearest_to_zero, self._starts, self._counts))

    def draw(self, source: random.Random) -> Any:
        return self._array(start + source.randrange(count) for start, count in zip(self._starts, self._counts, strict=True))

    def _array(self, values: Iterable[int]) -> Any:
        return sys.modules["numpy"].array(list(values), dtype=self._dtype).reshape(self._shape)


class _MultiBinary:
    """An array of zeros and ones, eight to a byte, lowest bit first; unused bits are zero."""

    def __init__(self, space: Any) -> None:
        import numpy as np

        self._shape = tuple(int(n) for n in space.shape)
        self._count = math.prod(self._shape)
        self._dtype = np.dtype(space.dtype)
        self.size = (self._count + 7) // 8

    def encode(self, action: Any) -> bytes:
        bits = 0
        for place, value in enumerate(_flat(action, self._shape, "MultiBinary")):
            bit = _integer(value, "a MultiBinary space")
            if bit not in (0, 1):
                raise ActionError(f"element {place} of action {action!r} is neither 0 nor 1")
            bits |= bit << place
        return bits.to_bytes(self.size, "little")

    def decode(self, data: bytes) -> Any:
        _require_length(data, self.size, "an encoded MultiBinary action")
        bits = int.from_bytes(data, "little")
        if bits >> self._count:
            raise ActionError("an encoded MultiBinary action has bits set beyond its length")
        return self._array(bits)

    def neutral(self) -> Any:
        return self._array(0)

    def draw(self, source: random.Random) -> Any:
        return self._array(source.getrandbits(self._count) if self._count else 0)

    def _array(self, bits: int) -> Any:
        values = [bits >> place & 1 for place in range(self._count)]
        return sys.modules["numpy"].array(values, dtype=self._dtype).reshape(self._shape)


class _Box:
    """An array of numbers between bounds: its elements in C order, little-endian; minus zero is sent as zero."""

    def __init__(self, space: Any) -> None:
        import numpy as np

        self._shape = tuple(int(n) for n in space.shape)
        self._dtype = np.dtype(space.dtype)
        self._wire = self._dtype.newbyteorder("<")
        self._low, self._high = space.low, space.high
        self.size = math.prod(self._shape) * self._dtype.itemsize

    def encode(self, action: Any) -> bytes:
        import numpy as np

        try:
            array = np.asarray(action)
            if array.dtype.kind not in "biuf":
                raise TypeError
        except (TypeError, ValueError):
            raise ActionError(f"{action!r} is not an array of numbers, as a Box space needs") from None
        if array.shape != self._shape:
            raise ActionError(f"action of shape {array.shape} given to a Box of shape {self._shape}")
        with np.errstate(all="ignore"):
            converted = array.astype(self._dtype)
        if self._dtype.kind != "f" and not np.array_equal(converted, array):
            raise ActionError(f"action {action!r} does not fit a Box of {self._dtype.name}")
        self._check(converted, action)
        if self._dtype.kind == "f":
            converted = converted + self._dtype.type(0)
        return converted.astype(self._wire).tobytes()

    def decode(self, data: bytes) -> Any:
        import numpy as np

        _require_length(data, self.size, "an encoded Box action")
        array = np.frombuffer(data, dtype=self._wire).astype(self._dtype).reshape(self._shape)
        self._check(array, array)
        if self._dtype.kind == "f" and (np.signbit(array) & (array == 0)).any():
            raise ActionError("an encoded Box action holds minus zero, which is sent as zero")
        return array

    def neutral(self) -> Any:
        np = sys.modules["numpy"]
        return np.asarray(np.zeros(self._shape, self._dtype).clip(self._low, self._high))

    def draw(self, source: random.Random) -> Any:
        # As Gymnasium draws: evenly between two bounds, with an exponential tail beyond one, normally without any.
        np = sys.modules["numpy"]
        bounds = zip(self._low.reshape(-1).tolist(), self._high.reshape(-1).tolist(), strict=True)
        whole = self._dtype.kind != "f"
        values = [source.randint(low, high) if whole else _between(low, high, source) for low, high in bounds]
        return np.asarray(np.array(values, dtype=self._dtype).reshape(self._shape).clip(self._low, self._high))

    def _check(self, array: Any, action: Any) -> None:
        # A comparison with NaN is false, so NaN is refused here too.
        if not ((array >= self._low) & (array <= self._high)).all():
            raise ActionError(f"action {action!r} is outside its Box (low {self._low}, high {self._high})")


class _Dict:
    """A mapping with the space's own keys: the parts in the space's order of keys."""

    def __init__(self, space: Any) -> None:
        self._codecs = {key: codec_for(part) for key, part in space.spaces.items()}
        self.size = sum(codec.size for codec in self._codecs.values())

    def encode(self, action: Any) -> bytes:
        if not isinstance(action, Mapping) or set(action) != set(self._codecs):
            raise ActionError(f"action {action!r} is not a mapping with the keys {sorted(map(str, self._codecs))}")
        return b"".join(codec.encode(action[key]) for key, codec in self._codecs.items())

    def decode(self, data: bytes) -> dict[Any, Any]:
        _require_length(data, self.size, "an encoded Dict action")
        values, at = {}, 0
        for key, codec in self._codecs.items():
            values[key] = codec.decode(data[at : at + codec.size])
            at += codec.size
        return values

    def neutral(self) -> dict[Any, Any]:
        return {key: codec.neutral() for key, codec in self._codecs.items()}

    def draw(self, source: random.Random) -> dict[Any, Any]:
        return {key: codec.draw(source) for key, codec in self._codecs.items()}


class _Tuple:
    """A tuple: the parts in order."""

    def __init__(self, space: Any) -> None:
        self._codecs = [codec_for(part) for part in space.spaces]
        self.size = sum(codec.size for codec in self._codecs)

    def encode(self, action: Any) -> bytes:
        if not isinstance(action, Sequence) or isinstance(action, str | bytes) or len(action) != len(self._codecs):
            raise ActionError(f"action {action!r} is not a sequence of {len(self._codecs)} parts")
        return b"".join(codec.encode(part) for codec, part in zip(self._codecs, action, strict=True))

    def decode(self, data: bytes) -> tuple[Any, ...]:
        _require_length(data, self.size, "an encoded Tuple action")
        values, at = [], 0
        for codec in self._codecs:
            values.append(codec.decode(data[at : at + codec.size]))
            at += codec.size
        return tuple(values)

    def neutral(self) -> tuple[Any, ...]:
        return tuple(codec.neutral() for codec in self._codecs)

    def draw(self, source: random.Random) -> tuple[Any, ...]:
        return tuple(codec.draw(source) for codec in self._codecs)


class OptionalCodec:
    """An action or none at all: a byte 0 and zeros for none, a byte 1 and the action otherwise.

    Turn-based environments need it: a player who has not decided yet gives no action, and the turn waits.
    """

    optional = True

    def __init__(self, inner: ActionCodec) -> None:
        self._inner = inner
        self._none = bytes(1 + inner.size)
        self.size = 1 + inner.size

    def encode(self, action: Any) -> bytes:
        return self._none if action is None else b"\x01" + self._inner.encode(action)

    def decode(self, data: bytes) -> Any:
        _require_length(data, self.size, "an encoded optional action")
        if data == self._none:
            return None
        if data[0] != 1:
            raise ActionError("an encoded optional action begins with neither 0 nor 1, or carries an action after 0")
        return self._inner.decode(data[1:])

    def neutral(self) -> Any:
        return None

    def draw(self, source: random.Random) -> Any:
        return self._inner.draw(source) if source.random() < 0.5 else None


def _nearest_to_zero(start: int, count: int) -> int:
    """Of `count` whole numbers from `start` on, the one that is nearest to 0."""
    return min(max(0, start), start + count - 1)


def _between(low: float, high: float, source: random.Random) -> float:
    """A number between bounds, either of which may be infinite."""
    if math.isfinite(low) and math.isfinite(high):
        share = source.random()
        return low * (1 - share) + high * share  # their difference may be too large to be a float
    if math.isfinite(low):
        return low + source.expovariate(1.0)
    return high - source.expovariate(1.0) if math.isfinite(high) else source.gauss(0.0, 1.0)


def _flat(action: Any, shape: tuple[int, ...], what: str) -> list[Any]:
    """The elements of an array-like action in C order, after its shape was checked."""
    np = sys.modules["numpy"]
    try:
        array = np.asarray(action)
    except ValueError:
        raise ActionError(f"{action!r} is not an array, as {what} needs") from None
    if array.shape != shape:
        raise ActionError(f"action of shape {array.shape} given to a {what} space of shape {shape}")
    return list(array.reshape(-1).tolist())


_MAKERS: dict[str, Callable[[Any], ActionCodec]] = {
    "Discrete": _Discrete,
    "MultiDiscrete": _MultiDiscrete,
    "MultiBinary": _MultiBinary,
    "Box": _Box,
    "Dict": _Dict,
    "Tuple": _Tuple,
}

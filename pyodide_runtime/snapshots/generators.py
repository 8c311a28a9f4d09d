"""Random generators, captured in their cheapest form: the bytes of their state where they lie in memory.

`random.Random.getstate()` builds 625 numbers, and NumPy's `state` a mapping; most generators are not even drawn from in a frame.
Reading the memory costs a hundredth of that. Where the state lies is not taken on trust: each class of generator is tried out once,
and one that does not pass is captured by its public methods. Nothing here knows of graphs or environments.
"""

from __future__ import annotations

import ctypes
import functools
import random
import struct
import sys
from collections.abc import Callable
from typing import Any

from .contents import Kind

__all__ = ["BitGeneratorKind", "RandomKind", "RandomStateKind"]

_WORDS = 624
_TWISTER = struct.Struct(f"<i{_WORDS}I")  # index and state of a Mersenne twister, as CPython keeps them


def _twister_address(generator: random.Random) -> int:
    # struct { PyObject_HEAD; int index; uint32_t state[624]; }
    return id(generator) + object.__basicsize__


@functools.cache
def _random_is_readable() -> bool:
    """Whether a `random.Random` has its state where it is looked for."""
    if sys.byteorder != "little" or not hasattr(ctypes, "string_at"):
        return False
    for draws in (0, 1, 700):
        trial = random.Random(20)
        for _ in range(draws):
            trial.random()
        words = trial.getstate()[1]
        if ctypes.string_at(_twister_address(trial), _TWISTER.size) != _TWISTER.pack(words[-1], *words[:-1]):
            return False
    return True


def _read_random(generator: random.Random) -> bytes:
    if _random_is_readable():
        return ctypes.string_at(_twister_address(generator), _TWISTER.size)
    words = generator.getstate()[1]
    return _TWISTER.pack(words[-1], *words[:-1])


class RandomKind(Kind):
    """A `random.Random`: its twister, and the half of a pair that `gauss` keeps."""

    def capture(self, obj: Any, before: Any) -> Any:
        now, gauss = _read_random(obj), obj.gauss_next
        if before is not None and now == before[0] and gauss is before[1]:
            return before
        return (now, gauss)

    def restore(self, obj: Any, contents: Any) -> None:
        data, gauss = contents
        if _read_random(obj) != data or obj.gauss_next is not gauss:
            index, *words = _TWISTER.unpack(data)
            obj.setstate((3, (*words, index), gauss))

    def canonical(self, obj: Any, contents: Any) -> Any:
        """A value that equals that of any generator in the same state."""
        return contents


class _Layout:
    """Where a class of NumPy bit generators keeps its state: a number of bytes at an address, or at two."""

    def __init__(self, size: int, behind_pointer: int = 0) -> None:
        self._size = size
        self._behind = behind_pointer
        self._parts: Callable[[Any], list[tuple[int, int]]] = self._two if behind_pointer else self._one

    def _one(self, generator: Any) -> list[tuple[int, int]]:
        return [(generator.ctypes.state_address, self._size)]

    def _two(self, generator: Any) -> list[tuple[int, int]]:
        address = generator.ctypes.state_address
        pointer = ctypes.c_void_p.from_address(address).value or 0
        # Half a draw of 32 bits is kept beside the pointer.
        return [(pointer, self._behind), (address + ctypes.sizeof(ctypes.c_void_p), self._size)]

    def locate(self, generator: Any) -> list[tuple[int, int]]:
        return self._parts(generator)


_LAYOUTS = {"PCG64": _Layout(8, 32), "PCG64DXSM": _Layout(8, 32), "MT19937": _Layout(_WORDS * 4 + 4)}


@functools.cache
def _layout_of(kind: type) -> _Layout | None:
    """The layout of a class of bit generators, if it passes the trial."""
    layout = _LAYOUTS.get(kind.__name__)
    if layout is None or not kind.__module__.startswith("numpy."):
        return None
    np = sys.modules["numpy"]
    trial = kind(7)
    drawn = np.random.Generator(trial)
    drawn.integers(1 << 16, dtype="uint32")
    parts = layout.locate(trial)
    data, state = _read(parts), _freeze(trial.state)
    for _ in range(3):
        drawn.integers(1 << 16, dtype="uint32")
        drawn.random(400)
        if _read(parts) == data:
            return None
    _write(parts, data)
    return layout if _freeze(trial.state) == state else None


def _read(parts: list[tuple[int, int]]) -> bytes:
    if len(parts) == 1:
        return ctypes.string_at(*parts[0])
    return b"".join([ctypes.string_at(address, size) for address, size in parts])


def _write(parts: list[tuple[int, int]], data: bytes) -> None:
    at = 0
    for address, size in parts:
        ctypes.memmove(address, data[at : at + size], size)
        at += size


class BitGeneratorKind(Kind):
    """The bit generator under a NumPy `Generator`."""

    def capture(self, obj: Any, before: Any) -> Any:
        layout = _layout_of(type(obj))
        now = _freeze(obj.state) if layout is None else _read(layout.locate(obj))
        return before if now == before else now

    def restore(self, obj: Any, contents: Any) -> None:
        layout = _layout_of(type(obj))
        if layout is None:
            obj.state = _thaw(contents)
        else:
            _write(layout.locate(obj), contents)

    def canonical(self, obj: Any, contents: Any) -> Any:
        """As for `RandomKind`; memory differs between machines, the public state does not."""
        if not isinstance(contents, bytes):
            return contents
        twin = type(obj)(0)
        self.restore(twin, contents)
        return _freeze(twin.state)


class RandomStateKind(Kind):
    """NumPy's legacy `RandomState`: its bit generator, and the half of a pair that it keeps."""

    def capture(self, obj: Any, before: Any) -> Any:
        generator = obj._bit_generator
        layout = _layout_of(type(generator))
        raw = None if layout is None else _read(layout.locate(generator))
        # Only where half a pair was kept can a draw leave the bit generator as it is.
        if raw is not None and before is not None and raw == before[0] and not before[2]:
            return before
        state = _freeze(obj.get_state(legacy=False))
        half = any(key == "has_gauss" and value for key, value in state)
        return before if before is not None and state == before[1] else (raw, state, half)

    def restore(self, obj: Any, contents: Any) -> None:
        if self.capture(obj, contents) is not contents:
            obj.set_state(_thaw(contents[1]))

    def canonical(self, obj: Any, contents: Any) -> Any:
        """As for `RandomKind`."""
        return contents[1]


def _freeze(value: Any) -> Any:
    """A NumPy generator's state mapping as a value that can be compared."""
    if isinstance(value, dict):
        return tuple((key, _freeze(item)) for key, item in value.items())
    if hasattr(value, "tobytes"):
        return ("\0array", value.dtype.str, value.shape, value.tobytes()) if value.shape else value.item()
    return value


def _thaw(value: Any) -> Any:
    if isinstance(value, tuple):
        if value and value[0] == "\0array":
            return sys.modules["numpy"].frombuffer(value[3], dtype=value[1]).reshape(value[2]).copy()
        return {key: _thaw(item) for key, item in value}
    return value

"""Random generators, captured in their cheapest form: the bytes of their state where they lie in memory.

`random.Random.getstate()` builds 625 numbers, and NumPy's `state` a mapping; most generators are not even drawn
from in a frame. Reading the memory costs a hundredth of that. Where the state lies is not taken on trust: each
class of generator is tried out once, and one that does not pass is captured by its public methods. Nothing here
knows of graphs or environments.
"""

from __future__ import annotations

import ctypes
import functools
import random
import struct
import sys
from collections.abc import Callable
from typing import Any

from ..errors import SnapshotError
from .contents import Kind

__all__ = ["TWISTER_SIZE", "BitGeneratorKind", "Memory", "RandomKind", "RandomStateKind", "SeedSequenceKind"]

_WORDS = 624
_TWISTER = struct.Struct(f"<i{_WORDS}I")  # index and state of a Mersenne twister, as CPython keeps them
#: NumPy keeps its index behind the state.
TWISTER_SIZE = _TWISTER.size


class Memory:
    """Where in memory one generator keeps its state, as addresses and sizes in bytes. Valid as long as the generator lives."""

    __slots__ = ("_views", "places")

    def __init__(self, *places: tuple[int, int]) -> None:
        self.places = places
        self._views = [(ctypes.c_char * size).from_address(address) for address, size in places]

    def read(self) -> bytes:
        """The state's bytes."""
        views = self._views
        return views[0].raw if len(views) == 1 else b"".join([view.raw for view in views])

    def write(self, data: bytes) -> None:
        """Bring a state back that `read` gave."""
        at = 0
        for view in self._views:
            view.raw = data[at : at + len(view)]
            at += len(view)


def _memory_of_random(generator: random.Random) -> Memory:
    # struct { PyObject_HEAD; int index; uint32_t state[624]; }
    return Memory((id(generator) + object.__basicsize__, _TWISTER.size))


def _words_of(generator: random.Random) -> bytes:
    words = generator.getstate()[1]
    return _TWISTER.pack(words[-1], *words[:-1])


@functools.cache
def _random_is_readable() -> bool:
    """Whether a `random.Random` has its state where it is looked for, to be read and written."""
    if sys.byteorder != "little":
        return False
    trial = random.Random(20)
    memory = _memory_of_random(trial)
    data, state = memory.read(), trial.getstate()
    for _ in range(3):
        if memory.read() != _words_of(trial):
            return False
        trial.random()
        trial.randbytes(1200)
    memory.write(data)
    return trial.getstate() == state


class RandomKind(Kind):
    """A `random.Random`: its twister, and the half of a pair that `gauss` keeps. Contents: twister, half, memory."""

    def capture(self, obj: Any, before: Any) -> Any:
        gauss = obj.gauss_next
        if before is None:
            memory = _memory_of_random(obj) if _random_is_readable() else None
        else:
            memory = before[2]
        now = _words_of(obj) if memory is None else memory.read()
        if before is not None and now == before[0] and gauss is before[1]:
            return before
        return (now, gauss, memory)

    def restore(self, obj: Any, contents: Any) -> None:
        data, gauss, memory = contents
        if memory is not None:
            memory.write(data)
            obj.gauss_next = gauss
        elif self.capture(obj, contents) is not contents:
            index, *words = _TWISTER.unpack(data)
            obj.setstate((3, (*words, index), gauss))

    def canonical(self, obj: Any, contents: Any) -> Any:
        """A value that equals that of any generator in the same state."""
        return contents[:2]


def _memory_of_pcg(generator: Any) -> Memory:
    # struct { pcg64_random_t *state; int has_uint32; uint32_t uinteger; }, and 32 bytes behind the pointer
    address = generator.ctypes.state_address
    pointer = ctypes.c_void_p.from_address(address).value or 0
    return Memory((pointer, 32), (address + ctypes.sizeof(ctypes.c_void_p), 8))


def _memory_of_twister(generator: Any) -> Memory:
    # struct { uint32_t key[624]; int pos; }
    return Memory((generator.ctypes.state_address, _WORDS * 4 + 4))


_MEMORIES: dict[str, Callable[[Any], Memory]] = {
    "PCG64": _memory_of_pcg,
    "PCG64DXSM": _memory_of_pcg,
    "MT19937": _memory_of_twister,
}


@functools.cache
def _memory_reader(kind: type) -> Callable[[Any], Memory] | None:
    """How to find the memory of a class of bit generators, if that passes a trial."""
    find = _MEMORIES.get(kind.__name__)
    if find is None or not getattr(kind, "__module__", "").startswith("numpy."):
        return None
    np = sys.modules["numpy"]
    trial = kind(7)
    drawn = np.random.Generator(trial)
    drawn.integers(1 << 16, dtype="uint32")
    memory = find(trial)
    data, state = memory.read(), _freeze(trial.state)
    for _ in range(3):
        drawn.integers(1 << 16, dtype="uint32")
        drawn.random(400)
        if memory.read() == data:
            return None
    memory.write(data)
    return find if _freeze(trial.state) == state else None


class BitGeneratorKind(Kind):
    """The bit generator under a NumPy `Generator`.

    Contents: its memory's bytes and the memory, or its state and None.
    """

    def capture(self, obj: Any, before: Any) -> Any:
        if before is None:
            kind: Any = type(obj)
            find = _memory_reader(kind)
            memory = None if find is None else find(obj)
        else:
            memory = before[1]
        now = _freeze(obj.state) if memory is None else memory.read()
        return before if before is not None and now == before[0] else (now, memory)

    def restore(self, obj: Any, contents: Any) -> None:
        data, memory = contents
        if memory is None:
            obj.state = _thaw(data)
        else:
            memory.write(data)

    def canonical(self, obj: Any, contents: Any) -> Any:
        """As for `RandomKind`; memory differs between machines, the public state does not."""
        data, memory = contents
        if memory is None:
            return data
        twin = type(obj)(0)
        _, own = self.capture(twin, None)
        own.write(data)
        return _freeze(twin.state)


class RandomStateKind(Kind):
    """NumPy's legacy `RandomState`: its bit generator, and the half of a pair that it keeps.

    Contents: the bit generator's contents, the public state, and whether it holds half a pair.
    """

    def capture(self, obj: Any, before: Any) -> Any:
        generator = _BIT_GENERATOR.capture(obj._bit_generator, None if before is None else before[0])
        # Only where half a pair was kept can a draw leave the bit generator as it is.
        if before is not None and generator is before[0] and not before[2]:
            return before
        state = _freeze(obj.get_state(legacy=False))
        if before is not None and state == before[1]:
            return before
        return (generator, state, any(key == "has_gauss" and value for key, value in state))

    def restore(self, obj: Any, contents: Any) -> None:
        if not self.holds(obj, contents):
            obj.set_state(_thaw(contents[1]))

    def holds(self, obj: Any, contents: Any) -> bool:
        """As for `Kind`. Before the draw that used up half a pair the bit generator was as it was after it."""
        return bool(_freeze(obj.get_state(legacy=False)) == contents[1])

    def canonical(self, obj: Any, contents: Any) -> Any:
        """As for `RandomKind`."""
        return contents[1]


class SeedSequenceKind(Kind):
    """Where a generator's seed came from: it counts the children that were spawned, and so says what the next will draw."""

    def capture(self, obj: Any, before: Any) -> Any:
        now = obj.n_children_spawned
        return before if before == now else now

    def restore(self, obj: Any, contents: Any) -> None:
        if obj.n_children_spawned != contents:
            _set_children(obj, contents)
            if obj.n_children_spawned != contents:
                raise SnapshotError("this NumPy does not let the children of a SeedSequence be forgotten; spawn none in a step")


def _set_children(sequence: Any, count: int) -> None:
    # It can be set only together with everything else, as when it is unpickled; its place is where a trial shows it.
    trial = type(sequence)(0)
    before = trial.__reduce__()[2]
    trial.spawn(1)
    state = list(sequence.__reduce__()[2])
    for place, (old, new) in enumerate(zip(before, trial.__reduce__()[2], strict=True)):
        if type(old) is int and (old, new) == (0, 1):
            state[place] = count
    sequence.__setstate__(tuple(state))


_BIT_GENERATOR = BitGeneratorKind()


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

"""Where an object keeps what it holds in memory, so that many objects can be asked together whether they have changed.

Most objects stay as they are from one frame to the next, and to ask each of them takes longer than a step. What tells
whether one has changed is a handful of *words*: the pointers of a list, the keys and values of a mapping, the elements
of a small array. Most of them lie behind a pointer of the object's own; they stay where they are only as long as that
pointer does (a *guard*), and the *head* of what lies there, which says how it is laid out (in a mapping, with the keys). What
is long and lies in one piece is a *stretch*.

Nothing of this is taken on trust: only known versions of CPython are looked into, what is found there is compared with
what the object says when it is first looked at, and what does not agree has no places, and is asked itself every time.
This module knows nothing of graphs or environments.
"""

from __future__ import annotations

import ctypes
import functools
import itertools
import random
import struct
import sys
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from .contents import ARRAY, CELL, DICT, LIST, MISSING, SET, Kind, SlotsKind
from .generators import TWISTER_SIZE, BitGeneratorKind, Memory, RandomKind, RandomStateKind, SeedSequenceKind

__all__ = ["WORD", "Places", "places_of"]

#: The size of a word, in bytes, and of what every object begins with.
WORD, _HEAD = ctypes.sizeof(ctypes.c_size_t), object.__basicsize__
#: What is longer than this, in bytes, is a stretch.
_LONG = 256
_KNOWN = (
    sys.implementation.name == "cpython"
    and (3, 11) <= sys.version_info[:2] <= (3, 14)
    and "t" not in sys.abiflags  # without the interpreter lock objects are laid out otherwise
)
#: From this version on attributes that share their keys lie behind a head that counts them, and not before it.
_HEADED = sys.version_info >= (3, 13)


class Places(NamedTuple):
    """Where one object keeps what it holds.

    Attributes:
        guards: addresses of words that are there as long as the object lives.
        heads: addresses of words that are there as long as the guards do not change.
        words: addresses of words that are there as long as guards and heads do not change.
        stretches: buffers that are valid as long.
        within: what must be kept alive besides the object itself.
        slots: of a mapping or a list the addresses of the words that are its values or items, in order.
    """

    guards: Sequence[int] = ()
    heads: Sequence[int] = ()
    words: Sequence[int] = ()
    stretches: Sequence[Any] = ()
    within: Any = None
    slots: Sequence[int] = ()


def places_of(obj: Any, kind: Kind, contents: Any) -> Places | None:
    """The places that tell whether an object still holds `contents`; None if there are none to go by.

    Args:
        contents: what `kind` captures of the object now.
    """
    find = _FINDERS.get(type(kind)) if _KNOWN else None
    return None if find is None else find(obj, contents)


def _words(address: int, count: int) -> list[int]:
    return list(range(address, address + count * WORD, WORD))


def _read(address: int, count: int) -> list[int]:
    return list((ctypes.c_size_t * count).from_address(address)) if count else []


def _within(obj: Any) -> tuple[int, int]:
    """Address and number of the words that every object of its type has."""
    return id(obj) + _HEAD, (type(obj).__basicsize__ - _HEAD) // WORD


# -- mappings and lists ------------------------------------------------------------------------------------------------


class _Dict(ctypes.Structure):
    """PyDictObject, behind its head (Include/cpython/dictobject.h)."""

    _fields_ = (("used", ctypes.c_ssize_t), ("tag", ctypes.c_uint64), ("keys", ctypes.c_void_p), ("values", ctypes.c_void_p))


class _Keys(ctypes.Structure):
    """PyDictKeysObject, up to its indices (Include/internal/pycore_dict.h)."""

    _fields_ = (
        ("references", ctypes.c_ssize_t),
        ("log2_size", ctypes.c_uint8),
        ("log2_index_bytes", ctypes.c_uint8),
        ("kind", ctypes.c_uint8),
        ("version", ctypes.c_uint32),
        ("usable", ctypes.c_ssize_t),
        ("count", ctypes.c_ssize_t),
    )


def _of_mapping(obj: Any, contents: Any) -> Places | None:
    if isinstance(obj, OrderedDict):  # keeps its order elsewhere
        return None
    own = id(obj) + _HEAD
    fields = _Dict.from_address(own)
    if fields.used != len(contents):
        return None
    find = _of_table if not fields.values else _of_shared_values if _HEADED else _of_shared_values_before_3_13
    places = find(fields, contents)
    # A mapping with a table of its own never gets shared keys. How much is used is told by what lies there, too.
    guards = [own + _Dict.keys.offset, *([own + _Dict.values.offset] if fields.values else [])]
    return None if places is None else places._replace(guards=guards)


def _of_table(fields: Any, contents: Any) -> Places | None:
    """A mapping that has its keys and values in a table of its own."""
    keys = _Keys.from_address(fields.keys)
    if keys.kind > 1:
        return None
    width = 3 if keys.kind == 0 else 2  # with the keys' hashes, or without
    at = fields.keys + ctypes.sizeof(_Keys) + (1 << keys.log2_index_bytes)
    table = _read(at, keys.count * width)
    every = _words(at, keys.count * width)
    found = [*zip(table[width - 2 :: width], table[width - 1 :: width], every[width - 1 :: width], strict=True)]
    filled = [(key, value, slot) for key, value, slot in found if value]
    if [(key, value) for key, value, _ in filled] != [(id(key), id(value)) for key, value in contents.items()]:
        return None
    # A table that grew and shrank again may lie where it lay, and be laid out otherwise.
    head = (fields.keys + _Keys.log2_size.offset) // WORD * WORD
    heads = [head, fields.keys + _Keys.count.offset, *every[width - 2 :: width]]
    return Places(heads=heads, words=every[width - 1 :: width], slots=[slot for _, _, slot in filled])


def _of_shared_values(fields: Any, contents: Any) -> Places | None:
    """Attributes that share their keys with those of other objects, behind a head of four bytes.

    The head says for how many values there is room, how many there are, whether they lie within the object, and then whether they
    still do; behind the values there is a byte for each that tells its place.
    """
    room, count, embedded, valid = (ctypes.c_uint8 * 4).from_address(fields.values)
    slots, order = fields.values + WORD, fields.values + WORD + room * WORD
    places = list((ctypes.c_uint8 * count).from_address(order)) if count else []
    if (embedded and not valid) or count > room or not _are_values(slots, places, contents):
        return None
    values = [slots + place * WORD for place in places]
    return Places(heads=[fields.values, *_words(order, -(-count // WORD))], words=values, slots=values)


def _of_shared_values_before_3_13(fields: Any, contents: Any) -> Places | None:
    """The same, where all that comes before the values: the size of what does, how many there are, and their places, backwards."""
    size, count = reversed((ctypes.c_uint8 * 2).from_address(fields.values - 2))
    if size % WORD or count + 2 > size:
        return None
    places = list(reversed((ctypes.c_uint8 * count).from_address(fields.values - 2 - count))) if count else []
    if not _are_values(fields.values, places, contents):
        return None
    heads = _words(fields.values - size, size // WORD)
    values = [fields.values + place * WORD for place in places]
    return Places(heads=heads, words=values, slots=values)


def _are_values(slots: int, places: list[int], contents: Any) -> bool:
    return [_read(slots + place * WORD, 1)[0] for place in places] == [id(value) for value in contents.values()]


def _of_list(obj: Any, contents: Any) -> Places | None:
    own = id(obj) + _HEAD  # Py_ssize_t ob_size; PyObject **ob_item
    size, items = _read(own, 2)
    if size != len(contents) or _read(items, size) != list(map(id, contents)):
        return None
    values = _words(items, size)
    return Places(guards=_words(own, 2), words=values, slots=values)


class _Set(ctypes.Structure):
    """PySetObject, behind its head (Include/cpython/setobject.h)."""

    _fields_ = (
        ("fill", ctypes.c_ssize_t),
        ("used", ctypes.c_ssize_t),
        ("mask", ctypes.c_ssize_t),
        ("table", ctypes.c_void_p),
        ("hash", ctypes.c_ssize_t),
        ("finger", ctypes.c_ssize_t),
    )


def _of_set(obj: Any, contents: Any) -> Places | None:
    """A set as its capture has left it. All that may change its order has changed where that begins to be another: it is captured
    by being rebuilt, after which it is to be watched as it is then."""
    own = id(obj) + _HEAD
    fields = _Set.from_address(own)
    if not fields.fill == fields.used == len(contents) or fields.table is None:
        return None
    slots = fields.mask + 1  # each with an element and its hash
    table = _read(fields.table, 2 * slots)
    if [key for key in table[::2] if key] != [*map(id, set.__iter__(obj))]:
        return None
    names = ("fill", "used", "mask", "table", "finger")
    return Places([own + getattr(_Set, name).offset for name in names], _words(fields.table, 2 * slots))


# -- what lies within the object ---------------------------------------------------------------------------------------


def _of_cell(obj: Any, contents: Any) -> Places | None:
    own = id(obj) + _HEAD  # PyObject *ob_ref
    return Places(words=[own]) if not CELL.parts(contents) or _read(own, 1) == [id(contents[0])] else None


def _of_slots(obj: Any, contents: Any) -> Places | None:
    within = _within(obj)
    set_ones = {id(value) for value in contents if value is not MISSING}
    return Places(words=_words(*within)) if set_ones.issubset(_read(*within)) else None


# -- arrays ------------------------------------------------------------------------------------------------------------

#: PyArrayObject, behind its head: char *data; int nd; npy_intp *dimensions, *strides; PyObject *base, *descr; int flags.
#: (struct PyArrayObject_fields in NumPy's ndarraytypes.h)
_FIELDS = struct.Struct("@PiPPPPi")


def _of_array(obj: Any, contents: Any) -> Places | None:
    if not _arrays_are_readable() or not obj.flags.forc:
        return None
    own = id(obj) + _HEAD
    data, count, dimensions, *_ = _FIELDS.unpack(ctypes.string_at(own, _FIELDS.size))
    if obj.flags.c_contiguous and ctypes.string_at(data, obj.nbytes) != contents[1]:
        return None
    words, stretches = _of_bytes(data, obj.nbytes)
    # Where its data are, how many dimensions there are and where, and the flags: all else stays as it is, or goes with these.
    guards = [own + place * WORD for place in (0, 1, 2, 6)]
    return Places(guards, _words(dimensions, count), words, stretches)


def _of_bytes(address: int, size: int) -> tuple[list[int], list[Any]]:
    """Few bytes as words: what is read beyond them in the last one can but make a change seem where there is none."""
    if size <= _LONG and address % WORD == 0:
        return _words(address, -(-size // WORD)), []
    return [], [(ctypes.c_char * size).from_address(address)]


@functools.cache
def _arrays_are_readable() -> bool:
    np = sys.modules["numpy"]
    whole = np.arange(24.0).reshape(2, 3, 4)
    return all(map(_is_as_expected, (whole, whole[1:, ::2], np.zeros(()), np.zeros((5, 0), dtype="i1"), np.asfortranarray(whole))))


def _is_as_expected(array: Any) -> bool:
    fields = (ctypes.c_char * _FIELDS.size).from_address(id(array) + _HEAD)
    data, count, dimensions, strides, base, dtype, flags = _FIELDS.unpack(fields.raw)
    if count != array.ndim or data != array.ctypes.data or dtype != id(array.dtype):
        return False
    if base != (0 if array.base is None else id(array.base)):
        return False
    if count and (tuple(_read(dimensions, count)) != array.shape or tuple(_signed(strides, count)) != array.strides):
        return False
    array.setflags(write=False)
    locked = _FIELDS.unpack(fields.raw)[-1]
    array.setflags(write=True)
    return bool(locked != flags and _FIELDS.unpack(fields.raw)[-1] == flags)


def _signed(address: int, count: int) -> list[int]:
    return list((ctypes.c_ssize_t * count).from_address(address))


# -- generators --------------------------------------------------------------------------------------------------------


def _of_memory(memory: Memory | None) -> Places | None:
    if memory is None:
        return None
    words: list[int] = []
    stretches: list[Any] = []
    for address, size in memory.places:
        more, long = (_of_twister(address), []) if size == TWISTER_SIZE and address % WORD == 0 else _of_bytes(address, size)
        words += more
        stretches += long
    return Places(words=words, stretches=stretches)


def _of_twister(address: int) -> list[int]:
    """The words that tell whether a Mersenne twister was drawn from or seeded: some of all.

    Its index, which comes first or last, changes with every draw. After 624 it is what it was, but then all other words are new
    ones, and the probability that eight of them are by chance what they were is 2 ** -256.
    """
    last = (TWISTER_SIZE - 1) // WORD
    return [address + last * part // 9 * WORD for part in range(10)]


def _of_random(obj: random.Random, contents: Any) -> Places | None:
    attributes = vars(obj)  # one of them is the half
    twister, half = _of_memory(contents[2]), _of_mapping(attributes, dict(attributes))
    if twister is None or half is None:
        return None
    return half._replace(words=[*half.words, *twister.words], stretches=twister.stretches, within=attributes)


def _of_bit_generator(obj: Any, contents: Any) -> Places | None:
    return _of_memory(contents[1])


def _of_random_state(obj: Any, contents: Any) -> Places | None:
    kind: Any = type(obj)
    generator, changes = _of_memory(contents[0][1]), _changes_within(kind, _draw_half)
    if generator is None or not changes:
        return None
    own = _words(*_within(obj))
    return Places(words=[*[own[place] for place in changes], *generator.words], stretches=generator.stretches)


def _of_seed_sequence(obj: Any, contents: Any) -> Places | None:
    kind: Any = type(obj)
    own, changes = _words(*_within(obj)), _changes_within(kind, _spawn)
    return Places(words=[own[place] for place in changes]) if changes else None


def _draw_half(state: Any) -> None:
    state.standard_normal()


def _spawn(sequence: Any) -> None:
    sequence.spawn(1)


@functools.cache
def _changes_within(kind: Any, change: Callable[[Any], None]) -> Sequence[int]:
    """Which words within an object of this type tell that something was done to it. None, if they did not each of four times."""
    trial = kind(7)
    seen = [_read(*_within(trial))]
    for _ in range(4):
        change(trial)
        seen.append(_read(*_within(trial)))
    changes = [{place for place, now in enumerate(after) if now != before[place]} for before, after in itertools.pairwise(seen)]
    return sorted(set().union(*changes)) if all(changes) else ()


_FINDERS: dict[type[Kind], Callable[[Any, Any], Places | None]] = {
    type(DICT): _of_mapping,
    type(LIST): _of_list,
    type(SET): _of_set,
    type(CELL): _of_cell,
    type(ARRAY): _of_array,
    SlotsKind: _of_slots,
    RandomKind: _of_random,
    BitGeneratorKind: _of_bit_generator,
    RandomStateKind: _of_random_state,
    SeedSequenceKind: _of_seed_sequence,
}

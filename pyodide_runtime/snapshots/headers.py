"""Where NumPy keeps the shape and the flags of an array, so that those of many arrays can be compared together.

To ask an array for its shape and whether it may be written to takes longer than to compare all its elements. The
place in memory is not taken on trust: it is tried out once, and arrays are asked where it is not as expected. Nothing
here knows of graphs or environments.
"""

from __future__ import annotations

import ctypes
import functools
import struct
import sys
from typing import Any

__all__ = ["header_of"]

#: Behind the object's head: char *data; int nd; npy_intp *dimensions, *strides; PyObject *base, *descr; int flags.
#: (struct PyArrayObject_fields in NumPy's ndarraytypes.h)
_FIELDS = struct.Struct("@PiPPPPi")


def header_of(array: Any) -> tuple[Any, Any] | None:
    """Two buffers over an array's memory: its fields, and its dimensions. None if they are not where they should be.

    The second is valid only as long as the bytes of the first are what they were.
    """
    return _read(array) if _is_readable() else None


def _read(array: Any) -> tuple[Any, Any]:
    fields = (ctypes.c_char * _FIELDS.size).from_address(id(array) + object.__basicsize__)
    dimensions = _FIELDS.unpack(bytes(fields.raw))[2]
    size = array.ndim * ctypes.sizeof(ctypes.c_ssize_t)
    return fields, (ctypes.c_char * size).from_address(dimensions) if size else b""


@functools.cache
def _is_readable() -> bool:
    np = sys.modules["numpy"]
    whole = np.arange(24.0).reshape(2, 3, 4)
    return all(map(_is_as_expected, (whole, whole[1:, ::2], np.zeros(()), np.zeros((5, 0), dtype="i1"), np.asfortranarray(whole))))


def _is_as_expected(array: Any) -> bool:
    fields = (ctypes.c_char * _FIELDS.size).from_address(id(array) + object.__basicsize__)
    data, count, dimensions, strides, base, dtype, flags = _FIELDS.unpack(fields.raw)
    if count != array.ndim or data != array.ctypes.data or dtype != id(array.dtype):
        return False
    if base != (0 if array.base is None else id(array.base)):
        return False
    if count and (_numbers(dimensions, count) != array.shape or _numbers(strides, count) != array.strides):
        return False
    array.setflags(write=False)
    locked = _FIELDS.unpack(fields.raw)[-1]
    array.setflags(write=True)
    return bool(locked != flags and _FIELDS.unpack(fields.raw)[-1] == flags)


def _numbers(address: int, count: int) -> tuple[int, ...]:
    return tuple((ctypes.c_ssize_t * count).from_address(address))

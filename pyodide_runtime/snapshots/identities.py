"""Whether two lists hold the very same objects: their pointers compared as bytes, where they lie in memory.

To compare hundreds of references one by one, by identity, takes longer than to gather them. Where a list keeps its
pointers is not taken on trust: it is tried out once, and where it is not as expected they are compared one by one.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable
from operator import is_
from typing import Any

__all__ = ["comparison"]

#: PyListObject: the object's head, its size, and then the pointer to its items.
_ITEMS = object.__basicsize__ + ctypes.sizeof(ctypes.c_ssize_t)


def comparison(expected: list[Any]) -> Callable[[list[Any]], bool]:
    """A function that tells whether a list of the same length holds the very objects that `expected` holds by then.

    `expected` must keep its length.
    """
    if not expected or not _is_readable():
        return lambda values: all(map(is_, values, expected))
    view_at, pointer_at = (ctypes.c_char * (len(expected) * ctypes.sizeof(ctypes.c_void_p))).from_address, _pointer_at
    own = view_at(pointer_at(id(expected) + _ITEMS).value)
    return lambda values: bool(view_at(pointer_at(id(values) + _ITEMS).value).raw == own.raw)


_pointer_at: Callable[[int], Any] = ctypes.c_void_p.from_address


@functools.cache
def _is_readable() -> bool:
    for trial in ([object()], [object() for _ in range(700)], [*map(float, range(20))]):
        identities = (ctypes.c_size_t * len(trial)).from_address(_pointer_at(id(trial) + _ITEMS).value)
        if list(identities) != list(map(id, trial)):
            return False
    return True

"""How many bytes of the heap are in use, as the C library itself counts them.

Pyodide's Python has no allocator of its own for small objects: everything, buffers of arrays included, comes from the C library's
`malloc`, whose count is exact and costs nothing to what runs in between, which a tracer would slow down and change.
"""

from __future__ import annotations

import ctypes
import gc

__all__ = ["in_use"]


class _Mallinfo(ctypes.Structure):
    """`struct mallinfo` of Emscripten's C library: sizes in bytes."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost")
    ]


def in_use() -> int:
    """Bytes in use, overhead of the allocator included, after everything was collected that nobody refers to.

    Raises:
        ValueError: this Python keeps small objects elsewhere, so that they would not be counted.
    """
    gc.collect()
    before = _given_out()
    small = [bytes(100) for _ in range(1000)]
    grown = _given_out() - before
    del small
    if grown < 100_000:
        raise ValueError(f"a thousand objects of 100 bytes took {grown} bytes of the C library's heap: this Python has another one")
    return before


def _given_out() -> int:
    """Bytes that the C library has given out."""
    mallinfo = ctypes.CDLL(None).mallinfo
    mallinfo.restype = _Mallinfo
    return int(mallinfo().uordblks)

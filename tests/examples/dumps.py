"""Everything that an object reaches, as one text, so that two states can be compared to the last bit.

Floats are written in hexadecimal, dictionaries in their own order, generators by their state, functions with
what their closures hold. Objects are numbered as they are met, so that equal texts mean equal sharing too.
"""

from __future__ import annotations

import random
import types
from collections import deque
from typing import Any

import numpy as np


def dump(thing: Any) -> str:
    """The whole graph that begins at an object."""
    lines: list[str] = []
    numbers: dict[int, int] = {}
    kept: list[Any] = []  # so that no id is given twice

    def visit(value: Any, path: str) -> None:
        if value is None or isinstance(value, (bool, int, str, bytes)):
            lines.append(f"{path} = {type(value).__name__} {value!r}")
        elif isinstance(value, float):
            lines.append(f"{path} = {type(value).__name__} {float(value).hex()}")
        elif isinstance(value, np.generic):
            lines.append(f"{path} = {value.dtype} {value.tobytes().hex()}")
        elif isinstance(value, (type, types.ModuleType, types.BuiltinFunctionType, np.dtype, np.ufunc)):
            lines.append(f"{path} = {getattr(value, '__name__', value)}")
        elif id(value) in numbers:
            lines.append(f"{path} = object {numbers[id(value)]}")
        else:
            numbers[id(value)] = len(numbers)
            kept.append(value)
            lines.append(f"{path} = {type(value).__name__}")
            for name, part in _parts(value):
                visit(part, f"{path}{name}")

    visit(thing, "")
    return "\n".join(lines)


def _parts(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, np.ndarray):
        if value.dtype == object:
            return [(f"[{place}]", item) for place, item in enumerate(value.ravel().tolist())]
        return [(".array", f"{value.dtype} {value.shape} {value.tobytes().hex()}")]
    if isinstance(value, random.Random):
        return [(".state", repr(value.getstate()))]
    if isinstance(value, np.random.Generator):
        return [(".state", repr(value.bit_generator.state))]
    if isinstance(value, (set, frozenset)):
        return [(".set", repr(sorted(map(repr, value))))]
    parts: list[tuple[str, Any]] = []
    if isinstance(value, dict):
        parts += [(f"[{key!r}]", item) for key, item in value.items()]
    elif isinstance(value, (list, tuple, deque)):
        parts += [(f"[{place}]", item) for place, item in enumerate(value)]
    elif isinstance(value, types.FunctionType):
        cells = zip(value.__code__.co_freevars, value.__closure__ or (), strict=True)
        parts += [(".name", value.__qualname__), *((f".{name}", cell.cell_contents) for name, cell in cells)]
    elif isinstance(value, types.MethodType):
        parts += [(".self", value.__self__), (".function", value.__func__)]
    for kind in type(value).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name not in ("__dict__", "__weakref__") and hasattr(value, name):
                parts.append((f".{name}", getattr(value, name)))
    parts += [(f".{name}", item) for name, item in getattr(value, "__dict__", {}).items()]
    return parts

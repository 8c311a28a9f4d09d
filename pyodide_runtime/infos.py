"""What is kept of an environment's infos: numbers and strings, which become cells of a row. It knows nothing of rows or frames."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["NOTHING", "Scalar", "kept_of"]

Scalar = int | float | str | bool

#: What is kept where there is nothing.
NOTHING: Mapping[str, Scalar] = {}
#: Types of infos that are kept as they are: they cannot change later, and become cells of a row.
_PLAIN = {bool, int, float, str}


def kept_of(info: Mapping[Any, Any]) -> Mapping[str, Scalar]:
    """The numbers and strings of an info mapping, by dotted name; everything else is left out."""
    if _PLAIN.issuperset(map(type, info.values())) and {str}.issuperset(map(type, info)):
        return dict(info)
    return _scalars(info, "")


def _scalars(info: Mapping[Any, Any], prefix: str) -> dict[str, Scalar]:
    found: dict[str, Scalar] = {}
    for key, value in info.items():
        name = f"{prefix}{key}"
        if isinstance(value, bool | int | float | str):
            found[name] = value
        elif isinstance(value, Mapping):
            found.update(_scalars(value, f"{name}."))
        elif hasattr(value, "item") and getattr(value, "shape", None) == ():
            plain = value.item()
            if isinstance(plain, bool | int | float | str):
                found[name] = plain
    return found

"""The terms of a match: what must be equal on every host, as canonical bytes, and which of them differs first.

Knows nothing of what the terms mean, nor of who sends them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

__all__ = ["encode_terms", "first_difference"]

#: Values are shown up to so many characters.
SHOWN = 120


def encode_terms(terms: Mapping[str, Any]) -> bytes:
    """Terms as JSON, in the order in which differences are to be named."""
    return json.dumps(terms, separators=(",", ":")).encode()


def first_difference(ours: bytes, theirs: bytes) -> str | None:
    """The first of the terms that differs, for people, in the order of ours; None if none does.

    Args:
        ours: as `encode_terms` made them.
        theirs: whatever came.
    """
    if ours == theirs:
        return None
    try:
        other = json.loads(theirs)
        if not isinstance(other, dict):
            raise ValueError("not an object")
        return _difference(json.loads(ours), other, "") or "they are written in another way"
    except (ValueError, RecursionError):
        return "they cannot be read"


def _difference(own: dict[str, Any], other: dict[str, Any], within: str) -> str | None:
    for key in [*own, *(key for key in other if key not in own)]:
        # The key may be a stranger's; whatever it is, it shall be text that can be shown and sent.
        name = within + key.encode("ascii", "backslashreplace").decode()
        if key not in own or key not in other:
            side = "here" if key in own else "there"
            return f"{_short(name)} is among the terms {side} only"
        mine, its = own[key], other[key]
        if isinstance(mine, dict) and isinstance(its, dict):
            deeper = _difference(mine, its, f"{name}.")
            if deeper is not None:
                return deeper
        elif json.dumps(mine) != json.dumps(its):
            return f"{_short(name)} is {_short(json.dumps(mine))} here and {_short(json.dumps(its))} there"
    return None


def _short(text: str) -> str:
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."

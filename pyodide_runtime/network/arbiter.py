"""Which of two halves of a match goes on, where neither can be the larger: the one that appeals first.

Hosts that lose each other go on where most of them are left. Two that lose each other are one and one, and neither knows whether
the other lives; only a third party can see to it that one of them alone goes on. The server is that: whom it lets go on,
it tells the other, if it asks at all, that it does not. It decides on nothing but who asked before.

It knows no transport, and nothing of inputs or frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .membership import LAST_INCARNATION

__all__ = ["Arbiter", "are_incarnations"]


def are_incarnations(value: Any) -> bool:
    """Whether something from outside is a list of pairs of a host's number and an incarnation."""
    return isinstance(value, list) and all(
        isinstance(pair, list)
        and len(pair) == 2
        and all(type(number) is int for number in pair)
        and pair[0] >= 0
        and 0 <= pair[1] <= LAST_INCARNATION
        for pair in value
    )


class Arbiter:
    """The verdicts of one match."""

    def __init__(self) -> None:
        self._given_up: dict[int, int] = {}

    def appeal(self, host: int, incarnation: int, gone: Sequence[tuple[int, int]]) -> bool:
        """Whether a host may go on without others. The answer to the same question is always the same.

        Args:
            host, incarnation: who asks.
            gone: hosts and their incarnations, whom it, and all that are left with it, lost.
        """
        if self._given_up.get(host, -1) >= incarnation:
            return False
        for other, number in gone:
            self._given_up[other] = max(self._given_up.get(other, -1), number)
        return True

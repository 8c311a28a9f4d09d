"""A play of any kind: a coroutine function of the house, with a name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from e2e.house import House


@dataclass(frozen=True)
class Visit:
    """What a test does to pages by itself; what `make` returns is what came of it."""

    make: Callable[[House], Awaitable[Any]]

    async def play(self, house: House) -> Any:
        """Do it."""
        return await self.make(house)

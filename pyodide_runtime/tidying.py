"""When garbage is collected while somebody plays: between two frames, where it fits, and not within one.

Python collects when enough objects have been made, which is in the middle of a frame, and looks through all that was ever
loaded: on the machine this was developed on, 13 to 21 ms at a time. Here everything that is loaded is set aside once (`gc.freeze`),
for it stays anyway, and Python no longer begins by itself. What is left is looked through, by a rule that knows only times:

- about once a second, in a moment in which nothing was to be said and the next thing to do is so far away that what the last
  collection took fits twice;
- where there is no such moment for a quarter of a minute, or where very many objects wait, at once. So nothing grows.

It knows nothing of matches. Only what is in cycles waits for it: nearly all objects go the moment that nobody refers to them.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

__all__ = ["Tidying"]

#: How long a collection has to wait at the least, and how long until it no longer looks for a good moment, in ms.
EVERY_MS, LATEST_MS = 1000.0, 15_000.0
#: So many objects that may be garbage are collected at once.
MOST_WAITING = 50_000
#: What the first collection is expected to take, and the least that any is, in ms.
EXPECTED_MS = 1.0


class Tidying:
    """The collections of one process.

    Args:
        clock: the time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._at_ms: float | None = None
        self._takes_ms = EXPECTED_MS

    def settle(self) -> None:
        """All that is there stays there: it is set aside, and from now on garbage is collected in `look` only."""
        gc.collect()
        gc.freeze()
        gc.disable()

    def release(self) -> None:
        """As Python does it."""
        gc.unfreeze()
        gc.enable()

    def look(self, now_ms: float, free_ms: float) -> bool:
        """Collect, if this is the moment; whether it was.

        Args:
            now_ms: the time.
            free_ms: for how long from now on nothing else is to be done, as far as is known; 0 in the middle of something.
        """
        if self._at_ms is None:
            self._at_ms = now_ms
        waited = now_ms - self._at_ms
        fits = waited >= EVERY_MS and free_ms >= 2 * self._takes_ms
        if not fits and waited < LATEST_MS and gc.get_count()[0] < MOST_WAITING:
            return False
        began = self._clock()
        gc.collect()
        self._takes_ms = max(EXPECTED_MS, (self._clock() - began) * 1000)
        self._at_ms = now_ms
        return True

"""An environment whose state is a random graph of objects of every sort, which each step changes at random.

All that happens depends on the seed and on the actions alone. It has Gymnasium's interface and nothing of the product.
"""

from __future__ import annotations

import random
import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium.spaces import Discrete

from tests.core.sorts import SORTS, Box, poke

ACTIONS = 4
MOST_OBJECTS = 16


class Tangle:
    """A pool of objects that hold each other; a step makes, changes, shares and drops some of them.

    Args:
        sorts: names of the sorts of memory that it has.
        ending: in how many frames on average it ends by itself; 0 for never.
    """

    def __init__(self, sorts: Sequence[str] = tuple(SORTS), ending: int = 0) -> None:
        self.action_space = Discrete(ACTIONS)
        self._sorts = list(sorts)
        self._ending = ending
        self.lifetime = 0  # which no reset sets back
        self.past: list[Any] = []

    def reset(self, seed: int | None = None, options: Any = None) -> tuple[int, dict[str, Any]]:
        self.rng = random.Random(seed)
        self.serial = 0
        self.pool: dict[int, Any] = {}
        self.anchor = Box()
        self.watch = weakref.ref(self.anchor)
        self.self_reference = self
        for sort in self._sorts:
            self._make(sort)
        self.held = dict(self.pool)
        self.lifetime += 1
        return 0, {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        rng, reward = self.rng, 0.0
        self.lifetime += int(action)
        for _ in range(2 + int(action)):
            chosen = rng.randrange(12)
            if chosen == 0:
                self._make(rng.choice(self._sorts))
            elif chosen == 1 and len(self.pool) > 2:
                del self.pool[rng.choice(list(self.pool))]
            elif chosen == 2:
                self.last = self._pick()
            elif chosen == 3:
                self.scratch = {"fresh": [rng.random(), [self._pick()]], "shared": self.held}
            elif chosen == 4:
                self.watch = weakref.ref(self.anchor)
                self.anchor.count += 1
            elif chosen == 5:
                reward += random.random() + float(np.random.random())
            elif chosen == 6:
                self.past.append(self._pick())
            else:
                reward += poke(rng.choice(list(self.pool.values())), rng, self._pick)
        if len(self.pool) > MOST_OBJECTS + len(self._sorts):
            self.pool.popitem()
        reward += self.lifetime % 7
        over = bool(self._ending) and rng.randrange(self._ending) == 0
        return self.serial, float(reward), over, False, {"objects": len(self.pool), "lifetime": self.lifetime, "draw": rng.random()}

    def _make(self, sort: str) -> None:
        self.serial += 1
        self.pool[self.serial] = SORTS[sort](self.rng, self._pick)

    def _pick(self) -> Any:
        """Something to be put somewhere: a value, or an object of the pool, which is shared then."""
        if self.rng.random() < 0.3 or not self.pool:
            return self.rng.choice([None, True, 7, self.rng.random(), "word", (1, 2.5), b"bytes"])
        return self.rng.choice(list(self.pool.values()))

"""The arena for ten seconds; for a player who is away a partner plays, who remembers and draws."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import arena
from waiting import make_env


class Wander:
    """Walks one way for some frames, then another way."""

    def __init__(self) -> None:
        self.way, self.left = 1, 0

    def __call__(self, env: Any, player: str, random: random.Random) -> int:
        """Walk on."""
        if self.left == 0:
            self.way, self.left = random.randint(1, 8), random.randint(5, 15)
        self.left -= 1
        return self.way


experiment = replace(arena.experiment, name="Partnered", environment=make_env, max_steps=300, on_drop="partner", partner=Wander())

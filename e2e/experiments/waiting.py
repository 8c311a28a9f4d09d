"""The arena for ten seconds; a match waits for a player who is away. Two people may watch."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import arena

if TYPE_CHECKING:
    from arena_environment import Arena


def make_env() -> Arena:
    """A new arena of 300 frames."""
    from arena_environment import Arena

    return Arena(max_steps=300)


experiment = replace(arena.experiment, name="Waiting", environment=make_env, max_steps=300, on_drop="pause", spectators=2)

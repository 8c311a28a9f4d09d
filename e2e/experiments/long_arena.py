"""The arena for twice as long: thirty seconds, in which a way can be lost and found again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import arena

if TYPE_CHECKING:
    from arena_environment import Arena


def make_env() -> Arena:
    """A new arena of 900 frames."""
    from arena_environment import Arena

    return Arena(max_steps=900)


experiment = replace(arena.experiment, name="Long arena", environment=make_env, max_steps=900)

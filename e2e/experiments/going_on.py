"""The arena, for a minute, so that a page can be loaded anew in it; the match goes on without a player who is away."""

from __future__ import annotations

from dataclasses import replace

import arena
from long_arena import make_env

experiment = replace(arena.experiment, name="Going on", environment=make_env, fps=15, max_steps=900, on_drop="default")

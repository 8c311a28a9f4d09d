"""Three people on one board for a minute; who is not heard for two seconds is away, and the match goes on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import three_players
from three_players import NAMES, make_board

STEPS = 900


def make_env() -> Any:
    """A board for 900 frames."""
    return make_board(NAMES, STEPS)


experiment = replace(
    three_players.experiment,
    name="Three going on",
    environment=make_env,
    fps=15,
    max_steps=STEPS,
    on_drop="default",
    disconnect_after_ms=2000,
    spectators=0,
)

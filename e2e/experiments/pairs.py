"""Four people on one board, two at each browser: one has the arrow keys, the other one letters."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import three_players
from three_players import make_board

STEPS = 300


def make_env() -> Any:
    """The board of four players."""
    return make_board(("red", "green", "blue", "gold"), STEPS)


experiment = replace(
    three_players.experiment,
    name="Pairs",
    environment=make_env,
    players=4,
    players_per_page=2,
    spectators=0,
    keys=[
        {"ArrowUp": 1, "ArrowDown": 2, "ArrowLeft": 3, "ArrowRight": 4},
        {"w": 1, "s": 2, "a": 3, "d": 4},
    ],
    instructions="One of you walks with the arrow keys, the other with W, A, S and D.",
)

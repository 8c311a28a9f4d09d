"""Arena: two people hunt for coins on one floor, thirty frames a second.

Run it with `python -m pyodide_runtime serve examples/arena.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from arena_picture import draw

import pyodide_runtime as pr

if TYPE_CHECKING:
    from arena_environment import Arena

ARROWS = {"up": "ArrowUp", "down": "ArrowDown", "left": "ArrowLeft", "right": "ArrowRight"}
LETTERS = {"up": "w", "down": "s", "left": "a", "right": "d"}
MOVES = {
    ("up",): 1,
    ("down",): 2,
    ("left",): 3,
    ("right",): 4,
    ("up", "left"): 5,
    ("up", "right"): 6,
    ("down", "left"): 7,
    ("down", "right"): 8,
}
DASH = 9


def make_keys() -> dict[str, int]:
    """Arrows or WASD move, two together diagonally; the space bar dashes, whatever else is held."""
    keys = {" ": DASH}
    for names in (ARROWS, LETTERS):
        for directions, action in MOVES.items():
            chord = "+".join(names[direction] for direction in directions)
            keys[chord] = action
            keys[f"{chord}+ "] = DASH
    return keys


def make_env() -> Arena:
    """A new arena of 450 frames, which is 15 seconds."""
    from arena_environment import Arena

    return Arena(max_steps=450)


experiment = pr.Experiment(
    name="Arena",
    environment=make_env,
    players=2,
    fps=30,
    max_steps=450,
    keys=make_keys(),
    default_action=0,
    requirements=["pettingzoo==1.27.0"],
    draw=draw,
    instructions=(
        "Hold more coins than the other when time is up. Arrow keys or WASD move, the space bar dashes: "
        "dash into the other to steal a coin, but not into a wall. Gems count three, quick coins in a row "
        "count more, saws cost two."
    ),
)

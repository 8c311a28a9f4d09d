"""Overcooked: two chefs in cogrid's cramped room, ten frames a second.

Run it with `python -m pyodide_runtime serve examples/overcooked.py`. cogrid is needed in the browser only.
"""

from __future__ import annotations

from typing import Any

from overcooked_picture import FRAMES_A_SECOND, STEPS, draw

import pyodide_runtime as pr

UP, DOWN, LEFT, RIGHT, PICK_UP_OR_DROP, TOGGLE, NOTHING = range(7)
"""cogrid's "cardinal_actions". The cramped room has nothing to toggle, so no key does."""


def make_env() -> Any:
    """cogrid's cramped room as it is: its own rules, rewards, `get_state` and `set_state`."""
    from cogrid.envs import registry

    return registry.make("Overcooked-CrampedRoom-V0")


experiment = pr.Experiment(
    name="Overcooked",
    environment=make_env,
    players=2,
    fps=FRAMES_A_SECOND,
    max_steps=STEPS,
    keys={
        "ArrowUp": UP,
        "ArrowDown": DOWN,
        "ArrowLeft": LEFT,
        "ArrowRight": RIGHT,
        "w": UP,
        "s": DOWN,
        "a": LEFT,
        "d": RIGHT,
        " ": PICK_UP_OR_DROP,
        "Enter": PICK_UP_OR_DROP,
    },
    default_action=NOTHING,
    requirements=["cogrid==0.3.2"],
    draw=draw,
    instructions=(
        "Cook together: put three onions into the pot, fetch a plate while it cooks, fill the plate from the "
        "pot when it is READY, and bring the soup to SERVE. Arrow keys or WASD walk and turn; the space bar "
        "or Enter picks up, puts down and serves what is in front of you."
    ),
)

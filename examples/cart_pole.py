"""CartPole: one person balances Gymnasium's pole.

Run it with `python -m pyodide_runtime serve examples/cart_pole.py`. CartPole has two actions, push left and
push right, and none that does nothing. Here left is the default: the cart is pushed right while the right
arrow (or the space bar) is held and left while it is not, so that one key plays the game; the left arrow is
there for those who like to alternate. CartPole computes 50 steps a second of its own time; 30 frames a second
give a person time to think.
"""

from __future__ import annotations

from typing import Any

from cart_pole_picture import draw

import pyodide_runtime as pr

PUSH_LEFT, PUSH_RIGHT = 0, 1


def make_env() -> Any:
    """Gymnasium's CartPole-v1 with its usual wrappers."""
    import gymnasium

    return gymnasium.make("CartPole-v1")


experiment = pr.Experiment(
    name="CartPole",
    environment=make_env,
    players=1,
    fps=30,
    episodes=3,
    max_steps=450,
    keys={"ArrowLeft": PUSH_LEFT, "ArrowRight": PUSH_RIGHT, " ": PUSH_RIGHT},
    default_action=PUSH_LEFT,
    requirements=["gymnasium==1.4.0"],
    draw=draw,
    instructions=(
        "Keep the pole upright and the cart on its track. The cart is always pushed: to the right while you "
        "hold the right arrow (or the space bar), to the left while you do not. Three tries."
    ),
)

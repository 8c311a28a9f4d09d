"""One whole episode of an example with scripted players, told to the last bit.

Also a program, which prints the episode's digest: `playthrough.py arena 7 [drawn]`.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from tests.examples import policies
from tests.examples.dumps import dump

STEPS = 450
EXAMPLES = ("arena", "overcooked", "cart_pole")


def make(example: str) -> tuple[Any, Any]:
    """A new environment of an example and the function that draws it."""
    if example == "arena":
        from arena_environment import Arena
        from arena_picture import draw as draw_arena

        return Arena(), draw_arena
    if example == "overcooked":
        from cogrid.envs import registry
        from overcooked_picture import draw as draw_kitchen

        return registry.make("Overcooked-CrampedRoom-V0"), draw_kitchen
    if example == "cart_pole":
        import gymnasium
        from cart_pole_picture import draw as draw_cart

        return gymnasium.make("CartPole-v1"), draw_cart
    raise ValueError(f"there is no example {example!r}")


def play(example: str, env: Any, seed: int) -> Iterator[dict[str, Any]]:
    """Reset, then play at most 450 frames; yields what the environment answered to each."""
    observation, infos = env.reset(seed=seed)
    yield {"observation": observation, "infos": infos}
    for _ in range(STEPS):
        action: Any
        if example == "arena":
            action = {name: policies.hunt(env, name) for name in env.agents}
        elif example == "overcooked":
            action = {index: policies.cook(env, index) for index in env.agents}
        else:
            action = policies.balance(observation)
        observation, reward, terminated, truncated, infos = env.step(action)
        yield {
            "action": action,
            "observation": observation,
            "reward": reward,
            "terminated": terminated,
            "truncated": truncated,
            "infos": infos,
        }
        if np.any(list(truncated.values()) if isinstance(truncated, dict) else truncated):
            return
        if np.any(list(terminated.values()) if isinstance(terminated, dict) else terminated):
            return


def state_of(example: str, env: Any) -> str:
    """All that changes during an episode.

    Of the arena this is its world. cogrid's own snapshot has it all; cogrid's object graph has fixed tables
    besides, whose order depends on PYTHONHASHSEED.
    """
    if example == "arena":
        return dump(env.world)
    return dump(env.get_state() if example == "overcooked" else env)


def digest(example: str, seed: int, drawn: bool = False) -> str:
    """A digest of all answers and of the whole state after each frame, and one of all pictures if drawn."""
    env, draw = make(example)
    answers, pictures = hashlib.sha256(), hashlib.sha256()
    for answer in play(example, env, seed):
        if drawn:
            pictures.update(json.dumps(draw(env)).encode())
        answers.update(dump(answer).encode())
        answers.update(state_of(example, env).encode())
    return f"{answers.hexdigest()} {pictures.hexdigest() if drawn else '-'}"


if __name__ == "__main__":
    print(digest(sys.argv[1], int(sys.argv[2]), sys.argv[3:] == ["drawn"]))

"""The generators of an environment's action and observation spaces, seeded with its episode.

A Gymnasium space draws its seed from the operating system when it is first asked for a sample, or copied. Then two hosts
differ before the first step, though nothing of it may ever be drawn. And some environments make their spaces anew in every reset.
This module knows nothing of episodes or players.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

__all__ = ["seed_spaces", "seeded_spaces"]


def seed_spaces(env: Any, seed: int, seeded: Iterable[Any] = ()) -> list[Any]:
    """Seed every space of an environment and of the environments that it wraps, from the outermost inwards.

    Args:
        seeded: spaces that are left alone, as they were seeded before.

    Returns:
        Those that are seeded now, and those before; as long as they are kept, no other can be taken for one of them.
    """
    found = {id(space): space for space in seeded}
    for layer in _layers(env):
        for space in _spaces(layer):
            if id(space) not in found and callable(getattr(space, "seed", None)):
                found[id(space)] = space
                space.seed(seed)
    return list(found.values())


@contextmanager
def seeded_spaces(seed: int) -> Iterator[None]:
    """While it lasts, a Gymnasium space that is drawn from before it was seeded is seeded so, and not from the operating system:
    it may be made in a reset, drawn from in that reset, and be out of anybody's reach before and after."""
    module: Any = sys.modules.get("gymnasium.spaces.space")
    seeding = getattr(module, "seeding", None)
    if seeding is None:
        yield
        return
    module.seeding = SimpleNamespace(np_random=lambda given=None: seeding.np_random(seed if given is None else given))
    try:
        yield
    finally:
        module.seeding = seeding


def _layers(env: Any) -> Iterator[Any]:
    seen: set[int] = set()
    while env is not None and id(env) not in seen:
        seen.add(id(env))
        yield env
        env = getattr(env, "env", None)


def _spaces(env: Any) -> Iterator[Any]:
    agents = list(getattr(env, "possible_agents", None) or [])
    for name in ("action_space", "observation_space"):
        space = getattr(env, name, None)
        if hasattr(space, "seed"):
            yield space
        elif callable(space):
            for agent in agents:
                try:
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore")
                        found = space(agent)
                except Exception:  # PettingZoo's own raises, where an environment says nothing of its observations
                    continue
                yield found

"""The arena as a PettingZoo `ParallelEnv`: spaces, observations, rewards and infos around `arena_world`.

It has no `get_state` and no `set_state` on purpose: it shows that an ordinary environment needs neither. It
never knows of drawing, of networks or of rollback. NumPy only holds the observations; nothing is computed
with it.
"""

from __future__ import annotations

import random
from typing import Any, ClassVar

import arena_world as rules
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from pettingzoo import ParallelEnv

Observation = NDArray[np.float64]

COINS_SEEN = 12
OBSERVATION_LENGTH = 2 * 8 + 3 * 4 + COINS_SEEN * 3 + 1
FARTHEST = 1_000_000.0


class Arena(ParallelEnv[str, Observation, int]):  # type: ignore[misc]  # published without types
    """Two players, "red" and "blue", hunt for coins on one floor; who holds more of them at the end has won.

    Actions, `Discrete(10)`: 0 stay, 1 up, 2 down, 3 left, 4 right, 5 up-left, 6 up-right, 7 down-left,
    8 down-right, 9 dash. The reward of a frame is the change of the player's coins, so that rewards add up to
    the coins held at the end.

    An observation is a float64 vector of 65 numbers, lengths in units (the floor is 960 by 560), velocities
    in units a frame: the player's own x, y, vx, vy, coins, frames until the next dash, frames of daze, frames
    of safety; the same eight of the other player; x, y, vx, vy of three saws; x, y, value of up to 12 coins
    (zeros where there are fewer); frames left.

    Infos: `coins`, `bumps`, `combo` (integers), `x`, `y` (units) and `event`, a word for what happened last
    in this frame: "", "dash", "wall", "bump", "clash", "steal", "robbed", "saw", "coin", "combo" or "gem".

    Args:
        max_steps: frames after which both players are truncated.

    Raises:
        ValueError: `max_steps` is less than 1, or `step` got no action, or an impossible one, for a player.
    """

    metadata: ClassVar[dict[str, Any]] = {"name": "arena_v0", "render_modes": [], "render_fps": 30}

    def __init__(self, max_steps: int = 450) -> None:
        if max_steps < 1:
            raise ValueError(f"max_steps must be at least 1, not {max_steps}")
        self.max_steps = max_steps
        self.render_mode = None
        self.possible_agents = ["red", "blue"]
        self.agents: list[str] = []
        self.action_spaces = {name: spaces.Discrete(rules.ACTION_COUNT) for name in self.possible_agents}
        self.observation_spaces = {
            name: spaces.Box(-FARTHEST, FARTHEST, (OBSERVATION_LENGTH,), np.float64) for name in self.possible_agents
        }
        self.generator = random.Random()
        self.world = rules.World(self.generator)

    def observation_space(self, agent: str) -> spaces.Box:
        """The space of a player's observations, always the same object."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Discrete:
        """The space of a player's actions, always the same object."""
        return self.action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Observation], dict[str, dict[str, Any]]]:
        """Begin a match. With a seed it is the match of that seed, without one the generator runs on."""
        if seed is not None:
            self.generator.seed(seed)
        self.agents = list(self.possible_agents)
        self.world = rules.World(self.generator)
        return self._observations(), self._infos()

    def step(
        self, actions: dict[str, int]
    ) -> tuple[
        dict[str, Observation],
        dict[str, float],
        dict[str, bool],
        dict[str, bool],
        dict[str, dict[str, Any]],
    ]:
        """Play one frame. After the last one `agents` is empty and a step answers with empty dictionaries."""
        if not self.agents:
            return {}, {}, {}, {}, {}
        chosen = []
        for name in self.agents:
            action = actions.get(name)
            if action is None or not 0 <= action < rules.ACTION_COUNT:
                raise ValueError(f"{name} needs an action from 0 to {rules.ACTION_COUNT - 1}, not {action!r}")
            chosen.append(int(action))
        self.world.step(chosen)
        over = self.world.frame >= self.max_steps
        names = self.possible_agents
        rewards = {name: float(player.gained) for name, player in zip(names, self.world.players, strict=True)}
        answer = (
            self._observations(),
            rewards,
            dict.fromkeys(names, False),
            dict.fromkeys(names, over),
            self._infos(),
        )
        if over:
            self.agents = []
        return answer

    def _observations(self) -> dict[str, Observation]:
        world = self.world
        shared: list[float] = []
        for saw in world.saws:
            shared += (saw.x, saw.y, saw.vx, saw.vy)
        seen = world.coins[:COINS_SEEN]
        for coin in seen:
            shared += (coin.x, coin.y, coin.value)
        shared += [0.0] * (3 * (COINS_SEEN - len(seen)))
        shared.append(self.max_steps - world.frame)
        one, other = ([p.x, p.y, p.vx, p.vy, p.coins, p.dash_wait, p.stun, p.safe] for p in world.players)
        red, blue = self.possible_agents
        return {
            red: np.array(one + other + shared, dtype=np.float64),
            blue: np.array(other + one + shared, dtype=np.float64),
        }

    def _infos(self) -> dict[str, dict[str, Any]]:
        return {
            name: {
                "coins": player.coins,
                "bumps": player.bumps,
                "combo": player.combo,
                "x": player.x,
                "y": player.y,
                "event": player.event,
            }
            for name, player in zip(self.possible_agents, self.world.players, strict=True)
        }

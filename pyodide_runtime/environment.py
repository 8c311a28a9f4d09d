"""One small protocol over every kind of environment: Gymnasium `Env`, PettingZoo `ParallelEnv` and `AECEnv`.

`adapt()` looks at what an object offers, not at its class, so that wrapped environments and environments that merely
keep to the interface work alike, and so that neither Gymnasium nor PettingZoo need be installed. Nothing here knows of
snapshots, frames or networks; an adapter keeps no state of its own besides the environment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from .actions import ActionCodec, OptionalCodec, codec_for
from .errors import ActionError, EnvironmentNotSupported

__all__ = ["Environment", "Transition", "adapt"]


class Transition(NamedTuple):
    """What one step gave, each tuple in the order of `Environment.players`.

    Attributes:
        rewards: the reward of this step, a float for each player.
        terminated: whether the environment ended for the player, at this step.
        truncated: whether the environment was cut off for the player, at this step.
        infos: the environment's info mapping of each player.
        over: whether the environment takes no further step.
        observations: what the environment showed to each player, as it gave it.
    """

    rewards: tuple[float, ...]
    terminated: tuple[bool, ...]
    truncated: tuple[bool, ...]
    infos: tuple[Mapping[str, Any], ...]
    over: bool
    observations: tuple[Any, ...]


#: Makes a named tuple from all its fields, in a third of the time that it takes to name them.
_new: Any = tuple.__new__


class Environment(Protocol):
    """What a simulation needs of an environment."""

    @property
    def root(self) -> Any:
        """The environment as its maker returned it, wrappers and all: what is drawn and what is captured."""

    @property
    def players(self) -> tuple[str, ...]:
        """Names of the players, in a fixed order."""

    @property
    def codecs(self) -> Mapping[str, ActionCodec]:
        """The codec of each player's actions."""

    def reset(self, seed: int) -> tuple[Any, ...]:
        """Begin an episode; observations in the order of players."""

    def step(self, actions: Sequence[Any]) -> Transition:
        """One step with a decoded action of every player, in the order of players."""


def adapt(env: Any, *, players: int | None = None) -> Environment:
    """Put an environment behind the one protocol that everything else here uses.

    Args:
        env: a Gymnasium `Env`, a PettingZoo `ParallelEnv` or `AECEnv`, wrapped or not; a function that makes one; or
            something adapted before, which is returned as it is.
        players: how many players share a Gymnasium environment whose action space has one part for each of them
            (a Tuple, a Dict, a MultiDiscrete or a MultiBinary of that length). None: one player has the whole action.

    A step of an AECEnv is a whole cycle (every agent acts once) if its metadata say `is_parallelizable`, and
    otherwise one turn: the agent whose turn it is acts, the others' actions are not looked at, and an action None
    lets the turn wait.

    Raises:
        EnvironmentNotSupported: the object is none of these; the message says what is missing.
        ActionError: an action space cannot travel as bytes.
    """
    if isinstance(env, _Single | _Shared | _Parallel | _Turns):
        return env
    if isinstance(env, type) or (callable(env) and not hasattr(env, "step")):
        env = env()
    if not callable(getattr(env, "step", None)) or not callable(getattr(env, "reset", None)):
        raise EnvironmentNotSupported(
            f"{type(env).__name__} is not an environment: it needs reset(seed=...) and step(...), "
            "as a Gymnasium Env, a PettingZoo ParallelEnv or an AECEnv has"
        )
    if hasattr(env, "num_envs") and hasattr(env, "single_action_space"):
        raise EnvironmentNotSupported(f"{type(env).__name__} is a vector of environments; give one environment, not many")
    if hasattr(env, "possible_agents") or hasattr(env, "agent_iter"):
        if not list(getattr(env, "possible_agents", [])):
            raise EnvironmentNotSupported(f"{type(env).__name__} has no possible_agents: the players must be known beforehand")
        return _Turns(env) if callable(getattr(env, "agent_iter", None)) else _Parallel(env)
    if not hasattr(env, "action_space"):
        raise EnvironmentNotSupported(
            f"{type(env).__name__} has neither an action_space (Gymnasium) nor possible_agents (PettingZoo)"
        )
    return _Single(env) if players in (None, 1) else _Shared(env, players or 1)


def _names(agents: list[Any]) -> tuple[str, ...]:
    names = tuple(str(agent) for agent in agents)
    if len(set(names)) != len(names):
        raise EnvironmentNotSupported(f"two agents have the same name when written as text: {sorted(names)}")
    return names


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if type(value) is dict or isinstance(value, Mapping) else {}


def _five(result: Any, env: Any) -> tuple[Any, Any, Any, Any, Any]:
    if not isinstance(result, tuple) or len(result) != 5:
        raise EnvironmentNotSupported(
            f"{type(env).__name__}.step() must return (observation, reward, terminated, truncated, info); "
            "for an environment of the old Gym interface use gymnasium's compatibility wrapper"
        )
    return result


def _observation(result: Any) -> Any:
    return result[0] if isinstance(result, tuple) and len(result) == 2 else result


def _number(reward: Any, whose: Any) -> float:
    try:
        return float(reward)
    except (TypeError, ValueError):
        raise EnvironmentNotSupported(
            f"the reward of {whose} is {reward!r:.80}, where one number is needed; wrap the environment in one that gives it"
        ) from None


def _rewards(given: Mapping[Any, Any], agents: Sequence[Any]) -> tuple[float, ...]:
    try:
        return tuple([float(given.get(agent, 0.0)) for agent in agents])
    except (TypeError, ValueError):
        return tuple([_number(given.get(agent, 0.0), agent) for agent in agents])


class _Single:
    """A Gymnasium Env with one player."""

    def __init__(self, env: Any) -> None:
        self.root = env
        self.players: tuple[str, ...] = ("player_0",)
        self.codecs: Mapping[str, ActionCodec] = {"player_0": codec_for(env.action_space)}

    def reset(self, seed: int) -> tuple[Any, ...]:
        return (_observation(self.root.reset(seed=seed)),)

    def step(self, actions: Sequence[Any]) -> Transition:
        result = self.root.step(actions[0])
        if type(result) is not tuple or len(result) != 5:
            result = _five(result, self.root)
        observation, reward, terminated, truncated, info = result
        end, cut = bool(terminated), bool(truncated)
        if type(info) is not dict:
            info = _mapping(info)
        if type(reward) is not float:
            reward = _number(reward, "player_0")
        transition: Transition = _new(Transition, ((reward,), (end,), (cut,), (info,), end or cut, (observation,)))
        return transition


class _Shared:
    """A Gymnasium Env whose action has one part for each of several players; they share its reward and its end.

    A reward given as a mapping (with the keys of a Dict action space, else with the players' names, else in their order) or
    as a sequence with one entry for each player is dealt out instead. Infos are the first player's.
    """

    def __init__(self, env: Any, players: int) -> None:
        self.root = env
        self.players: tuple[str, ...] = tuple(f"player_{i}" for i in range(players))
        spaces, self._join = _split(env.action_space, players)
        parts = getattr(env.action_space, "spaces", None)
        self._keys = list(parts) if isinstance(parts, Mapping) else list(self.players)
        self.codecs: Mapping[str, ActionCodec] = {name: codec_for(space) for name, space in zip(self.players, spaces, strict=True)}

    def reset(self, seed: int) -> tuple[Any, ...]:
        return (_observation(self.root.reset(seed=seed)),) * len(self.players)

    def step(self, actions: Sequence[Any]) -> Transition:
        joint = self._join(list(actions))
        observation, reward, terminated, truncated, info = _five(self.root.step(joint), self.root)
        end, cut, count = bool(terminated), bool(truncated), len(self.players)
        infos = (_mapping(info), *({} for _ in range(count - 1)))
        return Transition(self._deal(reward), (end,) * count, (cut,) * count, infos, end or cut, (observation,) * count)

    def _deal(self, reward: Any) -> tuple[float, ...]:
        count = len(self.players)
        if isinstance(reward, Mapping):
            reward = [reward[key] for key in self._keys] if set(reward) == set(self._keys) else list(reward.values())
        shape = getattr(reward, "shape", None)
        if isinstance(reward, list | tuple) or (shape is not None and shape != ()):
            if len(reward) != count:
                raise EnvironmentNotSupported(f"{len(reward)} rewards for {count} players")
            return tuple(_number(part, name) for part, name in zip(reward, self.players, strict=True))
        return (_number(reward, "all players"),) * count


def _split(space: Any, players: int) -> tuple[list[Any], Callable[[list[Any]], Any]]:
    """The space of each player's part, and the function that joins the parts to the environment's action."""
    kinds = {ancestor.__name__ for ancestor in type(space).__mro__}
    if "Tuple" in kinds and len(space.spaces) == players:
        return list(space.spaces), tuple
    if "Dict" in kinds and len(space.spaces) == players:
        keys = list(space.spaces)
        return list(space.spaces.values()), lambda parts: dict(zip(keys, parts, strict=True))
    if ("MultiDiscrete" in kinds or "MultiBinary" in kinds) and tuple(space.shape) == (players,):
        import numpy as np
        from gymnasium.spaces import Discrete

        counts = [2] * players if "MultiBinary" in kinds else [int(n) for n in space.nvec]
        starts = [int(n) for n in getattr(space, "start", [0] * players)]
        parts = [Discrete(n, start=start) for n, start in zip(counts, starts, strict=True)]
        return parts, lambda values: np.array(values, dtype=space.dtype)
    raise EnvironmentNotSupported(
        f"action space {space!r} has no part for each of {players} players: it must be a Tuple, Dict, MultiDiscrete or "
        f"MultiBinary of length {players}, or the environment a PettingZoo one"
    )


class _Agents:
    """What the two PettingZoo kinds share: named agents, each with an action space."""

    def __init__(self, env: Any) -> None:
        self.root = env
        self._agents = list(env.possible_agents)
        self.players: tuple[str, ...] = _names(self._agents)
        self.codecs: Mapping[str, ActionCodec] = {
            name: codec_for(env.action_space(agent)) for name, agent in zip(self.players, self._agents, strict=True)
        }
        self._places = {agent: place for place, agent in enumerate(self._agents)}


class _Parallel(_Agents):
    """A PettingZoo ParallelEnv: all living agents act at once."""

    def reset(self, seed: int) -> tuple[Any, ...]:
        observations = _mapping(_observation(self.root.reset(seed=seed)))
        return tuple(observations.get(agent) for agent in self._agents)

    def step(self, actions: Sequence[Any]) -> Transition:
        living = self.root.agents
        agents = self._agents
        given = {agent: action for agent, action in zip(agents, actions, strict=True) if agent in living}
        result = self.root.step(given)
        if type(result) is not tuple or len(result) != 5:
            result = _five(result, self.root)
        observations, rewards, terminated, truncated, infos = result
        transition: Transition = _new(
            Transition,
            (
                _rewards(rewards, agents),
                tuple([bool(terminated.get(agent, False)) for agent in agents]),
                tuple([bool(truncated.get(agent, False)) for agent in agents]),
                tuple([_mapping(infos.get(agent)) for agent in agents]),
                not self.root.agents,
                tuple(map(observations.get, agents)),
            ),
        )
        return transition


class _Turns(_Agents):
    """A PettingZoo AECEnv: agents act one after the other."""

    def __init__(self, env: Any) -> None:
        super().__init__(env)
        self._whole_cycle = bool((getattr(env, "metadata", None) or {}).get("is_parallelizable", False))
        if not self._whole_cycle:
            self.codecs = {name: OptionalCodec(codec) for name, codec in self.codecs.items()}

    def reset(self, seed: int) -> tuple[Any, ...]:
        self.root.reset(seed=seed)
        return self._observe()

    def step(self, actions: Sequence[Any]) -> Transition:
        env = self.root
        rewards = dict.fromkeys(self._agents, 0.0)
        terminated = dict.fromkeys(self._agents, False)
        truncated = dict.fromkeys(self._agents, False)
        infos: dict[Any, Mapping[str, Any]] = {}
        acted: set[Any] = set()
        while env.agents and env.agent_selection not in acted:
            agent = env.agent_selection
            dead = env.terminations[agent] or env.truncations[agent]
            action = None if dead else actions[self._places[agent]]
            if action is None and not dead:
                if self._whole_cycle:
                    raise ActionError(f"player {agent} gave no action")
                break
            acted.add(agent)
            env.step(action)
            for name in env.agents:
                rewards[name] += _number(env.rewards.get(name, 0.0), name)
                terminated[name] = terminated[name] or bool(env.terminations.get(name, False))
                truncated[name] = truncated[name] or bool(env.truncations.get(name, False))
                infos[name] = _mapping(env.infos.get(name))
            if not self._whole_cycle and not dead:
                break
        agents = self._agents
        return Transition(
            tuple(rewards[agent] for agent in agents),
            tuple(terminated[agent] for agent in agents),
            tuple(truncated[agent] for agent in agents),
            tuple(infos.get(agent, {}) for agent in agents),
            not env.agents,
            self._observe(),
        )

    def _observe(self) -> tuple[Any, ...]:
        return tuple(self.root.observe(agent) if agent in self.root.agents else None for agent in self._agents)

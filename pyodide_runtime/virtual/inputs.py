"""The inputs of the players of a virtual match: from controllers, at random, or written down beforehand.

Whichever it is, the input of a player for a frame of an episode is the same whatever the network does, and whenever it
is asked for; and all that were given can be told afterwards. Nothing here knows of hosts, packets or environments.
"""

from __future__ import annotations

import abc
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ..actions import ActionCodec
from ..errors import ActionError, SessionError
from ..rollback.inputs import make_input

__all__ = ["Controller", "Controllers", "DrawnInputs", "Inputs", "PlannedInputs", "Sampler"]

Controller = Callable[[int, random.Random], Any]
"""Gives a player's action of a frame.

It is called once for each frame of each episode, in order, with the number of the frame that the action belongs to (from
`input_delay` on: the frames before hold the default action) and with a source of random numbers of its own, seeded by match,
player and episode. It sees nothing of the environment: what a host shows while inputs are predicted depends on the network.
"""

Controllers = Sequence[Controller] | Mapping[str, Controller]
"""One for each player, in their order; or some, by the players' names: the others act at random."""

Sampler = Callable[[int], bytes]
"""Gives a host the input of one of its players, by place, for the frame that it is about to take one for."""

#: In this share of the frames the page of a player who acts at random has the focus.
FOCUSED = 0.9


class Inputs(abc.ABC):
    """Gives inputs (`make_input`) by player, episode and frame.

    Attributes:
        neutral: each player's neutral input.
        told: all that were given: by player and episode, from frame 0 on. Frames before the first that was asked for
            hold the neutral input.
    """

    def __init__(self, neutral: Sequence[bytes]) -> None:
        self.neutral = tuple(neutral)
        self.told: list[dict[int, list[bytes]]] = [{} for _ in neutral]

    def at(self, player: int, episode: int, frame: int) -> bytes:
        """The input of a player for a frame; frames are asked for in order, some perhaps again."""
        known = self.told[player].get(episode)
        if known is None:
            known = self.told[player][episode] = [self.neutral[player]] * frame
        while len(known) <= frame:
            known.append(self._next(player, episode, len(known)))
        return known[frame]

    @abc.abstractmethod
    def _next(self, player: int, episode: int, frame: int) -> bytes:
        """The input of a frame that none was given for yet."""


class DrawnInputs(Inputs):
    """Inputs from controllers, and at random from the action space of each player that has none.

    Args:
        players: their names.
        codecs: of their actions.
        neutral: their neutral inputs.
        seed: of everything that is drawn.
        controllers: None: all act at random.
        hold: each action at random is held for 1 to so many frames.

    Raises:
        SessionError: there are more or fewer controllers than players, or one of nobody, or one is no function.
    """

    def __init__(
        self,
        players: Sequence[str],
        codecs: Sequence[ActionCodec],
        neutral: Sequence[bytes],
        seed: int,
        controllers: Controllers | None = None,
        *,
        hold: int = 4,
    ) -> None:
        super().__init__(neutral)
        self._players = tuple(players)
        self._codecs = tuple(codecs)
        self._seed = seed
        self._hold = hold
        self._controllers = _by_player(controllers, self._players)
        self._streams: dict[tuple[int, int], Iterator[bytes]] = {}

    def _next(self, player: int, episode: int, frame: int) -> bytes:
        stream = self._streams.get((player, episode))
        if stream is None:
            source = random.Random(f"{self._seed} player {player} episode {episode}")
            controller = self._controllers[player]
            stream = self._held(player, source) if controller is None else self._controlled(player, controller, source, frame)
            self._streams[player, episode] = stream
        return next(stream)

    def _held(self, player: int, source: random.Random) -> Iterator[bytes]:
        codec = self._codecs[player]
        while True:
            action = codec.encode(codec.draw(source))
            for _ in range(source.randint(1, self._hold)):
                yield make_input(action, source.random() < FOCUSED)

    def _controlled(self, player: int, controller: Controller, source: random.Random, first: int) -> Iterator[bytes]:
        frame = first
        while True:
            try:
                action = self._codecs[player].encode(controller(frame, source))
            except ActionError as error:
                raise ActionError(f"the controller of {self._players[player]}, frame {frame}: {error}") from None
            yield make_input(action, True)
            frame += 1


class PlannedInputs(Inputs):
    """Inputs written down beforehand; where nothing is written, the neutral one.

    Args:
        plan: by player and episode, from frame 0 on.
        neutral: the players' neutral inputs.
    """

    def __init__(self, plan: Sequence[Sequence[Sequence[bytes]]], neutral: Sequence[bytes]) -> None:
        super().__init__(neutral)
        self._plan = plan

    def _next(self, player: int, episode: int, frame: int) -> bytes:
        episodes = self._plan[player]
        inputs = episodes[episode] if episode < len(episodes) else ()
        return inputs[frame] if frame < len(inputs) else self.neutral[player]


def _by_player(controllers: Controllers | None, players: tuple[str, ...]) -> list[Controller | None]:
    if controllers is None:
        return [None] * len(players)
    if isinstance(controllers, Mapping):
        strange = next((name for name in controllers if name not in players), None)
        if strange is not None:
            raise SessionError(f"controllers: there is no player {strange!r}; the players are {', '.join(players)}")
        found = [controllers.get(player) for player in players]
    elif isinstance(controllers, Sequence) and len(controllers) == len(players):
        found = list(controllers)
    else:
        raise SessionError(f"controllers={controllers!r}: give one for each of {len(players)} players, or a mapping by their names")
    wrong = next((controller for controller in found if controller is not None and not callable(controller)), None)
    if wrong is not None:
        raise SessionError(f"controllers: {wrong!r} is not a function of frame and random source")
    return found

"""The partner: a policy that plays for a player whose host is gone, inside the simulation.

A policy is called as `policy(env, player, random)` and returns an action of that player. All that it remembers, and a
random generator for each player, are part of the one state, so that rollbacks and every host agree on what it does. This
module knows neither who is absent, nor frames, nor networks.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from .actions import ActionCodec
from .errors import PartnerFailed, SessionError, SnapshotError
from .snapshots.graph import Checkpointer

__all__ = ["Partner", "Policy"]

Policy = Callable[[Any, str, random.Random], Any]
"""Chooses the action of a player, given the environment, the player's name, and what to draw from."""


class Partner:
    """A policy, with all that it remembers.

    Args:
        policy: a function, or any object that can be called; what it holds may change as it goes on.
        players: names of the players.
        codecs: of their actions.
        environment: the environment, whose state somebody else takes care of.

    Raises:
        SessionError: it cannot be called.
        SnapshotError: it holds something that cannot be brought back; the message names it.

    Attributes:
        state: what the policy can remember: one changeable object, the same for good, to be captured beside the environment.

    One policy may be the partner of several simulations in one process: each begins with the policy as it was when it was
    given, and has a memory of its own. But a policy's objects can hold only one at a time: see `enter`.
    """

    #: The one whose memory lies in the objects of its policy; those of all other policies are as they were given. It is kept
    #: alive, so that whoever comes next can have that made undone even if its simulation is gone.
    _present: ClassVar[Partner | None] = None

    def __init__(self, policy: Policy, players: Sequence[str], codecs: Sequence[ActionCodec], environment: Any) -> None:
        if not callable(policy):
            raise SessionError(f"partner={policy!r}: give a function of environment, player and random generator")
        self._policy = policy
        self._players = tuple(players)
        self._codecs = tuple(codecs)
        self.name = _name_of(policy)
        self._generators = {player: random.Random(0) for player in self._players}
        self.state = {"policy": policy, "random": self._generators}
        if Partner._present is not None:
            Partner._present._forget()
        try:
            self._memory = Checkpointer([policy], beyond=[environment])
            self._given = self._memory.save()
        except SnapshotError as error:
            raise SnapshotError(f"the partner policy {self.name} cannot be rolled back: {error}") from None
        Partner._present = self

    def enter(self) -> bool:
        """Let the policy's objects hold this one's memory, not another's.

        Returns whether they did not yet: then the policy is as it was given, and its state is to be restored.
        """
        if Partner._present is self:
            return False
        if Partner._present is not None:
            Partner._present._forget()
        Partner._present = self
        return True

    def _forget(self) -> None:
        self._memory.restore(self._given)

    def begin(self, seed: int) -> None:
        """Forget everything, as an episode of this seed begins."""
        self._forget()
        for player, generator in self._generators.items():
            generator.seed(f"{seed} partner of {player}")

    def choose(self, env: Any, place: int, frame: int) -> tuple[bytes, Any]:
        """The action of the player at this place, encoded and as the environment takes it.

        Raises:
            PartnerFailed: the policy raised, or returned what is no action of that player. What it remembers is undefined then.
        """
        player, codec = self._players[place], self._codecs[place]
        try:
            action = self._policy(env, player, self._generators[player])
        except Exception as error:
            raise self._failed(frame, player, f"raised {type(error).__name__}: {error}") from error
        try:
            data = codec.encode(action)
            return data, codec.decode(data)
        except Exception as error:  # what is returned may be anything
            raise self._failed(frame, player, f"returned {action!r}, which is no action of that player: {error}") from error

    def _failed(self, frame: int, player: str, what: str) -> PartnerFailed:
        message = f"frame {frame}: the partner policy {self.name}, playing for {player}, {what}"
        return PartnerFailed(message, frame, player, self.name)


def _name_of(policy: Any) -> str:
    """What a policy is called, for people: the name of its function, or of its class."""
    while isinstance(policy, functools.partial):
        policy = policy.func
    return str(getattr(policy, "__qualname__", None) or type(policy).__qualname__)

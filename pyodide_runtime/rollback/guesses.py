"""Guesses what a player does in frames whose inputs have not arrived, from those that have.

A guess is shown for a moment, and never becomes data: hosts may guess differently. So what is learnt is learnt by each host
for itself, in the order of the frames, from nothing but inputs that will never change. Nothing here knows of sessions or
environments.
"""

from __future__ import annotations

import abc
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from ..actions import ActionCodec
from ..errors import ActionError
from .inputs import Prediction

__all__ = ["Guesser", "LearnedGuesser", "OwnGuesser", "Predictor", "guessers_of", "prediction_name"]

#: An experiment's own: called as `predict(player, actions, ahead)` with the player's name, its last actions that are known (up to
#: `REMEMBERED`, at least one, oldest first, as the environment takes them), and how many frames after the last of them the one lies
#: whose action it is to return (1 is the next).
Predictor = Callable[[str, Sequence[Any], int], Any]

#: So many actions an experiment's own predictor is told.
REMEMBERED = 64
#: An action that is held for longer than this, in frames, is held as if it were for so long.
LONGEST = 64
#: When so much was counted, all counts are halved: habits change.
MOST_COUNTED = 64
#: As if so many players had gone on: an action is not thought to end before it has been seen to.
RELUCTANCE = 2


class Guesser(abc.ABC):
    """What one player is thought to do. It lasts for a match; its episodes follow each other."""

    #: What went wrong with a guess, the first time that something did.
    failure = ""

    def __init__(self) -> None:
        self._path: list[bytes | None] = []

    def begin_episode(self) -> None:
        """What the player does from now on has nothing to do with what it did last."""
        self._path.clear()

    def learn(self, action: bytes) -> None:
        """The player's encoded action of the next frame."""
        self._path.clear()

    def guess(self, ahead: int) -> bytes | None:
        """The encoded action that is guessed `ahead` frames (1 or more) after the last that is known; None: as that one."""
        path = self._path
        while len(path) < ahead:
            path.append(self._go_on(len(path) + 1))
        return path[ahead - 1]

    @abc.abstractmethod
    def _go_on(self, ahead: int) -> bytes | None:
        """The guess for the frame after those that were guessed."""


class LearnedGuesser(Guesser):
    """How long the player holds each action, and what comes after it: counted, and thought to go on so.

    For each action and each number of frames for which it has been held, it is counted how often the player went on and how
    often not; and for each action, which followed. An action is guessed to be held until one frame is likely enough to be that
    in which it ends for a guess to spare more rollbacks than it costs; then the one that followed it most often.
    """

    def __init__(self) -> None:
        super().__init__()
        self._action: bytes | None = None
        self._held = 0
        # Where the guesses are: which action, held for how many frames.
        self._at: bytes | None = None
        self._for = 0
        self._ends: dict[tuple[bytes, int], list[int]] = {}  # how often it ended, and how often it was looked
        self._after: dict[bytes, dict[bytes, int]] = {}

    def begin_episode(self) -> None:
        """As `Guesser.begin_episode`."""
        super().begin_episode()
        self._action, self._held = None, 0

    def learn(self, action: bytes) -> None:
        """As `Guesser.learn`."""
        super().learn(action)
        before = self._action
        if before is not None:
            counts = self._ends.setdefault((before, self._held), [0, 0])
            counts[0] += action != before
            counts[1] += 1
            if counts[1] >= MOST_COUNTED:
                counts[:] = [count // 2 for count in counts]
            if action != before:
                after = self._after.setdefault(before, {})
                after[action] = after.get(action, 0) + 1
                if after[action] >= MOST_COUNTED:
                    self._after[before] = {other: count // 2 for other, count in after.items() if count > 1}
        self._held = 1 if action != before else min(LONGEST, self._held + 1)
        self._action = action

    def _go_on(self, ahead: int) -> bytes | None:
        if ahead == 1:
            self._at, self._for = self._action, self._held
        action = self._at
        if action is None:
            return None
        ended, looked = self._ends.get((action, self._for), (0, 0))
        ends = ended / (looked + RELUCTANCE)
        after = self._after.get(action)
        if after and ends > 0.5:
            # Of those that followed equally often the first, by their bytes.
            follower = min(after, key=lambda other: (-after[other], other))
            # If it ends now and so, a rollback is spared; if it goes on, there is one more. All else costs what it would have.
            if ends * after[follower] > (1.0 - ends) * sum(after.values()):
                self._at, self._for = follower, 1
                return follower
        self._for = min(LONGEST, self._for + 1)
        return action


class OwnGuesser(Guesser):
    """What an experiment's own predictor says. What it does wrong is noted, and the player is thought to go on as it did.

    Args:
        predict: the predictor.
        player: the player's name.
        codec: of its actions.
    """

    def __init__(self, predict: Predictor, player: str, codec: ActionCodec) -> None:
        super().__init__()
        self._predict = predict
        self._player = player
        self._codec = codec
        self._actions: deque[bytes] = deque(maxlen=REMEMBERED)

    def begin_episode(self) -> None:
        """As `Guesser.begin_episode`."""
        super().begin_episode()
        self._actions.clear()

    def learn(self, action: bytes) -> None:
        """As `Guesser.learn`."""
        super().learn(action)
        self._actions.append(action)

    def _go_on(self, ahead: int) -> bytes | None:
        if not self._actions:
            return None
        try:
            # Decoded anew for every call: what it does to them stays its own.
            return self._codec.encode(self._predict(self._player, [self._codec.decode(data) for data in self._actions], ahead))
        except ActionError as error:
            self.failure = self.failure or f"the prediction of {self._player} is no action: {error}"
        except Exception as error:  # whatever the experiment's own code raises, the match and its data do not depend on it
            self.failure = self.failure or f"prediction raised {type(error).__name__}: {error}"
        return None


def guessers_of(prediction: Prediction | Predictor, players: Sequence[str], codecs: Sequence[ActionCodec]) -> list[Guesser | None]:
    """One for each player; None where guesses need no more than the last input."""
    if isinstance(prediction, Prediction):
        return [LearnedGuesser() if prediction is Prediction.LEARNED else None for _ in players]
    return [OwnGuesser(prediction, player, codec) for player, codec in zip(players, codecs, strict=True)]


def prediction_name(prediction: Any) -> str:
    """How a way of predicting is written down; "own" for an experiment's own."""
    return str(prediction.value) if isinstance(prediction, Prediction) else "own" if callable(prediction) else str(prediction)

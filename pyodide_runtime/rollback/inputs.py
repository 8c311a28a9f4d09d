"""The inputs of one player: those that are held, and a prediction for those that are not.

An input is one byte of flags followed by the canonical bytes of an action. Bit 0 says that the player's page had the
focus; bits 1 to 3 tell of a player whose host is gone (`ABSENT`, `RETURNS`, `STOPS`); bits 4 to 7 are the input delay
in frames by which the input was taken, where that is adaptive, or with `RETURNS` the incarnation that returns, else 0.
The flags reach the data but not the environment, so they alone never cause a rollback; but for an absent player a partner
may act.

Invariant: inputs are held for every frame from `first` to `last` without a gap. `last` only grows; no input is ever
changed.
"""

from __future__ import annotations

import enum

from ..actions import PARTNER

__all__ = [
    "ABSENT",
    "FOCUSED",
    "RETURNS",
    "STOPS",
    "InputQueue",
    "Prediction",
    "action_in",
    "action_of",
    "delay_of",
    "is_absent",
    "is_flagged_rightly",
    "is_focused",
    "make_input",
    "with_delay",
]

#: The flag of an input whose player's page had the focus.
FOCUSED = 1
#: The flag of an input that another host gives in the place of a player whose own host is gone.
ABSENT = 2
#: The flag of an absent player's last such input: from the next frame on the player's own host gives the inputs again.
RETURNS = 4
#: The flag of an input in whose frame nothing is simulated any more: the match ends before it.
STOPS = 8


class Prediction(enum.Enum):
    """How an input that has not arrived is guessed."""

    LAST = "last"  #: the player goes on doing what it did last
    DEFAULT = "default"  #: the player does nothing


def make_input(action: bytes, focused: bool) -> bytes:
    """The input that carries an encoded action."""
    return (b"\x01" if focused else b"\x00") + action


def action_of(data: bytes) -> bytes:
    """The encoded action in an input."""
    return data[1:]


def action_in(data: bytes, partner: bool) -> bytes:
    """The encoded action that a simulation is given for an input: `PARTNER` for an absent player, if a partner plays for it."""
    return PARTNER if partner and data[0] & ABSENT else data[1:]


def is_flagged_rightly(data: bytes, *, absent: bool = False, delay: bool = False) -> bool:
    """Whether an input carries flags that one can have whose frame is simulated.

    Args:
        absent: whether players can be absent.
        delay: whether the input delay is adaptive.
    """
    flags = data[0]
    if flags & ABSENT:
        return absent and not flags & (FOCUSED | STOPS) and (flags >> 4 == 0 or bool(flags & RETURNS))
    return not flags & (RETURNS | STOPS) and (delay or flags >> 4 == 0)


def is_absent(data: bytes) -> bool:
    """Whether the player's host was gone, so that another host gave the input."""
    return bool(data[0] & ABSENT)


def delay_of(data: bytes) -> int:
    """The input delay by which the input was taken, in frames, where that is adaptive."""
    return 0 if data[0] & ABSENT else data[0] >> 4


def is_focused(data: bytes) -> bool:
    """Whether the player's page had the focus."""
    return bool(data[0] & FOCUSED)


def with_delay(data: bytes, delay: int) -> bytes:
    """The same input, taken by this delay, 0 to 15 frames."""
    return bytes((data[0] & 0x0F | delay << 4,)) + data[1:]


class InputQueue:
    """The inputs of one player.

    Args:
        neutral: the input that stands for frames 0 .. delay-1 on every peer, and for a player of whom nothing is known.
        delay: the input delay in frames.
        prediction: how to guess.
    """

    def __init__(self, neutral: bytes, delay: int, prediction: Prediction) -> None:
        self._neutral = neutral
        self._prediction = prediction
        self._inputs: dict[int, bytes] = dict.fromkeys(range(delay), neutral)
        self.first = 0
        self.last = delay - 1
        self._absent_from: int | None = None  # where the absence began that lasts until `first`

    def add(self, frame: int, data: bytes) -> bool:
        """Take the input of `frame` if it is the next one; False if it is held already or would leave a gap."""
        if frame != self.last + 1:
            return False
        self._inputs[frame] = data
        self.last = frame
        return True

    def fill(self, frame: int, data: bytes) -> None:
        """Take the same input for every frame before `frame` of which none is held."""
        while self.last < frame - 1:
            self.add(self.last + 1, data)

    @property
    def newest(self) -> bytes:
        """The last input that is held; the neutral one if there is none."""
        return self._inputs.get(self.last, self._neutral)

    def dropped_at(self, incarnation: int) -> int:
        """The frame from which on the player was absent because an incarnation of its host was gone: the one after the last
        input of that, whatever others gave since then; `first`, if that is not held any more."""
        frame = self.first
        while frame <= self.last and not (self._inputs[frame][0] & RETURNS and self._inputs[frame][0] >> 4 > incarnation):
            frame += 1
        while frame > self.first and self._inputs[frame - 1][0] & (ABSENT | RETURNS) == ABSENT:
            frame -= 1
        return frame if frame > self.first or self._absent_from is None else self._absent_from

    def held(self, frame: int) -> bytes | None:
        """The input of a frame if it is held."""
        return self._inputs.get(frame)

    def guess(self, frame: int) -> bytes:
        """The input of a frame: the one held, else the prediction."""
        data = self._inputs.get(frame)
        if data is not None:
            return data
        last = self.newest
        return last if self._prediction is Prediction.LAST else last[:1] + self._neutral[1:]

    def span(self, start: int) -> list[bytes]:
        """All inputs held from frame `start` on; `start` must not lie before `first`."""
        return [self._inputs[frame] for frame in range(start, self.last + 1)]

    def discard_before(self, frame: int) -> None:
        """Let go of the inputs of frames before `frame`; the newest is always kept, for predictions grow from it."""
        while self.first < frame and self.first < self.last:
            if self._inputs.pop(self.first)[0] & (ABSENT | RETURNS) != ABSENT:
                self._absent_from = None
            elif self._absent_from is None:
                self._absent_from = self.first
            self.first += 1

"""What an input of a player may be: the checks of what peers send, before anything is made of it.

What was seen to be right is remembered, for players do the same things again and again. Nothing here knows of frames.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..actions import ActionCodec
from ..errors import ActionError, WireError
from ..rollback.delay import InputDelay
from ..rollback.inputs import ABSENT, STOPS, delay_of, is_flagged_rightly
from ..settings import MatchSettings

__all__ = ["InputCheck"]

#: So many different inputs of a player are remembered.
REMEMBERED = 4096


class InputCheck:
    """Checks inputs of one match.

    Args:
        codecs: of the players' actions.
        settings: of the match.
    """

    def __init__(self, codecs: Sequence[ActionCodec], settings: MatchSettings) -> None:
        self._codecs = codecs
        self._right: list[set[bytes]] = [set() for _ in codecs]
        self._absent = settings.on_drop.may_be_absent
        delay = settings.input_delay
        self._longest_delay = delay.most if isinstance(delay, InputDelay) else 0  # a fixed delay is not told in the inputs

    def check(self, player: int, inputs: Sequence[bytes]) -> None:
        """Raise WireError if one of these is no input of that player."""
        right, codec = self._right[player], self._codecs[player]
        if right.issuperset(inputs):
            return
        for data in set(inputs) - right:
            if len(data) != 1 + codec.size or not self._is_flagged_rightly(data):
                raise WireError("an input of the wrong length, or with unknown flags")
            try:
                codec.decode(data[1:])
            except ActionError as error:
                raise WireError(str(error)) from None
            if len(right) < REMEMBERED:
                right.add(data)

    def _is_flagged_rightly(self, data: bytes) -> bool:
        if data[0] == ABSENT | STOPS:
            return True  # any match can be cut off
        if delay_of(data) > self._longest_delay:
            return False
        return is_flagged_rightly(data, absent=self._absent, delay=self._longest_delay > 0)

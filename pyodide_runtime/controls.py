"""From keys that are down to the action that is meant.

A chord (several keys together) counts before its keys alone, and of equals the one completed last. A key that is
pressed and released between two frames still counts for one frame, so that no tap is lost at a low frame rate.
Without the focus no key is down, because the browser does not say when it is released. It knows nothing of frames;
whoever takes a sample says when.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .experiment import split_chord

__all__ = ["Controls"]


class Controls:
    """The local player's keys.

    Args:
        keys: chord ("ArrowUp", or "ArrowUp+ ") to action.
        default: the action while no chord is down.
    """

    def __init__(self, keys: Mapping[str, Any], default: Any) -> None:
        self._chords = [(frozenset(split_chord(chord)), action) for chord, action in keys.items()]
        self._default = default
        self._down: dict[str, int] = {}
        self._tapped: dict[str, int] = {}
        self._count = 0
        self.focused = True

    @property
    def keys(self) -> list[str]:
        """Every key that some chord has, sorted."""
        return sorted({key for chord, _ in self._chords for key in chord})

    def press(self, key: str, down: bool) -> None:
        """A key went down or up. Repeats change nothing."""
        key = self._known(key)
        if down and key not in self._down:
            self._count += 1
            self._down[key] = self._tapped[key] = self._count
        elif not down:
            self._down.pop(key, None)

    def focus(self, focused: bool) -> None:
        """The page got or lost the focus."""
        self.focused = focused
        if not focused:
            self._down.clear()
            self._tapped.clear()

    def sample(self) -> Any:
        """The action meant now. Taps since the last sample count as down, and are forgotten."""
        down = {**self._tapped, **self._down}
        self._tapped.clear()
        if not down:
            return self._default
        keys = frozenset(down)  # sets are compared with each other several times as fast as with a dict's keys
        best, rank = self._default, (0, 0)
        for chord, action in self._chords:
            if chord <= keys:
                this = (len(chord), max(down[key] for key in chord))
                if this > rank:
                    best, rank = action, this
        return best

    def _known(self, key: str) -> str:
        # With caps lock or shift a letter arrives in the other case; it is the same key to whoever presses it.
        if len(key) == 1 and not any(key in chord for chord, _ in self._chords):
            other = key.swapcase()
            if any(other in chord for chord, _ in self._chords):
                return other
        return key

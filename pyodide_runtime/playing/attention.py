"""What is to happen while a player's page is hidden: nothing, a pause of all, or, in the end, the end of the match.

Hidden is not the same as without the focus: a page that lies beside another is seen, but has no focus. All time is given to
it. It knows nothing of matches, pages or packets.
"""

from __future__ import annotations

import enum

from ..errors import SessionError

__all__ = ["Attention", "WhenHidden"]


class WhenHidden(enum.Enum):
    """What a hidden page means for the match."""

    PLAY = "play"  #: nothing: its player goes on, and does what the keys say, which is nothing
    PAUSE = "pause"  #: its player takes no inputs and does not go on, so all others wait
    END = "end"  #: its player goes on for a time, and then leaves


class Attention:
    """Whether this host's page is hidden, and what follows from that.

    Args:
        when: what is to happen.
        limit_ms: after so long a time hidden in a row the host is to leave, in ms; None: never.

    Raises:
        SessionError: the two do not go together, or the limit is none.
    """

    def __init__(self, when: WhenHidden, limit_ms: float | None = None) -> None:
        if when is WhenHidden.END and limit_ms is None:
            raise SessionError("when_hidden='end' needs hidden_limit_ms, the time after which a hidden page ends the match")
        if when is WhenHidden.PLAY and limit_ms is not None:
            raise SessionError(f"hidden_limit_ms={limit_ms!r} means nothing with when_hidden='play'; write 'end' or 'pause'")
        if limit_ms is not None and not 0 < limit_ms < float("inf"):
            raise SessionError(f"hidden_limit_ms={limit_ms!r}: give a time in ms, above 0")
        self._when = when
        self._limit = limit_ms
        self._since: float | None = None

    @property
    def hidden(self) -> bool:
        """Whether the page is hidden."""
        return self._since is not None

    def hide(self, hidden: bool, now_ms: float) -> bool:
        """The page was hidden, or is seen again. Whether that is news."""
        if hidden == self.hidden:
            return False
        self._since = now_ms if hidden else None
        return True

    @property
    def paused(self) -> bool:
        """Whether this host is to take no inputs and not to go on."""
        return self.hidden and self._when is WhenHidden.PAUSE

    def overdue(self, now_ms: float) -> float | None:
        """For how long the page has been hidden, in ms, if the host is to leave for that; else None."""
        if self._since is None or self._limit is None or now_ms - self._since < self._limit:
            return None
        return now_ms - self._since

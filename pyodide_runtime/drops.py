"""What happens when a player's host drops out in mid-episode: the choices that an experiment has, and what they mean for its data.

It knows nothing of how hosts agree on a drop.
"""

from __future__ import annotations

import enum

from .errors import SessionError

__all__ = ["OnDrop", "check_partner"]


class OnDrop(enum.Enum):
    """What happens to a match when a player's host is gone."""

    END = "end"  #: it ends, at a frame that all others agree on
    PAUSE = "pause"  #: all wait for the host to come back, up to a time; then it ends
    DEFAULT = "default"  #: the default action is used in the player's place
    PARTNER = "partner"  #: a partner policy plays in the player's place

    @property
    def may_be_absent(self) -> bool:
        """Whether a player may be absent in some frames; then the data say in which."""
        return self is not OnDrop.END

    @property
    def goes_on(self) -> bool:
        """Whether the others go on without a player, as soon as they have agreed that it is gone."""
        return self in (OnDrop.DEFAULT, OnDrop.PARTNER)


def check_partner(on_drop: OnDrop, partner: object) -> None:
    """Refuse a partner that would never play, and the lack of one that is to.

    Raises:
        SessionError: it is so.
    """
    if on_drop is OnDrop.PARTNER and partner is None:
        raise SessionError("on_drop='partner' without a partner: the environment's runtime needs partner=..., a policy")
    if on_drop is not OnDrop.PARTNER and partner is not None:
        raise SessionError(f"a partner, but on_drop={on_drop.value!r}: write on_drop='partner', or leave the partner out")

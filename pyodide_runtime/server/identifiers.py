"""Names of rooms, players and sessions: what they may look like, and how new ones are made.

They become parts of URLs and of paths in the data folder, so they are checked before anything else happens.
This module knows nothing of files or of HTTP.
"""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime

from pyodide_runtime.errors import PyodideRuntimeError

LONGEST = 64

_ALLOWED = re.compile(rf"[A-Za-z0-9][A-Za-z0-9_-]{{0,{LONGEST - 1}}}")
_CONSONANTS = "bdfgklmnprstvz"
_VOWELS = "aeiou"


class BadIdentifier(PyodideRuntimeError):
    """A name of a room, a player or a session has a form that is not allowed."""


def is_allowed(value: str) -> bool:
    """Whether a value may be a name."""
    return _ALLOWED.fullmatch(value) is not None


def checked(kind: str, value: str) -> str:
    """The value, if it is allowed as a name; `kind` ("room", "player_id", "session") is for the message.

    Raises BadIdentifier.
    """
    if not is_allowed(value):
        shown = repr(value if len(value) <= LONGEST else value[:LONGEST] + "...")
        raise BadIdentifier(
            f"{shown} is no {kind}; use 1 to {LONGEST} letters, digits, '-' and '_', beginning with a letter or a digit"
        )
    return value


def new_player() -> str:
    """A name for a player who came without one."""
    return f"player-{secrets.token_hex(4)}"


def new_room() -> str:
    """A name for a room that can be said aloud, such as "mako-ruti"."""
    syllables = [secrets.choice(_CONSONANTS) + secrets.choice(_VOWELS) for _ in range(4)]
    return f"{''.join(syllables[:2])}-{''.join(syllables[2:])}"


def new_session(now: datetime) -> str:
    """A name for a session that begins to gather; names sort by time (UTC)."""
    return f"{now.astimezone(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"

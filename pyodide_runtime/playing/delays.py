"""By which delay this host's inputs are taken, where that adapts to the line, and the note of every change.

What is chosen is in `rollback.delay`; here it is asked, told what peers say, and noted. It knows nothing of packets or of pages.
"""

from __future__ import annotations

from ..journal import Journal
from ..network.peer import Peer
from ..rollback.delay import DelayChooser, InputDelay
from ..settings import MatchSettings
from .course import Course

__all__ = ["Delays"]


class Delays:
    """The input delay of this host in one match.

    Args:
        settings: of the match.
        course: the episodes.
        journal: where changes are noted.
    """

    def __init__(self, settings: MatchSettings, course: Course, journal: Journal) -> None:
        delay = settings.input_delay
        adaptive = delay if isinstance(delay, InputDelay) else None
        self._chooser = DelayChooser(adaptive, settings.fps, settings.prediction_window) if adaptive else None
        self._course = course
        self._journal = journal
        self._noted: int | None = None if isinstance(delay, InputDelay) else delay

    @property
    def adaptive(self) -> bool:
        """Whether there is anything to choose."""
        return self._chooser is not None

    def begin_episode(self) -> None:
        """What peers said of the episode before says nothing of this one."""
        if self._chooser is not None:
            self._chooser.restart()

    def rest(self, now_ms: float) -> None:
        """Some host does not go on: what is said now is no sign of the line."""
        if self._chooser is not None:
            self._chooser.rest(now_ms)

    def observe(self, now_ms: float, peer: Peer, frame: int, lacking: int) -> None:
        """A peer says how far it has gone on, up to `frame`, and from which frame on it lacks this host's inputs."""
        if self._chooser is not None:
            self._chooser.observe(now_ms, peer.host, frame, lacking, self._course.session.delay, peer.round_trip_ms)

    def adapt(self, now_ms: float) -> None:
        """Wish for the delay that suits the line, and note it if another one is in force now."""
        session = self._course.session
        if self._chooser is not None:
            session.wish_delay(self._chooser.choose(now_ms))
        if session.delay != self._noted:
            self._noted = session.delay
            self._journal.note(
                {
                    "event": "input_delay",
                    "episode": self._course.episode,
                    "frame": session.frame,
                    "delay": session.delay,
                    "at_ms": round(now_ms, 1),
                }
            )

"""The input delay: fixed, chosen by each host for itself, or chosen by all together.

A delay at one host spares the others rollbacks: an input that is taken d frames before it counts has d frames to travel. So
a host looks at how far beyond its inputs its peers go on (`DelayChooser`), raises its delay as soon as that is farther than
a rollback that is hardly seen, and lowers it slowly. Where the delay is to be the same for all (`matched`), each host's wish
is in its inputs of certain frames, and `MatchedDelay` tells from those what is in force: whoever holds the inputs of a frame
comes to the same delay. Nothing here knows of packets, queues or environments; all time is given to it.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..errors import SessionError

__all__ = ["MOST_ADAPTIVE", "DelayChooser", "InputDelay", "MatchedDelay", "plain_delay"]

#: An adaptive delay is never longer, in frames: it has four bits in every input.
MOST_ADAPTIVE = 15
#: A rollback that is no longer than this, in ms, is hardly seen and no reason for a delay.
TOLERATED_MS = 66.0
#: How much is looked back at, in ms: for raising the delay, and for lowering it. At a low frame rate it is so many frames.
RAISED_MS, LOWERED_MS = 400.0, 3000.0
RAISED_FRAMES, LOWERED_FRAMES = 8, 30
#: Of what peers say in that time such a share may ask for more than the delay that is chosen.
RAISED_SHARE, LOWERED_SHARE = 0.25, 0.05
#: It is lowered once in so many ms at the most, by one frame, and raised once in so many.
LOWERED_EVERY_MS, RAISED_EVERY_MS = 2000.0, 1000.0
#: After this host has stood still, all are apart for so many ms; what is said then is no sign of the line. It has stood still if
#: it was not asked for so many, and so many frames.
RESTED_MS, GAP_MS, GAP_FRAMES = 2000.0, 500.0, 3
#: How often it is thought about, in ms, and how many views must have come by then.
EVERY_MS, FEWEST_VIEWS = 100.0, 5


@dataclass(frozen=True, slots=True, kw_only=True)
class InputDelay:
    """An input delay that hosts adapt to the line.

    Attributes:
        least, most: within which it is chosen, in frames, 0 to 15.
        start: the delay that every episode starts with; None: `least`.
        matched: all hosts have the same delay in every frame, that of whoever needs the longest. Otherwise each has its own.

    Raises:
        SessionError: a value is none of these.
    """

    least: int = 0
    most: int = 6
    start: int | None = None
    matched: bool = False

    def __post_init__(self) -> None:
        start = self.least if self.start is None else self.start
        for name, value in (("least", self.least), ("most", self.most), ("start", start)):
            if type(value) is not int or not 0 <= value <= MOST_ADAPTIVE:
                raise SessionError(f"input_delay: {name}={value!r}; give a whole number of frames from 0 to {MOST_ADAPTIVE}")
        if not self.least <= start <= self.most:
            raise SessionError(f"input_delay: start={start} is not within least={self.least} and most={self.most}")
        if type(self.matched) is not bool:
            raise SessionError(f"input_delay: matched={self.matched!r}; give True or False")
        object.__setattr__(self, "start", start)

    @property
    def first(self) -> int:
        """The delay that an episode starts with, in frames."""
        return self.least if self.start is None else self.start

    @staticmethod
    def of(value: Any) -> int | InputDelay:
        """The delay that is meant: a number of frames, "adaptive", "matched", an `InputDelay`, or a mapping of its fields.

        Raises:
            SessionError: it is none of these.
        """
        if isinstance(value, InputDelay):
            return value
        if type(value) is int and value >= 0:
            return value
        if value in ("adaptive", "matched") and isinstance(value, str):
            return InputDelay(matched=value == "matched")
        if isinstance(value, Mapping):
            try:
                return InputDelay(**value)
            except TypeError:
                pass
        raise SessionError(f"input_delay={value!r} is no delay; give a number of frames, 'adaptive', 'matched', or InputDelay(...)")


def plain_delay(delay: int | InputDelay) -> int | dict[str, Any]:
    """A delay as a JSON value, of which `InputDelay.of` makes it again."""
    return asdict(delay) if isinstance(delay, InputDelay) else delay


class DelayChooser:
    """Chooses the delay of this host's inputs.

    Args:
        setting: within which to choose.
        fps: frames a second.
        window: the prediction window, in frames: a peer that has come to it stalls, and says no more how far it would be.
    """

    def __init__(self, setting: InputDelay, fps: float, window: int) -> None:
        self._setting = setting
        period = 1000.0 / fps
        self._raised_ms, self._lowered_ms = max(RAISED_MS, RAISED_FRAMES * period), max(LOWERED_MS, LOWERED_FRAMES * period)
        self._gap_ms = max(GAP_MS, GAP_FRAMES * period)
        self._tolerated = min(max(1, round(TOLERATED_MS * fps / 1000)), window - 2)
        self._views: dict[int, deque[tuple[float, int]]] = {}
        self._frames: dict[int, int] = {}
        self._asked_at: float | None = None
        self._in_force = setting.first
        self._blind_until = self._raised_at = self._lowered_at = self._next = -math.inf
        #: What this host's delay should be, in frames.
        self.delay = setting.first

    def observe(self, now_ms: float, peer: int, frame: int, lacking: int, in_force: int, trip_ms: float | None) -> None:
        """A peer says how far it has gone on without this host's inputs. One that stands still says nothing new.

        Args:
            frame: the next frame that it will simulate.
            lacking: the first frame of which it lacks this host's input.
            in_force: the delay by which this host takes inputs now.
            trip_ms: the round trip to that peer, if it is known: what was sent by an earlier delay is answered by then.
        """
        if in_force != self._in_force:
            self._in_force = in_force
            self._blind_until = now_ms + (trip_ms or 0.0) + EVERY_MS
            self._views.clear()
        if self._asked_at is not None and now_ms - self._asked_at > self._gap_ms:
            self.rest(now_ms)
        before = self._frames.get(peer, -1)
        self._frames[peer] = max(before, frame)
        if frame <= before or now_ms < self._blind_until:
            return
        views = self._views.setdefault(peer, deque())
        views.append((now_ms, frame - lacking + in_force))
        while views[0][0] < now_ms - self._lowered_ms:
            views.popleft()

    def rest(self, now_ms: float) -> None:
        """This host stands still, so that its peers go on without it however near they are."""
        self._views.clear()
        self._blind_until = max(self._blind_until, now_ms + RESTED_MS)

    def restart(self) -> None:
        """Frames begin anew; the delay stays what it was."""
        self._views.clear()
        self._frames.clear()
        self._asked_at = None
        self._in_force = self._setting.first

    def choose(self, now_ms: float) -> int:
        """The delay that this host should have from now on, in frames."""
        self._asked_at = now_ms
        if now_ms < self._next:
            return self.delay
        self._next = now_ms + EVERY_MS
        soon, late = (
            max((self._asked(views, now_ms - span, share) for views in self._views.values()), default=None)
            for span, share in ((self._raised_ms, RAISED_SHARE), (self._lowered_ms, LOWERED_SHARE))
        )
        if soon is not None and soon > self.delay and now_ms - self._raised_at >= RAISED_EVERY_MS:
            self.delay, self._raised_at, self._lowered_at = soon, now_ms, now_ms
        elif late is not None and soon is not None and max(soon, late) < self.delay:
            if now_ms - self._lowered_at >= LOWERED_EVERY_MS:
                self.delay, self._lowered_at = self.delay - 1, now_ms
        else:
            self._lowered_at = now_ms  # it is lowered only after it was too long for all that time
        return self.delay

    def _asked(self, views: deque[tuple[float, int]], since: float, share: float) -> int:
        """The delay that all but a share of the views since then ask for; what is chosen already, if there are too few."""
        found = sorted(way for at, way in views if at >= since)
        if len(found) < FEWEST_VIEWS:
            return self.delay
        way = found[min(len(found) - 1, int(len(found) * (1.0 - share)))]
        return min(self._setting.most, max(self._setting.least, way - self._tolerated))


class MatchedDelay:
    """The delay that is in force for all hosts, told by the wishes in the inputs of every so-manieth frame.

    The wishes of frame f are in force for inputs taken in frames from f + `after` on. A host that has come to a frame c holds all
    inputs up to c - window; so with `after` = window it has the wishes of every f that counts, and so have all others.

    Args:
        start: in force until the first wishes are.
        every: how many frames lie between two frames with wishes.
        after: see above; the prediction window, in frames.
    """

    def __init__(self, start: int, every: int, after: int) -> None:
        self._every = every
        self._after = after
        self._decided = [(0, start)]
        #: The next frame whose wishes are to be learnt. The first is the first for which an input is taken.
        self.next = start

    def asks(self, frame: int) -> bool:
        """Whether the inputs of this frame hold wishes instead of the delay that they were taken by."""
        start = self._decided[0][1]
        return frame >= start and (frame - start) % self._every == 0

    def learn(self, wishes: Sequence[int]) -> None:
        """The wishes of all players in the inputs of frame `next`."""
        self._decided.append((self.next + self._after, max(wishes)))
        self.next += self._every

    def at(self, frame: int) -> int:
        """The delay of an input that is taken in this frame."""
        return next(delay for since, delay in reversed(self._decided) if since <= frame)

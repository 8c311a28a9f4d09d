"""When the next frame is due: at the frame rate, a little slower for who is ahead, later for who must wait.

All time is given to it, and what is known of the clocks of others. It knows nothing of frames' contents, peers or packets.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..rollback.timesync import TimeSync

__all__ = ["POLL_MS", "REPEAT_MS", "Pacing"]

#: How often a hello or an end is repeated until it is answered, in ms.
REPEAT_MS = 100.0
#: How long packets wait at the most before they are looked at, in ms: at a low frame rate, less than a frame.
POLL_MS = 25.0
#: How soon a stalled frame is tried again, in ms.
RETRY_MS = 8.0
#: Up to when in an episode one that began before the others waits for them, and how long at the most, in s.
START_S, LONGEST_WAIT_S = 2.0, 0.5


class Pacing:
    """The pace of one host.

    Args:
        fps: the rate that all hosts are to run at, in frames a second.

    Attributes:
        period_ms: the time between two frames at that rate.
        due: when the next frame is to be simulated, in ms of the caller's clock.
    """

    def __init__(self, fps: float) -> None:
        self.period_ms = 1000.0 / fps
        self.due = 0.0
        self._fps = fps
        self._retry_ms = min(RETRY_MS, self.period_ms)
        self._stalled = False
        self._waited = False  # for those who began this episode later

    def begin(self, now_ms: float) -> None:
        """An episode begins."""
        self.due = now_ms
        self._waited = False

    def part_to_come(self, now_ms: float) -> float:
        """Of the time between two frames, the share that is to pass until the next one: what is not due yet is not wholly there."""
        return min(1.0, max(0.0, (self.due - now_ms) / self.period_ms))

    def hold(self, now_ms: float) -> None:
        """This host does not go on for now, of its own will."""
        self.due = max(self.due, now_ms + self._retry_ms)

    def stepped(self, now_ms: float, frame: int, syncs: Sequence[TimeSync]) -> None:
        """A frame was simulated.

        Args:
            frame: the next one.
            syncs: the frame advantage over each that plays.
        """
        due = self.due + self.period_ms * max([sync.stretch for sync in syncs], default=1.0)
        self.due = max(due, now_ms - self.period_ms) + self.period_ms * self._wait_at_start(frame, syncs)
        self._stalled = False

    def failed(self, now_ms: float, *, stalled: bool) -> bool:
        """No frame could be simulated, though one was due. Whether a stall begins by that.

        Args:
            stalled: whether that is for want of inputs.
        """
        self.due = now_ms + self._retry_ms
        begins = stalled and not self._stalled
        self._stalled = self._stalled or stalled
        return begins

    def watched(self, now_ms: float, *, hurry: bool) -> None:
        """What others have made final was simulated; `hurry`: there is more of it than a little."""
        self.due = now_ms if hurry else max(self.due + self.period_ms, now_ms - self.period_ms)

    def _wait_at_start(self, frame: int, syncs: Sequence[TimeSync]) -> float:
        """How many frames to wait now, once in an episode: hosts do not begin it together, the later one up to a round trip later.

        One pause before much has happened is noticed less than a hundred slow frames.
        """
        if self._waited or frame > START_S * self._fps:
            return 0.0
        if not all(sync.settled for sync in syncs):
            return 0.0
        self._waited = True
        ahead = min(max([sync.ahead for sync in syncs], default=0.0), LONGEST_WAIT_S * self._fps)
        if ahead < 1.0:
            return 0.0
        for sync in syncs:
            sync.waited(ahead)
        return ahead

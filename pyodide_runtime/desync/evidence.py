"""What a host keeps of its own run until its peers have agreed on it: rows, and the states between them.

A state is a snapshot that was taken anyway; it shares with its neighbours whatever did not change, so that to keep those of a
second or so costs little. Nothing is digested before it is asked for. Where states are large or agreement is late, the states of
every second, fourth, ... frame are kept. It knows nothing of peers' data, packets or time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..batch import Runtime
from ..rollback.session import FinalFrame
from ..rows import Row
from ..simulation import Saved

__all__ = ["MOST_ROWS", "MOST_STATES", "Evidence"]

#: How many states are kept at the most, and of about how many bytes together, if they are more than the fewest.
MOST_STATES, MOST_BYTES, FEWEST_STATES = 240, 64 * 2**20, 4
#: How many rows are kept at the most: the oldest that are not agreed on.
MOST_ROWS = 1024


@dataclass(slots=True)
class Evidence:
    """The rows and states of one episode.

    Attributes:
        runtime: what it is played in.
        episode: its number.
        every: every how many frames the peers compare whole states.
        rows: by frame, without a gap, the rows that not all peers agreed on, with what they were made of.
        states: by frame, states at its beginning, from the last that all agreed on.
    """

    runtime: Runtime
    episode: int
    every: int
    rows: dict[int, tuple[Row, FinalFrame]] = field(default_factory=dict)
    states: dict[int, Saved] = field(default_factory=dict)
    _stride: int = 1
    _largest: int = 1  # bytes that a state was seen to take beside the one before it
    _room: int = MOST_STATES

    def begin(self) -> None:
        """Keep the state that the episode begins in; the runtime is at its beginning."""
        self._keep(self.runtime.simulation.save())

    def add(self, rows: Sequence[Row], final: Sequence[FinalFrame]) -> None:
        """Keep rows that became final, and the states after them, which the runtime still holds."""
        for row, frame in zip(rows, final, strict=True):
            number = frame.record.frame
            if not self.rows or (len(self.rows) < MOST_ROWS and number - 1 in self.rows):
                self.rows[number] = row, frame
            if self._wanted(number + 1):
                self._keep(self.runtime.held(number + 1))

    @property
    def since(self) -> int | None:
        """The oldest frame from which something may be played again; None if nothing is kept."""
        return next(iter(self.states), None)

    def agreed(self, rows: int) -> None:
        """All peers are known to have the first `rows` rows alike: let go of what can be no evidence any more."""
        while self.rows and (oldest := next(iter(self.rows))) < rows:
            del self.rows[oldest]
        base = rows - rows % self.every
        if base > next(iter(self.states), base):
            self.states = {frame: saved for frame, saved in self.states.items() if frame >= base}
            self._stride = 1

    def _wanted(self, frame: int) -> bool:
        # The states that the peers compare are kept whatever else is: there the difference is seen.
        return frame % self._stride == 0 or frame % self.every == 0

    def _keep(self, saved: Saved) -> None:
        if self.states and (saved.frame == 1 or saved.frame % self.every == 0):
            # To look once in a while costs nothing.
            newest = next(reversed(self.states.values()))
            self._largest = max(self._largest, self.runtime.simulation.own_bytes(saved, newest))
            self._room = max(FEWEST_STATES, min(MOST_STATES, MOST_BYTES // self._largest))
        self.states[saved.frame] = saved
        while len(self.states) > self._room:
            self._thin()

    def _thin(self) -> None:
        first, *others = self.states
        self._stride *= 2
        kept = [frame for frame in others if self._wanted(frame)]
        if len(kept) == len(others):
            del kept[0]
        self.states = {frame: self.states[frame] for frame in (first, *kept)}

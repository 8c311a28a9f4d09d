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
from ..simulation import GLOBAL_GENERATORS, Saved
from ..snapshots.transcript import transcript

__all__ = ["MOST_ROWS", "MOST_STATES", "Evidence"]

#: How many states are kept at the most, and of how many bytes together (as transcripts, without what they share), if they are more
#: than the fewest.
MOST_STATES, MOST_BYTES, FEWEST_STATES = 240, 32 * 2**20, 4
#: How many rows are kept at the most: the oldest that are not agreed on.
MOST_ROWS = 1024


@dataclass(slots=True)
class Evidence:
    """The rows and states of one episode.

    Attributes:
        runtime: what it is played in.
        episode: its number.
        every: every how many frames the peers compare whole states.
        rows: by frame, every row that not all peers agreed on, with what it was made of.
        states: by frame, states at its beginning, from the last that all agreed on.
    """

    runtime: Runtime
    episode: int
    every: int
    rows: dict[int, tuple[Row, FinalFrame]] = field(default_factory=dict)
    states: dict[int, Saved] = field(default_factory=dict)
    _stride: int = 1
    _room: int = MOST_STATES
    _measure_at: int = 0

    def begin(self) -> None:
        """Keep the state that the episode begins in; the runtime is at its beginning."""
        self._keep(self.runtime.simulation.save())

    def add(self, rows: Sequence[Row], final: Sequence[FinalFrame]) -> None:
        """Keep rows that became final, and the states after them, which the runtime still holds."""
        for row, frame in zip(rows, final, strict=True):
            number = frame.record.frame
            if len(self.rows) < MOST_ROWS:
                self.rows[number] = row, frame
            if self._wanted(number + 1):
                self._keep(self.runtime.held(number + 1))

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
        self.states[saved.frame] = saved
        if saved.frame >= self._measure_at:
            # It may grow as the episode goes on. To look ever more rarely costs nearly nothing.
            self._measure_at = max(self.every, 2 * saved.frame)
            size = len(transcript(self.runtime.simulation.state(saved), GLOBAL_GENERATORS))
            self._room = max(FEWEST_STATES, min(MOST_STATES, MOST_BYTES // max(1, size)))
        while len(self.states) > self._room:
            self._thin()

    def _thin(self) -> None:
        first, *others = self.states
        self._stride *= 2
        kept = [frame for frame in others if self._wanted(frame)]
        if len(kept) == len(others):
            del kept[0]
        self.states = {frame: self.states[frame] for frame in (first, *kept)}

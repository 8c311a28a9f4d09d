"""One episode with predicted inputs: what to load, step and save next, and which frames have become final.

The algorithm. `c` is the next frame to simulate. An input that has not arrived is predicted. When it arrives and
differs from what was used, the lowest such frame F is remembered. `advance` then rolls back: it loads F, replays F
.. c-1 with what is now known, saving every frame again, and goes on to c. It stalls when c is `window` frames
beyond the last frame of which every player's input is held, so that a rollback is never deeper than the window.

Invariants. (1) The records of the runtime hold, for every frame below c, the action that was really used, or that it was
left to a partner. (2) A
snapshot is held of every frame from `final` to c, and inputs from `final` on: one rule of retention for both. (3) A
frame is final once all its inputs are held here and, as far as reported, everywhere, and it was simulated with
them; nothing else makes it final.

A session that only watches takes part in nothing: it never predicts, and simulates what others have made final. An input
with the flag STOPS ends the episode before its frame.

It hands steps and rollbacks to a `Runtime`, and knows nothing of packets, clocks, files or browsers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ..batch import Runtime
from ..errors import EnvironmentFailed, SessionError
from ..operations import Snapshot
from ..simulation import StepRecord
from .delay import InputDelay, MatchedDelay
from .guesses import Guesser
from .inputs import ABSENT, STOPS, InputQueue, Prediction, action_in, delay_of, with_delay

__all__ = ["Advance", "Counters", "FinalFrame", "RollbackSession"]


@dataclass(slots=True)
class Counters:
    """What prediction cost, since the session began. All are counts of frames, except `rollbacks`.

    `stalls` counts the frames that had to wait for inputs, and `spared` those of `replayed` that were not simulated again, since a
    correction had changed nothing that mattered to them.
    """

    rollbacks: int = 0
    deepest_rollback: int = 0
    replayed: int = 0
    mispredictions: int = 0
    stalls: int = 0
    spared: int = 0


class Advance(NamedTuple):
    """What one call of `advance` did: how many frames it replayed, and whether it went on to a new one."""

    replayed: int
    stepped: bool


_NOTHING = Advance(0, False)


class FinalFrame(NamedTuple):
    """A frame that will never change: what happened, and every player's input, flags included."""

    record: StepRecord
    inputs: tuple[bytes, ...]


class RollbackSession:
    """Rollback for one episode of any number of players.

    Args:
        runtime: reset to the episode's seed, at frame 0.
        local: places (in the runtime's order of players) of the players whose inputs come from this host.
        neutral: the input that means nothing was done, for each player.
        input_delay: frames between taking a local input and the frame it belongs to; or how that is found out: then the local
            inputs carry it (`delay_of`).
        wishes_every: how many frames lie between two in which the hosts say what a matched delay should be.
        window: how far beyond the confirmed frame to go, in frames; 1 means never to predict.
        prediction: how to guess.
        guessers: for each player what guesses instead, carried on from an earlier episode; None where there is none.
        counters: to be carried on from an earlier episode.
        watching: whether this host only watches, as long as it does not `join`.

    Raises:
        SessionError: a setting cannot work.
    """

    def __init__(
        self,
        runtime: Runtime,
        *,
        local: Sequence[int],
        neutral: Sequence[bytes],
        input_delay: int | InputDelay = 0,
        wishes_every: int = 30,
        window: int = 8,
        prediction: Prediction = Prediction.LAST,
        guessers: Sequence[Guesser | None] | None = None,
        counters: Counters | None = None,
        watching: bool = False,
    ) -> None:
        if window < 1:
            raise SessionError(f"prediction window {window}: it must be at least 1 frame")
        setting = input_delay if isinstance(input_delay, InputDelay) else None
        delay = setting.first if setting is not None else InputDelay.of(input_delay)
        if not isinstance(delay, int):
            raise SessionError(f"input delay {input_delay!r}: give a number of frames, or InputDelay(...)")
        if runtime.frame != 0:
            raise SessionError("a session begins at frame 0 of an episode; reset the runtime first")
        runtime.keep_whole()
        self._runtime = runtime
        self._simulation = runtime.simulation
        self._partner = runtime.simulation.partner is not None
        self._window = window
        self.watching = watching
        self._delay = self._wish = delay
        self._adaptive = setting is not None
        self._matched = MatchedDelay(delay, wishes_every, window) if setting is not None and setting.matched else None
        self._players = tuple(local)
        self._neutral = tuple(neutral)
        first = [with_delay(data, delay) for data in neutral] if setting is not None else neutral
        # Who watches is told the first inputs as well: nothing happens before those who play have made it final.
        for guesser in guessers or ():
            if guesser is not None:
                guesser.begin_episode()
        self.queues = [
            InputQueue(data, 0 if watching else delay, prediction, guesser)
            for data, guesser in zip(first, guessers or [None] * len(first), strict=True)
        ]
        self.counters = counters or Counters()
        self._first_incorrect: int | None = None
        self._reported: dict[int, int] = {}
        self._blocked: int | None = None
        #: The frame before which the episode is cut off; None if it is not.
        self.stop: int | None = None
        self.final = 0  # the next frame to become final; all below it are
        runtime.batch([Snapshot()])

    # -- to be read --------------------------------------------------------------------------------------------------

    @property
    def frame(self) -> int:
        """c: the next frame to be simulated."""
        return self._simulation.frame

    @property
    def local(self) -> tuple[int, ...]:
        """The players whose inputs come from this host."""
        return () if self.watching else self._players

    @property
    def held(self) -> int:
        """The last frame up to which every player's input is held here; -1 if there is none."""
        return min([queue.last for queue in self.queues])

    @property
    def confirmed(self) -> int:
        """The last frame up to which every player's input is held by every peer, as far as they have reported."""
        return min([self.held, *self._reported.values()])

    @property
    def stalled(self) -> bool:
        """Whether the next frame must wait for inputs."""
        return not self._over and self._far

    @property
    def ended(self) -> bool:
        """Whether the episode is over and every frame of it is final."""
        return self._over and self.final == self.frame and self._first_incorrect is None

    @property
    def _over(self) -> bool:
        """Whether there is no next frame, as far as is known."""
        return self._simulation.done or (self.stop is not None and self._simulation.frame >= self.stop)

    @property
    def can_step(self) -> bool:
        """Whether `advance` would simulate the next frame, if told to step."""
        return self._going and not self._far

    @property
    def wants_input(self) -> bool:
        """Whether the local inputs of this frame are to be taken now.

        That is when the frame is about to be simulated, so as to take them as late as can be; but with a window of
        1 every peer waits for the others' inputs of this very frame, so there they are taken at once.
        """
        if self.watching or not self._going or (self._far and self._window > 1):
            return False
        needed = self._simulation.frame + self.delay
        return any(self.queues[player].last < needed for player in self._players)

    @property
    def delay(self) -> int:
        """How many frames after it is taken an input of this frame counts."""
        return self._delay if self._matched is None else self._matched.at(self._simulation.frame)

    def wish_delay(self, delay: int) -> None:
        """From now on the inputs of the local players are to be taken so many frames before they count.

        A matched delay is in force only once all hosts know of it, and only if none wishes for a longer one. A longer delay
        repeats the last input for the frames between; a shorter one takes no input until those that were taken have come
        to count.

        Raises:
            SessionError: the delay of this session is fixed.
        """
        if not self._adaptive:
            raise SessionError("the input delay of this session is fixed")
        self._wish = delay
        if self._matched is None:
            self._delay = delay

    @property
    def _going(self) -> bool:
        # An end that a correction may take back is taken back before the next frame is asked for: there may be none.
        return self._blocked is None and not self._over

    @property
    def _far(self) -> bool:
        """Whether the next frame is so far beyond what is held that it may not be predicted."""
        return self._simulation.frame - self.held >= (1 if self.watching else self._window)

    # -- what arrives ------------------------------------------------------------------------------------------------

    def receive(self, player: int, start: int, inputs: Sequence[bytes]) -> int:
        """Take inputs of a remote player for frames `start`, `start` + 1, ...

        Those that are held are ignored, and so are all if they would leave a gap. Returns how many were new.
        """
        queue = self.queues[player]
        held = queue.last + 1 - start
        if held < 0:
            return 0
        new = inputs[held:]
        if not new:
            return 0
        records, partner = self._runtime.records, self._partner
        for frame, data in enumerate(new, start + held):
            queue.add(frame, data)
            if data[0] & STOPS and (self.stop is None or frame < self.stop):
                self._stop(frame)
            if frame < len(records) and records[frame].actions[player] != action_in(data, partner):
                self.counters.mispredictions += 1
                if self._first_incorrect is None or frame < self._first_incorrect:
                    self._first_incorrect = frame
        self._learn_delays()
        return len(new)

    def _stop(self, frame: int) -> None:
        self.stop = frame
        if self._simulation.frame > frame and (self._first_incorrect is None or frame < self._first_incorrect):
            self._first_incorrect = frame  # what was simulated from there on never happened

    def report(self, peer: int, held: int) -> None:
        """A peer says up to which frame it holds every player's input."""
        if held > self._reported.get(peer, -2):
            self._reported[peer] = held

    def expect_report(self, peer: int) -> None:
        """From now on no frame is final before this peer has said that it holds its inputs."""
        self._reported.setdefault(peer, -1)

    def release(self, peer: int) -> None:
        """What this peer holds no longer matters."""
        self._reported.pop(peer, None)

    def join(self) -> None:
        """Watch no longer: from now on this host gives its players' inputs."""
        self.watching = False

    # -- going on ----------------------------------------------------------------------------------------------------

    def advance(self, local: Mapping[int, bytes] | None = None, *, step: bool = True) -> Advance:
        """Carry out what is pending, and simulate the next frame if it may be simulated.

        Args:
            local: an input for each local player, taken now; to be given if `wants_input`, and only then. It lands
                `input_delay` frames later.
            step: False: do not go on to the next frame, only carry out corrections.

        Raises:
            EnvironmentFailed: the environment raised with inputs that are all confirmed. (With predicted ones it
            may raise
                for what nobody did; then the session waits until it knows.)
        """
        frame, first = self._simulation.frame, self._first_incorrect
        if self._blocked is not None and (self.held >= self._blocked or first is not None):
            self._blocked = None
        if local is not None:
            for player in self._players:
                self._take(player, frame + self.delay, local[player])
        step = step and self.can_step
        if first is None and not step:
            return _NOTHING
        end = frame + 1 if step else frame
        if self.stop is not None and end > self.stop:
            end = self.stop
        replayed = 0
        if first is not None:
            replayed = frame - first
            self._first_incorrect = None
            self.counters.rollbacks += 1
            self.counters.replayed += replayed
            self.counters.deepest_rollback = max(self.counters.deepest_rollback, replayed)
        self._run(frame if first is None else first, end)
        return Advance(replayed, step and self._simulation.frame == end)

    def _take(self, player: int, needed: int, data: bytes) -> None:
        """Take a local player's input for frame `needed`, and the last one again for the frames that lack theirs before it."""
        queue, delay = self.queues[player], self.delay
        while queue.last < needed:
            frame = queue.last + 1
            taken = data if frame == needed else queue.newest
            if taken[0] & ABSENT:  # the player has just returned, after frames for which nothing could be taken
                taken = self._neutral[player]
            if self._adaptive:
                asks = self._matched is not None and self._matched.asks(frame)
                taken = with_delay(taken, self._wish if asks else delay)
            queue.add(frame, taken)
        self._learn_delays()

    def _learn_delays(self) -> None:
        """Learn the wishes for a matched delay as soon as they are held, before they can be discarded."""
        matched = self._matched
        while matched is not None and matched.next <= self.held:
            matched.learn([delay_of(queue.guess(matched.next)) for queue in self.queues])

    def _run(self, start: int, end: int) -> None:
        """Simulate from frame `start` up to `end`, which is not simulated, all or nothing.

        It stops before a frame whose predicted inputs make the environment raise.
        """
        while True:
            actions = [self._actions(frame) for frame in range(start, end)]
            try:
                self._simulate(start, actions)
                return
            except EnvironmentFailed as error:
                failed = error.frame
                if failed is None or failed <= self.held:
                    raise
                self._blocked = end = failed
                if start == end == self.frame:
                    return

    def _simulate(self, start: int, actions: list[tuple[bytes, ...]]) -> None:
        if start != self._simulation.frame or len(actions) != 1:
            self.counters.spared += self._runtime.replay(start, actions)
        elif not self._simulation.done:
            self._runtime.advance(actions[0])

    def _actions(self, frame: int) -> tuple[bytes, ...]:
        partner = self._partner
        return tuple([action_in(queue.guess(frame), partner) for queue in self.queues])

    # -- what is settled ---------------------------------------------------------------------------------------------

    def take_final(self) -> list[FinalFrame]:
        """The frames that became final since the last call, in order; afterwards nothing older than them is kept.

        Snapshots of the states after them are still held while this list is being made use of, until `retire`.
        """
        if self._first_incorrect is not None:
            return []
        start, end = self.final, min(self.confirmed + 1, self._simulation.frame)
        if self.stop is not None and end > self.stop:
            end = self.stop
        if end <= start:
            return []
        self.final = end
        records, queues = self._runtime.records, self.queues
        return [FinalFrame(records[frame], tuple([queue.guess(frame) for queue in queues])) for frame in range(start, end)]

    def retire(self) -> None:
        """Let go of what no rollback can need: snapshots and inputs of frames that are final. Every peer that was expected to
        report has reported that it holds them."""
        self._runtime.discard_before(self.final)
        for queue in self.queues:
            queue.discard_before(self.final)

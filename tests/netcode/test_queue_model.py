"""The input queue against a model of it, a plain dict, by whatever order of calls the machine comes up with."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pyodide_runtime.rollback.inputs import ABSENT, RETURNS, InputQueue, Prediction

NEUTRAL = b"\1\0"

#: Own inputs, inputs given by others, and those with which incarnation 1 or 2 of a host returns.
datas = st.one_of(
    st.builds(lambda focused, action: bytes((focused, action)), st.booleans(), st.integers(0, 4)),
    st.just(bytes((ABSENT, 0))),
    st.sampled_from([1, 2]).map(lambda incarnation: bytes((ABSENT | RETURNS | incarnation << 4, 0))),
)


class QueueMachine(RuleBasedStateMachine):
    """Everything that was ever taken, by frame, and the first frame that need be kept."""

    @initialize(delay=st.integers(0, 4), prediction=st.sampled_from(Prediction))
    def begin(self, delay: int, prediction: Prediction) -> None:
        self.prediction = prediction
        self.queue = InputQueue(NEUTRAL, delay, prediction)
        self.model = dict.fromkeys(range(delay), NEUTRAL)
        self.kept_from = 0

    @property
    def last(self) -> int:
        return max(self.model, default=-1)

    @rule(offset=st.integers(-3, 3), data=datas)
    def add(self, offset: int, data: bytes) -> None:
        frame = self.last + 1 + offset
        taken = self.queue.add(frame, data)
        assert taken == (offset == 0), "only the next one is taken"
        if taken:
            self.model[frame] = data

    @rule(many=st.integers(-2, 4), data=datas)
    def fill(self, many: int, data: bytes) -> None:
        frame = self.last + 1 + many
        self.queue.fill(frame, data)
        for filled in range(self.last + 1, frame):
            self.model[filled] = data

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def discard(self, data: st.DataObject) -> None:
        frame = data.draw(st.integers(0, self.last + 3))
        self.queue.discard_before(frame)
        self.kept_from = max(self.kept_from, min(frame, self.last))

    @invariant()
    def it_holds_what_was_taken_and_not_let_go_of(self) -> None:
        queue, last = self.queue, self.last
        assert (queue.first, queue.last) == (self.kept_from, last)
        for frame in range(last + 3):
            assert queue.held(frame) == (self.model.get(frame) if frame >= self.kept_from else None)
        assert queue.span(self.kept_from) == [self.model[frame] for frame in range(self.kept_from, last + 1)]
        assert queue.newest == (self.model[last] if self.model else NEUTRAL)

    @invariant()
    def it_guesses_what_is_held_and_else_goes_by_the_newest(self) -> None:
        newest = self.model[self.last] if self.model else NEUTRAL
        predicted = newest if self.prediction is Prediction.LAST else newest[:1] + NEUTRAL[1:]
        for frame in range(self.kept_from, self.last + 4):
            assert self.queue.guess(frame) == self.model.get(frame, predicted)

    @invariant()
    def a_drop_is_at_the_frame_after_the_last_input_of_the_one_who_is_gone(self) -> None:
        for gone in (0, 1, 2):
            held = [(frame, self.model[frame]) for frame in range(self.kept_from, self.last + 1)]
            came = next((frame for frame, data in held if data[0] & RETURNS and data[0] >> 4 > gone), self.last + 1)
            before = [frame for frame, data in held if frame < came and data[0] & (ABSENT | RETURNS) != ABSENT]
            assert self.queue.dropped_at(gone) == max([frame + 1 for frame in before], default=self.absent_from)

    @property
    def absent_from(self) -> int:
        """Where the absence began that lasts until what is kept, if there is one."""
        frame = self.kept_from
        while frame > 0 and self.model[frame - 1][0] & (ABSENT | RETURNS) == ABSENT:
            frame -= 1
        return frame


TestQueue = QueueMachine.TestCase
TestQueue.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)

"""The rollback session against a straight run of what it was told, by whatever order of calls the machine comes up with."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pyodide_runtime.batch import Runtime
from pyodide_runtime.drops import OnDrop
from pyodide_runtime.journal import inputs_text
from pyodide_runtime.ledger import EpisodeLedger, more_columns
from pyodide_runtime.partner import Policy
from pyodide_runtime.rerun import replay_episode
from pyodide_runtime.rollback.inputs import ABSENT, STOPS, Prediction, make_input
from pyodide_runtime.rollback.session import FinalFrame, RollbackSession

from .environments import Pond
from .partners import Heron

PLAYERS, SEED = 3, 11
NEUTRAL = make_input(b"\0", True)
LOCAL, PEER = 0, 1

inputs = st.one_of(st.builds(lambda action: make_input(bytes((action,)), True), st.integers(0, 4)), st.just(bytes((ABSENT, 0))))


class SessionMachine(RuleBasedStateMachine):
    """Player 0 plays here; of players 1 and 2 it is told, in any pieces, at any time; a peer reports what it holds, or is gone."""

    @initialize(
        delay=st.integers(0, 3),
        window=st.integers(1, 6),
        frames=st.sampled_from([3, 12, 60]),
        every=st.sampled_from([1, 1, 2, 5]),
        prediction=st.sampled_from(Prediction),
        partner=st.booleans(),
        ends_at=st.sampled_from([None, 7]),
    )
    def begin(
        self, delay: int, window: int, frames: int, every: int, prediction: Prediction, partner: bool, ends_at: int | None
    ) -> None:
        self.partner: Policy | None = Heron() if partner else None
        self.ends_at = ends_at
        self.frames, self.every, self.window = frames, every, window
        self.session = RollbackSession(
            self.runtime(), local=[LOCAL], neutral=[NEUTRAL] * PLAYERS, input_delay=delay, window=window, prediction=prediction
        )
        self.session.expect_report(PEER)
        self.told = [[NEUTRAL] * delay for _ in range(PLAYERS)]  # all that was ever given, of each player
        self.reported: int | None = -1
        self.final: list[FinalFrame] = []

    def runtime(self) -> Runtime:
        pond = Pond(PLAYERS, ends_at=self.ends_at)
        return Runtime(pond, seed=SEED, max_steps=self.frames, snapshot_every=self.every, partner=self.partner)

    @property
    def stop(self) -> int | None:
        return self.session.stop

    @rule(player=st.sampled_from([1, 2]), back=st.integers(0, 3), new=st.lists(inputs, max_size=5))
    def receive(self, player: int, back: int, new: list[bytes]) -> None:
        """What comes begins with some that are held, as it does in packets that were sent before an acknowledgement arrived."""
        told = self.told[player]
        again = told[max(self.session.queues[player].first, len(told) - back) :]
        if told and told[-1][0] & STOPS:
            new = []
        self.session.receive(player, len(told) - len(again), [*again, *new])
        told += new

    @rule(player=st.sampled_from([1, 2]), ahead=st.integers(1, 3), data=inputs)
    def a_gap_teaches_nothing(self, player: int, ahead: int, data: bytes) -> None:
        assert self.session.receive(player, len(self.told[player]) + ahead, [data]) == 0

    @precondition(lambda self: self.reported is not None)
    @rule(held=st.integers(-1, 70))
    def report(self, held: int) -> None:
        """An honest peer never holds what this host has not given."""
        assert self.reported is not None
        held = min(held, len(self.told[LOCAL]) - 1)
        self.reported = max(self.reported, held)
        self.session.report(PEER, held)

    @precondition(lambda self: self.reported is not None)
    @rule()
    def release(self) -> None:
        self.session.release(PEER)
        self.reported = None

    @rule(step=st.booleans(), data=inputs.filter(lambda data: not data[0] & ABSENT))
    def advance(self, step: bool, data: bytes) -> None:
        session, before = self.session, self.session.frame
        local = {LOCAL: data} if step and session.wants_input else None
        advanced = session.advance(local, step=step)
        for frame in range(len(self.told[LOCAL]), session.queues[LOCAL].last + 1):
            held = session.queues[LOCAL].held(frame)
            assert held is not None
            self.told[LOCAL].append(held)
        assert advanced.replayed <= self.window and session.counters.deepest_rollback <= self.window
        assert step or not advanced.stepped
        if advanced.stepped and self.stop is None:
            assert session.frame == before + 1

    @precondition(lambda self: self.stop is None)
    @rule(player=st.sampled_from([1, 2]))
    def stop_here(self, player: int) -> None:
        """The episode is cut off before the next frame of which nothing is held of this player."""
        data = bytes((ABSENT | STOPS, 0))
        self.session.receive(player, len(self.told[player]), [data])
        self.told[player].append(data)

    @rule()
    def take_final(self) -> None:
        for final in self.session.take_final():
            frame = final.record.frame
            assert frame == len(self.final), "in order, and none twice"
            assert all(frame < len(told) for told in self.told), "only what was given"
            assert final.inputs == tuple(told[frame] for told in self.told)
            assert self.reported is None or frame <= self.reported, "only what the peer holds, too"
            assert self.stop is None or frame < self.stop
            self.final.append(final)
        self.session.retire()

    @invariant()
    def it_is_never_farther_ahead_than_its_window(self) -> None:
        if hasattr(self, "session"):
            session = self.session
            assert session.frame - session.held <= self.window
            assert session.held == min(map(len, self.told)) - 1
            assert session.final <= session.frame and all(queue.first <= session.final for queue in session.queues)

    def teardown(self) -> None:
        """What became final is, cell by cell, what a run without prediction makes of the same inputs."""
        if not getattr(self, "final", None):
            return
        on_drop = OnDrop.PARTNER if self.partner else OnDrop.DEFAULT
        runtime = self.runtime()
        here, there = (
            EpisodeLedger(0, SEED, runtime.players, runtime.simulation.codecs, more_columns(on_drop, adaptive_delay=False))
            for _ in range(2)
        )
        rows = [here.append(final).cells for final in self.final]
        text = inputs_text([final.inputs for final in self.final])
        assert rows == list(replay_episode(runtime, there, [text], digest_every=None))


TestSession = SessionMachine.TestCase
TestSession.settings = settings(
    max_examples=60, stateful_step_count=60, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)

"""What is kept as evidence: every frame since the last state that was agreed on, within bounds, and nothing else."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from pyodide_runtime.batch import Runtime
from pyodide_runtime.desync import evidence as module
from pyodide_runtime.desync.evidence import FEWEST_STATES, MOST_ROWS, MOST_STATES, Evidence
from pyodide_runtime.ledger import EpisodeLedger
from pyodide_runtime.rollback.inputs import make_input
from pyodide_runtime.rollback.session import RollbackSession
from pyodide_runtime.snapshots.ways import SnapshotWay

from .environments import Pond


class Picklable(Pond):
    """Without the closure, which is no matter for pickle."""

    def reset(self, seed: int | None = None, options: Any = None) -> Any:
        answer = super().reset(seed, options)
        self.tally = same
        return answer


def same(amount: int) -> int:
    return amount


class Run:
    """One host that plays alone, and keeps evidence as a match does."""

    def __init__(self, every: int, env: Any = Pond, **options: Any) -> None:
        self.runtime = Runtime(env(1), **options)
        self.session = RollbackSession(self.runtime, local=[0], neutral=[make_input(b"\0", True)])
        self.ledger = EpisodeLedger(0, 0, self.runtime.players, self.runtime.simulation.codecs)
        self.evidence = Evidence(self.runtime, 0, every)
        self.evidence.begin()

    def play(self, frames: int) -> Evidence:
        for _ in range(frames):
            self.session.advance({0: make_input(bytes([self.session.frame % 5]), True)})
            final = self.session.take_final()
            self.evidence.add([self.ledger.append(frame) for frame in final], final)
            self.session.retire()
        return self.evidence


def test_every_state_and_row_since_the_last_agreed_state_is_kept() -> None:
    run = Run(every=30)
    kept = run.play(45)
    assert [*kept.states] == [*range(46)] and [*kept.rows] == [*range(45)]
    kept.agreed(29)
    assert [*kept.states] == [*range(46)] and [*kept.rows] == [*range(29, 45)], "states are agreed on at multiples only"
    kept.agreed(44)
    assert [*kept.states] == [*range(30, 46)] and [*kept.rows] == [44]
    kept.agreed(45)
    assert [*kept.states] == [*range(30, 46)] and not kept.rows
    run.play(20)
    assert [*kept.states] == [*range(30, 66)] and [*kept.rows] == [*range(45, 65)]


@pytest.mark.parametrize("snapshots", [SnapshotWay.GRAPH, SnapshotWay.PICKLE])
@pytest.mark.parametrize("snapshot_every", [1, 3])
def test_what_is_kept_are_the_states_of_the_run(snapshots: SnapshotWay, snapshot_every: int) -> None:
    run = Run(every=30, env=Picklable, snapshots=snapshots, snapshot_every=snapshot_every)
    digests = [run.runtime.digest()]
    for _ in range(40):
        run.play(1)
        digests.append(run.runtime.digest())
    simulation = run.runtime.simulation
    assert [simulation.digest(saved) for saved in run.evidence.states.values()] == digests
    assert run.runtime.digest() == digests[-1], "to look at them changes nothing"


def test_without_agreement_what_is_kept_has_a_bound() -> None:
    run = Run(every=1000)
    kept = run.play(1500)
    assert len(kept.states) <= MOST_STATES and len(kept.rows) <= MOST_ROWS
    assert {0, 1000} <= set(kept.states), "the oldest, and those that peers compare, are"
    assert [*kept.rows] == [*range(MOST_ROWS)], "the oldest rows, without a gap"
    gaps = [later - earlier for earlier, later in pairwise(kept.states)]
    assert max(gaps) <= 16
    kept.agreed(1100)
    assert not kept.rows or next(iter(kept.rows)) >= 1100
    run.play(10)
    assert [*kept.states][-10:] == [*range(1501, 1511)], "once agreed, every frame is kept again"
    assert [*kept.rows] == [*range(1500, 1510)]


def test_peers_that_compare_every_state_and_never_agree_fill_no_memory() -> None:
    kept = Run(every=1).play(3 * MOST_STATES)
    assert len(kept.states) <= MOST_STATES and 0 in kept.states and 3 * MOST_STATES in kept.states


def test_two_hosts_that_thinned_at_different_times_have_states_in_common() -> None:
    one, two = Run(every=50).play(1000), Run(every=50).play(1000)
    one.agreed(200)
    common = sorted({*one.states} & {*two.states})
    assert len(common) >= MOST_STATES // 4
    assert max(later - earlier for earlier, later in pairwise(common)) <= 8


def test_large_states_are_fewer_and_what_is_shared_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    class Heavy(Pond):
        busy = True

        def reset(self, seed: int | None = None, options: Any = None) -> Any:
            self.load = bytearray(100_000)
            return super().reset(seed, options)

        def step(self, actions: dict[str, int]) -> tuple[Any, ...]:
            if self.busy:
                self.load[self.clock] = 1
            return super().step(actions)

    class Resting(Heavy):
        busy = False

    monkeypatch.setattr(module, "MOST_BYTES", 1_000_000)
    assert FEWEST_STATES <= len(Run(every=100, env=Heavy).play(90).states) <= 10
    assert len(Run(every=100, env=Resting).play(90).states) > 60

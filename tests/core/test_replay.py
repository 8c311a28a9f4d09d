"""Laws of replays that are cut short: nobody can tell, but by how often the environment was stepped."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pyodide_runtime as pr
from tests.netcode.environments import Discrete


class Nap:
    """A player who sleeps through most frames: what they do counts in every third. All state is made anew in every step."""

    possible_agents = ("sleeper", "other")
    steps = 0

    def __init__(self, ends_at: int | None = None) -> None:
        self._ends_at = ends_at

    def action_space(self, agent: str) -> Discrete:
        return Discrete(4)

    def reset(self, seed: int | None = None, options: Any = None) -> tuple[dict[str, int], dict[str, dict[str, Any]]]:
        self.agents = list(self.possible_agents)
        self.dice = random.Random(seed)
        self.state: dict[str, Any] = {"clock": 0, "bed": {"warm": {1, 2}}, "dreams": [0]}
        return {}, {agent: {} for agent in self.agents}

    def step(self, actions: dict[str, int]) -> tuple[Any, ...]:
        Nap.steps += 1
        clock, dreams = self.state["clock"] + 1, list(self.state["dreams"])
        drawn = self.dice.randrange(5)
        if clock % 3 == 0:
            dreams.append(actions["sleeper"] + 4 * actions["other"] + drawn)
        warm = {*self.state["bed"]["warm"], clock} - {clock - 5}
        self.state = {"clock": clock, "bed": {"warm": warm}, "dreams": dreams[-4:]}
        # Nobody sees at once what they dreamt of.
        rewards = {agent: float(sum(dreams) if clock % 7 == 0 else 0) + drawn for agent in self.agents}
        over = self._ends_at is not None and clock >= self._ends_at
        told = dict.fromkeys(self.agents, over), dict.fromkeys(self.agents, False)
        seen = dict.fromkeys(self.agents, (clock, dreams[-1]))
        agents, self.agents = self.agents, [] if over else self.agents
        return seen, rewards, *told, {agent: {"dreams": len(dreams)} for agent in agents}


Actions = tuple[bytes, bytes]
acts = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 3)).map(lambda pair: (bytes([pair[0]]), bytes([pair[1]]))), min_size=30, max_size=30
)


def played(actions: list[Actions], ends_at: int | None = None) -> pr.Runtime:
    runtime = pr.Runtime(Nap(ends_at), seed=4)
    runtime.batch([pr.Snapshot()])
    for pair in actions:
        if not runtime.done:
            runtime.advance(pair)
    return runtime


def assert_alike(one: pr.Runtime, other: pr.Runtime) -> None:
    assert one.frame == other.frame and one.done == other.done
    assert one.records == other.records and one.digest() == other.digest()
    assert one.simulation.observations == other.simulation.observations
    assert one.held_frames == other.held_frames
    for frame in one.held_frames:
        assert one.snapshot_digest(frame) == other.snapshot_digest(frame)


@settings(deadline=None, max_examples=60)
@given(
    actions=acts,
    corrections=st.lists(st.tuples(st.integers(1, 8), st.integers(0, 3), st.integers(0, 2), st.booleans()), min_size=1, max_size=6),
    ends_at=st.sampled_from([None, 14, 17]),
)
def test_a_replay_cut_short_is_the_run_that_went_straight(
    actions: list[Actions], corrections: list[tuple[int, int, int, bool]], ends_at: int | None
) -> None:
    taken = list(actions[:14])
    runtime = played(taken, ends_at)
    for depth, action, more, goes_on in corrections:
        start = runtime.frame - depth
        wanted = taken[start : runtime.frame]
        for place in range(min(more + 1, depth)):
            wanted[place] = (bytes([action]), wanted[place][1])
        if goes_on and not runtime.done:
            wanted.append(actions[runtime.frame])
        runtime.replay(start, wanted)
        taken[start:] = wanted[: runtime.frame - start]
        assert_alike(runtime, played(taken, ends_at))
    for frame in reversed(runtime.held_frames[-5:]):
        runtime.batch([pr.Restore(frame)])
        straight = played(taken[:frame], ends_at)
        assert runtime.digest() == straight.digest()
        if not runtime.done:
            runtime.batch([pr.Step(actions[frame])])
            straight.batch([pr.Step(actions[frame])])
            assert runtime.digest() == straight.digest() and runtime.records[-1] == straight.records[-1]


def test_what_follows_a_correction_that_changed_nothing_is_not_simulated_again() -> None:
    same = [(b"\1", b"\2")] * 12
    runtime, straight = played(same), played([*same[:3], (b"\3", b"\2"), *same[4:], (b"\1", b"\1")])
    Nap.steps = 0
    assert runtime.replay(3, [(b"\3", b"\2"), *same[4:], (b"\1", b"\1")]) == 8
    assert Nap.steps == 2, "the frame that was corrected, and the new one"
    assert_alike(runtime, straight)


def test_what_comes_to_the_same_later_is_simulated_until_then() -> None:
    """The dream of a frame that counts is forgotten after four more."""
    same = [(b"\1", b"\2")] * 24
    runtime, straight = played(same), played([*same[:5], (b"\3", b"\2"), *same[6:], (b"\1", b"\1")])
    spared = runtime.replay(5, [(b"\3", b"\2"), *same[6:], (b"\1", b"\1")])
    # What was won meanwhile stays another.
    assert spared == 0
    assert_alike(runtime, straight)


@pytest.mark.parametrize("prediction", ["last", "default"])
def test_hosts_whose_replays_are_cut_short_end_with_the_same_data(prediction: str) -> None:
    line = pr.NetworkConditions(latency_ms=150, jitter_ms=40, loss=0.1)
    spared, frames = [0], [0]
    replay = pr.Runtime.replay

    def counted(runtime: pr.Runtime, frame: int, actions: Any) -> int:
        found = replay(runtime, frame, actions)
        spared[0] += found
        frames[0] += len(actions)
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pr.Runtime, "replay", counted)
        report = pr.simulate(Nap, players=2, frames=300, conditions=line, seed=5, prediction=prediction)
    assert report.identical, report.divergence
    assert frames[0] > spared[0] > (200 if prediction == "default" else 0)

"""A delay that adapts: what it does to inputs, that it serves, and that a matched one is the same for all, told from the data."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

import pyodide_runtime as pr
from pyodide_runtime.batch import Runtime
from pyodide_runtime.errors import SessionError
from pyodide_runtime.network.virtual import NetworkConditions
from pyodide_runtime.operations import Reset
from pyodide_runtime.rollback.inputs import delay_of, make_input
from pyodide_runtime.rollback.session import RollbackSession
from pyodide_runtime.settings import Outcome

from .campaign import campaign
from .environments import Pond
from .sessions import Table, assert_completed
from .test_frames import confirmed_inputs

ADAPTIVE, MATCHED = pr.InputDelay(most=8), pr.InputDelay(most=8, matched=True)


# -- one session -----------------------------------------------------------------------------------------------------


def alone(delay: pr.InputDelay) -> RollbackSession:
    runtime = Runtime(Pond(1))
    runtime.batch([Reset(1)])
    return RollbackSession(runtime, local=[0], neutral=[make_input(b"\0", True)], input_delay=delay, wishes_every=10)


def play(session: RollbackSession, wishes: dict[int, int], frames: int) -> tuple[list[tuple[int, int]], list[int]]:
    """Play on, with wishes by frame. (action, delay) of each frame's input, and the frames in which one was taken."""
    taken, found = [], []
    for frame in range(frames):
        if frame in wishes:
            session.wish_delay(wishes[frame])
        wanted = session.wants_input
        if wanted:
            taken.append(frame)
        session.advance({0: make_input(bytes([frame % 5]), True)} if wanted else None)
        found += [(final.inputs[0][1], delay_of(final.inputs[0])) for final in session.take_final()]
    return found, taken


def test_a_longer_delay_repeats_the_last_input_for_the_frames_between() -> None:
    found, taken = play(alone(pr.InputDelay(start=1)), {4: 4}, 12)
    neutral, fills = [(0, 1)], [(3, 4)] * 3
    assert found == [*neutral, (0, 1), (1, 1), (2, 1), (3, 1), *fills, (4, 4), (0, 4), (1, 4), (2, 4)]
    assert taken == list(range(12))


def test_a_longer_delay_from_the_first_frame_on_repeats_the_neutral_input() -> None:
    found, _ = play(alone(pr.InputDelay()), {0: 3}, 6)
    assert found == [(0, 3)] * 3 + [(0, 3), (1, 3), (2, 3)]


def test_a_shorter_delay_takes_no_input_until_those_taken_have_come_to_count() -> None:
    found, taken = play(alone(pr.InputDelay(start=4)), {3: 1}, 12)
    assert taken == [0, 1, 2, *range(6, 12)], "the input of frame 6 was taken in 2; the next, of frame 7, is taken in 6"
    assert found == [(0, 4)] * 4 + [(0, 4), (1, 4), (2, 4)] + [(frame % 5, 1) for frame in range(6, 11)]


def test_a_fixed_delay_cannot_be_changed_and_is_not_in_the_inputs() -> None:
    runtime = Runtime(Pond(1))
    runtime.batch([Reset(1)])
    session = RollbackSession(runtime, local=[0], neutral=[make_input(b"\0", True)], input_delay=2)
    with pytest.raises(SessionError, match="fixed"):
        session.wish_delay(3)
    found, _ = play(session, {}, 6)
    assert {delay for _, delay in found} == {0}


def test_a_matched_delay_is_in_force_a_window_after_the_wish() -> None:
    session = alone(pr.InputDelay(matched=True))
    found, _ = play(session, {0: 3}, 40)
    wishes = [frame for frame, (_, delay) in enumerate(found) if delay == 3][:1]
    assert wishes == [0], "the input of frame 0 says what is wished"
    assert [delay for _, delay in found[1:8]] == [0] * 7
    assert {delay for _, delay in found[8:]} == {3} and session.delay == 3


# -- matches ---------------------------------------------------------------------------------------------------------


def table_of(delay: Any, players: int = 2, frames: int = 240, **options: Any) -> Table:
    return Table(lambda: Pond(players), players=players, frames=frames, input_delay=delay, **options)


def test_an_adaptive_delay_spares_rollbacks_and_is_noted() -> None:
    line = NetworkConditions(latency_ms=120, jitter_ms=20)
    replayed = {}
    for name, delay in (("none", 0), ("adaptive", ADAPTIVE), ("matched", MATCHED)):
        table = table_of(delay, conditions=line)
        assert_completed(table.run().result(), 240)
        replayed[name] = sum(match.counters.replayed for match in table.matches)
        for match, journal in zip(table.matches, table.journals, strict=True):
            notes = [note for note in journal.notes if note["event"] == "input_delay"]
            assert [note["delay"] for note in notes][:1] == ([0] if delay else [])
            if delay:
                assert notes[-1]["delay"] == match.session.delay >= 2
    assert replayed["adaptive"] < 0.6 * replayed["none"] and replayed["matched"] < 0.7 * replayed["none"]


def test_on_a_near_line_there_is_no_delay() -> None:
    for delay in (ADAPTIVE, MATCHED):
        table = table_of(delay, conditions=NetworkConditions(latency_ms=15, jitter_ms=5))
        assert_completed(table.run().result(), 240)
        assert {delay_of(data) for inputs in confirmed_inputs(table.journals[0], 0) for data in inputs} == {0}


def test_each_host_chooses_its_own_by_how_long_its_inputs_take() -> None:
    """Of three, one is far: its inputs take long to both others. The two near ones delay for its sake, too."""
    lines = {(a, b): NetworkConditions(latency_ms=150) for a, b in ((0, 2), (2, 0), (1, 2), (2, 1))}
    table = table_of(ADAPTIVE, 3, conditions=NetworkConditions(latency_ms=10), lines=lines)
    assert_completed(table.run().result(), 240)
    assert min(match.session.delay for match in table.matches) >= 2
    near = table_of(ADAPTIVE, 3, conditions=NetworkConditions(latency_ms=10))
    near.network.set_line(2, 0, NetworkConditions(latency_ms=250))
    assert_completed(near.run().result(), 240)
    assert near.matches[1].session.delay == 0 < near.matches[2].session.delay


def test_the_delay_follows_the_line() -> None:
    table = table_of(ADAPTIVE, frames=900, conditions=NetworkConditions(latency_ms=10))
    table.run(lambda: table.matches[0].frame >= 90)
    assert [match.session.delay for match in table.matches] == [0, 0]
    for ends in ((0, 1), (1, 0)):
        table.network.set_line(*ends, NetworkConditions(latency_ms=150))
    worse = table.now
    table.run(lambda: min(match.session.delay for match in table.matches) >= 2, limit_ms=3000)
    assert table.now - worse < 1500, "it is raised as soon as it is needed"
    for ends in ((0, 1), (1, 0)):
        table.network.set_line(*ends, NetworkConditions(latency_ms=10))
    better = table.now
    table.run(lambda: max(match.session.delay for match in table.matches) == 0, limit_ms=20_000)
    assert table.now - better > 4000, "it is lowered slowly"
    assert_completed(table.run().result(), 900)


@pytest.mark.parametrize("matched", [False, True])
@pytest.mark.parametrize("players", [2, 3, 4])
def test_matches_with_an_adaptive_delay_complete_with_equal_data(players: int, matched: bool) -> None:
    tally = campaign(
        range(4100 + players, 4112 + players),
        lambda r: {
            "players": players,
            "frames": 60,
            "episodes": r.choice([1, 2]),
            "fps": r.choice([10.0, 30.0, 60.0]),
            "conditions": NetworkConditions(
                latency_ms=r.choice([20, 80, 160]),
                jitter_ms=r.choice([0, 40]),
                loss=r.choice([0, 0.1, 0.3]),
                duplicate=0.1,
                reorder=0.1,
            ),
            "window": r.choice([1, 2, 4, 8, 14]),
            "input_delay": pr.InputDelay(
                least=r.choice([0, 1]), most=r.choice([3, 15]), start=r.choice([1, 2, 3]), matched=matched
            ),
            "snapshot_every": r.choice([1, 3]),
        },
        ends_at=29 if players == 3 else None,
    )
    assert tally.rollbacks > 100 and tally.lost > 100 and tally.fewest_actions >= 2


# -- matched: the same for all, told from the data alone -------------------------------------------------------------


def straight(inputs: Sequence[tuple[bytes, ...]], setting: pr.InputDelay, every: int, after: int) -> list[int | None]:
    """The delay that every player's input of each frame must have been taken by; None where it holds a wish instead.

    Told from the confirmed inputs alone, as a reader of the data would: the longest wish of frame f counts for inputs taken
    from f + `after` on; what was taken in c counts in c + delay; frames between hold the last input again.
    """
    start = setting.first
    wishes = range(start, len(inputs), every)
    found: list[int | None] = [start] * start
    for taken in range(len(inputs)):
        told = [frame for frame in wishes if frame + after <= taken]
        delay = max(map(delay_of, inputs[told[-1]])) if told else start
        while len(found) < taken + delay + 1:
            found.append(None if len(found) in wishes else delay)
    return found[: len(inputs)]


@pytest.mark.parametrize("players", [2, 3, 4])
@pytest.mark.parametrize("seed", range(5))
def test_a_matched_delay_is_the_same_for_all_in_every_frame(players: int, seed: int) -> None:
    r = random.Random(f"{players} {seed}")
    line = NetworkConditions(
        latency_ms=r.choice([5, 40, 90]), jitter_ms=r.choice([0, 30, 60]), loss=r.choice([0, 0.1, 0.3]), reorder=0.1
    )
    far = {
        (a, b): replace(line, latency_ms=r.choice([5, 60, 140, 220]))
        for a in range(players)
        for b in range(players)
        if a != b and r.random() < 0.6
    }
    fps, window = r.choice([10.0, 30.0, 60.0]), r.choice([1, 3, 8, 14])
    setting = pr.InputDelay(most=r.choice([5, 10]), start=r.choice([0, 2]), matched=True)
    table = table_of(
        setting, players, frames=round(fps * 6), conditions=line, lines=far, seed=seed, fps=fps, window=window, episodes=2
    )
    # All lines get much worse, and then single ones better or worse, so that the delay goes up and down.
    ends = [(a, b) for a in range(players) for b in range(players) if a != b]
    at = [2000.0, 4000.0, 9000.0]

    def change() -> None:
        while at and table.now >= at[0]:
            at.pop(0)
            for a, b in ends if len(at) == 2 else [r.choice(ends)]:
                table.network.set_line(a, b, replace(line, latency_ms=400 if len(at) == 2 else r.choice([0, 250])))

    assert_completed(table.run(each=change, limit_ms=600_000).result(), round(fps * 6) * 2)
    delays: set[int] = set()
    for episode in range(2):
        inputs = confirmed_inputs(table.journals[0], episode)
        assert len(inputs) == round(fps * 6)
        for frame, (data, delay) in enumerate(zip(inputs, straight(inputs, setting, round(fps), window), strict=True)):
            if delay is not None:
                assert {delay_of(one) for one in data} == {delay}, f"episode {episode}, frame {frame}"
                delays.add(delay)
    assert len(delays) > 1, "the delay never changed: this run shows nothing"


# -- terms and strangers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("other", [0, ADAPTIVE, pr.InputDelay(most=7, matched=True)])
def test_hosts_with_other_delays_refuse_each_other(other: Any) -> None:
    table = table_of(MATCHED, settings=lambda place, settings: replace(settings, input_delay=other) if place else settings)
    table.run()
    for match in table.matches:
        assert match.outcome is Outcome.REFUSED and "input_delay" in match.detail


@pytest.mark.parametrize(("delay", "told"), [(0, 1), (3, 3), (pr.InputDelay(most=4), 5), (pr.InputDelay(most=4, matched=True), 15)])
def test_a_delay_that_cannot_be_is_a_malformed_packet(delay: Any, told: int) -> None:
    table = table_of(delay, conditions=NetworkConditions(latency_ms=20))
    table.run(lambda: table.matches[0].frame >= 20)
    liar = table.matches[1]
    own = liar.session.queues[1]
    span = own.span

    def lie(start: int) -> list[bytes]:
        return [bytes([data[0] & 0x0F | told << 4]) + data[1:] for data in span(start)]

    own.span = lie  # type: ignore[method-assign]
    held, malformed = table.matches[0].session.queues[1].last, table.matches[0].malformed
    start = table.now
    table.run(lambda: table.now >= start + 300)
    assert table.matches[0].malformed > malformed + 5
    assert table.matches[0].session.queues[1].last <= held + 2, "nothing of it was taken"

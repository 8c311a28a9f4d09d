"""One frame's laws: prediction, the first incorrect frame, rollback, stall, input delay, and when a row is final."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pyodide_runtime.journal import Frames, MemoryJournal
from pyodide_runtime.network.virtual import NetworkConditions
from pyodide_runtime.network.wire import Inputs, decode, session_key
from pyodide_runtime.rollback.inputs import Prediction, make_input
from pyodide_runtime.rows import Row
from pyodide_runtime.settings import Phase

from .environments import Pond
from .sessions import Sampler, Table, assert_completed

KEY = session_key("virtual")
FAR = NetworkConditions(latency_ms=100, jitter_ms=30)
BAD = NetworkConditions(latency_ms=60, jitter_ms=80, loss=0.2, duplicate=0.1, reorder=0.2)


def pond(players: int = 2) -> Callable[[], Pond]:
    return lambda: Pond(players)


def constant(action: int) -> Callable[[int], Sampler]:
    return lambda place: lambda player: make_input(bytes([action]), True)


# -- prediction ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("players", [2, 4])
def test_right_predictions_cost_nothing(players: int) -> None:
    table = Table(pond(players), players=players, frames=60, conditions=BAD, sampler=constant(0))
    assert_completed(table.run().result(), 60)
    for match in table.matches:
        assert (match.counters.rollbacks, match.counters.replayed, match.counters.mispredictions) == (0, 0, 0)


def test_predicting_the_last_input_errs_once_for_each_change() -> None:
    """Two keys held one after the other: one wrong prediction each, however long they are held."""
    changes = [0, 20, 40]

    def sampler(place: int) -> Sampler:
        taken = iter(range(1000))
        return lambda player: make_input(
            bytes([1 + sum(at <= next_frame for at in changes)]) if (next_frame := next(taken)) >= 0 else b"", True
        )

    table = Table(pond(), frames=60, conditions=NetworkConditions(latency_ms=100), sampler=sampler).run()
    assert_completed(table.result(), 60)
    for match in table.matches:
        assert match.counters.rollbacks == len(changes)


def test_predicting_the_default_errs_with_every_frame_of_a_held_key() -> None:
    table = Table(pond(), frames=60, conditions=FAR, sampler=constant(3), prediction=Prediction.DEFAULT).run()
    assert_completed(table.result(), 60)
    for match in table.matches:
        assert match.counters.mispredictions > 40
    idle = Table(pond(), frames=60, conditions=FAR, sampler=constant(0), prediction=Prediction.DEFAULT).run()
    assert [match.counters.rollbacks for match in idle.matches] == [0, 0]


def test_the_focus_alone_never_causes_a_rollback_but_is_in_the_rows() -> None:
    def sampler(place: int) -> Sampler:
        source = random.Random(place)
        return lambda player: make_input(b"\x02", source.random() < 0.5)

    table = Table(pond(), frames=60, conditions=FAR, sampler=sampler).run()
    assert_completed(table.result(), 60)
    for match, journal in zip(table.matches, table.journals, strict=True):
        assert match.counters.rollbacks <= 1  # the first action was not the neutral one
        for column in ("focused.frog_0", "focused.frog_1"):
            assert {dict(row)[column] for row in journal.cells} == {"true", "false"}


# -- rollback and stall ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("window", [1, 2, 5, 16])
def test_no_rollback_is_deeper_than_the_window(window: int) -> None:
    line = NetworkConditions(latency_ms=150, jitter_ms=150, loss=0.3, reorder=0.3)
    table = Table(pond(), frames=90, conditions=line, window=window)

    def look() -> None:
        for match in table.matches:
            assert match.frame - match.session.held <= window

    assert_completed(table.run(each=look).result(), 90)
    deepest = [match.counters.deepest_rollback for match in table.matches]
    assert max(deepest) == window - 1 if window <= 5 else 8 < max(deepest) <= window


def test_a_window_of_one_never_predicts() -> None:
    table = Table(pond(3), players=3, frames=40, conditions=FAR, window=1).run()
    assert_completed(table.result(), 40)
    for match in table.matches:
        assert match.counters.rollbacks == match.counters.mispredictions == 0
        assert match.counters.stalls > 30


def test_who_lacks_inputs_stalls_at_the_window_and_goes_on_when_they_come() -> None:
    table = Table(pond(), frames=200, window=6, conditions=NetworkConditions(latency_ms=30))
    table.run(lambda: table.matches[0].frame >= 40)
    table.network.set_line(1, 0, NetworkConditions(loss=1.0))
    start = table.now
    table.run(lambda: table.now >= start + 1500)
    stalled = table.matches[0]
    assert stalled.session.stalled and stalled.frame == stalled.session.held + 6
    frame, stalls = stalled.frame, stalled.counters.stalls
    assert stalls == 1, "one frame waits, however often it is tried"
    sent = stalled.peers[1].bytes_sent
    table.run(lambda: table.now >= start + 3000)
    assert stalled.frame == frame and stalled.counters.stalls == 1
    assert stalled.peers[1].bytes_sent > sent + 20 * 50, "who stalls goes on sending and acknowledging"
    table.network.set_line(1, 0, NetworkConditions(latency_ms=30))
    assert_completed(table.run().result(), 200)


def test_a_frame_after_the_end_is_no_stall() -> None:
    table = Table(pond(), frames=40, window=4, conditions=NetworkConditions(latency_ms=80)).run()
    assert_completed(table.result(), 40)
    assert [match.counters.stalls for match in table.matches] == [0, 0]


# -- input delay and sending -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("delay", [0, 1, 6])
@pytest.mark.parametrize("window", [1, 2, 8])
def test_a_sample_taken_at_c_lands_d_frames_later_and_before_that_all_are_neutral(delay: int, window: int) -> None:
    table = Table(pond(), frames=50, input_delay=delay, window=window, conditions=BAD, episodes=2)
    taken: list[dict[tuple[int, int], bytes]] = [{}, {}]

    def note(place: int, sampler: Sampler) -> Sampler:
        def sample(player: int) -> bytes:
            match = table.matches[place]
            taken[place][match.episode, match.frame] = data = sampler(player)
            return data

        return sample

    for host in table.hosts:
        host.sampler = note(host.number, host.sampler)
    assert_completed(table.run().result(), 100)
    for episode in range(2):
        inputs = confirmed_inputs(table.journals[0], episode)
        for place in range(2):
            assert [data[place] for data in inputs[:delay]] == [make_input(b"\0", True)] * delay
            for frame in range(delay, 50):
                assert inputs[frame][place] == taken[place][episode, frame - delay]


def confirmed_inputs(journal: MemoryJournal, episode: int) -> list[tuple[bytes, ...]]:
    """The inputs of every frame that a journal holds, of players with one byte of action."""
    found: list[tuple[bytes, ...]] = []
    for number, start, texts in journal.inputs:
        if number == episode:
            assert start == len(found)
            streams = [base64.b64decode(text) for text in texts]
            found += [tuple(stream[at : at + 2] for stream in streams) for at in range(0, len(streams[0]), 2)]
    return found


@pytest.mark.parametrize("fps_factor", [1.0, 1 / 3, 4.0])
def test_an_input_leaves_with_the_tick_that_takes_it(fps_factor: float) -> None:
    table = Table(
        pond(), frames=60, conditions=FAR, settings=lambda place, s: replace(s, fps=30.0 * fps_factor, prediction_window=30)
    )
    match = table.matches[0]
    taken: list[float] = []
    sampler = table.hosts[0].sampler

    def sample(player: int) -> bytes:
        taken.append(table.now)
        return sampler(player)

    table.hosts[0].sampler = sample
    sent: list[tuple[float, int]] = []
    post = table.post

    def watch(number: int) -> None:
        if number == 0:
            packets = [decode(data, KEY) for _, _, data in match.outbox]
            sent.extend(
                (table.now, stream.start + len(stream.inputs))
                for packet in packets
                if isinstance(packet, Inputs)
                for stream in packet.streams
            )
        post(number)

    table.post = watch  # type: ignore[method-assign]
    assert_completed(table.run().result(), 60)
    assert len(taken) == 60, "no input was taken, and so lost, for a frame that there is not"
    for frame, at in enumerate(taken):
        assert next(when for when, count in sent if count > frame) == at


# -- final rows ------------------------------------------------------------------------------------------------------


class Watched(MemoryJournal):
    """A journal that looks at all hosts whenever rows are written."""

    table: Table
    written = 0

    def rows(self, episode: int, start: int, rows: list[Row], inputs: Frames) -> None:
        place = self.table.journals.index(self)
        own = self.table.matches[place]
        assert episode == own.episode and rows
        assert start == sum(dict(row)["episode"] == str(episode) for row in self.cells), "rows are written once, in order"
        for frame, row in enumerate(rows, start):
            assert dict(row.cells)["frame"] == str(frame)
        last = start + len(rows) - 1
        assert last < own.frame, "a row was final before it was simulated"
        for host in self.table.matches:
            if host.episode == episode:
                for player, queue in enumerate(host.session.queues):
                    assert queue.last >= last, f"a row was final before the input of player {player} was everywhere"
                    for frame in range(max(start, queue.first), last + 1):
                        assert queue.held(frame) == own.session.queues[player].held(frame)
            else:
                assert host.episode > episode
        self.written += len(rows)
        super().rows(episode, start, rows, inputs)


@pytest.mark.parametrize("players", [2, 3])
@pytest.mark.parametrize("seed", range(4))
def test_a_row_is_written_once_and_only_when_all_its_inputs_are_everywhere(players: int, seed: int) -> None:
    line = NetworkConditions(latency_ms=80, jitter_ms=60, loss=0.25, duplicate=0.1, reorder=0.2)
    table = Table(
        lambda: Pond(players, ends_at=29), players=players, frames=60, conditions=line, seed=seed, episodes=2, journal=Watched
    )
    for journal in table.journals:
        assert isinstance(journal, Watched)
        journal.table = table
    result = table.run().result()
    assert_completed(result)
    for journal in table.journals:
        assert isinstance(journal, Watched) and journal.written == result.oracle.count(b"\n") - 1


@pytest.mark.parametrize("players", [2, 3])
def test_what_is_kept_is_bounded_by_the_window(players: int) -> None:
    """Snapshots and inputs of long ago are let go of: one rule for both."""
    line = NetworkConditions(latency_ms=80, jitter_ms=60, loss=0.25, reorder=0.2)
    table = Table(pond(players), players=players, frames=200, conditions=line, window=8, input_delay=2)

    def look() -> None:
        for match in table.matches:
            if match.phase is not Phase.PLAYING:
                continue
            held = match.runtime.held_frames
            assert held == list(range(match.session.final, match.frame + 1))
            for queue in match.session.queues:
                assert queue.first <= match.session.final
                assert queue.last - queue.first <= 4 * 8 + 2 * 2

    assert_completed(table.run(each=look).result(), 200)


# -- the run without network is the environment's own ----------------------------------------------------------------


def test_rows_are_those_of_a_bare_loop_over_the_environment() -> None:
    """The oracle shares code with what it judges; so it is judged itself, by the plainest loop there is."""
    table = Table(pond(), frames=80, conditions=BAD).run()
    rows: list[dict[str, Any]] = [dict(row) for row in table.journals[1].cells]
    env = Pond(2)
    env.reset(seed=table.journals[1].episodes[0][1])
    scores = dict.fromkeys(env.possible_agents, 0.0)
    inputs = confirmed_inputs(table.journals[1], 0)
    assert len(rows) == len(inputs) == 80
    for frame, (row, taken) in enumerate(zip(rows, inputs, strict=True)):
        actions = {agent: data[1] for agent, data in zip(env.possible_agents, taken, strict=True)}
        _, rewards, _, _, infos = env.step(actions)
        assert (row["episode"], row["frame"]) == ("0", str(frame))
        for agent, data in zip(env.possible_agents, taken, strict=True):
            scores[agent] += rewards[agent]
            assert row[f"action.{agent}"] == str(actions[agent])
            assert row[f"reward.{agent}"] == repr(rewards[agent])
            assert row[f"score.{agent}"] == repr(scores[agent])
            assert row[f"terminated.{agent}"] == "false"
            assert row[f"truncated.{agent}"] == ("true" if frame == 79 else "false")
            assert row[f"focused.{agent}"] == ("true" if data[0] else "false")
            for name in ("total", "combo", "old"):  # "lily" depends on a set's order, which snapshots define
                assert row[f"info.{agent}.{name}"] == str(infos[agent][name])

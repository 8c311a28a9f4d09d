"""Laws of `pr.simulate`: every host's data are those of a run without network, or it says where they are not."""

from __future__ import annotations

import csv
import io
import itertools
import random
import re
import time
from dataclasses import replace
from typing import Any

import gymnasium
import pytest
from gymnasium import spaces

import pyodide_runtime as pr
from pyodide_runtime.errors import SessionError
from pyodide_runtime.virtual.simulate import play
from tests.core.environments import Relay
from tests.netcode.environments import Pond
from tests.virtual.culprits import Forgetful, Leaky, Quiet, Sums, Trap

BAD = pr.NetworkConditions(latency_ms=80, jitter_ms=60, loss=0.2, loss_burst=3, duplicate=0.1, reorder=0.1)


def columns(data: bytes) -> dict[str, list[str]]:
    header, *rows = csv.reader(io.StringIO(data.decode()))
    return {name: [row[place] for row in rows] for place, name in enumerate(header)}


# -- the report ------------------------------------------------------------------------------------------------------


def test_a_simulation_on_a_bad_network_is_identical_and_was_worth_it() -> None:
    report = pr.simulate(Pond, players=2, frames=200, conditions=BAD, seed=4, input_delay=1, prediction_window=6, fps=30)
    assert report.identical and report.failure is None and report.outcome is pr.Outcome.COMPLETED
    assert [peer.csv for peer in report.peers] == [report.oracle_csv] * 2
    assert report.frames == 200 == report.oracle_csv.count(b"\n") - 1
    assert report.rollbacks > 50 and 2 <= report.max_rollback_depth <= 6 and report.mispredictions > 50
    assert report.stalls > 0 and report.packets_lost > 50 and report.packets_duplicated > 10
    assert report.rollbacks == sum(peer.rollbacks for peer in report.peers)
    assert report.bytes_sent == sum(peer.bytes_sent for peer in report.peers) > 200 * 2 * 20
    assert report.players == ("frog_0", "frog_1") and [peer.players for peer in report.peers] == [("frog_0",), ("frog_1",)]
    assert all(peer.certified_through == (0, 199) for peer in report.peers)
    assert report.virtual_ms > 200 / 30 * 1000


def test_the_same_arguments_play_the_same_match_and_another_seed_another() -> None:
    one, two = (pr.simulate(Pond, frames=80, conditions=BAD, seed=9) for _ in range(2))
    assert one == two
    assert one.oracle_csv != pr.simulate(Pond, frames=80, conditions=BAD, seed=10).oracle_csv


def test_nothing_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("somebody asked for the time, or slept")

    for name in ("sleep", "time", "monotonic", "perf_counter"):
        monkeypatch.setattr(time, name, refuse)
    assert pr.simulate(Pond, frames=60, conditions=BAD).identical


@pytest.mark.parametrize("players", [1, 2, 3, 4])
def test_any_number_of_players_and_episodes(players: int) -> None:
    report = pr.simulate(lambda: Pond(players, ends_at=29), players=players, frames=40, episodes=2, conditions=BAD, seed=2)
    assert report.identical and report.outcome is pr.Outcome.COMPLETED
    assert set(columns(report.oracle_csv)["episode"]) == {"0", "1"}


def test_the_network_changes_nothing_in_the_inputs() -> None:
    """So that two networks can be compared: what is played is the same, however bad the line."""
    near, far = (pr.simulate(Pond, frames=60, episodes=2, conditions=line, seed=3) for line in (pr.NetworkConditions(), BAD))
    assert near.oracle_csv == far.oracle_csv and near.rollbacks != far.rollbacks


# -- inputs ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "part",
    [
        spaces.Discrete(4, start=2),
        spaces.MultiDiscrete([3, 300]),
        spaces.MultiBinary(5),
        spaces.Box(-1.0, 1.0, (2,)),
        spaces.Dict({"move": spaces.Discrete(3), "aim": spaces.Box(0.0, 2.0, (1,))}),
        spaces.Tuple([spaces.Discrete(2), spaces.MultiBinary(2)]),
    ],
    ids=str,
)
def test_actions_of_every_sort_of_space_are_drawn_and_held(part: Any) -> None:
    report = pr.simulate(lambda: Sums(part), frames=60, conditions=BAD, seed=1)
    assert report.identical and report.rollbacks > 5 and report.failure is None
    for player in range(2):
        actions = columns(report.oracle_csv)[f"action.player_{player}"]
        assert min(4, part.n if isinstance(part, spaces.Discrete) else 4) <= len(set(actions)) < 40


def test_players_of_a_game_of_turns() -> None:
    report = pr.simulate(lambda: Relay(lives=9), players=3, frames=60, conditions=BAD, seed=3)
    assert report.identical and report.outcome is pr.Outcome.COMPLETED and report.rollbacks > 3
    assert {"null", "0", "1"} <= set(columns(report.oracle_csv)["action.x"])


def test_one_player_of_a_gymnasium_environment() -> None:
    report = pr.simulate(lambda: gymnasium.make("CartPole-v1"), players=1, frames=200, conditions=BAD)
    assert report.identical and report.rollbacks == 0 and report.frames >= 8


def test_a_controller_is_called_once_a_frame_with_its_number_and_a_source_of_its_own() -> None:
    calls: dict[str, list[tuple[int, float]]] = {"frog_0": [], "frog_1": []}

    def controller(name: str) -> Any:
        def act(frame: int, source: random.Random) -> int:
            calls[name].append((frame, source.random()))
            return frame % 5

        return act

    report = pr.simulate(
        Pond, frames=50, episodes=2, conditions=BAD, input_delay=3, controllers=[controller(name) for name in calls]
    )
    assert report.identical and report.rollbacks > 20
    for name, called in calls.items():
        frames = [frame for frame, _ in called]
        begin = frames.index(3, 1)
        assert frames[:begin] == list(range(3, 3 + begin)) and begin in range(47, 60), "in order, each once, from the delay on"
        assert frames[begin:] == list(range(3, 3 + len(frames) - begin))
        assert [number for _, number in called[:40]] != [number for _, number in called[begin : begin + 40]]
        actions = columns(report.oracle_csv)[f"action.{name}"]
        assert actions[:50] == actions[50:] == ["0"] * 3 + [str(frame % 5) for frame in range(3, 50)]
    assert [number for _, number in calls["frog_0"]][:20] != [number for _, number in calls["frog_1"]][:20]


def test_controllers_by_name_leave_the_others_to_chance() -> None:
    report = pr.simulate(Pond, frames=60, controllers={"frog_1": lambda frame, source: 2})
    table = columns(report.oracle_csv)
    assert set(table["action.frog_1"]) == {"2"} and len(set(table["action.frog_0"])) == 5
    assert set(table["focused.frog_1"]) == {"true"} and set(table["focused.frog_0"]) == {"true", "false"}


def test_held_actions_last_as_long_as_is_said() -> None:
    def changes(hold: int) -> int:
        actions = columns(pr.simulate(Pond, frames=200, hold=hold).oracle_csv)["action.frog_0"]
        return sum(one != two for one, two in itertools.pairwise(actions))

    assert changes(1) > 130 > 90 > changes(4) > 30 > changes(20) > 5


# -- mishaps ---------------------------------------------------------------------------------------------------------


def test_partitions_freezes_and_clocks_that_are_wrong_change_no_data() -> None:
    report = pr.simulate(
        lambda: Pond(3),
        players=3,
        frames=240,
        conditions=BAD,
        seed=6,
        lines={(0, 1): pr.NetworkConditions(latency_ms=200, bandwidth_bytes_per_s=6000, queue_bytes=2000)},
        partitions=[pr.Partition(at_ms=2000, for_ms=1500, hosts=(0,), others=(2,))],
        freezes=[pr.Freeze(host=1, at_ms=4000, for_ms=2500)],
        clocks=[pr.Clock(rate=1.05, offset_ms=123_456), pr.Clock(), pr.Clock(rate=0.95)],
        start_skew_ms=400,
        prediction="default",
    )
    assert report.identical and report.outcome is pr.Outcome.COMPLETED and report.frames == 240
    assert report.packets_parted > 30 and report.stalls > 10


def test_a_frozen_host_does_nothing_and_its_packets_wait_for_it() -> None:
    calm = pr.simulate(Pond, frames=90)
    frozen = pr.simulate(Pond, frames=90, freezes=[pr.Freeze(host=0, at_ms=1000, for_ms=3000)])
    assert frozen.identical and 2500 < frozen.virtual_ms - calm.virtual_ms < 3500
    assert frozen.peers[0].bytes_received > 3 * 30 * 20 and frozen.peers[0].malformed == 0
    assert frozen.peers[1].stalls == calm.peers[1].stalls + 1


def test_fast_clocks_are_slowed_and_slow_ones_set_the_pace() -> None:
    report = pr.simulate(Pond, frames=300, conditions=pr.NetworkConditions(latency_ms=40), clocks=[pr.Clock(rate=0.8)])
    assert report.identical and report.virtual_ms > 300 / 30 * 1000 / 0.8


def test_a_host_that_is_lost_ends_the_match_in_prefixes_and_is_no_failure() -> None:
    report = pr.simulate(Pond, frames=300, conditions=BAD, partitions=[pr.Partition(at_ms=3000, for_ms=60_000, hosts=(1,))])
    assert report.outcome is pr.Outcome.PEER_LOST and "silent" in report.detail
    assert report.identical and report.failure is None
    for peer in report.peers:
        assert 30 < peer.frames < 300 and report.oracle_csv.startswith(peer.csv)


# -- what is wrong is said -------------------------------------------------------------------------------------------


def test_an_environment_that_leaks_is_a_divergence_with_its_place() -> None:
    report = pr.simulate(Leaky, frames=60, conditions=BAD, seed=2)
    assert not report.identical
    assert report.divergence is not None and report.divergence.column in ("info.frog_0.steps", "info.frog_1.steps")
    host, frame, column = report.divergence.host, report.divergence.frame, report.divergence.column
    assert columns(report.peers[host].csv)[column][frame] == report.divergence.found
    assert columns(report.oracle_csv)[column][frame] == report.divergence.expected != report.divergence.found
    assert report.failure is not None and f"frame {frame}, column {column}" in report.failure


def test_a_state_that_differs_behind_equal_rows_is_a_failure() -> None:
    report = pr.simulate(Quiet, frames=120, conditions=BAD, seed=2)
    assert {peer.csv[:2000] for peer in report.peers} == {report.oracle_csv[:2000]}
    assert report.failure is not None and report.failure_kind == "desync"
    assert "environment.hidden is" in report.failure and "rows are alike" in report.failure


def test_a_state_that_differs_from_the_oracles_alone_is_a_divergence() -> None:
    """One host alone has no peer to disagree with; the oracle does."""

    class Elsewhere(Pond):
        made = 0

        def __init__(self) -> None:
            super().__init__(1)
            Elsewhere.made += 1
            self.number = Elsewhere.made

    report = pr.simulate(Elsewhere, players=1, frames=60)
    assert report.peers[0].csv == report.oracle_csv
    assert not report.identical and "rows and states" in str(report.divergence) and report.failure_kind == "divergence"


def test_what_the_environment_raises_is_the_outcome() -> None:
    report = pr.simulate(Trap, frames=60, conditions=BAD, controllers=[lambda frame, source: 4 if frame >= 20 else 0] * 2)
    assert report.outcome is pr.Outcome.ENVIRONMENT_ERROR and "both jumped" in report.detail
    assert report.identical and report.failure_kind == "environment_error" and report.frames <= 20


@pytest.mark.parametrize(
    "options",
    [
        {"players": 0},
        {"players": 3},
        {"frames": 0},
        {"frames": 2.5},
        {"seed": -1},
        {"fps": 0},
        {"prediction": "best"},
        {"input_delay": -1},
        {"prediction_window": 0},
        {"conditions": {"latency_ms": 3}},
        {"lines": {(0, 2): pr.NetworkConditions()}},
        {"lines": {(0, 1): None}},
        {"partitions": [pr.Partition(at_ms=0, for_ms=1, hosts=(2,))]},
        {"freezes": [pr.Freeze(host=5, at_ms=0, for_ms=1)]},
        {"freezes": [(0, 1, 2)]},
        {"clocks": [pr.Clock()] * 3},
        {"controllers": [lambda frame, source: 0]},
        {"controllers": {"toad": lambda frame, source: 0}},
        {"controllers": [1, 2]},
        {"start_skew_ms": -1},
        {"hold": 0},
    ],
    ids=lambda options: re.sub(" at 0x[0-9a-f]+", "", str(options)),  # of functions the address differs from run to run
)
def test_what_cannot_be_played_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(SessionError):
        pr.simulate(Pond, **options)


def test_an_environment_cannot_be_shared_by_hosts() -> None:
    with pytest.raises(SessionError, match="every host needs one of its own"):
        pr.simulate(Pond())  # type: ignore[arg-type]


@pytest.mark.parametrize("settings", [{"rate": 0}, {"rate": "1"}, {"offset_ms": -5}], ids=str)
def test_clocks_that_cannot_be_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(SessionError):
        pr.Clock(**settings)


def test_an_action_outside_its_space_names_player_and_frame() -> None:
    with pytest.raises(pr.ActionError, match="controller of frog_1, frame 7: "):
        pr.simulate(Pond, controllers={"frog_1": lambda frame, source: 9 if frame == 7 else 0})


# -- a match written down --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reliable_control", [True, False])
@pytest.mark.parametrize("input_delay", [1, "adaptive", pr.InputDelay(most=9, start=1, matched=True)], ids=str)
@pytest.mark.parametrize("environment", [Pond, Forgetful, Leaky])
def test_a_schedule_plays_the_same_match_again(environment: type[Pond], reliable_control: bool, input_delay: Any) -> None:
    Leaky.steps = 0
    report = pr.simulate(
        environment,
        frames=60,
        episodes=2,
        conditions=BAD,
        seed=5,
        input_delay=input_delay,
        lines={(1, 0): replace(BAD, latency_ms=20)},
        partitions=[pr.Partition(at_ms=500, for_ms=400, hosts=(0,))],
        freezes=[pr.Freeze(host=1, at_ms=1200, for_ms=900)],
        clocks=[pr.Clock(rate=1.03)],
        reliable_control=reliable_control,
    )
    schedule = pr.Schedule.from_json(report.schedule.to_json())
    assert schedule == report.schedule and schedule.disturbances > 25
    assert schedule.scenario.conditions == pr.NetworkConditions(latency_ms=80), "nothing in it is drawn"
    Leaky.steps = 0
    assert pr.replay(environment, schedule) == report


def test_a_schedule_of_everything_unusual_survives_json() -> None:
    scenario = pr.simulate(
        lambda: Sums(spaces.Box(0.0, 1.0, (2,))),
        frames=5,
        default_actions=([0.25, 0.5],),
        prediction="default",
        fps=20,
        input_delay="matched",
    ).schedule.scenario
    scenario = replace(scenario, on_drop="partner", return_within_ms=20.0)  # type: ignore[arg-type]
    departures = (pr.Departure(host=1, at_ms=7.5, how="leaves"), pr.Departure(host=2, at_ms=1, back_ms=3))
    scenario = replace(scenario, hosts=(1, 1), spectators=(0.5, 900.0), departures=departures)
    schedule = pr.Schedule(replace(scenario, state_digest_every=3, snapshot_every=2), target="a:b")
    assert '"on_drop": "partner"' in schedule.to_json()
    assert pr.Schedule.from_json(schedule.to_json()) == schedule


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"schedule": 2}', '{"schedule": 1}', "[" * 100_000]
    + [
        f'{{"schedule": 1, "target": "", "scenario": {scenario}, "fates": {fates}, "inputs": {inputs}}}'
        for scenario, fates, inputs in [
            ('{"conditions": {}, "lines": [], "wind": 3}', "[]", "[]"),
            ('{"conditions": {"loss": 7}, "lines": []}', "[]", "[]"),
            ('{"conditions": {}, "lines": [{"from": 0, "to": 9}]}', "[]", "[]"),
            ('{"conditions": {}, "lines": []}', '[{"from": 0}]', "[]"),
            ('{"conditions": {}, "lines": []}', "[]", '[["0x*3"]]'),
            ('{"conditions": {}, "lines": []}', "[]", "[3]"),
        ]
    ],
    ids=lambda text: text[-40:],
)
def test_what_is_no_schedule_is_refused(text: str) -> None:
    with pytest.raises(pr.ScheduleError, match=r"^the schedule cannot be read: "):
        pr.Schedule.from_json(text)


def test_a_scenario_can_be_played_as_it_is() -> None:
    schedule = pr.simulate(Pond, frames=30, seed=8).schedule
    assert play(Pond, schedule.scenario).oracle_csv == pr.simulate(Pond, frames=30, seed=8).oracle_csv


# -- hosts that go, come back, watch, or have several players --------------------------------------------------------------


@pytest.mark.parametrize("how", ["leaves", "closes", "crashes"])
@pytest.mark.parametrize("on_drop", ["end", "pause", "default"])
def test_a_host_that_goes_for_good_is_no_failure(how: str, on_drop: str) -> None:
    report = pr.simulate(
        Pond,
        frames=120,
        conditions=BAD,
        seed=3,
        on_drop=on_drop,
        disconnect_after_ms=1200,
        return_within_ms=2500,
        departures=[pr.Departure(host=1, at_ms=2000, how=how)],
    )
    stayed, gone = report.peers
    assert report.identical and report.failure is None and report.failure_kind is None
    assert 30 < gone.frames < 70 and gone.outcome is (pr.Outcome.LEFT if how == "leaves" else None)
    if on_drop == "default":
        assert report.outcome is stayed.outcome is pr.Outcome.COMPLETED and stayed.csv == report.oracle_csv
        absent = columns(stayed.csv)["absent.frog_1"]
        dropped = absent.index("true")
        assert gone.frames <= dropped < 80 and set(absent[dropped:]) == {"true"} and len(absent) == 120
    else:
        assert report.outcome is stayed.outcome is (pr.Outcome.PEER_LOST if how == "crashes" else pr.Outcome.PEER_LEFT)
        assert gone.frames <= stayed.frames < 80


@pytest.mark.parametrize("on_drop", ["pause", "default", "partner"])
def test_a_host_that_comes_back_has_all_the_data_and_plays_on(on_drop: str) -> None:
    partner = wander if on_drop == "partner" else None
    options: dict[str, Any] = {
        "players": 3,
        "hosts": (2, 1),
        "frames": 200,
        "conditions": pr.NetworkConditions(latency_ms=60, jitter_ms=30, loss=0.1),
        "seed": 3,
        "on_drop": on_drop,
        "partner": partner,
        "departures": [pr.Departure(host=0, at_ms=2000, back_ms=900)],
        "spectators": (1500.0,),
    }
    report = pr.simulate(lambda: Pond(3), **options)
    assert report.identical and report.outcome is pr.Outcome.COMPLETED and report.rollbacks > 20
    assert [peer.players for peer in report.peers] == [("frog_0", "frog_1"), ("frog_2",), ()]
    assert [peer.csv for peer in report.peers] == [report.oracle_csv] * 3, "also that of the one who only watches"
    found = columns(report.oracle_csv)
    absent = found["absent.frog_0"]
    assert absent == found["absent.frog_1"] and set(found["absent.frog_2"]) == {"false"}
    gone = absent.index("true")
    back = absent.index("false", gone)
    assert 30 < gone < back < 150 and set(absent[back:]) == {"false"}
    assert len(set(found["action.frog_0"][back:])) > 2, "it plays again"
    assert pr.replay(lambda: Pond(3), pr.Schedule.from_json(report.schedule.to_json()), partner=partner) == report


def test_a_match_to_whose_end_nobody_stays_is_no_failure() -> None:
    departures = [pr.Departure(host=host, at_ms=1000, how="crashes") for host in range(2)]
    report = pr.simulate(Pond, frames=90, departures=departures)
    assert report.identical and report.failure is None and report.outcome is pr.Outcome.LEFT
    assert report.detail == "nobody stayed to the end" and 20 < report.frames < 40


# -- players who may be absent ------------------------------------------------------------------------------------------


def wander(env: Any, player: str, source: Any) -> int:
    """A partner policy."""
    return int(source.randrange(5))


@pytest.mark.parametrize("on_drop", ["pause", "default", "partner"])
def test_where_players_may_be_absent_the_data_say_so_and_are_the_same_otherwise(on_drop: str) -> None:
    partner = wander if on_drop == "partner" else None
    report = pr.simulate(Pond, frames=80, conditions=BAD, seed=5, on_drop=on_drop, partner=partner)
    plain = pr.simulate(Pond, frames=80, conditions=BAD, seed=5)
    assert report.identical and report.outcome is pr.Outcome.COMPLETED and report.rollbacks > 5
    rows, others = (list(csv.DictReader(data.oracle_csv.decode().splitlines())) for data in (report, plain))
    absent = [name for name in rows[0] if name not in others[0]]
    assert absent == ["absent.frog_0", "absent.frog_1"] and {row[name] for row in rows for name in absent} == {"false"}
    assert [{name: row[name] for name in others[0]} for row in rows] == others
    assert pr.replay(Pond, pr.Schedule.from_json(report.schedule.to_json()), partner=partner) == report


def test_a_partner_is_given_exactly_if_one_is_to_play() -> None:
    for settings_, message in [
        ({"on_drop": "partner"}, "on_drop='partner' without a partner"),
        ({"partner": wander}, "a partner, but on_drop='end'"),
        ({"on_drop": "default", "partner": wander}, "a partner, but on_drop='default'"),
        ({"on_drop": "wait"}, "on_drop='wait': give 'end' or 'pause' or 'default' or 'partner'"),
        ({"on_drop": "partner", "partner": 3}, "partner=3: give a function"),
        ({"return_within_ms": -1}, "return_within_ms=-1"),
    ]:
        with pytest.raises(pr.SessionError, match=message):
            pr.simulate(Pond, frames=5, **settings_)  # type: ignore[arg-type]

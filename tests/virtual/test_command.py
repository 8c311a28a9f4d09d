"""Laws of the command `simulate`: what it proves, what it says of what failed, and that what it says can be done again."""

from __future__ import annotations

import itertools
import json
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pyodide_runtime import cli

POND, FORGETFUL = "tests.netcode.environments:Pond", "tests.virtual.culprits:Forgetful"
BAD = [
    "--latency-ms", "80", "--jitter-ms", "40.25", "--loss", "0.1", "--loss-burst", "2", "--duplicate", "0.1", "--reorder", "0.05",
]  # fmt: skip
MISHAPS = [
    "--line", "0:1:latency_ms=33.3333333,loss=0.25", "--freeze", "1:900:400.5", "--partition", "500:300:0", "--clock", "1:1.03:77",
]  # fmt: skip
#: Hosts that go: one comes back, one that watches crashes.
GOING = ["--spectator", "700.5", "--departure", "1:2500:600.5:leaves", "--departure", "2:1500::crashes"]

ENVIRONMENT = """
from dataclasses import dataclass

class Discrete:
    def __init__(self, n): self.n, self.start = n, 0

class Count:
    possible_agents = ["a", "b"]
    def action_space(self, agent): return Discrete(3)
    def reset(self, seed=None, options=None):
        self.agents, self.total = list(self.possible_agents), 0
        return {}, {}
    def step(self, actions):
        from beside import weight
        self.total = (self.total * 7 + weight(actions)) % 1009
        ends = dict.fromkeys(self.agents, False)
        return {}, dict.fromkeys(self.agents, float(self.total)), ends, ends, {}
"""
EXPERIMENT = (
    ENVIRONMENT
    + """
import pyodide_runtime as pr
experiment = pr.Experiment(
    name="Count", environment=Count, players=2, max_steps=40, fps=20, episodes=2, input_delay=2, prediction="default",
    prediction_window=5, default_action=2,
)
"""
)


@pytest.fixture(autouse=True)
def imports_are_undone() -> Iterator[None]:
    """The command imports what it is told to and ends; here it goes on, among others."""
    modules, path = set(sys.modules), list(sys.path)
    yield
    sys.path[:] = path
    for name in {"counting", "beside"}.difference(modules):
        sys.modules.pop(name, None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "counting.py").write_text(EXPERIMENT)
    (tmp_path / "beside.py").write_text("def weight(actions):\n    return sum(actions.values())\n")
    return tmp_path


def simulate(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    status = cli.main(["simulate", *words])
    return status, *capsys.readouterr()


def told(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    status, out, _ = simulate(capsys, *words, "--json")
    result = json.loads(out)
    assert isinstance(result, dict) and status == bool(result["failures"])
    return result


def test_matches_that_hold_are_counted_and_the_status_is_0(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = simulate(capsys, POND, "--sessions", "4", "--frames", "60", *BAD)
    assert status == 0
    assert re.search(r"^4 of 4 matches of tests\.netcode\.environments:Pond, \d+ s of virtual time$", out, re.MULTILINE)
    assert re.search(r"^  identical        4:", out, re.MULTILINE) and re.search(r"^  failures         0$", out, re.MULTILINE)
    assert re.search(r"^  rollbacks        \d\d+, ", out, re.MULTILINE)
    assert err.splitlines()[-1] == f"[{'#' * 30}] 4 of 4 matches, 0 failed"


def test_json_tells_every_match(capsys: pytest.CaptureFixture[str]) -> None:
    result = told(capsys, POND, "--sessions", "3", "--seed", "7", "--frames", "30", *BAD, *MISHAPS)
    assert [session["seed"] for session in result["sessions"]] == [7, 8, 9]
    assert result["identical"] == result["completed"] == 3 and result["failures"] == [] and not result["vacuous"]
    for name in ("frames", "rollbacks", "mispredictions", "packets_lost", "bytes_sent"):
        assert result[name] == sum(session[name] for session in result["sessions"]) > 0
    assert len(result["sessions"][0]["peers"]) == 2 and result["sessions"][0]["peers"][1]["outcome"] == "completed"


def test_every_option_reaches_the_match(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    words = [
        "--players", "2", "--frames", "150", "--episodes", "2", "--fps", "20", "--input-delay", "3", "--prediction-window", "6",
        "--prediction", "default", "--hold", "9", "--start-skew-ms", "33", "--bandwidth-bytes-per-s", "9000",
        "--queue-bytes", "900", "--seed", "11", "--hosts", "1,1", "--on-drop", "pause", "--return-within-ms", "3000.5",
        "--disconnect-after-ms", "2000", *BAD, *MISHAPS, *GOING, "--shrink", "--schedules", str(tmp_path),
    ]  # fmt: skip
    result = told(capsys, FORGETFUL, *words)
    (failure,) = result["failures"]
    command = shlex.split(failure["command"])
    assert command[:4] == ["python", "-m", "pyodide_runtime", "simulate"]
    given = [word for word in words if word not in ("--shrink", "--schedules", str(tmp_path))]
    assert set(zip(given[::2], given[1::2], strict=True)) <= set(itertools.pairwise(command))


def test_hosts_go_and_come_back_watch_and_have_several_players(capsys: pytest.CaptureFixture[str]) -> None:
    words = [
        "tests.core.environments:Relay", "--hosts", "2,1", "--frames", "90", "--on-drop", "default", "--spectator", "400",
        "--departure", "1:1000:500", *BAD,
    ]  # fmt: skip
    (session,) = told(capsys, *words)["sessions"]
    assert session["identical"] and session["outcome"] == "completed" and session["rollbacks"] > 0
    assert [peer["players"] for peer in session["peers"]] == [["x", "y"], ["z"], []]
    assert [peer["outcome"] for peer in session["peers"]] == ["completed"] * 3


def test_players_at_one_page_of_an_experiment_have_one_host(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "counting.py").write_text(EXPERIMENT.replace("players=2,", "players=2, players_per_page=2, keys=[{}, {}],"))
    for words, hosts in ([], [["a", "b"]]), (["--hosts", "1,1"], [["a"], ["b"]]):
        (session,) = told(capsys, str(folder / "counting.py"), "--frames", "20", *words)["sessions"]
        assert session["identical"] and [peer["players"] for peer in session["peers"]] == hosts


@pytest.mark.parametrize("how", ["leaves", "closes", "crashes"])
def test_a_host_that_goes_for_good_ends_the_match_of_the_others_or_not(capsys: pytest.CaptureFixture[str], how: str) -> None:
    words = [POND, "--frames", "90", "--departure", f"1:1000::{how}", "--disconnect-after-ms", "900", *BAD]
    (ended,) = told(capsys, *words)["sessions"]
    assert ended["outcome"] == ("peer_lost" if how == "crashes" else "peer_left") and 20 < ended["frames"] < 60
    (played,) = told(capsys, *words, "--on-drop", "default")["sessions"]
    assert played["outcome"] == "completed" and played["frames"] == 90


def test_the_partner_is_that_of_the_experiment_and_plays_if_it_is_to(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    text = EXPERIMENT.replace("default_action=2,", "default_action=2, on_drop='partner', partner=lambda env, player, source: 1,")
    (folder / "counting.py").write_text(text)
    words = [str(folder / "counting.py"), "--departure", "0:800", "--episodes", "1", *BAD]
    by_partner, by_default, ended = (
        told(capsys, *words, *others)["sessions"][0] for others in ([], ["--on-drop", "default"], ["--on-drop", "end"])
    )
    assert by_partner["outcome"] == by_default["outcome"] == "completed" and ended["outcome"] == "peer_left"
    assert by_partner["frames"] == by_default["frames"] == 40 > ended["frames"]


def test_a_failing_match_with_departures_is_shrunk_and_can_be_played_again(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    words = ["--frames", "120", "--on-drop", "default", *BAD, *GOING]
    (failure,) = told(capsys, FORGETFUL, *words, "--shrink", "--schedules", str(tmp_path))["failures"]
    for command in (failure["command"], failure["schedule_command"]):
        (again,) = told(capsys, *shlex.split(command)[4:])["failures"]
        assert again["kind"] == failure["kind"]
        if command == failure["command"]:
            assert again["failure"] == failure["failure"]
    assert "departures" not in Path(failure["schedule"]).read_text(), "they do not matter here"


@pytest.mark.parametrize("delay", ["adaptive:0:6:0", "matched:1:9:2"])
def test_a_failing_match_with_an_adaptive_delay_can_be_played_again(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, delay: str
) -> None:
    words = ["--frames", "150", "--input-delay", delay, *BAD, *MISHAPS]
    result = told(capsys, FORGETFUL, *words, "--shrink", "--schedules", str(tmp_path))
    (failure,) = result["failures"]
    command = shlex.split(failure["command"])
    assert command[command.index("--input-delay") + 1] == delay
    (again,) = told(capsys, *command[4:])["failures"]
    assert again["failure"] == failure["failure"]


def test_a_word_is_enough_for_an_adaptive_delay(capsys: pytest.CaptureFixture[str]) -> None:
    words = [POND, "--frames", "150", "--latency-ms", "120", "--input-delay"]
    plain, adaptive, matched = (told(capsys, *words, delay) for delay in ("0", "adaptive", "matched"))
    assert plain["identical"] == adaptive["identical"] == matched["identical"] == 1
    assert max(adaptive["replayed"], matched["replayed"]) < plain["replayed"]


def test_what_fails_is_told_with_the_command_that_plays_it_again(capsys: pytest.CaptureFixture[str]) -> None:
    words = [FORGETFUL, "--sessions", "3", "--seed", "40", "--frames", "60", *BAD, *MISHAPS]
    status, out, _ = simulate(capsys, *words)
    assert status == 1
    found = re.findall(r"^FAILED: seed (\d+): (host .+)\n  again: python -m pyodide_runtime (simulate .+)$", out, re.MULTILINE)
    assert [int(seed) for seed, _, _ in found] == [40, 41, 42]
    for seed, failure, command in found:
        again = cli.main(shlex.split(command))
        out = capsys.readouterr().out
        assert again == 1 and f"FAILED: seed {seed}: {failure}\n" in out, "the very same failure"


def test_a_failing_match_is_shrunk_and_the_schedule_plays_it(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    status, out, _ = simulate(capsys, FORGETFUL, "--frames", "120", *BAD, *MISHAPS, "--shrink", "--schedules", str(tmp_path))
    assert status == 1
    file = tmp_path / "schedule-0.json"
    assert file.read_text() in out, "the small schedule is printed, too"
    assert re.search(r"^  small: \d frames, [01] disturbances, [12] inputs \(of 120 frames, ", out, re.MULTILINE)
    assert f"simulate {FORGETFUL} --schedule {file}\n" in out
    for words in ([FORGETFUL, "--schedule", str(file)], ["--schedule", str(file)]):
        status, out, _ = simulate(capsys, *words)
        assert status == 1 and f"again: python -m pyodide_runtime simulate {FORGETFUL} --schedule {file}\n" in out


def test_a_schedule_of_another_environment_may_hold(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    simulate(capsys, FORGETFUL, "--frames", "60", *BAD, "--shrink", "--schedules", str(tmp_path))
    status, out, _ = simulate(capsys, POND, "--schedule", str(tmp_path / "schedule-0.json"))
    assert status == 0 and "1 of 1 matches of tests.netcode.environments:Pond" in out


def test_an_experiment_file_is_played_by_its_own_settings(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    result = told(capsys, str(folder / "counting.py"), *BAD)
    (session,) = result["sessions"]
    assert session["frames"] == 2 * 40 and session["identical"] and session["rollbacks"] > 5
    assert session["peers"][0]["certified_through"] == [1, 39]
    shorter = told(capsys, str(folder / "counting.py"), "--frames", "10", "--episodes", "1", *BAD)
    assert shorter["frames"] == 10
    assert told(capsys, f"{folder / 'counting.py'}:Count", "--frames", "20", *BAD)["frames"] == 20


def test_two_files_of_one_name_are_two(capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "counting.py").write_text(ENVIRONMENT.replace('["a", "b"]', '["c", "d"]'))
    (other / "beside.py").write_text("def weight(actions):\n    return 1\n")
    assert told(capsys, f"{folder / 'counting.py'}:Count", "--frames", "5")["sessions"][0]["players"] == ["a", "b"]
    assert told(capsys, f"{other / 'counting.py'}:Count", "--frames", "5")["sessions"][0]["players"] == ["c", "d"]


def test_as_many_play_as_the_environment_has(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "tests.core.environments:Relay", "--frames", "20")["sessions"][0]["players"] == ["x", "y", "z"]


def test_enough_matches_without_a_misprediction_prove_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = simulate(capsys, POND, "--sessions", "20", "--frames", "3", "--prediction-window", "1")
    assert status == 1 and "There was not one misprediction" in out and re.search(r"^  failures         0$", out, re.MULTILINE)


@pytest.mark.parametrize(
    "words, message",
    [
        ([], "say what to simulate: MODULE:FACTORY"),
        (["nowhere"], "'nowhere' cannot be imported: ModuleNotFoundError"),
        (["absent.py"], "absent.py: there is no such file"),
        (["json:nothing"], "json:nothing: there is no nothing in it"),
        (["json:__name__"], "json:__name__: __name__ is a str, neither a function nor an Experiment"),
        (["collections:deque"], "collections:deque: deque is not an environment"),
        ([POND, "--players", "3"], "the environment has 2 players (frog_0, frog_1); this is a match of 3"),
        ([POND, "--loss", "2"], "loss=2.0: give a share between 0 and 1"),
        ([POND, "--schedule", "absent.json"], "absent.json: "),
        ([POND, "--freeze", "5:1:1"], "there is no host 5"),
        ([POND, "--departure", "2:1"], "there is no host 2"),
        ([POND, "--hosts", "2,1"], "hosts=(2, 1): give the number of players of each host; of 2 in all"),
        ([POND, "--on-drop", "partner"], "on_drop='partner' without a partner"),
    ],
    ids=str,
)
def test_what_cannot_be_played_is_one_message_and_status_2(
    capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    status, out, err = simulate(capsys, *words)
    assert (status, out) == (2, "") and message in err and "Traceback" not in err and err.count("\n") == 1


@pytest.mark.parametrize(
    "words",
    [
        ["--sessions", "0"],
        ["--frames", "x"],
        ["--freeze", "1:2"],
        ["--input-delay", "-1"],
        ["--input-delay", "adapt"],
        ["--input-delay", "adaptive:3"],
        ["--input-delay", "matched:3:2"],
        ["--input-delay", "adaptive:0:16"],
        ["--partition", "1:2"],
        ["--hosts", "2,0"],
        ["--hosts", "2:1"],
        ["--hosts", "two"],
        ["--on-drop", "wait"],
        ["--departure", "1"],
        ["--departure", "1:-5"],
        ["--departure", "1:5:x"],
        ["--departure", "1:5:5:flies"],
        ["--departure", "1:5:5:leaves:again"],
        ["--spectator", "-1"],
        ["--spectator", "soon"],
        ["--partition", "1:2:0:0"],
        ["--clock", "0:-1"],
        ["--line", "0:1:wind=3"],
        ["--line", "0:1:loss=3"],
    ],
    ids=str,
)
def test_a_wrong_option_is_told_so(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["simulate", POND, *words])
    assert ended.value.code == 2 and f"argument {words[0]}: " in capsys.readouterr().err

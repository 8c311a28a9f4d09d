"""The soak proves what it says, and says what it found: counts of what ran, and every failure with the command that repeats it."""

from __future__ import annotations

import re
from dataclasses import asdict

import pytest

from bench import soak
from bench.soaking.session import play
from pyodide_runtime.network.wire import envelope

LEAKY = "tests.virtual.culprits:Leaky"


def number(out: str, name: str) -> int:
    found = re.search(rf"^  {name} +(\d+)", out, re.MULTILINE)
    assert found, out
    return int(found[1])


def test_a_few_sessions_hold_and_were_worth_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert soak.main(["--sessions", "40", "--seed", "80", "--packets", "5000"]) == 0
    out = capsys.readouterr().out
    assert "40 of 40 sessions were played, in " in out
    assert number(out, "matches") + number(out, "with ill will") == 40
    assert number(out, "failures") == 0
    assert number(out, "bombardment") == 5000
    assert number(out, "drops") >= 8 and number(out, "rejoins") >= 2
    assert number(out, "rows compared") > 5000
    assert min(number(out, "rollbacks"), number(out, "mispredictions")) > 1000 and number(out, "stalls") > 200
    assert re.search(r"the deepest ([2-9]|1\d) frames", out)


def test_a_seed_is_all_that_a_session_needs() -> None:
    assert asdict(play(3)) == asdict(play(3)) != asdict(play(5))


@pytest.mark.parametrize("seed", [720, 764, 1196, 1789, 8609, 9083, 9514])
def test_a_session_that_once_broke_a_law_holds(seed: int) -> None:
    assert play(seed).failure is None


def test_an_ill_willed_player_is_among_the_first_sessions() -> None:
    report = next(report for report in map(play, range(16, 40)) if report.ill)
    assert report.failure is None
    assert report.counts.compared > 0


def test_an_environment_that_desyncs_is_reported_with_its_seed_and_the_command_that_repeats_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert soak.main(["--sessions", "2", "--seed", "7", "--packets", "0", "--environment", LEAKY]) == 1
    out = capsys.readouterr().out
    for seed in (7, 8):
        what = rf"the session of seed {seed}: host \d, episode 0, frame \d+, column info\.frog_\d\.steps: \d+ instead of \d+"
        assert re.search(f"^FAILED: {what}$", out, re.MULTILINE)
        assert f"python -m bench.soak --seed {seed} --sessions 1 --packets 0 --environment {LEAKY}\n" in out
    assert number(out, "failures") == 2


def test_packets_that_do_harm_are_reported_with_the_command_that_repeats_them(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def careless(body: bytes, at: int, hosts: int) -> None:
        raise IndexError(hosts)

    monkeypatch.setattr(envelope, "_decode_standings", careless)
    assert soak.main(["--sessions", "0", "--packets", "4000"]) == 1
    out = capsys.readouterr().out
    assert re.search(r"^FAILED: the packets of seed \d+: ", out, re.MULTILINE)
    assert re.search(r"again:  python -m bench.soak --seed \d+ --sessions 0 --packets 2000$", out, re.MULTILINE)


def test_what_was_not_played_is_not_claimed(capsys: pytest.CaptureFixture[str]) -> None:
    assert soak.main(["--sessions", "5", "--minutes", "0"]) == 0
    out = capsys.readouterr().out
    assert "0 of 5 sessions were played (the rest were not begun within 0 minutes)" in out


@pytest.mark.parametrize("name", ["nowhere", "tests.soak.leaky:Nothing", "collections:deque"])
def test_what_is_no_environment_is_one_message(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        soak.main(["--environment", name])
    assert ended.value.code == 2
    err = capsys.readouterr().err
    assert "Traceback" not in err and "error: " in err

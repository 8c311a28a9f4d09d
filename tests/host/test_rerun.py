"""Laws of re-runs: a record gives its rows again; what differs is said; a record that cannot be run is one message."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from pyodide_runtime import cli
from pyodide_runtime.errors import PyodideRuntimeError, RecordError
from pyodide_runtime.record import read_record
from pyodide_runtime.rerun import add_arguments, plan_requirements, replay_record, run
from pyodide_runtime.rows import to_csv
from tests.host.studies import FILES, Page, participant, play, start


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Page:
    """The page of the first player after a whole match."""
    folder = tmp_path_factory.mktemp("session")
    path = list(sys.path)
    pages = [Page(participant(folder)) for _ in range(2)]
    for place, page in enumerate(pages):
        page.participant.start(start(place))
    play(pages)
    sys.path[:] = path
    for name in [name for name, module in sys.modules.items() if str(getattr(module, "__file__", "")).startswith(str(folder))]:
        del sys.modules[name]
    return pages[0]


@pytest.fixture
def lines(session: Page) -> list[Any]:
    return session.lines("record")


def written(folder: Path, lines: list[Any]) -> Path:
    file = folder / "record.ndjson"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return file


def rerun(folder: Path, lines: list[Any]) -> tuple[bytes, list[str]]:
    rows, differences = replay_record(read_record(written(folder, lines)))
    return to_csv(rows), differences


def arguments(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(words)


def test_a_record_gives_the_exported_bytes_again_and_again(tmp_path: Path, session: Page, lines: list[Any]) -> None:
    for _ in range(2):
        assert rerun(tmp_path, lines) == (session.csv, [])


def test_a_rerun_leaves_nothing_behind(tmp_path: Path, lines: list[Any]) -> None:
    path, modules = list(sys.path), set(sys.modules)
    rerun(tmp_path, lines)
    assert sys.path == path and not {name for name in set(sys.modules) - modules if name.split(".")[0] in ("study", "parts")}


def test_every_record_runs_its_own_files(tmp_path: Path, session: Page, lines: list[Any]) -> None:
    """Two records whose modules have the same names, one after the other in one process."""
    other = json.loads(json.dumps(lines))
    other[0]["experiment"]["files"]["parts/late.py"] = "def reward(looked):\n    return 2.5\n"
    csv, differences = rerun(tmp_path, other)
    assert b",2.5," in csv and len(differences) == 2
    assert rerun(tmp_path, lines) == (session.csv, [])


def test_what_differs_from_what_was_recorded_is_said(tmp_path: Path, lines: list[Any]) -> None:
    for field, value in (("chain", "00" * 16), ("frames", 23)):
        changed = [{**line, field: value} if line.get("end") == 1 else line for line in lines]
        csv, differences = rerun(tmp_path, changed)
        assert len(differences) == 1 and differences[0].startswith("episode 1: the data, or the state behind them, differ")
        assert csv.count(b"\n") == 49


def test_a_record_that_was_cut_off_gives_the_beginning_of_the_rows(tmp_path: Path, session: Page, lines: list[Any]) -> None:
    for length in range(1, len(lines)):
        csv, differences = rerun(tmp_path, lines[:length])
        rows = csv.splitlines()[1:]  # without a row there is no column but the first two
        assert rows == session.csv.splitlines()[1 : len(rows) + 1] and differences == []


def spoiled(lines: list[Any], place: int, **fields: Any) -> list[Any]:
    found = [number for number, line in enumerate(lines) if "inputs" in line][place]
    return [{**line, **fields} if number == found else line for number, line in enumerate(lines)]


def without_chunk(lines: list[Any]) -> list[Any]:
    found = [number for number, line in enumerate(lines) if line.get("episode") == 0 and "inputs" in line]
    assert len(found) > 2
    return [line for number, line in enumerate(lines) if number != found[1]]


def with_file(lines: list[Any], name: str, text: str) -> list[Any]:
    experiment = lines[0]["experiment"]
    return [{**lines[0], "experiment": {**experiment, "files": {**experiment["files"], name: text}}}, *lines[1:]]


BAD: dict[str, Any] = {
    "inputs of one player": lambda lines: spoiled(lines, 0, inputs=["AQA="]),
    "inputs that are no base64": lambda lines: spoiled(lines, 0, inputs=["!", "!"]),
    "inputs of different lengths": lambda lines: spoiled(lines, 0, inputs=["AQA=", "AQABAA=="]),
    "half an input": lambda lines: spoiled(lines, 0, inputs=["AQAB", "AQAB"]),
    "an action outside": lambda lines: spoiled(lines, 0, inputs=["AQk=", "AQk="]),
    "a chunk left out": without_chunk,
    "inputs beyond the end": lambda lines: spoiled(lines, -1, inputs=["AQAB" * 100, "AQAB" * 100]),
    "other players": lambda lines: [{**lines[0], "players": ["a", "b"]}, *lines[1:]],
    "a seed below nought": lambda lines: [lines[0], {**lines[1], "seed": -1}, *lines[2:]],
    "a file outside": lambda lines: with_file(lines, "../x.py", ""),
    "a file that is the folder": lambda lines: with_file(lines, ".", ""),
    "a mistake in a file": lambda lines: with_file(lines, "parts/look.py", "def draw(:"),
    "a module that is not there": lambda lines: with_file(lines, "parts/look.py", "import not_there_at_all"),
    "a file that raises": lambda lines: with_file(lines, "study.py", "1 / 0"),
    "a file without an experiment": lambda lines: with_file(lines, "study.py", "experiment = 3"),
    "an environment that raises": lambda lines: with_file(lines, "parts/late.py", ""),
}


@pytest.mark.parametrize("name", BAD)
def test_a_record_that_cannot_be_run_is_refused_by_a_typed_error(tmp_path: Path, lines: list[Any], name: str) -> None:
    path = list(sys.path)
    with pytest.raises(PyodideRuntimeError):
        rerun(tmp_path, BAD[name](lines))
    assert sys.path == path


# -- the command ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["inline", "cpython"])
def test_the_command_prints_the_exported_bytes(
    tmp_path: Path, session: Page, lines: list[Any], host: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert run(arguments("--host", host, str(written(tmp_path, lines)))) == 0
    assert capfdbinary.readouterr() == (session.csv, b"")


def test_the_command_says_what_differs_and_fails(
    tmp_path: Path, session: Page, lines: list[Any], capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    changed = [{**line, "chain": "00"} if "end" in line else line for line in lines]
    assert run(arguments("--host", "cpython", str(written(tmp_path, changed)))) == 1
    out, err = capfdbinary.readouterr()
    assert out == session.csv and err.count(b"\n") == 2 and b"Traceback" not in err


@pytest.mark.parametrize("host", ["node", "cpython", "inline"])
def test_a_record_that_is_none_is_one_message(tmp_path: Path, host: str, capsys: pytest.CaptureFixture[str]) -> None:
    torn = tmp_path / "torn.ndjson"
    torn.write_text("{")
    for path, message in ((tmp_path / "absent", "there is no such file"), (torn, f"{torn}:1: ")):
        assert cli.main(["rerun", "--host", host, str(path)]) == 2
        out, err = capsys.readouterr()
        assert out == "" and err.count("\n") == 1 and message in err


def test_without_a_distribution_or_node_it_is_said_what_to_do(
    tmp_path: Path, lines: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = arguments("--distribution", str(tmp_path), str(written(tmp_path, lines)))
    monkeypatch.setattr("shutil.which", lambda name: "/usr/bin/node")
    with pytest.raises(RecordError, match="make wheels"):
        run(told)
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(RecordError, match="Node 20"):
        run(told)


def test_the_requirements_of_a_record_are_planned(tmp_path: Path, lines: list[Any]) -> None:
    experiment = {**lines[0]["experiment"], "requirements": ["numpy", "cogrid==0.3.2"]}
    path = written(tmp_path, [{**lines[0], "experiment": experiment}])
    lock = json.dumps({"packages": {"numpy": {"name": "numpy", "version": "2"}}})
    assert json.loads(plan_requirements(str(path), lock)) == {"load": ["numpy"], "install": ["cogrid==0.3.2"]}


def test_the_study_is_what_it_is_said_to_be() -> None:
    assert "from parts.late import reward" in FILES["parts/world.py"], "a file that is imported as late as in a step"

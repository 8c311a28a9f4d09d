"""Laws of the command line: what it prints, how it ends, and what it never imports."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import pytest

from pyodide_runtime import __version__, cli
from pyodide_runtime.errors import RecordError

EXPERIMENT = """
import pyodide_runtime as pr
experiment = pr.Experiment(name="Soup", environment=dict, players=2)
"""


@pytest.fixture
def experiment(tmp_path: Path) -> Path:
    file = tmp_path / "soup.py"
    file.write_text(EXPERIMENT)
    return file


def one_message(capsys: pytest.CaptureFixture[str]) -> str:
    out, err = capsys.readouterr()
    assert out == ""
    assert err.endswith("\n")
    assert err.count("\n") == 1
    assert "Traceback" not in err
    return err


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.strip() == __version__


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--help"])
    assert ended.value.code == 0
    told = capsys.readouterr().out
    assert all(command.name in told and command.help in told for command in cli.COMMANDS)


@pytest.mark.parametrize("arguments", [[], ["dance"], ["serve"], ["serve", "x.py", "--port", "70000"]])
def test_a_wrong_call_is_told_so(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2
    assert "usage: python -m pyodide_runtime" in capsys.readouterr().err


def test_only_the_module_of_the_command_asked_for_is_imported() -> None:
    code = (
        "import sys; from pyodide_runtime.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted(name for name in sys.modules if name.startswith('pyodide_runtime.')))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pyodide_runtime.server" not in run.stdout.splitlines()[-1]
    assert "pyodide_runtime.rerun" not in run.stdout.splitlines()[-1]


def test_an_error_raised_on_purpose_is_one_message_and_status_2(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Module:
        @staticmethod
        def add_arguments(parser: argparse.ArgumentParser) -> None:
            parser.add_argument("file")

        @staticmethod
        def run(arguments: argparse.Namespace) -> int:
            if arguments.file == "bad":
                raise RecordError("the record is torn")
            return 3

    monkeypatch.setitem(sys.modules, "a_command", Module)
    monkeypatch.setattr(cli, "COMMANDS", (cli.Command("try", "a_command", "try it"),))
    assert cli.main(["try", "bad"]) == 2
    assert one_message(capsys) == "the record is torn\n"
    assert cli.main(["try", "good"]) == 3


def test_a_mistake_in_the_experiment_is_one_message_with_file_and_line(
    capsys: pytest.CaptureFixture[str], experiment: Path
) -> None:
    experiment.write_text(EXPERIMENT.replace("players=2", "players='two'"))
    assert cli.main(["serve", str(experiment)]) == 2
    told = one_message(capsys)
    assert told.startswith(f"{experiment}:3: players: 'two' is a str, not a whole number; write ")


def test_a_file_that_is_not_there_is_one_message(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert cli.main(["serve", str(tmp_path / "absent.py")]) == 2
    assert one_message(capsys) == f"{tmp_path / 'absent.py'}: there is no such file\n"


def test_a_missing_distribution_is_one_message_that_says_make_wheels(
    capsys: pytest.CaptureFixture[str], experiment: Path, tmp_path: Path
) -> None:
    assert cli.main(["serve", str(experiment), "--distribution", str(tmp_path / "absent")]) == 2
    assert f"there is no folder {tmp_path / 'absent'}" in (told := one_message(capsys))
    assert "run `make wheels`" in told
    assert cli.main(["serve", str(experiment), "--distribution", str(tmp_path)]) == 2
    assert f"there is no pyodide.mjs in {tmp_path}" in one_message(capsys)


@pytest.mark.parametrize("package", ["starlette", "uvicorn", "websockets"])
def test_missing_packages_of_the_server_are_one_message_that_says_what_to_install(
    experiment: Path, tmp_path: Path, package: str
) -> None:
    (tmp_path / "pyodide.mjs").touch()
    (tmp_path / "pyodide-lock.json").touch()
    code = (
        f"import sys; sys.modules[{package!r}] = None\n"
        "class Absent:\n"
        f"    def find_spec(self, name, *_):\n"
        f"        if name == {package!r}: raise ModuleNotFoundError(f'No module named {{name}}', name=name)\n"
        f"del sys.modules[{package!r}]; sys.meta_path.insert(0, Absent())\n"
        "from pyodide_runtime.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    command = ["serve", str(experiment), "--distribution", str(tmp_path), "--data", str(tmp_path / "data"), "--port", "0"]
    run = subprocess.run([sys.executable, "-c", code, *command], capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert run.stderr == f'the server needs the package {package}; run: pip install "pyodide_runtime[server]"\n'

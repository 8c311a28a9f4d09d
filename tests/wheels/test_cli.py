"""The laws of the command line: a true exit code, a line a file, and an error that names what is wrong."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.wheels.made_up import Workshop
from wheels.cli import Printed, main


@pytest.fixture
def arguments(workshop: Workshop) -> list[str]:
    """A command line that lays the made-up world out from one folder, with the real project's wheel."""
    workshop.manifest()
    store = workshop.base / "store"
    store.mkdir()
    for shelf in workshop.shelves.values():
        shutil.copytree(shelf.folder, store, dirs_exist_ok=True)
    command = ["lay-out", "--manifest", str(workshop.base / "manifest.toml"), "--out", str(workshop.out)]
    return [*command, "--cache", str(workshop.cache), "--from", str(store)]


def test_laying_out_tells_of_each_file_with_its_size(
    workshop: Workshop, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 0
    out, err = capsys.readouterr()
    assert err == ""
    for path in workshop.out.iterdir():
        assert f"  {path.name}: " in out
    assert "  pyodide.mjs: 0.0 kB from folder" in out
    assert main(arguments) == 0
    assert "all in place" in capsys.readouterr().out
    assert main(["check", str(workshop.out), "--manifest", str(workshop.base / "manifest.toml")]) == 0
    assert "complete and consistent: game, numpy, pyodide-runtime" in capsys.readouterr().out


@pytest.mark.usefixtures("pypi")
def test_a_file_that_cannot_be_had_is_an_error_that_says_what_to_do(
    workshop: Workshop, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (workshop.base / "store" / "numpy-2.4.3-py3-none-any.whl").unlink()
    assert main(arguments) == 1
    err = capsys.readouterr().err
    assert "error: numpy-2.4.3-py3-none-any.whl could not be had" in err
    for part in ("folder", "No such file", "cdn: not reached", "carrier: pip failed", "--from"):
        assert part in err


def test_a_folder_that_was_never_laid_out_does_not_pass_the_check(workshop: Workshop, capsys: pytest.CaptureFixture[str]) -> None:
    workshop.manifest()
    assert main(["check", str(workshop.out), "--manifest", str(workshop.base / "manifest.toml")]) == 1
    assert "error: " in capsys.readouterr().err


def test_a_mistaken_command_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["lay-eggs"])
    assert caught.value.code == 2
    assert "lay-eggs" in capsys.readouterr().err


class Terminal:
    """A stream that counts what is written, and is a terminal or not."""

    def __init__(self, tty: bool) -> None:
        self._tty = tty
        self.text = ""

    def isatty(self) -> bool:
        return self._tty

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        pass


@pytest.mark.parametrize("tty", [True, False])
def test_bytes_are_told_as_they_come_without_flooding_a_log(tty: bool, tmp_path: Path) -> None:
    stream = Terminal(tty)
    printed = Printed(stream)  # type: ignore[arg-type]
    printed.asking("big.whl", "cdn")
    for done in range(0, 1_000_000, 1000):
        printed.progress("big.whl", done, 1_000_000)
    assert "of 1.0 MB" in stream.text
    assert ("\r" in stream.text) == tty
    assert (len(stream.text.splitlines()) < 20) == (not tty)

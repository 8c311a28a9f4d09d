"""Laws of the data folder's lock: one server at a time, and none for ever."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pyodide_runtime.server.claim import FolderTaken, claimed
from pyodide_runtime.server.storage import StorageFailed

HOLD = """
import sys
from pathlib import Path
from pyodide_runtime.server.claim import claimed
with claimed(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_folder_is_made_and_had_by_one(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "data"
    with claimed(folder), pytest.raises(FolderTaken) as taken, claimed(folder):
        pass
    whose = "" if sys.platform == "win32" else f" (process {os.getpid()})"
    expected = f"the data folder {folder} is in use by another server{whose}; stop that one, or name another folder by --data"
    assert str(taken.value) == expected


def test_it_is_given_back_at_the_end_of_the_block_whatever_happens(tmp_path: Path) -> None:
    for _ in range(3):
        with pytest.raises(KeyError), claimed(tmp_path):
            raise KeyError
    with claimed(tmp_path):
        pass


def test_one_that_is_killed_keeps_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as other:
        assert other.stdout is not None and other.stdout.readline() == b"held\n"
        with pytest.raises(FolderTaken, match=f"process {other.pid}"), claimed(tmp_path):
            pass
        other.kill()
        other.wait()
    with claimed(tmp_path):
        pass


def test_two_folders_are_two(tmp_path: Path) -> None:
    with claimed(tmp_path / "one"), claimed(tmp_path / "two"):
        pass


def test_what_is_no_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageFailed, match=r"the data folder .*file cannot be locked: "), claimed(tmp_path / "file"):
        pass

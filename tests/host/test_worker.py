"""Laws of what the bridge calls: files become an experiment, and nothing is written where it must not be."""

from __future__ import annotations

import json
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyodide_runtime import worker
from pyodide_runtime.errors import ExperimentError, SessionError, WireError
from tests.host.studies import FILES, event, source, start, unpack


@pytest.fixture
def opened(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The worker with a folder of this test's own, before anything was opened."""
    monkeypatch.setattr(worker.load_experiment, "__defaults__", (folder,))
    monkeypatch.setattr(worker, "_participant", None)
    yield folder


def test_an_experiment_is_opened_started_and_ticked(opened: Path) -> None:
    about = json.loads(worker.open(json.dumps({"experiment": source(), "session": "s"})))
    assert (about["name"], about["width"], about["height"]) == ("Study", 320, 200)
    worker.start(json.dumps(start(0)))
    answers = [worker.tick(float(at), inbox) for at, inbox in ((0, b""), (100, bytearray()), (200, memoryview(b"")))]
    assert all(type(answer) is bytes for answer in answers)
    assert unpack(answers[0]).wake > 0 and unpack(answers[0]).stats["frame"] == 0


class Proxy:
    """As Pyodide shows a Uint8Array."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def to_bytes(self) -> bytes:
        return self._data


def test_an_inbox_may_be_a_proxy(opened: Path) -> None:
    worker.open(json.dumps({"experiment": source()}))
    worker.start(json.dumps(start(0)))
    assert unpack(worker.tick(0.0, Proxy(event({"type": "leave"})))).events[-1]["outcome"] == "left"
    with pytest.raises(WireError):
        worker.tick(1.0, Proxy(b"\1"))


def test_before_anything_is_opened_nothing_can_be_done(opened: Path) -> None:
    with pytest.raises(SessionError, match="open an experiment first"):
        worker.start(json.dumps(start(0)))
    with pytest.raises(SessionError, match="open an experiment first"):
        worker.tick(0.0, struct.pack("<d", 0))


def test_files_are_written_as_they_were_sent(folder: Path) -> None:
    files = {**FILES, "notes/über.txt": "grün\r\n\u2028"}
    assert worker.load_experiment(source(files), folder).name == "Study"
    for name, text in files.items():
        assert (folder / name).read_bytes().decode() == text


OUTSIDE = ["../outside.py", "/outside.py", "parts/../../outside.py", ".", "", "parts/..", "../experiment2/x.py"]


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_file_that_lies_outside_is_refused_and_none_is_written(folder: Path, name: str) -> None:
    with pytest.raises(ExperimentError, match="lies outside"):
        worker.load_experiment(source({**FILES, name: "x = 1"}), folder)
    assert not folder.exists() and [path.name for path in folder.parent.iterdir()] == []
    assert "study" not in sys.modules


@pytest.mark.parametrize("text", ["", "experiment = None", "import pyodide_runtime as pr\nexperiment = pr.Experiment"])
def test_a_module_without_an_experiment_is_refused_by_name(folder: Path, text: str) -> None:
    with pytest.raises(ExperimentError) as failed:
        worker.load_experiment(source({"study.py": text}), folder)
    assert str(failed.value) == "study.py: the file sets no `experiment = pr.Experiment(...)`"


def test_what_the_module_raises_is_passed_on(folder: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        worker.load_experiment(source({"study.py": "1 / 0"}), folder)


def test_requirements_are_planned_by_the_lock() -> None:
    lock = json.dumps({"packages": {"numpy": {"name": "numpy", "version": "2"}}, "info": {}})
    assert json.loads(worker.plan_requirements('["numpy", "x>1"]', lock)) == {"load": ["numpy"], "install": ["x>1"]}

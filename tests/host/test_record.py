"""Laws of reading records: what was written is read, and whatever is wrong with a file is one error that names the line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyodide_runtime.drops import OnDrop
from pyodide_runtime.errors import RecordError
from pyodide_runtime.record import read_record

HEADER: dict[str, Any] = {
    "record": 1, "session": "s", "seed": 7, "players": ["left", "right"], "player_ids": ["a", "b"], "player": "left",
    "state_digest_every": 5, "experiment": {"files": {"x.py": ""}, "module": "x", "requirements": [], "settings": {}},
    "versions": {"python": "3.13"},
}  # fmt: skip
LINES: list[Any] = [
    HEADER,
    {"episode": 0, "seed": 70},
    {"inputs": ["AQA=", "AQE="], "episode": 0, "from": 0},
    {"inputs": ["AQA=", "AQE="], "episode": 0, "from": 1},
    {"end": 0, "frames": 2, "chain": "ab"},
    {"episode": 1, "seed": 71},
    {"inputs": ["AQA=", "AQE="], "episode": 1, "from": 0},
    {"outcome": {"outcome": "peer_lost"}},
]


def written(path: Path, lines: list[Any]) -> Path:
    file = path / "record.ndjson"
    file.write_bytes(b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines))
    return file


def changed(number: int, **fields: Any) -> list[Any]:
    """The lines with some fields of one of them set, or left out where they are `...`."""
    line = {key: value for key, value in {**LINES[number], **fields}.items() if value is not ...}
    return [*LINES[:number], line, *LINES[number + 1 :]]


def test_what_was_written_is_read(tmp_path: Path) -> None:
    record = read_record(written(tmp_path, LINES))
    assert (record.session, record.seed, record.players, record.state_digest_every) == ("s", 7, ["left", "right"], 5)
    assert record.experiment == HEADER["experiment"] and record.versions == {"python": "3.13"}
    one, two = record.episodes
    assert (one.number, one.seed, one.starts, one.inputs) == (0, 70, [0, 1], [["AQA=", "AQE="]] * 2)
    assert (one.frames, one.chain, two.frames, two.chain) == (2, "ab", None, None)
    assert record.outcome == {"outcome": "peer_lost"}
    assert (record.on_drop, record.adaptive_delay) == (OnDrop.END, False), "as in all records that do not say so"


def test_what_happened_on_a_drop_is_read(tmp_path: Path) -> None:
    record = read_record(written(tmp_path, changed(0, on_drop="partner", adaptive_delay=True)))
    assert (record.on_drop, record.adaptive_delay) == (OnDrop.PARTNER, True)


@pytest.mark.parametrize("length", range(1, len(LINES)))
def test_a_record_that_was_cut_off_between_two_lines_is_a_record(tmp_path: Path, length: int) -> None:
    assert len(read_record(written(tmp_path, LINES[:length])).episodes) == sum("seed" in line for line in LINES[1:length])


WRONG: dict[str, tuple[list[Any], int]] = {
    "of another version": (changed(0, record=2), 1),
    "no record": ([{"a": 1}], 1),
    "no JSON": ([*LINES[:3], b'{"inputs": ["AQ'], 4),
    "not UTF-8": ([b"\xff"], 0),
    "an empty line": ([*LINES[:2], b"", *LINES[2:]], 3),
    "a list": ([*LINES[:2], []], 3),
    "too deep": ([b"[" * 100_000], 1),
    "no experiment": (changed(0, experiment=...), 1),
    "an experiment that is a text": (changed(0, experiment="x"), 1),
    "files that are a list": (changed(0, experiment={"files": ["x.py"], "module": "x"}), 1),
    "a file that is no text": (changed(0, experiment={"files": {"x.py": 1}, "module": "x"}), 1),
    "a module that is no text": (changed(0, experiment={"files": {}, "module": 1}), 1),
    "players that are a text": (changed(0, players="ab"), 1),
    "a seed of nothing": (changed(0, seed=None), 1),
    "a seed without end": (changed(0, seed=float("inf")), 1),
    "versions that are a number": (changed(0, versions=3), 1),
    "digests every nought frames": (changed(0, state_digest_every=0), 1),
    "another choice on a drop": (changed(0, on_drop="wait"), 1),
    "a choice on a drop that is none": (changed(0, on_drop=None), 1),
    "a delay that is adaptive by 2 frames": (changed(0, adaptive_delay=2), 1),
    "a second header": ([*LINES[:2], {"record": 1}], 3),
    "an unknown line": ([*LINES, {"more": 1}], 9),
    "inputs before an episode": ([HEADER, LINES[2]], 2),
    "inputs of another episode": (changed(2, episode=1), 3),
    "inputs of no episode": (changed(2, episode=...), 3),
    "inputs that are a text": (changed(2, inputs="AQA="), 3),
    "inputs that are numbers": (changed(2, inputs=[1, 2]), 3),
    "inputs from nowhere": (changed(2, **{"from": ...}), 3),
    "inputs after the end": ([*LINES[:5], LINES[3]], 6),
    "an episode left out": (changed(5, episode=2), 6),
    "an episode twice": (changed(5, episode=0), 6),
    "a seed of a list": (changed(1, seed=[]), 2),
    "an end of another episode": (changed(4, end=1), 5),
    "an end before an episode": ([HEADER, LINES[4]], 2),
    "a second end": ([*LINES[:5], LINES[4]], 6),
    "an end without a chain": (changed(4, chain=...), 5),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_one_error_that_names_the_line(tmp_path: Path, name: str) -> None:
    lines, number = WRONG[name]
    file = written(tmp_path, lines)
    with pytest.raises(RecordError) as failed:
        read_record(file)
    assert str(failed.value).startswith(f"{file}:{number}: " if number else f"{file}: ")


def test_a_file_that_is_empty_or_a_folder_or_not_there_is_refused(tmp_path: Path) -> None:
    for path in (written(tmp_path, []), tmp_path, tmp_path / "absent"):
        with pytest.raises(RecordError, match=str(path)):
            read_record(path)


_values = st.one_of(st.none(), st.booleans(), st.integers(-1, 3), st.floats(), st.text(max_size=3), st.just([]), st.just({}))


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, len(LINES) - 1), st.data())
def test_a_field_of_anything_else_is_read_or_refused_by_type(tmp_path: Path, number: int, data: st.DataObject) -> None:
    field = data.draw(st.sampled_from(sorted(LINES[number])))
    lines = changed(number, **{field: data.draw(_values)})
    try:
        read_record(written(tmp_path, lines))
    except RecordError as error:
        assert ":" in str(error)

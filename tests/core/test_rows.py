"""Laws of rows and their CSV: equal data are equal bytes, every value comes back exactly, and nothing is left out."""

from __future__ import annotations

import csv
import enum
import io
import re
import struct
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st

import pyodide_runtime as pr
from pyodide_runtime.actions import codec_for
from pyodide_runtime.rows import row_cells, row_values, to_csv
from pyodide_runtime.simulation import StepRecord
from tests.core.environments import Crowd, Relay

LAW = settings(deadline=None, max_examples=150)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
cells = st.lists(st.tuples(st.one_of(st.sampled_from(["info.a", "info.b", "reward.x", "z"]), texts), texts), max_size=5)


def read(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode(), newline=""), strict=True))


@LAW
@given(st.lists(cells, max_size=5))
def test_every_cell_comes_back_from_the_csv(rows: list[list[tuple[str, str]]]) -> None:
    found = read(to_csv(rows))
    names = found[0]
    assert len(set(names)) == len(names) and set(names) == {"episode", "frame"} | {column for row in rows for column, _ in row}
    assert [dict(zip(names, line, strict=True)) for line in found[1:]] == [
        {name: dict(row).get(name, "") for name in names} for row in rows
    ]


@LAW
@given(st.lists(cells, max_size=4))
def test_a_line_feed_ends_each_line_and_other_breaks_stand_in_quotes(rows: list[list[tuple[str, str]]]) -> None:
    bare = re.sub(rb'"[^"]*"', b"", to_csv(rows))
    assert bare.count(b"\n") == len(rows) + 1 and bare.endswith(b"\n") and b"\r" not in bare


@pytest.mark.parametrize("text", ["\r", "a\rb", "\n", "\r\n", '"', ",", " a ", "", "'", "\0", "é", "\u2028", ";", "\t"])
def test_each_odd_text_has_one_form(text: str) -> None:
    data = to_csv([[("info.a", text), ("info.b", "x")]])
    quoted = f'"{text.replace(chr(34), chr(34) * 2)}"' if any(odd in text for odd in '\r\n",') else text
    assert data == f"episode,frame,info.a,info.b\n,,{quoted},x\n".encode()


def test_half_a_surrogate_pair_is_written_as_its_escape() -> None:
    """No file can hold it; it must stop neither the match nor the export."""
    row = row_cells(2, record(**{"n\ud800": "é\udfff"}), ("p", "q"), CODECS, (True, False))
    assert dict(row)["info.p.n\\ud800"] == "é\\udfff"
    assert to_csv([row]).endswith(",é\\udfff\n".encode())
    assert to_csv([[("info.a", "\ud800"), ("info.b", "x")]]).endswith(b",\\ud800,x\n")


@LAW
@given(st.lists(cells, min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_infos_are_ordered_by_name_wherever_they_appear_first(rows: list[list[tuple[str, str]]], rng: Any) -> None:
    infos = [name for name in read(to_csv(rows))[0] if name.startswith("info.")]
    assert infos == sorted(infos)
    shuffled = list(rows)
    rng.shuffle(shuffled)
    assert [name for name in read(to_csv(shuffled))[0] if name.startswith("info.")] == infos


# -- one row -------------------------------------------------------------------------------------------------------------


class Kind(enum.IntEnum):
    NEW = 3


def record(**infos: Any) -> StepRecord:
    return StepRecord(4, (b"\1", b"\0"), (b"\1", b"\0"), (0.5, -0.0), (1.5, 2.0), (False, True), (True, False), (infos, {}))


CODECS = [codec_for(spaces.Discrete(3, start=-1)), codec_for(spaces.Discrete(2))]


def texts_of(row: StepRecord) -> dict[str, str]:
    return dict(row_cells(2, row, ("p", "q"), CODECS, (True, False)))


def test_a_row_has_its_columns_in_order() -> None:
    assert [column for column, _ in row_cells(2, record(b=1, a=2), ("p", "q"), CODECS, (True, False))] == [
        "episode", "frame",
        "action.p", "reward.p", "score.p", "terminated.p", "truncated.p", "focused.p",
        "action.q", "reward.q", "score.q", "terminated.q", "truncated.q", "focused.q",
        "info.p.a", "info.p.b",
    ]  # fmt: skip


def test_further_columns_of_a_player_stand_after_its_focus() -> None:
    more = {"absent": (False, True), "input_delay": (1, 0)}
    row = row_cells(2, record(a=2), ("p", "q"), CODECS, (True, False), more)
    plain = row_cells(2, record(a=2), ("p", "q"), CODECS, (True, False))
    assert row[7:10] == (("focused.p", "true"), ("absent.p", "false"), ("input_delay.p", "1"))
    assert row[15:18] == (("focused.q", "false"), ("absent.q", "true"), ("input_delay.q", "0"))
    assert (*row[:8], *row[10:16], *row[18:]) == plain
    values = row_values(2, record(a=2), ("p", "q"), CODECS, (True, False), more)
    assert values[8:10] == [("absent.p", False), ("input_delay.p", 1)]


def test_the_action_of_a_row_is_the_one_that_was_played() -> None:
    played = record()._replace(actions=(b"", b"\0"))
    assert texts_of(played) == texts_of(record()) != texts_of(record()._replace(played=(b"\0", b"\0")))


def test_every_value_has_one_text() -> None:
    assert list(texts_of(record()).values()) == [
        "2", "4", "0", "0.5", "1.5", "false", "true", "true", "0", "-0.0", "2.0", "true", "false", "false",
    ]  # fmt: skip
    found = texts_of(record(n=Kind.NEW, f=np.float64(0.1), t="yes", b=True, big=1 << 70, nan=float("nan"), inf=float("-inf")))
    assert {key: value for key, value in found.items() if key.startswith("info")} == {
        "info.p.b": "true", "info.p.big": str(1 << 70), "info.p.f": "0.1", "info.p.inf": "-inf", "info.p.n": "3",
        "info.p.nan": "nan", "info.p.t": "yes",
    }  # fmt: skip


@LAW
@given(st.floats())
def test_a_number_comes_back_bit_by_bit(value: float) -> None:
    actions, numbers, flags = (b"\1", b"\0"), (value, 0.0), (False, False)
    row = StepRecord(0, actions, actions, numbers, numbers, flags, flags, ({"x": value}, {}))
    for column in ("reward.p", "score.p", "info.p.x"):
        again = float(texts_of(row)[column])
        assert struct.pack("<d", again) == struct.pack("<d", value) or value != value


@LAW
@given(st.dictionaries(st.sampled_from("abcde"), st.integers()), st.randoms(use_true_random=False))
def test_equal_infos_in_another_order_are_equal_rows(infos: dict[str, int], rng: Any) -> None:
    keys = list(infos)
    rng.shuffle(keys)
    assert row_cells(0, record(**infos), ("p", "q"), CODECS, (True, True)) == row_cells(
        0, record(**{key: infos[key] for key in keys}), ("p", "q"), CODECS, (True, True)
    )


@pytest.mark.parametrize(
    ("space", "action", "text"),
    [
        (spaces.Discrete(9), 3, "3"),
        (spaces.MultiDiscrete([3, 3]), [1, 2], "[1,2]"),
        (spaces.MultiBinary(3), [1, 0, 1], "[1,0,1]"),
        (spaces.Box(-1, 1, (2,), np.float64), [0.1, -1.0], "[0.1,-1.0]"),
        (spaces.Box(-1, 1, (1,), np.float32), [0.1], "[0.10000000149011612]"),
        (spaces.Box(-1, 1, (), np.float64), 0.25, "0.25"),
        (spaces.Dict({"b": spaces.Discrete(2), "a": spaces.Discrete(2)}), {"b": 1, "a": 0}, '{"a":0,"b":1}'),
        (spaces.Tuple([spaces.Discrete(2), spaces.Discrete(2)]), (1, 0), "[1,0]"),
    ],
)
def test_an_action_has_one_text(space: Any, action: Any, text: str) -> None:
    codec = codec_for(space)
    actions = (codec.encode(action),)
    row = StepRecord(0, actions, actions, (0.0,), (0.0,), (False,), (False,), ({},))
    assert dict(row_cells(0, row, ("p",), [codec], (True,)))["action.p"] == text


def test_rows_of_a_runtime_have_values_and_all_players_all_the_time() -> None:
    runtime = pr.Runtime(Crowd())
    runtime.batch([pr.Step({f"agent_{i}": i for i in range(3)})] * 9)
    assert len({tuple(row)[:20] for row in runtime.rows}) == 1
    assert [row["reward.agent_0"] for row in runtime.rows] == [0.5] * 3 + [0.0] * 6
    assert [row["score.agent_0"] for row in runtime.rows][-1] == 1.5
    assert "info.agent_0.clock" in runtime.rows[2] and "info.agent_0.clock" not in runtime.rows[3]
    turns = pr.Runtime(Relay())
    turns.batch([pr.Step({"x": 1})])
    assert turns.rows[0]["action.x"] == 1 and turns.rows[0]["action.y"] is None
    codecs = turns.simulation.codecs
    assert dict(row_cells(0, turns.records[0], turns.players, codecs, (True,) * 3))["action.y"] == "null"
    assert row_values(0, turns.records[0], turns.players, codecs, (True,) * 3)[1] == ("frame", 0)

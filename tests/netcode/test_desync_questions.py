"""Questions and answers as bytes: each comes back as it was, and everything else is a wire error."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyodide_runtime.desync.questions import (
    BLOCKS,
    FRAMES,
    LONGEST_NAME,
    LONGEST_TEXT,
    MOST_CELLS,
    MOST_LISTED,
    MOST_TOGETHER,
    Again,
    Answer,
    Blocks,
    Cell,
    Digests,
    Failed,
    Overview,
    Own,
    Place,
    Question,
    Row,
    States,
    Value,
    Whole,
    printable,
    read_answers,
    read_questions,
    write,
)
from pyodide_runtime.errors import WireError
from pyodide_runtime.network.wire import MAX_ANSWER, MAX_QUESTION

numbers = st.integers(0, 2**40)
digests = st.text("0123456789abcdef", min_size=16, max_size=16)
lines = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), max_size=LONGEST_TEXT)
names = st.text(st.characters(codec="ascii", exclude_categories=("C", "Z")), max_size=LONGEST_NAME)
rising = st.sets(numbers, min_size=1, max_size=FRAMES).map(sorted).map(tuple)


@st.composite
def blocks(draw: st.DrawFn) -> Blocks:
    start, size, count = draw(numbers) // 2, draw(st.integers(1, 5000)), draw(st.integers(1, BLOCKS))
    return Blocks(draw(numbers), start, start + size * count - draw(st.integers(0, size - 1)), size)


questions: st.SearchStrategy[Question] = st.one_of(
    st.just(Overview()),
    st.builds(States, rising),
    blocks(),
    st.builds(Place, numbers, numbers, st.one_of(st.just(-1), numbers)),
    st.builds(Row, numbers),
    st.builds(Cell, numbers, numbers),
)
agains = st.builds(Again, st.booleans(), st.booleans(), lines, lines, lines)
own_answers = st.builds(
    Own,
    names,
    names,
    st.dictionaries(names, names, max_size=4),
    st.sets(numbers, max_size=30).map(sorted).map(tuple),
    numbers,
    st.lists(digests, max_size=30).map(tuple),
)


def some(count: int) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(digests, min_size=count, max_size=count).map(tuple)


def answers_to(question: Question) -> st.SearchStrategy[Answer]:
    failed: st.SearchStrategy[Answer] = st.builds(Failed, lines)
    if isinstance(question, Overview):
        return st.one_of(failed, own_answers)
    if isinstance(question, States):
        count = len(question.frames)
        sizes = st.lists(numbers, min_size=count, max_size=count).map(tuple)
        return st.one_of(failed, st.builds(Whole, some(count), sizes))
    if isinstance(question, Blocks):
        return st.one_of(failed, st.builds(Digests, some(-(-(question.end - question.start) // question.size))))
    if isinstance(question, Row):
        return st.one_of(failed, st.builds(Digests, st.lists(digests, max_size=40).map(tuple)))
    return st.one_of(failed, st.builds(Value, lines, lines, digests, agains))


@given(st.lists(questions, min_size=1, max_size=MOST_TOGETHER), st.data())
def test_questions_and_answers_come_back_as_they_were(asked: list[Question], data: st.DataObject) -> None:
    written = write(asked)
    assert len(written) <= MAX_QUESTION
    assert read_questions(written) == tuple(asked)
    told = [data.draw(answers_to(question)) for question in asked]
    assert read_answers(asked, write(told)) == tuple(told)


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), digests),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=3), inner, max_size=3)),
    max_leaves=8,
)
kinds = st.sampled_from(["overview", "states", "blocks", "place", "row", "cell", "own", "whole", "digests", "value", "failed", "x"])


@given(st.lists(st.tuples(kinds, st.lists(json_values, max_size=6)), max_size=3), questions)
def test_whatever_else_comes_is_a_wire_error_or_a_question_of_the_right_form(told: Any, question: Question) -> None:
    data = json.dumps([[kind, *fields] for kind, fields in told]).encode()
    for read in (read_questions, lambda data: read_answers([question], data)):
        try:
            found = read(data)
        except WireError:
            continue
        assert write(found) == write(read(write(found)))


@given(st.binary(max_size=100), questions)
def test_bytes_that_are_nothing_are_wire_errors(data: bytes, question: Question) -> None:
    for read in (read_questions, lambda data: read_answers([question], data)):
        with pytest.raises(WireError):
            read(data)


D = "0" * 16
AGAIN = [False, False, "", "", ""]


@pytest.mark.parametrize(
    "data",
    [
        "[" * 30_000,
        '[["overview"],["overview"],["overview"]]',
        '[["overview",1]]',
        '[["states",[]]]',
        '[["states",[2,1]]]',
        '[["states",[1,1]]]',
        '[["states",[true]]]',
        '[["states",[1.0]]]',
        f'[["states",{list(range(FRAMES + 1))}]]',
        '[["blocks",0,5,5,1]]',
        '[["blocks",0,0,5,0]]',
        f'[["blocks",0,0,{BLOCKS + 1},1]]',
        '[["place",0,0,-2]]',
        '[["row",-1]]',
        f'[["row",{2**41}]]',
        '[["row",' + "9" * 5000 + "]]",
    ],
)
def test_questions_have_one_form(data: str) -> None:
    with pytest.raises(WireError):
        read_questions(data.encode())


@pytest.mark.parametrize(
    "question, fields",
    [
        (Overview(), ["own", "3", "l", {}, [2, 1], 0, []]),
        (Overview(), ["own", "3", "l", {"a": 1}, [], 0, []]),
        (Overview(), ["own", "3" * 101, "l", {}, [], 0, []]),
        (Overview(), ["own", "3", "l", {}, [], 0, [D] * (MOST_LISTED + 1)]),
        (Overview(), ["own", "3", "l", {}, [*range(MOST_LISTED + 1)], 0, []]),
        (Overview(), ["digests", []]),
        (States((1, 2)), ["whole", [D], [1]]),
        (States((1,)), ["whole", ["0" * 15], [1]]),
        (States((1,)), ["whole", ["G" * 16], [1]]),
        (Blocks(0, 0, 10, 4), ["digests", [D, D]]),
        (Row(1), ["digests", [D] * (MOST_CELLS + 1)]),
        (Cell(1, 1), ["value", "a", "b", D, AGAIN[:4]]),
        (Cell(1, 1), ["value", "a", "b", D, [1, False, "", "", ""]]),
        (Cell(1, 1), ["value", "a" * (LONGEST_TEXT + 1), "b", D, AGAIN]),
        (Place(1, 1, 0), ["failed", 3]),
    ],
)
def test_answers_have_one_form(question: Question, fields: list[Any]) -> None:
    with pytest.raises(WireError):
        read_answers([question], json.dumps([fields]).encode())


def test_the_longest_answers_fit_into_a_packet() -> None:
    longest = [Digests((D,) * MOST_CELLS), Digests((D,) * BLOCKS)]
    assert len(write(longest)) <= MAX_ANSWER
    texts = ["ä" * LONGEST_TEXT] * 3
    assert len(write([Value(texts[0], texts[0], D, Again(True, False, *texts))] * 2)) <= MAX_ANSWER


@given(st.text(), st.integers(4, 50))
def test_what_is_shown_is_one_line_of_a_bounded_length_that_can_be_stored(text: str, longest: int) -> None:
    shown = printable(text, longest)
    assert shown.isprintable() and len(shown) <= longest
    assert shown.encode().decode() == shown
    assert printable(shown, longest) == shown
    hostile = json.loads('"\\ud800\\u0000\\u202e\\n"')
    assert printable(hostile) == r"\ud800\x00\u202e\n"

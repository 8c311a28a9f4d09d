"""The questions that two peers ask each other after their data were seen to differ, and the answers, as bytes.

Both are short JSON lists of a fixed form; several travel together. `read_questions` and `read_answers` take what a stranger
sent and raise WireError for anything else than what is written here, so that nothing else comes further. Every answer fits
into one packet: of states and rows only digests travel, and the text of single values. Nothing here knows what the answers are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..errors import WireError

__all__ = [
    "BLOCKS",
    "DIGEST",
    "FRAMES",
    "Again",
    "Answer",
    "Blocks",
    "Cell",
    "Digests",
    "Failed",
    "Overview",
    "Own",
    "Place",
    "Question",
    "Row",
    "States",
    "Value",
    "Whole",
    "printable",
    "read_answers",
    "read_questions",
    "write",
]

#: Length of a digest, in hexadecimal digits: it need tell apart two things, not resist an attack.
DIGEST = 16
#: Of how many states digests are asked for at once, and into how many blocks a transcript is cut at once.
FRAMES, BLOCKS = 16, 256
#: A text from a peer is cut off after so many characters; the name of a package or a version after fewer.
LONGEST_TEXT, LONGEST_NAME = 400, 100
#: No frame, size or place is greater.
GREATEST = 2**40


class Overview(NamedTuple):
    """What do you run, and of what do you have evidence?"""


class States(NamedTuple):
    """What are the digests and sizes of your states of these frames?"""

    frames: tuple[int, ...]


class Blocks(NamedTuple):
    """What are the digests of so long blocks of the transcript of your state of this frame, from `start` on up to `end`?"""

    frame: int
    start: int
    end: int
    size: int


class Place(NamedTuple):
    """What is there at this byte of that transcript? And is it there if you play again, from your state of the frame `since` on?

    With `since` -1 the episode's reset is what is repeated; with `since` equal to `frame`, nothing is.
    """

    frame: int
    at: int
    since: int


class Row(NamedTuple):
    """What are the digests of the cells of your row of this frame?"""

    frame: int


class Cell(NamedTuple):
    """What is in a cell of your row of this frame? And is it there if you play that frame again?"""

    frame: int
    number: int


Question = Overview | States | Blocks | Place | Row | Cell


class Own(NamedTuple):
    """An overview: what runs here, the frames of which there are states, the first row that is kept, and the rows' digests."""

    python: str
    platform: str
    packages: Mapping[str, str]
    states: tuple[int, ...]
    first_row: int
    rows: tuple[str, ...]


class Whole(NamedTuple):
    """Digest and size of the transcript of each state."""

    digests: tuple[str, ...]
    sizes: tuple[int, ...]


class Digests(NamedTuple):
    """Digests of blocks, or of cells."""

    digests: tuple[str, ...]


class Again(NamedTuple):
    """What came of playing again.

    Attributes:
        tried: whether that could be done.
        same: whether it came to the same.
        path: if not, the first place that differs; empty if none can be told.
        was: what had been there in the match.
        now: what is there now; or why it could not be done.
    """

    tried: bool
    same: bool
    path: str
    was: str
    now: str


class Value(NamedTuple):
    """What is there: path or column, text, a short digest of all of it, and what came of playing again."""

    path: str
    text: str
    digest: str
    again: Again


class Failed(NamedTuple):
    """It cannot be told, for this reason."""

    reason: str


Answer = Own | Whole | Digests | Value | Failed

_QUESTIONS: dict[str, type[Any]] = {kind.__name__.lower(): kind for kind in (Overview, States, Blocks, Place, Row, Cell)}


#: So many questions travel together at the most.
MOST_TOGETHER = 2


def write(told: Sequence[Question] | Sequence[Answer]) -> bytes:
    """Questions, or answers, as bytes."""
    return json.dumps([[type(each).__name__.lower(), *each] for each in told], separators=(",", ":")).encode()


def read_questions(data: bytes) -> tuple[Question, ...]:
    """The questions that these bytes are. WireError if they are none."""
    told = _lists(data)
    if len(told) > MOST_TOGETHER:
        raise WireError(f"{len(told)} questions at once")
    return tuple(map(_question, told))


def read_answers(questions: Sequence[Question], data: bytes) -> tuple[Answer, ...]:
    """The answers to these questions that these bytes are. WireError if they are none."""
    told = _lists(data)
    if len(told) != len(questions):
        raise WireError(f"{len(told)} answers to {len(questions)} questions")
    return tuple(map(_answer, questions, told))


def _question(told: list[Any]) -> Question:
    name, *fields = told
    kind = _QUESTIONS.get(name) if isinstance(name, str) else None
    if kind is None or len(fields) != len(kind._fields):
        raise WireError("a question that is none")
    if kind is States:
        frames = _each(fields[0], _count, FRAMES)
        if not frames or list(frames) != sorted(set(frames)):
            raise WireError("a question about no frames, or not in order")
        return States(frames)
    if kind is Place:
        return Place(_count(fields[0]), _count(fields[1]), -1 if fields[2] == -1 else _count(fields[2]))
    question: Question = kind(*map(_count, fields))
    if isinstance(question, Blocks):
        _, start, end, size = question
        if not (start < end and size and (end - start + size - 1) // size <= BLOCKS):
            raise WireError("a question about no blocks, or too many")
    return question


def _answer(question: Question, told: list[Any]) -> Answer:
    name, *fields = told
    if name == "failed" and len(fields) == 1:
        return Failed(_text(fields[0], LONGEST_TEXT))
    wanted: type[Any] = Own if isinstance(question, Overview) else Whole if isinstance(question, States) else Digests
    if isinstance(question, Place | Cell):
        wanted = Value
    if name != wanted.__name__.lower() or len(fields) != len(wanted._fields):
        raise WireError("an answer to another question")
    if isinstance(question, Overview):
        return _own(fields)
    if isinstance(question, States):
        count = len(question.frames)
        return Whole(_each(fields[0], _digest, count, count), _each(fields[1], _count, count, count))
    if isinstance(question, Blocks):
        count = -(-(question.end - question.start) // question.size)
        return Digests(_each(fields[0], _digest, count, count))
    if isinstance(question, Row):
        return Digests(_each(fields[0], _digest, MOST_CELLS))
    return _value(fields)


#: Of so many rows, states or cells an answer has the digests, or less.
MOST_LISTED, MOST_CELLS, MOST_PACKAGES = 1024, 2048, 1024


def _own(fields: list[Any]) -> Own:
    python, platform, packages, states, first_row, rows = fields
    if not isinstance(packages, dict) or len(packages) > MOST_PACKAGES:
        raise WireError("an overview without packages")
    names = {_text(name, LONGEST_NAME): _text(version, LONGEST_NAME) for name, version in packages.items()}
    frames = _each(states, _count, MOST_LISTED)
    if list(frames) != sorted(set(frames)):
        raise WireError("an overview with states that are not in order")
    told = _text(python, LONGEST_NAME), _text(platform, LONGEST_NAME)
    return Own(*told, names, frames, _count(first_row), _each(rows, _digest, MOST_LISTED))


def _value(fields: list[Any]) -> Value:
    path, text, digest, again = fields
    if not isinstance(again, list) or len(again) != 5 or not all(type(flag) is bool for flag in again[:2]):
        raise WireError("an answer that does not say what came of playing again")
    texts = [_text(part, LONGEST_TEXT) for part in again[2:]]
    return Value(_text(path, LONGEST_TEXT), _text(text, LONGEST_TEXT), _digest(digest), Again(again[0], again[1], *texts))


def _lists(data: bytes) -> list[list[Any]]:
    try:
        told = json.loads(data.decode())
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, list) or not told or not all(isinstance(each, list) and each for each in told):
        raise WireError("what should be questions or answers are no lists")
    return told


def _each(value: Any, check: Any, most: int, fewest: int = 0) -> tuple[Any, ...]:
    if not isinstance(value, list) or not fewest <= len(value) <= most:
        raise WireError("a list is missing, too long or too short")
    return tuple([check(item) for item in value])


def _count(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= GREATEST:
        raise WireError("a number is none, or too great")
    return value


def _digest(value: Any) -> str:
    if not isinstance(value, str) or len(value) != DIGEST or not set(value) <= _DIGITS:
        raise WireError("a digest is none")
    return value


_DIGITS = frozenset("0123456789abcdef")


def _text(value: Any, longest: int) -> str:
    if not isinstance(value, str) or len(value) > longest:
        raise WireError("a text is none, or too long")
    return printable(value)


def printable(text: str, longest: int = LONGEST_TEXT) -> str:
    """A text that can be shown, sent and stored as it is: one line, without halves of characters, of a bounded length."""
    if not text.isprintable():
        text = "".join([sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text])
    return text if len(text) <= longest else text[: longest - 3] + "..."

"""Which questions are asked, in which order, until the first difference between two hosts' data is found.

Each host asks the other and itself the same questions, and what it asks next follows from the two answers. So both ask the
same, and find the same, though neither waits for the other. It knows nothing of packets or time.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any, TypeVar

from .questions import (
    BLOCKS,
    FRAMES,
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
)
from .report import DesyncReport, Difference, Host, RowDifference

__all__ = ["Inquiry", "inquire"]

T = TypeVar("T")
U = TypeVar("U")
V = TypeVar("V")

Both = tuple[Answer, Answer]
"""The answers of the two hosts to one question, that of the host with the lower place first."""

_Part = Generator[Question, Both, V]
"""A part of an inquiry that goes on by itself: yields one question at a time."""

Inquiry = Generator[tuple[Question, ...], list[Both], None]
"""Yields questions that are asked together, and is sent the answers to each."""


def inquire(report: DesyncReport, names: tuple[str, str]) -> Inquiry:
    """Ask until all is known, and write into `report` what is.

    Args:
        report: of the episode, empty.
        names: of the two hosts, in the order of the answers.

    Yields:
        Questions to both; it is to be sent both answers to each.
    """
    try:
        yield from _Search(report, names).run()
    except _NotTold as reason:
        report.unfinished = str(reason)


class _NotTold(Exception):
    """A host cannot answer."""


class _Search:
    """One inquiry, as it goes on."""

    def __init__(self, report: DesyncReport, names: tuple[str, str]) -> None:
        self._report = report
        self._names = names

    def run(self) -> Inquiry:
        """Ask everything, in order."""
        report = self._report
        (one, two), _ = yield from _together(self._ask(Overview(), Own), _nothing())
        self._tell_hosts(one, two)
        row = _first_row(one, two)
        # What comes after the first row that differs may follow from whatever made that differ.
        frames = [frame for frame in one.states if frame in set(two.states) and (row is None or frame <= row + 1)]
        alike, cells = yield from _together(self._find_value(frames), _nothing() if row is None else self._find_cell(row))
        if report.first is None and row is not None:
            report.first = Difference(row, "row", alike)
            if cells is not None:
                self._tell_value(*cells)
        elif report.first is None:
            report.unfinished = "neither the rows nor the states that were kept differ"

    def _ask(self, question: Question, kind: type[T]) -> _Part[tuple[T, T]]:
        answers = yield question
        for name, answer in zip(self._names, answers, strict=True):
            if isinstance(answer, Failed):
                raise _NotTold(f"{name} could not tell it ({answer.reason})")
        one, two = answers
        assert isinstance(one, kind) and isinstance(two, kind)
        return one, two

    def _tell_hosts(self, one: Own, two: Own) -> None:
        unlike = sorted(name for name in {*one.packages, *two.packages} if one.packages.get(name) != two.packages.get(name))
        for name, own in zip(self._names, (one, two), strict=True):
            self._report.hosts[name] = Host(own.python, own.platform, {package: own.packages.get(package) for package in unlike})

    # -- rows --------------------------------------------------------------------------------------------------------

    def _find_cell(self, row: int) -> _Part[tuple[Value, Value] | None]:
        one, two = yield from self._ask(Row(row), Digests)
        number = _first_unlike(one.digests, two.digests)
        if number is None:  # all that both have is alike: one has more columns
            number = min(len(one.digests), len(two.digests)) - 1
        here, there = yield from self._ask(Cell(row, number), Value)
        column = here.path if here.path == there.path else f"{here.path} or {there.path}"
        self._report.row = RowDifference(row, column, self._values(here, there))
        return here, there

    # -- states ------------------------------------------------------------------------------------------------------

    def _find_value(self, frames: list[int]) -> _Part[int | None]:
        """Tell the first value that differs in the first of some states that does; the newest state before it that is alike."""
        bad, good, size = yield from self._find_state(frames)
        if bad is not None:
            self._report.first = Difference(max(0, bad - 1), "start" if bad == 0 else "state", good)
            yield from self._find_place(bad, good, size)
        return good

    def _find_state(self, frames: list[int]) -> _Part[tuple[int | None, int | None, int]]:
        """The first of some states that differs, the newest before it that is known to be alike, and how long the shorter is."""
        bad: int | None = None
        good: int | None = None
        size = 0
        while frames:
            asked = _spread(frames)
            one, two = yield from self._ask(States(asked), Whole)
            at = _first_unlike(one.digests, two.digests)
            if at is not None:
                bad, size = asked[at], min(one.sizes[at], two.sizes[at])
            if at != 0:
                good = asked[-1 if at is None else at - 1]
            if at is None and bad is None:
                break
            frames = [frame for frame in frames if (good is None or frame > good) and (bad is None or frame < bad)]
        return bad, good, size

    def _find_place(self, frame: int, good: int | None, end: int) -> _Part[None]:
        start = 0
        while end - start > 0:
            size = -(-(end - start) // BLOCKS)
            one, two = yield from self._ask(Blocks(frame, start, end, size), Digests)
            at = _first_unlike(one.digests, two.digests)
            if at is None:
                start = end  # the one is the beginning of the other
                break
            start += at * size
            end = min(end, start + size)
            if size == 1:
                break
        since = -1 if frame == 0 else frame if good is None else good
        here, there = yield from self._ask(Place(frame, start, since), Value)
        self._tell_value(here, there)

    # -- telling -----------------------------------------------------------------------------------------------------

    def _tell_value(self, here: Value, there: Value) -> None:
        report = self._report
        report.path = here.path if here.path == there.path else f"{here.path} or {there.path}"
        report.values = self._values(here, there)
        for name, value in zip(self._names, (here, there), strict=True):
            again = value.again
            report.repeatable[name] = again.same if again.tried else None
            report.again[name] = _again(again)

    def _values(self, here: Value, there: Value) -> dict[str, str]:
        alike = here.text == there.text  # as far as they are shown
        texts = [f"{value.text} ({value.digest[:8]})" if alike else value.text for value in (here, there)]
        return dict(zip(self._names, texts, strict=True))


def _together(one: _Part[T], two: _Part[U]) -> Generator[tuple[Question, ...], list[Both], tuple[T, U]]:
    """Two parts at once, so that both take no longer than the longer; what each came to."""
    results: dict[int, Any] = {}
    asked: dict[int, Question] = {}
    answers: dict[int, Both] = {}
    while len(results) < 2:
        for number, part in enumerate((one, two)):
            if number not in results:
                try:
                    asked[number] = part.send(answers[number]) if number in answers else next(part)
                except StopIteration as ended:
                    results[number] = ended.value
                    asked.pop(number, None)
        if asked:
            told = yield tuple(asked.values())
            answers = dict(zip(asked, told, strict=True))
    return results[0], results[1]


def _nothing() -> _Part[None]:
    """A part that asks nothing."""
    yield from ()


def _first_row(one: Own, two: Own) -> int | None:
    """The first frame whose rows differ; None if none of which both have the row does."""
    start = max(one.first_row, two.first_row)
    at = _first_unlike(*(own.rows[start - own.first_row :] for own in (one, two)))
    return None if at is None or start + at >= min(own.first_row + len(own.rows) for own in (one, two)) else start + at


def _first_unlike(one: Sequence[str], two: Sequence[str]) -> int | None:
    """Where two lists differ first; None if they do not as far as both go."""
    return next((at for at, (here, there) in enumerate(zip(one, two, strict=False)) if here != there), None)


def _spread(frames: list[int]) -> tuple[int, ...]:
    """Some of many frames, at even distances; the last two always."""
    count = len(frames)
    if count <= FRAMES:
        return tuple(frames)
    chosen = {count - 1, count - 2, *(count * number // (FRAMES - 1) for number in range(1, FRAMES - 1))}
    return tuple(frames[place] for place in sorted(chosen))


def _again(again: Again) -> str:
    if again.same:
        return "the same"
    if not again.tried:
        return f"not tried: {again.now}"
    return f"{again.path} is {again.now} instead of {again.was}" if again.path else again.now

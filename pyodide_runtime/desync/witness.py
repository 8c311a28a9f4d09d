"""What a host answers when its peer, or it itself, asks about the run that was.

It looks at the states and rows that were kept, and only to say whether they can be had again does it play anything again; then the
present state is brought back. Whatever foreign code raises while it is looked at is an answer, too. It knows nothing of peers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from ..errors import WireError
from ..network.wire import MAX_ANSWER
from ..rollback.inputs import is_focused
from ..rows import Row as WrittenRow
from ..rows import make_row
from ..simulation import GLOBAL_GENERATORS
from ..snapshots.difference import State, first_difference
from ..snapshots.transcript import place_at, transcript
from .evidence import Evidence
from .questions import (
    DIGEST,
    LONGEST_NAME,
    LONGEST_TEXT,
    MOST_CELLS,
    MOST_PACKAGES,
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
    write,
)

__all__ = ["Witness"]

#: At most so many frames are played again to see whether they come to the same.
MOST_AGAIN = 64


class Witness:
    """Answers from one host's evidence, which must not grow any more.

    Args:
        evidence: of the episode.
        versions: what this host runs, as `versions()` gives it.
    """

    def __init__(self, evidence: Evidence, versions: Mapping[str, Any]) -> None:
        self._evidence = evidence
        self._versions = versions
        self._simulation = evidence.runtime.simulation
        self._states: dict[int, State] = {}
        self._whole: dict[int, tuple[str, int]] = {}
        self._transcript: tuple[int, bytes] = (-1, b"")  # of one state at a time, for it may be large
        self._answers: dict[Question, Answer] = {}

    def answer(self, question: Question) -> Answer:
        """The answer, which is the same whenever this is asked.

        Raises:
            WireError: the question is about something that this host does not have.
        """
        known = self._answers.get(question)
        if known is None:
            self._check(question)
            try:
                known = self._answer(question)
            except Exception as error:  # the environment's own code may raise whatever it likes when it is looked at
                known = Failed(_shown(f"{type(error).__name__}: {error}"))
            self._answers[question] = known
        return known

    def _check(self, question: Question) -> None:
        states, rows = self._evidence.states, self._evidence.rows
        if isinstance(question, States):
            known = all(frame in states for frame in question.frames)
        elif isinstance(question, Row | Cell):
            known = question.frame in rows
            if known and isinstance(question, Cell):
                known = question.number < len(rows[question.frame][0].columns)
        elif isinstance(question, Blocks | Place):
            known = question.frame in states
            if known and isinstance(question, Place):
                known = question.frame == 0 if question.since < 0 else question.since in states and question.since <= question.frame
        else:
            known = True
        if not known:
            raise WireError("a question about what is not kept here")

    def _answer(self, question: Question) -> Answer:
        if isinstance(question, Overview):
            return self._overview()
        if isinstance(question, States):
            found = [self._digest_of(frame) for frame in question.frames]
            return Whole(tuple([digest for digest, _ in found]), tuple([size for _, size in found]))
        if isinstance(question, Blocks):
            data = memoryview(self._transcript_of(question.frame))[: question.end]
            places = range(question.start, question.end, question.size)
            return Digests(tuple([_digest(data[at : at + question.size]) for at in places]))
        if isinstance(question, Place):
            return self._place(question)
        row, _ = self._evidence.rows[question.frame]
        if isinstance(question, Row):
            return Digests(tuple([_digest(f"{column}\0{text}".encode()) for column, text in row.cells[:MOST_CELLS]]))
        return self._cell(row, question)

    def _overview(self) -> Own:
        evidence, versions = self._evidence, self._versions
        packages = [*versions["packages"].items()][:MOST_PACKAGES]
        rows = [_digest("\0".join([*row.columns, *row.texts]).encode()) for row, _ in evidence.rows.values()]
        told = Own(
            printable(versions["python"], LONGEST_NAME),
            printable(versions["platform"], LONGEST_NAME),
            {printable(name, LONGEST_NAME): printable(version, LONGEST_NAME) for name, version in packages},
            tuple(sorted(evidence.states)),
            next(iter(evidence.rows), 0),
            tuple(rows),
        )
        # All else has a bound that fits. Who has so many packages shows them in the record.
        return told if len(write([told])) <= MAX_ANSWER else told._replace(packages={})

    # -- states ------------------------------------------------------------------------------------------------------

    def _state_of(self, frame: int) -> State:
        # One that is told by actions is played again for this: once, so that all that is said of it fits together.
        if frame not in self._states:
            self._states[frame] = self._simulation.state(self._evidence.states[frame])
        return self._states[frame]

    def _transcript_of(self, frame: int) -> bytes:
        if self._transcript[0] != frame:
            self._transcript = frame, transcript(self._state_of(frame), GLOBAL_GENERATORS)
        return self._transcript[1]

    def _digest_of(self, frame: int) -> tuple[str, int]:
        if frame not in self._whole:
            data = self._transcript_of(frame)
            self._whole[frame] = _digest(data), len(data)
        return self._whole[frame]

    def _place(self, question: Place) -> Value:
        frame, at, since = question
        state = self._state_of(frame)
        place = place_at(state, GLOBAL_GENERATORS, at)
        again = self._play_again(since, frame, lambda: self._compared(state))
        return Value(_shown(place.path), _shown(place.text), _digest(self._transcript_of(frame)[at:]), again)

    def _compared(self, state: State) -> Again:
        difference = first_difference(state, self._simulation.state())
        if difference is None:
            return Again(True, True, "", "", "")
        return Again(True, False, *map(_shown, difference))

    # -- rows --------------------------------------------------------------------------------------------------------

    def _cell(self, row: WrittenRow, question: Cell) -> Value:
        frame, number = question
        column, text = row.cells[number]
        again = Again(False, False, "", "", "the state before it was not kept")
        if frame in self._evidence.states:
            again = self._play_again(frame, frame + 1, lambda: self._compared_row(row, frame))
        return Value(_shown(column), _shown(text), _digest(text.encode()), again)

    def _compared_row(self, row: WrittenRow, frame: int) -> Again:
        simulation, (_, final) = self._simulation, self._evidence.rows[frame]
        focused = tuple(map(is_focused, final.inputs))
        found = make_row(self._evidence.episode, self._record, simulation.players, simulation.codecs, focused)
        was, now = dict(row.cells), dict(found.cells)
        for column in dict.fromkeys([*was, *now]):
            here, there = was.get(column, "no such column"), now.get(column, "no such column")
            if here != there:
                return Again(True, False, *map(_shown, (column, here, there)))
        return Again(True, True, "", "", "")

    # -- playing again -----------------------------------------------------------------------------------------------

    def _play_again(self, since: int, until: int, look: Callable[[], Again]) -> Again:
        """Play frames `since` ... `until` - 1 again from a kept state (from a reset, if -1) and look at what that comes to."""
        simulation, runtime = self._simulation, self._evidence.runtime
        if since == until:
            return Again(False, False, "", "", "no state before it is known to be alike")
        if until - since > MOST_AGAIN:
            return Again(False, False, "", "", f"the last state that was alike is {until - since} frames before")
        present = simulation.save()
        actions = [record.actions for record in runtime.records[max(0, since) : until]]
        try:
            if since < 0:
                simulation.reset(runtime.seed)
            else:
                simulation.load(self._evidence.states[since])
                self._record = simulation.run(actions)[-1]
            return look()
        except Exception as error:  # what it raises now, it did not then
            return Again(True, False, "", "nothing was raised", _shown(f"{type(error).__name__}: {error}"))
        finally:
            simulation.load(present)


def _digest(data: bytes | memoryview) -> str:
    return hashlib.blake2b(data, digest_size=DIGEST // 2).hexdigest()


def _shown(text: str) -> str:
    return printable(text, LONGEST_TEXT)

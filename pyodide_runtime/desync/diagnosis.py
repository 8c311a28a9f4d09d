"""One host's part in finding out, with a peer, where their data differ: what is asked and answered when, and when it is over.

It has one partner, asks it one question at a time, and again until that is answered, so that lost, repeated and late packets do
no harm; and it answers whoever asks. It ends when all is known on both sides, or after some seconds with what is known. Packets
come and go through whoever owns it; so does time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import WireError
from ..network.wire import Ask, Tell
from .evidence import Evidence
from .inquiry import Both, inquire
from .questions import Question, read_answers, read_questions, write
from .report import DesyncReport
from .witness import Witness

__all__ = ["LONGEST_MS", "MOST_QUESTIONS", "Diagnosis"]

#: How long it lasts at the most, and how often a question is repeated until it is answered, in ms. Where packets are sent reliably
#: and in order, to repeat them sooner would only keep the others waiting.
LONGEST_MS, REPEAT_MS = 5000.0, 600.0
#: How many questions of one peer are answered. No honest one has so many.
MOST_QUESTIONS = 64


class _Asker:
    """What a peer has asked: the number of its last question, the answer to it, and how many there were."""

    def __init__(self) -> None:
        self.number = 0
        self.answer = b""
        self.count = 0
        self.satisfied = False


class Diagnosis:
    """A conversation about data that differ.

    Args:
        evidence: this host's own; it must not grow any more.
        versions: what this host runs.
        names: of each host's players.
        local, partner: this host and the peer whose data are others; `incarnation`: of this host.
        claim: how many rows this host has, and its chain over them.
    """

    def __init__(
        self,
        evidence: Evidence,
        versions: Mapping[str, Any],
        *,
        names: Sequence[str],
        local: int,
        incarnation: int,
        partner: int,
        claim: tuple[int, bytes],
    ) -> None:
        self.partner = partner
        self.report = DesyncReport(evidence.episode)
        self._episode = evidence.episode
        self._local, self._incarnation = local, incarnation
        self._claim = claim
        self._own, self._peer = names[local], names[partner]
        self._witness = Witness(evidence, versions)
        self._askers: dict[int, _Asker] = {partner: _Asker()}
        self._answers: list[tuple[int, Tell]] = []
        self._inquiry = inquire(self.report, tuple(names[place] for place in sorted((local, partner))))  # type: ignore[arg-type]
        self._number = 0
        self._questions: tuple[Question, ...] = ()
        self._asked_at: float | None = None
        self._began: float | None = None
        self._closed = self._met = False
        self._advance(None)

    @property
    def complete(self) -> bool:
        """Whether the own inquiry has come to its end."""
        return not self._questions

    @property
    def sentence(self) -> str:
        """What is known, for people; empty if nothing is."""
        return self.report.sentence(self._own, self._peer)

    def over(self, now_ms: float) -> bool:
        """Whether there is nothing more to wait for: everybody who asks knows all, or the time is up."""
        if self._began is None:
            self._began = now_ms
        return (self.complete and all(asker.satisfied for asker in self._askers.values())) or now_ms - self._began >= LONGEST_MS

    def satisfied(self, place: int) -> None:
        """A peer says, or shows, that it will ask no more."""
        if place in self._askers:
            self._askers[place].satisfied = True

    def close(self, reason: str) -> None:
        """Ask no more; answers are still given. `reason`: why, if something is not known yet."""
        self._closed = True
        if not self.complete:
            self.report.unfinished = self.report.unfinished or reason

    # -- packets -----------------------------------------------------------------------------------------------------

    def due(self, now_ms: float) -> list[tuple[int, Ask | Tell]]:
        """What is to be sent now, and to whom."""
        found: list[tuple[int, Ask | Tell]] = [*self._answers]
        self._answers = []
        if not self._closed and (self._asked_at is None or now_ms - self._asked_at >= REPEAT_MS):
            self._asked_at = now_ms
            questions = write(self._questions) if self._questions else b""
            found.append((self.partner, Ask(self._local, self._incarnation, self._episode, self._number, *self._claim, questions)))
        return found

    def take(self, packet: Ask | Tell) -> None:
        """Take what a peer asks or tells.

        Raises:
            WireError: it is none of what it could ask or tell; nothing was taken.
        """
        if packet.episode != self._episode:
            raise WireError(f"a question or an answer about episode {packet.episode}; it is episode {self._episode} that differs")
        if isinstance(packet, Ask):
            self._take_question(packet)
        else:
            self._take_answer(packet)

    def _take_question(self, packet: Ask) -> None:
        asker = self._askers.get(packet.sender) or _Asker()
        if not packet.question:
            asker.satisfied = True
        elif packet.number > asker.number:
            if asker.count == MOST_QUESTIONS:
                raise WireError(f"more than {MOST_QUESTIONS} questions")
            answer = write([self._witness.answer(question) for question in read_questions(packet.question)])
            asker.number, asker.answer, asker.count = packet.number, answer, asker.count + 1
        if packet.question and packet.number == asker.number:  # an older one was answered when it came
            self._answers.append((packet.sender, Tell(self._local, self._incarnation, self._episode, asker.number, asker.answer)))
        if packet.sender == self.partner and not self._met:
            self._met = True
            self._asked_at = None  # only now does it see what is seen here, and would answer
        self._askers[packet.sender] = asker

    def _take_answer(self, packet: Tell) -> None:
        if packet.sender != self.partner or packet.number > self._number:
            raise WireError("an answer to what was never asked")
        if packet.number < self._number or not self._questions or self._closed:
            return  # it came twice, or too late
        theirs = read_answers(self._questions, packet.answer)
        own = [self._witness.answer(question) for question in self._questions]
        pairs = zip(own, theirs, strict=True) if self._local < self.partner else zip(theirs, own, strict=True)
        self._advance([*pairs])

    def _advance(self, answered: list[Both] | None) -> None:
        """Go on to the next questions."""
        try:
            self._questions = next(self._inquiry) if answered is None else self._inquiry.send(answered)
        except StopIteration:
            self._questions = ()
        self._number += 1
        self._asked_at = None

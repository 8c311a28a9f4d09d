"""A match whose hosts are thrown packets that nobody sent, whose pages are hidden, and a witness who watches it.

What is thrown in every session: bytes at random, real packets with something done to them, and real packets once more. None
of them may raise or change anything. In a session with a player that means ill, one side also sends packets whose check is
right and whose body is not: those may end the match, but never change what is confirmed.
"""

from __future__ import annotations

import random
from dataclasses import replace
from functools import partial

from bench.soaking.laws import Broken
from bench.soaking.packets import damaged, forged, made_up
from bench.soaking.plan import Hidden, Plan
from bench.soaking.witness import Witness
from pyodide_runtime.errors import MatchStuck
from pyodide_runtime.network.wire import session_key
from pyodide_runtime.playing.attention import WhenHidden
from pyodide_runtime.settings import Phase
from pyodide_runtime.virtual.table import Table

__all__ = ["Fire"]

KEY = session_key("virtual")  # the session of every Table
#: A match that has not ended by then never will, in ms of virtual time.
LIMIT_MS = 180_000.0
#: From then on nothing is forged any more, so that a host whose peer has gone can notice the silence.
FORGING_MS = 20_000.0
#: The host in whose name packets are forged.
LIAR = 1
RECENT = 40


class Fire(Table):
    """A table under fire.

    Attributes:
        thrown: packets that were thrown at hosts.
        refused: how many of those each host must have counted as malformed.
        forged: how many had a right check and a wrong body.
    """

    def __init__(self, plan: Plan) -> None:
        super().__init__(
            plan.factory,
            plan.scenario,
            partner=plan.partner,
            settings=lambda number, settings: replace(settings, when_hidden=WhenHidden.PAUSE),
        )
        self._plan = plan
        self._dice = random.Random(f"fire {plan.scenario.seed}")
        self._sent: list[tuple[int, int, bytes]] = []
        self._witness = Witness(self)
        self.thrown = self.forged = 0
        self.refused = [0] * len(self.matches)
        for hidden in plan.hidden:
            self._later(hidden.at_ms, partial(self._hide, hidden, True))
            self._later(hidden.at_ms + hidden.for_ms, partial(self._hide, hidden, False))

    def post(self, number: int) -> None:
        """Send what a host wants to send, and remember it."""
        self._sent.extend((number, receiver, data) for receiver, _, data in self.matches[number].outbox)
        del self._sent[:-RECENT]
        super().post(number)

    def play(self) -> None:
        """Go on to the end.

        Raises:
            Broken: a law is.
            MatchStuck: there is no end.
        """
        try:
            self.run(each=self._look, limit_ms=LIMIT_MS)
        except MatchStuck:
            # Who was said to have what it lacks, in its own name, is never told that; nobody else may be the worse for it.
            if not self._plan.ill or any(match.phase is not Phase.OVER for match in self.matches if match.host != LIAR):
                raise
        for host in range(len(self.hosts)):
            self._check_malformed(host)

    def _look(self) -> None:
        """After every moment: the fire, and a look at what must not have changed."""
        if len(self.matches) > 1:
            self._throw()
        self._witness.look()

    def _hide(self, hidden: Hidden, whether: bool) -> None:
        self.matches[hidden.host].hide(whether, self.clock(hidden.host))

    def _return(self, number: int) -> None:
        self._check_malformed(number)
        super()._return(number)
        self.refused[number] = 0
        # A new page has new connections: no line repeats what the old ones carried.
        self._sent = [sent for sent in self._sent if number not in sent[:2]]

    def _check_malformed(self, number: int) -> None:
        found, thrown = self.matches[number].malformed, self.refused[number]
        if found != thrown and not self._plan.ill:
            raise Broken(f"host {number} dropped {found} packets, but {thrown} bad ones were thrown at it")

    # -- throwing ----------------------------------------------------------------------------------------------------

    def _throw(self) -> None:
        for _ in range(self._dice.choice([0, 0, 1, 3])):
            sender, receiver = self._dice.sample(range(len(self.matches)), 2)
            if self._sent and self._dice.random() < 0.3:
                # As a line would that repeats packets; lines join two hosts, so it never comes to a third.
                sender, receiver, data = self._dice.choice(self._sent)
                self._hit(sender, receiver, data, real=True)
            else:
                self._hit(sender, receiver, damaged(self._dice, [sent[2] for sent in self._sent], KEY), real=False)
        connecting = any(match.phase is Phase.CONNECTING for match in self.matches)
        if self._plan.ill and self.now < FORGING_MS and not connecting and self._dice.random() < 0.2:
            self._forge()

    def _hit(self, sender: int, receiver: int, data: bytes, *, real: bool) -> None:
        if receiver in self.off:
            return
        match = self.matches[receiver]
        before = match.malformed
        match.receive(sender, data, self.clock(receiver))
        self.thrown += 1
        self.refused[receiver] += not real
        forgiven = real and self._plan.ill  # a host that was lied to may say what the other must refuse
        if match.malformed - before != (not real) and not forgiven:
            what = "refused a packet once more that" if real else "took a packet that was damaged, of those that"
            raise Broken(f"host {receiver} {what} host {sender} sent: {data.hex()}")

    def _forge(self) -> None:
        """Let a host say to host 0 what is not so."""
        dice, ill = self._dice, [data for sender, _, data in self._sent if sender == LIAR]
        if not ill or dice.random() < 0.3:
            data = made_up(dice, LIAR, len(self._plan.scenario.places), self._plan.scenario.players, KEY)
        else:
            data = forged(dice, dice.choice(ill), LIAR, KEY)
        self.matches[0].receive(LIAR, data, self.clock(0))
        self.thrown += 1
        self.forged += 1

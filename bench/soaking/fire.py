"""A match whose hosts are thrown packets that nobody sent, whose lines go dead and whose hosts pause, and a witness who watches it.

What is thrown in every session: bytes at random, real packets with something done to them, and real packets once more. None
of them may raise or change anything. In a session with a player that means ill, one side also sends packets whose check is
right and whose body is not: those may end the match, but never change what is confirmed.
"""

from __future__ import annotations

import hashlib
import random
from typing import Any

from bench.soaking.plan import Plan
from pyodide_runtime.errors import WireError
from pyodide_runtime.match import Match, Phase
from pyodide_runtime.network.wire import decode, session_key
from pyodide_runtime.virtual.table import Table

__all__ = ["Broken", "Fire"]

KEY = session_key("virtual")  # the session of every Table
#: A match that has not ended by then never will, in ms of virtual time.
LIMIT_MS = 180_000.0
#: From then on nothing is forged any more, so that a host whose peer has gone can notice the silence.
FORGING_MS = 20_000.0
RECENT = 40


class Broken(Exception):
    """A law does not hold; the message says which and where."""


class Fire(Table):
    """A table under fire.

    Attributes:
        thrown: packets that were thrown at hosts.
        refused: how many of those each host must have counted as malformed.
        forged: how many had a right check and a wrong body.
    """

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan.factory, plan.scenario)
        self._plan = plan
        self._dice = random.Random(f"fire {plan.scenario.seed}")
        self._sent: list[tuple[int, int, bytes]] = []
        self._witness = _Witness(self)
        self.thrown = self.forged = 0
        self.refused = [0] * len(self.matches)

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
        self.run(each=self._look, limit_ms=LIMIT_MS)

    def _look(self) -> None:
        """After every moment: the fire, and a look at what must not have changed."""
        if len(self.matches) > 1:
            self._throw()
        self._witness.look()

    # -- throwing ----------------------------------------------------------------------------------------------------

    def _throw(self) -> None:
        for _ in range(self._dice.choice([0, 0, 1, 3])):
            sender, receiver = self._dice.sample(range(len(self.matches)), 2)
            if self._sent and self._dice.random() < 0.3:
                # As a line would that repeats packets; lines join two hosts, so it never comes to a third.
                sender, receiver, data = self._dice.choice(self._sent)
                self._hit(sender, receiver, data, real=True)
            else:
                self._hit(sender, receiver, self._damaged(), real=False)
        ill = [data for sender, _, data in self._sent if sender == 1]
        connecting = any(match.phase is Phase.CONNECTING for match in self.matches)
        if self._plan.ill and ill and self.now < FORGING_MS and not connecting and self._dice.random() < 0.2:
            self.forged += 1
            data = self._forged(self._dice.choice(ill), sender=1)
            self.matches[0].receive(1, data, self.clock(0))
            self.thrown += 1

    def _hit(self, sender: int, receiver: int, data: bytes, *, real: bool) -> None:
        match = self.matches[receiver]
        before = match.malformed
        match.receive(sender, data, self.clock(receiver))
        self.thrown += 1
        self.refused[receiver] += not real
        forgiven = real and self._plan.ill  # a host that was lied to may say what the other must refuse
        if match.malformed - before != (not real) and not forgiven:
            what = "refused a packet once more that" if real else "took a packet that was damaged, of those that"
            raise Broken(f"host {receiver} {what} player {sender} sent: {data.hex()}")

    def _damaged(self) -> bytes:
        """A real packet with something done to it, or no packet at all."""
        dice = self._dice
        if not self._sent or dice.random() < 0.2:
            return dice.randbytes(dice.choice([0, 1, 6, 7, 8, 40, 120, 2000]))
        data = bytearray(dice.choice(self._sent)[2])
        for _ in range(dice.randint(1, 3)):
            how, at = dice.randrange(5), dice.randrange(len(data) + 1)
            if how == 0 and data:
                data[at % len(data)] ^= 1 << dice.randrange(8)
            elif how == 1:
                del data[at:]
            elif how == 2:
                data[at:at] = dice.randbytes(dice.randint(1, 8))
            elif how == 3:
                data[at:] = dice.choice(self._sent)[2][at:]
            else:
                data[at : at + 4] = dice.choice([b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff"])
        if _is_whole(data):
            data.append(0)  # what was done to it made it another real packet, or this one again
        return bytes(data)

    def _forged(self, packet: bytes, sender: int) -> bytes:
        """A real packet with its body changed and its check made right again."""
        dice, body = self._dice, bytearray(packet[7:])
        for _ in range(dice.randint(1, 3)):
            how, at = dice.randrange(4), dice.randrange(len(body) + 1)
            if how == 0 and body:
                body[at % len(body)] = dice.randrange(256)
            elif how == 1:
                body[at : at + 4] = dice.choice([b"\0\0\0\0", b"\xff\xff\xff\xff", dice.randbytes(4)])
            elif how == 2:
                del body[at:]
            else:
                body += dice.randbytes(dice.randint(1, 6))
        kind = packet[1] if dice.random() < 0.9 else dice.randrange(8)
        check = hashlib.blake2b(bytes((packet[0], kind, sender)) + body, digest_size=4, key=KEY).digest()
        return bytes((packet[0], kind)) + check + bytes((sender,)) + bytes(body)


def _is_whole(data: bytes | bytearray) -> bool:
    try:
        decode(bytes(data), KEY)
    except WireError:
        return False
    return True


class _Witness:
    """Remembers all that is held, written or ended, and notices when it is not what it was."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._inputs: dict[tuple[int, int, int], dict[int, bytes]] = {}
        self._results: list[Any] = [None] * len(table.matches)

    def look(self) -> None:
        """Broken if a confirmed input or an outcome changed."""
        for place, match in enumerate(self._table.matches):
            self._look_at_inputs(place, match)
            result = self._table.journals[place].result
            if self._results[place] is not None and result is not self._results[place]:
                raise Broken(f"host {place} ended twice: {self._results[place]}, then {result}")
            self._results[place] = result

    def _look_at_inputs(self, place: int, match: Match) -> None:
        for player, queue in enumerate(match.session.queues):
            known = self._inputs.setdefault((place, match.episode, player), {})
            for frame in range(queue.first, queue.last + 1):
                data = queue.held(frame)
                if data is None:
                    raise Broken(f"host {place} lost the input of player {player} for frame {frame} of episode {match.episode}")
                if known.setdefault(frame, data) != data:
                    raise Broken(
                        f"host {place} changed the input of player {player} for frame {frame} of episode {match.episode} "
                        f"from {known[frame].hex()} to {data.hex()}"
                    )

"""Packets that nobody sent: at random, damaged, replayed, and made by a peer that means ill.

Every packet carries a check that is keyed by the session. So a packet that is damaged, or made by somebody who does not know
the session, is dropped before anything else is looked at: a match under such fire is, to the bit, the match without it. A
player of the same session can seal what it likes. Of what it sends as itself, new inputs, a goodbye, an end or a claim about
its rows cannot be told from honest ones: they can end the match, in a type, but never change what is confirmed.
"""

from __future__ import annotations

import random
from typing import Any

import pytest

from bench.soaking.bombardment import bombard
from bench.soaking.packets import damaged, forged, made_up
from pyodide_runtime.errors import WireError
from pyodide_runtime.network.virtual import NetworkConditions
from pyodide_runtime.network.wire import Inputs, decode, encode, session_key
from pyodide_runtime.playing.match import Match
from pyodide_runtime.settings import Phase

from .environments import Pond
from .sessions import Result, Table, assert_completed

KEY = session_key("virtual")
LINE = NetworkConditions(latency_ms=60, jitter_ms=40, loss=0.1, duplicate=0.05, reorder=0.1)


class Fire(Table):
    """A match that keeps every packet, and into which more are thrown: (receiver, pretended sender, bytes)."""

    def __init__(self, seed: int, **options: Any) -> None:
        options = {"frames": 40, "episodes": 2, "conditions": LINE, "seed": seed, **options}
        super().__init__(lambda: Pond(2, ends_at=23), **options)
        self.sent: list[tuple[int, bytes]] = []
        self.dice = random.Random(seed)
        self.thrown = 0

    def post(self, number: int) -> None:
        self.sent.extend((number, data) for _, _, data in self.matches[number].outbox)
        super().post(number)

    def throw(self, sender: int, data: bytes) -> None:
        """Hand a packet to the host that `sender` is not, as if it had come from there."""
        self.thrown += 1
        self.matches[1 - sender].receive(sender, data, self.clock(1 - sender))


def test_twenty_thousand_packets_that_are_none_are_wire_errors() -> None:
    table = Fire(1)
    table.run()
    dice = random.Random(2)
    packets = [data for _, data in dice.sample(table.sent, 40)] + [made_up(dice, 1, 2, 2, KEY) for _ in range(40)]
    for _ in range(20_000):
        with pytest.raises(WireError):
            decode(damaged(dice, packets, KEY), KEY)


def test_a_match_under_fire_is_to_the_bit_the_match_without() -> None:
    thrown = 0
    for seed in range(6):
        calm = Fire(seed)
        calm.run()
        table = Fire(seed)

        def shoot(table: Fire = table) -> None:
            for sender in (0, 1):
                recent = [data for _, data in table.sent[-20:]]
                for _ in range(4):
                    table.throw(sender, damaged(table.dice, recent, KEY))

        result = table.run(each=shoot).result()
        assert [match.malformed for match in table.matches] == [table.thrown // 2] * 2
        for match in table.matches:
            match.malformed = 0
        assert_completed(result)
        assert summary(table) == summary(calm)
        thrown += table.thrown
    print(f"{thrown} packets thrown")
    assert thrown > 15_000


def summary(table: Table) -> list[Any]:
    result: Result = table.result()
    return [
        result.csv,
        result.virtual_ms,
        [(match.counters, match.round_trip_ms, match.certified_through) for match in result.matches],
        [journal.result for journal in result.journals],
    ]


@pytest.mark.parametrize("seed", range(4))
def test_packets_that_come_again_whenever_and_however_often_change_nothing(seed: int) -> None:
    table = Fire(seed)

    def shoot() -> None:
        for _ in range(6):
            if table.sent:
                table.throw(*table.dice.choice(table.sent))

    assert_completed(table.run(each=shoot).result())
    assert table.thrown > 1000


# -- a peer that means ill -------------------------------------------------------------------------------------------


class Witness:
    """Looks at everything that must never change once it is there."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._inputs: dict[tuple[int, int, int, int], bytes] = {}
        self._rows = [0, 0]
        self._outcomes: list[Any] = [None, None]

    def look(self) -> None:
        """Raise if something confirmed, final or ended is not what it was."""
        for place, match in enumerate(self._table.matches):
            self._look_at_inputs(place, match)
            journal = self._table.journals[place]
            assert len(journal.cells) >= self._rows[place]
            self._rows[place] = len(journal.cells)
            if self._outcomes[place] is not None:
                assert journal.result is self._outcomes[place], "how a match ended never changes"
            self._outcomes[place] = journal.result
            assert (journal.result is None) == (match.outcome is None) == (match.phase is not Phase.OVER)

    def _look_at_inputs(self, place: int, match: Match) -> None:
        for player, queue in enumerate(match.session.queues):
            for frame in range(queue.first, queue.last + 1):
                data = queue.held(frame)
                assert data is not None
                assert self._inputs.setdefault((place, match.episode, player, frame), data) == data


def test_whatever_a_player_seals_raises_nothing_and_changes_nothing_that_is_confirmed() -> None:
    thrown = accepted = 0
    outcomes: dict[str, int] = {}
    for seed in range(120):
        table = Fire(seed, episodes=1)
        witness = Witness(table)

        def shoot(table: Fire = table, witness: Witness = witness) -> None:
            nonlocal accepted
            connecting = any(match.phase is Phase.CONNECTING for match in table.matches)
            if table.scenario.seed % 4 and connecting:
                return  # else hardly any match would get beyond its hellos
            for _ in range(table.dice.randrange(6)):
                sender = table.dice.randrange(2)
                recent = [data for place, data in table.sent[-40:] if place == sender]
                own = [data for data in recent if data[1] == 2 or table.scenario.seed % 2 == 0]
                if own:
                    before = table.matches[1 - sender].malformed
                    new = made_up(table.dice, sender, 2, 2, KEY)
                    data = forged(table.dice, table.dice.choice(own), sender, KEY) if table.dice.random() < 0.8 else new
                    table.throw(sender, data)
                    accepted += table.matches[1 - sender].malformed == before
            witness.look()

        table.run(each=shoot, limit_ms=60_000)
        thrown += table.thrown
        for match, journal in zip(table.matches, table.journals, strict=True):
            assert match.outcome is not None
            outcomes[match.outcome.value] = outcomes.get(match.outcome.value, 0) + 1
            assert [dict(row)["frame"] for row in journal.cells] == [str(frame) for frame in range(len(journal.cells))]
    print(f"{thrown} forged packets, {accepted} taken for real; {outcomes}")
    assert thrown > 3000 and accepted > 100


def test_claims_from_far_beyond_are_refused() -> None:
    """No packet makes a host keep more than a few thousand inputs, or wait for what can never come."""
    table = Fire(1)
    table.run(lambda: table.matches[0].frame == 20)
    match = table.matches[0]
    good = next(
        packet
        for place, data in reversed(table.sent)
        if place == 1 and isinstance(packet := decode(data, KEY), Inputs) and packet.streams
    )
    last, own = match.session.queues[1].last, match.session.queues[0].last

    def saying(**change: Any) -> Inputs:
        return good._replace(streams=(good.streams[0]._replace(**change),))

    bad = [
        good._replace(needs=(own + 2, good.needs[1])),
        good._replace(held=2**32 - 0x10000, needs=(2**32 - 1, 2**32 - 1)),
        good._replace(held=own + 2, needs=(own + 2, own + 2)),
        good._replace(needs=good.needs[:1]),
        good._replace(final=2**31),
        saying(start=last + 2),
        saying(start=2**32 - 1),
        saying(player=2),
        saying(inputs=(b"\x01\x05",)),
        saying(inputs=(b"\x10\x00",)),
        saying(inputs=(b"\x03\x00",)),
        saying(inputs=(b"\x01\x00\x00",)),
        saying(inputs=(b"\x01",)),
    ]
    for packet in bad:
        match.receive(1, encode(packet, KEY), table.now)
    assert match.malformed == len(bad)
    assert match.session.queues[1].last == last
    for number in range(40):
        packet = saying(start=match.session.queues[1].last + 1, inputs=(b"\x01\x02",) * 500)
        match.receive(1, encode(packet, KEY), table.now + number)
    assert match.session.queues[1].last < match.frame + 4096 + 1


def test_packets_of_every_type_thrown_at_hosts_in_mid_match_raise_nothing_and_change_nothing_that_is_confirmed() -> None:
    blocks = [bombard(seed, 1000) for seed in range(20)]
    assert [block.failure for block in blocks] == [None] * 20
    assert sum(block.thrown for block in blocks) == 20_000
    assert sum(block.sealed for block in blocks) > 6000 and sum(block.taken for block in blocks) > 1500
    assert bombard(3, 500) == bombard(3, 500)

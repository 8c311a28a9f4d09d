"""Matches against every order of things that the machine comes up with: whoever is called when, whatever comes late, twice or not
at all, whoever goes, comes back, or hides its page. Real hosts speak to each other; a bag of packets lies between them."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bench.soaking.laws import must_not_differ
from pyodide_runtime.drops import OnDrop
from pyodide_runtime.journal import MemoryJournal
from pyodide_runtime.playing.outbox import CONTROL
from pyodide_runtime.settings import Outcome, Phase
from pyodide_runtime.virtual.oracle import first_divergence, run_straight
from pyodide_runtime.virtual.report import WRONG
from pyodide_runtime.virtual.scenario import Departure, Scenario
from pyodide_runtime.virtual.table import Table

from .environments import Pond
from .partners import Heron

#: Nobody is given up for being silent within one run of the machine, however seldom it is called in it.
PATIENCE_MS = 10_000.0
MOST_MS, FRAME_MS = 60, 34

hosts = st.integers(0, 2)


class Bag(Table):
    """A table where packets arrive when they are drawn, until it is calm."""

    calm = False

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.bag: list[tuple[int, int, int, bytes]] = []  # sender, receiver, channel and packet

    def post(self, number: int) -> None:
        if self.calm:
            super().post(number)
            return
        outbox = self.hosts[number].match.outbox
        self.bag += [(number, *sent) for sent in outbox]
        outbox.clear()

    def _return(self, number: int) -> None:
        super()._return(number)
        self.bag = [sent for sent in self.bag if number not in sent[:2]]  # a new page has new connections


class Matches(RuleBasedStateMachine):
    """Two or three hosts."""

    @initialize(
        players=st.sampled_from([3, 2]),
        on_drop=st.sampled_from([OnDrop.DEFAULT, OnDrop.PARTNER, OnDrop.PAUSE, OnDrop.END]),
        window=st.integers(1, 8),
        delay=st.integers(0, 3),
        frames=st.sampled_from([40, 12, 4]),
        episodes=st.integers(1, 2),
        watches=st.booleans(),
        seed=st.integers(0, 99),
        start=st.sampled_from([3, 1, 0]),
        leavings=st.sampled_from([1, 2]),
    )
    def begin(
        self,
        players: int,
        on_drop: OnDrop,
        window: int,
        delay: int,
        frames: int,
        episodes: int,
        watches: bool,
        seed: int,
        start: int,
        leavings: int,
    ) -> None:
        scenario = Scenario(
            players=players,
            on_drop=on_drop,
            prediction_window=window,
            input_delay=delay,
            frames=frames,
            episodes=episodes,
            spectators=(0.0,) if watches else (),
            seed=seed,
            disconnect_after_ms=PATIENCE_MS,
            arbitrated=True,
            reliable_control=True,
        )
        self.table = Bag(lambda: Pond(players), scenario, partner=Heron() if on_drop is OnDrop.PARTNER else None)
        self.playing = players
        self.left, self.leavings = 0, leavings
        self.table.calm = True
        self.table.run(lambda: all(match.frame >= start for match in self.table.matches))
        self.table.calm = False

    # -- what happens ----------------------------------------------------------------------------------------------------

    @rule(host=st.integers(0, 3), ms=st.integers(0, MOST_MS), hears=st.booleans())
    def is_called(self, host: int, ms: int, hears: bool) -> None:
        """One host, which hears all that was said to it before, or what was drawn."""
        table = self.table
        table.now += ms
        host %= len(table.hosts)
        if host in table.off:
            return
        if hears:
            self._hears(host)
        table._tick(table.hosts[host])

    @precondition(lambda self: self.table.bag)
    @rule(data=st.data(), again=st.booleans())
    def arrives(self, data: st.DataObject, again: bool) -> None:
        bag = self.table.bag
        at = data.draw(st.integers(0, len(bag) - 1))
        sender, receiver, _, packet = bag[at] if again else bag.pop(at)
        self.table.hosts[receiver].inbox.append((sender, packet))

    @precondition(lambda self: self.table.bag)
    @rule(data=st.data())
    def is_lost(self, data: st.DataObject) -> None:
        at = data.draw(st.integers(0, len(self.table.bag) - 1))
        if self.table.bag[at][2] != CONTROL:
            del self.table.bag[at]

    @precondition(lambda self: self.left < self.leavings)
    @rule(host=hosts, how=st.sampled_from(["closes", "leaves"]), back=st.booleans(), tells=hosts, both=st.booleans())
    def goes(self, host: int, how: Any, back: bool, tells: int, both: bool) -> None:
        """A host goes; what it said last one of the others alone has heard, or nobody, and that one may go, too."""
        here = [number for number in range(self.playing) if number not in self.table.off]
        if len(here) < 2:
            return
        host = here.pop(host % len(here))
        hears = here[tells] if tells < len(here) else None
        for _ in range(3):
            self.is_called(host, FRAME_MS, True)
            for number in here:
                self._hears(number, but=None if number == hears else host)
                self.is_called(number, 1, False)
        self._departs(host, how, back)
        if both and hears is not None and self.left < self.leavings:
            self._departs(hears, how, back)

    def _hears(self, host: int, but: int | None = None) -> None:
        """All arrives that was said to a host, but for what a certain one has said."""
        bag = self.table.bag
        heard = [sent for sent in bag if sent[1] == host and sent[0] != but]
        self.table.hosts[host].inbox += [(sent[0], sent[3]) for sent in heard]
        self.table.bag = [sent for sent in bag if sent not in heard]

    def _departs(self, host: int, how: Any, back: bool) -> None:
        self.left += 1
        self.table.bag = [sent for sent in self.table.bag if sent[0] != host]
        self.table._depart(Departure(host=host, at_ms=self.table.now, how=how, back_ms=MOST_MS if back else None))

    @rule()
    def comes_due(self) -> None:
        """What a server or a browser does after a while: a closed connection is seen, a verdict is given, a page is loaded."""
        table = self.table
        while table._to_come and table._to_come[0][0] <= table.now:
            table._to_come.pop(0)[2]()

    @rule(host=hosts, hidden=st.booleans())
    def hides(self, host: int, hidden: bool) -> None:
        host %= self.playing
        if host not in self.table.off:
            self.table.matches[host].hide(hidden, self.table.clock(host))

    # -- what must hold --------------------------------------------------------------------------------------------------

    def written(self) -> list[MemoryJournal]:
        return [journal for host in self.table.hosts for journal in (*host.before, host.journal)]

    @invariant()
    def nobody_is_wrong_and_all_rows_are_of_one_sequence(self) -> None:
        if not hasattr(self, "table"):
            return
        for match in self.table.matches:
            assert match.outcome not in WRONG, match.detail
            assert match.counters.deepest_rollback <= match.settings.prediction_window
            assert match.malformed == 0
        longest = max((journal.cells for journal in self.written()), key=len)
        for journal in self.written():
            assert journal.cells == longest[: len(journal.cells)]

    def teardown(self) -> None:
        """On a good line all comes to an end, and to the same one."""
        if not hasattr(self, "table"):
            return
        table = self.table
        table.calm = True
        for sender, receiver, channel, data in table.bag:
            table.network.send(table.now, sender, receiver, data, reliable=channel == CONTROL)
        for host in table.hosts:
            host.match.hide(False, table.clock(host.number))
            host.wake_ms = table.now
        table.run()
        self.nobody_is_wrong_and_all_rows_are_of_one_sequence()
        longest = max(self.written(), key=lambda journal: len(journal.cells))
        every = table.matches[0].settings.digest_every
        oracle = run_straight(table.factory, table.scenario, longest, digest_every=every, partner=table.partner)
        earlier = [(host.number, journal) for host in table.hosts for journal in host.before]
        must_not_differ(first_divergence(oracle, table.journals, [match.outcome for match in table.matches], earlier))
        if self.left == 0:
            assert [match.outcome for match in table.matches] == [Outcome.COMPLETED] * len(table.hosts)
        assert all(match.phase is Phase.OVER for match in table.matches if match.host not in table.off)


TestMatches = Matches.TestCase
TestMatches.settings = settings(
    deadline=None,
    max_examples=200,
    stateful_step_count=50,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

"""The table of a virtual match: hosts, the lines between them, and time, which passes from one moment of interest to the next.

As in a browser, what arrives waits for the host's next tick. A host has a clock of its own, may freeze, and may be
switched off; it is not the same as a player: packets travel between hosts, inputs belong to players. The table lets
the matches be played and looks at nothing in them.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Self

from ..errors import MatchStuck
from ..journal import MemoryJournal
from ..network.arbiter import Arbiter
from ..network.virtual import Fates, VirtualNetwork
from ..partner import Policy
from ..playing.match import Match
from ..playing.outbox import CONTROL
from ..rollback.inputs import make_input
from ..settings import MatchSettings, Outcome, Phase
from .inputs import Controllers, DrawnInputs, Inputs, Sampler
from .scenario import Clock, Departure, Factory, Scenario

__all__ = ["Host", "Table"]

#: A host is not called more often than this, in ms of the virtual clock.
SHORTEST_TICK_MS = 1.0
#: When peers see that a connection was closed, in ms after it was, and after what time a page that was dropped by the others
#: is there again.
CLOSING_MS, RELOAD_MS = 150.0, 700.0
#: How long the server takes to answer an appeal, in ms.
ANSWER_MS = 60.0
#: No host has so many packets to send when it is called, whatever it slept through.
MOST_AT_ONCE = 20_000


@dataclass(slots=True, eq=False)
class Host:
    """One machine at the table.

    Attributes:
        number: its number, by which the network knows it.
        players: places of the players whose inputs come from it.
        match: its part in the match.
        journal: where that writes.
        sampler: gives it inputs.
        clock: what it takes for the time.
        wake_ms: when it is to be called next, on the virtual clock.
        inbox: what has arrived since it was last called: hosts and packets.
        ended_ms: when its match was over; None as long as it is not.
        before: what earlier incarnations of it wrote.
    """

    number: int
    players: tuple[int, ...]
    match: Match
    journal: MemoryJournal
    sampler: Sampler
    clock: Clock
    wake_ms: float
    inbox: list[tuple[int, bytes]] = field(default_factory=list)
    ended_ms: float | None = None
    before: list[MemoryJournal] = field(default_factory=list)


class Table:
    """The hosts of one match.

    Args:
        factory: makes the environment.
        scenario: what is played.
        controllers: give the players' actions; see `inputs`.
        inputs: what gives the inputs instead, given how they would be made.
        fates: what becomes of packets; None: drawn from the scenario's seed.
        partner: the policy that plays for players whose hosts are gone, if the scenario says so.
        factories: the factory of each host, where they are to differ.
        settings: changes the settings of one host, where they are to differ.
        journal: makes what a host writes into.

    Raises:
        SessionError, ActionError, EnvironmentNotSupported, EnvironmentFailed, SnapshotError: the match cannot be played.
    """

    def __init__(
        self,
        factory: Factory,
        scenario: Scenario,
        *,
        controllers: Controllers | None = None,
        inputs: Callable[[tuple[bytes, ...]], Inputs] | None = None,
        fates: Fates | None = None,
        partner: Policy | None = None,
        factories: Callable[[int], Factory] | None = None,
        settings: Callable[[int, MatchSettings], MatchSettings] = lambda number, settings: settings,
        journal: Callable[[], MemoryJournal] = MemoryJournal,
    ) -> None:
        self.factory = factory
        self.partner = partner
        self.scenario = scenario
        self.network = VirtualNetwork(
            scenario.conditions, scenario.seed, lines=scenario.lines, partitions=scenario.partitions, fates=fates
        )
        self.now = 0.0
        #: Hosts that do nothing at all.
        self.off: set[int] = set()
        #: The hosts that were called at this moment.
        self.ticked: list[int] = []
        self._freezes = sorted(scenario.freezes, key=lambda freeze: freeze.at_ms)
        self._to_come: list[tuple[float, int, Callable[[], None]]] = []
        self._arbiter = Arbiter()
        self._count = 0
        for departure in scenario.departures:
            self._later(departure.at_ms, partial(self._depart, departure))
        self._factories, self._settings, self._journal = factories, settings, journal
        hosts = range(len(scenario.places))
        runtimes = [scenario.runtime(factories(number) if factories else factory, partner) for number in hosts]
        simulation, shared = runtimes[0].simulation, scenario.settings(runtimes[0])
        self._shared = shared
        defaults = shared.default_actions * (scenario.players if len(shared.default_actions) == 1 else 1)
        neutral = tuple(make_input(codec.encode(action), True) for codec, action in zip(simulation.codecs, defaults, strict=False))
        self.inputs = (
            inputs(neutral)
            if inputs is not None
            else DrawnInputs(simulation.players, simulation.codecs, neutral, scenario.seed, controllers, hold=scenario.hold)
        )
        self.hosts: list[Host] = []
        for number, runtime in enumerate(runtimes):
            written = journal()
            match = Match(runtime, host=number, settings=settings(number, shared), journal=written)
            watches = number - scenario.players_hosts
            starts_ms = number * scenario.start_skew_ms if watches < 0 else scenario.spectators[watches]
            sampler = self._sampler(match)
            clock = scenario.clock(number)
            self.hosts.append(Host(number, scenario.places[number], match, written, sampler, clock, starts_ms))

    def _sampler(self, match: Match) -> Sampler:
        return lambda player: self.inputs.at(player, match.episode, match.frame + match.session.delay)

    @property
    def matches(self) -> list[Match]:
        """Every host's part in the match."""
        return [host.match for host in self.hosts]

    @property
    def journals(self) -> list[MemoryJournal]:
        """What every host has written."""
        return [host.journal for host in self.hosts]

    def clock(self, number: int) -> float:
        """The time on a host's own clock, in ms."""
        return self.hosts[number].clock.read(self.now)

    # -- time --------------------------------------------------------------------------------------------------------

    def turn(self) -> None:
        """Go on to the next moment at which some host wants to do something, and let it."""
        wakes = [host.wake_ms for host in self.hosts if host.number not in self.off]
        self.now = min(wakes + [at_ms for at_ms, *_ in self._to_come[:1]])
        while self._to_come and self._to_come[0][0] <= self.now:
            heapq.heappop(self._to_come)[2]()
        for sender, receiver, data in self.network.arrivals(self.now):
            self.hosts[receiver].inbox.append((sender, data))
        self.ticked = []
        for host in self.hosts:
            if host.number in self.off or host.wake_ms > self.now:
                continue
            frozen_until = self._frozen_until(host.number)
            if frozen_until > self.now:
                host.wake_ms = frozen_until
            else:
                self._tick(host)

    def _frozen_until(self, number: int) -> float:
        until = self.now
        for freeze in self._freezes:
            if freeze.host == number:
                until = freeze.lasts_until(until)
        return until

    def _tick(self, host: Host) -> None:
        self.ticked.append(host.number)
        now = host.clock.read(self.now)
        for sender, data in host.inbox:
            host.match.receive(sender, data, now)
        host.inbox.clear()
        host.match.tick(now, host.sampler)
        self.post(host.number)
        gone = host.match.appeal(now)
        if gone:
            self._later(self.now + ANSWER_MS, partial(self._answer, host, host.match, gone))
        host.wake_ms = max(self.now + SHORTEST_TICK_MS, host.clock.when(host.match.wake_at))
        if host.ended_ms is None and host.match.phase is Phase.OVER:
            host.ended_ms = self.now
            if host.match.outcome is Outcome.DROPPED:
                self._later(self.now + RELOAD_MS, lambda: self._return(host.number))

    def _answer(self, host: Host, match: Match, gone: tuple[tuple[int, int], ...]) -> None:
        """The server's verdict; it is lost on a page that is not there any more."""
        granted = self._arbiter.appeal(host.number, match.incarnation, gone)
        if host.number not in self.off and host.match is match:
            match.take_verdict(gone, granted)

    def post(self, number: int) -> None:
        """Send what a host wants to send. MatchStuck if it is more than any host ever has to say."""
        outbox, reliable = self.hosts[number].match.outbox, self.scenario.reliable_control
        if len(outbox) > MOST_AT_ONCE:
            raise MatchStuck(f"host {number} sends {len(outbox)} packets at once: it answers answers")
        for receiver, channel, data in outbox:
            self.network.send(self.now, number, receiver, data, reliable=reliable and channel == CONTROL)
        outbox.clear()

    # -- going and coming back ---------------------------------------------------------------------------------------

    def _later(self, at_ms: float, happens: Callable[[], None]) -> None:
        heapq.heappush(self._to_come, (at_ms, self._count, happens))
        self._count += 1

    def _depart(self, departure: Departure) -> None:
        host = self.hosts[departure.host]
        if host.number in self.off:
            return
        if departure.how == "leaves":
            host.match.leave("the page was closed")
            self.post(host.number)
        self.off.add(host.number)
        if departure.how != "crashes":
            incarnation = host.match.incarnation
            self._later(self.now + CLOSING_MS, lambda: self._close(host.number, incarnation))
        if departure.back_ms is not None:
            self._later(self.now + departure.back_ms, lambda: self._return(host.number))

    def _close(self, number: int, incarnation: int) -> None:
        """The others see that a host's connections were closed, unless it is there again already."""
        if self.hosts[number].match.incarnation == incarnation:
            for other in self.hosts:
                if other.number != number and other.number not in self.off:
                    other.match.link_closed(number, other.clock.read(self.now))

    def _return(self, number: int) -> None:
        """A host's page is loaded again: it knows nothing but who it is, and how often it came before."""
        host = self.hosts[number]
        factories = self._factories
        runtime = self.scenario.runtime(factories(number) if factories else self.factory, self.partner)
        host.before.append(host.journal)
        host.journal = self._journal()
        host.match = Match(
            runtime,
            host=number,
            settings=self._settings(number, self._shared),
            journal=host.journal,
            incarnation=host.match.incarnation + 1,
        )
        host.sampler = self._sampler(host.match)
        host.inbox.clear()
        host.wake_ms, host.ended_ms = self.now, None
        self.network.reconnect(number)
        self.off.discard(number)

    def pause(self, number: int, ms: float) -> None:
        """Let a host not be called for some time; what arrives meanwhile waits for it."""
        host = self.hosts[number]
        host.wake_ms = max(host.wake_ms, self.now + ms)

    @property
    def over(self) -> bool:
        """Whether all hosts that are not off have ended."""
        return not self._to_come and all(host.match.phase is Phase.OVER for host in self.hosts if host.number not in self.off)

    def run(
        self, until: Callable[[], bool] | None = None, *, each: Callable[[], None] | None = None, limit_ms: float = 120_000.0
    ) -> Self:
        """Go on until all is over, or `until` says so; `each` is called after every moment.

        Raises:
            MatchStuck: that is not so within `limit_ms` of virtual time.
        """
        end = self.now + limit_ms
        while not (until() if until else self.over):
            if self.now >= end:
                where = [
                    f"host {host.number} is {host.match.phase.value} in episode {host.match.episode} at frame {host.match.frame}, "
                    f"holds inputs through {host.match.session.held} and has {host.match.session.final} final rows"
                    for host in self.hosts
                ]
                raise MatchStuck(f"the match has not ended within {limit_ms / 1000:g} s of virtual time: {'; '.join(where)}")
            self.turn()
            if each is not None:
                each()
        return self

"""Who plays: the agreement among hosts that suspect each other, die, come back, and hear each other late, twice or not at all."""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pyodide_runtime.network.arbiter import Arbiter
from pyodide_runtime.network.membership import Membership, Standing, Statement

Frame = tuple[int, int]
"""A frame of a player's stream: the host that gave it, and the incarnation that returns with the next frame, or -1."""


class Said(NamedTuple):
    """A packet: a statement; or streams, from their first frames on, and how many frames its sender holds of all."""

    sender: int
    incarnation: int
    receiver: int
    meant: int
    statement: Statement | None = None
    streams: tuple[tuple[int, tuple[Frame, ...]], ...] = ()
    held: int = 0
    final: int = 0


class Host:
    """One incarnation of a host, as far as the agreement goes."""

    def __init__(self, number: int, players: list[list[int]], incarnation: int, arbitrated: bool) -> None:
        self.number, self.incarnation = number, incarnation
        self.membership = Membership(number, players, incarnation, arbitrated=arbitrated)
        self.streams: list[list[Frame]] = [[] for _ in range(sum(map(len, players)))]
        self.watching = incarnation > 0
        self.up = True
        self.known = [0] * len(players)  # the incarnations that it listens to
        self.reported = [0] * len(players)  # how many frames they hold of all
        self.final = self.looked = 0
        self.unasked: dict[int, int] = {}  # who is about to be let in, and was not asked when others were given up

    def __repr__(self) -> str:
        return f"host {self.number}, incarnation {self.incarnation}"

    @property
    def needs(self) -> list[int]:
        """Of each player the first frame that it lacks."""
        return [len(stream) for stream in self.streams]

    def make_final(self) -> None:
        """What it holds, and all others that were not given up hold, too."""
        others = [host for host in range(len(self.known)) if host != self.number and not self.membership.is_absent(host)]
        told = [] if self.watching else [self.reported[host] for host in others]
        self.final = max(self.final, min([*self.needs, *told]))


class Group(RuleBasedStateMachine):
    """Some hosts, and a bag of packets. Nobody is asked what time it is."""

    @initialize(counts=st.lists(st.integers(1, 2), min_size=2, max_size=5), arbitrated=st.booleans())
    def begin(self, counts: list[int], arbitrated: bool) -> None:
        self.arbitrated, self.arbiter = arbitrated, Arbiter()
        starts = [sum(counts[:number]) for number in range(len(counts))]
        self.players = [list(range(start, start + count)) for start, count in zip(starts, counts, strict=True)]
        self.hosts = [Host(number, self.players, 0, arbitrated) for number in range(len(counts))]
        self.gone: list[Host] = []
        self.bag: list[Said] = []

    def up(self) -> list[Host]:
        return [host for host in self.hosts if host.up]

    def playing(self) -> list[Host]:
        return [host for host in self.up() if not host.watching]

    # -- what hosts do ---------------------------------------------------------------------------------------------------

    def give(self, host: Host) -> None:
        """The next frame of each stream that this host may continue."""
        membership = host.membership
        for player, owner in membership.host_of.items():
            if host.watching or membership.owner(player) != host.number:
                continue
            stream, other, back = host.streams[player], self.hosts[owner], -1
            if owner != host.number:
                gone = membership.standings[owner].gone
                if stream and stream[-1][1] > gone:
                    continue  # it was let in
                if other.up and other.watching and host.known[owner] == other.incarnation > gone and min(other.needs) >= host.final:
                    back = other.incarnation
            stream.append((host.number, back))

    def speak(self, host: Host) -> None:
        membership = host.membership
        if host.watching:
            return
        giving = [player for player, owner in membership.host_of.items() if owner == host.number or membership.is_out(owner)]
        for number, known in enumerate(host.known):
            if number == host.number:
                continue
            head = (host.number, host.incarnation, number, known)
            if known > membership.standings[number].running:  # it comes late, and is told what is final
                streams = tuple((player, tuple(stream[: host.final])) for player, stream in enumerate(host.streams))
                self.bag.append(Said(*head, None, streams, host.final, host.final))
            elif not membership.is_out(number):
                # Of one that was just let in everybody passes on what others gave in its place.
                late = [*giving, *self.players[number]]
                streams = tuple((player, tuple(host.streams[player])) for player in late)
                self.bag += [
                    Said(*head, None, streams, min(host.needs), host.final),
                    Said(*head, membership.state(0, host.needs)),
                ]

    def hear(self, said: Said) -> None:
        host = self.hosts[said.receiver]
        membership = host.membership
        late = said.incarnation > membership.standings[said.sender].running
        if not host.up or said.incarnation != host.known[said.sender] or said.meant != host.incarnation:
            return
        if not late and membership.is_absent(said.sender):  # it is to know that it was given up
            statement = membership.state(0, host.needs)
            self.bag.append(Said(host.number, host.incarnation, said.sender, said.incarnation, statement))
        if said.statement is not None:
            self.hear_statement(host, said.sender, said.statement, late)
        elif host.watching or (not membership.is_out(said.sender) and not late):
            for player, frames in said.streams:
                owner, stream = membership.host_of[player], host.streams[player]
                own = owner == host.number and not host.watching
                if not own and (host.watching or said.sender == owner or membership.is_out(owner)):
                    stream += frames[len(stream) : said.final if host.watching else None]
            host.reported[said.sender] = max(host.reported[said.sender], said.held)

    def hear_statement(self, host: Host, sender: int, statement: Statement, late: bool) -> None:
        membership = host.membership
        if late or host.watching:
            return
        if statement.standings[host.number].gone >= host.incarnation:
            theirs = [number for number, standing in enumerate(statement.standings) if not standing.out]
            ours = membership.left_over
            if membership.arbitrated and membership.is_out(sender) and len(ours) == len(theirs):
                host.up = bool(not membership.undecided or not statement.agreed)
                return
            if not (membership.is_out(sender) and (-len(ours), ours) < (-len(theirs), theirs)):
                host.up = False  # it was dropped, and learns it
            return
        if membership.is_out(sender):
            return
        for known, told in zip(membership.standings, statement.standings, strict=True):
            if statement.agreed and not known.out and told.gone >= known.running:
                host.up = False  # they agreed on a drop before they let this host in: what it holds may not be what they do
                return
        membership.hear(sender, statement)

    def settle(self, host: Host) -> None:
        membership = host.membership
        if not host.watching and membership.tied:
            gone = [(number, membership.standings[number].gone) for number in membership.unsure]
            host.up = self.arbiter.appeal(host.number, host.incarnation, gone)
            for number, incarnation in gone if host.up else ():
                membership.suspect(number, incarnation, left=True)
        if (
            not host.watching
            and host.up
            and membership.undecided
            and membership.may_go_on
            and not membership.missing(0, host.needs)
        ):
            membership.settle()
            for player, owner in membership.host_of.items():
                back = host.streams[player][-1][1] if host.streams[player] else -1
                if back > membership.standings[owner].running:
                    host.unasked[owner] = back

    def look(self, host: Host) -> None:
        """See what is final, and let in those who return in it."""
        host.make_final()
        while host.looked < host.final:
            for player, stream in enumerate(host.streams):
                owner, back = host.membership.host_of[player], stream[host.looked][1]
                if back >= 0:
                    host.reported[owner] = max(host.reported[owner], 0)
                    host.membership.admit(owner, back)
                    if host.unasked.get(owner) == back:
                        host.membership.suspect(owner, back)
                    if owner == host.number and back == host.incarnation:
                        host.watching = False
            host.looked += 1
            host.make_final()

    # -- what happens ------------------------------------------------------------------------------------------------------

    @rule(data=st.data())
    def a_host_does_something(self, data: st.DataObject) -> None:
        if self.up():
            host = data.draw(st.sampled_from(self.up()))
            getattr(self, data.draw(st.sampled_from(["give", "speak", "settle", "look"])))(host)

    @rule()
    def for_a_while_all_is_well(self) -> None:
        self.all_is_calm(3)

    @precondition(lambda self: self.bag)
    @rule(data=st.data(), again=st.booleans())
    def a_packet_arrives(self, data: st.DataObject, again: bool) -> None:
        place = data.draw(st.integers(0, len(self.bag) - 1))
        self.hear(self.bag[place] if again else self.bag.pop(place))

    @precondition(lambda self: self.bag)
    @rule(data=st.data())
    def a_packet_is_lost(self, data: st.DataObject) -> None:
        self.bag.pop(data.draw(st.integers(0, len(self.bag) - 1)))

    @rule(data=st.data())
    def a_host_suspects_another(self, data: st.DataObject) -> None:
        pairs = [(host, number) for host in self.playing() for number in host.membership.left_over if number != host.number]
        if pairs:
            host, number = data.draw(st.sampled_from(pairs))
            host.membership.suspect(number, host.membership.standings[number].running)

    @rule(data=st.data())
    def a_host_dies(self, data: st.DataObject) -> None:
        if len(self.playing()) > 1:
            data.draw(st.sampled_from(self.playing())).up = False

    @rule(data=st.data())
    def a_host_comes_back(self, data: st.DataObject) -> None:
        """As another incarnation. All hear of it at once, and that the one before is gone."""
        away = [host for host in self.hosts if not host.up and host.incarnation < 3]
        if not away or not self.playing():
            return
        old = data.draw(st.sampled_from(away))
        self.gone.append(old)
        new = self.hosts[old.number] = Host(old.number, self.players, old.incarnation + 1, self.arbitrated)
        teller = data.draw(st.sampled_from(self.playing()))
        new.membership.merge(teller.membership.standings, also_sponsors=True)
        new.known = [host.incarnation for host in self.hosts]
        for other in self.up():
            other.known[old.number] = new.incarnation
            if not other.watching:
                other.membership.suspect(old.number, other.membership.standings[old.number].running)

    def all_is_calm(self, rounds: int) -> None:
        """For so many rounds every packet arrives."""
        for _ in range(rounds):
            for host in self.up():
                self.give(host)
                self.speak(host)
            bag, self.bag = self.bag, []
            for said in bag:
                self.hear(said)
            for host in self.up():
                self.settle(host)
                self.look(host)

    # -- the laws ----------------------------------------------------------------------------------------------------------

    @invariant()
    def what_is_final_anywhere_is_the_same_everywhere(self) -> None:
        """Also at those who died, or were dropped and do not know it yet."""
        everybody = [*getattr(self, "hosts", []), *getattr(self, "gone", [])]
        if not everybody:
            return
        farthest = max(everybody, key=lambda host: host.final)
        for host in everybody:
            for stream, other in zip(host.streams, farthest.streams, strict=True):
                assert stream[: host.final] == other[: host.final]

    @invariant()
    def a_player_has_one_giver_unless_one_of_two_was_dropped(self) -> None:
        if not hasattr(self, "hosts"):
            return
        for player in range(sum(map(len, self.players))):
            givers = [host for host in self.playing() if host.membership.owner(player) == host.number]
            for one, other in combinations(givers, 2):
                assert one.membership.is_out(other.number) or other.membership.is_out(one.number)

    def teardown(self) -> None:
        """Once packets flow, all that are left and may go on are of one mind, and go on together."""
        if not hasattr(self, "hosts"):
            return
        self.all_is_calm(25)
        self.what_is_final_anywhere_is_the_same_everywhere()
        there = [host for host in self.playing() if not host.membership.undecided]
        for host in there:
            assert host.membership.left_over == there[0].membership.left_over
            alike = [standing[:2] for standing in host.membership.standings]
            assert alike == [standing[:2] for standing in there[0].membership.standings]
            for player in range(len(host.streams)):
                assert host.membership.owner(player) == there[0].membership.owner(player) is not None
        before = [host.final for host in there]
        self.all_is_calm(5)
        if there and {host.number for host in there} == set(there[0].membership.left_over):
            assert all(host.final > final for host, final in zip(there, before, strict=True) if host.up)


TestGroup = Group.TestCase
TestGroup.settings = settings(max_examples=150, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@settings(max_examples=400)
@given(st.data(), st.integers(2, 8), st.booleans())
def test_of_the_sides_that_a_network_falls_into_one_at_most_goes_on(data: st.DataObject, hosts: int, arbitrated: bool) -> None:
    sides = [data.draw(st.integers(0, 2)) for _ in range(hosts)]
    surely_gone = {number for number in range(hosts) if data.draw(st.booleans()) and data.draw(st.booleans())}
    going_on, arbiter = set(), Arbiter()
    for number in data.draw(st.permutations(sorted(set(range(hosts)) - surely_gone))):
        membership = Membership(number, [[player] for player in range(hosts)], arbitrated=arbitrated)
        for other in range(hosts):
            if other in surely_gone or sides[other] != sides[number]:
                membership.suspect(other, 0, left=other in surely_gone)
        granted = membership.tied and arbiter.appeal(number, 0, [(other, 0) for other in membership.unsure])
        if membership.may_go_on or granted:
            going_on.add(sides[number])
    assert len(going_on) <= 1
    left = [sides[number] for number in range(hosts) if number not in surely_gone]
    if left and max(map(left.count, left)) * 2 > len(left):
        assert going_on == {max(left, key=left.count)}, "a majority goes on"


@given(st.integers(0, 3), st.integers(0, 3), st.booleans())
def test_old_news_of_a_host_that_came_back_does_not_hurt(gone: int, running: int, left: bool) -> None:
    membership = Membership(0, [[0], [1]])
    membership.admit(1, running)
    membership.suspect(1, gone, left=left)
    assert membership.is_out(1) == (gone >= running)
    assert not membership.admit(1, running) and not membership.suspect(1, gone - 1 if gone else -2)
    assert membership.standings[1] == Standing(running, gone, left)


def test_the_sponsor_is_the_first_that_is_left_and_the_next_if_it_goes_too() -> None:
    hosts = [Membership(number, [[0], [1], [2], [3]]) for number in range(4)]
    needs = [4, 4, 4, 4]

    def agree(gone: int, left: list[int]) -> None:
        hosts[left[-1]].suspect(gone, 0)
        for _ in range(2):
            for here in left:
                for there in left:
                    if here != there:
                        hosts[there].hear(here, hosts[here].state(0, needs))
        for number in left:
            assert hosts[number].missing(0, needs) == [] and gone in hosts[number].settle()

    agree(3, [0, 1, 2])
    assert [host.owner(3) for host in hosts[:3]] == [0, 0, 0]
    agree(0, [1, 2])
    assert [host.owner(player) for host in hosts[1:3] for player in range(4)] == [1, 1, 2, 1] * 2


def test_what_one_has_of_a_host_that_is_gone_all_get_before_they_go_on() -> None:
    here, there = Membership(0, [[0], [1], [2]]), Membership(1, [[0], [1], [2]])
    for membership in (here, there):
        membership.suspect(2, 0)
    here.hear(1, there.state(0, [5, 5, 9]))
    assert here.missing(0, [5, 5, 7]) == [1] and here.owner(2) is None
    assert here.missing(0, [5, 5, 9]) == [] and here.missing(1, [5, 5, 9]) == [1]


def test_what_one_has_of_a_stand_in_that_is_gone_all_get_before_they_go_on() -> None:
    """The stand-in may have let the host in with its last input."""
    here, there = Membership(1, [[0], [1], [2], [3]]), Membership(2, [[0], [1], [2], [3]])
    for membership in (here, there):
        membership.merge([Standing(gone=0, left=True, sponsor=3)] + [Standing()] * 3, also_sponsors=True)
        membership.suspect(3, 0)
    here.hear(2, there.state(0, [9, 5, 5, 5]))
    assert here.missing(0, [8, 5, 5, 5]) == [2] and here.owner(0) == 3
    assert here.missing(0, [9, 5, 5, 5]) == []

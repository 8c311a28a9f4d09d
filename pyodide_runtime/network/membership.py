"""Who plays, who is gone, and who gives the inputs of those who are: an agreement among the hosts that are left.

Every player's inputs are one stream, and at every frame one host alone may continue it: the player's own, or, once all that
are left agree that this one is gone, one of them, its *sponsor*. So nobody need agree on the frame at which a player drops or
returns: it is where the stream says so (`ABSENT`, `RETURNS`).

How they agree. A host that suspects another freezes: it takes nothing more from it, and states to all that are left whom it
holds for gone and how many inputs of each player it has. Suspicion is catching: who hears such a statement states the same.
Once a host has heard from everybody that is left the same about everybody, nobody will take another input from those who are
gone; whatever one of them has, all get; then, and only then, the sponsor continues the streams. If somebody else is lost
meanwhile the statements differ until all know of it. (The idea is that of view changes in virtually synchronous groups:
K. Birman and T. Joseph, "Exploiting Virtual Synchrony in Distributed Systems", 1987.)

A host that was gone and comes back is another incarnation of it, with a higher number; so old news of it never hurts.

Nothing here knows of packets, time or inputs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

__all__ = ["LAST_INCARNATION", "Membership", "Standing", "Statement"]

#: Incarnations are numbered from 0 to this: as many as fit into the flags of an input.
LAST_INCARNATION = 15


class Standing(NamedTuple):
    """What is known of a host.

    Attributes:
        running: the incarnation that plays, or played last.
        gone: the latest incarnation that is gone; -1 if none is. The host is out as long as this is not below `running`.
        left: whether it is certain that it is gone: it said so, or its connection was closed, or it may not go on.
        sponsor: the host that gives its players' inputs while it is out; -1 if none was agreed on.
    """

    running: int = 0
    gone: int = -1
    left: bool = False
    sponsor: int = -1

    @property
    def out(self) -> bool:
        """Whether it takes no part."""
        return self.gone >= self.running


class Statement(NamedTuple):
    """What a host says of all: their standings, how many inputs of each player it has, and whether it sees an agreement."""

    episode: int
    standings: tuple[Standing, ...]
    needs: tuple[int, ...]
    agreed: bool


class Membership:
    """The hosts of a match, as one of them knows them.

    Args:
        host: this host's number. One beyond the last of `players` only watches.
        players: the places of each host's players, by host.
        incarnation: of this host.
        arbitrated: whether there is an `Arbiter` to ask which half goes on.
    """

    def __init__(self, host: int, players: Sequence[Sequence[int]], incarnation: int = 0, *, arbitrated: bool = False) -> None:
        self.host = host
        self.arbitrated = arbitrated
        self.players = tuple(map(tuple, players))
        self.incarnation = incarnation
        self.standings = [Standing() for _ in players]
        self.host_of = dict(sorted((player, number) for number, places in enumerate(self.players) for player in places))
        self._settled = [-1] * len(self.standings)
        self._statements: dict[int, Statement] = {}

    # -- to be read --------------------------------------------------------------------------------------------------

    @property
    def left_over(self) -> list[int]:
        """The hosts that play and are not held for gone, this one included if it plays."""
        return [number for number, standing in enumerate(self.standings) if not standing.out]

    @property
    def undecided(self) -> list[int]:
        """The hosts that are held for gone without everybody's agreeing yet."""
        return [number for number, standing in enumerate(self.standings) if standing.out and self._settled[number] < standing.gone]

    def is_out(self, host: int) -> bool:
        """Whether a host is held for gone."""
        if host >= len(self.standings):
            return False
        running, gone, _, _ = self.standings[host]  # it is asked several times for every packet
        return gone >= running

    def is_absent(self, host: int) -> bool:
        """Whether all agree that a host is gone."""
        return self.is_out(host) and self._settled[host] >= self.standings[host].gone

    def owner(self, player: int) -> int | None:
        """The host that continues a player's stream; None while that is being agreed on."""
        host = self.host_of[player]
        if not self.standings[host].out:
            return host
        return self.standings[host].sponsor if self.is_absent(host) else None

    # -- what becomes known ------------------------------------------------------------------------------------------

    def suspect(self, host: int, incarnation: int, *, left: bool = False) -> bool:
        """Hold an incarnation of a host for gone. Whether that is news."""
        if not 0 <= host < len(self.standings):
            return False
        standing = self.standings[host]
        if incarnation < standing.gone or (incarnation == standing.gone and (standing.left or not left)):
            return False
        self.standings[host] = standing._replace(gone=incarnation, left=left)
        return incarnation > standing.gone

    def admit(self, host: int, incarnation: int) -> bool:
        """An incarnation of a host plays from now on. Whether that is news."""
        standing = self.standings[host]
        if incarnation <= standing.running:
            return False
        self.standings[host] = standing._replace(running=incarnation)
        return True

    def merge(self, standings: Iterable[Standing], *, also_sponsors: bool = False) -> bool:
        """Learn what another host knows. Whether anything of it is news."""
        news = False
        for number, told in enumerate(standings):
            if number >= len(self.standings):
                break
            news |= self.admit(number, told.running)
            if told.gone >= 0:
                news |= self.suspect(number, told.gone, left=told.left)
            if also_sponsors and told.sponsor not in (-1, self.host):
                self.standings[number] = self.standings[number]._replace(sponsor=told.sponsor)
                self._settled[number] = max(self._settled[number], told.gone)
        return news

    # -- agreeing ----------------------------------------------------------------------------------------------------

    def state(self, episode: int, needs: Sequence[int]) -> Statement:
        """What this host is to tell the others.

        Args:
            episode: the one that it is in.
            needs: for each player the first frame of which it lacks the input.
        """
        return Statement(episode, tuple(self.standings), tuple(needs), not self.undecided)

    def hear(self, host: int, statement: Statement) -> bool:
        """Keep what a host states. Whether it tells of anybody's going or coming that was not known here."""
        self._statements[host] = statement
        return self.merge(statement.standings)

    def missing(self, episode: int, needs: Sequence[int]) -> list[int]:
        """The hosts whose word, or whose inputs, are still waited for before those that are gone are given up for good.

        Empty once all is said and here.
        """
        known = [standing[:2] for standing in self.standings]
        left_over = self.left_over
        # Of those, too, for whom somebody stood in who is gone now: what that one gave goes on where all have it.
        frozen = [host for host, standing in enumerate(self.standings) if standing.out and standing.sponsor not in left_over]
        gone = [player for host in {*self.undecided, *frozen} for player in self.players[host]]
        found = []
        for host in left_over:
            told = self._statements.get(host)
            if host == self.host:
                continue
            alike = told is not None and told.episode == episode and [standing[:2] for standing in told.standings] == known
            if told is None or not alike or any(told.needs[player] > needs[player] for player in gone):
                found.append(host)
        return found

    def settle(self) -> list[int]:
        """Give up those that are gone: all have said so. Returns who that is."""
        decided, left_over = self.undecided, self.left_over
        for number, standing in enumerate(self.standings):
            if not standing.out or standing.sponsor in left_over:
                continue
            told = [self._statements[host].standings[number].sponsor for host in left_over if host in self._statements]
            sponsor = next((host for host in told if host in left_over), min(left_over, default=-1))
            self.standings[number] = standing._replace(sponsor=sponsor)
        for number in decided:
            self._settled[number] = self.standings[number].gone
        return decided

    @property
    def may_go_on(self) -> bool:
        """Whether those that are left may go on without those they are about to give up.

        Where a network falls apart only one side may: the one with most hosts, or, if both have as many, the one that the
        arbiter lets go on (to it the others are certain to be gone then); without an arbiter, the one with the first of
        them. Hosts that are certain to be gone do not count.
        """
        here, unsure = self.left_over, self.unsure
        return len(here) > len(unsure) or (len(here) == len(unsure) and not self.arbitrated and min(here) < min(unsure))

    @property
    def unsure(self) -> list[int]:
        """The hosts that are held for gone without certainty, and without everybody's agreeing yet."""
        return [number for number in self.undecided if not self.standings[number].left]

    @property
    def tied(self) -> bool:
        """Whether those that are left are as many as those of whom they are not sure, so that the arbiter is to be asked."""
        return self.arbitrated and 0 < len(self.left_over) == len(self.unsure)

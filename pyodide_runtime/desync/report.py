"""What is known of the first difference between two peers' data, as JSON values and as a sentence.

Both peers come to the same report, to the byte, as long as nothing cut their inquiries short. It knows nothing of how
what is in it was found.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

__all__ = ["DesyncReport", "Difference", "Host", "RowDifference"]


@dataclass(frozen=True, slots=True)
class Host:
    """What a host runs: version of Python, platform, and those packages whose versions are not the same on both."""

    python: str
    platform: str
    packages: Mapping[str, str | None]


class RowDifference(NamedTuple):
    """The first row that differs: its frame, the first column that does, and what each player's host has in it."""

    frame: int
    column: str
    values: Mapping[str, str]


class Difference(NamedTuple):
    """The first value that differs.

    Attributes:
        frame: the frame that made it differ: the states before it were alike, the row of it or the state after it are not. 0 also
            for the state in which the episode begins.
        place: "state"; "row", if the states are alike and the row is not; "start": of the state in which the episode begins.
        alike: the newest frame at whose beginning the states are known to be alike: `frame`, or an earlier one where no state was
            kept of those between; where only the row differs, the frame after it, too. None if there is none.
    """

    frame: int
    place: str
    alike: int | None


@dataclass(slots=True)
class DesyncReport:
    """What is known so far; by the names of the hosts' players wherever there are two of something.

    Attributes:
        episode: number of the episode.
        hosts: what each of the two hosts runs.
        first: where the data differ first; None as long as that is not known.
        path: the way to the first value that differs, or the column; empty as long as that is not known.
        values: what each host has there.
        again: what came of playing that frame again on each host, from the same state with the same inputs: "the same", or what is
            different then, or why it could not be told.
        repeatable: for each host whether that came to the same; None where it could not be told.
        row: the first row that differs, if any does.
        unfinished: why it goes no further; empty if nothing is missing.
    """

    episode: int
    hosts: dict[str, Host] = field(default_factory=dict)
    first: Difference | None = None
    path: str = ""
    values: dict[str, str] = field(default_factory=dict)
    again: dict[str, str] = field(default_factory=dict)
    repeatable: dict[str, bool | None] = field(default_factory=dict)
    row: RowDifference | None = None
    unfinished: str = ""

    def as_json(self) -> dict[str, Any]:
        """All of it as JSON values."""
        first = self.first
        return {
            "episode": self.episode,
            "frame": None if first is None else first.frame,
            "place": None if first is None else first.place,
            "alike": None if first is None else first.alike,
            "path": self.path,
            "values": dict(self.values),
            "repeatable": dict(self.repeatable),
            "again": dict(self.again),
            "row": None if self.row is None else {**self.row._asdict(), "values": dict(self.row.values)},
            "hosts": {name: asdict(host) for name, host in self.hosts.items()},
            "unfinished": self.unfinished,
        }

    def sentence(self, own: str, peer: str) -> str:
        """What a person wants to know first, as seen by the host of player `own`; empty if nothing is known."""
        parts = self._what(own, peer), self._row_too(own, peer), self._why(own, peer), self._versions(own, peer)
        told = [part for part in parts if part]
        if self.unfinished:
            told.append(f"no more is known: {self.unfinished}")
        return "; ".join(told)

    def _what(self, own: str, peer: str) -> str:
        first = self.first
        if first is None:
            return "" if self.row is None else self._row_text(own, peer)
        where = f"episode {self.episode}, frame {first.frame}"
        if first.place == "start":
            where = f"the state in which episode {self.episode} begins"
        elif first.place == "state" and first.alike != first.frame:
            since = "the first that was kept" if first.alike is None else f"frame {first.alike}"
            where += f" (or one before, since {since}: no state between was kept)"
        if not self.path:
            return f"the {'rows' if first.place == 'row' else 'states'} differ first in {where}"
        text = f"{where}: {self.path} is {self.values[own]} here and {self.values[peer]} at {peer}"
        alike = first.place == "row" and first.alike is not None and first.alike > first.frame
        return f"{text}, though the states are alike" if alike else text

    def _row_text(self, own: str, peer: str) -> str:
        assert self.row is not None
        where = f"episode {self.episode}, row of frame {self.row.frame}"
        return f"{where}: {self.row.column} is {self.row.values[own]} here and {self.row.values[peer]} at {peer}"

    def _row_too(self, own: str, peer: str) -> str:
        if self.row is None or self.first is None or self.first.place != "state" or self.row.frame != self.first.frame:
            return ""
        return f"in its row, {self.row.column} is {self.row.values[own]} here and {self.row.values[peer]} at {peer}"

    def _why(self, own: str, peer: str) -> str:
        unlike = [name for name in (own, peer) if self.repeatable.get(name) is False]
        if unlike:
            where = {own: "here", peer: f"at {peer}"}
            told = ", and ".join(f"{where[name]} ({self.again[name]})" for name in unlike)
            return f"the environment is not deterministic: played again from the same state, it comes to something else {told}"
        if self.repeatable.get(own) and self.repeatable.get(peer):
            return "played again, each of the two comes to its own value again"
        return ""

    def _versions(self, own: str, peer: str) -> str:
        here, there = self.hosts.get(own), self.hosts.get(peer)
        if here is None or there is None:
            return ""
        told = []
        for name, one, two in (
            ("Python", here.python, there.python),
            ("platform", here.platform, there.platform),
            *((name, version, there.packages.get(name)) for name, version in here.packages.items()),
        ):
            if one != two:
                told.append(f"{name} is {one or 'missing'} here and {two or 'missing'} there")
        return ", ".join(told[:3]) + (f", and {len(told) - 3} more" if len(told) > 3 else "")

"""A whole match written down: its scenario without chance, what became of every packet, and every input.

A schedule can be kept as JSON, read by people, changed, and played again; it holds nothing but what matters. It knows
nothing of how matches are played.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, replace
from itertools import groupby
from typing import Any

from ..drops import OnDrop
from ..errors import PyodideRuntimeError, ScheduleError
from ..network.virtual import Fate, Line, NetworkConditions, Partition
from ..rollback.delay import plain_delay
from ..rollback.inputs import Prediction
from .scenario import Clock, Departure, Freeze, Scenario

__all__ = ["Schedule"]

#: The version of the format that is written and read here.
VERSION = 1


@dataclass(frozen=True, slots=True)
class Schedule:
    """A match that can be played again, move by move.

    Attributes:
        scenario: what is played; nothing in it is drawn.
        fates: what became of the packets that were not simply on time, by line and number.
        inputs: by player and episode, from frame 0 on; where there is none, the neutral one.
        neutral: each player's neutral input.
        target: the environment's name for the command line; may be empty.
    """

    scenario: Scenario
    fates: Mapping[Line, Mapping[int, Fate]] = field(default_factory=dict)
    inputs: tuple[tuple[tuple[bytes, ...], ...], ...] = ()
    neutral: tuple[bytes, ...] = ()
    target: str = ""

    @classmethod
    def of(
        cls,
        scenario: Scenario,
        fates: Mapping[Line, Mapping[int, Fate]],
        inputs: Sequence[Mapping[int, Sequence[bytes]]],
        neutral: tuple[bytes, ...],
    ) -> Schedule:
        """The schedule of a match that was played: what was told of its packets and inputs."""
        lines = {line: conditions.without_chance() for line, conditions in scenario.lines.items()}
        certain = replace(scenario, conditions=scenario.conditions.without_chance(), lines=lines)
        told = {line: dict(sorted(fates[line].items())) for line in sorted(fates)}
        episodes = tuple(tuple(tuple(of_player[episode]) for episode in sorted(of_player)) for of_player in inputs)
        return cls(certain, told, episodes, neutral)

    @property
    def changes(self) -> int:
        """How many inputs are not neutral, those that are the same for some frames in a row counted once."""
        return sum(
            data[1:] != self.neutral[player][1:]
            for player, of_player in enumerate(self.inputs)
            for inputs in of_player
            for data, _ in groupby(inputs)
        )

    @property
    def disturbances(self) -> int:
        """How many packets were lost, late or doubled, and how often hosts were cut off, froze or went."""
        scenario = self.scenario
        mishaps = len(scenario.partitions) + len(scenario.freezes) + len(scenario.departures)
        return sum(map(len, self.fates.values())) + mishaps

    # -- as JSON -----------------------------------------------------------------------------------------------------

    def to_json(self) -> str:
        """The schedule as JSON, one line for each packet and each player's episode. Settings that are as usual are left out."""
        scenario = {name: _plain(name, value) for name, value in _changed(self.scenario) if name not in ("lines", "conditions")}
        scenario["conditions"] = dict(_changed(self.scenario.conditions))
        scenario["lines"] = [
            {"from": sender, "to": receiver, **dict(_changed(conditions))}
            for (sender, receiver), conditions in sorted(self.scenario.lines.items())
        ]
        fates = [
            {"from": line.sender, "to": line.receiver, "reliable": line.reliable, "packet": number, "extra_ms": list(fate)}
            for line, of_line in self.fates.items()
            for number, fate in of_line.items()
        ]
        inputs = [[_runs(episode) for episode in of_player] for of_player in self.inputs]
        parts = [
            f'"schedule": {VERSION}',
            f'"target": {json.dumps(self.target)}',
            f'"scenario": {json.dumps(scenario)}',
            f'"neutral": {json.dumps([data.hex() for data in self.neutral])}',
            f'"fates": {_lines(fates)}',
            f'"inputs": {_lines(inputs)}',
        ]
        return "{" + ",\n ".join(parts) + "}\n"

    @classmethod
    def from_json(cls, text: str) -> Schedule:
        """The schedule that was written as this text.

        Raises:
            ScheduleError: it is none, of another version, or holds what cannot be.
        """
        try:
            told = json.loads(text)
            if not isinstance(told, dict) or told.get("schedule") != VERSION:
                raise ValueError(f"this is no schedule of version {VERSION}")
            fates: dict[Line, dict[int, Fate]] = {}
            for fate in told["fates"]:
                line = Line(int(fate["from"]), int(fate["to"]), bool(fate["reliable"]))
                fates.setdefault(line, {})[int(fate["packet"])] = tuple(float(extra) for extra in fate["extra_ms"])
            inputs = tuple(tuple(_frames(episode) for episode in of_player) for of_player in told["inputs"])
            neutral = tuple(bytes.fromhex(data) for data in told["neutral"])
            return cls(_scenario(told["scenario"]), fates, inputs, neutral, str(told["target"]))
        except KeyError as error:
            raise ScheduleError(f"the schedule cannot be read: {error} is missing") from None
        except (ValueError, TypeError, AttributeError, RecursionError, PyodideRuntimeError) as error:
            raise ScheduleError(f"the schedule cannot be read: {error}") from None


def _changed(settings: Any) -> Iterator[tuple[str, Any]]:
    """The settings that are not as usual."""
    for setting in fields(settings):
        value = getattr(settings, setting.name)
        usual = setting.default if setting.default_factory is MISSING else setting.default_factory()
        if value != usual:
            yield setting.name, value


def _plain(name: str, value: Any) -> Any:
    """A setting as JSON has it."""
    if name in ("partitions", "freezes", "departures"):
        return [{part.name: getattr(item, part.name) for part in fields(item)} for item in value]
    if name == "clocks":
        return [dict(_changed(clock)) for clock in value]
    if name == "input_delay":
        return plain_delay(value)
    return value.value if isinstance(value, Prediction | OnDrop) else value


def _scenario(told: Mapping[str, Any]) -> Scenario:
    settings = dict(told)
    settings["conditions"] = NetworkConditions(**settings["conditions"])
    lines = [dict(line) for line in settings["lines"]]
    settings["lines"] = {(line.pop("from"), line.pop("to")): NetworkConditions(**line) for line in lines}
    for name, kind in (("partitions", Partition), ("freezes", Freeze), ("clocks", Clock), ("departures", Departure)):
        settings[name] = tuple(kind(**item) for item in settings.get(name, ()))
    if settings.get("default_actions") is not None:
        settings["default_actions"] = tuple(settings["default_actions"])
    return Scenario(**settings)


def _runs(inputs: Sequence[bytes]) -> str:
    """Inputs as text: each in hexadecimal, with how many frames in a row it was given."""
    return " ".join(f"{data.hex()}*{len(list(group))}" for data, group in groupby(inputs))


def _frames(text: str) -> tuple[bytes, ...]:
    found: list[bytes] = []
    for run in text.split():
        data, _, count = run.partition("*")
        found += [bytes.fromhex(data)] * int(count)
    return tuple(found)


def _lines(items: Sequence[Any]) -> str:
    return "[" + ",".join(f"\n  {json.dumps(item)}" for item in items) + "]"

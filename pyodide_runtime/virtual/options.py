"""What is typed to say how a match is to be: options of a command line, as a scenario, and as the words that say the same again.

Nothing here plays anything.
"""

from __future__ import annotations

import argparse
import math
import shlex
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

from ..drops import OnDrop
from ..errors import SessionError
from ..network.virtual import NetworkConditions, Partition
from ..network.virtual.conditions import check_milliseconds
from ..rollback.delay import InputDelay
from .scenario import Clock, Departure, Freeze, Scenario
from .target import Target

__all__ = ["add_options", "count", "scenario_of", "words_of"]

CONDITIONS = (
    ("latency_ms", "MS", "how long every packet takes"),
    ("jitter_ms", "MS", "up to how much longer"),
    ("loss", "SHARE", "of the packets, 0 to 1"),
    ("loss_burst", "PACKETS", "how many are lost one after the other, on average"),
    ("duplicate", "SHARE", "arrives twice"),
    ("reorder", "SHARE", "takes twice as long again"),
    ("bandwidth_bytes_per_s", "N", "how many bytes leave in a second"),
    ("queue_bytes", "N", "how many may wait to leave"),
)


SCENARIO = (
    "seed", "players", "hosts", "frames", "episodes", "fps", "input_delay", "prediction_window", "prediction", "hold",
    "on_drop", "return_within_ms", "disconnect_after_ms", "start_skew_ms",
)  # fmt: skip
#: What may be given several times.
MISHAPS = ("line", "freeze", "partition", "clock", "departure", "spectator")


def add_options(parser: argparse.ArgumentParser) -> None:
    """The arguments that say what to play, but for the number of matches."""
    add = parser.add_argument
    add("--seed", type=int, default=0, help="of the first match (default: 0)")
    add("--players", type=count, metavar="N", help="default: as many as the environment has")
    add(
        "--hosts",
        type=_hosts,
        metavar="N,N,...",
        help="how many players each host has, as in 2,1,1 (default: as the experiment's pages, or one each)",
    )
    add("--frames", type=count, metavar="N", help="at the most, in an episode (default: those of the experiment, or 450)")
    add("--episodes", type=count, metavar="N")
    add("--fps", type=float, metavar="N", help="frames a second")
    add(
        "--input-delay",
        type=_input_delay,
        metavar="FRAMES",
        help="a number, or `adaptive` or `matched`, with bounds if need be: adaptive:LEAST:MOST, adaptive:LEAST:MOST:START",
    )
    add("--prediction-window", type=int, metavar="FRAMES")
    add("--prediction", choices=["last", "default", "learned"], help="how inputs are guessed")
    add("--hold", type=count, metavar="FRAMES", help="actions at random are held for up to so many frames")
    add(
        "--on-drop",
        choices=[choice.value for choice in OnDrop],
        help="what happens when a host is gone (default: that of the experiment, or end); partner needs an experiment that has one",
    )
    add("--return-within-ms", type=float, metavar="MS", help="how long a host may take to come back")
    add("--disconnect-after-ms", type=float, metavar="MS", help="after how long a silence a host is taken to be gone")
    line = parser.add_argument_group("the lines between all hosts")
    for name, metavar, text in CONDITIONS:
        line.add_argument(f"--{name.replace('_', '-')}", type=int if name == "queue_bytes" else float, metavar=metavar, help=text)
    mishaps = parser.add_argument_group("mishaps; each may be given several times")
    mishaps.add_argument(
        "--line",
        type=_line,
        action="append",
        metavar="FROM:TO:NAME=VALUE,...",
        help="one direction between two hosts has other conditions, as in 0:1:latency_ms=200,loss=0.1",
    )
    mishaps.add_argument("--freeze", type=_freeze, action="append", metavar="HOST:AT_MS:FOR_MS", help="a host does nothing")
    mishaps.add_argument(
        "--partition",
        type=_partition,
        action="append",
        metavar="AT_MS:FOR_MS:HOSTS[:OTHERS]",
        help="hosts are cut off, as in 2000:500:0,1",
    )
    mishaps.add_argument("--clock", type=_clock, action="append", metavar="HOST:RATE[:OFFSET_MS]", help="a host's clock is wrong")
    mishaps.add_argument(
        "--departure",
        type=_departure,
        action="append",
        metavar="HOST:AT_MS[:BACK_MS[:HOW]]",
        help="a host's page is closed, and so much later there again, if it is said; HOW is leaves, closes (default) or crashes, "
        "as in 1:2000:800 or, for good, 1:2000::crashes",
    )
    mishaps.add_argument(
        "--spectator", type=_spectator, action="append", metavar="AT_MS", help="one more host comes then, and only watches"
    )
    mishaps.add_argument("--start-skew-ms", type=float, metavar="MS", help="how much later than the one before each host starts")


def scenario_of(arguments: argparse.Namespace, target: Target) -> Scenario:
    """What was asked for; what was not said is as the experiment has it, or as usual."""
    experiment = target.experiment
    settings: dict[str, Any] = {"players": target.players}
    if experiment is not None:
        settings |= {
            "frames": experiment.max_steps or 450,
            "hosts": tuple(map(len, experiment.hosts)) if experiment.players_per_page > 1 else None,
            "episodes": experiment.episodes,
            "fps": experiment.fps,
            "input_delay": experiment.input_delay,
            "prediction_window": experiment.prediction_window,
            "prediction": experiment.prediction,
            "snapshot_every": experiment.snapshot_every,
            "state_digest_every": experiment.state_digest_every,
            "disconnect_after_ms": experiment.disconnect_after_ms,
            "on_drop": experiment.on_drop,
            "return_within_ms": experiment.return_within_ms,
            "default_actions": (experiment.default_action,),
        }
    given = {name: getattr(arguments, name) for name in SCENARIO if getattr(arguments, name) is not None}
    conditions = NetworkConditions(
        **{name: getattr(arguments, name) for name, _, _ in CONDITIONS if getattr(arguments, name) is not None}
    )
    lines = {ends: replace(conditions, **changes) for ends, changes in arguments.line or ()}
    clocks = dict(arguments.clock or ())
    return Scenario(
        **{**settings, **given},
        conditions=conditions,
        lines=lines,
        freezes=tuple(arguments.freeze or ()),
        partitions=tuple(arguments.partition or ()),
        departures=tuple(arguments.departure or ()),
        spectators=tuple(arguments.spectator or ()),
        clocks=tuple(clocks.get(host, Clock()) for host in range(max(clocks, default=-1) + 1)),
    )


def words_of(arguments: argparse.Namespace, seed: int) -> list[str]:
    """The options that say the same again, for the match of one seed."""
    words = ["--seed", str(seed)]
    for option in (*SCENARIO[1:], *(condition for condition, _, _ in CONDITIONS)):
        value = getattr(arguments, option)
        if value is not None:
            words += [f"--{option.replace('_', '-')}", _word(value)]
    for option in MISHAPS:
        for value in getattr(arguments, option) or ():
            words += [f"--{option}", shlex.quote(_written(value))]
    return words


def _word(value: Any) -> str:
    """A number as it is read again to the last digit, or a word, some whole numbers, or an input delay."""
    if isinstance(value, InputDelay):
        return f"{'matched' if value.matched else 'adaptive'}:{value.least}:{value.most}:{value.start}"
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    text = str(value)
    return text.removesuffix(".0")


# -- what is typed ---------------------------------------------------------------------------------------------------


def _written(value: Any) -> str:
    """A mishap as it is typed."""
    if isinstance(value, float):
        return _word(value)
    if isinstance(value, Freeze):
        return f"{value.host}:{_word(value.at_ms)}:{_word(value.for_ms)}"
    if isinstance(value, Departure):
        back = "" if value.back_ms is None else _word(value.back_ms)
        return f"{value.host}:{_word(value.at_ms)}:{back}:{value.how}"
    if isinstance(value, Partition):
        sides = [value.hosts, *([value.others] if value.others is not None else [])]
        return ":".join([_word(value.at_ms), _word(value.for_ms), *map(_word, sides)])
    if isinstance(value[1], Clock):
        return f"{value[0]}:{_word(value[1].rate)}:{_word(value[1].offset_ms)}"
    (sender, receiver), changes = value
    return f"{sender}:{receiver}:" + ",".join(f"{name}={_word(number)}" for name, number in changes.items())


def _parsed(form: str) -> Callable[[Callable[[list[str]], Any]], Callable[[str], Any]]:
    """Makes a parser of words between colons out of a function of those words; what it cannot take is told with the form."""

    def decorate(parse: Callable[[list[str]], Any]) -> Callable[[str], Any]:
        def parser(text: str) -> Any:
            try:
                return parse(text.split(":"))
            except (ValueError, IndexError, TypeError):
                raise argparse.ArgumentTypeError(f"{text!r}: write {form}") from None
            except SessionError as error:
                raise argparse.ArgumentTypeError(str(error)) from None

        return parser

    return decorate


@_parsed("a number of frames, adaptive, matched, or one of these with bounds, as in adaptive:0:6 or matched:0:6:2")
def _input_delay(words: list[str]) -> int | InputDelay:
    if words[0] not in ("adaptive", "matched"):
        (frames,) = words
        return InputDelay.of(int(frames))
    bounds = dict(zip(("least", "most", "start"), map(int, words[1:]), strict=False))
    if len(words) not in (1, 3, 4):
        raise ValueError
    return InputDelay(matched=words[0] == "matched", **bounds)


@_parsed("how many players each host has, with commas between, as in 2,1,1")
def _hosts(words: list[str]) -> tuple[int, ...]:
    (counts,) = words
    return tuple(count(number) for number in counts.split(","))


@_parsed("HOST:AT_MS, HOST:AT_MS:BACK_MS or HOST:AT_MS:BACK_MS:HOW; BACK_MS may be empty, HOW is leaves, closes or crashes")
def _departure(words: list[str]) -> Departure:
    host, at, *rest = words
    if len(rest) > 2:
        raise ValueError
    back = float(rest[0]) if rest and rest[0] else None
    return Departure(host=int(host), at_ms=float(at), back_ms=back, **({"how": rest[1]} if len(rest) > 1 else {}))


@_parsed("a time in ms, from 0 on")
def _spectator(words: list[str]) -> float:
    (at,) = words
    check_milliseconds("spectator", float(at), longest=math.inf)
    return float(at)


@_parsed("HOST:AT_MS:FOR_MS")
def _freeze(words: list[str]) -> Freeze:
    host, at, lasts = words
    return Freeze(host=int(host), at_ms=float(at), for_ms=float(lasts))


@_parsed("AT_MS:FOR_MS:HOSTS, or AT_MS:FOR_MS:HOSTS:OTHERS, with commas between hosts")
def _partition(words: list[str]) -> Partition:
    at, lasts, hosts, *others = words
    sides = [tuple(map(int, side.split(","))) for side in (hosts, *others)]
    if len(sides) > 2:
        raise ValueError
    return Partition(at_ms=float(at), for_ms=float(lasts), hosts=sides[0], others=sides[1] if others else None)


@_parsed("HOST:RATE, or HOST:RATE:OFFSET_MS")
def _clock(words: list[str]) -> tuple[int, Clock]:
    host, rate, *offset = words
    if len(offset) > 1 or int(host) < 0:
        raise ValueError
    return int(host), Clock(rate=float(rate), offset_ms=float(offset[0]) if offset else 0.0)


@_parsed("FROM:TO:NAME=VALUE,NAME=VALUE, with names such as latency_ms and loss")
def _line(words: list[str]) -> tuple[tuple[int, int], dict[str, float]]:
    sender, receiver, settings = words
    known = {setting.name for setting in fields(NetworkConditions)}
    changes: dict[str, float] = {}
    for setting in settings.split(","):
        name, _, value = setting.partition("=")
        if name not in known:
            raise ValueError
        changes[name] = int(value) if name == "queue_bytes" else float(value)
    NetworkConditions(**changes)  # type: ignore[arg-type]  # what cannot be is said here
    return (int(sender), int(receiver)), changes


def count(text: str) -> int:
    """A whole number of at least 1."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: give a whole number, 1 or more")
    return number

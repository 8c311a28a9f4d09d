"""Reading the record of a match: one JSON object a line, as `uploads` writes them.

The first line says who played what; then come, for each episode, a line with its seed, lines with inputs in order,
and a line with its end, if it had one. Whatever is wrong with a file is one RecordError that names the line.
Nothing is run here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .drops import OnDrop
from .errors import RecordError

__all__ = ["Episode", "Record", "read_record"]

#: The version of the format that is read here.
VERSION = 1


@dataclass(slots=True)
class Episode:
    """One episode of a record.

    `inputs`: chunks in order, each with one base64 text for each player; `starts`: the frame that each begins with.
    `frames`, `chain`: what all peers agreed on at its end; None for an episode that was cut off.
    """

    number: int
    seed: int
    inputs: list[list[str]] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    frames: int | None = None
    chain: str | None = None


@dataclass(slots=True)
class Record:
    """A whole record.

    `experiment` has `files`, `module`, `requirements` and `settings`; `players` are names, in order. `on_drop` is what happened
    when a player's host was gone; with `adaptive_delay` each input says by which input delay it was taken. The inputs are those
    of the frames that have rows: however a match was cut off, they end with its last row, and `outcome` says how.
    """

    session: str
    seed: int
    players: list[str]
    experiment: dict[str, Any]
    versions: dict[str, Any]
    state_digest_every: int
    episodes: list[Episode]
    on_drop: OnDrop = OnDrop.END
    adaptive_delay: bool = False
    outcome: dict[str, Any] | None = None


def read_record(path: Path) -> Record:
    """Read a record file.

    Raises:
        RecordError: it cannot be read, is of another version, or its lines are not what or where they should be.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise RecordError(f"{path}: {error}") from None
    record: Record | None = None
    for number, line in enumerate(lines, 1):
        try:
            told = json.loads(line)
            if not isinstance(told, dict):
                raise ValueError("not a JSON object")
            if record is None:
                record = _header(told)
            else:
                _take(record, told)
        except KeyError as error:
            raise RecordError(f"{path}:{number}: {error} is missing") from None
        except (ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            raise RecordError(f"{path}:{number}: {error}") from None
    if record is None:
        raise RecordError(f"{path}: the file is empty")
    return record


def _header(told: dict[str, Any]) -> Record:
    if told.get("record") != VERSION:
        raise ValueError(f"this is no record of version {VERSION}; its first line begins with {str(told)[:60]}")
    experiment = told["experiment"]
    files, module = experiment["files"], experiment["module"]
    if not isinstance(module, str) or not all(isinstance(text, str) for text in files.values()):
        raise ValueError("the experiment's files are not texts")
    if not isinstance(told["players"], list):
        raise ValueError("the players are not a list of names")
    if int(told["state_digest_every"]) < 1:
        raise ValueError(f"state_digest_every is {told['state_digest_every']}, less than one frame")
    if type(told.get("adaptive_delay", False)) is not bool:
        raise ValueError(f"adaptive_delay is {told['adaptive_delay']!r}, neither true nor false")
    return Record(
        session=str(told["session"]),
        seed=int(told["seed"]),
        players=[str(player) for player in told["players"]],
        experiment=experiment,
        versions=dict(told.get("versions", {})),
        state_digest_every=int(told["state_digest_every"]),
        episodes=[],
        on_drop=OnDrop(told.get("on_drop", "end")),
        adaptive_delay=told.get("adaptive_delay", False),
    )


def _take(record: Record, told: dict[str, Any]) -> None:
    last = record.episodes[-1] if record.episodes else None
    if "inputs" in told:
        if last is None or told["episode"] != last.number:
            raise ValueError(f"inputs of episode {told['episode']} stand outside of it")
        if last.frames is not None:
            raise ValueError(f"inputs of episode {last.number} follow its end")
        texts = told["inputs"]
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise ValueError("inputs are not a list of texts")
        last.starts.append(int(told["from"]))
        last.inputs.append(texts)
    elif "seed" in told:
        if told["episode"] != len(record.episodes):
            raise ValueError(f"episode {told['episode']} follows {len(record.episodes)} episodes")
        record.episodes.append(Episode(int(told["episode"]), int(told["seed"])))
    elif "end" in told:
        if last is None or told["end"] != last.number:
            raise ValueError(f"the end of episode {told['end']} stands outside of it")
        if last.frames is not None:
            raise ValueError(f"episode {last.number} ends a second time")
        last.frames, last.chain = int(told["frames"]), str(told["chain"])
    elif "outcome" in told:
        record.outcome = told["outcome"]
    else:
        raise ValueError(f"an unknown line: {str(told)[:60]}")

"""Run a recorded match again, without browser, network or prediction, and get its data.

The command `rerun` does it in Pyodide under Node, whose arithmetic is that of the browsers, or in CPython, or right
here. A record is read by `record`; this module knows nothing of how it came about.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from . import requirements
from .batch import Runtime
from .errors import PyodideRuntimeError, RecordError
from .ledger import EpisodeLedger, more_columns
from .operations import Reset
from .record import Episode, Record, read_record
from .rollback.inputs import action_in
from .rollback.session import FinalFrame
from .rows import Cells, to_csv

__all__ = ["add_arguments", "main", "plan_requirements", "replay_episode", "replay_record", "run"]

#: Where things are in a checkout, and in an installed wheel.
_BRIDGES = (Path(__file__).parent / "bridge", Path(__file__).parent.parent / "js_bridge")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command `rerun`."""
    parser.add_argument("record", metavar="RECORD", type=Path, help="a record, as the server keeps it (record.ndjson)")
    parser.add_argument(
        "--host",
        choices=["node", "cpython", "inline"],
        default="node",
        help="where to run: Pyodide under Node, whose arithmetic is the browsers' (default); a fresh CPython, for environments "
        "whose arithmetic is exact everywhere; or this very process",
    )
    parser.add_argument(
        "--distribution", type=Path, default=Path("build/pyodide"), help="the laid-out Pyodide folder (default: build/pyodide)"
    )


def main(arguments: Sequence[str]) -> int:
    """The command with its own arguments only; for hosts that have no command line."""
    parser = argparse.ArgumentParser(prog="rerun")
    add_arguments(parser)
    return run(parser.parse_args(arguments))


def run(arguments: argparse.Namespace) -> int:
    """Print the CSV of a record.

    Returns 0; or 1 if the data differ from those that were recorded, which is said on stderr.

    Raises:
        RecordError: the record cannot be read or run, or the host is not there.
    """
    path: Path = arguments.record
    if not path.is_file():
        raise RecordError(f"{path}: there is no such file")
    if arguments.host == "inline":
        return _run_inline(path)
    read_record(path)  # a bad record is better said here than from within another process
    if arguments.host == "cpython":
        command = [sys.executable, "-m", "pyodide_runtime", "rerun", "--host", "inline", str(path)]
        return subprocess.run(command, env={**os.environ, "PYTHONHASHSEED": "0"}, check=False).returncode
    node = shutil.which("node")
    if node is None:
        raise RecordError("there is no node on this machine; install Node 20, or use --host cpython where the arithmetic allows it")
    if not (arguments.distribution / "pyodide-lock.json").is_file():
        raise RecordError(f"{arguments.distribution} is not a laid-out Pyodide folder; `make wheels` makes one")
    script = next(folder / "node" / "rerun.mjs" for folder in _BRIDGES if folder.is_dir())
    command = [node, str(script), "--dist", str(arguments.distribution), "--record", str(path)]
    return subprocess.run(command, check=False).returncode


def plan_requirements(path: str, lock_json: str) -> str:
    """What a record's environment requires of a distribution, as JSON; see `requirements.plan`.

    For the host under Node.
    """
    record = read_record(Path(path))
    return json.dumps(requirements.plan(record.experiment.get("requirements", []), json.loads(lock_json)["packages"]))


def _run_inline(path: Path) -> int:
    record = read_record(path)
    rows, differences = replay_record(record)
    sys.stdout.flush()
    sys.stdout.buffer.write(to_csv(rows))
    sys.stdout.buffer.flush()
    for difference in differences:
        print(difference, file=sys.stderr)
    return 1 if differences else 0


def replay_record(record: Record) -> tuple[list[Cells], list[str]]:
    """The rows that a straight run makes of a record, and what in them differs from what was recorded, for people."""
    # The files stay until the end: an environment may import some of them as late as in a step.
    with tempfile.TemporaryDirectory() as folder:
        try:
            return _replay(record, _runtime(record, Path(folder)))
        finally:
            _forget(Path(folder))


def _runtime(record: Record, folder: Path) -> Runtime:
    from .worker import load_experiment

    try:
        experiment = load_experiment(record.experiment, folder)
        if experiment.on_drop != record.on_drop.value:
            raise RecordError(f"the record is of on_drop={record.on_drop.value!r}, its experiment of {experiment.on_drop!r}")
        return Runtime(
            experiment.environment(),
            max_steps=experiment.max_steps,
            snapshot_every=experiment.snapshot_every,
            players=experiment.players,
            partner=experiment.partner,
        )
    except PyodideRuntimeError:
        raise
    except Exception as error:  # whatever the experiment's own code raises, it means the same
        raise RecordError(f"the experiment in the record cannot be made here: {type(error).__name__}: {error}") from error


def _forget(folder: Path) -> None:
    """Let the next record in this process have modules of the same names."""
    sys.path[:] = [path for path in sys.path if path != str(folder)]
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", "")).startswith(f"{folder}{os.sep}"):
            del sys.modules[name]


def _replay(record: Record, runtime: Runtime) -> tuple[list[Cells], list[str]]:
    if list(runtime.players) != record.players:
        raise RecordError(f"the record is of the players {record.players}, but the environment has {list(runtime.players)}")
    more = more_columns(record.on_drop, adaptive_delay=record.adaptive_delay)
    rows: list[Cells] = []
    differences = []
    for episode in record.episodes:
        ledger = EpisodeLedger(episode.number, episode.seed, runtime.players, runtime.simulation.codecs, more)
        rows += replay_episode(runtime, ledger, _in_order(episode, ledger), digest_every=record.state_digest_every)
        if episode.chain is not None and (episode.frames, episode.chain) != (len(ledger), ledger.newest.hex()):
            differences.append(
                f"episode {episode.number}: the data, or the state behind them, differ from those recorded "
                f"({episode.frames} rows with digest {episode.chain}; here {len(ledger)} with {ledger.newest.hex()})"
            )
    return rows, differences


def _in_order(episode: Episode, ledger: EpisodeLedger) -> Iterator[list[str]]:
    """The chunks of an episode, as long as each begins where the one before ended."""
    for start, texts in zip(episode.starts, episode.inputs, strict=True):
        if start != len(ledger):
            raise RecordError(f"episode {episode.number}: inputs from frame {start} on follow those of {len(ledger)} frames")
        yield texts


def replay_episode(
    runtime: Runtime, ledger: EpisodeLedger, chunks: Iterable[list[str]], *, digest_every: int | None
) -> Iterator[Cells]:
    """Simulate one episode straight through, write its rows into an empty ledger, and give them one by one.

    Args:
        chunks: the inputs in order, each chunk with one base64 text for each player, as `inputs_text` makes
            them. Only those of frames that were simulated: none that ends the match.
        digest_every: every how many frames the chain covers the whole state; None: never.

    Raises:
        RecordError: the inputs do not fit the environment or the ledger, or go on after the episode's end.
    """
    simulation = runtime.simulation
    partner = simulation.partner is not None
    runtime.batch([Reset(ledger.seed)])
    simulation.save()
    sizes = [1 + codec.size for codec in simulation.codecs]
    for texts in chunks:
        for inputs in _frames(texts, sizes):
            if simulation.done:
                raise RecordError(f"episode {ledger.episode} ended after {simulation.frame} frames, but the record has more inputs")
            if not all(map(ledger.fits, inputs)):
                where = f"episode {ledger.episode}, frame {simulation.frame}"
                raise RecordError(f"{where}: an input has flags that none of such a match can have")
            record = simulation.step(tuple(action_in(data, partner) for data in inputs))
            simulation.save()  # as every peer did after every frame
            number = record.frame + 1
            due = digest_every is not None and number % digest_every == 0
            yield ledger.append(FinalFrame(record, inputs), simulation.digest() if due else b"").cells


def _frames(texts: Any, sizes: list[int]) -> Iterable[tuple[bytes, ...]]:
    if not isinstance(texts, list) or len(texts) != len(sizes):
        raise RecordError(f"the record has inputs of another number of players than the environment's {len(sizes)}")
    try:
        streams = [base64.b64decode(text, validate=True) for text in texts]
    except (ValueError, TypeError) as error:
        raise RecordError(f"inputs in the record are not base64: {error}") from None
    counts = {len(stream) / size for stream, size in zip(streams, sizes, strict=True)}
    if len(counts) != 1 or not (count := counts.pop()).is_integer():
        raise RecordError("the inputs in the record are of different lengths, or of another action space")
    for place in range(int(count)):
        yield tuple(stream[place * size : (place + 1) * size] for stream, size in zip(streams, sizes, strict=True))

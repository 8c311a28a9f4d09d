"""Laws of re-runs of matches in which players were absent: the partner plays again what it played, and the data are the same."""

from __future__ import annotations

import base64
import csv
import json
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pyodide_runtime.batch import Runtime
from pyodide_runtime.drops import OnDrop
from pyodide_runtime.errors import RecordError
from pyodide_runtime.experiment import Experiment
from pyodide_runtime.journal import MemoryJournal
from pyodide_runtime.ledger import EpisodeLedger, more_columns
from pyodide_runtime.operations import Reset
from pyodide_runtime.record import read_record
from pyodide_runtime.rerun import replay_record, run
from pyodide_runtime.rollback.inputs import ABSENT, RETURNS, STOPS, make_input
from pyodide_runtime.rollback.session import RollbackSession
from pyodide_runtime.rows import to_csv
from pyodide_runtime.simulation import episode_seed
from pyodide_runtime.uploads import UploadJournal
from pyodide_runtime.worker import load_experiment
from tests.host.studies import FILES, Page, participant, play, source, start
from tests.host.test_rerun import arguments

FRAMES, EVERY = 24, 5
PARTNER_FILES = {
    **FILES,
    "study.py": FILES["study.py"]
    .replace("max_steps=24", "max_steps=24, on_drop='partner', partner=Follower()")
    .replace("from parts import world", "from parts import world\nfrom parts.partner import Follower"),
    "parts/partner.py": """
class Follower:
    def __init__(self):
        self.met = {}

    def __call__(self, env, player, random):
        self.met.setdefault(player, []).append(sum(env.places.values()))
        return (len(self.met[player]) + random.randrange(2)) % 3
""",
}
DEFAULT_FILES = {**FILES, "study.py": FILES["study.py"].replace("max_steps=24", "max_steps=24, on_drop='default'")}


class Recorded(NamedTuple):
    """What a host wrote: the lines of its record, and its export."""

    lines: list[Any]
    export: bytes


@contextmanager
def forgotten(folder: Path) -> Iterator[None]:
    """What is imported from a folder meanwhile is not there afterwards."""
    path = list(sys.path)
    yield
    sys.path[:] = path
    for name in [name for name, module in sys.modules.items() if str(getattr(module, "__file__", "")).startswith(str(folder))]:
        del sys.modules[name]


def inputs_of(source_: random.Random, frames: int) -> list[tuple[bytes, bytes]]:
    """The first player is absent in the middle."""
    found = []
    for frame in range(frames):
        one, two = (make_input(bytes([source_.randrange(3)]), source_.random() < 0.8) for _ in range(2))
        if 6 <= frame <= 15:
            one = bytes([ABSENT | (RETURNS if frame == 15 else 0)]) + b"\0"
        found.append((one, two))
    return found


def recorded(folder: Path, files: dict[str, str], cut: int | None = None) -> Recorded:
    """Two episodes of the study as a host lives through them that hears of the other player late; the second may be cut off."""
    told = source(files)
    with forgotten(folder):
        experiment = load_experiment(told, folder)
        return _lived_through(experiment, told, cut)


def _lived_through(experiment: Experiment, told: dict[str, Any], cut: int | None) -> Recorded:
    on_drop = OnDrop(experiment.on_drop)
    runtime = Runtime(experiment.environment(), max_steps=FRAMES, players=2, partner=experiment.partner)
    header = {
        "session": "room-1", "seed": 7, "players": list(runtime.players), "state_digest_every": EVERY, "on_drop": on_drop.value,
        "adaptive_delay": False, "experiment": told, "versions": {},
    }  # fmt: skip
    journal, memory = UploadJournal(header), MemoryJournal()
    for episode in range(2):
        seed, whole = episode_seed(7, episode), not (episode and cut)
        inputs = inputs_of(random.Random(episode), FRAMES if whole else cut or 0)
        runtime.batch([Reset(seed)])
        session = RollbackSession(runtime, local=[], neutral=[make_input(b"\0", True)] * 2)
        ledger = EpisodeLedger(
            episode, seed, runtime.players, runtime.simulation.codecs, more_columns(on_drop, adaptive_delay=False)
        )
        journal.episode(episode, seed)
        for turn in range(len(inputs) + 9):
            for player, late in ((0, 5), (1, 2)):
                session.receive(player, 0, [frame[player] for frame in inputs[: max(0, turn - late)]])
            session.advance()
            final = session.take_final()
            due = [frame.record.frame + 1 for frame in final]
            rows = [
                ledger.append(frame, runtime.snapshot_digest(number) if number % EVERY == 0 else b"")
                for frame, number in zip(final, due, strict=True)
            ]
            if rows:
                for written in (journal, memory):
                    written.rows(episode, len(ledger) - len(rows), rows, [frame.inputs for frame in final])
            session.retire()
        assert len(ledger) == len(inputs) and session.counters.rollbacks > 3
        if whole:
            journal.episode_end(episode, len(ledger), ledger.newest)
    if cut:
        journal.outcome({"outcome": "peer_lost"})
    text = b"".join(chunk.body for chunk in journal.leave() if chunk.kind == "record")
    return Recorded([json.loads(line) for line in text.splitlines()], to_csv(memory.cells))


def file_of(folder: Path, lines: list[Any]) -> Path:
    file = folder / "record.ndjson"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return file


def rerun(folder: Path, lines: list[Any]) -> tuple[bytes, list[str]]:
    rows, differences = replay_record(read_record(file_of(folder, lines)))
    return to_csv(rows), differences


@pytest.mark.parametrize("files", [PARTNER_FILES, DEFAULT_FILES])
def test_a_record_with_absent_players_gives_the_exported_bytes_again_and_again(tmp_path: Path, files: dict[str, str]) -> None:
    lines, export = recorded(tmp_path / "study", files)
    names, *rows = [line.split(",") for line in export.decode().splitlines()]
    absent, action = (names.index(f"{name}.left") for name in ("absent", "action"))
    assert [row[absent] for row in rows] == (["false"] * 6 + ["true"] * 10 + ["false"] * 8) * 2
    played = {row[action] for row in rows if row[absent] == "true"}
    assert played == ({"0"} if files is DEFAULT_FILES else {"0", "1", "2"})
    for _ in range(2):
        assert rerun(tmp_path, lines) == (export, [])


def test_a_match_in_which_nobody_was_absent_says_so_and_runs_again(tmp_path: Path) -> None:
    with forgotten(tmp_path / "study"):
        pages = [Page(participant(tmp_path / "study", PARTNER_FILES)) for _ in range(2)]
        for place, page in enumerate(pages):
            page.participant.start(start(place))
        play(pages)
    assert pages[0].csv == pages[1].csv and pages[0].phases[-1] == "finished"
    lines = pages[0].lines("record")
    assert (lines[0]["on_drop"], lines[0]["adaptive_delay"]) == ("partner", False)
    rows = list(csv.DictReader(pages[0].csv.decode().splitlines()))
    assert len(rows) == 2 * FRAMES and {row[f"absent.{player}"] for row in rows for player in ("left", "right")} == {"false"}
    assert rerun(tmp_path, lines) == (pages[0].csv, [])


def test_a_record_that_was_cut_off_gives_its_rows(tmp_path: Path) -> None:
    for cut in (3, 10, 20):
        lines, export = recorded(tmp_path / f"study {cut}", PARTNER_FILES, cut)
        assert export.count(b"\n") == 1 + FRAMES + cut
        assert rerun(tmp_path, lines) == (export, [])


def test_the_command_prints_the_exported_bytes(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    lines, export = recorded(tmp_path / "study", PARTNER_FILES)
    for host in ("inline", "cpython"):
        assert run(arguments("--host", host, str(file_of(tmp_path, lines)))) == 0
        assert capfdbinary.readouterr() == (export, b"")


def test_another_partner_is_told_as_a_difference(tmp_path: Path) -> None:
    lines, export = recorded(tmp_path / "study", PARTNER_FILES)
    files = lines[0]["experiment"]["files"]
    files["parts/partner.py"] = files["parts/partner.py"].replace("random.randrange(2)", "1")
    found, differences = rerun(tmp_path, lines)
    assert found != export and [difference[:10] for difference in differences] == ["episode 0:", "episode 1:"]


def test_a_record_says_what_its_experiment_says(tmp_path: Path) -> None:
    lines, _ = recorded(tmp_path / "study", PARTNER_FILES)
    for on_drop in ("end", "default", None):
        header = {**lines[0], "on_drop": on_drop}
        if on_drop is None:
            del header["on_drop"]
        with pytest.raises(RecordError, match=r"the record is of on_drop='(end|default)', its experiment of 'partner'"):
            rerun(tmp_path, [header, *lines[1:]])


@pytest.mark.parametrize("flags", [STOPS, STOPS | ABSENT, 16])
def test_an_input_in_whose_frame_nothing_is_simulated_is_in_no_record(tmp_path: Path, flags: int) -> None:
    lines, _ = recorded(tmp_path / "study", PARTNER_FILES, 10)
    more = [base64.b64encode(bytes([flags, 0])).decode(), base64.b64encode(b"\1\0").decode()]
    with pytest.raises(RecordError, match="episode 1, frame 10: an input has flags"):
        rerun(tmp_path, [*lines[:-1], {"inputs": more, "episode": 1, "from": 10}, lines[-1]])

"""A record run again without browser or network, by the command that everybody has for it.

It knows nothing of how the record came about.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from e2e.server import DISTRIBUTION, ROOT

Host = Literal["node", "cpython"]

AT_A_TIME = 2
SECONDS = 300
#: Re-runs yield to the matches that are being played meanwhile, whose clocks are real.
NICE = ["nice", "-n", "10"]


@dataclass(frozen=True)
class Rerun:
    """What a re-run printed: the CSV's bytes, what it found to differ from what was recorded, and its exit status."""

    export: bytes
    differences: str
    status: int


def rerun(record: Path, host: Host) -> Rerun:
    """Run one record again."""
    command = [*NICE, sys.executable, "-m", "pyodide_runtime", "rerun", "--host", host, "--distribution", str(DISTRIBUTION)]
    done = subprocess.run([*command, str(record)], cwd=ROOT, capture_output=True, timeout=SECONDS, check=False)
    return Rerun(done.stdout, done.stderr.decode(), done.returncode)


def rerun_all(records: Sequence[Path], hosts: Sequence[Host]) -> dict[tuple[Path, Host], Rerun]:
    """Run every record again on every host, two at a time."""
    asked = [(record, host) for record in records for host in hosts]
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        return dict(zip(asked, pool.map(lambda pair: rerun(*pair), asked), strict=True))

"""Records run again without browser or network, by the command that everybody has for it.

A re-run is a function of what it reads of a record, so one speaks for all records that say the same; what they say is compared
first, whole. It knows nothing of how records came about.
"""

from __future__ import annotations

import base64
import functools
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from e2e.server import DISTRIBUTION, ROOT
from pyodide_runtime.record import read_record

Host = Literal["node", "cpython"]

AT_A_TIME = 2
SECONDS = 600


@dataclass(frozen=True)
class Rerun:
    """What a re-run printed: the CSV's bytes, what it found to differ from what was recorded, and its exit status."""

    export: bytes
    differences: str
    status: int


@functools.cache
def rerun(record: Path, host: Host) -> Rerun:
    """Run one record again; each is run but once on a host."""
    # It can wait; the matches that are being played beside it cannot.
    command = ["nice", "-n", "19", sys.executable, "-m", "pyodide_runtime"]
    command += ["rerun", "--host", host, "--distribution", str(DISTRIBUTION)]
    done = subprocess.run([*command, str(record)], cwd=ROOT, capture_output=True, timeout=SECONDS, check=False)
    return Rerun(done.stdout, done.stderr.decode(), done.returncode)


def rerun_all(records: Sequence[Path], hosts: Sequence[Host]) -> dict[tuple[Path, Host], Rerun]:
    """What a re-run makes of every record on every host. Of those that say the same the first one is run."""
    contents = [_content(record) for record in records]
    firsts = [records[contents.index(content)] for content in contents]
    asked = list(dict.fromkeys((first, host) for first in firsts for host in hosts))
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        reruns = dict(zip(asked, pool.map(lambda pair: rerun(*pair), asked), strict=True))
    return {(record, host): reruns[first, host] for record, first in zip(records, firsts, strict=True) for host in hosts}


def _content(path: Path) -> dict[str, Any]:
    """All that a record says of the match, but not who wrote it down, nor in pieces of which length, nor how it saw it end."""
    told = asdict(read_record(path))
    del told["outcome"]
    for episode in told["episodes"]:
        places = range(len(told["players"]))
        episode["inputs"] = [b"".join(base64.b64decode(texts[place]) for texts in episode["inputs"]) for place in places]
    return told

"""The command `python -m bench`: measures, prints a table, and writes it as JSON."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

from bench.echoing import measure_echo
from bench.lines import Line, table, write
from bench.machine import describe, load
from bench.measurements import IN_WORKERS, TITLES, measure_in_workers
from bench.playing import measure_match
from bench.serving import ROOT
from bench.startup import measure_startup
from bench.workers import Chromium

#: What is measured in pages of its own, by the name that selects it.
IN_PAGES = {"match": measure_match, "echo": measure_echo}
STARTUP = "startup"
NAMES = [STARTUP, *IN_WORKERS, *IN_PAGES]


def main() -> int:
    """Run what was asked for. 0 also where a limit is missed: the table says so."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES, metavar="NAME", help=f"of {', '.join(NAMES)}")
    parser.add_argument("--example", nargs="+", choices=TITLES, default=TITLES, help="which examples, of all but the match")
    parser.add_argument("--json", type=Path, default=Path("bench.json"), help="where the report goes (default: bench.json)")
    parser.add_argument("--distribution", type=Path, default=ROOT / "build" / "pyodide", help="the laid-out Pyodide folder")
    arguments = parser.parse_args()
    if not (arguments.distribution / "pyodide-lock.json").is_file():
        parser.error(f"{arguments.distribution} is not laid out; run `make wheels`")
    about = describe()
    began = time.monotonic()
    names = [name for name in NAMES if name in arguments.only]
    lines = _measure(names, list(arguments.example), arguments.distribution, about["versions"])
    about["machine"]["load at the end"] = load()
    about["seconds"] = round(time.monotonic() - began, 1)
    print(_head(about))
    print(table(lines))
    missed = [line for line in lines if line.over]
    print(f"\n{len(lines)} lines in {about['seconds']:.0f} s; {len(missed)} over their limit")
    write(arguments.json, lines, about)
    print(f"written to {arguments.json}")
    return 0


def _measure(names: list[str], titles: list[str], distribution: Path, versions: dict[str, str]) -> list[Line]:
    lines: list[Line] = []
    for name, measure in IN_PAGES.items():
        if name in names:
            # First, while the machine has done nothing else.
            lines += measure()
    if STARTUP in names:
        lines = measure_startup(distribution, titles) + lines
    inside = [name for name in names if name in IN_WORKERS]
    if inside:
        with Chromium(distribution) as chromium:
            versions["chromium"] = chromium.version
            lines += measure_in_workers(chromium, inside, titles, versions)
    return lines


def _head(about: dict[str, Any]) -> str:
    machine, versions = about["machine"], ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    loads = f"load {machine['load'][0]} at the start, {machine['load at the end'][0]} at the end"
    busy = machine["load"][0] > machine["cores"] or machine["load at the end"][0] > machine["cores"] + 2
    if busy:
        loads += " - THE MACHINE IS BUSY: times are longer than they would be, and ratios unsure"
    return f"{about['at']}\n{machine['processor']}, {machine['cores']} cores, {loads}\n{versions}\n"


if __name__ == "__main__":
    sys.exit(main())

"""The command line: `python -m wheels lay-out`, `python -m wheels check` and `python -m wheels pin`. Parses, calls, prints; nothing
more."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from wheels.errors import WheelsError
from wheels.images import check_images, make_images
from wheels.layout import cached, check_layout, lay_out
from wheels.lock import LOCK_NAME
from wheels.manifest import DEFAULT_PATH, read_manifest
from wheels.own import ROOT
from wheels.pinning import find_pins, toml_of
from wheels.sources import FolderSource, PypiSource, sources_of

CACHE_VARIABLE = "PYODIDE_RUNTIME_CACHE"


class Printed:
    """Prints what happens, a line a file; the bytes of a download as they come, rewriting the line on a
    terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._rewrites = stream.isatty()
        self._next_s = 0.0

    def asking(self, file_name: str, source: str) -> None:
        """Says which source is asked for which file."""
        self._next_s = time.monotonic() + 2.0
        self._line(f"  {file_name}: asking {source}")

    def refused(self, file_name: str, source: str, reason: str) -> None:
        """Says why the source did not give it."""
        self._line(f"  {file_name}: {source}: {reason}")

    def placed(self, file_name: str, size: int, origin: str) -> None:
        """Says that the file is in place."""
        self._line(f"  {file_name}: {megabytes(size)} from {origin}")

    def progress(self, file_name: str, done: int, total: int | None) -> None:
        """Says how far a download is: always on a terminal, every other second elsewhere."""
        now = time.monotonic()
        if done and not self._rewrites and now < self._next_s:
            return
        self._next_s = now + 2.0
        far = f"{megabytes(done)} of {megabytes(total)}" if total else megabytes(done) if done else "downloading"
        if self._rewrites:
            self._stream.write(f"\r\x1b[K  {file_name}: {far}")
            self._stream.flush()
        else:
            self._line(f"  {file_name}: {far}")

    def say(self, text: str) -> None:
        """Says what else is being done."""
        self._line(f"  {text}")

    def _line(self, text: str) -> None:
        start = "\r\x1b[K" if self._rewrites else ""
        print(start + text, file=self._stream, flush=True)


def megabytes(size: int) -> str:
    """A size in bytes, for people."""
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and gives its exit code: 0, or 1 after an error, which is printed."""
    parser = argparse.ArgumentParser(prog="python -m wheels", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    laying = commands.add_parser("lay-out", help="lay the distribution out, downloading what is not cached")
    laying.add_argument("--out", type=Path, default=ROOT / "build" / "pyodide", help="the folder to lay out in")
    laying.add_argument(
        "--from",
        dest="folders",
        type=Path,
        action="append",
        default=[],
        metavar="FOLDER",
        help="a folder to look for files in before any other source is asked; may be given again",
    )
    checking = commands.add_parser("check", help="prove that a laid-out folder is complete and consistent")
    checking.add_argument("out", type=Path, nargs="?", default=ROOT / "build" / "pyodide")
    pinning = commands.add_parser("pin", help="add packages, and what they need, to the pins; then lay out")
    pinning.add_argument("requirements", nargs="+", metavar="REQUIREMENT", help="such as scipy, or minigrid==3.2.0")
    for command in (laying, checking, pinning):
        command.add_argument("--manifest", type=Path, default=DEFAULT_PATH, help="the file with the pins")
    for command in (laying, pinning):
        command.add_argument(
            "--cache",
            type=Path,
            default=Path(os.environ.get(CACHE_VARIABLE) or ROOT / "build" / "cache"),
            help=f"the folder that keeps downloads (default: ${CACHE_VARIABLE}, else build/cache)",
        )
    options = parser.parse_args(arguments)
    try:
        if options.command == "check":
            names = check_layout(read_manifest(options.manifest), options.out)
            images = check_images(options.out)
            print(f"{options.out}: complete and consistent: {', '.join(names)}")
            print(f"memory images: {', '.join(images) or 'none'}")
        elif options.command == "pin":
            _pin(options)
        else:
            _lay_out(options)
    except WheelsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _pin(options: argparse.Namespace) -> None:
    manifest = read_manifest(options.manifest)
    printed = Printed(sys.stdout)
    sources = sources_of(manifest, printed.progress)
    try:
        core_lock = cached(manifest.core[LOCK_NAME], cache=options.cache, sources=sources, report=printed)[0]
        pypi = PypiSource(printed.progress)
        pins = find_pins(options.requirements, manifest=manifest, core_lock=core_lock, shelf=pypi, say=printed.say)
    finally:
        for source in sources.values():
            source.close()
    if not pins:
        print(f"{options.manifest.name} has all of it already")
        return
    with options.manifest.open("a", encoding="utf-8") as file:
        file.write(toml_of(pins))
    print(f"{len(pins)} package{'s' * (len(pins) > 1)} added to {options.manifest}; `make wheels` fetches them")


def _lay_out(options: argparse.Namespace) -> None:
    manifest = read_manifest(options.manifest)
    printed = Printed(sys.stdout)
    sources = sources_of(manifest, printed.progress)
    extra = [FolderSource(folder) for folder in options.folders]
    print(f"Laying out Pyodide {manifest.pyodide} in {options.out}", flush=True)
    try:
        done = lay_out(manifest, out=options.out, cache=options.cache, sources=sources, report=printed, extra=extra)
    finally:
        for source in sources.values():
            source.close()
    images = make_images(options.out, plans=manifest.images, cache=options.cache, say=printed.say)
    for name in done.removed:
        print(f"  {name}: removed, no longer part of the distribution")
    news = f"{len(done.placed)} new, {len(done.downloaded)} downloaded" if done.placed else "all in place"
    print(f"{done.files} files, {megabytes(done.size)}: {news}")
    for file in images:
        print(f"  {file}: {megabytes((options.out / file).stat().st_size)} from tree")
    print(f"memory images: {', '.join(check_images(options.out)) or 'none'}")

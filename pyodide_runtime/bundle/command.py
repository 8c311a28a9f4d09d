"""`python -m pyodide_runtime bundle EXPERIMENT.py --out DIR`: a static folder that plays an experiment; `--check DIR` proves one.

What a mistake costs is one clear message and exit status 2. This module knows nothing of what is in the files.
"""

from __future__ import annotations

import argparse
import gzip
import ipaddress
import shlex
import sys
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

from pyodide_runtime.bundle.folder import check_folder, check_place, write_folder
from pyodide_runtime.bundle.making import Bundle, make_bundle
from pyodide_runtime.errors import BundleError
from pyodide_runtime.server.command import bridge_folder, origin
from pyodide_runtime.server.loading import load

#: Parts as they are listed, from what all bundles have to what is of this experiment.
PARTS = ("Pyodide", "packages", "bridge", "page", "experiment")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `bundle`."""
    parser.add_argument("experiment", type=Path, nargs="?", metavar="EXPERIMENT.py", help="the experiment's file")
    parser.add_argument("--out", type=Path, metavar="DIR", help="the folder to make; one that this command made is replaced")
    parser.add_argument(
        "--server",
        type=origin,
        metavar="URL",
        help="the match server (https://HOST), where players meet and data are kept; one player alone needs none",
    )
    parser.add_argument(
        "--distribution",
        type=Path,
        default=Path("build/pyodide"),
        help="folder with Pyodide and the wheels, laid out by `make wheels` (default: %(default)s)",
    )
    parser.add_argument("--check", type=Path, metavar="DIR", help="make nothing; compare a bundle with its own hashes")


def run(arguments: argparse.Namespace) -> int:
    """Make a bundle, or check one. Raises PyodideRuntimeError with a message for the terminal."""
    if arguments.check is not None:
        if arguments.experiment is not None or arguments.out is not None:
            raise BundleError("--check DIR stands alone: it makes no bundle")
        return _check(arguments.check)
    if arguments.experiment is None or arguments.out is None:
        raise BundleError("say which experiment to bundle, and where: bundle EXPERIMENT.py --out DIR")
    loaded = load(arguments.experiment)
    check_place(arguments.out)
    bundle = make_bundle(loaded, distribution=arguments.distribution, bridge=bridge_folder(), server=arguments.server)
    write_folder(arguments.out, bundle.pieces)
    print("\n".join(_summary(bundle, arguments.out)))
    for line in _warnings(bundle, arguments):
        print(line, file=sys.stderr)
    return 0


def _check(folder: Path) -> int:
    checked = check_folder(folder)
    print(f"{folder}: {checked.name}, {checked.files} files, {_megabytes(checked.size)}: all as they were bundled")
    if checked.others:
        print(f"not of the bundle, and not checked: {', '.join(checked.others)}")
    return 0


def _summary(bundle: Bundle, folder: Path) -> list[str]:
    sizes: Counter[str] = Counter()
    wires: Counter[str] = Counter()
    for piece in bundle.pieces:
        sizes[piece.part] += len(piece.content)
        wires[piece.part] += min(len(piece.content), len(gzip.compress(piece.content, 6)))
    packages = ", ".join(f"{name} {version}" for name, version in bundle.distribution.packages.items())
    notes = {"Pyodide": bundle.distribution.pyodide, "packages": packages}
    rows = [(part, sizes[part], wires[part], notes.get(part, "")) for part in PARTS]
    rows.append(("total", sizes.total(), wires.total(), ""))
    return [
        f"{bundle.loaded.experiment.name}: a bundle of {len(bundle.pieces)} files",
        f"{'':14}{'size':>10}{'gzipped':>10}",
        *(f"  {part:12}{_megabytes(size):>10}{_megabytes(wire):>10}  {note}".rstrip() for part, size, wire, note in rows),
        f"written to {folder}",
    ]


def _warnings(bundle: Bundle, arguments: argparse.Namespace) -> list[str]:
    """What works otherwise than one may think."""
    experiment, file, server = bundle.loaded.experiment, arguments.experiment, arguments.server
    if server is None and experiment.pages == 1:
        return []
    if server is None:
        command = shlex.join(["python", "-m", "pyodide_runtime", "bundle", str(file), "--out", str(arguments.out)])
        return [
            f"THIS BUNDLE CANNOT BE PLAYED: its {experiment.pages} browsers meet through a match server, and none was named; "
            "its page says so, too.",
            f"Run `python -m pyodide_runtime serve {file} --allow-origin ORIGIN` on a host that all can reach, where ORIGIN is "
            f"that of the bundle's page, and bundle again: {command} --server https://HOST",
        ]
    lines = [f"The match server must serve the same file, and let the bundle's pages in: serve {file} --allow-origin ORIGIN"]
    if urlsplit(server).scheme == "http" and not _is_here(urlsplit(server).hostname or ""):
        lines.append(f"{server} is not https: browsers refuse it to a page that is")
    return lines


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.2f} MB"

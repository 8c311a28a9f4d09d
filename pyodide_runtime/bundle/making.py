"""The files of one experiment's bundle, put together: the same experiment, packages and bridge always make the same bytes.

    index.html             the page, which names all others by relative addresses
    bridge-HASH/           its modules, and the worker's
    pyodide-HASH/          Pyodide's core, the packages that are needed, and a lock that names these only
    experiment-HASH/       experiment.json: the experiment's own files and settings, and what the page must know; its sprites
    bundle.json            what all of it is: versions, and the size and sha256 of each file

This module knows nothing of how they are written.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from pyodide_runtime import __version__
from pyodide_runtime.bundle.distribution import Distribution, read_distribution
from pyodide_runtime.bundle.folder import MANIFEST
from pyodide_runtime.bundle.pieces import Piece, named_by_contents, sha256_of
from pyodide_runtime.errors import BundleError
from pyodide_runtime.server.loading import LoadedExperiment

__all__ = ["Bundle", "make_bundle"]

#: What of the bridge a browser needs, by its `package.json`: not what is for Node, or for programmers.
NOT_FOR_BROWSERS = frozenset({"node", "types"})

#: Modules do not load from files, and then none of them can say so.
FROM_A_FILE = """\
    <script>
      if (location.protocol === "file:") {
        document.documentElement.dataset.phase = "failed";
        document.getElementById("title").textContent = "This page needs a web server";
        document.getElementById("text").textContent =
          "It cannot be opened as a file. To try it out, run in this folder: python3 -m http.server";
      }
    </script>
"""

_IMPORT = re.compile(r"""(?:\bfrom\s+|\bimport\s*\(?\s*|new URL\()["'](\.{1,2}/[^"']+)["']""")


@dataclass(frozen=True)
class Bundle:
    """A bundle.

    Attributes:
        loaded: the experiment.
        distribution: what was taken of Pyodide and the packages.
        pieces: all files, `bundle.json` the last.
    """

    loaded: LoadedExperiment
    distribution: Distribution
    pieces: list[Piece]


def make_bundle(loaded: LoadedExperiment, *, distribution: Path, bridge: Path, server: str | None) -> Bundle:
    """Put a bundle together.

    Args:
        loaded: the experiment as it was read.
        distribution: the laid-out Pyodide folder.
        bridge: the page and its modules.
        server: origin of the match server ("https://example.org"), or None for a bundle that needs none, or says that it lacks one.

    Raises:
        BundleError: something is missing, or has another hash than the one that is pinned; the message names all of it.
    """
    taken = read_distribution(distribution, loaded.experiment.requirements)
    pyodide, pyodide_pieces = named_by_contents("pyodide", taken.pieces)
    modules, bridge_pieces = named_by_contents("bridge", _bridge(bridge))
    experiment, experiment_pieces = named_by_contents("experiment", _experiment(loaded, server, f"{pyodide}/"))
    page = _page(bridge, loaded.experiment.name, modules, f"{experiment}/experiment.json")
    pieces = [Piece("index.html", "page", page), *bridge_pieces, *pyodide_pieces, *experiment_pieces]
    return Bundle(loaded, taken, [*pieces, _manifest(loaded, taken, server, pieces)])


def _page(bridge: Path, name: str, modules: str, config: str) -> bytes:
    text = (bridge / "page" / "play.html").read_text(encoding="utf-8")
    text = text.replace('"/bridge/', f'"{modules}/')
    title = f'<title>{escape(name)}</title>\n    <meta name="pyodide-runtime-bundle" content="{config}">'
    text = re.sub("<title>.*?</title>", lambda _: title, text, count=1)
    return text.replace("  </body>", f"{FROM_A_FILE}  </body>", 1).encode()


def _bridge(folder: Path) -> list[Piece]:
    """The page's and the worker's modules. Raises BundleError if one of them is not there."""
    listed = json.loads((folder / "package.json").read_text(encoding="utf-8"))["files"]
    roots = [folder / name for name in listed if name not in NOT_FOR_BROWSERS]
    files = [file for root in roots for file in ([root] if root.is_file() else sorted(root.rglob("*")))]
    pieces = [
        Piece(file.relative_to(folder).as_posix(), "bridge", file.read_bytes())
        for file in files
        if file.suffix in (".js", ".css") and file.is_file()
    ]
    there = {piece.path for piece in pieces}
    for piece in pieces:
        for name in _IMPORT.findall(piece.content.decode()):
            path = (folder / piece.path).parent.joinpath(name).resolve()
            if path.is_relative_to(folder.resolve()) and path.relative_to(folder.resolve()).as_posix() not in there:
                raise BundleError(f"{folder / piece.path} imports {name}, which is not there; install pyodide_runtime anew")
    return pieces


def _experiment(loaded: LoadedExperiment, server: str | None, distribution: str) -> list[Piece]:
    """`experiment.json`, and the sprites. Addresses in it are relative: the page's by "/", its own folder's by name only."""
    images = {name: file.read_bytes() for name, file in loaded.sprites.items()}
    names = {name: f"sprite-{sha256_of(image)[:16]}{loaded.sprites[name].suffix.lower()}" for name, image in images.items()}
    seed = loaded.experiment.seed
    told: dict[str, Any] = {
        "bundle": 1,
        "pages": loaded.experiment.pages,
        "seed": None if seed is None else int(seed),
        "server": server,
        "distribution": f"../{distribution}",
        "sprites": names,
        "experiment": loaded.for_worker(),
    }
    text = json.dumps(told, indent=1, sort_keys=True, ensure_ascii=True) + "\n"
    sprites = {names[name]: Piece(names[name], "experiment", image) for name, image in images.items()}
    return [Piece("experiment.json", "experiment", text.encode()), *sprites.values()]


def _manifest(loaded: LoadedExperiment, taken: Distribution, server: str | None, pieces: list[Piece]) -> Piece:
    files = {
        piece.path: {"part": piece.part, "bytes": len(piece.content), "sha256": piece.sha256}
        for piece in sorted(pieces, key=lambda piece: piece.path)
    }
    told = {
        "bundle": 1,
        "name": loaded.experiment.name,
        "module": loaded.module,
        "players": loaded.experiment.players,
        "server": server,
        "versions": {
            "pyodide_runtime": __version__,
            "pyodide": taken.pyodide,
            "python": taken.python,
            "packages": taken.packages,
        },
        "files": files,
    }
    return Piece(MANIFEST, "page", (json.dumps(told, indent=1, ensure_ascii=True) + "\n").encode())

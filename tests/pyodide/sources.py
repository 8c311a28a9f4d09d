"""Python sources that these tests bring into Pyodide's file system: the examples, as the server sends them, and test environments.

It knows nothing of what the sources do.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pyodide_runtime.server.loading import load

ROOT = Path(__file__).resolve().parents[2]

EXAMPLES = ("arena", "overcooked", "cart_pole")

FOLDER = "/home/pyodide/sources"
"""A folder inside Pyodide, on the import path once something was placed there."""

_PLACE = """
for (const [name, text] of Object.entries(%s)) {
    pyodide.FS.mkdirTree(name.slice(0, name.lastIndexOf("/")));
    pyodide.FS.writeFile(name, text);
}
pyodide.runPython(`
import sys, importlib
if %r not in sys.path:
    sys.path.insert(0, %r)
importlib.invalidate_caches()
`);
"""


def example(name: str) -> dict[str, Any]:
    """An example's files, module, requirements and settings, as a browser's worker is told of them."""
    return load(ROOT / "examples" / f"{name}.py").for_worker()


def place(selenium: Any, files: dict[str, str]) -> None:
    """Write modules, by their paths, into `FOLDER` inside Pyodide, so that they can be imported."""
    selenium.run_js(_PLACE % (json.dumps({f"{FOLDER}/{name}": text for name, text in files.items()}), FOLDER, FOLDER))


def own(*names: str) -> dict[str, str]:
    """Files of this tree, by their paths from its root."""
    return {name: (ROOT / name).read_text(encoding="utf-8") for name in names}

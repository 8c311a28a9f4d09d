"""A distribution, a bridge and an experiment of a few small files each, and the command that bundles them."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import pyodide_runtime
from pyodide_runtime import cli
from pyodide_runtime.bundle import command, distribution

EXPERIMENT = """
import pyodide_runtime as pr
import absent_package
from beside import NAME

experiment = pr.Experiment(
    name=NAME,
    environment=absent_package.Soup,
    players={players},
    requirements={requirements},
    sprites={{"chef": "chef.png"}},
    {more}
)
"""
WHEELS = {
    "numpy": ("2.4.3", []),
    "game": ("1.2", ["numpy", "Typing_Extensions"]),
    "typing-extensions": ("4.15.0", []),
    "pytest": ("9.0.2", ["pygments"]),
    "pygments": ("2.20.0", []),
}
BRIDGE = {
    "index.js": 'export { play } from "./page/play.js";\n',
    "page/play.js": 'import "./words.js";\nnew Worker(new URL("../worker/worker.js", import.meta.url));\n',
    "page/words.js": "export {};\n",
    "page/play.css": "body { margin: 0 }\n",
    "page/play.html": '<html>\n  <head>\n    <title>Loading</title>\n    <script src="/bridge/page/play.js"></script>\n  </head>\n'
    '  <body>\n    <h2 id="title"></h2>\n  </body>\n</html>\n',
    "worker/worker.js": "export {};\n",
    "node/run.mjs": "export {};\n",
    "types/index.d.ts": "export {};\n",
    "tests/index.test.js": "export {};\n",
    "package.json": json.dumps({"files": ["index.js", "page", "worker", "node", "types"]}),
}


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@dataclass
class Bench:
    """The folders, and what the command prints."""

    folder: Path
    capture: pytest.CaptureFixture[str]

    @property
    def distribution(self) -> Path:
        return self.folder / "pyodide"

    @property
    def bridge(self) -> Path:
        return self.folder / "bridge"

    @property
    def out(self) -> Path:
        return self.folder / "public" / "soup"

    def bundle(self, *options: str, out: Path | None = None) -> tuple[int, str, str]:
        """The exit status, and what was printed on either stream."""
        given = ["bundle", str(self.folder / "soup.py"), "--out", str(out or self.out), "--distribution", str(self.distribution)]
        return self.run(*given, *options)

    def run(self, *arguments: str) -> tuple[int, str, str]:
        status = cli.main(arguments)
        printed = self.capture.readouterr()
        return status, printed.out, printed.err

    def write_experiment(self, players: int = 1, requirements: list[str] | None = None, more: str = "") -> None:
        wanted = ["game==1.2"] if requirements is None else requirements
        text = EXPERIMENT.format(players=players, requirements=wanted, more=more)
        (self.folder / "soup.py").write_text(text)

    def files(self, out: Path | None = None) -> dict[str, bytes]:
        folder = out or self.out
        return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}

    def one(self, pattern: str) -> Path:
        (found,) = self.out.glob(pattern)
        return found

    def manifest(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads((self.out / "bundle.json").read_text())
        return told

    def change_lock(self, change: Callable[[dict[str, Any]], None]) -> None:
        file = self.distribution / "pyodide-lock.json"
        lock = json.loads(file.read_text())
        change(lock["packages"])
        file.write_text(json.dumps(lock))


@pytest.fixture
def bench(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Bench:
    bench = Bench(tmp_path, capsys)
    for name, text in BRIDGE.items():
        (bench.bridge / name).parent.mkdir(parents=True, exist_ok=True)
        (bench.bridge / name).write_text(text)
    monkeypatch.setattr(command, "bridge_folder", lambda: bench.bridge)
    bench.distribution.mkdir()
    core = {name: f"// {name}\n".encode() * 50 for name in (*distribution.CORE_FILES, "pyodide.d.ts")}
    for name, content in core.items():
        (bench.distribution / name).write_bytes(content)
    pins = {"pyodide": "314.0.4", "files": {name: sha256(content) for name, content in core.items()}}
    (bench.distribution / "core.json").write_text(json.dumps(pins))
    packages = {}
    for name, (version, depends) in WHEELS.items():
        file_name = f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
        (bench.distribution / file_name).write_bytes(f"the wheel of {name}\n".encode() * 20)
        packages[name] = _entry(bench.distribution / file_name, name, version, depends)
    own = bench.distribution / f"pyodide_runtime-{pyodide_runtime.__version__}-py3-none-any.whl"
    with zipfile.ZipFile(own, "w") as wheel:
        wheel.writestr("pyodide_runtime/errors.py", (Path(pyodide_runtime.__file__).parent / "errors.py").read_bytes())
    packages["pyodide-runtime"] = _entry(own, "pyodide-runtime", pyodide_runtime.__version__, [])
    lock = {"info": {"python": "3.14.0"}, "packages": packages}
    (bench.distribution / "pyodide-lock.json").write_text(json.dumps(lock))
    (tmp_path / "beside.py").write_text('NAME = "Soup & Bread"\n')
    (tmp_path / "chef.png").write_bytes(b"\x89PNG chef")
    bench.write_experiment()
    return bench


def _entry(file: Path, name: str, version: str, depends: list[str]) -> dict[str, Any]:
    return {"name": name, "version": version, "file_name": file.name, "sha256": sha256(file.read_bytes()), "depends": depends}

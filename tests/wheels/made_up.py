"""A made-up Pyodide of a few bytes, with made-up wheels and a made-up project, to lay out without a network.

Everything is written below a temporary folder; nothing real is read.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from wheels.errors import SourceError
from wheels.layout import LaidOut, lay_out
from wheels.manifest import Manifest, Pinned, read_manifest

INFO = {"abi_version": "2026_0", "arch": "wasm32", "platform": "emscripten_5_0_3", "python": "3.14.0"}
OWN_WHEEL = "pyodide_runtime-0.1.0-py3-none-any.whl"


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def make_wheel(folder: Path, name: str, version: str, *, requires: Sequence[str] = (), tag: str = "py3-none-any") -> Path:
    """Writes a wheel with one module into `folder`."""
    stem = name.replace("-", "_")
    info = f"{stem}-{version}.dist-info"
    requirements = "".join(f"Requires-Dist: {line}\n" for line in requires)
    members = {
        f"{stem}.py": f"version = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requirements}",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: made-up\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    record = ""
    for member, text in members.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record += f"{member},sha256={digest},{len(text)}\n"
    members[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n"
    path = folder / f"{stem}-{version}-{tag}.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for member, text in members.items():
            wheel.writestr(zipfile.ZipInfo(member), text)
    return path


class Shelf:
    """A source that gives the files of a folder and remembers what it was asked for."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder
        self.asked: list[str] = []

    def fetch(self, pinned: Pinned, into: Path) -> None:
        self.asked.append(pinned.file_name)
        file = self.folder / pinned.file_name
        if not file.exists():
            raise SourceError("it is not on the shelf")
        (into / pinned.file_name).write_bytes(file.read_bytes())

    def close(self) -> None:
        pass


@dataclass
class Heard:
    """A report that keeps what it is told."""

    lines: list[tuple[str, ...]] = field(default_factory=list)

    def asking(self, file_name: str, source: str) -> None:
        self.lines.append(("asking", file_name, source))

    def refused(self, file_name: str, source: str, reason: str) -> None:
        self.lines.append(("refused", file_name, source, reason))

    def placed(self, file_name: str, size: int, origin: str) -> None:
        self.lines.append(("placed", file_name, str(size), origin))


class Workshop:
    """A made-up world: a shelf for each source, a project, a manifest, and folders to lay out in."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.out = base / "out"
        self.cache = base / "cache"
        self.project = base / "project"
        self.heard = Heard()
        self.shelves = {name: Shelf(name, base / name) for name in ("cdn", "npm", "pypi", "carrier")}
        for shelf in self.shelves.values():
            shelf.folder.mkdir()
        self.files: list[tuple[str, Pinned]] = []

        numpy = make_wheel(base / "carrier", "numpy", "2.4.3")
        self.core_packages = {"numpy": self.entry("numpy", numpy), "unused": self.entry("unused", numpy)}
        for name, text in (("pyodide.mjs", "export {}"), ("python_stdlib.zip", "library")):
            (base / "npm" / name).write_text(text)
            self.pin("core", "pyodide", "1.0", base / "npm" / name, ["npm"])
        self.write_core_lock()
        self.pin("wheel", "numpy", "2.4.3", numpy, ["cdn", "carrier"])
        game = make_wheel(base / "pypi", "game", "1.2", requires=["numpy>=2", "windows-only; os_name == 'nt'"])
        self.pin("wheel", "game", "1.2", game, ["pypi"])
        self.write_project("first")

    def entry(self, name: str, wheel: Path, depends: Sequence[str] = ()) -> dict[str, object]:
        """An entry of the core's own lock file."""
        return {
            "depends": [*depends],
            "file_name": wheel.name,
            "imports": [name],
            "install_dir": "site",
            "name": name,
            "package_type": "package",
            "sha256": sha256(wheel),
            "unvendored_tests": False,
            "version": wheel.name.split("-")[1],
        }

    def pin(self, kind: str, name: str, version: str, path: Path, sources: Sequence[str]) -> None:
        """Pins a file as it is now, in place of an earlier pin of that file name."""
        pinned = Pinned(name, version, path.name, sha256(path), tuple(sources))
        self.files = [one for one in self.files if one[1].file_name != path.name] + [(kind, pinned)]

    def unpin(self, name: str) -> None:
        """Takes a package out of the manifest."""
        self.files = [one for one in self.files if one[1].name != name]

    def write_core_lock(self) -> None:
        """Writes and pins the core's own lock file."""
        path = self.base / "npm" / "pyodide-lock.json"
        path.write_text(json.dumps({"info": INFO, "packages": self.core_packages}))
        self.pin("core", "pyodide", "1.0", path, ["npm"])

    def write_project(self, says: str) -> None:
        """Writes the made-up project, whose one module holds the text `says`."""
        package = self.project / "pyodide_runtime"
        package.mkdir(parents=True, exist_ok=True)
        (package / "__init__.py").write_text(f"says = {says!r}\n")
        (self.project / "pyproject.toml").write_text(
            '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
            '[project]\nname = "pyodide-runtime"\nversion = "0.1.0"\nrequires-python = ">=3.11"\n'
        )

    def manifest(self) -> Manifest:
        """The manifest of all that is pinned, by way of its file."""
        tables = ['[pyodide]\nversion = "1.0"\ncdn = "http://127.0.0.1:1/"\n']
        tables.append(
            '[carrier]\nname = "carrier"\nversion = "1"\nfile_name = "carrier-1-py3-none-any.whl"\n'
            f'sha256 = "{"0" * 64}"\nfolder = "inside"\n'
        )
        for kind, pinned in self.files:
            fields: Mapping[str, object] = {
                "file_name": pinned.file_name,
                "sha256": pinned.sha256,
                "sources": [*pinned.sources],
                **({"name": pinned.name, "version": pinned.version} if kind == "wheel" else {}),
            }
            tables.append(f"[[{kind}]]\n" + "".join(f"{key} = {json.dumps(fields[key])}\n" for key in fields))
        path = self.base / "manifest.toml"
        path.write_text("\n".join(tables))
        return read_manifest(path)

    def lay_out(self) -> LaidOut:
        """Lays out what is pinned now."""
        return lay_out(
            self.manifest(),
            out=self.out,
            cache=self.cache,
            sources=self.shelves,
            report=self.heard,
            root=self.project,
        )

    def lock(self) -> dict[str, dict[str, object]]:
        """The packages of the lock file that was laid out."""
        content = json.loads((self.out / "pyodide-lock.json").read_text())
        packages: dict[str, dict[str, object]] = content["packages"]
        return packages

    def asked(self) -> list[str]:
        """All that any source was asked for since this was last called."""
        asked = [name for shelf in self.shelves.values() for name in shelf.asked]
        for shelf in self.shelves.values():
            shelf.asked.clear()
        return asked

    def state(self) -> dict[str, tuple[int, str]]:
        """The folder's files: time of change in ns, and hash."""
        return {path.name: (path.stat().st_mtime_ns, sha256(path)) for path in sorted(self.out.iterdir())}

"""Makes memory images: Python with packages imported, as a browser can go on from. See `js_bridge/worker/image.js`.

An image is made of the wheels that were laid out, by Pyodide itself under Node, with compiled code beside their sources.
What was made once is kept in the cache by the hashes of all that it was made of. `images.json` names the images of a
folder, with their hashes; a folder without images is as good as one with them, only slower to start.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from wheels.errors import ImageError
from wheels.lock import LOCK_NAME
from wheels.manifest import ImagePlan
from wheels.own import ROOT
from wheels.sources import hash_of

IMAGES_NAME = "images.json"

OWN_PACKAGE = "pyodide-runtime"

_COMPILER = ROOT / "wheels" / "bytecode.py"
_NODE = ROOT / "js_bridge" / "node"
_MAKERS = (_NODE / "image.mjs", _NODE / "loading.mjs", _NODE / "run.mjs")
_BRIDGE = (ROOT / "js_bridge" / "worker" / "image.js", ROOT / "js_bridge" / "worker" / "loading.js")
_CORE = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip")
_AT_ONCE = 2

Say = Callable[[str], None]


def make_images(out: Path, *, plans: Sequence[ImagePlan], cache: Path, say: Say) -> list[str]:
    """Makes the images of a laid-out folder, and `images.json`, and gives the names of the files that are new.

    Without Node no image can be made; then there are none, and `say` is told so. Images of an earlier layout are removed.
    Raises ImageError if one cannot be made.
    """
    packages: dict[str, dict[str, Any]] = {
        canonicalize_name(name): entry
        for name, entry in json.loads((out / LOCK_NAME).read_text(encoding="utf-8"))["packages"].items()
    }
    if plans and shutil.which("node") is None:
        say("Node is not installed: no memory images are made, and pages take longer to start")
        plans = ()
    core = {name: hash_of(out / name) for name in _CORE if plans}
    stacks = [_stack(plan, packages) for plan in plans]
    compiled = _compile({name for stack in stacks for name in stack}, packages, out, core, cache, say)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        made = [
            pool.submit(_make, plan, {name: compiled[name] for name in stack}, out, core, cache, say)
            for plan, stack in zip(plans, stacks, strict=True)
        ]
        images = [future.result() for future in made]
    return _place(out, images, {name: str(entry["sha256"]) for name, entry in packages.items()})


@dataclass(frozen=True)
class _Made:
    """An image in the cache, with the entry of `images.json` without its packages."""

    path: Path
    entry: dict[str, Any]
    packages: Collection[str]


def _stack(plan: ImagePlan, packages: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The packages of a plan with all that they depend on, and the project's own, by canonical name."""
    found: set[str] = set()
    wanted = [OWN_PACKAGE, *plan.packages]
    while wanted:
        name = canonicalize_name(wanted.pop())
        if name not in packages:
            raise ImageError(f"the image {plan.name} needs the package {name}, which the lock does not name")
        if name not in found:
            found.add(name)
            wanted += packages[name]["depends"]
    return sorted(found)


def _compile(
    names: Collection[str], packages: Mapping[str, Mapping[str, Any]], out: Path, core: Mapping[str, str], cache: Path, say: Say
) -> dict[str, Path]:
    """The wheels of these packages with compiled code, in the cache."""
    compiled: dict[str, Path] = {}
    todo: list[tuple[Path, Path]] = []
    for name in sorted(names):
        entry = packages[name]
        key = _key(core, {"wheel": entry["sha256"], "compiler": hash_of(_COMPILER)})
        compiled[name] = cache / key / str(entry["file_name"])
        if not compiled[name].is_file():
            todo.append((out / str(entry["file_name"]), compiled[name]))
    if not todo:
        return compiled
    say(f"compiling {', '.join(source.name.split('-')[0] for source, _ in todo)} for Pyodide's Python")
    with tempfile.TemporaryDirectory(prefix="compiled-") as folder:
        pairs = [(source.resolve(), Path(folder, source.name)) for source, _ in todo]
        command = [str(path) for pair in pairs for path in pair]
        _node("run.mjs", "--dist", str(out.resolve()), "--bare", str(_COMPILER), _site_packages(out), *command)
        for (_, made), (_, target) in zip(pairs, todo, strict=True):
            _keep(made, target)
    return compiled


def _make(plan: ImagePlan, wheels: Mapping[str, Path], out: Path, core: Mapping[str, str], cache: Path, say: Say) -> _Made:
    parts = {name: hash_of(path) for name, path in wheels.items()}
    makers = {str(path.name): hash_of(path) for path in (*_MAKERS, *_BRIDGE)}
    target = cache / _key(core, parts, makers, {"imports": ",".join(plan.imports)}) / f"{plan.name}.image"
    about = target.with_suffix(".json")
    if not (target.is_file() and about.is_file()):
        say(f"making the memory image {plan.name}")
        with tempfile.TemporaryDirectory(prefix="image-") as folder:
            site, made = Path(folder, "site"), Path(folder, target.name)
            for wheel in wheels.values():
                with zipfile.ZipFile(wheel) as archive:
                    archive.extractall(site)
            modules = ",".join(plan.imports)
            told = _node("image.mjs", "--dist", str(out.resolve()), "--site", str(site), "--import", modules, "--out", str(made))
            Path(folder, about.name).write_text(told.splitlines()[-1], encoding="utf-8")
            _keep(made, target)
            _keep(Path(folder, about.name), about)
    entry = json.loads(about.read_text(encoding="utf-8"))
    return _Made(target, {"name": plan.name, "file": f"{plan.name}-{entry['sha256'][:12]}.image", **entry}, list(wheels))


def check_images(out: Path) -> list[str]:
    """Proves that the images of a laid-out folder are what `images.json` says, and gives their names.

    Each is there with its hash, and was made of the wheels that the lock names. A folder without `images.json` has none. Raises
    ImageError with the first that is wrong.
    """
    index = out / IMAGES_NAME
    if not index.is_file():
        return []
    packages = json.loads((out / LOCK_NAME).read_text(encoding="utf-8"))["packages"]
    hashes = {canonicalize_name(name): entry["sha256"] for name, entry in packages.items()}
    images = json.loads(index.read_text(encoding="utf-8"))["images"]
    again = "; `python -m wheels lay-out` makes it again"
    for image in images:
        file = out / image["file"]
        if not file.is_file():
            raise ImageError(f"the memory image {image['name']}: {image['file']} is missing{again}")
        if hash_of(file) != image["sha256"]:
            raise ImageError(f"the memory image {image['name']}: {image['file']} has another hash than its entry{again}")
        for name, sha256 in image["packages"].items():
            if hashes.get(name) != sha256:
                raise ImageError(f"the memory image {image['name']} was made of another wheel of {name} than the lock names{again}")
    return [str(image["name"]) for image in images]


def _place(out: Path, images: Sequence[_Made], hashes: Mapping[str, str]) -> list[str]:
    new: list[str] = []
    for image in images:
        file = out / image.entry["file"]
        if not (file.is_file() and hash_of(file) == image.entry["sha256"]):
            _keep(image.path, file)
            new.append(file.name)
    for file in out.glob("*.image"):
        if file.name not in {image.entry["file"] for image in images}:
            file.unlink()
    index = out / IMAGES_NAME
    if not images:
        index.unlink(missing_ok=True)
        return new
    listed = [{**image.entry, "packages": {name: hashes[name] for name in image.packages}} for image in images]
    text = json.dumps({"images": listed}, indent=1, sort_keys=True) + "\n"
    if not index.is_file() or index.read_text(encoding="utf-8") != text:
        with tempfile.TemporaryDirectory(prefix=".new-", dir=out) as folder:
            Path(folder, IMAGES_NAME).write_text(text, encoding="utf-8")
            os.replace(Path(folder, IMAGES_NAME), index)
        new.append(IMAGES_NAME)
    return new


def _site_packages(out: Path) -> str:
    python = str(json.loads((out / LOCK_NAME).read_text(encoding="utf-8"))["info"]["python"])
    return f"/lib/python{'.'.join(python.split('.')[:2])}/site-packages"


def _key(*parts: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode("utf-8")).hexdigest()


def _keep(made: Path, target: Path) -> None:
    """Copies a file to where it is to be, whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=target.parent) as folder:
        os.replace(shutil.copyfile(made, Path(folder, target.name)), target)


def _node(script: str, *arguments: str) -> str:
    """What a script of the bridge prints. Raises ImageError with its last words if it fails."""
    command = ["node", str(_NODE / script), *arguments]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode != 0:
        words = (done.stderr or done.stdout).strip().splitlines()[-8:]
        raise ImageError(f"{script} failed:\n  " + "\n  ".join(line[:300] for line in words))
    return done.stdout

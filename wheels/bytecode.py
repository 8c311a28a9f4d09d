"""Puts compiled code beside the sources of a wheel, so that whoever imports it need not compile: `repack`.

It is run as a script by the very Python that is to read the code, Pyodide's own under Node, and so imports nothing
of this package: `python bytecode.py FOLDER WHEEL TARGET [WHEEL TARGET ...]`. Sources stay where they are, for tracebacks
and for packages that read their own. What is compiled is trusted without a look at its source ("unchecked"): both
come from one wheel, whose hash the lock names. The same wheel gives the same bytes each time.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import sys
import zipfile
from importlib import _bootstrap_external
from pathlib import Path, PurePosixPath
from typing import Any


def repack(wheel: Path, target: Path, folder: str) -> int:
    """Writes `wheel` to `target` with compiled code for this Python, and says how many modules were compiled.

    `folder` is where the wheel will be installed: tracebacks name the sources by it. What does not compile, such as a
    template, is left a source. Code that is compiled already is left out and made anew.
    """
    compiled = 0
    with zipfile.ZipFile(wheel) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as written:
        added: list[str] = []
        record: zipfile.ZipInfo | None = None
        for member in sorted(source.infolist(), key=lambda member: member.filename):
            if member.is_dir() or member.filename.endswith(".pyc"):
                continue
            if member.filename.endswith(".dist-info/RECORD"):
                record = member
                continue
            content = source.read(member)
            written.writestr(_entry(member.filename, member), content, compresslevel=9)
            code = _compiled(member.filename, content, folder) if member.filename.endswith(".py") else None
            if code is not None:
                name = _cached(member.filename)
                written.writestr(_entry(name, member), code, compresslevel=9)
                added.append(f"{name},sha256={_digest(code)},{len(code)}\n")
                compiled += 1
        if record is not None:
            lines = source.read(record).decode("utf-8").splitlines(keepends=True)
            kept = [line for line in lines if ".pyc," not in line]
            written.writestr(_entry(record.filename, record), "".join([*kept, *added]), compresslevel=9)
    return compiled


_code_to_hash_pyc: Any = vars(_bootstrap_external)["_code_to_hash_pyc"]
"""What `py_compile` itself calls; it takes a file, and there is none here."""


def _compiled(name: str, source: bytes, folder: str) -> bytes | None:
    try:
        code = compile(source, f"{folder}/{name}", "exec", dont_inherit=True, optimize=0)
    except (SyntaxError, ValueError):
        return None
    unchecked: bytes = _code_to_hash_pyc(code, importlib.util.source_hash(source), False)
    return bytes(unchecked)


def _cached(name: str) -> str:
    path = PurePosixPath(name)
    return str(path.parent / "__pycache__" / f"{path.stem}.{sys.implementation.cache_tag}.pyc")


def _entry(name: str, like: zipfile.ZipInfo) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, like.date_time)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = like.external_attr or 0o644 << 16
    entry.create_system = 3
    return entry


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode("ascii")


if __name__ == "__main__":
    folder, *files = sys.argv[1:]
    for wheel, target in zip(files[::2], files[1::2], strict=True):
        repack(Path(wheel), Path(target), folder)

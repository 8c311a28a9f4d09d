"""The files of a bundle before they are written: where each goes, to which part it belongs, and its bytes.

A part lies in a folder that is named after its contents, so that no cache between a host and a browser can mix the files of two
bundles. This module knows nothing of what the files are for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

__all__ = ["Piece", "named_by_contents", "sha256_of"]

_NAME_DIGITS = 12


@dataclass(frozen=True)
class Piece:
    """One file.

    Attributes:
        path: below the bundle's folder, parted by "/".
        part: what it belongs to, for people: "packages".
        content: its bytes.
    """

    path: str
    part: str
    content: bytes

    @property
    def sha256(self) -> str:
        """Of the bytes, in hex."""
        return sha256_of(self.content)


def sha256_of(content: bytes) -> str:
    """The sha256 of some bytes, in hex."""
    return hashlib.sha256(content).hexdigest()


def named_by_contents(folder: str, pieces: Iterable[Piece]) -> tuple[str, list[Piece]]:
    """A folder's name that says what is in it, and the pieces below it, sorted by path.

    Args:
        folder: how the name begins, such as "bridge".
        pieces: with paths below the folder.
    """
    ordered = sorted(pieces, key=lambda piece: piece.path)
    told = "".join(f"{piece.path}\0{piece.sha256}\n" for piece in ordered)
    name = f"{folder}-{sha256_of(told.encode())[:_NAME_DIGITS]}"
    return name, [replace(piece, path=f"{name}/{piece.path}") for piece in ordered]

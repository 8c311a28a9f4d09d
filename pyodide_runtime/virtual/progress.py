"""How far a long run of matches is, for people who wait: a bar on a terminal, a line now and then anywhere else."""

from __future__ import annotations

from typing import TextIO

__all__ = ["Progress"]

WIDTH = 30
#: Where there is no terminal, it is said so many times.
LINES = 10


class Progress:
    """A progress bar.

    Args:
        total: what there is to do.
        out: where it is shown.
    """

    def __init__(self, total: int, out: TextIO) -> None:
        self._total = total
        self._out = out
        self._terminal = out.isatty()
        self._said = 0
        self._width = 0

    def show(self, done: int, text: str) -> None:
        """So much is done; `text` says more."""
        share = min(done / self._total, 1.0)
        line = f"[{'#' * int(share * WIDTH):.<{WIDTH}}] {done} of {self._total} {text}"
        if self._terminal:
            self._out.write("\r" + line.ljust(self._width))
            self._width = len(line)
        elif (tenths := int(share * LINES)) > self._said:
            self._said = tenths
            self._out.write(line + "\n")
        self._out.flush()

    def clear(self) -> None:
        """Make room for something else on the terminal; what is shown next begins anew."""
        if self._terminal and self._width:
            self._out.write("\r" + " " * self._width + "\r")
            self._out.flush()
            self._width = 0

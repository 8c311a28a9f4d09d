"""What the graph must refuse, passed over in tests that draw environments at random."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hypothesis import reject

import pyodide_runtime as pr

__all__ = ["refusals_passed_over"]


@contextmanager
def refusals_passed_over() -> Iterator[None]:
    """Within it, a drawn case ends where something stands in a tuple that can be brought back only by a copy in its place.

    The graph says so, and what to do; all else that it says is a failure.
    """
    try:
        yield
    except (pr.SnapshotError, pr.BatchError) as error:
        cause = error.cause if isinstance(error, pr.BatchError) else error
        if not isinstance(cause, pr.SnapshotError) or "hold it in an attribute" not in str(cause):
            raise
        reject()

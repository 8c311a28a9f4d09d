"""What tests of checkpoints are made of: an object with any attributes, and the law that a change is undone and done again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from unittest import mock

from pyodide_runtime.snapshots import graph, livening
from pyodide_runtime.snapshots.graph import Checkpointer
from tests.core.dumper import dump

__all__ = ["Thing", "in_turn", "lively_at_once", "there_and_back"]


class Thing:
    def __init__(self, **attributes: Any) -> None:
        vars(self).update(attributes)

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

        def __setattr__(self, name: str, value: Any) -> None: ...


def there_and_back(root: Any, change: Callable[[], Any]) -> None:
    """Law: a change, whatever it is, is undone and done again by going to the checkpoints before and after it."""
    checkpointer = Checkpointer([root])
    before, seen_before = checkpointer.save(), dump(root)
    change()
    after, seen_after = checkpointer.save(), dump(root)
    assert seen_before != seen_after, "the change must change something"
    for _ in range(2):
        checkpointer.restore(before)
        assert dump(root) == seen_before
        checkpointer.restore(after)
        assert dump(root) == seen_after
    checkpointer.restore(before)
    again = checkpointer.save()
    change()
    checkpointer.restore(again)
    assert dump(root) == seen_before


def in_turn(*changes: Callable[[], Any]) -> None:
    for change in changes:
        change()


@contextmanager
def lively_at_once() -> Iterator[None]:
    """Whatever changes is lively from the next save on, instead of after many."""
    with mock.patch.multiple(graph, SOON=1, LATE=1, FEW=0), mock.patch.object(livening, "OFTEN", 1):
        yield

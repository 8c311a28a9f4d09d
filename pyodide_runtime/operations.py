"""The operations of a batch: what they are, and how JSON-like mappings are read as such.

Nothing here is carried out, and nothing is known of simulations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Any, ClassVar

from .errors import OperationError

__all__ = ["Actions", "Operation", "Reset", "Restore", "Rollback", "Snapshot", "Step", "name_of", "operation_of"]

#: An action of every player: a mapping from player to action, or the canonical bytes in the order of players. Where the
#: partner policy is to play, `PARTNER`; in a mapping also None (null), unless None is an action, as where turns are taken.
Actions = Mapping[Any, Any] | tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Reset:
    """Begin an episode at frame 0; all snapshots and rows of the one before are dropped.

    `seed` None repeats the seed of the episode before.
    """

    op: ClassVar[str] = "reset"
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """Simulate one frame with an action of every player.

    Snapshots of later frames, of another course of events, are dropped.
    """

    op: ClassVar[str] = "step"
    actions: Actions


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Hold the state at the beginning of the current frame."""

    op: ClassVar[str] = "snapshot"


@dataclass(frozen=True, slots=True)
class Restore:
    """Go back (or forth) to a frame whose snapshot is held."""

    op: ClassVar[str] = "restore"
    frame: int


@dataclass(frozen=True, slots=True)
class Rollback:
    """Restore `frame`, replay `actions` from it, and save again every frame on the way that held a snapshot.

    Snapshots beyond the last replayed frame are dropped. With `stop_at_end`, actions beyond the end of the episode are
    left over instead of being an error; with `save_all`, every frame on the way is saved.
    """

    op: ClassVar[str] = "rollback"
    frame: int
    actions: Sequence[Actions]
    stop_at_end: bool = False
    save_all: bool = False


Operation = Reset | Step | Snapshot | Restore | Rollback
#: Whatever such an object holds, the simulation itself judges it.
_READY = {Reset, Step, Snapshot, Restore}
_OPERATIONS: dict[str, type[Any]] = {kind.op: kind for kind in (Reset, Step, Snapshot, Restore, Rollback)}


def name_of(item: Any) -> str:
    """What an item of a batch calls itself, for an error."""
    name = item.get("op", "?") if isinstance(item, Mapping) else getattr(item, "op", type(item).__name__)
    return str(name)


def operation_of(item: Any) -> Operation:
    """The operation that an object or a JSON-like mapping stands for.

    Raises:
        OperationError: it stands for none, or a field of it is unknown, missing, or of the wrong type.
    """
    if type(item) in _READY:
        ready: Operation = item
        return ready
    if isinstance(item, Rollback):
        return _checked(item)
    if isinstance(item, Operation):
        return item
    if not isinstance(item, Mapping):
        raise OperationError(f"{item!r} is not an operation; give Reset, Step, Snapshot, Restore, Rollback or a mapping with 'op'")
    name = item.get("op")
    kind = _OPERATIONS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise OperationError(f"there is no operation {name!r}; known are {', '.join(_OPERATIONS)}")
    known = {field.name: field for field in fields(kind)}
    values = {key: value for key, value in item.items() if key != "op"}
    for key in values:
        if key not in known:
            raise OperationError(f"operation {kind.op!r} has no field {key!r}; it has {', '.join(known) or 'none'}")
    for key, field in known.items():
        if field.default is MISSING and key not in values:
            raise OperationError(f"operation {kind.op!r} needs the field {key!r}")
    operation: Operation = kind(**values)
    return _checked(operation) if isinstance(operation, Rollback) else operation


def _checked(operation: Rollback) -> Rollback:
    actions = operation.actions
    if type(actions) is not list and (isinstance(actions, str | bytes | Mapping) or not isinstance(actions, Sequence)):
        raise OperationError("the actions of a rollback are a list with one mapping a frame")
    for name in ("stop_at_end", "save_all"):
        if type(getattr(operation, name)) is not bool:
            raise OperationError(f"{name}={getattr(operation, name)!r} of a rollback is neither true nor false")
    return operation

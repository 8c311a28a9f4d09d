"""Every error that this package raises on purpose, each with a type of its own.

A caller can tell by the type what went wrong and by the message what to do. Nothing here knows of environments,
networks or browsers. An operation that raises one of these has changed nothing.
"""

from __future__ import annotations

from typing import Any


class PyodideRuntimeError(Exception):
    """Base of all errors raised on purpose by pyodide_runtime."""


class ExperimentError(PyodideRuntimeError):
    """An experiment file, or a setting in it, is wrong.

    Attributes:
        file: the file that holds the mistake, or None where it has no file.
        line: the line in that file, counted from 1, or None.
    """

    def __init__(self, message: str, *, file: str | None = None, line: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.file = file
        self.line = line

    def __str__(self) -> str:
        where = "" if self.file is None else self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{where}: {self.message}" if where else self.message


class RequirementError(PyodideRuntimeError):
    """A package that an experiment requires cannot be had; the message names the requirement and says why."""


class EnvironmentNotSupported(PyodideRuntimeError):
    """The object given is not an environment of a kind that can be adapted; the message says what it lacks."""


class ActionError(PyodideRuntimeError):
    """An action lies outside its space, or bytes do not decode to an action of the space."""


class UnknownPlayer(PyodideRuntimeError):
    """A player was named whom the environment does not have."""


class EpisodeEnded(PyodideRuntimeError):
    """A step was asked for at or past the end of the episode."""


class FrameNotHeld(PyodideRuntimeError):
    """A snapshot was asked for of a frame whose snapshot is not, or no longer, held."""


class NotReset(PyodideRuntimeError):
    """A step or a snapshot was asked for before the first reset."""


class SnapshotError(PyodideRuntimeError):
    """The state holds something that none of the ways of taking a snapshot can bring back; the message names it."""


class EnvironmentFailed(PyodideRuntimeError):
    """The environment itself raised; the original exception is the cause.

    Attributes:
        frame: the frame that was being simulated, or None if it was a reset.
    """

    def __init__(self, message: str, frame: int | None = None) -> None:
        super().__init__(message)
        self.frame = frame


class PartnerFailed(EnvironmentFailed):
    """The partner policy raised (the original exception is the cause), or returned what is no action of the player.

    Attributes:
        frame: the frame that was being simulated.
        player: the player for whom it played.
        policy: the policy's name.
    """

    def __init__(self, message: str, frame: int, player: str, policy: str) -> None:
        super().__init__(message, frame)
        self.player = player
        self.policy = policy


class OperationError(PyodideRuntimeError):
    """An operation of a batch is malformed: unknown name, missing or superfluous field, wrong type."""


class BatchError(PyodideRuntimeError):
    """Operation `index` of a batch failed; the state is what it was before the batch.

    Attributes:
        index: place of the operation in the list, from 0.
        operation: its name, such as "step".
        cause: the typed error it failed with (also `__cause__`).
    """

    def __init__(self, index: int, operation: str, cause: PyodideRuntimeError) -> None:
        super().__init__(f"operation {index} ({operation}): {type(cause).__name__}: {cause}")
        self.index = index
        self.operation = operation
        self.cause = cause


class WireError(PyodideRuntimeError):
    """A packet is not one of ours: too short, too long, of another version, or inconsistent."""


class SessionError(PyodideRuntimeError):
    """A session was used in a way that its state does not allow, or made with settings that cannot work."""


class NotDeterministic(PyodideRuntimeError):
    """An environment came to another state, or another row, with the same seed and the same actions.

    Attributes:
        difference: a `SyncDifference`: what came to something else, at which frame and path, and both values.
    """

    def __init__(self, message: str, difference: Any) -> None:
        super().__init__(message)
        self.difference = difference


class MatchStuck(PyodideRuntimeError):
    """A virtual match was not over within the time that it was given; the message says where each host stood."""


class ScheduleError(PyodideRuntimeError):
    """A schedule of a virtual match cannot be read."""


class RecordError(PyodideRuntimeError):
    """A record file cannot be read, or does not hold what a re-run needs."""


class DrawingError(PyodideRuntimeError):
    """What `draw` returned is neither a picture nor a list of shapes."""


class BundleError(PyodideRuntimeError):
    """A static bundle cannot be made, or is not as it was made; the message names each file and says what to do."""

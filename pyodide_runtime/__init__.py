"""Run Gymnasium and PettingZoo environments in the browser, together, over a bad line, with equal data for all.

This module holds the public names and nothing else.
"""

from __future__ import annotations

from . import compat as _compat
from .batch import Runtime
from .environment import Environment, Transition, adapt
from .errors import (
    ActionError,
    BatchError,
    DrawingError,
    EnvironmentFailed,
    EnvironmentNotSupported,
    EpisodeEnded,
    ExperimentError,
    FrameNotHeld,
    NotReset,
    OperationError,
    PyodideRuntimeError,
    RecordError,
    RequirementError,
    SessionError,
    SnapshotError,
    UnknownPlayer,
    WireError,
)
from .experiment import Experiment
from .match import Match, MatchSettings, Outcome
from .network.virtual import NetworkConditions
from .operations import Reset, Restore, Rollback, Snapshot, Step
from .simulation import Simulation
from .snapshots.ways import SnapshotWay

__version__ = "0.1.0"

__all__ = [
    "ActionError",
    "BatchError",
    "DrawingError",
    "Environment",
    "EnvironmentFailed",
    "EnvironmentNotSupported",
    "EpisodeEnded",
    "Experiment",
    "ExperimentError",
    "FrameNotHeld",
    "Match",
    "MatchSettings",
    "NetworkConditions",
    "NotReset",
    "OperationError",
    "Outcome",
    "PyodideRuntimeError",
    "RecordError",
    "RequirementError",
    "Reset",
    "Restore",
    "Rollback",
    "Runtime",
    "SessionError",
    "Simulation",
    "Snapshot",
    "SnapshotError",
    "SnapshotWay",
    "Step",
    "Transition",
    "UnknownPlayer",
    "WireError",
    "adapt",
]

_compat.install()

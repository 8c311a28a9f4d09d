"""Run Gymnasium and PettingZoo environments in the browser, together, over a bad line, with equal data for all.

This module holds the public names and nothing else. Those of tools that no browser needs are imported when they are
asked for: in a browser every module is compiled anew in every page.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from . import compat as _compat
from .actions import PARTNER
from .batch import Runtime
from .drops import OnDrop
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
    MatchStuck,
    NotDeterministic,
    NotReset,
    OperationError,
    PartnerFailed,
    PyodideRuntimeError,
    RecordError,
    RequirementError,
    ScheduleError,
    SessionError,
    SnapshotError,
    UnknownPlayer,
    WireError,
)
from .experiment import Experiment
from .operations import Reset, Restore, Rollback, Snapshot, Step
from .playing.match import Match
from .rollback.delay import InputDelay
from .settings import MatchSettings, Outcome
from .simulation import Simulation
from .snapshots.ways import SnapshotWay

if TYPE_CHECKING:
    from .network.virtual import NetworkConditions, Partition
    from .rollback.synctest import SyncDifference, SyncFault, SyncReport, sync_test
    from .virtual.report import PeerReport, SimulationReport
    from .virtual.scenario import Clock, Departure, Freeze
    from .virtual.schedule import Schedule
    from .virtual.shrinking import shrink
    from .virtual.simulate import replay, simulate

__version__ = "0.1.0"

__all__ = [
    "PARTNER",
    "ActionError",
    "BatchError",
    "Clock",
    "Departure",
    "DrawingError",
    "Environment",
    "EnvironmentFailed",
    "EnvironmentNotSupported",
    "EpisodeEnded",
    "Experiment",
    "ExperimentError",
    "FrameNotHeld",
    "Freeze",
    "InputDelay",
    "Match",
    "MatchSettings",
    "MatchStuck",
    "NetworkConditions",
    "NotDeterministic",
    "NotReset",
    "OnDrop",
    "OperationError",
    "Outcome",
    "Partition",
    "PartnerFailed",
    "PeerReport",
    "PyodideRuntimeError",
    "RecordError",
    "RequirementError",
    "Reset",
    "Restore",
    "Rollback",
    "Runtime",
    "Schedule",
    "ScheduleError",
    "SessionError",
    "Simulation",
    "SimulationReport",
    "Snapshot",
    "SnapshotError",
    "SnapshotWay",
    "Step",
    "SyncDifference",
    "SyncFault",
    "SyncReport",
    "Transition",
    "UnknownPlayer",
    "WireError",
    "adapt",
    "replay",
    "shrink",
    "simulate",
    "sync_test",
]

_LATE = {
    "Clock": "virtual.scenario",
    "Departure": "virtual.scenario",
    "Freeze": "virtual.scenario",
    "NetworkConditions": "network.virtual",
    "Partition": "network.virtual",
    "PeerReport": "virtual.report",
    "Schedule": "virtual.schedule",
    "SimulationReport": "virtual.report",
    "SyncDifference": "rollback.synctest",
    "SyncFault": "rollback.synctest",
    "SyncReport": "rollback.synctest",
    "replay": "virtual.simulate",
    "shrink": "virtual.shrinking",
    "simulate": "virtual.simulate",
    "sync_test": "rollback.synctest",
}


def __getattr__(name: str) -> Any:
    """A public name that is imported only now."""
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_LATE[name]}", __name__), name)


_compat.install()

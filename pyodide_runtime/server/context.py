"""What the parts of the server share: its options, the experiment, the rooms and the storage.

Made once, by `app`; routes get it handed in. This module holds no behaviour.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pyodide_runtime.server.experiment_file import ExperimentFile
from pyodide_runtime.server.room import Report
from pyodide_runtime.server.rooms import Rooms
from pyodide_runtime.server.storage import Storage


def print_line(text: str) -> None:
    """Print a line in the terminal at once."""
    print(text, file=sys.stderr, flush=True)


@dataclass(frozen=True, kw_only=True)
class ServerOptions:
    """How a server is to run.

    Attributes:
        experiment_file: the experiment to serve.
        data: the folder for sessions.
        distribution: the laid-out folder with Pyodide and the wheels, served as `/pyodide/`.
        bridge: the folder with the page and its modules, served as `/bridge/`.
        allowed_origins: origins of pages elsewhere that may join and upload, as browsers write them.
        socket_delay_ms: milliseconds by which each WebSocket message comes late, both ways; for tests.
        ice_servers: `RTCIceServer` objects for the pages, as JSON values, besides the experiment's own.
        ice_transport_policy: "all" or "relay", in place of the experiment's own; None leaves it that.
        report: prints a line in the terminal.
    """

    experiment_file: Path
    data: Path
    distribution: Path
    bridge: Path
    allowed_origins: list[str] = field(default_factory=list)
    socket_delay_ms: float = 0
    ice_servers: list[dict[str, Any]] = field(default_factory=list)
    ice_transport_policy: str | None = None
    report: Report = print_line


@dataclass(frozen=True)
class Context:
    """What the routes work with."""

    options: ServerOptions
    experiment_file: ExperimentFile
    storage: Storage
    rooms: Rooms


def make_context(options: ServerOptions) -> Context:
    """The parts of a server. Raises StorageFailed if the data folder cannot be used.

    Sessions that an earlier server left unfinished get the outcome "left" for every player without one.
    """
    experiment_file = ExperimentFile(options.experiment_file, options.ice_servers, options.ice_transport_policy)
    storage = Storage(options.data)
    storage.conclude_all("left", "the server was stopped before the player's outcome came")
    return Context(options, experiment_file, storage, Rooms(experiment_file, storage, options.report))

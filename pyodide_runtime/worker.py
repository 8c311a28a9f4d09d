"""The few functions that the bridge calls, in the worker. All that they do is hand over to a `Participant`.

This is the one module that knows that its caller is JavaScript: buffers come in as proxies and go out as typed arrays.
"""

from __future__ import annotations

import importlib
import json
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from . import compat, requirements
from .errors import ExperimentError, SessionError
from .experiment import Experiment
from .participant import Participant
from .rows import to_csv
from .tidying import Tidying
from .uploads import read_rows

__all__ = ["export", "load_experiment", "open", "plan_requirements", "start", "tick"]

#: Where the experiment's files are written.
FOLDER = Path("/home/pyodide/experiment")

#: An outbox that says nothing but when to tick next.
NOTHING_TO_SAY = struct.calcsize("<d")

_participant: Participant | None = None
#: Garbage is collected by rule in a worker, where nothing but the match goes on.
_tidying = Tidying() if compat.IN_PYODIDE else None


def plan_requirements(requirements_json: str, lock_json: str) -> str:
    """JSON {"load": [names], "install": [requirements]}: see `requirements.plan`."""
    return json.dumps(requirements.plan(json.loads(requirements_json), json.loads(lock_json)["packages"]))


def load_experiment(source: dict[str, Any], folder: Path = FOLDER) -> Experiment:
    """Write an experiment's files into a folder, import its module, and return its `experiment`.

    Args:
        source: `files` (relative path to text) and `module` (name of the one that sets `experiment`).

    Raises:
        ExperimentError: a path leads out of the folder, or the module sets no `experiment`. What the module raises
        is passed on.
    """
    home = folder.resolve()
    paths = {name: (home / name).resolve() for name in source["files"]}
    for name, path in paths.items():
        if home not in path.parents:
            raise ExperimentError(f"the file {name!r} lies outside the experiment's folder")
    for name, path in paths.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source["files"][name], encoding="utf-8")
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    module = importlib.import_module(source["module"])
    experiment = getattr(module, "experiment", None)
    if not isinstance(experiment, Experiment):
        raise ExperimentError("the file sets no `experiment = pr.Experiment(...)`", file=f"{source['module']}.py")
    return experiment


def open(config_json: str) -> str:
    """Load the experiment and make its environment; JSON of what the page needs to know (`Participant.about`)."""
    global _participant
    source = json.loads(config_json)["experiment"]
    _participant = Participant(load_experiment(source), source)
    if _tidying is not None:
        _tidying.settle()
    return json.dumps(_participant.about())


def start(start_json: str) -> None:
    """Begin the match; the hellos are sent with the next tick."""
    _opened().start(json.loads(start_json))


def tick(now_ms: float, inbox: Any) -> Any:
    """One tick: the inbox as a Uint8Array (or bytes), the outbox as one (or bytes, outside a browser)."""
    answer = _opened().tick(now_ms, _inwards(inbox))
    if _tidying is not None:
        free_ms = struct.unpack_from("<d", answer)[0] - now_ms if len(answer) == NOTHING_TO_SAY else 0.0
        _tidying.look(now_ms, free_ms)
    return _outwards(answer)


def export(rows: Any) -> Any:
    """The CSV of a match, as a server exports it, from all its chunks of rows, joined; a Uint8Array (or bytes) both."""
    return _outwards(to_csv(read_rows(_inwards(rows))))


def _inwards(data: Any) -> bytes:
    return bytes(data) if isinstance(data, bytes | bytearray | memoryview) else data.to_bytes()


def _plain(answer: bytes) -> Any:
    return answer


def _to_typed_array() -> Callable[[bytes], Any]:
    if not compat.IN_PYODIDE:
        return _plain
    from pyodide.ffi import to_js

    return cast(Callable[[bytes], Any], to_js)


_outwards = _to_typed_array()


def _opened() -> Participant:
    if _participant is None:
        raise SessionError("open an experiment first")
    return _participant

"""Falling asleep and waking up: what has to be done before Python's memory is made an image, and after it was read again.

An image holds whatever modules made of themselves when they were imported: also what was drawn at random, and what was
read from the clock. All that is made anew when it wakes up. It knows nothing of how an image is stored.
"""

from __future__ import annotations

import gc
import importlib
import json
import random
import sys
import time
from typing import Any

from . import versions
from .rehearsal import rehearse

__all__ = ["fall_asleep", "wake_up"]


def fall_asleep(modules: str) -> str:
    """Import modules, their names parted by commas, and leave nothing in memory that is of this process only.

    Returns:
        JSON: the paths of compiled code that nobody will read again, since its modules are imported.

    Raises whatever the import of a module raises.
    """
    for name in filter(None, modules.split(",")):
        importlib.import_module(name)
    rehearse()
    versions.versions()  # the modules that read packages' metadata are many
    sys.path_importer_cache.clear()
    gc.collect()
    gc.freeze()  # all of this stays, and need not be looked through again
    specs = [getattr(module, "__spec__", None) for module in list(sys.modules.values())]
    return json.dumps(sorted({spec.cached for spec in specs if spec is not None and spec.cached}))


def wake_up() -> None:
    """Make anew what was frozen: the state of Python's and NumPy's global random generators, the time zone, and whatever
    modules of the standard library keep of the hour or of the process in which they were imported."""
    importlib.invalidate_caches()
    random.seed()
    _of("numpy.random", lambda module: module.seed())
    _of("tempfile", lambda module: setattr(module, "_name_sequence", None))
    _of("uuid", _forget_node)
    _of("logging", lambda module: setattr(module, "_startTime", time.time_ns()))
    if hasattr(time, "tzset"):
        time.tzset()


def _of(name: str, work: Any) -> None:
    module = sys.modules.get(name)
    if module is not None:
        work(module)


def _forget_node(module: Any) -> None:
    module._node = None
    module._last_timestamp = None

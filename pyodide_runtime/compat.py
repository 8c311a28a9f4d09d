"""What Pyodide lacks and Gymnasium imports: one stand-in, put in place only there; and what Pyodide has of its own.

Gymnasium 1.4 imports `multiprocessing.synchronize` for its vector environments, which needs a C module that Pyodide
does not have. Nothing of it is ever called. This module knows nothing of this package.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
import types
from typing import Any

__all__ = ["IN_PYODIDE", "JS_NULL", "install"]

#: Whether this Python runs in Pyodide, in a browser or under Node.
IN_PYODIDE = str(sys.platform) == "emscripten"


def _js_null() -> Any:
    if not IN_PYODIDE:
        return None
    from pyodide import ffi

    return getattr(ffi, "jsnull", None)


#: What JavaScript's null is here: None, except in those versions of Pyodide that tell it from undefined.
JS_NULL = _js_null()


def install() -> None:
    """Make `import gymnasium` possible in Pyodide. Elsewhere, and where the module exists, nothing happens."""
    name = "_multiprocessing"
    if not IN_PYODIDE or importlib.util.find_spec(name) is not None:
        return
    module = types.ModuleType(name, "Stands in for a C module that Pyodide lacks.")
    stand_ins = {"SemLock": type("SemLock", (), {"SEM_VALUE_MAX": 2**31 - 1}), "sem_unlink": lambda name: None}
    module.__dict__.update(stand_ins)
    # A module without a spec would make the next `find_spec` raise.
    module.__spec__ = importlib.machinery.ModuleSpec(name, None)
    sys.modules[name] = module

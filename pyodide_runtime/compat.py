"""What Pyodide lacks and Gymnasium imports: one stand-in, put in place only there.

Gymnasium 1.4 imports `multiprocessing.synchronize` for its vector environments, which needs a C module that Pyodide does not
have. Nothing of it is ever called. This module knows nothing of this package.
"""

from __future__ import annotations

import sys
import types

__all__ = ["install"]


def install() -> None:
    """Make `import gymnasium` possible in Pyodide. Elsewhere, and where the module exists, nothing happens."""
    if sys.platform != "emscripten" or "_multiprocessing" in sys.modules:
        return
    try:
        import _multiprocessing  # noqa: F401
    except ImportError:
        module = types.ModuleType("_multiprocessing", "Stands in for a C module that Pyodide lacks.")
        module.SemLock = type("SemLock", (), {"SEM_VALUE_MAX": 2**31 - 1})  # type: ignore[attr-defined]
        module.sem_unlink = lambda name: None  # type: ignore[attr-defined]
        sys.modules["_multiprocessing"] = module

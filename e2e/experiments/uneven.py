"""The arena with terms that differ between two browsers although their files are the same: what a hello has to catch.

The prediction window is chosen by the browser's own name, as no experiment should do it.
"""

from __future__ import annotations

import platform
from dataclasses import replace

import arena


def choose_window() -> int:
    """8 frames; 5 in a browser that calls itself impatient."""
    if platform.system() != "Emscripten":
        return 8
    import js

    return 5 if "Impatient" in str(js.navigator.userAgent) else 8


experiment = replace(arena.experiment, name="Uneven", prediction_window=choose_window())

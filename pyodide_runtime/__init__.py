"""Run Gymnasium and PettingZoo environments in the browser, together, over a bad line, with equal data for all.

This module holds the public names and nothing else.
"""

from __future__ import annotations

__version__ = "0.1.0"

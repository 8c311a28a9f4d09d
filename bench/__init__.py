"""What the product costs, measured in the browser that runs it: `python -m bench`."""

from __future__ import annotations

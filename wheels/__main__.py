"""Runs the command line of this package: `python -m wheels`. Knows nothing but where it is."""

from __future__ import annotations

import sys

from wheels.cli import main

sys.exit(main())

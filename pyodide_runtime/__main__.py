"""`python -m pyodide_runtime`: the command line, see `cli`."""

from __future__ import annotations

import sys

from pyodide_runtime.cli import main

if __name__ == "__main__":
    sys.exit(main())

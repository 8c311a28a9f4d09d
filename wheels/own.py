"""The project's own wheel, built from the tree.

The same tree gives the same bytes, whatever the files' times or the machine, so an unchanged tree leaves the
distribution unchanged. Knows nothing of what is in the wheel: `pyproject.toml` says that.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from wheels.errors import OwnWheelError

ROOT = Path(__file__).resolve().parent.parent

_EPOCH = "1580601600"
"""The time that every file in the wheel is given (2 February 2020), whatever SOURCE_DATE_EPOCH is around
us."""


def build_own_wheel(into: Path, root: Path = ROOT) -> Path:
    """Builds the wheel of the project at `root` into the folder `into` and gives its path.

    The folder holds either the whole wheel or, where the build fails, none of it. Raises OwnWheelError if it
    fails.
    """
    with tempfile.TemporaryDirectory(prefix=".own-", dir=into) as folder:
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder]
        environment = {**os.environ, "SOURCE_DATE_EPOCH": _EPOCH}
        build = subprocess.run(
            command,
            cwd=root,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        built = sorted(Path(folder).glob("*.whl"))
        if build.returncode != 0 or len(built) != 1:
            words = (build.stderr or build.stdout).strip().splitlines()[-8:]
            raise OwnWheelError("the project's own wheel could not be built:\n  " + "\n  ".join(words))
        return built[0].replace(into / built[0].name)

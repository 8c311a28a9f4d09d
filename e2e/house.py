"""What every play of a run shares: the browsers, one server for each experiment, and folders.

It lives on the theatre's event loop. It knows nothing of matches.
"""

from __future__ import annotations

import asyncio
import shutil
from contextlib import ExitStack
from pathlib import Path

from playwright.async_api import async_playwright

from e2e.browsers import Browsers
from e2e.server import ROOT, Server

EXAMPLES = ROOT / "examples"
EXPERIMENTS = Path(__file__).parent / "experiments"


class House:
    """The shared parts of a run, from `__aenter__` to `__aexit__`.

    Args:
        folder: an empty folder of this run.
        artifacts: where pictures go.

    Attributes:
        browsers: both engines.
    """

    def __init__(self, folder: Path, artifacts: Path) -> None:
        self.folder = folder
        self.artifacts = artifacts
        self._servers: dict[Path, Server] = {}
        self._starting = asyncio.Lock()
        self._open = ExitStack()

    async def __aenter__(self) -> House:
        self._playwright = async_playwright()
        self.browsers = Browsers(await self._playwright.__aenter__())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.browsers.close()
        await self._playwright.__aexit__()
        self._open.close()

    async def server(self, experiment: Path) -> Server:
        """The server of an experiment, started when it is first asked for."""
        async with self._starting:
            if experiment not in self._servers:
                file = experiment
                if experiment.parent == EXPERIMENTS:
                    file = lay_out_experiments(self.folder / "experiments") / experiment.name
                server = Server(file, self.folder / f"data-{len(self._servers)}-{experiment.stem}")
                self._servers[experiment] = await asyncio.to_thread(self._open.enter_context, server)
            return self._servers[experiment]


def lay_out_experiments(folder: Path) -> Path:
    """A folder with the examples and the experiments of these tests side by side, so that the latter may import the former."""
    for source in (EXAMPLES, EXPERIMENTS):
        shutil.copytree(source, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    return folder

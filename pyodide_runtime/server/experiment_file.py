"""The experiment that this server serves: a file that may be edited while the server runs.

It is read anew for every session. This module knows nothing of rooms and of HTTP.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from pyodide_runtime.server.loading import LoadedExperiment, load


class ExperimentFile:
    """An experiment file, and what was last read of it.

    Args:
        path: the file.
        ice_servers: `RTCIceServer` objects for the pages, as JSON values, besides the experiment's own.
        ice_transport_policy: "all" or "relay", in place of the experiment's own; None leaves it that.
    """

    def __init__(
        self, path: Path, ice_servers: list[dict[str, Any]] | None = None, ice_transport_policy: str | None = None
    ) -> None:
        self.path = path
        self.ice_servers = ice_servers or []
        self.ice_transport_policy = ice_transport_policy
        self._sprites: dict[str, Path] = {}

    async def read(self) -> LoadedExperiment:
        """Read the file as it is now, in a thread. Raises ExperimentError."""
        loaded = await asyncio.to_thread(load, self.path)
        self._sprites.update(loaded.sprites)
        return loaded

    def sprite(self, name: str) -> Path | None:
        """The image file of a sprite of any reading; the newest, if the name came to mean another file."""
        return self._sprites.get(name)

    def config(self, loaded: LoadedExperiment, session: str, player_id: str) -> dict[str, Any]:
        """What a page needs to get its worker ready, as JSON values."""
        policy = self.ice_transport_policy or loaded.experiment.ice_transport_policy
        return {
            "session": session,
            "experiment": loaded.for_worker(),
            "sprites": {name: f"/sprites/{name}" for name in loaded.sprites},
            "distribution": "/pyodide/",
            "ice_servers": [*map(dict, loaded.experiment.ice_servers), *self.ice_servers],
            "rtc_configuration": {} if policy == "all" else {"iceTransportPolicy": policy},
            "uploads": f"/api/sessions/{session}/players/{player_id}/chunks",
        }

"""The pond with a tide: an environment that raises in a certain frame for a certain action.

It is imported by this name inside Pyodide too, for the names of classes belong to the digest of a state.
"""

from __future__ import annotations

from typing import Any

from tests.netcode.environments import Pond


class Reef(Pond):
    """A pond where action 4 of the first frog in frame 2 raises."""

    def step(self, actions: dict[str, int]) -> tuple[Any, ...]:
        if actions["frog_0"] == 4 and self.clock == 2:
            raise RuntimeError("the tide came in")
        return super().step(actions)

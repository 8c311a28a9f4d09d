"""How a state is captured, restored and digested.

`ways` chooses; `graph` is the default; `canonical` makes the bytes.
"""

from __future__ import annotations

from .ways import SnapshotWay, Way, choose_way

__all__ = ["SnapshotWay", "Way", "choose_way"]

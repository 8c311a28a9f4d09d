"""A bad network on a virtual clock, between any number of hosts. It carries bytes and knows nothing of what they mean.

`conditions` say how bad a line is; `fates` what becomes of each packet, drawn from a seed or written down beforehand;
`network` carries the packets; `stream` puts those of the reliable channel in order. No time passes and nothing sleeps:
packets wait until the clock is moved on.
"""

from __future__ import annotations

from .conditions import NetworkConditions, Partition
from .fates import UNHARMED, DrawnFates, Fate, Fates, Line, PlannedFates
from .network import VirtualNetwork

__all__ = [
    "UNHARMED",
    "DrawnFates",
    "Fate",
    "Fates",
    "Line",
    "NetworkConditions",
    "Partition",
    "PlannedFates",
    "VirtualNetwork",
]

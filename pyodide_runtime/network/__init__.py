"""The wire: packets, the state kept about one remote peer, and a virtual network.

Knows nothing of environments.
"""

from __future__ import annotations

"""The wire: packets, the state kept about one remote peer, and a virtual network for tests.

Knows nothing of environments.
"""

from __future__ import annotations

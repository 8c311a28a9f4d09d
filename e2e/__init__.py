"""The end-to-end proof: real browsers, a real server, and a data channel that is really delayed and really lossy."""

from __future__ import annotations

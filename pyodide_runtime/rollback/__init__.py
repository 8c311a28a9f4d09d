"""Rollback: what to load, step and save next, given the inputs that have arrived. Knows nothing of packets."""

from __future__ import annotations

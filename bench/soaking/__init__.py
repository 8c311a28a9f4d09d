"""What `python -m bench.soak` plays: one drawn session at a time, thrown packets included, compared with a run without network."""

from __future__ import annotations

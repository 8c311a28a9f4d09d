"""The arena between people who are half a second apart: as many frames as that are predicted."""

from __future__ import annotations

from dataclasses import replace

import arena

experiment = replace(arena.experiment, name="Far", prediction_window=24)

"""The arena three times in a row, each time for 150 frames: five seconds."""

from __future__ import annotations

from dataclasses import replace

import arena

experiment = replace(arena.experiment, name="Three episodes", episodes=3, max_steps=150)

"""What runs in Python inside the worker. Its functions take and give JSON texts, and judge nothing."""

from __future__ import annotations

"""What the browser loads: pinned files, and the command that lays them out as one self-hosted folder.

`python -m wheels lay-out` makes the folder ("the distribution"), `python -m wheels check` proves that it is
complete and that its lock file says the truth. The files themselves are never committed: `manifest.toml`
names each with its hash and the sources to ask. Nothing here knows of environments, sessions or pages.
"""

from __future__ import annotations

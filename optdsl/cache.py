"""The folder in which a run leaves for the next one what takes long to make.

Nothing depends on it: where it cannot be used, a run makes everything itself, and it may be deleted
at any time. It is the user's alone, for who writes to it has optdsl do what they like; one to which
others can write is not used.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path


def folder() -> Path | None:
    """`optdsl` in $XDG_CACHE_HOME or ~/.cache; None where it cannot be made or others can write."""
    try:
        path = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "optdsl", "gen")
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return path if _is_private(path.lstat()) else None
    except (OSError, RuntimeError):  # the latter where there is no home
        return None


def _is_private(status: os.stat_result) -> bool:
    if not stat.S_ISDIR(status.st_mode):
        return False
    # Windows has neither; there the home is the user's own.
    is_mine = not hasattr(os, "getuid") or status.st_uid == os.getuid()
    return is_mine and (os.name == "nt" or not status.st_mode & 0o022)

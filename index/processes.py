"""Whether the process that left something behind still works on it."""

from __future__ import annotations

import os
import sys


def is_alive(process_id: int) -> bool:
    """Whether a process of this number runs; on Windows, where asking would end it, never."""
    if process_id == os.getpid():
        return True
    if sys.platform == "win32":
        return False
    try:
        os.kill(process_id, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True

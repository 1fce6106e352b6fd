"""One writer at a time: an operating-system lock on a file of the library's folder.

The system releases it when the process ends, however it ends, so a killed writer leaves nothing
to clean up.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from index.errors import BusyError

LOCK_NAME = "library.lock"


@contextmanager
def writer_lock(folder: Path, *, wait_s: float = 0.0) -> Iterator[None]:
    """Holds the library for writing; waits at most `wait_s` for another process to let it go.

    Raises:
        BusyError: another process holds it.
    """
    with (folder / LOCK_NAME).open("a+") as file:
        deadline = time.monotonic() + wait_s
        while not (locked := try_lock(file)) and time.monotonic() < deadline:
            time.sleep(0.05)
        if not locked:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise BusyError(
                f"another process is writing to the library {folder} (process {holder})",
                "wait until it has finished, or use another --library",
            )
        try:
            file.seek(0)
            file.truncate()
            file.write(str(os.getpid()))
            file.flush()
            yield
        finally:
            _unlock(file)


if sys.platform == "win32":
    import msvcrt

    # A byte far beyond the text, because Windows refuses reads of a locked byte.
    _LOCKED_BYTE = 1 << 20

    def try_lock(file: IO[Any]) -> bool:
        """Whether the file is this process's now, until it is closed."""
        file.seek(_LOCKED_BYTE)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(file: IO[str]) -> None:
        file.seek(_LOCKED_BYTE)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def try_lock(file: IO[Any]) -> bool:
        """Whether the file is this process's now, until it is closed."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def _unlock(file: IO[str]) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)

"""Files that a reader never sees half written, and one plain line when the disk is full."""

from __future__ import annotations

import contextlib
import errno
import glob
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from index.errors import LibraryError
from index.processes import is_alive

_FULL = (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC))
_SQLITE_FULL = ("full", "disk I/O error")


def replace_file(path: Path, write: Callable[[Path], None]) -> None:
    """Write a file beside `path`, then put it in its place in one step.

    What a killed process left half written beside it is removed first.
    """
    remove_unfinished(path.parent, glob.escape(path.name))
    beside = path.with_name(f"{path.name}.tmp{os.getpid()}")
    try:
        write(beside)
        with beside.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(beside, path)
        _sync_folder(path.parent)
    finally:
        beside.unlink(missing_ok=True)


def remove_unfinished(folder: Path, pattern: str) -> None:
    """Remove what processes that are gone left half written beside files of these names."""
    for left in folder.glob(f"{pattern}.tmp*"):
        number = left.name.rpartition(".tmp")[2]
        if number.isdecimal() and not is_alive(int(number)):
            # On Windows a file that is being written cannot be removed, and stays.
            with contextlib.suppress(OSError):
                left.unlink()


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def telling_when_full(folder: Path) -> Iterator[None]:
    """Turns "no space left" of any kind into one line.

    Raises:
        LibraryError: a write inside failed because the disk is full.
    """
    try:
        yield
    except (OSError, sqlite3.OperationalError) as error:
        if not is_full(error):
            raise
        raise LibraryError(
            f"the disk is full: nothing more can be written to {folder}",
            "free some space and do the same again; what was finished before is kept",
        ) from error


def is_full(error: BaseException) -> bool:
    """Whether this error says that nothing more can be written."""
    if isinstance(error, OSError):
        return error.errno in _FULL
    full = isinstance(error, sqlite3.OperationalError)
    return full and any(text in str(error) for text in _SQLITE_FULL)

"""Writing exports: never half a file, never over an existing one unasked, never over a film."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from index.disk import is_full, replace_file
from index.errors import InputError

_LONGEST_NAME_BYTES = 120
_FORBIDDEN = set('/\\:*?"<>|')


def check_targets(targets: Sequence[Path], *, films: Iterable[Path], force: bool) -> None:
    """Passes where all these files may be written; makes the folders for them.

    Raises:
        InputError: one is there already and `force` is not given, is a folder, or is a film that
            is being cut; or its folder cannot be made.
    """
    sources = [film for film in films if film.exists()]
    for target in targets:
        if target.is_dir():
            raise InputError(f"{target} is a folder", "name a file")
        if target.exists() and any(target.samefile(film) for film in sources):
            raise InputError(f"{target} is the film itself", "choose another --output")
        if target.exists() and not force:
            raise InputError(f"{target} is there already", "give --force to replace it")
    for folder in {target.parent for target in targets}:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{folder} cannot be made: {error.strerror}") from error


def write_file(target: Path, write: Callable[[Path], None]) -> None:
    """Write beside the target, then put it in its place; what is half written is removed.

    Raises:
        InputError: the disk is full, or nothing may be written there.
    """
    try:
        replace_file(target, write)
    except OSError as error:
        if is_full(error):
            free_mb = shutil.disk_usage(target.parent).free // 2**20
            raise InputError(
                f"the disk is full: {target} is not written",
                f"{free_mb} MB are free there; the files before it are kept",
            ) from error
        if isinstance(error, PermissionError):
            raise InputError(f"{target} cannot be written: {error.strerror}") from error
        raise


def write_text(target: Path, text: str) -> None:
    """Write a text as UTF-8."""

    def write(path: Path) -> None:
        path.write_bytes(as_bytes(text))

    write_file(target, write)


def as_bytes(text: str) -> bytes:
    """A text as it stands in a file."""
    # Names of films need not be Unicode: their own bytes are written again.
    return text.encode("utf-8", errors="surrogateescape")


def safe_name(text: str) -> str:
    """The text as a part of a file's name on any system, at most 120 bytes long."""
    kept = "".join("_" if c in _FORBIDDEN or not c.isprintable() else c for c in text)
    short = kept.encode("utf-8")[:_LONGEST_NAME_BYTES].decode("utf-8", errors="ignore")
    return short.strip(" .") or "film"

"""Strips: one small picture per sampled second of a film, as JPEGs one after another in one file.

Offsets live in the library's database, which says how much of a file counts: bytes behind the
last committed offset are what a killed run left, and are cut off before writing goes on.
"""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from index.errors import LibraryError
from index.types import Pixels

_QUALITY = 80
_JPEG_BEGINS = b"\xff\xd8"


def encode_picture(pixels: Pixels, *, height_px: int) -> bytes:
    """A JPEG at most `height_px` high, in the picture's own shape."""
    picture = Image.fromarray(pixels)
    if picture.height > height_px:
        width_px = max(1, round(picture.width * height_px / picture.height))
        picture = picture.resize((width_px, height_px), Image.Resampling.BOX, reducing_gap=None)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()


def append_pictures(path: Path, pictures: Sequence[bytes], *, after_bytes: int) -> list[int]:
    """Write pictures behind the first `after_bytes` of the file; returns where each one ends."""
    ends = []
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("r+b" if path.exists() else "w+b") as file:
        file.truncate(after_bytes)
        file.seek(after_bytes)
        for picture in pictures:
            file.write(picture)
            ends.append(file.tell())
        file.flush()
        os.fsync(file.fileno())
    return ends


def read_pictures(path: Path, ends: NDArray[np.int64], positions: Sequence[int]) -> list[Pixels]:
    """The pictures at these positions, (H, W, 3) uint8 RGB.

    Raises:
        LibraryError: the file is missing or damaged.
    """
    try:
        with path.open("rb") as file:
            return [_read_one(file, ends, position) for position in positions]
    except (OSError, ValueError, SyntaxError) as error:
        raise _damaged(path) from error


def read_jpeg(path: Path, ends: NDArray[np.int64], position: int) -> bytes:
    """The picture at a position as it is stored.

    Raises:
        LibraryError: the file is missing or too short.
    """
    try:
        with path.open("rb") as file:
            data = _bytes_at(file, ends, position)
    except OSError as error:
        raise _damaged(path) from error
    if not data.startswith(_JPEG_BEGINS):
        raise _damaged(path)
    return data


def _read_one(file: io.BufferedReader, ends: NDArray[np.int64], position: int) -> Pixels:
    return np.asarray(Image.open(io.BytesIO(_bytes_at(file, ends, position))).convert("RGB"))


def _bytes_at(file: io.BufferedReader, ends: NDArray[np.int64], position: int) -> bytes:
    start = int(ends[position - 1]) if position else 0
    file.seek(start)
    return file.read(int(ends[position]) - start)


def _damaged(path: Path) -> LibraryError:
    return LibraryError(
        f"the strip {path} is missing or damaged", "index the film again with --rebuild"
    )

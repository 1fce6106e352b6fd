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
        raise LibraryError(
            f"the strip {path} is missing or damaged", "index the film again with --rebuild"
        ) from error


def _read_one(file: io.BufferedReader, ends: NDArray[np.int64], position: int) -> Pixels:
    start = int(ends[position - 1]) if position else 0
    file.seek(start)
    data = file.read(int(ends[position]) - start)
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))

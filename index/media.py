"""Opening a video: one Protocol, the backends behind it, and a file's identity.

Every time is in seconds on the player's timeline: presentation time minus the container's start.
Which backend `auto` takes, and the measurement behind it: docs/design/0001-decoding.md.
"""

from __future__ import annotations

import hashlib
import importlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from index.errors import InputError, MediaError
from index.types import Frame, Pixels, VideoFacts

if TYPE_CHECKING:
    from index.frame_table import FrameTable

GLIMPSE_WIDTH_PX = 32
GLIMPSE_HEIGHT_PX = 18


def n_times(duration_s: float, *, every_s: float) -> int:
    """How many times of a sampling grid lie in a stretch; at least one."""
    return max(1, math.ceil(duration_s / every_s - 1e-6))


@dataclass(frozen=True, slots=True)
class Sample:
    """What was on the screen at a time of the sampling grid."""

    at_s: float
    """Time of the grid."""
    frame: Frame
    """The frame on screen then; its own time is at or before `at_s`."""


@dataclass(frozen=True, slots=True)
class Glimpse:
    """A frame shrunk to a few pixels, enough to see that the picture changed."""

    time_s: float
    pixels: Pixels
    """(18, 32, 3) uint8, not turned upright."""


class VideoReader(Protocol):
    """Reads frames of one open video by time."""

    facts: VideoFacts
    table: FrameTable

    def frames_at(self, times_s: Sequence[float], *, width_px: int, height_px: int) -> list[Frame]:
        """The frame on screen at each time, upright and resized; one for each time, in order.

        `Frame.time_s` is the frame's own true time. Where a frame is damaged, the last one that
        decodes before it is returned, as a player leaves it on the screen.

        Raises:
            InputError: a time is outside the film.
            MediaError: nothing can be decoded there.
        """
        ...

    def sample(
        self, *, every_s: float, width_px: int, height_px: int, start_s: float = 0.0
    ) -> Iterator[Frame]:
        """The frames on screen at start_s, start_s + every_s, …; damaged ones are left out."""
        ...

    def scan(
        self,
        *,
        every_s: float,
        glimpse_every_s: float,
        width_px: int,
        height_px: int,
        start_s: float = 0.0,
    ) -> Iterator[Sample | Glimpse]:
        """Samples as `sample` takes them, and glimpses between them, in one decoding pass.

        A glimpse is the first frame of each stretch [k, k+1) × glimpse_every_s. All glimpses
        before a time of the grid come before its sample. Times of the grid are multiples of
        `every_s` after `start_s`, so a scan begun later yields exactly the tail of the whole one.
        """
        ...

    def close(self) -> None: ...


_BACKENDS = {
    "pyav": "index.media_pyav:PyavReader",
    "decord": "index.media_decord:DecordReader",
}


def backend_names() -> tuple[str, ...]:
    """The names that `open_video` knows."""
    return ("auto", *_BACKENDS)


def open_video(
    path: Path, *, backend: str = "auto", table: FrameTable | None = None
) -> VideoReader:
    """An open reader; `auto` takes PyAV, which is right on every file that was measured.

    Args:
        table: this very file's, from an earlier reader: spares the pass over its packets.

    Raises:
        MediaError: the file is missing, no video, damaged beyond use, or (with a backend named)
            one that this backend would read wrongly.
        InputError: the backend is not known.
    """
    if backend not in backend_names():
        known = ", ".join(backend_names())
        raise InputError(f'"{backend}" is not a decode backend', f"choose one of: {known}")
    path = _regular_file(path)
    module, _, name = _BACKENDS["pyav" if backend == "auto" else backend].partition(":")
    reader: VideoReader = getattr(importlib.import_module(module), name)(path, table=table)
    return reader


def content_hash(path: Path) -> str:
    """SHA-256 of the file's bytes, 64 hex digits: a film's identity.

    Raises:
        MediaError: the file is missing or cannot be read.
    """
    path = _regular_file(path)
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise MediaError(f"{path} cannot be read: {error.strerror}") from error


def _regular_file(path: Path) -> Path:
    """The absolute path of an existing ordinary file (so that no part is taken for a protocol)."""
    if not path.exists():
        raise MediaError(f"{path} does not exist", "check the path")
    if not path.is_file():
        raise MediaError(f"{path} is not a file", "name a video file")
    return path.absolute()

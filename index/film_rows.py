"""What the index holds of one film, in arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.store import Part
from index.types import Seconds, Span, Vectors


@dataclass(frozen=True, slots=True)
class Timeline:
    """A film second by second."""

    times_s: Seconds
    """(N,) times of the sampling grid; a second that could not be decoded is missing."""
    vectors: Vectors
    """(N, D) of the frame on screen at each time."""
    motion: NDArray[np.float32]
    """(N,) mean absolute change between neighbouring glimpses in that second, 0..1."""


@dataclass(frozen=True, slots=True)
class ClipVectors:
    """A film in clips: windows cut at shots, at most a few seconds long."""

    spans: tuple[Span, ...]
    """In order; they cover the film without gaps."""
    vectors: Vectors
    """(N, D) mean of the frames' vectors in each span."""


@dataclass(frozen=True, slots=True)
class StripRows:
    """The pictures of a film's strip, one for each of its seconds."""

    shown_s: Seconds
    """(N,) true times of the pictures."""
    ends: NDArray[np.int64]
    """(N,) where each ends in the strip's file."""

    @classmethod
    def of(cls, parts: Sequence[Part]) -> StripRows:
        """The pictures of all parts."""
        return cls(
            np.concatenate([part.shown_s for part in parts]),
            np.concatenate([part.strip_ends for part in parts]),
        )


def timeline_of(parts: Sequence[Part]) -> Timeline:
    """The seconds of all parts of a film."""
    times_s = np.concatenate([part.times_s for part in parts])
    vectors = np.concatenate([part.vectors for part in parts])
    motion = _motion(times_s, parts)
    # Several callers get the same arrays.
    for array in (times_s, vectors, motion):
        array.setflags(write=False)
    return Timeline(times_s, vectors, motion)


def _motion(times_s: Seconds, parts: Sequence[Part]) -> NDArray[np.float32]:
    """Mean change of the glimpses from each row's time to the next one's."""
    glimpses_s = np.concatenate([part.glimpse_times_s for part in parts])
    changes = np.concatenate([part.changes for part in parts]).astype(np.float64)
    rows = np.searchsorted(times_s, glimpses_s + 1e-6, side="right") - 1
    kept = rows >= 0
    total = np.bincount(rows[kept], weights=changes[kept], minlength=len(times_s))
    count = np.bincount(rows[kept], minlength=len(times_s))
    return np.asarray(total / np.maximum(count, 1), dtype=np.float32)

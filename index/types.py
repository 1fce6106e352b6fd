"""Values that every layer shares: spans, frames, videos, shots, hits.

Times are float seconds on the player's timeline (presentation time minus the container's start
time); spans are half-open, [start_s, end_s).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""(H, W, 3) or (N, H, W, 3), RGB, upright."""

Vectors = NDArray[np.float32]
"""(N, D), unit length."""

Seconds = NDArray[np.float64]
"""(N,) times in seconds, ascending."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of time [start_s, end_s)."""

    start_s: float
    end_s: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.start_s) and math.isfinite(self.end_s)):
            raise ValueError(f"span {self.start_s}..{self.end_s} is not finite")
        if not 0 <= self.start_s < self.end_s:
            raise ValueError(f"span {self.start_s}..{self.end_s} is empty or starts before zero")

    @property
    def duration_s(self) -> float:
        return self.end_s - self.start_s

    @property
    def middle_s(self) -> float:
        return (self.start_s + self.end_s) / 2

    def overlap_s(self, other: Span) -> float:
        """Seconds that both spans share; 0.0 where they do not meet."""
        return max(0.0, min(self.end_s, other.end_s) - max(self.start_s, other.start_s))

    def tiou(self, other: Span) -> float:
        """Temporal intersection over union, 0..1."""
        shared = self.overlap_s(other)
        return shared / (self.duration_s + other.duration_s - shared)

    def clamp(self, bounds: Span) -> Span | None:
        """The part inside `bounds`, or None where nothing of it is inside."""
        start, end = max(self.start_s, bounds.start_s), min(self.end_s, bounds.end_s)
        return Span(start, end) if start < end else None

    def widen(self, by_s: float, bounds: Span) -> Span:
        """The span grown by `by_s` seconds on both sides, kept inside `bounds`.

        Raises:
            ValueError: nothing of the grown span lies inside `bounds`.
        """
        start = max(bounds.start_s, self.start_s - by_s)
        return Span(start, min(bounds.end_s, self.end_s + by_s))


def union(spans: Iterable[Span]) -> list[Span]:
    """The same stretches without overlap, in order; spans that touch become one."""
    apart: list[Span] = []
    for span in sorted(spans):
        if apart and span.start_s <= apart[-1].end_s:
            apart[-1] = Span(apart[-1].start_s, max(apart[-1].end_s, span.end_s))
        else:
            apart.append(span)
    return apart


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture and its time."""

    time_s: float
    pixels: Pixels
    """(H, W, 3) uint8 RGB, upright."""


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """What a probe found in a file. Counted from packets, not believed from headers."""

    duration_s: float
    """End of the last frame on the player's timeline."""
    container_start_s: float
    """Raw presentation time of the timeline's zero; a browser's mp4 clock adds it."""
    width_px: int
    height_px: int
    """Size of the upright picture, after rotation."""
    n_frames: int
    fps: float
    """n_frames / duration: a figure for people, never used to compute a time."""
    codec: str
    rotation_degrees: int
    has_audio: bool
    notes: tuple[str, ...] = ()
    """What is odd: "variable frame rate", "truncated: …", "starts at 1.400 s", …"""


@dataclass(frozen=True, slots=True)
class Video:
    """One film of the library. Its identity is the hash of its content, not its path."""

    video_id: int
    content_hash: str
    path: Path
    """Where the file was last seen."""
    facts: VideoFacts

    @property
    def span(self) -> Span:
        return Span(0.0, self.facts.duration_s)

    @property
    def has_pictures(self) -> bool:
        """False for a file of sound, of which only the words are known."""
        return self.facts.n_frames > 0


@dataclass(frozen=True, slots=True)
class Shot:
    """The span between two cuts."""

    shot_index: int
    span: Span


@dataclass(frozen=True, slots=True)
class Hit:
    """A span that a search found."""

    video_id: int
    span: Span
    score: float
    """A cosine for pictures, the share of the query for words: compare within one lane only."""
    lane: str
    """Which search found it: "picture" or "words"."""

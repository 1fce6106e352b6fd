"""A look: exactly this span, at this density and size, with the frames' own times.

`plan_look` turns a request into a shape that the model can take and that the token limit allows.
Frames of a film are kept in memory, so that nothing is decoded twice.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from index.errors import ToolError
from index.types import Frame, Seconds, Span
from tools.keyclips import ClipShape, TokenCounter


class FrameSource(Protocol):
    """What can show the frame on screen at a time."""

    def frames_at(
        self, times_s: Sequence[float], *, width_px: int, height_px: int
    ) -> list[Frame]: ...


@dataclass(frozen=True, slots=True)
class FrameGrid:
    """What a model's frames must look like."""

    patch_px: int
    """Sides are multiples of this."""
    frames_per_pair: int
    """Frames that cost as much as one."""

    def size_px(self, *, source: tuple[int, int], short_side_px: int) -> tuple[int, int]:
        """(width, height) near `short_side_px` with the aspect of `source` (width, height).

        Never above the source by more than rounding: enlarged pixels cost tokens and show nothing.
        """
        width, height = source
        scale = min(1.0, short_side_px / min(width, height))
        return self._round(width * scale), self._round(height * scale)

    def _round(self, side_px: float) -> int:
        return max(1, round(side_px / self.patch_px)) * self.patch_px

    def even(self, n_frames: int) -> int:
        """`n_frames` rounded up to whole pairs."""
        return -(-max(1, n_frames) // self.frames_per_pair) * self.frames_per_pair


EVEN_SAMPLING = "the frame on screen at the middle of each of N equal parts of the span"
"""The sampling rule of `even_times`, for the trace."""


def even_times(span: Span, n_frames: int) -> list[float]:
    """The middles of `n_frames` equal parts of the span: off the cuts, and exact."""
    step = span.duration_s / n_frames
    return [span.start_s + (i + 0.5) * step for i in range(n_frames)]


def motion_fps(
    motion: float, *, still_fps: float, lively_fps: float, lively_motion: float
) -> float:
    """Frames a second for a stretch whose picture changes by `motion` (0..1 a second).

    Source: GRT, KFFocus (still → sparse, motion → dense). Ours differs: a straight line between.
    """
    share = min(1.0, max(0.0, motion) / lively_motion)
    return still_fps + share * (lively_fps - still_fps)


def mean_motion(times_s: Seconds, motion: Sequence[float], span: Span) -> float:
    """Mean of the timeline's motion inside the span; of the nearest second where none is inside."""
    if len(motion) == 0:
        return 0.0
    first, end = np.searchsorted(times_s, (span.start_s, span.end_s))
    if first == end:
        first = int(np.abs(times_s - span.middle_s).argmin())
        end = first + 1
    return float(np.asarray(motion[first:end], dtype=np.float64).mean())


def plan_look(
    n_frames: int,
    *,
    sizes_px: Sequence[tuple[int, int]],
    grid: FrameGrid,
    limit_tokens: int,
    price: TokenCounter,
) -> ClipShape:
    """The shape nearest to what is wanted that costs at most `limit_tokens`.

    The density falls before the size: frames are halved down to one pair, then the next of
    `sizes_px` (largest first) is tried with the wanted number again.

    Raises:
        ToolError: not even one pair of the smallest frames fits.
    """
    for width_px, height_px in sizes_px:
        n = grid.even(n_frames)
        while True:
            if price(n_frames=n, width_px=width_px, height_px=height_px) <= limit_tokens:
                return ClipShape(n, width_px, height_px)
            if n <= grid.frames_per_pair:
                break
            n = grid.even(n // 2)
    raise ToolError(f"budget: a look needs more than the {limit_tokens} tokens that are left")


class FrameCache:
    """The decoded frames of a film, the least recently used leaving first.

    Threads may share one: a reader has one position in its file, so they take turns.
    """

    def __init__(self, source: FrameSource, *, limit_bytes: int = 256 * 2**20) -> None:
        self._source = source
        self._limit_bytes = limit_bytes
        self._held_bytes = 0
        self._turn = threading.Lock()
        self._frames: OrderedDict[tuple[int, int, int], Frame] = OrderedDict()

    def frames_at(self, times_s: Sequence[float], *, width_px: int, height_px: int) -> list[Frame]:
        """As the source's, decoding only what is not held."""
        with self._turn:
            return self._held_or_decoded(times_s, width_px=width_px, height_px=height_px)

    def n_held(self, times_s: Sequence[float], *, width_px: int, height_px: int) -> int:
        """How many of these frames are held, so that they need no decoding."""
        with self._turn:
            return sum((round(t * 1000), width_px, height_px) in self._frames for t in times_s)

    def _held_or_decoded(
        self, times_s: Sequence[float], *, width_px: int, height_px: int
    ) -> list[Frame]:
        keys = [(round(t * 1000), width_px, height_px) for t in times_s]
        found = {key: self._frames[key] for key in keys if key in self._frames}
        missing = [(k, t) for k, t in zip(keys, times_s, strict=True) if k not in found]
        if missing:
            decoded = self._source.frames_at(
                [t for _, t in missing], width_px=width_px, height_px=height_px
            )
            found.update({k: f for (k, _), f in zip(missing, decoded, strict=True)})
        self._keep(found)
        return [found[key] for key in keys]

    def _keep(self, frames: dict[tuple[int, int, int], Frame]) -> None:
        for key, frame in frames.items():
            if key not in self._frames:
                self._held_bytes += frame.pixels.nbytes
            self._frames[key] = frame
            self._frames.move_to_end(key)
        while self._held_bytes > self._limit_bytes and len(self._frames) > 1:
            _, old = self._frames.popitem(last=False)
            self._held_bytes -= old.pixels.nbytes

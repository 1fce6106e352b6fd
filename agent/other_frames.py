"""The same span in other frames: a model that is shown the very same again agrees with itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from agent.state import LookState, span_of
from index.types import Span
from tools.keyclips import ClipShape
from tools.look import FrameGrid, even_times

_SHORTEST_S = 0.2
"""In a shorter stretch other times are the same frames of the film."""


def in_other_frames(
    span: Span, shape: ClipShape, *, shown: Iterable[LookState], grid: FrameGrid
) -> tuple[Span, ClipShape] | None:
    """The span and the shape, or what is nearest to them among what was not shown yet.

    Fewer frames have other times; where that is not enough, so have those of the span's middle.
    What is tried costs no more than what was wanted. None: all of it was shown.
    """
    seen = {_frames(span_of(k), _shape_of(k)) for k in shown}
    others = _others(span, shape, grid)
    return next((each for each in others if _frames(*each) not in seen), None)


def _others(span: Span, shape: ClipShape, grid: FrameGrid) -> Iterator[tuple[Span, ClipShape]]:
    """The wanted look, then others, each further from it than the one before."""
    least = grid.frames_per_pair
    yield span, shape
    while span.duration_s >= _SHORTEST_S:
        for n_frames in range(shape.n_frames, least - 1, -least):
            yield span, ClipShape(n_frames, shape.width_px, shape.height_px)
        quarter_s = span.duration_s / 4
        span = Span(span.start_s + quarter_s, span.end_s - quarter_s)


def _shape_of(look: LookState) -> ClipShape:
    return ClipShape(look["n_frames"], look["width_px"], look["height_px"])


def _frames(span: Span, shape: ClipShape) -> tuple[Sequence[int], int, int]:
    """Times to the millisecond, and the size."""
    times_ms = tuple(round(1000 * t) for t in even_times(span, shape.n_frames))
    return times_ms, shape.width_px, shape.height_px

"""Exactly this span, at this density and size."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.errors import ToolError
from index.types import Frame, Span
from tools.keyclips import ClipShape
from tools.look import (
    FrameCache,
    FrameGrid,
    even_times,
    mean_motion,
    motion_fps,
    plan_look,
)

GRID = FrameGrid(patch_px=32, frames_per_pair=2)


def price(*, n_frames: int, width_px: int, height_px: int) -> int:
    return -(-n_frames // 2) * ((width_px // 32) * (height_px // 32) + 10)


class CountingSource:
    """Black frames; notes every time it is asked to decode."""

    def __init__(self) -> None:
        self.asked: list[float] = []

    def frames_at(self, times_s: Sequence[float], *, width_px: int, height_px: int) -> list[Frame]:
        self.asked += times_s
        return [Frame(t, np.zeros((height_px, width_px, 3), np.uint8)) for t in times_s]


def test_times_are_the_middles_of_equal_parts() -> None:
    assert even_times(Span(10, 18), 4) == [11, 13, 15, 17]


@pytest.mark.parametrize(
    ("source", "short_side_px", "size"),
    [
        ((320, 192), 96, (160, 96)),
        ((320, 192), 128, (224, 128)),
        ((320, 192), 64, (96, 64)),
        ((192, 320), 96, (96, 160)),
        ((320, 192), 900, (320, 192)),
        ((20, 10), 96, (32, 32)),
    ],
)
def test_sizes_keep_the_aspect_on_the_grid_and_never_enlarge(
    source: tuple[int, int], short_side_px: int, size: tuple[int, int]
) -> None:
    assert GRID.size_px(source=source, short_side_px=short_side_px) == size


def test_frames_come_in_whole_pairs() -> None:
    assert [GRID.even(n) for n in (0, 1, 2, 3, 8)] == [2, 2, 2, 4, 8]


def test_still_stretches_are_sparse_and_lively_ones_dense() -> None:
    rule = {"still_fps": 0.5, "lively_fps": 4.0, "lively_motion": 0.1}
    assert motion_fps(0.0, **rule) == 0.5
    assert motion_fps(0.05, **rule) == 2.25
    assert motion_fps(0.9, **rule) == 4.0


def test_motion_of_a_span_between_two_rows_is_the_nearest_rows() -> None:
    times = np.array([0.5, 1.5, 2.5])
    assert mean_motion(times, [0.1, 0.2, 0.6], Span(1, 3)) == pytest.approx(0.4)
    assert mean_motion(times, [0.1, 0.2, 0.6], Span(2.0, 2.2)) == pytest.approx(0.6)


def test_density_falls_before_size() -> None:
    sizes = [(224, 128), (160, 96)]
    # 8 frames large are 152 tokens, 4 large 76, 2 large 38; 8 small 100.
    shapes = [
        plan_look(8, sizes_px=sizes, grid=GRID, limit_tokens=limit, price=price)
        for limit in (152, 151, 40, 37)
    ]
    assert shapes == [
        ClipShape(8, 224, 128),
        ClipShape(4, 224, 128),
        ClipShape(2, 224, 128),
        ClipShape(2, 160, 96),
    ]


def test_a_look_that_cannot_be_paid_is_refused_in_words() -> None:
    with pytest.raises(ToolError, match="24 tokens"):
        plan_look(8, sizes_px=[(160, 96)], grid=GRID, limit_tokens=24, price=price)


def test_frames_stand_in_the_middles_of_equal_parts() -> None:
    assert even_times(Span(10, 14), 4) == [10.5, 11.5, 12.5, 13.5]


def test_nothing_is_decoded_twice() -> None:
    source = CountingSource()
    cache = FrameCache(source)
    cache.frames_at([1, 2, 3], width_px=32, height_px=32)
    frames = cache.frames_at([3, 4, 1], width_px=32, height_px=32)
    assert source.asked == [1, 2, 3, 4]
    assert [f.time_s for f in frames] == [3, 4, 1]
    assert cache.n_held([1, 4, 5], width_px=32, height_px=32) == 2
    assert cache.n_held([1, 4, 5], width_px=64, height_px=64) == 0
    cache.frames_at([1], width_px=64, height_px=64)
    assert source.asked == [1, 2, 3, 4, 1]


def test_the_cache_forgets_the_oldest_within_its_bytes() -> None:
    source = CountingSource()
    cache = FrameCache(source, limit_bytes=2 * 32 * 32 * 3)
    for time_s in (1, 2, 3, 1):
        cache.frames_at([time_s], width_px=32, height_px=32)
    assert source.asked == [1, 2, 3, 1]


@given(st.floats(0, 1e5), st.floats(0.01, 1e4), st.integers(1, 64))
def test_times_ascend_inside_the_span(start_s: float, length_s: float, n_frames: int) -> None:
    span = Span(start_s, start_s + length_s)
    times = even_times(span, n_frames)
    assert times == sorted(times)
    assert all(span.start_s <= t < span.end_s for t in times)

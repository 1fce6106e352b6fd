"""Cuts, shots and clips from hand-made picture changes."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.shots import (
    PictureChange,
    clip_vectors,
    cut_clips,
    find_cuts,
    picture_change,
    shots_between,
)
from index.types import Span

EIGHTHS = np.arange(80) / 8


def test_the_change_of_black_to_white_is_one() -> None:
    black, white = np.zeros((18, 32, 3), np.uint8), np.full((18, 32, 3), 255, np.uint8)
    assert picture_change(black, white) == PictureChange(1.0, 1.0)
    assert picture_change(white, black) == PictureChange(1.0, 1.0)
    assert picture_change(white, white) == PictureChange(0.0, 0.0)


def test_a_thing_that_appears_is_no_cut() -> None:
    before, after = np.zeros((18, 32, 3), np.uint8), np.zeros((18, 32, 3), np.uint8)
    after[:12, :16] = 255  # a third of the picture
    change = picture_change(before, after)
    assert (change.mean, change.spread) == (pytest.approx(1 / 3), 0.0)
    changes, spreads = np.full(80, 0.01, np.float32), np.zeros(80, np.float32)
    changes[24] = change.mean
    assert find_cuts(EIGHTHS, changes, spreads) == []


def test_of_two_cuts_close_together_the_stronger_is_kept() -> None:
    changes = np.full(80, 0.01, np.float32)
    changes[24], changes[25] = 0.1, 0.3
    assert find_cuts(EIGHTHS, changes, changes) == [3.125]


def test_a_single_large_change_is_a_cut() -> None:
    changes = np.full(80, 0.01, np.float32)
    changes[24] = 0.3
    assert find_cuts(EIGHTHS, changes, changes) == [3.0]


def test_a_pan_is_no_cut() -> None:
    changes = np.full(80, 0.01, np.float32)
    changes[24:40] = 0.1
    assert find_cuts(EIGHTHS, changes, changes) == []


def test_a_cut_inside_a_pan_is_found() -> None:
    changes = np.full(80, 0.06, np.float32)
    changes[40] = 0.3
    assert find_cuts(EIGHTHS, changes, changes) == [5.0]


def test_shots_cover_the_film() -> None:
    shots = shots_between([0.1, 3.0, 9.8], duration_s=10.0)
    assert [(shot.span.start_s, shot.span.end_s) for shot in shots] == [(0.0, 3.0), (3.0, 10.0)]


def test_long_shots_are_cut_into_equal_clips() -> None:
    shots = shots_between([10.0], duration_s=12.0)
    assert cut_clips(shots, np.arange(12.0), clip_s=8.0) == [
        Span(0.0, 5.0),
        Span(5.0, 10.0),
        Span(10.0, 12.0),
    ]


def test_a_shot_between_two_samples_joins_the_next_clip() -> None:
    shots = shots_between([2.2, 2.8], duration_s=5.0)
    clips = cut_clips(shots, np.arange(5.0), clip_s=8.0)
    assert clips == [Span(0.0, 2.2), Span(2.2, 5.0)]


@given(
    st.lists(st.floats(0.5, 99.5), max_size=20, unique=True),
    st.integers(1, 100),
    st.floats(1.0, 20.0),
)
def test_clips_cover_the_film_and_each_has_a_sample(
    cuts_s: list[float], n_times: int, clip_s: float
) -> None:
    times_s = np.arange(float(n_times))
    clips = cut_clips(shots_between(sorted(cuts_s), duration_s=100.0), times_s, clip_s=clip_s)
    assert clips[0].start_s == 0.0
    assert clips[-1].end_s == 100.0
    assert all(a.end_s == b.start_s for a, b in itertools.pairwise(clips))
    assert all(((times_s >= clip.start_s) & (times_s < clip.end_s)).any() for clip in clips)


def test_a_clip_vector_is_the_mean_of_its_seconds_at_unit_length() -> None:
    vectors = np.asarray([[1, 0], [0, 1], [0, 1]], np.float32)
    clips = [Span(0.0, 2.0), Span(2.0, 3.0)]
    rows = clip_vectors(clips, np.arange(3.0), vectors)
    assert rows == pytest.approx(np.asarray([[0.7071068, 0.7071068], [0.0, 1.0]]))

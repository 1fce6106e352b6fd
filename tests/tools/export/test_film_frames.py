"""Films as editing programs count them: rates, and spans on whole frames."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.types import Span
from tests.tools.export.sounding import render_sounding
from tools.export.film_frames import FilmFrames, FrameSpan, film_rate, read_film

COMMON = [Fraction(24000, 1001), Fraction(24), Fraction(25), Fraction(30000, 1001)]
COMMON += [Fraction(30), Fraction(50), Fraction(60000, 1001), Fraction(60)]


@pytest.fixture(scope="module")
def ntsc(tmp_path_factory: pytest.TempPathFactory) -> FilmFrames:
    """Two seconds at 29.97."""
    path = tmp_path_factory.mktemp("films") / "ntsc.mp4"
    return read_film(render_sounding(path, fps=Fraction(30000, 1001), n_frames=60, sound=False))


@given(st.sampled_from(COMMON), st.integers(60, 2000), st.sampled_from([1e-3, 1 / 90_000]))
def test_the_rate_is_found_in_times_of_any_precision(
    fps: Fraction, n_frames: int, tick_s: float
) -> None:
    exact = np.arange(n_frames) / float(fps)
    times_s = np.round(exact / tick_s) * tick_s
    assert film_rate(times_s, tick_s=tick_s, claims=(fps,)) == (fps, True)
    # Without a header, a film of some seconds is enough to tell 23.976 from 24.
    if exact[-1] > 3:
        assert film_rate(times_s, tick_s=tick_s, claims=()) == (fps, True)


def test_a_header_that_lies_is_not_believed() -> None:
    times_s = np.arange(100) / 25
    claims = (Fraction(30), Fraction(90_000))
    assert film_rate(times_s, tick_s=1e-5, claims=claims) == (Fraction(25), True)


def test_a_variable_rate_is_counted_in_the_nearest_standard_one() -> None:
    gaps = np.resize([1 / 60, 1 / 30, 1 / 15, 2 / 15], 99)
    times_s = np.array([0, *np.cumsum(gaps)])
    # Four frames in a quarter of a second: 16 a second, and 15 is nearest.
    assert film_rate(times_s, tick_s=1e-5, claims=()) == (Fraction(15), False)


@given(st.integers(0, 58), st.integers(1, 59))
def test_a_span_in_milliseconds_leads_back_to_its_frames(
    ntsc: FilmFrames, first: int, n_frames: int
) -> None:
    asked = FrameSpan(first, min(60, first + n_frames))
    span = ntsc.span_of(asked)
    for rounded in (np.round, np.floor):
        start_s, end_s = (float(rounded(t * 1000) / 1000) for t in (span.start_s, span.end_s))
        assert ntsc.positions(Span(start_s, end_s)) == asked


def test_a_span_inside_one_frame_is_that_frame(ntsc: FilmFrames) -> None:
    # Frame 10 is on screen from 0.33367 to 0.36703 s.
    assert ntsc.positions(Span(0.340, 0.345)) == FrameSpan(10, 11)


def test_frames_are_counted_from_the_first_picture(tmp_path: Path) -> None:
    path = render_sounding(tmp_path / "late.ts", fps=Fraction(25), n_frames=60, start_s=2.0)
    film = read_film(path)
    assert (film.rate.fps, film.is_constant) == (Fraction(25), True)
    assert film.frames(FrameSpan(0, 25)) == FrameSpan(0, 25)


def test_the_files_own_time_code_is_read(tmp_path: Path) -> None:
    path = render_sounding(
        tmp_path / "coded.mov",
        fps=Fraction(30000, 1001),
        n_frames=30,
        sound=False,
        timecode="01:00:00;00",
    )
    film = read_film(path)
    assert film.rate.drop
    assert film.first_code == 107_892
    assert not read_film(path, drop=False).rate.drop


def test_a_film_of_variable_rate_counts_places_in_a_grid(tmp_path: Path) -> None:
    path = render_sounding(
        tmp_path / "vfr.mp4", fps=Fraction(60), n_frames=60, lengths=(1, 2, 4, 8), sound=False
    )
    film = read_film(path, fps=Fraction(60))
    assert not film.is_constant
    # Frames last 1, 2, 4 and 8 sixtieths: the fourth begins at 7, the fifth at 15.
    assert film.frames(FrameSpan(3, 4)) == FrameSpan(7, 15)

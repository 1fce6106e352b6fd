"""A film cut into what can be looked at."""

from __future__ import annotations

import itertools
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from agent.cuts import bins_of, bounds_of, halves, windows_of
from agent.settings import SpotlightSettings
from index.types import Shot, Span

SETTINGS = SpotlightSettings()


def shots(*edges: float) -> list[Shot]:
    return [Shot(i, Span(a, b)) for i, (a, b) in enumerate(itertools.pairwise(edges))]


def test_shots_are_windows_and_long_ones_are_cut_evenly() -> None:
    windows = windows_of(shots(0, 10, 50), Span(0, 50), SETTINGS)
    assert windows[0] == Span(0, 10)
    assert [round(w.duration_s, 2) for w in windows[1:]] == [13.33, 13.33, 13.33]


def test_a_tiny_shot_joins_its_neighbour() -> None:
    windows = windows_of(shots(0, 10, 10.4, 20), Span(0, 20), SETTINGS)
    assert windows == (Span(0, 10), Span(10, 20))


def test_a_film_without_shots_is_cut_by_length() -> None:
    assert windows_of([], Span(0, 32), SETTINGS) == (Span(0, 16), Span(16, 32))
    assert windows_of([], Span(0, 0.5), SETTINGS) == (Span(0, 0.5),)


@given(
    st.lists(st.floats(0.01, 200), min_size=1, max_size=30, unique=True),
    st.floats(0.1, 3000),
    st.lists(st.floats(0, 3000), max_size=8),
)
def test_windows_cover_the_film_without_gap_or_overlap(
    cuts: list[float], duration_s: float, key_starts: list[float]
) -> None:
    film = Span(0, duration_s)
    keys = [Span(s, s + 8) for s in key_starts]
    windows = windows_of(shots(0, *sorted(cuts)), film, SETTINGS, keys=keys)
    assert (windows[0].start_s, windows[-1].end_s) == (0, duration_s)
    for a, b in itertools.pairwise(windows):
        assert a.end_s == b.start_s
    assert all(w.duration_s <= SETTINGS.longest_s + 1e-6 for w in windows)


def test_what_is_made_of_the_same_shots_is_kept_and_of_equal_ones_equal() -> None:
    ten = tuple(shots(0, 10, 20, 60))
    windows = windows_of(ten, Span(0, 60), SETTINGS)
    assert windows_of(ten, Span(0, 60), SETTINGS) is windows
    assert bounds_of(windows) is bounds_of(windows)
    assert bounds_of(windows).tolist() == [[w.start_s, w.end_s] for w in windows]
    assert bins_of(ten, Span(0, 60), SETTINGS) is bins_of(ten, Span(0, 60), SETTINGS)
    # Equal shots of another tuple are the same film; other shots, and other settings, are not.
    assert windows_of(tuple(shots(0, 10, 20, 60)), Span(0, 60), SETTINGS) is windows
    assert windows_of(tuple(shots(0, 30, 60)), Span(0, 60), SETTINGS) != windows
    assert windows_of(ten, Span(0, 60), replace(SETTINGS, longest_s=9.0)) != windows


def test_parts_are_equal() -> None:
    assert halves(Span(0, 40), longest_s=16) == [
        Span(0, 40 / 3),
        Span(40 / 3, 80 / 3),
        Span(80 / 3, 40),
    ]


def test_a_long_shot_is_cut_at_its_key_spans() -> None:
    found = windows_of(shots(0, 10, 60), Span(0, 60), SETTINGS, keys=[Span(30, 34)])
    assert found == (
        Span(0, 10),
        Span(10, 20),
        Span(20, 30),
        Span(30, 34),
        Span(34, 47),
        Span(47, 60),
    )


def test_a_key_span_leaves_no_sliver_beside_a_cut() -> None:
    # 10.4 is nearer than a second to the cut at 10: the window begins at the cut.
    found = windows_of(shots(0, 10, 40), Span(0, 40), SETTINGS, keys=[Span(10.4, 14.4)])
    assert found[:2] == (Span(0, 10), Span(10, 14.4))


def test_tiny_shots_join_the_one_before_and_at_the_end_as_well() -> None:
    film, settings = Span(0, 30), replace(SETTINGS, longest_s=100.0)
    assert windows_of(shots(0, 0.4, 10, 29.5, 30), film, settings) == (Span(0, 10), Span(10, 30))
    assert windows_of((), film, settings) == (film,)
    # Shots of other parts of a file are none of this stretch.
    assert windows_of(shots(0, 10, 40, 60), Span(5, 20), settings) == (Span(5, 10), Span(10, 20))


def test_bins_are_read_with_shots_that_are_whole() -> None:
    bins = bins_of(tuple(shots(0, 10, 10.4, 20)), Span(0, 20), SETTINGS)
    assert bins.shots_s.T.tolist() == [[0, 10], [10, 20]]

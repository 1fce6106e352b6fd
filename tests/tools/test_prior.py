"""The belief before any look, from what the vectors say."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.types import Span
from tools.prior import Bins, PriorSettings, Scores, leaning, prior_from_scores, robust_z

FILM = Span(0, 100)
SETTINGS = PriorSettings(absent=0.2)
BINS = Bins.of(FILM, [], longest_s=16)


def shots(*edges: float) -> list[Span]:
    return [Span(a, b) for a, b in itertools.pairwise(edges)]


def row_scores(values: Sequence[float]) -> Scores:
    """One row at the beginning of each second."""
    return Scores(np.arange(len(values), dtype=float), np.array(values, np.float32))


def peaked_scores(at_s: int, height: float = 0.3) -> Scores:
    rng = np.random.default_rng(0)
    values = rng.normal(0, 0.01, 100).astype(np.float32)
    values[at_s] = height
    return Scores(np.arange(100), values)


def test_no_scores_make_an_even_flat_prior() -> None:
    prior = prior_from_scores(BINS, [], settings=SETTINGS)
    assert prior.flat
    assert prior.belief.weights == pytest.approx(np.full(100, 0.008))


def test_a_clear_peak_gets_most_of_what_the_floor_leaves() -> None:
    prior = prior_from_scores(BINS, [[peaked_scores(40)]], settings=SETTINGS)
    assert not prior.flat
    # (1 - absent) · (1 - floor) = 0.72, and the floor's even share of one bin.
    assert prior.belief.mass(Span(40, 41)) == pytest.approx(0.72 + 0.8 * 0.1 / 100, abs=2e-3)


def test_the_best_cosine_is_read_in_any_stretch() -> None:
    bins = Bins.of(FILM, shots(0, 38, 44, 100), longest_s=16)
    prior = prior_from_scores(bins, [[peaked_scores(40)]], settings=SETTINGS)
    assert prior.best == prior.best_in(FILM) == prior.best_in(Span(38, 44))
    # A stretch between two middles is read where it is.
    assert prior.best_in(Span(41.6, 41.8)) == prior.best
    assert prior.best_in(Span(60, 70)) < prior.best / 5


def test_scores_of_one_value_are_flat_and_do_not_divide_by_zero() -> None:
    same = Scores(np.arange(100), np.full(100, 0.25, np.float32))
    prior = prior_from_scores(BINS, [[same]], settings=SETTINGS)
    assert prior.flat
    assert prior.belief.weights == pytest.approx(
        prior_from_scores(BINS, [], settings=SETTINGS).belief.weights
    )


def test_options_count_by_their_best() -> None:
    prior = prior_from_scores(BINS, [[peaked_scores(10), peaked_scores(70)]], settings=SETTINGS)
    # Both stand out: together they have what the floor leaves, and nearly the same each.
    one, other = (prior.belief.mass(Span(t, t + 1)) for t in (10, 70))
    assert one + other == pytest.approx(0.72, abs=0.02)
    assert 0.5 < one / other < 2


def test_robust_z_is_not_moved_by_its_outlier() -> None:
    # Median 0, median distance 1, so sigma is 1.4826 whatever the outlier is.
    z = robust_z(np.array([-1, -1, 0, 0, 1, 1, 1000], np.float32))
    assert z[-1] == pytest.approx(1000 / 1.4826)


def test_a_shot_is_as_likely_as_another_however_long_it_is() -> None:
    bins = Bins.of(FILM, shots(0, 4, 16, 100), longest_s=16)
    belief = prior_from_scores(bins, [], settings=SETTINGS).belief
    short, long = belief.mass(Span(0, 4)), belief.mass(Span(4, 16))
    assert short == pytest.approx(long)
    # What takes several looks counts about as often: 84 s are 5.25 looks of 16 s.
    assert belief.mass(Span(16, 100)) / short == pytest.approx(84 / 16)
    assert belief.mass(Span(40, 56)) == pytest.approx(short)


def test_one_odd_second_speaks_for_a_shot_less_than_all_of_its_seconds() -> None:
    values = [-0.05, 0.05] * 50
    values[20:30] = [0.2] * 10
    values[65] = 0.22
    bins = Bins.of(FILM, shots(0, 20, 30, 60, 70, 100), longest_s=16)
    prior = prior_from_scores(bins, [[row_scores(values)]], settings=replace(SETTINGS, floor=0.0))
    assert prior.belief.mass(Span(20, 30)) > 10 * prior.belief.mass(Span(60, 70))
    assert prior.best == prior.best_in(Span(20, 30)) == pytest.approx(0.2)
    # One of ten: its soft maximum lies 0.5 sigma · ln 10 below it, a little less for the others.
    sigma = 1.4826 * float(np.median(np.abs(values - np.median(values))))
    lowest = 0.22 - 0.5 * sigma * np.log(10)
    assert lowest < prior.best_in(Span(60, 70)) < lowest + 0.5 * sigma


def test_the_soft_maximum_lies_between_the_mean_and_the_best() -> None:
    # The shot from 4 to 8 s has these, all others nothing.
    z = np.zeros(100)
    z[5:7] = 1.0, 3.0
    bins = Bins.of(FILM, shots(0, 4, 8, 100), longest_s=16)
    for pool, soft in ((0.01, 3.0), (100.0, 1.0)):
        assert bins.pooled(z, pool=pool)[0][4:8] == pytest.approx(np.full(4, soft), abs=0.02)
    soft_max, parts = bins.pooled(z, pool=0.5)
    # 0.5 ln((e^0 + e^2 + e^6 + e^0) / 4)
    expected = 0.5 * np.log((2 + np.exp(2) + np.exp(6)) / 4)
    assert soft_max[4:8] == pytest.approx(np.full(4, expected))
    assert soft_max[:4] == pytest.approx(np.zeros(4), abs=1e-9)
    assert (parts[4:8].sum(), parts[:4].sum()) == pytest.approx((1.0, 1.0))
    # 92 s are 5.75 windows.
    assert parts[8:].sum() == pytest.approx(92 / 16, rel=0.05)


def test_a_row_says_nothing_for_the_shot_beside_it() -> None:
    values = [0.0, 0.01] * 50
    values[49] = 0.3
    bins = Bins.of(FILM, shots(0, 49.5, 100), longest_s=16)
    prior = prior_from_scores(bins, [[row_scores(values)]], settings=SETTINGS)
    assert prior.best_in(Span(40, 49.5)) > 0.25
    assert prior.best_in(Span(49.5, 60)) < 0.02


def test_what_has_no_row_says_nothing() -> None:
    """A part that could not be decoded must not speak with the row beside it."""
    values = np.array([0.0, 0.05] * 50, np.float32)
    values[18], values[19] = 0.2, 0.3
    rows = np.concatenate([np.arange(20), np.arange(60, 100)])
    scores = Scores(rows.astype(float), values[rows])
    for cuts in ((0, 100), (0, 20, 30, 40, 50, 60, 100)):
        bins = Bins.of(FILM, shots(*cuts), longest_s=16)
        prior = prior_from_scores(bins, [[scores]], settings=replace(SETTINGS, floor=0.0))
        assert prior.belief.mass(Span(8, 20)) > 20 * prior.belief.mass(Span(22, 58))
        assert prior.best_in(Span(35, 55)) < 0.06 < prior.best
    # A lane without any row is none.
    assert prior_from_scores(
        bins, [[Scores(np.zeros(0), np.zeros(0, np.float32))]], settings=SETTINGS
    ).flat


def test_pooling_is_the_soft_maximum_of_each_window_also_where_windows_share_bins() -> None:
    film = Span(0, 100)
    bins = Bins.of(film, [Span(0, 7.5), Span(7.5, 70), Span(70, 100)], longest_s=16)
    z = np.random.default_rng(0).normal(0, 3, len(bins.shot_of))
    soft, parts = bins.pooled(z, pool=0.5)
    logs = z / 0.5 + np.log(np.diff(bins.edges_s))
    for b, (first, end) in enumerate(bins.windows[bins.window_of]):
        whole = np.logaddexp.reduce(logs[first:end])
        length_s = bins.edges_s[end] - bins.edges_s[first]
        assert soft[b] == pytest.approx(0.5 * (whole - np.log(length_s)))
        assert parts[b] == pytest.approx(np.exp(logs[b] - whole))


def test_a_far_part_of_a_long_take_is_read_by_itself() -> None:
    values = np.array([0.0, 0.01] * 300, np.float32)
    values[100:106] = 0.9
    film = Span(0, 600)
    bins = Bins.of(film, [], longest_s=16)
    for pool in (0.5, 0.01):
        settings = replace(SETTINGS, pool=pool)
        prior = prior_from_scores(bins, [[row_scores(values.tolist())]], settings=settings)
        assert prior.best_in(Span(400, 416)) <= 0.011
        assert prior.belief.mass(Span(100, 106)) > 0.7
    # A take is as likely as it holds windows, also beside what stands out of it.
    assert bins.pooled(np.zeros(600), pool=0.5)[1].sum() == pytest.approx(600 / 16)


def test_a_film_may_begin_later_and_be_short() -> None:
    film = Span(50, 60)
    bins = Bins.of(film, [Span(50, 57), Span(57, 60)], longest_s=16)
    assert bins.edges_s[0] == 50
    assert bins.edges_s[-1] == 60
    assert len(bins.edges_s) == 34
    scores = Scores(np.arange(50, 60, dtype=float), np.array([0] * 7 + [0.3] * 3, np.float32))
    prior = prior_from_scores(bins, [[scores]], settings=SETTINGS)
    assert prior.belief.mass(Span(57, 60)) > 5 * prior.belief.mass(Span(50, 57))


def test_bins_end_at_cuts_and_are_fine_in_a_short_film() -> None:
    assert len(Bins.of(Span(0, 4), [], longest_s=16).edges_s) == 33
    assert len(Bins.of(Span(0, 3600), [], longest_s=16).edges_s) == 3601
    edges = Bins.of(FILM, shots(0, 10.5, 20.02, 100), longest_s=16).edges_s
    # The cut at 20.02 s takes the place of the second's edge.
    assert {10.0, 10.5, 11.0, 20.02}.issubset(edges.tolist())
    assert 20.0 not in edges
    assert len(edges) == 102


@given(
    st.lists(st.floats(0.5, 99.5), max_size=30, unique=True),
    st.lists(st.floats(-0.25, 0.75, width=32), min_size=100, max_size=100),
    st.floats(0.05, 2.0),
)
def test_any_cuts_and_scores_make_a_distribution(
    cuts: list[float], values: list[float], pool: float
) -> None:
    bins = Bins.of(FILM, shots(0, *sorted(cuts), 100), longest_s=16)
    settings = replace(SETTINGS, pool=pool)
    prior = prior_from_scores(bins, [[row_scores(values)]], settings=settings)
    belief = prior.belief
    assert float(belief.weights.sum()) + belief.absent == pytest.approx(1.0)
    assert belief.weights.min() > 0
    assert np.isfinite(prior.cosines).all()
    assert min(values) - 1e-3 <= prior.best <= max(values) + 1e-3


def test_a_temperature_of_nothing_is_refused() -> None:
    for name in ("temperature", "pool", "flat_temperature"):
        with pytest.raises(ValueError, match=f"survey.prior.{name}"):
            PriorSettings(**{name: 0.0})


def test_a_belief_leans_to_the_side_of_what_came_before() -> None:
    anchor = prior_from_scores(BINS, [[peaked_scores(50)]], settings=SETTINGS)
    flat = prior_from_scores(BINS, [], settings=SETTINGS)
    for side, here, there in (("after", 80, 20), ("before", 20, 80), ("during", 52, 5)):
        belief = leaning(flat, anchor, side=side, settings=SETTINGS).belief
        assert belief.mass(Span(here, here + 1)) > 5 * belief.mass(Span(there, there + 1))
        assert belief.mass(Span(there, there + 1)) > 0
        assert belief.weights.sum() + belief.absent == pytest.approx(1.0)


def test_the_height_of_the_best_cosine_speaks_for_presence_where_that_was_fitted() -> None:
    # A shot of one second: its soft maximum is its cosine.
    peak = Bins.of(FILM, shots(0, 40, 41, 100), longest_s=16)
    fitted = replace(SETTINGS, presence_slope=20.0, presence_cosine=0.3)
    high = prior_from_scores(peak, [[peaked_scores(40, height=0.4)]], settings=fitted).belief
    low = prior_from_scores(peak, [[peaked_scores(40, height=0.2)]], settings=fitted).belief
    # A ratio of e^2 for and against: 0.2 / (0.2 + 0.8 e^2) and 0.2 / (0.2 + 0.8 e^-2).
    assert high.absent == pytest.approx(0.0327, abs=1e-3)
    assert low.absent == pytest.approx(0.6488, abs=1e-2)


def test_rows_are_read_at_their_own_times_also_after_others() -> None:
    """Which row a bin reads is kept for the times asked about last."""
    bins = Bins.of(FILM, shots(0, 50, 100), longest_s=16)
    seconds, halves = np.arange(100.0), np.arange(200) / 2
    other = np.arange(100.0) + 0.4
    first = [bins.at(times, times.copy()) for times in (seconds, halves, other)]
    again = [bins.at(times, times.copy()) for times in (other, seconds, halves)]
    for a, b in zip(first, [again[1], again[2], again[0]], strict=True):
        assert a.tolist() == b.tolist()
    assert bins.at(seconds, -seconds).tolist() == (-first[0]).tolist()

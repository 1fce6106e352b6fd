"""The belief over a film's seconds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.types import Span
from tools.belief import (
    Belief,
    PriorSettings,
    Scores,
    Update,
    bin_edges,
    leaning,
    look_gain_bits,
    prior_from_scores,
    robust_z,
    updated,
)

FILM = Span(0, 100)
SETTINGS = PriorSettings(absent=0.2, smooth_s=0.0)


def even(absent: float = 0.2) -> Belief:
    return Belief(np.linspace(0, 100, 101), np.full(100, (1 - absent) / 100), absent)


def peaked_scores(at_s: int, height: float = 0.3) -> Scores:
    rng = np.random.default_rng(0)
    values = rng.normal(0, 0.01, 100).astype(np.float32)
    values[at_s] = height
    return Scores(np.arange(100) + 0.5, values)


def test_no_scores_make_an_even_flat_prior() -> None:
    prior = prior_from_scores(FILM, [], settings=SETTINGS)
    assert prior.flat
    assert prior.belief.weights == pytest.approx(np.full(100, 0.008))


def test_a_clear_peak_gets_most_of_what_the_floor_leaves() -> None:
    prior = prior_from_scores(FILM, [[peaked_scores(40)]], settings=SETTINGS)
    assert not prior.flat
    # (1 - absent) · (1 - floor) = 0.72, and the floor's even share of one bin.
    assert prior.belief.mass(Span(40, 41)) == pytest.approx(0.72 + 0.8 * 0.1 / 100, abs=1e-3)


def test_the_best_cosine_is_read_in_any_stretch() -> None:
    prior = prior_from_scores(FILM, [[peaked_scores(40)]], settings=SETTINGS)
    assert prior.best == prior.best_in(Span(0, 100)) == prior.best_in(Span(40.2, 40.4))
    assert prior.best_in(Span(60, 70)) < prior.best / 5


def test_scores_of_one_value_are_flat_and_do_not_divide_by_zero() -> None:
    same = Scores(np.arange(100) + 0.5, np.full(100, 0.25, np.float32))
    prior = prior_from_scores(FILM, [[same]], settings=SETTINGS)
    assert prior.flat
    assert prior.belief.weights == pytest.approx(np.full(100, 0.008))


def test_options_count_by_their_best() -> None:
    prior = prior_from_scores(FILM, [[peaked_scores(10), peaked_scores(70)]], settings=SETTINGS)
    assert prior.belief.mass(Span(10, 11)) > 0.2
    assert prior.belief.mass(Span(70, 71)) > 0.2


def test_robust_z_is_not_moved_by_its_outlier() -> None:
    # Median 0, median distance 1, so sigma is 1.4826 whatever the outlier is.
    z = robust_z(np.array([-1, -1, 0, 0, 1, 1, 1000], np.float32))
    assert z[-1] == pytest.approx(1000 / 1.4826)


def test_an_empty_look_moves_belief_away_and_to_nowhere() -> None:
    before = even()
    after = updated(before, [Update(Span(0, 50), -2.0)])
    # Inside e^-2 · 0.4 = 0.0541, outside 0.4, nowhere 0.2; their sum is 0.6541.
    assert after.mass(Span(0, 50)) == pytest.approx(0.0541 / 0.6541, abs=1e-3)
    assert after.mass(Span(50, 100)) == pytest.approx(0.4 / 0.6541, abs=1e-3)
    assert after.absent == pytest.approx(0.2 / 0.6541, abs=1e-3)


def test_a_look_that_shows_it_takes_belief_from_nowhere() -> None:
    after = updated(even(), [Update(Span(40, 50), 4.0)])
    assert after.mass(Span(40, 50)) > 0.8
    assert after.absent < 0.2


def test_what_is_seen_reaches_its_neighbours_only_when_positive() -> None:
    up = updated(even(), [Update(Span(40, 50), 3.0)], related_gain=0.2, related_s=5.0)
    assert up.mass(Span(50, 51)) > up.mass(Span(80, 81))
    down = updated(even(), [Update(Span(40, 50), -3.0)], related_gain=0.2, related_s=5.0)
    assert down.mass(Span(50, 51)) == pytest.approx(down.mass(Span(80, 81)))


def test_part_of_a_bin_counts_by_its_share() -> None:
    assert even().mass(Span(10.0, 10.5)) == pytest.approx(0.004)


def test_the_profile_keeps_the_mass() -> None:
    profile = even().profile(n_bins=30)
    assert len(profile) == 30
    assert sum(profile) == pytest.approx(0.8, abs=1e-4)


def test_a_look_tells_most_about_a_coin_flip_and_nothing_about_certainty() -> None:
    assert look_gain_bits(0.0, judge_error=0.1) == pytest.approx(0.0)
    assert look_gain_bits(1.0, judge_error=0.1) == pytest.approx(0.0)
    # H(0.5) - H(0.1) = 1 - 0.469
    assert look_gain_bits(0.5, judge_error=0.1) == pytest.approx(0.531, abs=1e-3)


def test_a_short_film_has_fine_bins() -> None:
    assert len(bin_edges(Span(0, 4))) == 33
    assert len(bin_edges(Span(0, 3600))) == 3601


@given(
    st.lists(
        st.tuples(st.floats(0, 99), st.floats(0.05, 60), st.floats(-8, 8)), min_size=0, max_size=40
    )
)
def test_a_belief_stays_a_distribution_and_never_reaches_zero(
    looks: list[tuple[float, float, float]],
) -> None:
    updates = [Update(Span(a, min(100.0, a + n)), r) for a, n, r in looks]
    after = updated(even(), updates, related_gain=0.1)
    assert float(after.weights.sum()) + after.absent == pytest.approx(1.0)
    assert after.weights.min() > 0
    assert after.absent > 0


@given(st.permutations([(0, 30, -2.0), (20, 60, 1.5), (50, 55, 3.0), (90, 100, -4.0)]))
def test_the_order_of_looks_does_not_matter(looks: list[tuple[float, float, float]]) -> None:
    first = updated(even(), [Update(Span(0, 30), -2.0), Update(Span(20, 60), 1.5)])
    first = updated(first, [Update(Span(50, 55), 3.0), Update(Span(90, 100), -4.0)])
    mixed = updated(even(), [Update(Span(a, b), r) for a, b, r in looks])
    assert mixed.weights == pytest.approx(first.weights)


def test_a_belief_leans_to_the_side_of_what_came_before() -> None:
    anchor = prior_from_scores(FILM, [[peaked_scores(50)]], settings=SETTINGS)
    flat = prior_from_scores(FILM, [], settings=SETTINGS)
    for side, here, there in (("after", 80, 20), ("before", 20, 80), ("during", 52, 5)):
        belief = leaning(flat, anchor, side=side, settings=SETTINGS).belief
        assert belief.mass(Span(here, here + 1)) > 5 * belief.mass(Span(there, there + 1))
        assert belief.mass(Span(there, there + 1)) > 0
        assert belief.weights.sum() + belief.absent == pytest.approx(1.0)


def test_the_height_of_the_best_cosine_speaks_for_presence_where_that_was_fitted() -> None:
    fitted = replace(SETTINGS, presence_slope=20.0, presence_cosine=0.3)
    high = prior_from_scores(FILM, [[peaked_scores(40, height=0.4)]], settings=fitted).belief
    low = prior_from_scores(FILM, [[peaked_scores(40, height=0.2)]], settings=fitted).belief
    # A ratio of e^2 for and against: 0.2 / (0.2 + 0.8 e^2) and 0.2 / (0.2 + 0.8 e^-2).
    assert high.absent == pytest.approx(0.0327, abs=1e-3)
    assert low.absent == pytest.approx(0.6488, abs=1e-2)


def test_a_region_reaches_as_far_as_the_belief_holds_and_was_looked_at() -> None:
    weights = np.full(100, 0.001)
    weights[30:50] = 0.02
    belief = Belief(np.linspace(0, 100, 101), weights / weights.sum() * 0.8, 0.2)
    looked = [Span(35, 40), Span(40, 48)]
    assert belief.region(Span(35, 40), share=0.3, within=looked) == Span(35, 48)
    assert belief.region(Span(35, 40), share=0.3, within=[FILM]) == Span(30, 50)
    # Looks begin and end amid a bin, and so does what was seen; over a gap it does not go.
    looked = [Span(35.5, 39.5), Span(39.5, 44.25), Span(44.5, 49)]
    assert belief.region(Span(35.5, 39.5), share=0.3, within=looked) == Span(35.5, 44.25)

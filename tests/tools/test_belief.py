"""The belief over a film's seconds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.types import Span
from tools.belief import Belief, Update, look_gain_bits, updated
from tools.keyclips import anchors

FILM = Span(0, 100)


def even(absent: float = 0.2) -> Belief:
    return Belief(np.linspace(0, 100, 101), np.full(100, (1 - absent) / 100), absent)


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


def test_bins_of_unequal_length_are_compared_by_the_second() -> None:
    # Bins end at cuts: a sliver holds little however dense it is.
    edges = np.array([0.0, 1.0, 1.1, 2.0, 3.0])
    belief = Belief(edges, np.array([0.2, 0.06, 0.36, 0.18]), 0.2)
    assert belief.densities == pytest.approx([0.2, 0.6, 0.4, 0.18])
    assert belief.heaviest_s(Span(0, 3)) == pytest.approx(1.05)
    assert belief.region(Span(1, 1.1), share=0.5, within=[Span(0, 3)]) == Span(1, 2)


def test_rounding_makes_no_peaks() -> None:
    # Of a length that is no whole number of seconds, densities differ in their last digit.
    edges = np.linspace(0, 1812.37, 1814)
    weights = np.diff(edges) / 1812.37 * 0.8
    belief = Belief(edges, weights, 0.2)
    assert len(set(belief.densities.tolist())) > 1
    assert anchors(belief.middles_s, belief.curve, limit=2000) == anchors(
        belief.middles_s, np.ones(1813), limit=2000
    )

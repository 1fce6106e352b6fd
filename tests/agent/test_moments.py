"""How many moments, and in which windows: worked out by hand where that can be done."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.moments import moments_of
from agent.settings import SeveralSettings

SETTINGS = SeveralSettings(prior_mean=2.0, prior_shape=1.0)
"""An exponential prior: density 0.5 · exp(-rate / 2)."""


def test_the_whole_film_in_one_window_is_worth_its_own_ratio() -> None:
    seen = moments_of([1.0], [1.5], settings=SETTINGS)
    assert seen.log_ratio == pytest.approx(1.5)
    # Where the film holds some, they are in the only window.
    assert seen.chances == (pytest.approx(1.0),)


def test_nothing_seen_leaves_the_prior() -> None:
    seen = moments_of([], [], settings=SETTINGS)
    assert seen.log_ratio == pytest.approx(0.0)
    # E[r (1 - exp(-r))] / E[1 - exp(-r)] = (2 - 0.5 / 1.5²) / (1 - 0.5 / 1.5)
    assert seen.rate == pytest.approx((2 - 0.5 / 2.25) / (2 / 3), rel=0.01)


def test_two_sure_moments_in_half_of_the_belief() -> None:
    # Gamma prior (1, 0.5); two found while half was looked at: gamma (3, 1.0).
    seen = moments_of([0.01, 0.01, 0.48], [20.0, 20.0, -20.0], settings=SETTINGS)
    assert seen.chances == pytest.approx((1.0, 1.0, 0.0), abs=1e-3)
    assert seen.rate == pytest.approx(3.0, rel=0.02)
    assert seen.none_in(0.5) == pytest.approx((1.0 / 1.5) ** 3, rel=0.02)
    assert seen.none_in(0.0) == pytest.approx(1.0)


def test_one_yes_among_many_empty_windows_proves_little() -> None:
    """The best of twenty looks is not as good as a look at the only place there is."""
    masses, yes, no = [0.05] * 20, 3.0, -3.0
    alone = moments_of(masses[:1], [yes], settings=SETTINGS)
    among = moments_of(masses, [yes] + [no] * 19, settings=SETTINGS)
    assert among.log_ratio < 0 < alone.log_ratio < yes
    assert among.chances[0] > 0.5, "if the film holds any, that is the one"


def test_what_one_window_shows_is_likelier_beside_others_that_show_it() -> None:
    single = moments_of([0.1] * 4, [1.0, -3.0, -3.0, -3.0], settings=SETTINGS)
    several = moments_of([0.1] * 4, [1.0, 6.0, 6.0, 6.0], settings=SETTINGS)
    assert several.chances[0] > single.chances[0]


def test_a_film_that_was_seen_empty_holds_none() -> None:
    seen = moments_of([1.0], [-800.0], settings=SETTINGS)
    assert seen.log_ratio < -20
    assert seen.chances == (pytest.approx(0.0, abs=1e-6),)


@given(
    st.lists(st.tuples(st.floats(1e-6, 1.0), st.floats(-6, 6)), min_size=1, max_size=32),
    st.floats(0.01, 3),
)
def test_chances_are_probabilities_and_more_evidence_says_more(
    windows: list[tuple[float, float]], more: float
) -> None:
    total = max(1.0, sum(m for m, _ in windows))
    masses, ratios = [m / total for m, _ in windows], [r for _, r in windows]
    seen = moments_of(masses, ratios, settings=SeveralSettings())
    assert all(0 <= c <= 1 + 1e-9 for c in seen.chances)
    assert float(seen.shares.sum()) == pytest.approx(1.0)
    assert math.isfinite(seen.log_ratio)
    better = moments_of(masses, [ratios[0] + more, *ratios[1:]], settings=SeveralSettings())
    assert better.log_ratio > seen.log_ratio
    assert better.chances[0] > seen.chances[0] - 1e-9

"""How many moments there are, and in which windows, when any number of them may be.

The film holds none, or it holds one and more; then their number is Poisson at an unknown rate (a
gamma prior), spread as the prior belief is. A window of prior mass m shows one with probability
q = 1 - exp(-rate · m), and its looks say a likelihood ratio r for that. All windows together say

    P(seen | rate) / P(seen | none) = Π (1 - q + q · r)

and the case that a film of this rate holds none after all, exp(-rate), is taken out of it. So a
window that looks like one of the moments counts for less where the other windows are empty, and one
lucky "yes" among twenty windows is no proof that the film holds any.

Source: Generalized Moment Retrieval (all moments or none). Ours differs: a posterior of their
number, with a statement about what was not seen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.settings import SeveralSettings

_Values = NDArray[np.float64]

_N_RATES = 240
_LOWEST, _HIGHEST = 1e-3, 20.0
"""Rates between these multiples of the expected one are added up, at even steps of their logarithm:
outside lie less than a thousandth of a gamma prior of shape 1."""

_LEAST = 1e-12
"""A smaller share is rounding."""


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """What is believed of the moments after some windows were looked at."""

    log_ratio: float
    """Natural log of P(seen | the film holds some) / P(seen | it holds none)."""
    chances: tuple[float, ...]
    """P(a window shows one | the film holds some), in the windows' order."""
    rates: _Values
    """(R,) numbers of moments in the whole film, ascending."""
    shares: _Values
    """(R,) probability of each, given that the film holds some; they sum to 1."""

    @property
    def rate(self) -> float:
        """Expected number of moments in the whole film, given that it holds some."""
        return float(self.rates @ self.shares)

    def none_in(self, share: float) -> float:
        """Probability that a part of this share of the prior belief, unseen so far, holds none."""
        return float(np.exp(-self.rates * min(max(share, 0.0), 1.0)) @ self.shares)


def moments_of(
    masses: Sequence[float], log_ratios: Sequence[float], *, settings: SeveralSettings
) -> Moments:
    """The posterior after looks at separate windows.

    Args:
        masses: share of the prior belief inside each window, together at most 1.
        log_ratios: what each window's looks say for a moment there (natural log).
    """
    rates, prior = _rates(settings)
    q = -np.expm1(-np.outer(rates, np.asarray(masses, float)))
    ratios = np.exp(np.asarray(log_ratios, float))
    each = 1 + q * (ratios - 1)
    seen = np.prod(each, axis=1)
    nowhere = np.exp(-rates)
    # A part is never emptier than the whole, so `seen` is below `nowhere` by rounding alone.
    some = prior * np.maximum(seen - nowhere, 0.0)
    total = float(some.sum())
    if total < _LEAST:
        # Everything was looked at and nothing of it can be one.
        return Moments(math.log(_LEAST), (0.0,) * len(masses), rates, prior)
    shows = (prior * seen)[:, None] * q * ratios / each
    return Moments(
        log_ratio=math.log(total / float(prior @ (1 - nowhere))),
        chances=tuple(float(c) for c in shows.sum(axis=0) / total),
        rates=rates,
        shares=some / total,
    )


def _rates(settings: SeveralSettings) -> tuple[_Values, _Values]:
    """Rates and their prior shares: gamma of the settings' shape and mean."""
    multiples = np.geomspace(_LOWEST, _HIGHEST, _N_RATES)
    rates = multiples * settings.prior_mean
    # Even steps of the logarithm: the density times the rate.
    weights = rates**settings.prior_shape * np.exp(-settings.prior_shape * multiples)
    return rates, weights / weights.sum()

"""A belief over the seconds of a film: where is the evidence, or is it nowhere?

Reading: exactly one hypothesis is true, "the evidence is in bin t" for one bin of the film, or
"the film does not hold it". The vectors give the prior (tools/prior.py). Each look multiplies the
bins that it covered by a likelihood ratio, and everything is normalised again (Bayes' rule). So an
empty look moves probability from its span to all other seconds *and* to "nowhere", and a look that
shows the evidence does the opposite. No ratio is zero: nothing is dropped for good.

A question with several moments breaks "exactly one"; the masses then only rank what to look at.

Source: T*, arXiv 2504.02259 (a distribution over seconds, spread to neighbours). Ours differs: a
posterior instead of a quartile, updates in both directions, a mass for "nowhere".
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.types import Seconds, Span

Weights = NDArray[np.float64]

# What reaches the seconds beside a finding has fallen to e^-this further out: nothing.
_MOST_REACH = 20


@dataclass(frozen=True, slots=True, eq=False)
class Belief:
    """Probabilities over the bins of a film and "nowhere"; they sum to 1."""

    edges_s: Seconds
    """(B + 1,) ascending; bin i is [edges_s[i], edges_s[i + 1])."""
    weights: Weights
    """(B,) probability that the evidence is in each bin, all above zero."""
    absent: float
    """Probability that it is nowhere in the film, above zero."""

    @property
    def middles_s(self) -> Seconds:
        """(B,) the middle of each bin."""
        return middles_of(self.edges_s)

    @property
    def densities(self) -> Weights:
        """(B,) probability a second: bins end at cuts, so they are not equally long."""
        return np.asarray(self.weights / np.diff(self.edges_s), dtype=np.float64)

    @property
    def curve(self) -> Weights:
        """(B,) the densities, the highest being 1, to nine digits: rounding must make no peak."""
        densities = self.densities
        return np.asarray(np.round(densities / densities.max(), 9), dtype=np.float64)

    def mass(self, span: Span) -> float:
        """Probability that the evidence is inside `span`."""
        return float(self.masses([span])[0])

    def masses(self, spans: Sequence[Span]) -> Weights:
        """(N,) probability that the evidence is inside each span."""
        return self.masses_between(bounds_s(spans))

    def masses_between(self, stretches_s: NDArray[np.float64]) -> Weights:
        """(N,) probability that the evidence is inside each stretch, (N, 2) from and to."""
        cumulative = np.concatenate([[0.0], np.cumsum(self.weights)])
        low, high = (np.interp(stretches_s[:, i], self.edges_s, cumulative) for i in (0, 1))
        return np.asarray(np.maximum(high - low, 0.0), dtype=np.float64)

    def region(self, span: Span, *, share: float, within: Sequence[Span]) -> Span:
        """The stretch around a span where the belief holds.

        It grows from the span's best bin to both sides while the density is at least `share` of
        that of the whole span; it stays inside the spans of `within` that touch it, also where
        those begin or end amid a bin.
        """
        edges, densities = self.edges_s, self.densities
        inside = _coverage(edges, span) > 0
        least = share * float(self.weights[inside].sum() / np.diff(edges)[inside].sum())
        allowed = np.max([_coverage(edges, s) > 0 for s in (span, *within)], axis=0)
        good = allowed & (densities >= least)
        low = high = int(np.flatnonzero(inside)[np.argmax(densities[inside])])
        while low > 0 and good[low - 1]:
            low -= 1
        while high < len(densities) - 1 and good[high + 1]:
            high += 1
        return Span(float(edges[low]), float(edges[high + 1])).clamp(_joined(span, within)) or span

    def heaviest_s(self, span: Span) -> float:
        """The middle of the densest bin that a span touches, inside the span."""
        touched = np.flatnonzero(_coverage(self.edges_s, span) > 0)
        best = int(touched[np.argmax(self.densities[touched])])
        return min(max(float(self.middles_s[best]), span.start_s), span.end_s)

    def with_absent(self, absent: float) -> Belief:
        """The same places, with another probability, below 1, that it is nowhere in the film."""
        scale = (1 - absent) / float(self.weights.sum())
        return Belief(self.edges_s, self.weights * scale, absent)

    def profile(self, *, n_bins: int) -> tuple[float, ...]:
        """The belief as at most `n_bins` masses of equal stretches, for a trace."""
        n_bins = min(n_bins, len(self.weights))
        cumulative = np.concatenate([[0.0], np.cumsum(self.weights)])
        cuts = np.interp(
            np.linspace(self.edges_s[0], self.edges_s[-1], n_bins + 1), self.edges_s, cumulative
        )
        return tuple(round(float(m), 6) for m in np.diff(cuts))


@dataclass(frozen=True, slots=True)
class Update:
    """What one look says about a span."""

    span: Span
    log_ratio: float
    """Natural log of P(observation | evidence here) / P(observation | not here)."""


def updated(
    belief: Belief, updates: Iterable[Update], *, related_gain: float = 0.0, related_s: float = 8.0
) -> Belief:
    """The posterior after some looks.

    Args:
        related_gain: share of a positive log ratio that reaches the seconds right beside the
            span, falling off over `related_s` seconds: what is related is near. An empty look
            says nothing about its neighbours.
    """
    log_weights = np.log(belief.weights)
    for update in updates:
        spreads = update.log_ratio > 0 and related_gain > 0
        # Only the bins that it can move: a film of ten hours has a hundred times as many.
        touched = _bins(belief.edges_s, update.span, around_s=spreads * _MOST_REACH * related_s)
        edges = belief.edges_s[touched.start : touched.stop + 1]
        reach = _coverage(edges, update.span)
        if spreads:
            middles = middles_of(edges)
            gap_s = np.maximum(update.span.start_s - middles, middles - update.span.end_s)
            near = related_gain * np.exp(-np.maximum(gap_s, 0.0) / related_s)
            reach = np.maximum(reach, near)
        # A bin that is partly covered holds the evidence in the covered part by that share.
        log_weights[touched] += np.log1p(reach * np.expm1(update.log_ratio))
    return _normalised(belief.edges_s, log_weights, math.log(belief.absent))


def bounds_s(spans: Sequence[Span]) -> NDArray[np.float64]:
    """(N, 2) where spans begin and end."""
    flat = [edge for span in spans for edge in (span.start_s, span.end_s)]
    return np.array(flat, dtype=np.float64).reshape(-1, 2)


def middles_of(edges_s: Seconds) -> Seconds:
    """(B,) the middles of bins with these (B + 1,) edges."""
    return (edges_s[:-1] + edges_s[1:]) / 2


def look_gain_bits(mass: float, *, judge_error: float) -> float:
    """Expected information, in bits, of judging a window that holds `mass`.

    The judge is a binary channel that errs with probability `judge_error`:
    H(m(1 - e) + (1 - m)e) - H(e).
    """
    m = min(max(mass, 0.0), 1.0)
    gain = _entropy2(m * (1 - judge_error) + (1 - m) * judge_error) - _entropy2(judge_error)
    return max(0.0, gain)


def _entropy2(p: float) -> float:
    return 0.0 if p <= 0 or p >= 1 else -p * math.log2(p) - (1 - p) * math.log2(1 - p)


def _bins(edges_s: Seconds, span: Span, *, around_s: float) -> slice:
    """The bins that touch a span, or what lies at most `around_s` beside it."""
    first = int(np.searchsorted(edges_s, span.start_s - around_s, side="right")) - 1
    end = int(np.searchsorted(edges_s, span.end_s + around_s, side="left"))
    return slice(max(0, first), min(len(edges_s) - 1, end))


def _joined(span: Span, others: Sequence[Span]) -> Span:
    """The stretch without a gap that holds `span` and all that touches it."""
    start_s, end_s = span.start_s, span.end_s
    for other in sorted(others, key=lambda s: s.end_s, reverse=True):
        start_s = other.start_s if other.end_s >= start_s > other.start_s else start_s
    for other in sorted(others):
        end_s = other.end_s if other.start_s <= end_s < other.end_s else end_s
    return Span(start_s, end_s)


def _coverage(edges_s: Seconds, span: Span) -> Weights:
    """(B,) share of each bin that lies inside `span`, 0..1."""
    shared = np.minimum(edges_s[1:], span.end_s) - np.maximum(edges_s[:-1], span.start_s)
    return np.clip(shared / np.diff(edges_s), 0.0, 1.0)


def _normalised(edges_s: Seconds, log_weights: Weights, log_absent: float) -> Belief:
    top = max(float(log_weights.max()), log_absent)
    # The tiny floor keeps every hypothesis alive through any number of empty looks.
    weights = np.maximum(np.exp(log_weights - top), 1e-12)
    absent = max(math.exp(log_absent - top), 1e-12)
    total = float(weights.sum()) + absent
    return Belief(edges_s, weights / total, absent / total)

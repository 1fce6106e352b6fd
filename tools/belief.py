"""A belief over the seconds of a film: where is the evidence, or is it nowhere?

Reading: exactly one hypothesis is true, "the evidence is in bin t" for one bin of the film, or
"the film does not hold it". The vectors give the prior: their height says whether it is there at
all, their shape where. Each look multiplies the bins that it covered by a likelihood ratio, and
everything is normalised again (Bayes' rule). So an empty look moves probability from its span to
all other seconds *and* to "nowhere", and a look that shows the evidence does the opposite. No
ratio is zero: nothing is dropped for good.

A question with several moments breaks "exactly one"; the masses then only rank what to look at.

Source: T*, arXiv 2504.02259 (a distribution over seconds, spread to neighbours). Ours differs: a
posterior instead of a quartile, updates in both directions, a mass for "nowhere".
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from index.types import Seconds, Span

Weights = NDArray[np.float64]

SIDES = ("after", "before", "during")
"""Where a belief may lean: to one side of something else, or beside it."""
_MAD_TO_SIGMA = 1.4826
# Below this a film's scores are one value up to rounding: a z-score would blow up noise.
_LEAST_SIGMA = 1e-6
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

    def mass(self, span: Span) -> float:
        """Probability that the evidence is inside `span`."""
        return float(self.masses([span])[0])

    def masses(self, spans: Sequence[Span]) -> Weights:
        """(N,) probability that the evidence is inside each span."""
        cumulative = np.concatenate([[0.0], np.cumsum(self.weights)])
        bounds = np.array([[s.start_s, s.end_s] for s in spans]).reshape(-1, 2)
        low, high = (np.interp(bounds[:, i], self.edges_s, cumulative) for i in (0, 1))
        return np.asarray(np.maximum(high - low, 0.0), dtype=np.float64)

    def region(self, span: Span, *, share: float, within: Sequence[Span]) -> Span:
        """The stretch around a span where the belief holds.

        It grows from the span's best bin to both sides while the weight is at least `share` of
        the mean inside the span; it stays inside the spans of `within` that touch it, also where
        those begin or end amid a bin.
        """
        edges, weights = self.edges_s, self.weights
        inside = _coverage(edges, span) > 0
        least = share * float(weights[inside].mean())
        allowed = np.max([_coverage(edges, s) > 0 for s in (span, *within)], axis=0)
        good = allowed & (weights >= least)
        low = high = int(np.flatnonzero(inside)[np.argmax(weights[inside])])
        while low > 0 and good[low - 1]:
            low -= 1
        while high < len(weights) - 1 and good[high + 1]:
            high += 1
        return Span(float(edges[low]), float(edges[high + 1])).clamp(_joined(span, within)) or span

    def heaviest_s(self, span: Span) -> float:
        """The middle of the heaviest bin that a span touches, inside the span."""
        touched = np.flatnonzero(_coverage(self.edges_s, span) > 0)
        best = int(touched[np.argmax(self.weights[touched])])
        middle_s = float(self.edges_s[best] + self.edges_s[best + 1]) / 2
        return min(max(middle_s, span.start_s), span.end_s)

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


@dataclass(frozen=True, slots=True)
class PriorSettings:
    """How scores become a prior: first where it would be, then whether it is there at all."""

    temperature: float = 0.25
    """Robust z-scores are divided by this before the exponential: how sharply the vectors place the
    evidence, given that the film holds it."""
    floor: float = 0.1
    """Share of evidence that the vectors do not see: its place is even over the film."""
    smooth_s: float = 0.5
    """Standard deviation of the smoothing over time."""
    flat_spread: float = 0.02
    """A film whose best cosine is less than this above its median one has a flat prior."""
    flat_temperature: float = 2.0
    """The temperature used then: the search widens."""
    absent: float = 0.2
    """Probability that the film does not hold the evidence, before any score is read."""
    presence_slope: float = 0.0
    """What a cosine says for "the film holds it": natural log of a likelihood ratio for each 1.0 of
    the best cosine above `presence_cosine`. Only where no fit of the encoder is kept; 0: it says
    nothing."""
    presence_cosine: float = 0.0
    """The best cosine that speaks neither for nor against; only where no fit is kept."""
    most_presence: float = 3.0
    """The vectors' word on presence weighs no more than e^±this."""
    lean_floor: float = 0.1
    """What is left of the belief on the wrong side of an anchor: its place is itself a guess."""
    during_s: float = 15.0
    """ "During" an anchor: so near to it."""


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """One cue's cosine with the pictures of a film."""

    times_s: Seconds
    values: NDArray[np.float32]
    """(N,) cosines."""
    weight: float = 1.0
    lane: str = ""
    """Which search the scores come from, for the trace."""


@dataclass(frozen=True, slots=True, eq=False)
class Prior:
    """A belief before any look, and how sure its scores were."""

    belief: Belief
    spread: float
    """Best cosine minus median cosine, the largest over the cues."""
    cosines: Weights
    """(B,) cosine of each bin, averaged over the groups of cues."""
    flat: bool

    @property
    def best(self) -> float:
        """The best cosine of any second."""
        return float(self.cosines.max())

    def best_in(self, span: Span) -> float:
        """The best cosine of the bins that a span touches."""
        return float(self.cosines[_bins(self.belief.edges_s, span, around_s=0.0)].max())


def bin_edges(film: Span) -> Seconds:
    """Edges of one-second bins; a film under 32 s gets 32 bins."""
    n_bins = max(32, math.ceil(film.duration_s))
    return np.linspace(film.start_s, film.end_s, n_bins + 1)


def robust_z(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """(v - median) / (1.4826 MAD): how far each value stands out of this film's own crowd.

    Zeros where all values are the same.
    """
    x = np.asarray(values, dtype=np.float64)
    centred = x - np.median(x)
    sigma = _MAD_TO_SIGMA * float(np.median(np.abs(centred)))
    if sigma < _LEAST_SIGMA:
        sigma = float(centred.std())
    return centred / sigma if sigma >= _LEAST_SIGMA else np.zeros_like(centred)


def prior_from_scores(
    film: Span, groups: Sequence[Sequence[Scores]], *, settings: PriorSettings
) -> Prior:
    """The prior belief of a film from cosines.

    Args:
        groups: cues that mean the same thing one way or another (the options of a question) form
            a group and count by their best; groups are averaged by the weight of their first cue.
            No groups, or empty ones: the prior is even.
    """
    edges = bin_edges(film)
    middles = (edges[:-1] + edges[1:]) / 2
    total, cosine, weight, spread = np.zeros(len(middles)), np.zeros(len(middles)), 0.0, 0.0
    for group in groups:
        lanes = [s for s in group if len(s.values)]
        if not lanes:
            continue
        rows = [np.interp(middles, s.times_s, robust_z(s.values)) for s in lanes]
        total += lanes[0].weight * np.max(rows, axis=0)
        cosine += lanes[0].weight * np.max(
            [np.interp(middles, s.times_s, s.values) for s in lanes], axis=0
        )
        weight += lanes[0].weight
        spread = max(spread, *(float(s.values.max() - np.median(s.values)) for s in lanes))
    flat = spread < settings.flat_spread
    sigma_bins = settings.smooth_s / float(edges[1] - edges[0])
    z, cosine = (_smooth(v / (weight or 1.0), sigma_bins) for v in (total, cosine))
    peaked = np.exp((z - z.max()) / (settings.flat_temperature if flat else settings.temperature))
    shares = (1 - settings.floor) * peaked / peaked.sum() + settings.floor / len(z)
    absent = _absent(float(cosine.max()), settings) if weight else settings.absent
    belief = Belief(edges, (1 - absent) * shares, absent)
    return Prior(belief, spread=spread, cosines=cosine, flat=flat)


def _absent(best_cosine: float, settings: PriorSettings) -> float:
    """P(the film does not hold it | its best cosine): Bayes' rule with the encoder's fit."""
    log_ratio = settings.presence_slope * (best_cosine - settings.presence_cosine)
    log_ratio = min(max(log_ratio, -settings.most_presence), settings.most_presence)
    return settings.absent / (settings.absent + (1 - settings.absent) * math.exp(log_ratio))


def leaning(prior: Prior, anchor: Prior, *, side: str, settings: PriorSettings) -> Prior:
    """The prior of something that comes after, before or during something else.

    Both places are uncertain, so P(the anchor came earlier), the sum of the anchor's own prior up
    to each bin, multiplies the belief there: p(t) · (floor + (1 − floor) · P(anchor before t)).
    """
    shares = anchor.belief.weights / anchor.belief.weights.sum()
    earlier = np.cumsum(shares) - shares / 2
    if side == "after":
        factor = earlier
    elif side == "before":
        factor = 1 - earlier
    else:
        edges = anchor.belief.edges_s
        reach = max(1, round(settings.during_s / float(edges[1] - edges[0])))
        near = np.convolve(np.pad(shares, reach, mode="edge"), np.ones(2 * reach + 1), "valid")
        factor = near / near.max()
    old = prior.belief
    weights = old.weights * (settings.lean_floor + (1 - settings.lean_floor) * factor)
    leant = Belief(old.edges_s, weights, old.absent).with_absent(old.absent)
    return replace(prior, belief=leant)


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
            middles = (edges[:-1] + edges[1:]) / 2
            gap_s = np.maximum(update.span.start_s - middles, middles - update.span.end_s)
            near = related_gain * np.exp(-np.maximum(gap_s, 0.0) / related_s)
            reach = np.maximum(reach, near)
        # A bin that is partly covered holds the evidence in the covered part by that share.
        log_weights[touched] += np.log1p(reach * np.expm1(update.log_ratio))
    return _normalised(belief.edges_s, log_weights, math.log(belief.absent))


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


def _smooth(values: Weights, sigma_bins: float) -> Weights:
    """A Gaussian moving average that keeps the ends at their own level."""
    if sigma_bins <= 0:
        return values
    reach = min(max(1, math.ceil(3 * sigma_bins)), len(values) - 1)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma_bins) ** 2)
    padded = np.pad(values, reach, mode="edge")
    return np.convolve(padded, kernel / kernel.sum(), mode="valid")

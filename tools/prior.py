"""What the vectors say before any look: where the evidence would be, and whether the film holds it.

A shot shows it or it does not. So before any vector is read every shot is as likely as another,
however long it is (one longer than a look counts as often as it holds looks), and the vectors speak
of a shot, not of its best second: a thing that spins or is half hidden looks like many things for
one second, and the more seconds a film has, the better the best of them.

    r(t) = τ log mean e^(z/τ)

over the seconds of the shot, or of a long one over those of a look around t, is a soft maximum of
z, which is how far a second's cosine stands out of the film's own crowd (τ → 0: the best second,
τ → ∞: the mean). The belief in a shot is e^(r/T), spread inside it as e^(z/τ). The best r, as a
cosine, says whether the film holds it at all.

Source: T*, arXiv 2504.02259 (scores of seconds as a distribution). Ours differs: shots and not
seconds, each film's own scale, and a mass for "nowhere".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from index.types import Seconds, Span
from tools.belief import Belief, Weights, middles_of

_Rows = tuple[NDArray[np.intp], NDArray[np.bool_]]

SIDES = ("after", "before", "during")
"""Where a belief may lean: to one side of something else, or beside it."""
_MAD_TO_SIGMA = 1.4826
# Below this a film's scores are one value up to rounding: a z-score would blow up noise.
_LEAST_SIGMA = 1e-6
# What float seconds may differ by.
_EPSILON_S = 1e-6
# Of a second's edge and a cut so near to each other the cut is kept.
_SLIVER_S = 0.05
# A row speaks for what is no further from it than so many of the usual gaps between rows: those
# that nine of ten are within, since clips are not equally long.
_ROW_REACH, _USUAL_SHARE = 1.5, 0.9


@dataclass(frozen=True, slots=True)
class PriorSettings:
    """How scores become a prior: first where it would be, then whether it is there at all."""

    temperature: float = 0.25
    """Robust z-scores of shots are divided by this before the exponential: how sharply the vectors
    place the evidence, given that the film holds it."""
    pool: float = 0.5
    """τ, in robust z-scores: how far the best second of a shot speaks for all of it."""
    floor: float = 0.1
    """Share of evidence that the vectors do not see: it is in any shot as likely as in another."""
    flat_spread: float = 0.02
    """A film whose best second's cosine is less than this above the median has a flat prior."""
    flat_temperature: float = 2.0
    """The temperature used then: the search widens."""
    absent: float = 0.2
    """Probability that the film does not hold the evidence, before any score is read."""
    presence_slope: float = 0.0
    """What a cosine says for "the film holds it": natural log of a likelihood ratio for each 1.0 of
    the best shot's cosine above `presence_cosine`. Only where no fit of the encoder is kept; 0: it
    says nothing."""
    presence_cosine: float = 0.0
    """The best shot's cosine that speaks neither for nor against; only where no fit is kept."""
    most_presence: float = 3.0
    """The vectors' word on presence weighs no more than e^±this."""
    lean_floor: float = 0.1
    """What is left of the belief on the wrong side of an anchor: its place is itself a guess."""
    during_s: float = 15.0
    """ "During" an anchor: so near to it."""

    def __post_init__(self) -> None:
        for name in ("temperature", "pool", "flat_temperature"):
            if getattr(self, name) <= 0:
                raise ValueError(f"survey.prior.{name} of {getattr(self, name)} is not above 0")


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
    """The best second's cosine minus the median one, the largest over the cues."""
    cosines: Weights
    """(B,) cosine of the shot around each bin (the soft maximum), averaged over the groups of
    cues."""
    flat: bool

    @property
    def best(self) -> float:
        """The best cosine of any shot."""
        return float(self.cosines.max())

    def best_in(self, span: Span) -> float:
        """The best cosine of the bins whose middle a span holds, else of the nearest one."""
        middles_s = self.belief.middles_s
        low, end = np.searchsorted(middles_s, [span.start_s, span.end_s])
        if low < end:
            return float(self.cosines[low:end].max())
        return float(self.cosines[np.abs(middles_s - span.middle_s).argmin()])


@dataclass(frozen=True, slots=True, eq=False)
class Bins:
    """The bins of a film: seconds, cut where its shots are cut; under 32 s there are finer ones.

    Each bin is read together with its window: its shot, or of a longer one the `longest_s` around
    it.
    """

    edges_s: Seconds
    """(B + 1,) ascending."""
    shots_s: NDArray[np.float64]
    """(2, S) where each shot begins and ends."""
    shot_of: NDArray[np.intp]
    """(B,) the shot that each bin lies in."""
    windows: NDArray[np.intp]
    """(W, 2) the bins of each window: [first, end)."""
    window_of: NDArray[np.intp]
    """(B,) the window that each bin is read with."""
    members: NDArray[np.intp]
    """The bins of the windows, one window after the other; those of a long shot share bins."""
    _kept: list[tuple[Seconds, _Rows]] = field(default_factory=list)
    """The rows of the bins at the times asked about last; threads may share it."""

    @classmethod
    def of(cls, film: Span, shots: Sequence[Span], *, longest_s: float) -> Bins:
        """The bins of a film.

        Args:
            shots: in order, without gap or overlap; none: the film is one.
            longest_s: the length of a window in a longer shot.
        """
        shots_s = np.array([(s.start_s, s.end_s) for s in (shots or [film])]).T
        edges_s = _edges(film, shots_s[0, 1:])
        middles_s = middles_of(edges_s)
        shot_of = np.clip(np.searchsorted(shots_s[0], middles_s, side="right") - 1, 0, None)
        start_s, end_s = shots_s[:, shot_of]
        # At the ends of a long shot the window stays as long.
        from_s = np.clip(middles_s - longest_s / 2, start_s, np.maximum(start_s, end_s - longest_s))
        to_s = np.minimum(from_s + longest_s, end_s)
        bounds = np.searchsorted(middles_s, np.stack([from_s, to_s], axis=1) - _EPSILON_S)
        new = np.diff(bounds, axis=0, prepend=-1).any(axis=1)
        windows = bounds[new]
        members = np.concatenate([np.arange(first, end) for first, end in windows])
        return cls(edges_s, shots_s, shot_of, windows, np.cumsum(new) - 1, members)

    @property
    def middles_s(self) -> Seconds:
        """(B,) the middle of each bin."""
        return middles_of(self.edges_s)

    @property
    def even(self) -> Weights:
        """(B,) shares of a film in which every shot is as likely as another; they sum to 1.

        A long one counts as often as it holds windows.
        """
        shares = np.diff(self.edges_s) / self._lengths_s()[self.window_of]
        return np.asarray(shares / shares.sum(), dtype=np.float64)

    def at(self, times_s: Seconds, values: Weights) -> Weights:
        """(B,) what the row nearest to each bin's middle says, of its own shot and not far off.

        0 where there is none, as in a part that could not be decoded.

        Args:
            times_s: (N,) ascending, one at least.
        """
        nearest, is_near = self._rows_at(times_s)
        return np.where(is_near, values[nearest], 0.0)

    def _rows_at(self, times_s: Seconds) -> _Rows:
        """(B,) the row of each bin, and whether it is of its shot and near; kept for these times,
        which are those of every cue."""
        for known_s, known in tuple(self._kept):
            if known_s is times_s:
                return known
        first, end = (np.searchsorted(times_s, edge)[self.shot_of] for edge in self.shots_s)
        has_rows = first < end
        last = np.where(has_rows, end - 1, 0)
        first = np.where(has_rows, first, 0)
        after = np.searchsorted(times_s, self.middles_s)
        around = np.clip(np.stack([after - 1, after]), first, last)
        gaps_s = np.abs(times_s[around] - self.middles_s)
        # Of two as near the earlier one: a row shows how its second begins.
        later = (gaps_s[0] > gaps_s[1] + _SLIVER_S).astype(np.intp)
        nearest, gap_s = (np.take_along_axis(a, later[None], 0)[0] for a in (around, gaps_s))
        usual_s = np.quantile(np.diff(times_s), _USUAL_SHARE) if len(times_s) > 1 else np.inf
        rows = nearest, has_rows & (gap_s <= _ROW_REACH * usual_s)
        self._kept[:] = [(times_s, rows), *self._kept[:1]]
        return rows

    def pooled(self, z: Weights, *, pool: float) -> tuple[Weights, Weights]:
        """(B,) the soft maximum of z in the window of each bin, and (B,) each bin's part of it.

        The parts of a shot sum to 1, those of a long one to about as many as it holds windows.
        """
        logs = z / pool + np.log(np.diff(self.edges_s))
        # From each window's highest: `logaddexp.reduceat` does the same half to a third as fast.
        inside = logs[self.members]
        counts = np.diff(self.windows)[:, 0]
        first = np.cumsum(counts) - counts
        tops = np.maximum.reduceat(inside, first)
        sums = tops + np.log(np.add.reduceat(np.exp(inside - np.repeat(tops, counts)), first))
        soft = pool * (sums - np.log(self._lengths_s()))
        return soft[self.window_of], np.exp(logs - sums[self.window_of])

    def _lengths_s(self) -> Seconds:
        return self.edges_s[self.windows[:, 1]] - self.edges_s[self.windows[:, 0]]


def _edges(film: Span, cuts_s: Seconds) -> Seconds:
    """Even bins of about a second, at least 32, and the cuts in them."""
    n_even = max(32, math.ceil(film.duration_s))
    even = np.linspace(film.start_s, film.end_s, n_even + 1)
    if not len(cuts_s):
        return even
    after = np.clip(np.searchsorted(cuts_s, even), 0, len(cuts_s) - 1)
    before = np.maximum(after - 1, 0)
    nearest_s = np.minimum(np.abs(cuts_s[after] - even), np.abs(even - cuts_s[before]))
    kept = nearest_s > _SLIVER_S
    kept[[0, -1]] = True
    return np.sort(np.concatenate([even[kept], cuts_s]))


def robust_z(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """(v - median) / (1.4826 MAD): how far each value stands out of this film's own crowd.

    Zeros where all values are the same.
    """
    return _z(values, *_crowd(values))


def _z(values: NDArray[np.float32], centre: float, sigma: float) -> NDArray[np.float64]:
    x = np.asarray(values, dtype=np.float64) - centre
    return x / sigma if sigma else np.zeros_like(x)


def _crowd(values: NDArray[np.float32]) -> tuple[float, float]:
    """The median and the robust sigma of some values; 0 where all are the same."""
    x = np.asarray(values, dtype=np.float64)
    centre = float(np.median(x))
    sigma = _MAD_TO_SIGMA * float(np.median(np.abs(x - centre)))
    if sigma < _LEAST_SIGMA:
        sigma = float((x - centre).std())
    return centre, sigma if sigma >= _LEAST_SIGMA else 0.0


def prior_from_scores(
    bins: Bins, groups: Sequence[Sequence[Scores]], *, settings: PriorSettings
) -> Prior:
    """The prior belief of a film from cosines.

    Args:
        groups: cues that mean the same thing one way or another (the options of a question) form
            a group and count by their best; groups are averaged by the weight of their first cue.
            No groups, or empty ones: every shot is as likely as another.
    """
    n_bins = len(bins.shot_of)
    seconds, places, cosine = np.zeros(n_bins), np.zeros(n_bins), np.zeros(n_bins)
    weight = spread = 0.0
    for group in groups:
        lanes = [s for s in group if len(s.values)]
        if not lanes:
            continue
        crowds = [_crowd(s.values) for s in lanes]
        rows = [bins.at(s.times_s, _z(s.values, *c)) for s, c in zip(lanes, crowds, strict=True)]
        pooled = [bins.pooled(row, pool=settings.pool)[0] for row in rows]
        here = [centre + sigma * r for (centre, sigma), r in zip(crowds, pooled, strict=True)]
        share = lanes[0].weight
        seconds += share * np.max(rows, axis=0)
        places += share * np.max(pooled, axis=0)
        cosine += share * np.max(here, axis=0)
        weight += share
        spread = max(
            [spread, *(float(s.values.max()) - c for s, (c, _) in zip(lanes, crowds, strict=True))]
        )
    seconds, places, cosine = (v / (weight or 1.0) for v in (seconds, places, cosine))
    flat = spread < settings.flat_spread
    temperature = settings.flat_temperature if flat else settings.temperature
    # Where nothing stands out among shots, nothing does inside them either.
    _, parts = bins.pooled(seconds, pool=max(settings.pool, temperature))
    peaked = parts * np.exp((places - places.max()) / temperature)
    shares = (1 - settings.floor) * peaked / peaked.sum() + settings.floor * bins.even
    absent = _absent(float(cosine.max()), settings) if weight else settings.absent
    belief = Belief(bins.edges_s, (1 - absent) * shares, absent)
    return Prior(belief, spread=spread, cosines=cosine, flat=flat)


def _absent(best_cosine: float, settings: PriorSettings) -> float:
    """P(the film does not hold it | its best shot's cosine): Bayes' rule with the encoder's fit."""
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
        edges, middles = anchor.belief.edges_s, anchor.belief.middles_s
        reached = np.concatenate([[0.0], np.cumsum(shares)])
        late, soon = (np.interp(middles + s * settings.during_s, edges, reached) for s in (1, -1))
        factor = (late - soon) / (late - soon).max()
    old = prior.belief
    weights = old.weights * (settings.lean_floor + (1 - settings.lean_floor) * factor)
    leant = Belief(old.edges_s, weights, old.absent).with_absent(old.absent)
    return replace(prior, belief=leant)

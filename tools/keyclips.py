"""Key clips: which stretches of a film to show, how long, how large, for so many tokens.

Anchors are the peaks between valleys of a relevance curve; an allocator gives every candidate clip
frames and size. The total, counted in the model's own tokens, never exceeds the budget, and what is
left is less than the cheapest step that is still open.

Source: F2C, arXiv 2510.02262 (anchors, lengths); Tempo (allocation by relevance, with a floor).
Ours differs: tokens are counted from the grid, pairs and time tags included, and left-over tokens
are spent until nothing more fits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from index.types import Seconds, Span, Vectors

Curve = NDArray[np.float64]


class TokenCounter(Protocol):
    """A model's price of one clip: visual and time-tag tokens, an upper bound."""

    def __call__(self, *, n_frames: int, width_px: int, height_px: int) -> int: ...


@dataclass(frozen=True, slots=True, order=True)
class ClipShape:
    """How a clip is shown."""

    n_frames: int
    width_px: int
    height_px: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """A span that wants tokens."""

    span: Span
    relevance: float
    shapes: tuple[ClipShape, ...]
    """Ways to show it, the plainest first; each further one should show more."""


@dataclass(frozen=True, slots=True)
class KeyClip:
    """A span and what the allocator gave it."""

    span: Span
    relevance: float
    shape: ClipShape
    tokens: int


def anchors(times_s: Seconds, scores: Curve, *, limit: int) -> list[int]:
    """Positions of at most `limit` peaks, in time order.

    Valleys of the curve cut the film into basins; a basin's highest point is its anchor. More
    than `limit`: the anchors' times are clustered (1-D k-means) and each cluster keeps its best,
    so that the peaks stay spread out.
    """
    if limit < 1 or len(scores) == 0:
        return []
    peaks = _basin_peaks(np.asarray(scores, dtype=np.float64))
    if len(peaks) <= limit:
        return [int(peak) for peak in peaks]
    labels = _cluster(np.asarray(times_s)[peaks], limit)
    best: dict[int, int] = {}
    for label, peak in zip(labels, map(int, peaks), strict=True):
        if label not in best or scores[peak] > scores[best[label]]:
            best[label] = peak
    return sorted(best.values())


@dataclass(frozen=True, slots=True)
class LengthSettings:
    """How long a clip around an anchor is."""

    lengths_s: tuple[float, ...] = (2.0, 4.0, 8.0, 16.0)
    """Lengths that are tried."""
    redundancy: float = 0.5
    """Weight of the mean cosine between the clip's seconds (F2C's value)."""
    longer: float = 0.05
    """What the longest clip gets on top, shorter ones in proportion (F2C's value)."""

    def __post_init__(self) -> None:
        if not self.lengths_s or min(self.lengths_s) <= 0:
            raise ValueError(f"lengths_s of {self.lengths_s} are no lengths")


def key_span(
    anchor_s: float,
    *,
    within: Span,
    scores: tuple[Seconds, Curve],
    rows: tuple[Seconds, Vectors],
    settings: LengthSettings,
) -> Span:
    """The clip around an anchor: the length with the most relevance and the least repetition.

    Args:
        within: what it must stay inside; shorter than a length, that length is not tried.
        scores: times and relevance there, 0..1 over the film.
        rows: times and vectors (N, D), unit length, whose cosines say what repeats itself.

    Source: F2C, arXiv 2510.02262 (argmax S - 0.5 R + 0.05 l / l_max). Ours differs: the scores are
    the film's own, scaled, since raw cosines hardly move S; R of a single second is 1.
    """
    longest_s = max(settings.lengths_s)
    best, best_worth = within, -math.inf
    for length_s in sorted(settings.lengths_s):
        if length_s > within.duration_s:
            break
        start_s = max(within.start_s, min(anchor_s - length_s / 2, within.end_s - length_s))
        span = Span(start_s, start_s + length_s)
        relevance = _inside(*scores, span)
        vectors = _inside(*rows, span)
        n = len(vectors)
        # The mean of all pairs without each one's cosine with itself.
        repeats = (float((vectors @ vectors.T).sum()) - n) / (n * (n - 1)) if n > 1 else 1.0
        worth = (
            (float(relevance.mean()) if len(relevance) else 0.0)
            - settings.redundancy * repeats
            + settings.longer * length_s / longest_s
        )
        if worth > best_worth:
            best, best_worth = span, worth
    return best


def alike_span(
    time_s: float,
    *,
    within: Span,
    rows: tuple[Seconds, Vectors],
    longest_s: float,
    share: float,
    most_crowd: float,
) -> Span | None:
    """The stretch around a time in which each second still looks like it; None where none ends.

    Args:
        within: the shot; what is outside is passed over.
        rows: times and vectors (N, D), unit length, some of them inside.
        longest_s: how far to look to either side, and the longest stretch that tells anything.
        share: how near a second must be, from the lower quartile of the cosines around (0) to
            one (1).
        most_crowd: where that quartile is above this, all of it looks alike.
    """
    near = Span(max(within.start_s, time_s - longest_s), min(within.end_s, time_s + longest_s))
    times_s, vectors = _inside(rows[0], rows[0], near), _inside(*rows, near)
    if len(times_s) < 2:
        return None
    seed = int(np.abs(times_s - time_s).argmin())
    cosines = vectors @ vectors[seed]
    crowd = float(np.quantile(cosines, 0.25))
    if crowd > most_crowd:
        return None
    alike = cosines >= crowd + share * (1.0 - crowd)
    alike[seed] = True
    low = high = seed
    while low > 0 and alike[low - 1]:
        low -= 1
    while high < len(alike) - 1 and alike[high + 1]:
        high += 1
    start_s = near.start_s if low == 0 else float(times_s[low - 1] + times_s[low]) / 2
    end_s = near.end_s if high == len(alike) - 1 else float(times_s[high] + times_s[high + 1]) / 2
    found = Span(start_s, end_s)
    return found if found.duration_s <= longest_s else None


def _inside(times_s: Seconds, values: NDArray[Any], span: Span) -> NDArray[Any]:
    return values[(times_s >= span.start_s) & (times_s < span.end_s)]


def _basin_peaks(scores: Curve) -> NDArray[np.intp]:
    """The highest position of every basin; a plateau counts once, at its middle."""
    # Runs of equal values are one step of the curve, so that a plateau has one slope on each side.
    starts = np.flatnonzero(np.concatenate([[True], scores[1:] != scores[:-1]]))
    ends = np.concatenate([starts[1:], [len(scores)]]) - 1
    heights = scores[starts]
    left = np.concatenate([[True], heights[1:] > heights[:-1]])
    right = np.concatenate([heights[:-1] > heights[1:], [True]])
    middles: NDArray[np.intp] = (starts + ends)[left & right] // 2
    return middles


def _cluster(times_s: Seconds, k: int) -> list[int]:
    """Labels of a 1-D k-means that starts from even quantiles: no randomness."""
    centres = np.quantile(times_s, (np.arange(k) + 0.5) / k)
    labels = np.zeros(len(times_s), dtype=np.int64)
    for round_index in range(50):
        new = np.abs(times_s[:, None] - centres[None, :]).argmin(axis=1)
        if np.array_equal(new, labels) and round_index > 0:
            break
        labels = new
        for c in range(k):
            if (labels == c).any():
                centres[c] = times_s[labels == c].mean()
    return [int(label) for label in labels]


def allocate(
    candidates: Sequence[Candidate], *, budget_tokens: int, price: TokenCounter
) -> list[KeyClip]:
    """Clips for the candidates within `budget_tokens`, in time order.

    Everybody gets the plainest shape, the least relevant go first where even that is too much;
    then shapes rise by relevance (Tempo's rule), fall back while it is too dear, and what is left
    is spent on the best first until no open step fits.
    """
    rows = [_Row(c, _prices(c.shapes, price)) for c in candidates if c.shapes]
    rows.sort(key=lambda r: (-r.candidate.relevance, r.candidate.span))
    while rows and sum(r.prices[0] for r in rows) > budget_tokens:
        rows.pop()
    if not rows:
        return []
    _rise_by_relevance(rows)
    while _total(rows) > budget_tokens:
        # The least relevant that is above its floor gives a step back; a floor fits, so this ends.
        giver = next(r for r in reversed(rows) if r.level > 0)
        giver.level -= 1
    _spend(rows, budget_tokens)
    clips = [r.clip() for r in rows]
    return sorted(clips, key=lambda c: c.span)


@dataclass(slots=True)
class _Row:
    candidate: Candidate
    prices: list[int]
    level: int = 0

    def clip(self) -> KeyClip:
        shape = self.candidate.shapes[self.level]
        return KeyClip(
            self.candidate.span, self.candidate.relevance, shape, self.prices[self.level]
        )


def _prices(shapes: Sequence[ClipShape], price: TokenCounter) -> list[int]:
    return [price(n_frames=s.n_frames, width_px=s.width_px, height_px=s.height_px) for s in shapes]


def _total(rows: Sequence[_Row]) -> int:
    return sum(r.prices[r.level] for r in rows)


def _rise_by_relevance(rows: Sequence[_Row]) -> None:
    values = [r.candidate.relevance for r in rows]
    low, high = min(values), max(values)
    for row in rows:
        z = (row.candidate.relevance - low) / (high - low) if high > low else 0.0
        row.level = int(z * (len(row.prices) - 1))


def _spend(rows: Sequence[_Row], budget_tokens: int) -> None:
    """Raise the best first, one step at a time, until no next step fits."""
    raised = True
    while raised:
        raised = False
        for row in rows:
            if row.level + 1 >= len(row.prices):
                continue
            step = row.prices[row.level + 1] - row.prices[row.level]
            if _total(rows) + step <= budget_tokens:
                row.level += 1
                raised = True
                break


def smallest_open_step(
    clips: Sequence[KeyClip], candidates: Sequence[Candidate], *, price: TokenCounter
) -> int | None:
    """Tokens of the cheapest next shape among the clips that got one; None when all are full.

    What `allocate` leaves unused is less than this.
    """
    by_span = {c.span: c for c in candidates}
    steps = []
    for clip in clips:
        shapes = by_span[clip.span].shapes
        level = shapes.index(clip.shape)
        if level + 1 < len(shapes):
            steps.append(_prices(shapes[level + 1 : level + 2], price)[0] - clip.tokens)
    return min(steps) if steps else None

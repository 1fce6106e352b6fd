"""Figures of ranked moments and of what a selection shows; each formula stands in its docstring."""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence

from evals.metrics import best_tiou
from index.types import Span, union

MAP_TIOUS = tuple(round(0.5 + 0.05 * i, 2) for i in range(10))
"""QVHighlights' thresholds: 0.5, 0.55, …, 0.95."""
RECALL_TOLERANCES_S = (1.0, 2.0, 4.0, 8.0)


def average_precision(ranked: Sequence[Span], true: Sequence[Span], *, tiou: float) -> float:
    """Σ over the hits of precision at their rank, divided by the number of true spans.

    Best first; a moment is a hit when its tIoU with a true span that no better one has taken is at
    least `tiou`, the best such span. No interpolation. 0 where nothing is ranked.
    """
    if not true:
        raise ValueError("average precision needs a true span")
    free = list(true)
    total, hits = 0.0, 0
    for rank, span in enumerate(ranked, 1):
        best = max(free, key=span.tiou, default=None)
        if best is not None and span.tiou(best) >= tiou:
            free.remove(best)
            hits += 1
            total += hits / rank
    return total / len(true)


def mean_ap(pairs: Sequence[tuple[Sequence[Span], Sequence[Span]]]) -> float:
    """Mean of `average_precision` over questions and over tIoU 0.5:0.05:0.95.

    Source: QVHighlights (Moment-DETR, arXiv 2107.09609), mAP avg.
    """
    values = [average_precision(ranked, true, tiou=t) for ranked, true in pairs for t in MAP_TIOUS]
    return sum(values) / len(values) if values else math.nan


def hit_at_1(pairs: Sequence[tuple[Sequence[Span], Sequence[Span]]]) -> float:
    """Share of questions whose first moment has its middle inside a true span.

    Source: QVHighlights, HIT@1 (the highest-scored two seconds are salient). Ours differs: there
    are no saliency grades here, so a true span counts as salient and its outside does not.
    """
    hits = [
        bool(r) and any(t.start_s <= r[0].middle_s < t.end_s for t in true) for r, true in pairs
    ]
    return sum(hits) / len(hits) if hits else math.nan


def evidence_recall(shown_s: Sequence[float], true: Sequence[Span], *, tolerance_s: float) -> float:
    """Share of the true spans that a shown frame lies in, or within the tolerance of.

    Args:
        shown_s: times of the shown frames, ascending.
    """
    if not true:
        raise ValueError("recall of the evidence needs a true span")
    met = 0
    for span in true:
        first = bisect.bisect_left(shown_s, span.start_s - tolerance_s)
        met += first < len(shown_s) and shown_s[first] < span.end_s + tolerance_s
    return met / len(true)


def evidence_tiou(shown: Sequence[Span], true: Sequence[Span]) -> float:
    """Mean over the true spans of the best tIoU with a shown stretch; stretches that touch are one.

    Moments of a single second can't reach far: their tIoU with a span of 8 s is 1/8 at most.
    """
    stretches = union(shown)
    return sum(best_tiou(span, stretches) for span in true) / len(true)

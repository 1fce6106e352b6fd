"""The figures of an evaluation, as pure functions; each formula stands in its docstring."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from index.types import Span, union

TOLERANCE_S = 5.0
TOUCH_TIOU = 0.05
RECALL_TIOUS = (0.3, 0.5, 0.7)


@dataclass(frozen=True, slots=True)
class Share:
    """A share with its 95 % interval."""

    n: int
    value: float
    """NaN where n is 0."""
    low: float
    high: float


def share(n_right: int, n: int, *, n_independent: int | None = None, z: float = 1.959964) -> Share:
    """n_right / n with Wilson's score interval.

    (p + z²/2n ± z·sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n): inside 0..1 also for few questions.

    Args:
        n_independent: how many of the n are independent of each other, the n of the interval; None:
            all of them. Questions that stand or fall together say no more than one of them.
    """
    if n == 0:
        return Share(0, math.nan, 0.0, 1.0)
    p, n_asked = n_right / n, n
    n = n_independent or n
    centre = p + z * z / (2 * n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return Share(n_asked, p, max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale))


# -- spans


def shared_s(first: Sequence[Span], second: Sequence[Span]) -> float:
    """Seconds that lie in both sets of spans."""
    return sum(a.overlap_s(b) for a in union(first) for b in union(second))


def set_tiou(predicted: Sequence[Span], true: Sequence[Span]) -> float:
    """Seconds in both / seconds in either; for one span each the ordinary tIoU. 0 for none."""
    both = shared_s(predicted, true)
    either = seconds_of(predicted) + seconds_of(true) - both
    return both / either if either > 0 else 0.0


def seconds_of(spans: Sequence[Span]) -> float:
    """Seconds covered, overlaps counted once."""
    return sum(span.duration_s for span in union(spans))


def best_tiou(span: Span, true: Sequence[Span]) -> float:
    """The largest tIoU of the span with any true one; 0 where there is none."""
    return max((span.tiou(other) for other in true), default=0.0)


@dataclass(frozen=True, slots=True)
class CitationScore:
    """How well citations hit the true spans, over questions."""

    n: int
    miou: float
    """Mean of the set tIoU of all citations; no citation counts 0."""
    recall_at_1: dict[float, float]
    """tIoU threshold → share of questions whose first citation reaches it with a true span."""


def citation_score(pairs: Sequence[tuple[Sequence[Span], Sequence[Span]]]) -> CitationScore:
    """Over (citations, true spans) of the questions that have true spans."""
    if not pairs:
        return CitationScore(0, math.nan, dict.fromkeys(RECALL_TIOUS, math.nan))
    firsts = [best_tiou(cited[0], true) if cited else 0.0 for cited, true in pairs]
    return CitationScore(
        n=len(pairs),
        miou=sum(set_tiou(cited, true) for cited, true in pairs) / len(pairs),
        recall_at_1={t: sum(f >= t for f in firsts) / len(firsts) for t in RECALL_TIOUS},
    )


@dataclass(frozen=True, slots=True)
class TemporalScore:
    """Precision, recall and F1 in time of one question.

    Two formulas of precision are in use, by spans and by truths: they differ where several
    predictions come near one true span, or one near several.
    """

    n_predicted: int
    """K, which both are divided by."""
    precision_by_spans: float
    """Predicted spans that come within the tolerance of a true one / predicted spans."""
    precision_by_truths: float
    """True spans that a predicted one comes within the tolerance of / predicted spans. Above 1
    where one predicted span meets several."""
    precision_by_seconds: float
    """Predicted seconds that lie within the tolerance of a true span / predicted seconds."""
    recall: float
    """Share of the true spans that a predicted one comes within the tolerance of."""

    @property
    def f1_by_spans(self) -> float:
        return harmonic(self.precision_by_spans, self.recall)

    @property
    def f1_by_truths(self) -> float:
        """A precision above 1, of one predicted span that meets several true ones, counts as 1."""
        return harmonic(min(1.0, self.precision_by_truths), self.recall)

    @property
    def f1_by_seconds(self) -> float:
        return harmonic(self.precision_by_seconds, self.recall)


def temporal_score(
    predicted: Sequence[Span], true: Sequence[Span], *, tolerance_s: float = TOLERANCE_S
) -> TemporalScore:
    """Precision by its formulas and recall; all 0 where either side is empty."""
    if not predicted or not true:
        return TemporalScore(len(predicted), 0.0, 0.0, 0.0, 0.0)
    wide = [Span(max(0.0, t.start_s - tolerance_s), t.end_s + tolerance_s) for t in true]
    near = [any(p.overlap_s(w) > 0 for w in wide) for p in predicted]
    met = [any(p.overlap_s(w) > 0 for p in predicted) for w in wide]
    return TemporalScore(
        n_predicted=len(predicted),
        precision_by_spans=sum(near) / len(near),
        precision_by_truths=sum(met) / len(predicted),
        precision_by_seconds=shared_s(predicted, wide) / seconds_of(predicted),
        recall=sum(met) / len(met),
    )


def harmonic(precision: float, recall: float) -> float:
    """F1: 2pr / (p + r); 0 where both are."""
    total = precision + recall
    return 2 * precision * recall / total if total > 0 else 0.0


def match_f1(predicted: Sequence[Span], true: Sequence[Span], *, tiou: float) -> float:
    """F1 of a one-to-one matching: the best pairs first, each pair's tIoU at least `tiou`."""
    pairs = sorted(
        ((p.tiou(t), i, j) for i, p in enumerate(predicted) for j, t in enumerate(true)),
        key=lambda pair: -pair[0],
    )
    taken_p: set[int] = set()
    taken_t: set[int] = set()
    for value, i, j in pairs:
        if value >= tiou and i not in taken_p and j not in taken_t:
            taken_p.add(i)
            taken_t.add(j)
    total = len(predicted) + len(true)
    return 2 * len(taken_p) / total if total else 0.0


# -- confidence


def ece(confidences: Sequence[float], rights: Sequence[bool], *, n_bins: int = 10) -> float:
    """Expected calibration error: Σ over equal bins of n_bin/n · |accuracy - mean confidence|."""
    if len(confidences) != len(rights):
        raise ValueError(f"{len(confidences)} confidences for {len(rights)} answers")
    if not confidences:
        return math.nan
    total = 0.0
    for index in range(n_bins):
        inside = [
            (c, r)
            for c, r in zip(confidences, rights, strict=True)
            if min(int(c * n_bins), n_bins - 1) == index
        ]
        if inside:
            gap = sum(r for _, r in inside) - sum(c for c, _ in inside)
            total += abs(gap)
    return total / len(confidences)


def auc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """Chance that a positive scores above a negative, ties counting half; NaN without either."""
    if not positive or not negative:
        return float("nan")
    a, b = np.array(positive)[:, None], np.array(negative)[None]
    return float((a > b).mean() + 0.5 * (a == b).mean())


def ece_of_exact(
    confidences: Sequence[float],
    facts: Sequence[object],
    *,
    n_bins: int = 10,
    n_draws: int = 2000,
    seed: int = 0,
) -> float:
    """The ECE that 19 of 20 draws stay below where every confidence is exactly right.

    Few answers are never right as often as their confidences say, so an ECE below this one tells
    nothing against them.

    Args:
        facts: what each answer is about. Answers about one fact are drawn together.
    """
    if len(confidences) != len(facts):
        raise ValueError(f"{len(confidences)} confidences for {len(facts)} answers")
    if not confidences:
        return math.nan
    sure = np.asarray(confidences)
    position = {fact: i for i, fact in enumerate(dict.fromkeys(facts))}
    drawn = np.random.default_rng(seed).random((n_draws, len(position)))
    rights = drawn[:, [position[fact] for fact in facts]] < sure
    bins = np.minimum((sure * n_bins).astype(int), n_bins - 1)
    gaps = np.abs((rights - sure) @ np.eye(n_bins)[bins])
    return float(np.quantile(gaps.sum(axis=1) / len(sure), 0.95))


def brier(confidences: Sequence[float], rights: Sequence[bool]) -> float:
    """Mean of (confidence - right)²."""
    if not confidences:
        return math.nan
    gaps = [(c - r) ** 2 for c, r in zip(confidences, rights, strict=True)]
    return sum(gaps) / len(gaps)


# -- grounding


def touches(looked: Sequence[Span], true: Sequence[Span]) -> bool:
    """Whether a look shows part of a true span.

    A tIoU of 0.05, or a look that lies wholly inside a true span: a pair of frames out of a long
    shot has a small tIoU and shows it all the same.
    """
    return any(
        a.tiou(b) >= TOUCH_TIOU or (b.start_s <= a.start_s and a.end_s <= b.end_s)
        for a in looked
        for b in true
    )


def groundedness(right_answers: Sequence[tuple[Sequence[Span], Sequence[Span]]]) -> float:
    """Share of the right answers whose looks touch a true span; 1 minus it is "right without
    looking". Takes (looked, true spans) of each right answer."""
    if not right_answers:
        return math.nan
    return sum(touches(looked, true) for looked, true in right_answers) / len(right_answers)


# -- absence


@dataclass(frozen=True, slots=True)
class RejectionScore:
    """How well "not in this film" is said."""

    precision: float
    """Absent questions among the rejected ones; NaN where nothing was rejected."""
    recall: float
    """Rejected ones among the absent questions; NaN where none is absent."""


def rejection_score(pairs: Sequence[tuple[bool, bool]]) -> RejectionScore:
    """Over (was rejected, is absent) of every question."""
    n_rejected = sum(rejected for rejected, _ in pairs)
    n_absent = sum(absent for _, absent in pairs)
    n_both = sum(rejected and absent for rejected, absent in pairs)
    return RejectionScore(
        precision=n_both / n_rejected if n_rejected else math.nan,
        recall=n_both / n_absent if n_absent else math.nan,
    )

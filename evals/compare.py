"""One strategy against another: paired differences, and tokens for the same accuracy."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Difference:
    """Mean paired difference with its 95 % interval."""

    n_facts: int
    value: float
    """Ours minus the other; NaN where nothing is common to both."""
    low: float
    high: float


def paired_difference(
    ours: Mapping[str, Sequence[float]],
    other: Mapping[str, Sequence[float]],
    *,
    z: float = 1.959964,
) -> Difference:
    """Mean over facts of (ours - other), ± z · s / sqrt(F) with s their standard deviation.

    Forms of one fact are averaged first: they are right or wrong together, and counted singly they
    would make the interval too narrow. Where all F differences are the same, s is 0 and knows
    nothing of the facts that were not asked: then ± 3 / F. By the rule of three, what was not seen
    in F cases happens in at most 3 / F of all, with 95 %, and moves a difference by up to 1 there.

    Args:
        ours: fact → 1.0 or 0.0 for each of its forms.
        other: the same; facts that only one of them was asked are left out.
    """
    gaps = [_mean(ours[f]) - _mean(other[f]) for f in ours if f in other]
    n = len(gaps)
    if n == 0:
        return Difference(0, math.nan, -1.0, 1.0)
    mean = _mean(gaps)
    if n == 1:
        return Difference(1, mean, -1.0, 1.0)
    deviation = math.sqrt(sum((g - mean) ** 2 for g in gaps) / (n - 1))
    half = z * deviation / math.sqrt(n) if deviation else 3 / n
    return Difference(n, mean, max(-1.0, mean - half), min(1.0, mean + half))


@dataclass(frozen=True, slots=True, order=True)
class CurvePoint:
    """What one budget brought."""

    visual_tokens: float
    """Mean that was really used."""
    accuracy: float


def tokens_to_reach(points: Sequence[CurvePoint], accuracy: float) -> float | None:
    """The fewest tokens at which the curve reaches an accuracy; None: it never does.

    Straight lines over the logarithm of the tokens between measured points, nothing beyond them:
    where the first point is above already, its tokens.
    """
    ordered = sorted(points)
    for index, point in enumerate(ordered):
        if point.accuracy < accuracy:
            continue
        before = ordered[index - 1] if index else point
        if point.accuracy == before.accuracy or before.visual_tokens <= 0:
            return point.visual_tokens
        share = (accuracy - before.accuracy) / (point.accuracy - before.accuracy)
        low, high = math.log(before.visual_tokens), math.log(point.visual_tokens)
        return math.exp(low + share * (high - low))
    return None


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)

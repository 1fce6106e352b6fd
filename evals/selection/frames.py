"""Baselines that rank or sample single seconds: uniform, top-k, BOLT, AKS, DATE.

Each returns positions of the sheet; all are deterministic.
"""

from __future__ import annotations

import numpy as np

from evals.selection.sheet import Curve, Sheet, filled, unit_scaled
from tools.look import even_times

BOLT_POWER = 3.0
AKS_MOST_DEPTH = 5
AKS_STAND_OUT = 0.8
DATE_APART_S = 20.0
DATE_CANDIDATES = 4


def uniform(sheet: Sheet, n: int) -> list[int]:
    """The seconds nearest to the middles of n equal parts of the film."""
    wanted = even_times(sheet.film, n)
    return [int(np.abs(sheet.times_s - time_s).argmin()) for time_s in wanted]


def topk(sheet: Sheet, n: int) -> list[int]:
    """The n seconds nearest to the question; of equals the earlier."""
    return [int(i) for i in np.argsort(-sheet.scores, kind="stable")[:n]]


def bolt(sheet: Sheet, n: int) -> list[int]:
    """Inverse transform sampling: n even quantiles of the sharpened scores' distribution.

    Source: BOLT, arXiv 2503.21483 (min-max, cube, inverse transform sampling). Ours differs: a
    second that several quantiles fall on is shown once, and what that saves goes to the best
    seconds that none fell on; scores that are all equal give even seconds.
    """
    weights = unit_scaled(sheet.scores) ** BOLT_POWER
    if weights.sum() <= 0:
        return uniform(sheet, n)
    cumulative = np.cumsum(weights) / weights.sum()
    quantiles = (np.arange(n) + 0.5) / n
    drawn = np.searchsorted(cumulative, quantiles, side="left")
    return filled([min(int(i), len(weights) - 1) for i in drawn], sheet.scores, n)


def aks(sheet: Sheet, n: int) -> list[int]:
    """Recursive halving of time: a stretch whose best stand out is not halved further.

    Source: AKS, arXiv 2502.21271 (depth at most 5; a node stops when mean(top n) - mean(all) >
    0.8; a leaf at depth d takes its best floor(n / 2^d)). Ours differs: scores are min-max scaled
    over the film, because a threshold of 0.8 means nothing to a cosine; a node is not halved where
    its halves would get nothing; what the floors leave over goes to the best other seconds.
    """
    scores = unit_scaled(sheet.scores)
    return filled(_aks_node(scores, 0, len(scores), n, depth=0), sheet.scores, n)


def _aks_node(scores: Curve, start: int, end: int, n: int, *, depth: int) -> list[int]:
    part = scores[start:end]
    best = np.argsort(-part, kind="stable")[:n]
    stands_out = float(part[best].mean() - part.mean()) > AKS_STAND_OUT
    if stands_out or depth >= AKS_MOST_DEPTH or n < 2 or len(part) <= n:
        return [start + int(i) for i in best]
    middle = (start + end) // 2
    left = _aks_node(scores, start, middle, n // 2, depth=depth + 1)
    return left + _aks_node(scores, middle, end, n // 2, depth=depth + 1)


def date(sheet: Sheet, n: int) -> list[int]:
    """The best seconds that keep a distance, which is halved until all places are taken.

    Source: DATE, arXiv 2509.09263, TASS (frames above the mean, at most 4 n of them, by descending
    score; accepted when at least 20 s from all accepted; halved each pass). Ours differs: where
    fewer than n stand above the mean, the next best fill up.
    """
    order = np.argsort(-sheet.scores, kind="stable")[: DATE_CANDIDATES * n]
    order = order[sheet.scores[order] > sheet.scores.mean()]
    accepted: list[int] = []
    times_s: list[float] = []
    apart_s = DATE_APART_S
    while len(accepted) < min(n, len(order)):
        for position in (int(i) for i in order):
            time_s = float(sheet.times_s[position])
            if len(accepted) >= n or position in accepted:
                continue
            if not times_s or float(np.abs(np.array(times_s) - time_s).min()) >= apart_s:
                accepted.append(position)
                times_s.append(time_s)
        apart_s /= 2
    return filled(accepted, sheet.scores, n)

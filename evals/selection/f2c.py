"""F2C: key clips around anchors, as long and as small as their place in the film asks for."""

from __future__ import annotations

import itertools

import numpy as np

from evals.selection.sheet import Purse, Selection, Sheet, Shown, moment
from tools.keyclips import anchors

MOST_SHRINK = 2.0
"""s_max: sides are divided by at most this."""
REDUNDANCY, LENGTH = 0.5, 0.05
_ROUNDS = 4


def f2c(*, adaptive: bool) -> Selection:
    """The selection with adaptive clips, or with all clips at the greatest length and shrink.

    Source: F2C, arXiv 2510.02262 (anchors from basins and 1-D k-means; length l* = argmax S(l) -
    0.5 R(l) + 0.05 l / l_max; s* = sqrt(l*) clipped to [1, s_max]; the highest resolution wins
    where clips overlap), with as many anchors as full frames, so l_max = 4. Scores are raw, as
    published. R, "mean pairwise cosine", is read as the mean over all pairs of a clip's frames,
    each with itself too (see `_worth`). Ours differs: tokens are counted from the model's grid
    after rounding, so the number of anchors is found by trying, and what rounding leaves over buys
    further lone frames at the anchors' size. Where a model has one price for all sizes, a clip is
    its anchor.
    """

    def select(sheet: Sheet, purse: Purse) -> list[Shown]:
        chosen: dict[int, float] = {}
        k = purse.n_moments
        for _ in range(_ROUNDS):
            planned = plan_of(sheet, purse, k, adaptive=adaptive)
            cost = purse.cost(_shown(sheet, purse, planned))
            if cost <= purse.visual_tokens and len(planned) >= len(chosen):
                chosen = planned
            better = max(1, int(k * purse.visual_tokens / max(1, cost)))
            if better == k:
                break
            k = better
        return _shown(sheet, purse, _filled(sheet, purse, chosen))

    return select


def plan_of(sheet: Sheet, purse: Purse, k: int, *, adaptive: bool) -> dict[int, float]:
    """Position of a second → how much its frames are shrunk."""
    longest = int(MOST_SHRINK**2) if purse.many_sizes else 1
    plan: dict[int, float] = {}
    for anchor in anchors(sheet.times_s, sheet.scores, limit=k):
        positions = _clip(sheet, anchor, longest=longest, adaptive=adaptive)
        shrink = min(MOST_SHRINK, max(1.0, len(positions) ** 0.5)) if adaptive else longest**0.5
        for position in positions:
            plan[position] = min(shrink, plan.get(position, MOST_SHRINK))
    return plan


def _clip(sheet: Sheet, anchor: int, *, longest: int, adaptive: bool) -> range:
    """Positions around the anchor: the best length, or the longest."""
    n = len(sheet.times_s)
    ranges = []
    for length in range(1, min(longest, n) + 1):
        first = min(max(0, anchor - (length - 1) // 2), n - length)
        ranges.append(range(first, first + length))
    if not adaptive:
        return ranges[-1]
    return max(ranges, key=lambda r: (_worth(sheet, r, longest=longest), -len(r)))


def _worth(sheet: Sheet, positions: range, *, longest: int) -> float:
    part = sheet.vectors[positions.start : positions.stop].astype(np.float64)
    # A frame with itself too: R of a lone frame is 1. Over distinct pairs it would be 0, and a
    # longer clip, whose frames have a cosine above 0.1 in any real film, would lose more than the
    # 0.0375 that its length can gain, since S falls beside a peak: every clip would be one frame.
    redundancy = float((part @ part.T).mean())
    mean = float(sheet.scores[positions.start : positions.stop].mean())
    return mean - REDUNDANCY * redundancy + LENGTH * len(positions) / longest


def _filled(sheet: Sheet, purse: Purse, plan: dict[int, float]) -> dict[int, float]:
    """The plan with lone frames for the tokens that are left, the best seconds first."""
    plan = dict(plan)
    each = purse.cost([moment(sheet, purse, 0)])
    left = purse.visual_tokens - purse.cost(_shown(sheet, purse, plan))
    for position in np.argsort(-sheet.scores, kind="stable"):
        if left < each and plan:
            break
        if int(position) not in plan:
            plan[int(position)] = 1.0
            left -= each
    return plan


def _shown(sheet: Sheet, purse: Purse, plan: dict[int, float]) -> list[Shown]:
    """Seconds in a row of one size as one clip, in time order."""
    keyed = enumerate(sorted(plan))
    runs = itertools.groupby(keyed, key=lambda pair: (pair[1] - pair[0], plan[pair[1]]))
    shown = []
    for (_, shrink), members in runs:
        positions = [position for _, position in members]
        shown.append(moment(sheet, purse, positions[0], n_seconds=len(positions), shrink=shrink))
    return shown

"""T*: a search by drawing seconds from a distribution that every drawn second changes.

Here with the CLIP scorer: a cell's score is the stored cosine of its second.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evals.selection.sheet import Curve, Sheet, filled

CELLS = 64
"""Seconds in one mosaic; our choice, as is the share below: the paper's values are not claimed."""
MOST_SHARE = 0.5
MOST_FRAMES = 1000
SPREAD_S = 5
QUARTILE = 75
SMOOTH_S = 5.0


def tstar(sheet: Sheet, n: int) -> list[int]:
    """n seconds drawn from what the search's distribution has become.

    Source: T*, arXiv 2504.02259 (mosaics drawn from a distribution over seconds; a cell in the
    best quartile spreads to ±5 s as S/(d + 1); a smoothing spline through what was visited gives
    the next distribution, of its top quartile after a sigmoid, unvisited seconds only; at most
    min(1000, share · N) frames). As published the final seconds are drawn, not ranked. Ours
    differs: a Gaussian average of the visited scores stands for the spline; the cells are scored
    by the cues that all strategies share, not by targets and cue objects that a model lists; with
    CLIP as scorer there is no detection, so none is checked on a larger picture and nothing ends
    the search before its frames do; a mosaic shrinks where a film has fewer seconds than cells;
    draws are seeded.
    """
    rng = np.random.default_rng(sheet.seed)
    n_seconds = len(sheet.times_s)
    visited = np.zeros(n_seconds, dtype=bool)
    seen = np.zeros(n_seconds)
    weights = np.ones(n_seconds)
    limit = max(1, min(MOST_FRAMES, round(MOST_SHARE * n_seconds)))
    while visited.sum() < limit:
        n_cells = min(CELLS, limit - int(visited.sum()))
        drawn = _drawn(rng, _top_quartile(weights, among=~visited), n_cells)
        visited[drawn] = True
        seen[drawn] = np.maximum(seen[drawn], np.maximum(sheet.scores[drawn], 0.0))
        good = drawn[sheet.scores[drawn] >= np.percentile(sheet.scores[visited], QUARTILE)]
        _spread(seen, good)
        weights = 1 / (1 + np.exp(-_smoothed(seen, visited)))
    final = _top_quartile(weights, among=np.ones(n_seconds, dtype=bool))
    return filled([int(i) for i in _drawn(rng, final, n)], seen, n)


def _drawn(rng: np.random.Generator, weights: Curve, n: int) -> NDArray[np.int64]:
    """At most n positions of weight above zero, without repetition."""
    n = min(n, int((weights > 0).sum()))
    if n == 0:
        return np.zeros(0, dtype=np.int64)
    return rng.choice(len(weights), size=n, replace=False, p=weights / weights.sum())


def _spread(seen: Curve, good: NDArray[np.int64]) -> None:
    values = seen[good].copy()
    for distance in range(1, SPREAD_S + 1):
        for side in (-distance, distance):
            near = np.clip(good + side, 0, len(seen) - 1)
            np.maximum.at(seen, near, values / (distance + 1))


def _smoothed(seen: Curve, visited: NDArray[np.bool_]) -> Curve:
    """Weighted mean of the visited scores around each second; their mean where none is near."""
    reach = round(3 * SMOOTH_S)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / SMOOTH_S) ** 2)
    known = (visited | (seen > 0)).astype(np.float64)
    inner = slice(reach, reach + len(seen))
    total, weight = (np.convolve(x, kernel)[inner] for x in (seen * known, known))
    near = weight > 1e-6
    return np.where(near, total / np.where(near, weight, 1.0), float(seen[visited].mean()))


def _top_quartile(weights: Curve, *, among: NDArray[np.bool_]) -> Curve:
    """The weights of the best quarter of some seconds, zero elsewhere; never zero everywhere."""
    least = np.percentile(weights[among], QUARTILE)
    return np.where(among & (weights >= least), weights, 0.0)

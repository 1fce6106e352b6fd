"""FOCUS: stretches of time as the arms of a bandit; the best quarter is looked through."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evals.selection.sheet import Curve, Sheet, filled, unit_scaled

ARM_S = 16.0
ZOOM_SHARE = 0.25
PULLS = 3
"""Seconds of each arm that are scored before the zoom; our choice."""


def focus(sheet: Sheet, n: int) -> list[int]:
    """Seconds of the arms with the best upper confidence bound, in turn, each arm's best first.

    Source: FOCUS, arXiv 2510.27280 (arms of 16 s, an upper bound by Bernstein's inequality, zoom
    into the best 25 %). Ours differs: every arm is pulled equally often before the zoom; inside
    it, arms take turns. Cosines come from stored vectors, so pulling saves nothing here; that it
    sees only a part of the seconds outside the zoom is kept, since it decides what is found.
    """
    scores = unit_scaled(sheet.scores)
    arms = _arms(sheet)
    bounds = np.array([upper_bound(scores, arm, n_pulls=PULLS * len(arms)) for arm in arms])
    n_zoomed = max(1, round(ZOOM_SHARE * len(arms)))
    zoomed = [arms[i] for i in np.argsort(-bounds, kind="stable")[:n_zoomed]]
    zoomed.sort(key=lambda arm: (-float(scores[arm].mean()), int(arm[0])))
    ranked = [[int(i) for i in arm[np.argsort(-scores[arm], kind="stable")]] for arm in zoomed]
    most = max(len(arm) for arm in ranked)
    in_turn = [arm[turn] for turn in range(most) for arm in ranked if turn < len(arm)]
    return filled(in_turn, sheet.scores, n)


def _arms(sheet: Sheet) -> list[NDArray[np.int64]]:
    labels = ((sheet.times_s - sheet.film.start_s) // ARM_S).astype(np.int64)
    cuts = np.flatnonzero(np.diff(labels)) + 1
    return [np.asarray(arm) for arm in np.split(np.arange(len(labels)), cuts)]


def upper_bound(scores: Curve, arm: NDArray[np.int64], *, n_pulls: int) -> float:
    """mean + sqrt(2 · variance · ln t / n) + 3 · ln t / n of scores in 0..1."""
    n = min(PULLS, len(arm))
    seen = scores[arm[((np.arange(n) + 0.5) * len(arm) / n).astype(np.int64)]]
    log_t = float(np.log(max(2, n_pulls)))
    return float(seen.mean() + np.sqrt(2 * seen.var() * log_t / n) + 3 * log_t / n)

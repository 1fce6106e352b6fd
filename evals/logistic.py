"""Logistic regression for a few columns and hundreds of cases, which no sample can lead astray.

Weights are never negative and a ridge keeps them finite; a part of the cases may have weights of
its own, drawn to those of all.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_STEPS = 60
_RIDGE = 1e-3
"""Keeps the fit finite where the classes can be told apart without error."""


def fit_logistic(
    rows: Sequence[Sequence[float]],
    truth: Sequence[bool],
    *,
    case_weights: Sequence[float] = (),
    even: bool = True,
) -> tuple[list[float], float]:
    """(weights, bias) by logistic regression; no weight is negative.

    What says yes never speaks against it: where it seems to, a small sample or the choice of what
    was looked at twice says so, and the column is left out.

    Args:
        case_weights: how much each case weighs; none: all the same.
        even: both classes weigh the same, whatever their cases do.

    Raises:
        ValueError: one of the classes is missing.
    """
    y = _two_classes(truth)
    weight = np.asarray(case_weights, float) if len(case_weights) else np.ones(len(y))
    if even:
        weight = weight / np.where(y == 1, (weight * y).sum(), (weight * (1 - y)).sum())
    weight = weight / weight.sum()
    x = np.asarray(rows, float)
    # Of one scale, so that the ridge means the same for a cosine and for a logit.
    spread = x.std(axis=0)
    used = spread > 1e-9
    scale = np.where(used, spread, 1.0)
    while True:
        columns = np.column_stack([(x / scale)[:, used], np.ones(len(y))])
        theta = _newton(columns, y, weight, toward=np.zeros(columns.shape[1]), ridge=_RIDGE)
        if (theta[:-1] >= 0).all():
            break
        used[used] = theta[:-1] >= 0
    weights = np.zeros(x.shape[1])
    weights[used] = theta[:-1] / scale[used]
    return [float(w) for w in weights], float(theta[-1])


def fit_part(
    rows: Sequence[Sequence[float]],
    truth: Sequence[bool],
    *,
    of_all: tuple[Sequence[float], float],
    spread: Sequence[float],
    pull: float,
) -> tuple[list[float], float]:
    """(weights, bias) of some of the cases, drawn to those of all; both classes weigh the same.

    The most likely weights where the part's differ from the whole's by a normal prior of variance
    1 / `pull`, each weight times its column's spread: few cases leave them where they were.

    Args:
        of_all: what `fit_logistic` found for all.
        spread: standard deviation of each column over all cases; 0: the column tells nothing.

    Raises:
        ValueError: one of the classes is missing.
    """
    y = _two_classes(truth)
    n_with, n = y.sum(), len(y)
    # As many cases as tell something: 1000 without and ten with the evidence are no 1010.
    n_even = 4 * n_with * (n - n_with) / n
    weight = np.where(y == 1, n_even / (2 * n_with), n_even / (2 * (n - n_with)))
    scale = np.where(np.asarray(spread) > 1e-9, spread, 1.0)
    columns = np.column_stack([np.asarray(rows, float) / scale, np.ones(n)])
    toward = np.append(np.asarray(of_all[0], float) * scale, of_all[1])
    theta = _newton(columns, y, weight, toward=toward, ridge=pull)
    weights = np.maximum(theta[:-1], 0.0) / scale
    return [float(w) for w in weights], float(theta[-1])


def _two_classes(truth: Sequence[bool]) -> NDArray[np.float64]:
    y = np.asarray(truth, float)
    if not 0 < y.sum() < len(y):
        raise ValueError("both cases with the evidence and cases without it are needed")
    return y


def _newton(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    weight: NDArray[np.float64],
    *,
    toward: NDArray[np.float64],
    ridge: float,
) -> NDArray[np.float64]:
    theta = toward.copy()
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-np.clip(x @ theta, -30, 30)))
        gradient = x.T @ (weight * (y - chance)) - ridge * (theta - toward)
        curvature = (x * (weight * chance * (1 - chance))[:, None]).T @ x
        theta = theta + np.linalg.solve(curvature + ridge * np.eye(x.shape[1]), gradient)
    return theta

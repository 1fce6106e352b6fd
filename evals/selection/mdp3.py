"""MDP3: relevant and different frames, by the determinant of a kernel, in segments of time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evals.selection.sheet import Sheet, filled
from tools.prior import robust_z

SEGMENT = 32
"""Seconds of one segment; our choice."""
RELEVANCE = 0.5
"""Weight of a standard deviation of relevance in a frame's log quality; our choice."""
_EPSILON = 1e-3
"""Added to the kernel's diagonal: frames that are the same would make it singular."""


def mdp3(sheet: Sheet, n: int) -> list[int]:
    """The n seconds with the greatest log-determinant, found greedily in every segment.

    Source: MDP3, arXiv 2501.02885 (a determinantal point process over relevance and similarity,
    greedy, shared among segments of time by dynamic programming). Ours differs: segments do not
    see each other, so that their gains only fall and taking the n largest gains of all segments is
    what the dynamic programme would find; one Gaussian kernel on the encoder's vectors.
    """
    rows, gains = _greedy(sheet, n)
    order = np.argsort(-gains, axis=None, kind="stable")[:n]
    picked = [int(i) for i in rows.reshape(-1)[order] if i >= 0]
    return filled(picked, sheet.scores, n)


def _greedy(sheet: Sheet, n: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """(steps, segments) positions in the order in which each segment takes them, and their gains.

    All segments at once; the incremental Cholesky rows of a greedy MAP. It stops once no segment
    can offer a gain among the n largest any more.
    """
    kernel, real = _kernels(sheet)
    n_segments, size = real.shape
    left = np.where(real, np.diagonal(kernel, axis1=1, axis2=2), 0.0)
    factors = np.zeros((n_segments, size, 0))
    segments = np.arange(n_segments)
    rows, gains = [], []
    for _ in range(min(size, n)):
        best = left.argmax(axis=1)
        worth = left[segments, best]
        open_ = worth > _EPSILON * 1e-3
        rows.append(np.where(open_, segments * size + best, -1))
        gains.append(np.where(open_, np.log(np.maximum(worth, 1e-12)), -np.inf))
        found = np.sort(np.concatenate(gains))
        if not open_.any() or (len(found) >= n and gains[-1].max() <= found[-n]):
            break
        taken = np.einsum("sf,sjf->sj", factors[segments, best], factors)
        new = (kernel[segments, best] - taken) / np.sqrt(np.maximum(worth, 1e-12))[:, None]
        factors = np.concatenate([factors, new[:, :, None]], axis=2)
        left = np.maximum(left - new**2, 0.0)
        left[segments, best] = 0.0
    return np.stack(rows), np.stack(gains)


def _kernels(sheet: Sheet) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """(segments, size, size) kernels, and which places of the last segment are real."""
    n = len(sheet.times_s)
    size = min(SEGMENT, n)
    n_segments = -(-n // size)
    padded = n_segments * size
    vectors = np.zeros((padded, sheet.vectors.shape[1]))
    vectors[:n] = sheet.vectors
    quality = np.zeros(padded)
    quality[:n] = np.exp(RELEVANCE * np.clip(robust_z(sheet.scores.astype(np.float32)), -6, 6))
    parts = vectors.reshape(n_segments, size, -1)
    distance = np.maximum(0.0, 2 - 2 * parts @ parts.transpose(0, 2, 1))
    spread = float(np.median(distance[distance > 0])) if (distance > 0).any() else 1.0
    similarity = np.exp(-distance / (2 * spread)) + _EPSILON * np.eye(size)
    q = quality.reshape(n_segments, size)
    real = (np.arange(padded) < n).reshape(n_segments, size)
    return similarity * q[:, :, None] * q[:, None, :], real

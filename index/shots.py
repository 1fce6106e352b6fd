"""Shots from how much the picture changes, and clips cut at shots.

A cut is a change that is large in itself and much larger than those around it: a pan or a busy
scene changes the picture all the time, a cut once.
Source: the idea of PySceneDetect's AdaptiveDetector. Ours differs: it works on glimpses (a few a
second, 32 × 18 pixels) that indexing decodes anyway, and takes the median of both sides.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from index.types import Pixels, Seconds, Shot, Span, Vectors

_MIN_CHANGE = 0.045
_TIMES_NEIGHBOURS = 3.0
_NEIGHBOURHOOD_S = 1.0
_MIN_SHOT_S = 0.4


def picture_change(before: Pixels, after: Pixels) -> float:
    """Mean absolute difference of two glimpses, 0..1."""
    return float(np.abs(before.astype(np.int16) - after.astype(np.int16)).mean() / 255)


def find_cuts(times_s: Seconds, changes: NDArray[np.float32]) -> list[float]:
    """Times at which a new shot begins, from (M,) glimpse times and changes since the one before.

    A cut lies between two glimpses and is put at the later one, the first seen of the new shot.
    """
    cuts: list[float] = []
    for position in np.flatnonzero(changes >= _MIN_CHANGE):
        time_s = float(times_s[position])
        low = int(np.searchsorted(times_s, time_s - _NEIGHBOURHOOD_S))
        high = int(np.searchsorted(times_s, time_s + _NEIGHBOURHOOD_S, side="right"))
        around = np.concatenate([changes[low:position], changes[position + 1 : high]])
        usual = float(np.median(around)) if len(around) else 0.0
        if changes[position] < _TIMES_NEIGHBOURS * usual:
            continue
        if cuts and time_s - cuts[-1] < _MIN_SHOT_S:
            continue
        cuts.append(time_s)
    return cuts


def shots_between(cuts_s: Sequence[float], *, duration_s: float) -> list[Shot]:
    """Shots that cover a film without gaps; cuts too near its ends are passed over."""
    inside = [cut for cut in cuts_s if _MIN_SHOT_S <= cut <= duration_s - _MIN_SHOT_S]
    edges = [0.0, *inside, duration_s]
    return [
        Shot(shot_index, Span(start, end))
        for shot_index, (start, end) in enumerate(itertools.pairwise(edges))
    ]


def cut_clips(shots: Sequence[Shot], times_s: Seconds, *, clip_s: float) -> list[Span]:
    """Windows of equal length within each shot, each at most `clip_s` long.

    Every window holds at least one of the sampled `times_s`: one that holds none is joined to the
    one after it (the last to the one before), so that every clip has a vector.
    """
    windows: list[Span] = []
    begin: float | None = None
    for shot in shots:
        n_windows = max(1, math.ceil(shot.span.duration_s / clip_s - 1e-6))
        edges = np.linspace(shot.span.start_s, shot.span.end_s, n_windows + 1)
        for start, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
            begin = start if begin is None else begin
            if _rows(times_s, Span(begin, end)).size:
                windows.append(Span(begin, end))
                begin = None
    if begin is not None and windows:
        windows[-1] = Span(windows[-1].start_s, shots[-1].span.end_s)
    return windows


def clip_vectors(spans: Sequence[Span], times_s: Seconds, vectors: Vectors) -> Vectors:
    """(len(spans), D) mean of the vectors sampled in each span, of unit length."""
    means = np.stack([vectors[_rows(times_s, span)].mean(axis=0) for span in spans])
    norms = np.linalg.norm(means, axis=1, keepdims=True)
    return np.asarray(means / np.maximum(norms, 1e-12), dtype=np.float32)


def _rows(times_s: Seconds, span: Span) -> NDArray[np.int64]:
    low, high = np.searchsorted(times_s, [span.start_s, span.end_s])
    return np.arange(low, high)

"""Shots from how much the picture changes, and clips cut at shots.

A cut is a change that is large in itself, much larger than those around it, and spread over the
picture: a pan changes the picture all the time, a thing that appears changes one place.
Source: the idea of PySceneDetect's AdaptiveDetector. Ours differs: it works on glimpses (a few a
second, 32 × 18 pixels) that indexing decodes anyway, and takes the median of both sides.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.types import Pixels, Seconds, Shot, Span, Vectors

_MIN_CHANGE = 0.045
_MIN_SPREAD = 0.02
_TIMES_NEIGHBOURS = 3.0
_NEIGHBOURHOOD_S = 1.0
_MIN_SHOT_S = 0.4


@dataclass(frozen=True, slots=True)
class PictureChange:
    """How much one glimpse differs from the one before it."""

    mean: float
    """Mean absolute difference, 0..1."""
    spread: float
    """The median one, 0..1: small where only things come or go before what stays."""


def picture_change(before: Pixels, after: Pixels) -> PictureChange:
    """The change between two glimpses of (18, 32, 3) uint8."""
    change = np.abs(before.astype(np.int16) - after.astype(np.int16)).mean(axis=2) / 255
    return PictureChange(float(change.mean()), float(np.median(change)))


def find_cuts(
    times_s: Seconds, changes: NDArray[np.float32], spreads: NDArray[np.float32]
) -> list[float]:
    """Times at which a new shot begins, from (M,) glimpse times and changes since the one before.

    A cut lies between two glimpses and is put at the later one, the first seen of the new shot.
    Of two that would make too short a shot the stronger is kept.
    """
    cuts: list[int] = []
    for position in np.flatnonzero((changes >= _MIN_CHANGE) & (spreads >= _MIN_SPREAD)).tolist():
        if changes[position] < _TIMES_NEIGHBOURS * _usual(times_s, changes, position):
            continue
        if cuts and times_s[position] - times_s[cuts[-1]] < _MIN_SHOT_S:
            if changes[position] > changes[cuts[-1]]:
                cuts[-1] = position
            continue
        cuts.append(position)
    return [float(times_s[position]) for position in cuts]


def _usual(times_s: Seconds, changes: NDArray[np.float32], position: int) -> float:
    """The median change around a glimpse."""
    time_s = times_s[position]
    low = int(np.searchsorted(times_s, time_s - _NEIGHBOURHOOD_S))
    high = int(np.searchsorted(times_s, time_s + _NEIGHBOURHOOD_S, side="right"))
    around = np.concatenate([changes[low:position], changes[position + 1 : high]])
    return float(np.median(around)) if len(around) else 0.0


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

"""A film cut into what can be looked at.

A shot is a window. A shot too long for one look is cut around key spans; what lies between is cut
evenly, so that every second of the film belongs to one window.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.settings import SpotlightSettings
from index.types import Shot, Span
from tools.belief import bounds_s
from tools.prior import Bins


class _Same:
    """A film's shots or windows as the key of what is made of them, from question to question.

    Ten hours have 4,500. To hash them all takes milliseconds each time; these are known by their
    number and ends, and compared, mostly as the very same tuple.
    """

    __slots__ = ("spans",)

    def __init__(self, spans: tuple[Any, ...]) -> None:
        self.spans = spans

    def __hash__(self) -> int:
        return hash((len(self.spans), self.spans[:1], self.spans[-1:]))

    def __eq__(self, other: object) -> bool:
        # A tuple is equal to itself without a look at what it holds.
        return isinstance(other, _Same) and (self.spans is other.spans or self.spans == other.spans)


def windows_of(
    shots: Sequence[Shot], film: Span, settings: SpotlightSettings, *, keys: Sequence[Span] = ()
) -> tuple[Span, ...]:
    """The film cut into windows: shots, tiny ones joined, long ones around their key spans.

    They cover the film without gap or overlap, whatever the shots and the keys are. Without keys
    they are the same tuple for the same shots.
    """
    given = _Same(tuple(shots))
    if not keys:
        return _windows(given, film, settings.shortest_s, settings.longest_s)
    whole = _whole(given, film, settings.shortest_s)
    return tuple(window for shot in whole for window in around_keys(shot, keys, settings))


@lru_cache(maxsize=8)
def _windows(shots: _Same, film: Span, shortest_s: float, longest_s: float) -> tuple[Span, ...]:
    whole = _whole(shots, film, shortest_s)
    return tuple(window for shot in whole for window in halves(shot, longest_s=longest_s))


def bounds_of(windows: tuple[Span, ...]) -> NDArray[np.float64]:
    """(N, 2) where windows begin and end, read-only; kept for the same windows."""
    return _bounds(_Same(windows))


@lru_cache(maxsize=8)
def _bounds(windows: _Same) -> NDArray[np.float64]:
    found = bounds_s(windows.spans)
    found.setflags(write=False)
    return found


@lru_cache(maxsize=8)
def _whole(shots: _Same, film: Span, shortest_s: float) -> tuple[Span, ...]:
    """The shots of a film, tiny ones joined to the one before; they cover it without gap."""
    edges = [film.start_s]
    for cut in sorted(
        {s.span.start_s for s in shots.spans if film.start_s < s.span.start_s < film.end_s}
    ):
        if cut - edges[-1] >= shortest_s and film.end_s - cut >= shortest_s:
            edges.append(cut)
    edges.append(film.end_s)
    return tuple(Span(start_s, end_s) for start_s, end_s in itertools.pairwise(edges))


def bins_of(shots: Sequence[Shot], film: Span, settings: SpotlightSettings) -> Bins:
    """The bins of the belief: seconds that end at cuts, each read with its shot."""
    return _bins(_Same(tuple(shots)), film, settings.shortest_s, settings.longest_s)


@lru_cache(maxsize=8)
def _bins(shots: _Same, film: Span, shortest_s: float, longest_s: float) -> Bins:
    return Bins.of(film, _whole(shots, film, shortest_s), longest_s=longest_s)


def around_keys(shot: Span, keys: Sequence[Span], settings: SpotlightSettings) -> list[Span]:
    """A shot cut at its key spans, what lies between them in equal parts; no gap, no overlap."""
    if shot.duration_s <= settings.longest_s and not keys:
        return [shot]
    edges = {shot.start_s, shot.end_s}
    for key in sorted(k for k in keys if shot.start_s <= k.start_s and k.end_s <= shot.end_s):
        for edge in (key.start_s, key.end_s):
            # An edge beside another one would leave a sliver.
            if min(abs(edge - e) for e in edges) >= settings.shortest_s:
                edges.add(edge)
    found: list[Span] = []
    for start_s, end_s in itertools.pairwise(sorted(edges)):
        found.extend(halves(Span(start_s, end_s), longest_s=settings.longest_s))
    return found


def halves(span: Span, *, longest_s: float) -> list[Span]:
    """The span in equal parts of at most `longest_s`."""
    n = max(1, math.ceil(span.duration_s / longest_s - 1e-9))
    edges = [span.start_s + span.duration_s * i / n for i in range(n)] + [span.end_s]
    return [Span(a, b) for a, b in itertools.pairwise(edges)]

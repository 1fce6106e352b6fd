"""The windows of a film: what can be looked at, before anything is ranked.

A shot is a window. A shot too long for one look is cut around its key spans: an anchor is a peak of
the prior between two valleys, and its span is as long as it stays relevant without repetition.
What lies between is cut evenly, so that every second of the film belongs to one window.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from agent.settings import SpotlightSettings
from agent.state import State
from agent.workspace import Workspace
from index.types import Shot, Span
from tools.keyclips import anchors, key_span


def film_windows(ws: Workspace, state: State) -> list[Span]:
    """The windows of the parts of the film that the question is about; made once in a run."""
    settings, parts = ws.settings.spotlight, ws.parts(state)
    made = ws.windows.get(parts)
    if made is None:
        keys = _keys(ws, state, parts)
        made = [w for part in parts for w in windows_of(ws.shots, part, settings, keys=keys)]
        ws.windows[parts] = made
    return made


def _keys(ws: Workspace, state: State, parts: Sequence[Span]) -> list[Span]:
    """Key spans of the shots that are too long for one look."""
    settings, timeline = ws.settings.spotlight, ws.film.timeline
    long = [
        inside
        for part in parts
        for shot in ws.shots
        if (inside := shot.span.clamp(part)) and inside.duration_s > settings.longest_s
    ]
    if not long or not len(timeline.times_s):
        return []
    belief = ws.prior(state).belief
    middles = (belief.edges_s[:-1] + belief.edges_s[1:]) / 2
    scores = belief.weights / belief.weights.max()
    keys = []
    for position in anchors(middles, scores, limit=settings.most_anchors):
        time_s = float(middles[position])
        shot = next((s for s in long if s.start_s <= time_s < s.end_s), None)
        if shot is not None:
            keys.append(
                key_span(
                    time_s,
                    within=shot,
                    scores=(middles, scores),
                    rows=(timeline.times_s, timeline.vectors),
                    settings=settings.lengths,
                )
            )
    return keys


def windows_of(
    shots: Sequence[Shot], film: Span, settings: SpotlightSettings, *, keys: Sequence[Span] = ()
) -> list[Span]:
    """The film cut into windows: shots, tiny ones joined, long ones around their key spans.

    They cover the film without gap or overlap, whatever the shots and the keys are.
    """
    cuts = sorted({s.span.start_s for s in shots if film.start_s < s.span.start_s < film.end_s})
    edges = [film.start_s]
    for cut in cuts:
        if cut - edges[-1] >= settings.shortest_s and film.end_s - cut >= settings.shortest_s:
            edges.append(cut)
    edges.append(film.end_s)
    windows: list[Span] = []
    for start_s, end_s in itertools.pairwise(edges):
        shot = Span(start_s, end_s)
        windows.extend(around_keys(shot, keys, settings))
    return windows


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

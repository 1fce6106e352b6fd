"""The windows of a film: what can be looked at, before anything is ranked.

Of a shot too long for one look the peaks of the prior between two valleys are anchors, and the key
span of an anchor is as long as it stays relevant without repetition (cut by agent/cuts.py).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from agent.cuts import windows_of
from agent.state import State
from agent.workspace import Workspace
from index.types import Span
from tools.keyclips import anchors, key_span


def film_windows(ws: Workspace, state: State) -> tuple[Span, ...]:
    """The windows of the parts of the film that the question is about; made once in a run."""
    settings, parts = ws.settings.spotlight, ws.parts(state)
    made = ws.windows.get(parts)
    if made is None:
        keys = _keys(ws, state, parts)
        each = [windows_of(ws.shots, part, settings, keys=keys) for part in parts]
        # Of the whole film they are the same tuple for every question.
        made = each[0] if len(each) == 1 else tuple(itertools.chain.from_iterable(each))
        ws.windows[parts] = made
    return made


def _keys(ws: Workspace, state: State, parts: Sequence[Span]) -> list[Span]:
    """Key spans of the shots that are too long for one look."""
    settings, timeline = ws.settings.spotlight, ws.film.timeline
    long = [
        inside
        for part in parts
        for shot in ws.shots
        if shot.span.duration_s > settings.longest_s  # first: ten hours have 4,500 shots
        and (inside := shot.span.clamp(part))
        and inside.duration_s > settings.longest_s
    ]
    if not long or not len(timeline.times_s):
        return []
    belief = ws.prior(state).belief
    middles, scores = belief.middles_s, belief.curve
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

"""What the film's cuts say of a span: the shot it stands in, and what is beside it.

In a long take there are no cuts near. There what looks alike around the likeliest second stands for
the shot, as far as the vectors tell it from the rest.
"""

from __future__ import annotations

from agent.state import State
from agent.workspace import Workspace
from index.types import Span
from tools.keyclips import alike_span

_CUT_S = 0.05
"""A span that ends so near to a cut ends at it."""


def whole(ws: Workspace, state: State, span: Span) -> Span:
    """The shot that a finding stands in, where it is one window long; in a longer one what looks
    alike around the likeliest second of the finding; else the span itself.

    A thing is rarely there for a part of a shot only, and an answer in time is read against cuts.
    What comes of this is looked at before it is cited.
    """
    shot = ws.shot_at(span.middle_s)
    least_s = ws.settings.answer.whole_share * span.duration_s
    if shot is None or span.overlap_s(shot.span) < least_s:
        return span
    if shot.span.duration_s > ws.settings.spotlight.longest_s:
        return _alike(ws, state, span) or span
    return shot.span


def has_edges(ws: Workspace, state: State, span: Span) -> bool:
    """Whether cuts or vectors say where the stretch ends that a span stands in."""
    shot = ws.shot_at(span.middle_s)
    if shot is not None and shot.span.duration_s <= ws.settings.spotlight.longest_s:
        return True
    return _alike(ws, state, span) is not None


def _alike(ws: Workspace, state: State, span: Span) -> Span | None:
    shot = ws.shot_at(span.middle_s)
    inside = span.clamp(shot.span) if shot else None
    if shot is None or inside is None:
        return None
    return _alike_at(ws, ws.prior(state).belief.heaviest_s(inside), within=shot.span)


def _alike_at(ws: Workspace, time_s: float, *, within: Span) -> Span | None:
    timeline = ws.film.timeline
    if not len(timeline.times_s):
        return None
    return alike_span(
        time_s,
        within=within,
        rows=(timeline.times_s, timeline.vectors),
        longest_s=ws.settings.spotlight.longest_s,
        share=ws.settings.answer.alike_share,
        most_crowd=ws.settings.answer.alike_crowd,
    )


def neighbour(ws: Workspace, anchor: Span, *, after: bool) -> Span | None:
    """What is right beside a span, no longer than one window; None at the film's end.

    The rest of its own shot, where that goes on for as long as a window may be short; else the
    next shot. Of a shot longer than a window, as far as what is beside it looks alike.
    """
    settings = ws.settings.spotlight
    shots = [s.span for s in ws.shots]
    if after:
        least_s = anchor.end_s + settings.shortest_s
        left = [s for s in shots if s.start_s >= anchor.end_s - _CUT_S or s.end_s >= least_s]
    else:
        most_s = anchor.start_s - settings.shortest_s
        left = [s for s in shots if s.end_s <= anchor.start_s + _CUT_S or s.start_s <= most_s]
    if not left:
        return None
    shot, longest_s = min(left) if after else max(left), settings.longest_s
    # The middle of its first second: at the edge itself the anchor may still be seen.
    if after:
        rest = Span(max(shot.start_s, anchor.end_s), shot.end_s)
        window = Span(rest.start_s, min(rest.end_s, rest.start_s + longest_s))
        beside_s = rest.start_s + settings.shortest_s / 2
    else:
        rest = Span(shot.start_s, min(shot.end_s, anchor.start_s))
        window = Span(max(rest.start_s, rest.end_s - longest_s), rest.end_s)
        beside_s = rest.end_s - settings.shortest_s / 2
    if shot.duration_s <= longest_s:
        return window
    return _alike_at(ws, beside_s, within=rest) or window

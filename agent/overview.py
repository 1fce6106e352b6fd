"""Questions about the film as a whole: what is it about, what happens in it.

Nothing is searched for. The film, or the part of it that is asked about, is cut into equal
stretches, as many as the tokens show; the second whose vector is nearest to the mean of its stretch
stands for it. All of them go into one prompt, in their order and with their times.

Source: medoids. The choice is made by the vectors that the index has: no frame is decoded for it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from agent.evidence import Shown, ask_at_once, least_tokens
from agent.kinds import Cited, Verdict
from agent.state import State
from agent.steps import StepWriter
from agent.workspace import Workspace
from index.types import Span

_SLIVER_S = 1e-6


def overview(ws: Workspace, step: StepWriter, state: State) -> Verdict:
    """The model's reply over shots that stand for the whole."""
    parts = ws.parts(state)
    spans = stand_ins(ws, parts, n_most=_affordable(ws, step))
    vote = ask_at_once(ws, step, [Shown(s, 1.0) for s in spans], question=state["question"])
    whole_s = sum(part.duration_s for part in parts)
    shown = [s for s in spans if any(s.start_s == k["start_s"] for k in vote.looks)]
    return Verdict(
        accepted=vote.agreed,
        why=vote.why if not shown else f"{len(shown)} shots stand for it; {vote.why}",
        reply=vote.reply,
        choice=vote.choice,
        # Of words over the whole nobody can say how right they are, but how much they rest on.
        confidence=vote.share if ws.question.options else _share(shown, whole_s),
        cited=tuple(Cited(s, "one of the shots it rests on") for s in shown),
        looks=vote.looks,
    )


def stand_ins(ws: Workspace, parts: Sequence[Span], *, n_most: int) -> list[Span]:
    """Windows of the film that stand for equal stretches of some parts, in order, apart."""
    whole_s = sum(part.duration_s for part in parts)
    n = max(1, min(n_most, math.ceil(whole_s / ws.settings.spotlight.longest_s)))
    return [
        _stand_in(ws, max(pieces, key=lambda s: s.duration_s))
        for i in range(n)
        if (pieces := _stretch(parts, whole_s * i / n, whole_s * (i + 1) / n))
    ]


def _stretch(parts: Sequence[Span], start_s: float, end_s: float) -> list[Span]:
    """A stretch of all parts laid end to end, as pieces of the film."""
    pieces, before_s = [], 0.0
    for part in parts:
        a = part.start_s + max(0.0, start_s - before_s)
        b = part.start_s + min(part.duration_s, end_s - before_s)
        if b - a > _SLIVER_S:
            pieces.append(Span(a, b))
        before_s += part.duration_s
    return pieces


def _stand_in(ws: Workspace, stretch: Span) -> Span:
    """The shot around the stretch's most typical second, as far as one look shows."""
    timeline, half_s = ws.film.timeline, ws.settings.spotlight.longest_s / 2
    rows = np.flatnonzero(
        (timeline.times_s >= stretch.start_s) & (timeline.times_s < stretch.end_s)
    )
    time_s = stretch.middle_s
    if len(rows):
        vectors = np.asarray(timeline.vectors[rows], float)
        time_s = float(timeline.times_s[rows[int((vectors @ vectors.mean(0)).argmax())]])
    shot = ws.shot_at(time_s)
    inside = (shot.span.clamp(stretch) if shot is not None else None) or stretch
    return Span(max(0.0, time_s - half_s), time_s + half_s).clamp(inside) or inside


def _affordable(ws: Workspace, step: StepWriter) -> int:
    """How many clips one prompt can show within the budget."""
    budget, can = step.budget(), ws.videollm.capabilities
    if not can.several_clips:
        return 1
    by_tokens = min(budget.tokens_left, can.max_visual_tokens) // least_tokens(ws)
    return max(1, min(by_tokens, budget.looks_left, ws.settings.answer.overview_clips))


def _share(spans: Sequence[Span], whole_s: float) -> float:
    return min(1.0, sum(s.duration_s for s in spans) / whole_s)

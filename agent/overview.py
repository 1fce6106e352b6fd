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

from agent.evidence import Shown, ask_at_once, plainest_tokens
from agent.kinds import Cited, Verdict
from agent.state import State
from agent.steps import StepWriter
from agent.workspace import Workspace
from index.types import Span


def overview(ws: Workspace, step: StepWriter, state: State) -> Verdict:
    """The model's reply over shots that stand for the whole."""
    parts = ws.parts(state)
    spans = stand_ins(ws, parts, n_most=_affordable(ws, step))
    vote = ask_at_once(ws, step, [Shown(s, 1.0) for s in spans], question=state["question"])
    whole_s = sum(part.duration_s for part in parts)
    shown = [s for s in spans if any(s.start_s == k["start_s"] for k in vote.looks)]
    return Verdict(
        accepted=vote.agreed,
        why=f"{len(shown)} shots of {len(spans)} stretches; {vote.why}",
        reply=vote.reply,
        choice=vote.choice,
        # Of words over the whole nobody can say how right they are, but how much they rest on.
        confidence=vote.share if ws.question.options else _share(shown, whole_s),
        cited=tuple(Cited(s, "one of the shots it rests on") for s in shown),
        looks=vote.looks,
    )


def stand_ins(ws: Workspace, parts: Sequence[Span], *, n_most: int) -> list[Span]:
    """Windows of the film that stand for equal stretches of some parts, in order, apart.

    A model that takes one clip alone gets one over everything.
    """
    if not ws.videollm.capabilities.several_clips:
        return [Span(parts[0].start_s, parts[-1].end_s)]
    whole_s = sum(part.duration_s for part in parts)
    longest_s = ws.settings.spotlight.longest_s
    n = max(1, min(n_most, math.ceil(whole_s / longest_s)))
    found: list[Span] = []
    for part in parts:
        n_here = max(1, round(n * part.duration_s / whole_s))
        step_s = part.duration_s / n_here
        for i in range(n_here):
            start_s = part.start_s + i * step_s
            end_s = part.end_s if i == n_here - 1 else start_s + step_s
            found.append(_stand_in(ws, Span(start_s, end_s)))
    return found[:n_most]


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
    by_tokens = min(budget.tokens_left, can.max_visual_tokens) // plainest_tokens(ws)
    return max(1, min(by_tokens, budget.looks_left, ws.settings.answer.overview_clips))


def _share(spans: Sequence[Span], whole_s: float) -> float:
    return min(1.0, sum(s.duration_s for s in spans) / whole_s)

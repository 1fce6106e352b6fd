"""Several moments: the set of them, and how sure it is that none is missing.

Every finding is looked at twice, and windows of one shot are one moment. Which of them are moments,
how many there would be, and whether the film holds any, is one posterior (agent/moments.py).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from agent.kinds import Cited, Verdict, nearest_number, pick_by_model, said
from agent.moves import close_looks
from agent.plan import option_by_number, option_by_time
from agent.presence import asked_mass, moments_seen, presence_of
from agent.shots import whole
from agent.state import FindingState, LookState, State, span_of
from agent.steps import StepWriter
from agent.verify import verify
from agent.workspace import Workspace
from index.types import Span, union
from tools.belief import Belief


def looked_share(ws: Workspace, state: State) -> float:
    """Share of the prior belief that the looks covered."""
    prior: Belief = ws.prior(state).belief
    spans = union(span_of(k) for k in close_looks(state["looks"], ws.settings.look))
    inside = [cut for s in spans for part in ws.parts(state) if (cut := s.clamp(part))]
    return float(prior.masses(inside).sum()) / asked_mass(ws, state) if inside else 0.0


def further(ws: Workspace, state: State, spans: Sequence[Span]) -> list[float]:
    """Expected number of further moments in each of some windows that were not looked at."""
    prior = ws.prior(state).belief
    expected = (1 - presence_of(ws, state).absent) * moments_seen(ws, state)[1].rate
    share = prior.masses(spans) / asked_mass(ws, state)
    return [expected * float(s) for s in share]


def several(ws: Workspace, step: StepWriter, state: State, belief: Belief) -> Verdict:
    """All moments: what may be one is looked at again, and what both looks say decides."""
    settings = ws.settings.several
    looks: list[LookState] = []
    findings: list[FindingState] = []
    seen, judged = state, chances(ws, state)
    # Each second look moves the chances of all: moments that hold make further ones likelier.
    while (found := _to_look_at_again(judged, settings.accept)) is not None:
        verified = verify(ws, step, seen, found, whole(ws, state, span_of(found)))
        if verified is None:
            break
        looks.append(verified.look)
        findings.append(verified.finding)
        seen = {
            **state,
            "looks": state["looks"] + looks,
            "findings": state["findings"] + findings,
        }
        judged = chances(ws, seen)
    kept = [span_of(f) for f, chance in judged if chance >= settings.accept]
    moments = merged(ws, kept, gap_s=settings.merge_gap_s)
    spans = {"first": moments[:1], "last": moments[-1:]}.get(state["kind"], moments)
    none = moments_seen(ws, seen)[1].none_in(1 - looked_share(ws, seen))
    choice, extra = _pick(ws, step, state, spans)
    reply = str(len(spans)) if state["kind"] == "count" else ", ".join(said(s) for s in spans)
    # The set is right where each window is what it was taken for and no other moment is left.
    right = math.prod(max(c, 1 - c) for _, c in judged) * none
    return Verdict(
        accepted=bool(spans),
        why=f"{len(moments)} moments, {len(judged)} windows judged, {len(looks)} of them twice",
        reply=ws.question.options[choice] if choice is not None else (reply if spans else ""),
        choice=choice,
        confidence=right if spans else 0.0,
        spans=tuple(spans),
        cited=tuple(Cited(s, state["subject"]) for s in spans),
        looks=(*looks, *extra),
        findings=tuple(findings),
        missing=1 - none,
        n_once=sum(c >= settings.accept and not f["verified"] for f, c in judged),
    )


def _to_look_at_again(
    judged: Sequence[tuple[FindingState, float]], accept: float
) -> FindingState | None:
    """The likeliest moment that was looked at only once; None where there is none."""
    once = [(chance, f) for f, chance in judged if chance >= accept and not f["verified"]]
    return max(once, key=lambda pair: pair[0])[1] if once else None


def chances(ws: Workspace, state: State) -> list[tuple[FindingState, float]]:
    """The last finding of every window, and the probability that it shows one of the moments."""
    windows, moments = moments_seen(ws, state)
    present = 1 - presence_of(ws, state).absent
    return [(f, present * c) for f, c in zip(windows, moments.chances, strict=True)]


def merged(ws: Workspace, spans: Sequence[Span], *, gap_s: float) -> list[Span]:
    """Spans that overlap, or that nearly touch within one shot, as one.

    Shots that follow each other stay apart: what is in both was there twice.
    """
    found: list[Span] = []
    for span in sorted(set(spans)):
        last = found[-1] if found else None
        if last is not None and (
            span.overlap_s(last) > gap_s
            or (span.start_s - last.end_s <= gap_s and _one_shot(ws, last, span))
        ):
            found[-1] = Span(last.start_s, max(last.end_s, span.end_s))
        else:
            found.append(span)
    return found


def _one_shot(ws: Workspace, a: Span, b: Span) -> bool:
    shot = ws.shot_at(a.middle_s)
    return shot is not None and shot == ws.shot_at(b.middle_s)


def _pick(
    ws: Workspace, step: StepWriter, state: State, spans: Sequence[Span]
) -> tuple[int | None, tuple[LookState, ...]]:
    """The option that the set means."""
    options = ws.question.options
    if not options:
        return None, ()
    if state["kind"] == "count":
        by_code = option_by_number(options, len(spans))
        if by_code is None and spans:
            by_code = nearest_number(options, len(spans))
    else:
        by_code = option_by_time(options, spans)
    if by_code is not None or not spans:
        return by_code, ()
    return pick_by_model(ws, step, state, spans)

"""Several moments: the set of them, and how sure it is that none is missing.

Every finding is looked at twice. A window's odds of showing one of the moments are its odds by the
vectors times the ratio of both looks; windows of one shot are one moment. How many there are is not
known, so the number is taken as Poisson with an unknown rate (a gamma prior): k moments found in
the looked-at share S of the prior belief leave

    P(none is missing) = ((b + S) / (b + 1))^(a + k),   expected rate (a + k) / (b + S)

Source: Generalized Moment Retrieval (all moments or none). Ours differs: a statement about what was
not seen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from agent.kinds import Cited, Verdict, nearest_number, pick_by_model, said, whole
from agent.plan import option_by_number, option_by_time
from agent.reflect import best_findings
from agent.settings import SeveralSettings
from agent.state import FindingState, LookState, State, span_of
from agent.steps import StepWriter
from agent.verify import verify
from agent.workspace import Workspace
from index.types import Span
from tools.belief import Belief


@dataclass(frozen=True, slots=True)
class Missing:
    """What is not known about the moments that were not seen."""

    rate: float
    """Expected number of moments in the whole film."""
    none: float
    """Probability that none is missing."""


def missing(n_found: int, looked_share: float, *, settings: SeveralSettings) -> Missing:
    """What `n_found` moments in the looked-at share of the prior say about the rest."""
    shape, per = settings.prior_shape, settings.prior_shape / settings.prior_mean
    share = min(max(looked_share, 0.0), 1.0)
    return Missing(
        rate=(shape + n_found) / (per + share),
        none=((per + share) / (per + 1)) ** (shape + n_found),
    )


def looked_share(ws: Workspace, state: State) -> float:
    """Share of the prior belief that the looks covered."""
    prior: Belief = ws.prior(state).belief
    spans: list[Span] = []
    for span in sorted(span_of(k) for k in state["looks"]):
        if spans and span.start_s <= spans[-1].end_s:
            spans[-1] = Span(spans[-1].start_s, max(spans[-1].end_s, span.end_s))
        else:
            spans.append(span)
    inside = [cut for s in spans for part in ws.parts(state) if (cut := s.clamp(part))]
    return float(prior.masses(inside).sum()) / _asked_mass(ws, state) if inside else 0.0


def _asked_mass(ws: Workspace, state: State) -> float:
    """The prior belief in the parts of the film that the question is about."""
    return float(ws.prior(state).belief.masses(ws.parts(state)).sum())


def chance(ws: Workspace, state: State, found: FindingState) -> float:
    """Probability that a finding is one of the moments: by the vectors and the looks."""
    prior = ws.prior(state).belief
    span = whole(ws, span_of(found))
    expected = ws.settings.several.prior_mean * prior.mass(span) / _asked_mass(ws, state)
    odds = expected * math.exp(found["log_ratio"])
    return odds / (1 + odds)


def next_chance(ws: Workspace, state: State, span: Span) -> float:
    """Expected number of further moments in a window that was not looked at."""
    prior = ws.prior(state).belief
    n_found = sum(f["confidence"] >= ws.settings.reflect.accept for f in state["findings"])
    rate = missing(n_found, looked_share(ws, state), settings=ws.settings.several).rate
    return rate * prior.mass(span) / _asked_mass(ws, state)


def several(ws: Workspace, step: StepWriter, state: State, belief: Belief) -> Verdict:
    """All moments: each finding is looked at again, and windows of one shot are merged."""
    settings = ws.settings.several
    kept: list[tuple[Span, float]] = []
    looks: list[LookState] = []
    findings: list[FindingState] = []
    best = best_findings(state, belief, ws.settings.reflect)
    for found in sorted(best, key=lambda f: -chance(ws, state, f)):
        span = whole(ws, span_of(found))
        verified = verify(ws, step, state, found, span)
        if verified is not None:
            looks.append(verified.look)
            findings.append(verified.finding)
            found = verified.finding
        else:
            span = span_of(found)
        if chance(ws, state, found) >= settings.accept:
            kept.append((span, chance(ws, state, found)))
    spans = merged(ws, [s for s, _ in kept], gap_s=settings.merge_gap_s)
    rest = missing(len(spans), looked_share(ws, state), settings=settings)
    choice, extra = _pick(ws, step, state, spans)
    reply = str(len(spans)) if state["kind"] == "count" else ", ".join(said(s) for s in spans)
    return Verdict(
        accepted=bool(spans),
        why=f"{len(spans)} moments, {len(best) - len(kept)} rejected on a second look",
        reply=ws.question.options[choice] if choice is not None else (reply if spans else ""),
        choice=choice,
        confidence=math.prod(c for _, c in kept) * rest.none if kept else 0.0,
        spans=tuple(spans),
        cited=tuple(Cited(s, state["subject"]) for s in spans),
        looks=(*looks, *extra),
        findings=tuple(findings),
        missing=1 - rest.none,
    )


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

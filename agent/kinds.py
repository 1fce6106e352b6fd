"""From findings to a verdict, for each kind of question.

One moment: the model's reply over the best finding. "When": the span itself. Count and "all": the
verified, merged windows. After and before: the reply over the shot beside the anchor, with the
anchor shown too. Where options are numbers or times, code picks; else the model chooses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent.evidence import NOT_ENOUGH, Shown, Vote, ask_evidence, shapes
from agent.plan import option_by_number, option_by_time
from agent.reflect import best_findings, calibration_for
from agent.state import FindingState, LookState, State, UpdateState, intent_of, span_of
from agent.steps import StepWriter
from agent.workspace import Workspace
from index.times import format_time
from index.types import Span
from prompts.render import render
from tools.belief import Belief


@dataclass(frozen=True, slots=True)
class Cited:
    """A span that a verdict rests on, before it is checked."""

    span: Span
    what: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the findings say, and whether that may be given as the answer."""

    accepted: bool
    why: str
    reply: str = ""
    choice: int | None = None
    confidence: float = 0.0
    spans: tuple[Span, ...] = ()
    cited: tuple[Cited, ...] = ()
    looks: tuple[LookState, ...] = ()
    """Looks taken for the verdict."""
    updates: tuple[UpdateState, ...] = ()
    """What the attempt itself says about the evidence."""


def verdict_of(ws: Workspace, step: StepWriter, state: State, belief: Belief) -> Verdict:
    """The verdict for this question's kind."""
    intent = intent_of(state)
    best = best_findings(state, belief, ws.settings.reflect)
    if intent.wants_all:
        return _several(ws, step, state, best)
    if not best:
        return Verdict(accepted=False, why="no look shows the evidence")
    if intent.kind == "when":
        return _when(ws, step, state, best[0])
    if intent.wants_neighbour:
        return _neighbour(ws, step, state, best[0])
    return _moment(ws, step, best, belief)


def _moment(
    ws: Workspace, step: StepWriter, best: Sequence[FindingState], belief: Belief
) -> Verdict:
    settings = ws.settings.answer
    least = settings.near_best * belief.mass(span_of(best[0]))
    near = [f for f in best[: settings.clips] if belief.mass(span_of(f)) >= least]
    shown = [Shown(span_of(f), belief.mass(span_of(f))) for f in near]
    vote = ask_evidence(ws, step, shown, question=ws.question.text)
    return Verdict(
        accepted=vote.agreed,
        why=vote.why,
        reply=vote.reply,
        choice=vote.choice,
        confidence=near[0]["confidence"] * vote.share,
        cited=tuple(Cited(s.span, vote.reply) for s in shown),
        looks=vote.looks,
        updates=_against(ws, vote, near),
    )


def _when(ws: Workspace, step: StepWriter, state: State, found: FindingState) -> Verdict:
    """The span of the evidence, seen to its shot's bounds and judged once more."""
    span = refined(ws, state, span_of(found))
    again, look = _judge_again(ws, step, state, span)
    confidence = (found["confidence"] + again) / 2
    accepted = again >= ws.settings.reflect.accept
    choice, extra = _pick_time(ws, step, [span])
    return Verdict(
        accepted=accepted,
        why="a second look agrees" if accepted else "a second look disagrees",
        reply=ws.question.options[choice] if choice is not None else said(span),
        choice=choice,
        confidence=confidence,
        spans=(span,),
        cited=(Cited(span, state["subject"]),),
        looks=(look, *extra),
        updates=() if accepted else (_update(ws, found, "disagree"),),
    )


def _several(
    ws: Workspace, step: StepWriter, state: State, best: Sequence[FindingState]
) -> Verdict:
    """All moments: doubtful findings are looked at again, windows of one shot are merged."""
    settings = ws.settings.answer
    kept: list[tuple[Span, float]] = []
    looks: list[LookState] = []
    for found in best:
        confidence = found["confidence"]
        if confidence < settings.sure and step.budget().tokens_left > 0:
            again, look = _judge_again(ws, step, state, span_of(found))
            looks.append(look)
            confidence = (confidence + again) / 2
        if confidence >= ws.settings.reflect.accept:
            kept.append((span_of(found), confidence))
    spans = merged(ws, [refined(ws, state, s) for s, _ in kept], gap_s=settings.merge_gap_s)
    confidence = min((c for _, c in kept), default=0.0)
    choice, extra = _pick_several(ws, step, state, spans)
    reply = str(len(spans)) if state["kind"] == "count" else ", ".join(said(s) for s in spans)
    return Verdict(
        accepted=bool(spans),
        why=f"{len(spans)} moments, {len(best) - len(kept)} rejected on a second look",
        reply=ws.question.options[choice] if choice is not None else (reply if spans else ""),
        choice=choice,
        confidence=confidence,
        spans=tuple(spans),
        cited=tuple(Cited(s, state["subject"]) for s in spans),
        looks=(*looks, *extra),
    )


def _neighbour(ws: Workspace, step: StepWriter, state: State, found: FindingState) -> Verdict:
    """What stands beside the anchor: its neighbour shot, shown together with the anchor."""
    anchor = refined(ws, state, span_of(found))
    beside = neighbour(ws, anchor, after=state["kind"] == "after")
    if beside is None:
        side = "after" if state["kind"] == "after" else "before"
        why = f"nothing comes {side} it: the film {'ends' if side == 'after' else 'begins'} there"
        return Verdict(accepted=False, why=why, cited=(Cited(anchor, state["subject"]),))
    shown = [Shown(anchor, 1.0), Shown(beside, 1.0)]
    vote = ask_evidence(ws, step, shown, question=ws.question.text)
    return Verdict(
        accepted=vote.agreed,
        why=vote.why,
        reply=vote.reply,
        choice=vote.choice,
        confidence=found["confidence"] * vote.share,
        cited=(Cited(beside, vote.reply), Cited(anchor, state["subject"])),
        looks=vote.looks,
        updates=_against(ws, vote, [found]),
    )


def neighbour(ws: Workspace, anchor: Span, *, after: bool) -> Span | None:
    """The shot right beside a span, its nearer part where it is long; None at the film's end."""
    longest_s = ws.settings.spotlight.longest_s
    if after:
        shots = [s.span for s in ws.film.shots if s.span.start_s >= anchor.end_s - 0.05]
        if not shots:
            return None
        shot = min(shots)
        return Span(shot.start_s, min(shot.end_s, shot.start_s + longest_s))
    shots = [s.span for s in ws.film.shots if s.span.end_s <= anchor.start_s + 0.05]
    if not shots:
        return None
    shot = max(shots)
    return Span(max(shot.start_s, shot.end_s - longest_s), shot.end_s)


def refined(ws: Workspace, state: State, span: Span) -> Span:
    """The span's whole shot, where the run has looked at all of it and it is one window long."""
    shot = ws.shot_at(span.middle_s)
    if shot is None or shot.span.duration_s > ws.settings.spotlight.longest_s:
        return span
    looked = any(
        span_of(k).start_s <= shot.span.start_s + 0.05
        and span_of(k).end_s >= shot.span.end_s - 0.05
        for k in state["looks"]
    )
    return shot.span if looked else span


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


def said(span: Span) -> str:
    """A span as a person reads it."""
    return f"{format_time(span.start_s)}–{format_time(span.end_s)}"


def _judge_again(
    ws: Workspace, step: StepWriter, state: State, span: Span
) -> tuple[float, LookState]:
    """A second judgement, in other frames than the first one saw."""
    trim_s = span.duration_s * 0.05
    inner = Span(span.start_s + trim_s, span.end_s - trim_s)
    affordable = [
        s
        for s in shapes(ws, high=True)
        if ws.videollm.clip_tokens(n_frames=s.n_frames, width_px=s.width_px, height_px=s.height_px)
        <= step.budget().tokens_left
    ]
    shape = affordable[-1] if affordable else shapes(ws, high=False)[0]
    look, clip = step.look(inner, shape, why="a second look at a finding", source="answer")
    prompt = render("reflect", n_clips=1, question=state["reflect_question"])
    raw = step.judge(prompt, [clip], looks=[look])
    return calibration_for(ws, prompt).apply(raw.p_yes), look


def _pick_time(
    ws: Workspace, step: StepWriter, spans: Sequence[Span]
) -> tuple[int | None, tuple[LookState, ...]]:
    options = ws.question.options
    if not options:
        return None, ()
    by_code = option_by_time(options, spans)
    return (by_code, ()) if by_code is not None else _pick_by_model(ws, step, spans)


def _pick_several(
    ws: Workspace, step: StepWriter, state: State, spans: Sequence[Span]
) -> tuple[int | None, tuple[LookState, ...]]:
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
    return _pick_by_model(ws, step, spans)


def nearest_number(options: Sequence[str], value: int) -> int | None:
    """The option whose number is nearest to `value`; None unless all are numbers and one is."""
    for distance in range(1, 100):
        for candidate in (value + distance, value - distance):
            found = option_by_number(options, candidate)
            if found is not None:
                return found
    return None


def _pick_by_model(
    ws: Workspace, step: StepWriter, spans: Sequence[Span]
) -> tuple[int | None, tuple[LookState, ...]]:
    vote = ask_evidence(ws, step, [Shown(s, 1.0) for s in spans], question=ws.question.text)
    return vote.choice, vote.looks


def _against(
    ws: Workspace, vote: Vote, findings: Sequence[FindingState]
) -> tuple[UpdateState, ...]:
    """What a failed vote says against the evidence it was put to."""
    if vote.agreed:
        return ()
    cause = "not enough" if NOT_ENOUGH in vote.why else "disagree"
    return tuple(_update(ws, f, cause) for f in findings)


def _update(ws: Workspace, found: FindingState, cause: str) -> UpdateState:
    settings = ws.settings.answer
    ratio = settings.not_enough_log_ratio if cause == "not enough" else settings.disagree_log_ratio
    return {
        "start_s": found["start_s"],
        "end_s": found["end_s"],
        "log_ratio": ratio,
        "cause": cause,
    }

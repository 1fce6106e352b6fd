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
from agent.reflect import best_findings, calibration_for, update_for
from agent.state import FindingState, LookState, State, UpdateState, intent_of, span_of
from agent.steps import StepWriter
from agent.words import asked_text
from agent.workspace import Workspace
from index.times import format_time
from index.types import Span
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
    return _moment(ws, step, state, best, belief)


def _moment(
    ws: Workspace, step: StepWriter, state: State, best: Sequence[FindingState], belief: Belief
) -> Verdict:
    settings = ws.settings.answer
    least = settings.near_best * belief.mass(span_of(best[0]))
    near = [f for f in best[: settings.clips] if belief.mass(span_of(f)) >= least]
    shown = [Shown(whole(ws, span_of(f)), belief.mass(span_of(f))) for f in near]
    vote = ask_evidence(ws, step, shown, question=asked_text(ws, state))
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
    span = whole(ws, span_of(found))
    judged = _judge_again(ws, step, state, span)
    if judged is None:
        span = span_of(found)
        return Verdict(
            accepted=False,
            why="no tokens are left for a second look",
            reply=said(span),
            confidence=found["confidence"] / 2,
            spans=(span,),
            cited=(Cited(span, state["subject"]),),
        )
    confidence = (found["confidence"] + judged.confidence) / 2
    accepted = judged.confidence >= ws.settings.reflect.accept
    if not accepted:
        again: FindingState = {**found, "confidence": judged.confidence}
        return Verdict(
            accepted=False,
            why="a second look disagrees",
            looks=(judged.look,),
            updates=(update_for(again, ws.settings.reflect, all_=False),),
        )
    choice, extra = _pick_time(ws, step, [span])
    return Verdict(
        accepted=True,
        why="a second look agrees",
        reply=ws.question.options[choice] if choice is not None else said(span),
        choice=choice,
        confidence=confidence,
        spans=(span,),
        cited=(Cited(span, state["subject"]),),
        looks=(judged.look, *extra),
    )


def _several(
    ws: Workspace, step: StepWriter, state: State, best: Sequence[FindingState]
) -> Verdict:
    """All moments: doubtful findings are looked at again, windows of one shot are merged."""
    settings = ws.settings.answer
    kept: list[tuple[Span, float]] = []
    looks: list[LookState] = []
    for found in best:
        span, confidence = whole(ws, span_of(found)), found["confidence"]
        if confidence < settings.sure or span != span_of(found):
            judged = _judge_again(ws, step, state, span)
            if judged is None:
                span = span_of(found)
            else:
                looks.append(judged.look)
                confidence = (confidence + judged.confidence) / 2
        if confidence >= settings.several_accept:
            kept.append((span, confidence))
    spans = merged(ws, [s for s, _ in kept], gap_s=settings.merge_gap_s)
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
    """What stands beside the anchor: its neighbour shot, shown with the anchor or alone."""
    anchor = whole(ws, span_of(found))
    beside = neighbour(ws, anchor, after=state["kind"] == "after")
    if beside is None:
        side = "after" if state["kind"] == "after" else "before"
        why = f"nothing comes {side} it: the film {'ends' if side == 'after' else 'begins'} there"
        return Verdict(accepted=False, why=why, cited=(Cited(anchor, state["subject"]),))
    alone = ws.settings.answer.neighbour_alone
    seen = span_of(found) if alone else anchor
    shown = [Shown(beside, 1.0)] if alone else [Shown(anchor, 1.0), Shown(beside, 1.0)]
    name = "shown" if alone else "answer"
    vote = ask_evidence(ws, step, shown, question=asked_text(ws, state), prompt_name=name)
    return Verdict(
        accepted=vote.agreed,
        why=vote.why,
        reply=vote.reply,
        choice=vote.choice,
        confidence=found["confidence"] * vote.share,
        cited=(Cited(beside, vote.reply), Cited(seen, state["subject"])),
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


def whole(ws: Workspace, span: Span) -> Span:
    """The shot that a finding stands in, where it is one window long; else the span itself.

    A thing is rarely there for a part of a shot only, and an answer in time is read against cuts.
    What comes of this is looked at before it is cited.
    """
    shot = ws.shot_at(span.middle_s)
    if shot is None or shot.span.duration_s > ws.settings.spotlight.longest_s:
        return span
    inside = span.overlap_s(shot.span) >= 0.9 * span.duration_s
    return shot.span if inside else span


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


@dataclass(frozen=True, slots=True)
class _Judged:
    confidence: float
    look: LookState


def _judge_again(ws: Workspace, step: StepWriter, state: State, span: Span) -> _Judged | None:
    """A second judgement of a span, larger and in other frames; None where it can't be paid."""
    ladder = shapes(ws, high=True, several=True)
    left = step.budget().tokens_left if step.budget().calls_left else 0
    affordable = [
        s
        for s in ladder
        if ws.videollm.clip_tokens(n_frames=s.n_frames, width_px=s.width_px, height_px=s.height_px)
        <= left
    ]
    if not affordable:
        return None
    look, clip = step.look(span, affordable[-1], why="a second look at a finding", source="answer")
    prompt = ws.render("reflect", n_clips=1, question=state["reflect_question"])
    raw = step.judge(prompt, [clip], looks=[look])
    return _Judged(calibration_for(ws, prompt).apply(raw.p_yes), look)


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

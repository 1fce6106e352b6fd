"""Is the evidence here? Each look is judged, and the belief follows.

One confidence for both question forms: P(yes) on the question without its options, made honest by
the calibration stored for this model and prompt (none: as it is).
"""

from __future__ import annotations

from dataclasses import asdict

from langgraph.runtime import Runtime

from agent.confidence import Fit, StoredFit, fit_for, sigmoid
from agent.moves import is_glance, moves, shifted
from agent.presence import presence_of, same_window
from agent.settings import ReflectSettings
from agent.state import (
    FindingState,
    LookState,
    ProposalState,
    State,
    UpdateState,
    intent_of,
    span_of,
)
from agent.steps import StepWriter
from agent.workspace import Workspace
from prompts.render import RenderedPrompt
from tools.belief import Belief


def look_fit(ws: Workspace) -> StoredFit:
    """The fit of a look's P(yes), for this model and its prompt."""
    return fit_for(
        ws.runs,
        model_hash=ws.videollm.weights_hash,
        prompt_hash=ws.prompts_hash("look"),
        stage="look",
        default=ws.settings.reflect.fit,
    )


def reflect(state: State, runtime: Runtime[Workspace]) -> State:
    """Judge the looks of this turn, update the belief, and decide: answer, or search on."""
    ws = runtime.context
    step = StepWriter(ws, state, "reflect")
    before = ws.belief(state)
    prompt = ws.render("reflect", n_clips=1, question=state["reflect_question"])
    stored = look_fit(ws)
    fit = stored.of(state["reflect_question"])
    findings: list[FindingState] = []
    proposals: list[ProposalState] = []
    updates: list[UpdateState] = []
    for taken, p_yes in zip(_unjudged(state), _judged(ws, step, state, prompt), strict=True):
        glance = is_glance(span_of(taken), taken["n_frames"], ws.settings.look)
        if p_yes is None:
            if not glance:
                even = ws.settings.reflect.accept
                findings.append(step.finding(taken, p_yes=0.5, confidence=even, log_ratio=0.0))
            continue
        found = _found(ws, step, taken, p_yes=p_yes, fit=fit, glance=glance)
        if glance:
            # It moves the belief a little; no answer rests on it, and it is none of the moments.
            updates.append(update_for(found, ws.settings.reflect, all_=False))
            continue
        findings.append(found)
        updates.append(update_for(found, ws.settings.reflect, all_=intent_of(state).wants_all))
        if ws.settings.reflect.moves:
            part = ws.part_of(state, span_of(found))
            proposals += moves(found, taken, settings=ws.settings.reflect, bounds=part) + shifted(
                found,
                taken,
                settings=ws.settings.reflect,
                shot=ws.shot_at(span_of(found).middle_s),
                belief=before,
            )
    update = State(
        findings=state["findings"] + findings,
        updates=state["updates"] + updates,
        proposals=state["proposals"] + proposals,
        unjudged=[],
    )
    after_state: State = {**state, **update}
    after = ws.belief(after_state)
    presence = presence_of(ws, after_state)
    step.data = {"fit": stored.named, "presence": asdict(presence)}
    reason = why_stop(after_state, after.with_absent(presence.absent), ws.settings.reflect)
    if not ws.settings.reflect.judge:
        reason = "sufficient: no look is judged"
    update["next"] = "answer" if reason else "spotlight"
    update["stop_reason"] = reason
    why = reason or _summary(findings, ws.settings.reflect)
    return step.done(update, why=why, before=before, after=after)


def _judged(
    ws: Workspace, step: StepWriter, state: State, prompt: RenderedPrompt
) -> list[float | None]:
    """P(yes) of each look that waits for it; None where no look is judged."""
    looks = _unjudged(state)
    if not looks or not ws.settings.reflect.judge:
        return [None] * len(looks)
    clips = [ws.clip(taken, label=told(ws, taken)) for taken in looks]
    return [found.p_yes for found in step.judge_each(prompt, clips, looks=looks)]


def _found(
    ws: Workspace, step: StepWriter, taken: LookState, *, p_yes: float, fit: Fit, glance: bool
) -> FindingState:
    """What the VideoLLM's P(yes) says of one look; a glance counts for less."""
    odds = fit.log_odds(p_yes)
    settings = ws.settings.reflect
    least, most = settings.least_log_ratio, settings.most_log_ratio
    if glance:
        least, most = -settings.glance_log_ratio, settings.glance_log_ratio
    return step.finding(
        taken,
        p_yes=p_yes,
        confidence=sigmoid(odds),
        log_ratio=min(max(odds, least), most),
    )


def told(ws: Workspace, taken: LookState) -> str:
    """What was delivered, told to the model that asked for it."""
    if taken["source"] != "request" or not ws.settings.look.tell_delivered:
        return ""
    span = span_of(taken)
    fps = taken["n_frames"] / span.duration_s
    return (
        f"Delivered: <span>{span.start_s:.2f} - {span.end_s:.2f}</span><fps>{fps:.2f}</fps>,"
        f" {taken['n_frames']} frames of {taken['width_px']}x{taken['height_px']},"
        f" {taken['tokens']} tokens. "
    )


def update_for(found: FindingState, settings: ReflectSettings, *, all_: bool) -> UpdateState:
    """What a finding says for or against its span.

    A search for all moments asks "where is *another* one": what was found explains its own span,
    and the belief there falls like that of an empty one.
    """
    ratio = found["log_ratio"]
    if all_ and found["confidence"] >= settings.accept:
        ratio = settings.least_log_ratio
    return {
        "start_s": found["start_s"],
        "end_s": found["end_s"],
        "log_ratio": ratio,
        "cause": found["finding_id"],
    }


def best_findings(
    state: State, belief: Belief, settings: ReflectSettings, *, ambiguous: bool = False
) -> list[FindingState]:
    """Accepted findings, the most believed first, without those that a later look replaced.

    Args:
        ambiguous: in their place those that may show it, and were looked at only once.
    """
    latest: list[FindingState] = []
    for found in reversed(state["findings"]):
        if not any(_replaces(k, found, settings) for k in latest):
            latest.append(found)
    least = settings.ambiguous[0] if ambiguous else settings.accept
    kept = [f for f in latest if f["confidence"] >= least and not (ambiguous and f["verified"])]
    return sorted(
        kept,
        key=lambda f: (-belief.mass(span_of(f)), -f["confidence"], f["start_s"]),
    )


def _replaces(later: FindingState, found: FindingState, settings: ReflectSettings) -> bool:
    """Whether a later look at the same place stands for an earlier one.

    A second look holds the first. Any other must show little else.
    """
    a, b = span_of(later), span_of(found)
    if later["verified"]:
        return same_window(a, b, settings)
    fills = a.overlap_s(b) >= settings.replaced_share * a.duration_s
    return fills and a.tiou(b) >= settings.replaced_tiou


def why_stop(state: State, belief: Belief, settings: ReflectSettings) -> str:
    """Why the search may end here, at the risks that the settings state; "" to search on."""
    if intent_of(state).wants_all:
        return ""
    if belief.absent >= 1 - settings.absent_risk:
        return "absent: the film does not seem to hold it"
    best = best_findings(state, belief, settings)
    if best and belief.mass(span_of(best[0])) >= 1 - settings.answer_risk:
        return f"sufficient: {belief.mass(span_of(best[0])):.0%} of the belief is in one window"
    return ""


def _unjudged(state: State) -> list[LookState]:
    wanted = set(state["unjudged"])
    return [k for k in state["looks"] if k["look_id"] in wanted]


def _summary(findings: list[FindingState], settings: ReflectSettings) -> str:
    shown = sum(f["confidence"] >= settings.accept for f in findings)
    looks = "look shows" if len(findings) == 1 else "looks show"
    return f"{shown} of {len(findings)} {looks} it; the search goes on"

"""Is the evidence here? Each look is judged, and the belief follows.

One confidence for both question forms: P(yes) on the question without its options, made honest by
the calibration stored for this model and prompt (none: as it is).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from langgraph.runtime import Runtime

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
from index.types import Span
from prompts.render import RenderedPrompt
from tools.belief import Belief, log_ratio_of


@dataclass(frozen=True, slots=True)
class Calibration:
    """P(yes) → sigmoid((logit + bias) / temperature)."""

    temperature: float = 1.0
    bias: float = 0.0

    def apply(self, p_yes: float) -> float:
        """The calibrated probability; 0 and 1 are drawn in a little first."""
        p = min(max(p_yes, 1e-6), 1 - 1e-6)
        logit = (math.log(p / (1 - p)) + self.bias) / self.temperature
        return 1 / (1 + math.exp(-min(max(logit, -60.0), 60.0)))


def calibration_for(ws: Workspace, prompt: RenderedPrompt) -> Calibration:
    """What is stored for the model and the prompt; that of the settings where nothing is."""
    stored = ws.runs.calibration(model_hash=ws.videollm.weights_hash, prompt_hash=prompt.file_hash)
    settings = ws.settings.reflect
    return Calibration(*stored) if stored else Calibration(settings.temperature, settings.bias)


def reflect(state: State, runtime: Runtime[Workspace]) -> State:
    """Judge the looks of this turn, update the belief, and decide: answer, or search on."""
    ws = runtime.context
    step = StepWriter(ws, state, "reflect")
    before = ws.belief(state)
    prompt = ws.render("reflect", n_clips=1, question=state["reflect_question"])
    calibration = calibration_for(ws, prompt)
    findings: list[FindingState] = []
    proposals: list[ProposalState] = []
    updates: list[UpdateState] = []
    n_empty = state["n_empty_in_a_row"]
    for taken in _unjudged(state):
        if not ws.settings.reflect.judge:
            findings.append(step.finding(taken, p_yes=0.5, confidence=ws.settings.reflect.accept))
            continue
        raw = step.judge(prompt, [ws.clip(taken)], looks=[taken])
        found = step.finding(taken, p_yes=raw.p_yes, confidence=calibration.apply(raw.p_yes))
        findings.append(found)
        updates.append(update_for(found, ws.settings.reflect, all_=intent_of(state).wants_all))
        proposals += closer(found, taken, ws.settings.reflect)
        n_empty = 0 if found["confidence"] >= ws.settings.reflect.accept else n_empty + 1
    update = State(
        findings=state["findings"] + findings,
        updates=state["updates"] + updates,
        proposals=state["proposals"] + proposals,
        unjudged=[],
        n_empty_in_a_row=n_empty,
    )
    after_state: State = {**state, **update}
    after = ws.belief(after_state)
    reason = why_stop(after_state, after, ws.settings.reflect)
    if not ws.settings.reflect.judge:
        reason = "sufficient: no look is judged"
    update["next"] = "answer" if reason else "spotlight"
    update["stop_reason"] = reason
    why = reason or _summary(findings, ws.settings.reflect)
    return step.done(update, why=why, before=before, after=after)


def update_for(found: FindingState, settings: ReflectSettings, *, all_: bool) -> UpdateState:
    """What a finding says for or against its span.

    A search for all moments asks "where is *another* one": what was found explains its own span,
    and the belief there falls like that of an empty one.
    """
    ratio = log_ratio_of(
        found["confidence"], base_rate=settings.base_rate, most=settings.most_log_ratio
    )
    if all_ and found["confidence"] >= settings.accept:
        ratio = -settings.most_log_ratio
    return {
        "start_s": found["start_s"],
        "end_s": found["end_s"],
        "log_ratio": ratio,
        "cause": found["finding_id"],
    }


def closer(found: FindingState, taken: LookState, settings: ReflectSettings) -> list[ProposalState]:
    """An ambiguous window again: its halves where it is long, else larger; once only."""
    low, high = settings.ambiguous
    if not low <= found["confidence"] <= high or taken["source"] in ("split", "closer"):
        return []
    span = span_of(found)
    if span.duration_s > settings.split_longer_s:
        parts = [Span(span.start_s, span.middle_s), Span(span.middle_s, span.end_s)]
        return [
            {
                "start_s": part.start_s,
                "end_s": part.end_s,
                "source": "split",
                "fps": None,
                "high": False,
            }
            for part in parts
        ]
    return [
        {
            "start_s": span.start_s,
            "end_s": span.end_s,
            "source": "closer",
            "fps": None,
            "high": True,
        }
    ]


def best_findings(state: State, belief: Belief, settings: ReflectSettings) -> list[FindingState]:
    """Accepted findings, the most believed first, without those that a later look replaced."""
    latest: list[FindingState] = []
    for found in reversed(state["findings"]):
        span = span_of(found)
        if not any(span.tiou(span_of(k)) >= 0.5 for k in latest):
            latest.append(found)
    accepted = [f for f in latest if f["confidence"] >= settings.accept]
    return sorted(
        accepted,
        key=lambda f: (-belief.mass(span_of(f)), -f["confidence"], f["start_s"]),
    )


def why_stop(state: State, belief: Belief, settings: ReflectSettings) -> str:
    """Why the search may end here; "" to search on."""
    if intent_of(state).wants_all:
        if state["n_empty_in_a_row"] >= settings.several_empty_looks:
            return f"sufficient: {state['n_empty_in_a_row']} looks in a row showed no further one"
        if belief.absent >= settings.absent:
            return "sufficient: a further one is unlikely"
        return ""
    if belief.absent >= settings.absent:
        return "absent: the film does not seem to hold it"
    best = best_findings(state, belief, settings)
    if best and belief.mass(span_of(best[0])) >= settings.sufficient:
        return f"sufficient: {belief.mass(span_of(best[0])):.0%} of the belief is in one window"
    return ""


def _unjudged(state: State) -> list[LookState]:
    wanted = set(state["unjudged"])
    return [k for k in state["looks"] if k["look_id"] in wanted]


def _summary(findings: list[FindingState], settings: ReflectSettings) -> str:
    shown = sum(f["confidence"] >= settings.accept for f in findings)
    return f"{shown} of {len(findings)} looks show it; the search goes on"

"""A finding is looked at a second time, in other frames, before anything rests on it.

The second look is judged like the first, and described: what its words have of what is looked for
tells near misses that a yes does not (agent/described.py). The cosine of the shot is a
third opinion: another model, misled by other things. All together is one log-odds
(agent/confidence.py), less than the sum, since they share what misleads them; the belief gets what
it adds to the first.

Source: T*, arXiv 2504.02259 (a hit is checked on a larger picture). Ours differs: other frames of
the whole shot, both judgements count, and so does a description.
"""

from __future__ import annotations

from dataclasses import dataclass

from agent.confidence import StoredFit, fit_for, pair_hash, sigmoid
from agent.described import named
from agent.evidence import enough_passes, shape_of_second_look
from agent.other_frames import in_other_frames
from agent.state import FindingState, LookState, State, UpdateState
from agent.steps import StepWriter
from agent.videollm import Clip
from agent.workspace import Workspace
from index.types import Span


@dataclass(frozen=True, slots=True)
class Verified:
    """A finding after its second look."""

    finding: FindingState
    look: LookState
    update: UpdateState
    """What the second look adds."""


def verify(
    ws: Workspace, step: StepWriter, state: State, found: FindingState, span: Span
) -> Verified | None:
    """Judge `span`, which `found` lies in, once more, in frames that no look showed.

    None where that cannot be paid; when the seconds are over, the first of a step is made still.
    """
    budget, first = step.budget(), "second_looks" not in step.data
    shape = shape_of_second_look(ws, budget)
    if shape is None or budget.looks_left < 1 or budget.calls_left < 2:
        return None
    if budget.seconds_left <= 0 and not first:
        return None
    other = in_other_frames(span, shape, shown=state["looks"], grid=ws.grid)
    if other is None:
        return None
    look, clip = step.look(*other, why="a second look at a finding", source="answer")
    most = ws.settings.verify.most_log_ratio
    prompt = ws.render("reflect", n_clips=1, question=state["reflect_question"])
    (judged,) = step.judge_each(prompt, [clip], looks=[look])
    second = judged.p_yes
    words = _described(ws, step, look, clip)
    stored = verify_fit(ws)
    agreement, cosine = named(state["subject"], words), ws.cosine(state, span)
    odds = stored.of(state["reflect_question"]).log_odds(
        found["p_yes"], second=second, named=agreement, cosine=cosine
    )
    again = step.finding(
        look,
        p_yes=second,
        confidence=sigmoid(odds),
        log_ratio=min(max(odds, -most), most),
        verified=True,
        text=words,
    )
    step.data.setdefault("second_looks", []).append(
        {
            "finding": again["finding_id"],
            "p_yes": [round(found["p_yes"], 6), round(second, 6)],
            "named": round(agreement, 4),
            "cosine": round(cosine, 4),
            "fit": stored.named,
        }
    )
    # The first look's own ratio is in the belief already.
    adds = again["log_ratio"] - found["log_ratio"]
    update: UpdateState = {
        "start_s": look["start_s"],
        "end_s": look["end_s"],
        "log_ratio": adds,
        "cause": again["finding_id"],
    }
    return Verified(again, look, update)


def _described(ws: Workspace, step: StepWriter, look: LookState, clip: Clip) -> str:
    """What the VideoLLM says the look shows; "" where that is not wanted or cannot be paid."""
    budget = step.budget()
    # It must not cost one of the passes over the evidence.
    passes = enough_passes(ws)
    enough_tokens = budget.tokens_left >= (1 + passes) * look["tokens"]
    enough_calls = budget.calls_left >= 1 + passes
    if not (ws.settings.verify.describe and enough_tokens and enough_calls):
        return ""
    if budget.seconds_left <= 0:
        return ""
    prompt = ws.render("caption", n_clips=1)
    reply = step.reply(prompt, [clip], looks=[look], max_tokens=ws.settings.answer.tokens)
    return " ".join(reply.text.split())


def verify_fit(ws: Workspace) -> StoredFit:
    """The fit of both looks together, for these models and prompts."""
    return fit_for(
        ws.runs,
        model_hash=pair_hash(ws.videollm.weights_hash, ws.encoder.identity.weights_hash),
        prompt_hash=ws.prompts_hash("verify"),
        stage="verify",
        default=ws.settings.verify.fit,
    )

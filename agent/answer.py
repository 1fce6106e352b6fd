"""The last node: an answer from the evidence alone, or back to the search, or an honest no.

A verdict that passes becomes the answer. One that does not lowers the belief in its evidence and,
while there is budget, sends the search on. At the end the best guess is given and marked as one.
Citations are checked by code: inside the film, and inside what this run looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from typing import Any

from langgraph.runtime import Runtime

from agent.confidence import Fit, fit_for, sigmoid
from agent.kinds import CUT_SHORT, UNSETTLED, Cited, Verdict, said, search_ended, verdict_of
from agent.order import event_of, in_order, next_thing
from agent.overview import overview
from agent.presence import Presence, presence_of
from agent.requested import NO_REQUESTS, another_look, proposed, shown
from agent.settings import AnswerSettings
from agent.several import looked_share, several
from agent.state import LookState, State, intent_of, span_of
from agent.steps import StepWriter
from agent.types import Answer, Citation, Status
from agent.words import cited_lines
from agent.workspace import Workspace
from index.run_rows import CitationRow
from index.types import Span
from tools.belief import Belief
from tools.look import even_times

# A look's frames stand inside its span; cuts and float seconds may differ by a few hundredths.
_SLACK_S = 0.05


def answer(state: State, runtime: Runtime[Workspace]) -> State:
    """Answer from the evidence, search on, or end without."""
    ws = runtime.context
    step = StepWriter(ws, state, "answer")
    before = ws.belief(state)
    if state["stop_reason"].startswith("absent"):
        verdict = Verdict(accepted=False, why="nothing to answer from")
    else:
        verdict = _decided(ws, step, state, before)
    update = State(
        looks=state["looks"] + list(verdict.looks),
        updates=state["updates"] + list(verdict.updates),
        findings=state["findings"] + list(verdict.findings),
        attempts=state["attempts"] + 1,
        looks_before_answer=len(state["looks"]),
        # Where one of several things is says nothing yet of their order.
        guess={} if state["things"] else better_guess(state["guess"], verdict),
    )
    now: State = {**state, **update}
    after = ws.belief(now)
    step.data["verdict"] = _shown(verdict)
    presence = presence_of(ws, now)
    step.data["presence"] = asdict(presence)
    passed = verdict.accepted and presence.absent <= ws.settings.answer.most_absent
    if not passed and _may_search_on(ws, step, now):
        asked = NO_REQUESTS
        if any(u["cause"] in UNSETTLED for u in verdict.updates):
            asked = another_look(ws, step, now, verdict.looks, written=verdict.asked_for)
        step.data |= shown(asked)
        update["proposals"] = state["proposals"] + proposed(asked)
        update["next"] = "spotlight"
        update["stop_reason"] = ""
        why = f"{verdict.why}: the search goes on"
        if asked.requests:
            why += ", with what the model asked for"
        return step.done(update, why=why, before=before, after=after)
    if state["things"] and verdict.accepted and presence.absent <= doubtful(ws.settings.answer):
        update["events"] = [*state["events"], event_of(state, verdict, absent=presence.absent)]
        now = {**now, **update}
        if len(update["events"]) < len(state["things"]):
            why = f"{said(verdict.spans[0])}: {state['things'][len(state['events'])]}"
            update |= next_thing(now)
            return step.done(update, why=why, before=before, after=after)
        verdict = in_order(ws, step, now)
        update["looks"] = now["looks"] = now["looks"] + list(verdict.looks)
        update["guess"] = now["guess"] = better_guess({}, verdict)
        step.data["verdict"] = _shown(verdict)
        # What is said of several things is as doubtful as the one that most is.
        presence = replace(presence, absent=max(e["absent"] for e in now["events"]))
        passed = presence.absent <= ws.settings.answer.most_absent
    ended = _ended(ws, now, verdict, passed=passed, presence=presence)
    update["next"] = "end"
    update["stop_reason"] = ended.stop_reason
    done = step.done(update, why=f"{ended.status}: {ended.stop_reason}", before=before, after=after)
    ws.runs.cite(ws.run_id, [CitationRow(c.span, c.what, c.look_id) for c in ended.citations])
    return {**done, "answer": {**ended.to_json(), "usage": done["usage"]}}


def _decided(ws: Workspace, step: StepWriter, state: State, belief: Belief) -> Verdict:
    intent = intent_of(state)
    if intent.wants_whole:
        return overview(ws, step, state)
    return (several if intent.wants_all else verdict_of)(ws, step, state, belief)


def checked(
    cited: Iterable[Cited], looks: Sequence[LookState], *, film: Span, video_id: int
) -> tuple[list[Citation], list[Cited]]:
    """Citations that hold, and those that do not.

    A citation holds when its span lies inside the film and inside what the looks covered
    together; it carries the frames that were seen there.
    """
    held: list[Citation] = []
    failed: list[Cited] = []
    for claim in cited:
        touching = [k for k in looks if span_of(k).overlap_s(claim.span) > 0]
        inside = claim.span.start_s >= film.start_s and claim.span.end_s <= film.end_s + _SLACK_S
        if not inside or not covers([span_of(k) for k in touching], claim.span):
            failed.append(claim)
            continue
        best = max(touching, key=lambda k: (span_of(k).overlap_s(claim.span), k["n_frames"]))
        held.append(
            Citation(
                video_id=video_id,
                span=claim.span,
                what=claim.what,
                frames_s=tuple(
                    t
                    for t in even_times(span_of(best), best["n_frames"])
                    if claim.span.start_s <= t < claim.span.end_s
                ),
                look_id=best["look_id"],
            )
        )
    return held, failed


def covers(looked: Sequence[Span], span: Span) -> bool:
    """Whether the spans together hold all of `span`."""
    reached_s = span.start_s
    for part in sorted(looked):
        if part.start_s > reached_s + _SLACK_S:
            break
        reached_s = max(reached_s, part.end_s)
    return reached_s >= span.end_s - _SLACK_S


def better_guess(guess: dict[str, Any], verdict: Verdict) -> dict[str, Any]:
    """The more confident of the guess so far and the verdict, as plain values."""
    if not verdict.reply or verdict.confidence <= guess.get("confidence", -1.0):
        return guess
    return {
        "reply": verdict.reply,
        "choice": verdict.choice,
        "confidence": verdict.confidence,
        "spans": [[s.start_s, s.end_s] for s in verdict.spans],
        "cited": [[c.span.start_s, c.span.end_s, c.what] for c in verdict.cited],
    }


def doubtful(settings: AnswerSettings) -> float:
    """Up to which P(absent) something is said of what was found, be it as a guess."""
    return max(settings.most_absent, settings.least_absent)


def status_of(
    *,
    passed: bool,
    stop_reason: str,
    has_guess: bool,
    absent: float,
    looked: float,
    settings: AnswerSettings,
) -> Status:
    """How a run ends.

    Without a passed verdict: a guess that is likelier there than not is given and marked as one,
    and a search cut short that may well have missed it is out of budget. "Not found" is what saw
    enough to believe that the film does not hold it.

    Args:
        absent: probability that the film does not hold it.
        looked: share of the prior belief that was looked at.
    """
    if passed:
        return "answered"
    if has_guess and absent <= doubtful(settings):
        return "out_of_budget"
    cut_short = stop_reason.startswith(CUT_SHORT) and absent < settings.least_absent
    # A price ends a search whose belief says that the rest is worth no look; a budget anywhere.
    unsure = stop_reason.startswith("budget") and looked < settings.least_looked
    return "out_of_budget" if cut_short or unsure else "not_found"


def _may_search_on(ws: Workspace, step: StepWriter, state: State) -> bool:
    return (
        not search_ended(state)
        and not intent_of(state).wants_all
        and not intent_of(state).wants_whole
        and state["attempts"] < ws.settings.answer.attempts
        and not step.budget().exhausted()
    )


def _ended(
    ws: Workspace, state: State, verdict: Verdict, *, passed: bool, presence: Presence
) -> Answer:
    guess, absent = state["guess"], presence.absent
    status = status_of(
        passed=passed,
        # No search ended for a reason of its own where there was none.
        stop_reason=verdict.why if intent_of(state).wants_whole else state["stop_reason"],
        has_guess=bool(guess),
        absent=absent,
        looked=looked_share(ws, state),
        settings=ws.settings.answer,
    )
    # A count of zero has no evidence to show, yet an option may say zero: keep that choice.
    choice = verdict.choice
    if passed:
        reply, confidence = verdict.reply, verdict.confidence
        spans, cited = verdict.spans, verdict.cited
    elif status == "out_of_budget" and guess:
        reply, confidence, choice = guess["reply"], guess["confidence"], guess["choice"]
        spans = tuple(Span(*s) for s in guess["spans"])
        cited = tuple(Cited(Span(a, b), what) for a, b, what in guess["cited"])
    else:
        zero = intent_of(state).wants_all and choice is not None and not verdict.spans
        reply, confidence = (verdict.reply, absent) if zero else ("", absent)
        choice = choice if zero else None
        spans, cited = (), ()
    video = ws.film.video
    looks = state["earlier_looks"] + state["looks"]
    held, failed = checked(cited, looks, film=video.span, video_id=video.video_id)
    return Answer(
        run_id=ws.run_id,
        question=ws.question.text,
        answer=reply,
        choice=choice,
        confidence=(
            _calibrated(ws, state, confidence, hours=presence.hours)
            if status == "answered"
            else confidence
        ),
        status=status,
        citations=(*held, *(cited_lines(ws, state, [c.span for c in held]) if reply else ())),
        usage={},
        models=ws.models,
        stop_reason="; ".join(r for r in (state["stop_reason"], verdict.why) if r),
        kind=intent_of(state).kind,
        spans=spans,
        notes=tuple(_notes(ws, state, verdict, status=status, absent=absent, failed=failed)),
        index={
            "encoder": ws.encoder.identity.name,
            "duration_s": round(video.facts.duration_s, 3),
        },
    )


def _calibrated(ws: Workspace, state: State, confidence: float, *, hours: float) -> float:
    """The confidence as an answer's chance to be right, by the model's fit.

    There is none for words about the whole: no evaluation asked for them.
    """
    if intent_of(state).wants_whole:
        return confidence
    stored = fit_for(
        ws.runs,
        model_hash=ws.videollm.weights_hash,
        prompt_hash=ws.prompts_hash("answer"),
        stage="answer",
        default=Fit(),
    )
    has_options = bool(ws.question.options)
    return sigmoid(stored.fit.log_odds(confidence, hours=hours, options=has_options))


def _notes(
    ws: Workspace,
    state: State,
    verdict: Verdict,
    *,
    status: Status,
    absent: float,
    failed: Sequence[Cited],
) -> list[str]:
    notes = list(ws.film.video.facts.notes)
    if state["flat"]:
        notes.append("the search vectors hardly tell this film's moments apart for this question")
    if status == "out_of_budget" and state["guess"]:
        doubt = (
            f"the film may not hold it ({absent:.0%})"
            if absent > ws.settings.answer.most_absent
            else "the search ended before it was sure"
        )
        notes.append(f"the answer is a best guess: {doubt}")
    if len(state["events"]) < len(state["things"]):
        found = [f"{e['thing']} ({said(span_of(e))})" for e in state["events"]]
        notes.append(
            f"of {len(state['things'])} things these were found: {', '.join(found) or 'none'}; not"
            f" {state['things'][len(state['events'])]}"
        )
    if verdict.missing is not None:
        notes.append(
            f"{looked_share(ws, state):.0%} of where it could be was looked at: a further moment is"
            f" there with {verdict.missing:.0%}"
        )
    if verdict.n_once:
        notes.append(f"the budget paid no second look for {verdict.n_once} of what was found")
    if failed:
        notes.append(f"{len(failed)} spans failed the check and are not cited")
    if ws.videollm.knows_only_demo_world:
        notes.append("answered by the embedded demo models, which know only the demo world")
    return notes


def _shown(verdict: Verdict) -> dict[str, Any]:
    plain = asdict(verdict)
    keys = ("accepted", "why", "reply", "choice", "confidence", "missing")
    return {key: plain[key] for key in keys}

"""From findings to a verdict, for each kind of question.

Whatever an answer rests on was looked at twice (agent/verify.py). One moment: the model's reply
over the best finding. "When": its span by the belief, and so each thing of an order question
(agent/order.py). After and before: the reply over the shot beside the anchor. Count, "all", first
and last: agent/several.py. Where options are numbers or times, code
picks; else the model chooses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from agent.evidence import Shown, Vote, ask_evidence
from agent.moves import close_looks
from agent.plan import option_by_number, option_by_time
from agent.presence import presence_of, settled
from agent.reflect import best_findings
from agent.requested import with_what_was_asked_for
from agent.shots import has_edges, neighbour, whole
from agent.state import FindingState, LookState, State, UpdateState, intent_of, span_of
from agent.steps import StepWriter
from agent.verify import verify
from agent.workspace import Workspace
from index.times import format_time
from index.types import Span
from tools.belief import Belief

DISAGREES = "a second look disagrees"
UNSETTLED = ("not enough", "disagree")
"""Causes of what passes over the evidence say against it."""
CUT_SHORT = ("budget", "price")
"""How the reasons of searches begin that left something to look at."""


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
    findings: tuple[FindingState, ...] = ()
    """What second looks showed."""
    missing: float | None = None
    """Of a set: probability that a further moment was not found; None for a single one."""
    n_once: int = 0
    """Of a set: its findings that no second look could be paid for."""
    asked_for: str = ""
    """What the model wrote in place of an answer to ask for another look."""


def verdict_of(ws: Workspace, step: StepWriter, state: State, belief: Belief) -> Verdict:
    """The verdict for a question that one good finding answers."""
    seen = _sure(ws, step, state, belief)
    if isinstance(seen, Verdict):
        return seen
    *doubted, last = seen
    for each in doubted:
        state = _with(state, each)
    best = best_findings(state, ws.belief(state), ws.settings.reflect)
    rest = [f for f in best if span_of(f).overlap_s(span_of(last.found)) == 0]
    intent = intent_of(state)
    if intent.kind == "when":
        verdict = _when(ws, step, state, last)
    elif intent.things:
        verdict = _in_time(ws, state, last)
    elif intent.wants_neighbour:
        verdict = _neighbour(ws, step, state, last)
    else:
        verdict = _moment(ws, step, state, [last, *(_Seen(f) for f in rest)])
    return _resting_on(verdict, seen)


def _sure(ws: Workspace, step: StepWriter, state: State, belief: Belief) -> Verdict | list[_Seen]:
    """Findings seen twice, the last of them sure enough to answer from; else the refusal.

    A search that can go on brings up what is likeliest next; at its end the next finding is tried
    where a second look disagrees, and also where all that was seen leaves it doubtful that the film
    holds it: the likeliest by one look is not always the one that two looks are sure of. What is
    sure by itself and likelier in the film than not then makes a guess.
    """
    accept = ws.settings.reflect.accept
    seen: list[_Seen] = []
    why = "no look shows the evidence"
    while sum(bool(s.looks) for s in seen) < max(1, ws.settings.answer.second_looks):
        best = best_findings(state, belief, ws.settings.reflect)
        if not best and search_ended(state):
            best = best_findings(state, belief, ws.settings.reflect, ambiguous=True)
        tried = [s.found["finding_id"] for s in seen]
        best = [f for f in best if f["finding_id"] not in tried]
        if not best:
            break
        seen.append(_seen_twice(ws, step, state, best[0]))
        state = _with(state, seen[-1])
        belief = ws.belief(state)
        why, absent = DISAGREES, presence_of(ws, state).absent
        if seen[-1].found["confidence"] >= accept:
            if absent <= ws.settings.answer.most_absent:
                return _likeliest_last(seen, belief, accept=accept)
            why = f"the film may well not hold it ({absent:.0%})"
        # One that was seen twice before is doubted still, and tells nothing new: the next one may.
        if seen[-1].looks and not search_ended(state):
            break
    sure = any(s.found["confidence"] >= accept for s in seen)
    absent = presence_of(ws, state).absent
    if sure and search_ended(state) and absent <= ws.settings.answer.least_absent:
        return _likeliest_last(seen, belief, accept=accept)
    return _refused(seen, why=why)


def _likeliest_last(seen: Sequence[_Seen], belief: Belief, *, accept: float) -> list[_Seen]:
    """The same, the accepted one of most belief at the end: two together may have settled it."""
    sure = [s for s in seen if s.found["confidence"] >= accept]
    lead = max(sure, key=lambda s: belief.mass(span_of(s.found)))
    return [*(s for s in seen if s is not lead), lead]


def search_ended(state: State) -> bool:
    """Whether nothing is left to look at, to look at it with, or that is worth its cost."""
    return state["stop_reason"].startswith((*CUT_SHORT, "exhausted", "absent"))


@dataclass(frozen=True, slots=True)
class _Seen:
    """A finding, and what a second look at it added."""

    found: FindingState
    looks: tuple[LookState, ...] = ()
    updates: tuple[UpdateState, ...] = ()

    @property
    def findings(self) -> tuple[FindingState, ...]:
        return (self.found,) if self.looks else ()


def _refused(seen: Sequence[_Seen], *, why: str) -> Verdict:
    return _resting_on(Verdict(accepted=False, why=why), seen)


def _resting_on(verdict: Verdict, seen: Sequence[_Seen]) -> Verdict:
    """The verdict with what second looks showed before it."""
    return replace(
        verdict,
        looks=(*(k for s in seen for k in s.looks), *verdict.looks),
        updates=(*(u for s in seen for u in s.updates), *verdict.updates),
        findings=tuple(f for s in seen for f in s.findings),
    )


def _with(state: State, seen: _Seen) -> State:
    """The state after a second look."""
    return {
        **state,
        "looks": state["looks"] + list(seen.looks),
        "updates": state["updates"] + list(seen.updates),
        "findings": state["findings"] + list(seen.findings),
    }


def _seen_twice(ws: Workspace, step: StepWriter, state: State, found: FindingState) -> _Seen:
    """The finding after its second look; itself where that was taken already or can't be paid."""
    if found["verified"]:
        return _Seen(found)
    verified = verify(ws, step, state, found, whole(ws, state, span_of(found)))
    if verified is None:
        return _Seen(found)
    return _Seen(verified.finding, (verified.look,), (verified.update,))


def here(ws: Workspace, state: State, seen: _Seen) -> float:
    """Probability that the evidence is where the finding is, by all that was seen.

    Other findings that show it too take nothing from it: a thing may be there twice.
    """
    now = _with(state, seen)
    belief = settled(ws, now, ws.belief(now))
    mine = span_of(seen.found)
    others = [
        span_of(f)
        for f in best_findings(state, belief, ws.settings.reflect)
        if span_of(f).overlap_s(mine) == 0
    ]
    inside = belief.mass(mine)
    return inside / max(inside, 1 - float(belief.masses(others).sum()))


def _moment(ws: Workspace, step: StepWriter, state: State, best: Sequence[_Seen]) -> Verdict:
    settings = ws.settings.answer
    belief = ws.belief(state)
    masses = [belief.mass(span_of(s.found)) for s in best]
    near = [s.found for s in best[:1]] + [
        s.found
        for s, mass in zip(best[1 : settings.clips], masses[1:], strict=False)
        if mass >= settings.near_best * masses[0]
    ]
    shown = [Shown(whole(ws, state, span_of(f)), belief.mass(span_of(f))) for f in near]
    shown = with_what_was_asked_for(ws, step, state, shown)
    vote = ask_evidence(ws, step, shown, question=state["question"])
    spans = [s.span for s in shown]
    seen_in = {
        span_of(f) for f in state["findings"] if f["confidence"] >= ws.settings.reflect.accept
    }
    # What was asked for and does not show it helped to answer; the answer does not rest on it.
    held = [s.span for s in shown if s.delivered is None or s.span in seen_in]
    return Verdict(
        accepted=vote.agreed,
        why=vote.why,
        reply=vote.reply,
        choice=vote.choice,
        confidence=here(ws, state, best[0]) * vote.share,
        cited=tuple(Cited(span, vote.reply) for span in held or spans),
        looks=vote.looks,
        updates=_against(ws, vote, [f for f in near if whole(ws, state, span_of(f)) in spans]),
        asked_for=vote.asked_for,
    )


def _when(ws: Workspace, step: StepWriter, state: State, seen: _Seen) -> Verdict:
    """The span of the evidence, or the option that it means."""
    verdict = _in_time(ws, state, seen)
    if not verdict.accepted:
        return verdict
    choice, extra = pick_time(ws, step, state, verdict.spans)
    reply = ws.question.options[choice] if choice is not None else verdict.reply
    return replace(verdict, reply=reply, choice=choice, looks=extra)


def _in_time(ws: Workspace, state: State, seen: _Seen) -> Verdict:
    """Where the evidence is: its shot; in a long one, what looks like it, or as far as the belief
    holds where all of it looks alike."""
    span = whole(ws, state, span_of(seen.found))
    if not seen.found["verified"]:
        return Verdict(
            accepted=False,
            why="no tokens are left for a second look",
            reply=said(span_of(seen.found)),
            confidence=here(ws, state, seen) * ws.settings.answer.once_share,
            spans=(span_of(seen.found),),
            cited=(Cited(span_of(seen.found), state["subject"]),),
        )
    if not has_edges(ws, state, span):
        looks = close_looks((*state["looks"], *seen.looks), ws.settings.look)
        looked = [span_of(k) for k in looks]
        span = ws.belief(state).region(span, share=ws.settings.answer.region_share, within=looked)
    return Verdict(
        accepted=True,
        why="a second look agrees",
        reply=said(span),
        confidence=here(ws, state, seen),
        spans=(span,),
        cited=(Cited(span, state["subject"]),),
    )


def _neighbour(ws: Workspace, step: StepWriter, state: State, seen: _Seen) -> Verdict:
    """What stands beside the anchor: its neighbour shot, shown with the anchor or alone."""
    found = seen.found
    anchor = whole(ws, state, span_of(found))
    beside = neighbour(ws, anchor, after=state["kind"] == "after")
    if beside is None:
        side = "after" if state["kind"] == "after" else "before"
        why = f"nothing comes {side} it: the film {'ends' if side == 'after' else 'begins'} there"
        return Verdict(accepted=False, why=why, cited=(Cited(anchor, state["subject"]),))
    alone = ws.settings.answer.neighbour_alone or not ws.videollm.capabilities.several_clips
    cited = span_of(found) if alone else anchor
    shown = [Shown(beside, 1.0)] if alone else [Shown(anchor, 1.0), Shown(beside, 1.0)]
    name = "shown" if alone else "answer"
    vote = ask_evidence(ws, step, shown, question=state["question"], prompt_name=name)
    if vote.looks and not any(span_of(k).overlap_s(beside) > 0 for k in vote.looks):
        # The anchor says nothing of it, whatever the model replied.
        why = "budget: no tokens left to show what stands beside it"
        return Verdict(accepted=False, why=why, looks=vote.looks)
    return Verdict(
        accepted=vote.agreed,
        why=vote.why,
        reply=vote.reply,
        choice=vote.choice,
        confidence=here(ws, state, seen) * vote.share,
        cited=(Cited(beside, vote.reply), Cited(cited, state["subject"])),
        looks=vote.looks,
        updates=_against(ws, vote, [found]),
    )


def said(span: Span) -> str:
    """A span as a person reads it."""
    return f"{format_time(span.start_s)}–{format_time(span.end_s)}"


def pick_time(
    ws: Workspace, step: StepWriter, state: State, spans: Sequence[Span]
) -> tuple[int | None, tuple[LookState, ...]]:
    """The option that the spans mean: by code where options are times, else by the model."""
    options = ws.question.options
    if not options:
        return None, ()
    by_code = option_by_time(options, spans)
    return (by_code, ()) if by_code is not None else pick_by_model(ws, step, state, spans)


def pick_by_model(
    ws: Workspace, step: StepWriter, state: State, spans: Sequence[Span]
) -> tuple[int | None, tuple[LookState, ...]]:
    """The option that the model chooses over the spans."""
    vote = ask_evidence(ws, step, [Shown(s, 1.0) for s in spans], question=state["question"])
    return vote.choice, vote.looks


def nearest_number(options: Sequence[str], value: int) -> int | None:
    """The option whose number is nearest to `value`; None unless all are numbers and one is."""
    for distance in range(1, 100):
        for candidate in (value + distance, value - distance):
            found = option_by_number(options, candidate)
            if found is not None:
                return found
    return None


def _against(
    ws: Workspace, vote: Vote, findings: Sequence[FindingState]
) -> tuple[UpdateState, ...]:
    """What a failed vote says against the evidence it was put to; one cut short says nothing."""
    if vote.outcome not in UNSETTLED:
        return ()
    return tuple(_update(ws, f, vote.outcome) for f in findings)


def _update(ws: Workspace, found: FindingState, cause: str) -> UpdateState:
    settings = ws.settings.answer
    ratio = settings.not_enough_log_ratio if cause == "not enough" else settings.disagree_log_ratio
    return {
        "start_s": found["start_s"],
        "end_s": found["end_s"],
        "log_ratio": ratio,
        "cause": cause,
    }

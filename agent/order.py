"""The order of several things: each is searched, looked at twice and kept; code compares times.

A model that sees two moments of an hour in one prompt can hardly say which came first. So the plan,
the search and the answer are gone through for one thing after the other, each with an equal part
of the budget, and nothing is said before all of them are found. A thing that is there several times
counts by the moment that the search is surest of.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import pairwise

from agent.events import Order, read_order
from agent.kinds import Cited, Verdict, pick_by_model
from agent.plan import content_words, words_of
from agent.state import EventState, LookState, State, span_of
from agent.steps import StepWriter
from agent.workspace import Workspace
from index.types import Span


def event_of(state: State, verdict: Verdict, *, absent: float) -> EventState:
    """The thing that was searched, where the verdict found it."""
    (span,) = verdict.spans
    return {
        "thing": state["things"][len(state["events"])],
        "start_s": span.start_s,
        "end_s": span.end_s,
        "confidence": verdict.confidence,
        "absent": absent,
    }


def next_thing(state: State) -> State:
    """What is left of a search when the next thing is planned: its budget and what was seen."""
    return State(
        next="plan",
        stop_reason="",
        earlier_looks=state["earlier_looks"] + state["looks"],
        looks=[],
        findings=[],
        updates=[],
        proposals=[],
        attempts=0,
    )


def in_order(ws: Workspace, step: StepWriter, state: State) -> Verdict:
    """The answer, once all things are found."""
    asked = read_order(state["question"].rstrip("?.! "))
    assert asked is not None, "an order question was read as one by the plan"
    events = sorted(state["events"], key=lambda e: (e["start_s"], e["end_s"]))
    things = [e["thing"] for e in events]
    share = ws.settings.answer.one_stretch_share
    together = any(_one_stretch(span_of(a), span_of(b), share=share) for a, b in pairwise(events))
    choice = None if together else option_in_order(asked, things, ws.question.options)
    looks: tuple[LookState, ...] = ()
    if ws.question.options and choice is None:
        choice, looks = pick_by_model(ws, step, state, [span_of(e) for e in events])
    reply = "at the same time" if together else said_in_order(asked, things)
    return Verdict(
        accepted=True,
        why=f"all {len(events)} things were found",
        reply=ws.question.options[choice] if choice is not None else reply,
        choice=choice,
        confidence=math.prod(e["confidence"] for e in events),
        cited=tuple(Cited(span_of(e), e["thing"]) for e in events),
        looks=looks,
    )


def said_in_order(asked: Order, things: Sequence[str]) -> str:
    """The answer in words.

    Args:
        things: the asked ones as the film shows them, the earliest first.
    """
    if asked.asks in ("first", "last"):
        return things[0] if asked.asks == "first" else things[-1]
    if asked.asks == "sequence":
        return ", then ".join(things)
    side = "before" if things[0] == asked.things[0] else "after"
    if asked.asks == "side":
        return side
    return "yes" if side == asked.asks else "no"


def option_in_order(asked: Order, things: Sequence[str], options: Sequence[str]) -> int | None:
    """The option that says so: the only one that names the right things in their order, or begins
    with the right one of "yes" and "no" or "before" and "after"; None where that is none or
    several."""
    right = said_in_order(asked, things)
    if asked.asks in ("before", "after", "side"):
        fit = [i for i, o in enumerate(options) if re.match(rf"\W*{right}\b", o, re.I)]
    else:
        wanted = list(things) if asked.asks == "sequence" else [right]
        fit = [i for i, option in enumerate(options) if mentioned(option, things) == wanted]
    return fit[0] if len(fit) == 1 else None


def mentioned(text: str, things: Sequence[str]) -> list[str]:
    """Those of the things that a text names, by words that no other of them has, as they stand."""
    words = words_of(text)
    found: list[tuple[int, str]] = []
    for thing in things:
        mine = content_words(thing)
        others = {w for t in things if t != thing for w in words_of(t)}
        own = mine - others or mine
        places = [i for i, word in enumerate(words) if word in own]
        if places:
            found.append((places[0], thing))
    return [thing for _, thing in sorted(found)]


def _one_stretch(a: Span, b: Span, *, share: float) -> bool:
    """Whether two moments are one stretch: of what is in one shot the search knows no order."""
    return a.overlap_s(b) >= share * min(a.duration_s, b.duration_s)

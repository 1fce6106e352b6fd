"""Looks that the VideoLLM asks for itself: a span and a density, read from its reply.

It is asked over the strip of the survey, and over the evidence of an answer where its passes did
not settle the question; a model that was trained to ask may also do so by itself, in place of an
answer. What it asks for joins the queue before all else. What cannot be honoured,
or would be dropped by the search as already seen, is refused and recorded; where that is all of a
reply, it is told so once more, if it can read such a line.

Source: DynFrame, arXiv 2605.26680 (requests as span and density, after what was seen). Ours
differs: a request is a window of the same queue, judged like any other look.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from agent.evidence import Shown, enough_passes, price_of
from agent.moves import close_looks, goes_in_circles
from agent.queue import Window, shape_for, taken_shapes, was_taken
from agent.settings import AskSettings
from agent.state import LookState, ProposalState, State, UpdateState, intent_of, span_of
from agent.steps import StepWriter
from agent.videollm import Clip
from agent.workspace import Workspace
from index.types import Span
from prompts.render import RenderedPrompt
from tools.keyclips import ClipShape
from tools.requests import ParsedRequests, Refusal, Request, RequestLimits, parse_requests

NO_REQUESTS = ParsedRequests((), ())


def can_ask(ws: Workspace, step: StepWriter, *, tokens: int) -> bool:
    """Whether a reply over so many tokens is worth its price, and a look after it can be judged.

    A model that does not know when its frames were taken cannot name a span.
    """
    budget, share = step.budget(), ws.settings.survey.request_share
    return (
        ws.videollm.capabilities.absolute_times
        and budget.calls_for_search >= 2
        and tokens <= share * budget.tokens_for_search
    )


def requests_over(
    ws: Workspace,
    step: StepWriter,
    state: State,
    prompt: RenderedPrompt,
    clip: Clip,
    *,
    looks: Sequence[LookState] = (),
) -> ParsedRequests:
    """What the model asks for over a clip and the search will look at, inside the parts that the
    question is about; nothing where asking cannot be paid."""
    tokens = ws.videollm.clip_tokens(
        n_frames=clip.n_frames, width_px=clip.width_px, height_px=clip.height_px
    )
    asked = NO_REQUESTS
    refused: tuple[Refusal, ...] = ()
    for _ in range(ws.settings.survey.request_turns):
        if not can_ask(ws, step, tokens=tokens):
            break
        shown = replace(clip, label=clip.label + refusals_told(refused))
        most = ws.settings.survey.request_tokens
        reply = step.reply(prompt, [shown], looks=looks, max_tokens=most)
        asked = _read(ws, step, state, reply.text)
        refused += asked.refusals
        all_refused = bool(asked.refusals) and not asked.requests
        if not (all_refused and ws.settings.look.tell_delivered):
            break
    return ParsedRequests(asked.requests, refused)


def _read(ws: Workspace, step: StepWriter, state: State, text: str) -> ParsedRequests:
    """The requests of a reply that the search will look at; those that it would drop later, and
    those outside what the question is about, are refused."""
    limits = RequestLimits(
        film=ws.film.video.span, parts=ws.parts(state), max_fps=ws.settings.look.most_fps
    )
    asked = parse_requests(text, limits=limits)
    limit_tokens = step.budget().tokens_for_search
    taken, same_tiou = taken_shapes(state["looks"]), ws.settings.spotlight.same_tiou
    kept: list[Request] = []
    refusals = list(asked.refusals)
    for request in asked.requests:
        span = request.span
        window = Window(span, "request", fps=request.fps, high=request.size == "high")
        shape = shape_for(ws, window, limit_tokens=limit_tokens)
        written = f"{span.start_s:.2f} - {span.end_s:.2f}"
        if shape is None:
            detail = f"{limit_tokens} tokens are left, too few for any look"
            refusals.append(Refusal("too_dear", written, detail))
        elif was_taken(span, shape, taken, same_tiou):
            detail = f"it was seen already in {shape.n_frames} frames or more; ask for another span"
            refusals.append(Refusal("already_seen", written, detail))
        else:
            kept.append(request)
    return ParsedRequests(tuple(kept), tuple(refusals))


def another_look(
    ws: Workspace, step: StepWriter, state: State, looks: Sequence[LookState], *, written: str
) -> ParsedRequests:
    """What the model wants to see next, over the last look that did not settle the question.

    Where requests would be dropped, nothing is asked, and what it wrote is left at that.

    Args:
        written: what it asked for by itself in place of an answer; "": it is asked now.
    """
    # Beside the anchor of an order question there is one shot; no request finds another.
    if not looks or intent_of(state).wants_neighbour:
        return NO_REQUESTS
    if not written and not ws.settings.answer.ask_for_looks:
        return NO_REQUESTS
    # The search is about to drop all that was proposed: a reply would be paid for nothing.
    if goes_in_circles(
        close_looks(state["looks"], ws.settings.look), settings=ws.settings.spotlight
    ):
        return NO_REQUESTS
    if written:
        return _read(ws, step, state, written)
    prompt = ws.render("another_look", n_clips=1, question=state["reflect_question"])
    return requests_over(ws, step, state, prompt, ws.clip(looks[-1]), looks=[looks[-1]])


def with_what_was_asked_for(
    ws: Workspace, step: StepWriter, state: State, evidence: Sequence[Shown]
) -> list[Shown]:
    """The evidence, and what the model asked for over it since and got: it goes on with both.

    What it asked for comes before the evidence where tokens are short, and as many of it as the
    looks that are left pay for. A glance shows nothing that an answer could rest on. A model of one
    clip a prompt goes on with what it asked for last.

    Source: DynFrame, arXiv 2605.26680 (frames that were asked for join those that are there).
    """
    since = state["looks"][state["looks_before_answer"] :] if state["attempts"] else []
    asked: dict[Span, ClipShape] = {}
    for taken in close_looks(since, ws.settings.look):
        shape = ClipShape(taken["n_frames"], taken["width_px"], taken["height_px"])
        had = asked.get(span_of(taken))
        if taken["source"] == "request" and (
            had is None or price_of(ws, had) < price_of(ws, shape)
        ):
            asked[span_of(taken)] = shape
    again = [replace(s, delivered=asked.pop(s.span, None)) for s in evidence]
    n_most = step.budget().looks_left // enough_passes(ws) - len(again)
    if not asked or n_most < 1:
        return again
    wanted = [Shown(span, 1.0, shape) for span, shape in asked.items()][-n_most:]
    return [*again, *wanted] if ws.videollm.capabilities.several_clips else wanted[-1:]


def refusals_told(refusals: Sequence[Refusal]) -> str:
    """Why requests were refused, for the model: a code that a program can read, and a line."""
    return "".join(f'<refused code="{r.code}">{r.text}</refused> {r.detail}. ' for r in refusals)


def shown(asked: ParsedRequests) -> dict[str, Any]:
    """Requests and refusals, for the trace."""
    return {
        "requests": [
            {"start": r.span.start_s, "end": r.span.end_s, "fps": r.fps, "size": r.size}
            for r in asked.requests
        ],
        "refusals": [{"code": r.code, "text": r.text, "detail": r.detail} for r in asked.refusals],
    }


def proposed(asked: ParsedRequests) -> list[ProposalState]:
    """Requests as windows of the queue, each once."""
    return [
        {
            "start_s": r.span.start_s,
            "end_s": r.span.end_s,
            "source": "request",
            "fps": r.fps,
            "high": r.size == "high",
        }
        for r in dict.fromkeys(asked.requests)
    ]


def pointed_at(asked: ParsedRequests, settings: AskSettings) -> list[UpdateState]:
    """Requests over the strip as weak evidence: whoever asks there has seen something.

    One after the evidence has seen that it is not enough; where it asks says nothing.
    """
    longest_s = settings.look.widest_gap_s * settings.look.most_requested_frames
    return [
        {
            "start_s": span.start_s,
            "end_s": span.end_s,
            "log_ratio": settings.survey.request_log_ratio,
            "cause": "request",
        }
        for span in dict.fromkeys(r.span for r in asked.requests)
        if span.duration_s <= longest_s
    ]

"""The first two nodes: plan the search, and glance over the whole film.

plan: the question's kind by rules, and the texts to retrieve by. survey: the prior belief, and a
strip of small frames from its separated peaks, over which the model may ask for a closer look.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from langgraph.runtime import Runtime

from agent.bounds import read_time
from agent.cues import captions_of_options, cues_of, leaning, objects_near, usable_rewrite
from agent.plan import parse_question, thing_of
from agent.requested import NO_REQUESTS, can_ask, pointed_at, proposed, requests_over, shown
from agent.state import State, intent_of
from agent.steps import StepWriter
from agent.videollm import Clip
from agent.workspace import Workspace
from index.times import format_time
from index.types import Frame, Pixels, Seconds, Span
from tools.belief import Belief
from tools.keyclips import anchors
from tools.pictures import resized
from tools.requests import ParsedRequests


def plan(state: State, runtime: Runtime[Workspace]) -> State:
    """What kind of question it is, and what to retrieve by."""
    ws = runtime.context
    step = StepWriter(ws, state, "plan")
    film, settings = ws.film.video.span, ws.settings.survey
    time = read_time(ws.question.text, film, settings=settings.time)
    intent = parse_question(time.question, of_a_part=time.relation is not None)
    if intent.things:
        intent = thing_of(intent.things, len(state["events"]))
    # An order question is retrieved by its anchor: what stands next to it is not known yet.
    about = intent.reflect_question if intent.kind != "moment" else time.question
    written = ""
    if settings.rewrite_tokens and not intent.wants_whole:
        prompt = ws.render("rewrite", question=about)
        written = step.reply(prompt, [], max_tokens=settings.rewrite_tokens).text
    rewrite = usable_rewrite(written, about)
    options = captions_of_options(ws, step, intent, time.question)
    objects = objects_near(ws, step, intent, about)
    cues = cues_of(ws, intent, time.question, rewrite=rewrite, options=options, objects=objects)
    cues += leaning(time.relation)
    bounds = time.bounds
    step.data = {
        "kind": intent.kind,
        "subject": intent.subject,
        "question": time.question,
        "rewrite": rewrite,
        "rewrite_refused": bool(written.strip()) and not rewrite,
        "option_rewrites": list(options),
        "cue_objects": list(objects),
        "reflect_question": intent.reflect_question,
        "cues": [dict(c) for c in cues],
        "bounds": [bounds.start_s, bounds.end_s],
        "relation": f"{time.relation.side} {time.relation.anchor}" if time.relation else "",
        "film_s": film.end_s,
    }
    update = State(
        kind=intent.kind,
        subject=intent.subject,
        question=time.question,
        reflect_question=intent.reflect_question,
        things=list(intent.things),
        cues=cues,
        bounds=[] if bounds == film else [bounds.start_s, bounds.end_s],
        next="survey",
    )
    where = f", {step.data['relation']}" if time.relation else ""
    if bounds != film:
        where += f", between {format_time(bounds.start_s)} and {format_time(bounds.end_s)}"
    if intent.things:
        where += f"; now: {intent.things[len(state['events'])]}"
    return step.done(update, why=f"the question asks for {_KIND_WORDS[intent.kind]}{where}")


_KIND_WORDS = {
    "moment": "one moment",
    "when": "a time",
    "count": "how often something happens",
    "all": "all moments of something",
    "first": "the first time of something",
    "last": "the last time of something",
    "after": "what comes right after a moment",
    "before": "what comes right before a moment",
    "order": "the order of several things",
    "whole": "the film as a whole",
}


def survey(state: State, runtime: Runtime[Workspace]) -> State:
    """The prior, and the model's own request over a strip of its peaks."""
    ws = runtime.context
    step = StepWriter(ws, state, "survey")
    prior = ws.prior(state)
    before = ws.belief(state)
    whole = intent_of(state).wants_whole
    peaks = [] if whole else _peaks(ws, state, before)
    asked, strip = _ask_over_strip(ws, step, state, peaks)
    step.data = {
        "shortlist_s": [round(t, 2) for t in peaks],
        "strip": strip,
        "searched": searched_spans(ws.film.timeline.times_s, ws.film.video.span),
        "prior_lanes": [
            {"lane": lane, "profile": list(belief.profile(n_bins=ws.settings.belief_bins))}
            for lane, belief in ws.lane_priors(state).items()
        ],
        "spread": round(prior.spread, 4),
        "best_cosine": round(prior.best, 4),
        "flat": prior.flat,
        **shown(asked),
    }
    update = State(
        flat=prior.flat and not whole,
        proposals=state["proposals"] + proposed(asked),
        updates=state["updates"] + pointed_at(asked, ws.settings),
        next="answer" if whole else "spotlight",
        stop_reason="nothing is searched for: the question is about the whole" if whole else "",
    )
    why = "the vectors say little: the search is wide" if prior.flat else "the peaks of the vectors"
    why = update["stop_reason"] or why
    after = ws.belief({**state, **update})
    return step.done(update, why=why, before=before, after=after)


def _peaks(ws: Workspace, state: State, belief: Belief) -> list[float]:
    """Times worth a glance."""
    times_s = shortlist(
        belief,
        limit=ws.settings.survey.n_candidates,
        apart_s=ws.settings.survey.apart_s,
    )
    parts = ws.parts(state)
    # What the question leaves out needs no glance; its own best second is always a peak.
    return [t for t in times_s if any(part.start_s <= t < part.end_s for part in parts)]


def shortlist(belief: Belief, *, limit: int, apart_s: float) -> list[float]:
    """Times of the best peaks of a belief that keep `apart_s` from each other, ascending.

    Where that leaves places empty, the distance is halved and the rest tried again.

    Source: DATE, arXiv 2509.09263 (selection with a distance that is halved).
    """
    middles, curve = belief.middles_s, belief.curve
    peaks = np.asarray(anchors(middles, curve, limit=len(middles)), dtype=np.intp)
    order = peaks[np.lexsort((peaks, -curve[peaks]))]
    bin_s = float(np.diff(belief.edges_s).max())
    chosen: list[float] = []
    while True:
        for index in order:
            if len(chosen) >= limit:
                break
            time_s = float(middles[index])
            if all(abs(time_s - t) >= apart_s for t in chosen):
                chosen.append(time_s)
        apart_s /= 2
        if len(chosen) >= min(limit, len(order)) or apart_s < bin_s:
            return sorted(chosen)


def searched_spans(times_s: Seconds, film: Span) -> list[list[float]]:
    """Stretches of the film that the index holds: from each of its rows to the next.

    A row reaches as far as the rows usually stand apart; what could not be decoded stays out.
    """
    if not len(times_s):
        return []
    gaps_s = np.diff(times_s)
    row_s = float(np.median(gaps_s)) if len(gaps_s) else film.duration_s
    first = np.concatenate([[True], gaps_s > 1.5 * row_s])
    last = np.concatenate([first[1:], [True]])
    ends_s = np.minimum(times_s[last] + row_s, film.end_s)
    return [
        [round(float(start), 3), round(float(end), 3)]
        for start, end in zip(times_s[first], ends_s, strict=True)
    ]


def _ask_over_strip(
    ws: Workspace, step: StepWriter, state: State, peaks: Sequence[float]
) -> tuple[ParsedRequests, dict[str, Any]]:
    """Show small frames around the peaks; what the model asks for, and what was shown."""
    if ws.settings.survey.strip_pairs == 0 or not peaks:
        return NO_REQUESTS, {}
    clip = strip_clip(ws, peaks)
    price = ws.videollm.clip_tokens(
        n_frames=clip.n_frames, width_px=clip.width_px, height_px=clip.height_px
    )
    if not can_ask(ws, step, tokens=price):
        return NO_REQUESTS, {}
    prompt = ws.render("request", n_clips=1, question=state["reflect_question"])
    asked = requests_over(ws, step, state, prompt, clip)
    return asked, {
        "times_s": [round(t, 3) for t in clip.times_s],
        "width_px": clip.width_px,
        "height_px": clip.height_px,
    }


def strip_clip(ws: Workspace, times_s: Sequence[float]) -> Clip:
    """Small stored frames around some times: for each, a few pairs of frames a second apart.

    The model fuses frames in pairs; a pair from one place keeps its picture and its time true.
    """
    settings = ws.settings.survey
    per_pair = ws.videollm.capabilities.frames_per_pair
    film = ws.film.video.span
    half = (settings.strip_pairs - 1) / 2
    wanted = [
        min(max(film.start_s, t + (p - half) * settings.strip_gap_s + i), film.end_s - 0.01)
        for t in times_s
        for p in range(settings.strip_pairs)
        for i in range(per_pair)
    ]
    frames = sorted(ws.film.strip(wanted), key=lambda f: f.time_s)
    width_px, height_px = ws.size_px(settings.strip_short_side_px)
    return Clip(
        times_s=tuple(f.time_s for f in frames),
        pixels=np.stack([_fit(f, width_px, height_px) for f in frames]),
    )


def _fit(frame: Frame, width_px: int, height_px: int) -> Pixels:
    return resized(frame.pixels, width_px=width_px, height_px=height_px)

"""Where to look next, and the look itself.

The film is cut into windows (shots, long ones in parts); requests of the model, halves of
ambiguous windows and closer looks join them in one queue. Best first: what a look is expected to
tell, in bits, for each token it costs. Windows of one turn keep apart, and no look is taken twice.

Source: TimeSearch, arXiv 2504.01407 (spotlight, best-first); TS-BFS, arXiv 2507.02946 (uniform
split). Ours differs: the order comes from a belief over the whole film, so nothing has to be
proposed by the model, and an even belief falls back to an even spread by itself.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from langgraph.runtime import Runtime

from agent.settings import SpotlightSettings
from agent.state import LookState, Source, State, WindowState, span_of
from agent.steps import StepWriter
from agent.workspace import Workspace
from index.errors import ToolError
from index.types import Shot, Span
from tools.belief import Belief, look_gain_bits
from tools.keyclips import ClipShape
from tools.look import mean_motion, motion_fps, plan_look


@dataclass(frozen=True, slots=True)
class Window:
    """A span in the queue, and how it would be looked at."""

    span: Span
    source: Source
    fps: float | None = None
    """Asked for; None: motion decides."""
    high: bool = False


@dataclass(frozen=True, slots=True)
class Ranked:
    """A window with its price and what it is expected to tell."""

    window: Window
    shape: ClipShape
    tokens: int
    mass: float
    gain_bits: float

    @property
    def gain_per_token(self) -> float:
        return self.gain_bits / self.tokens


def spotlight(state: State, runtime: Runtime[Workspace]) -> State:
    """Choose the windows of this turn, or end the search and say why."""
    ws = runtime.context
    step = StepWriter(ws, state, "spotlight")
    belief = ws.belief(state)
    budget = step.budget()
    reason = budget.exhausted()
    if reason:
        return step.done(State(chosen=[], next="answer", stop_reason=reason), why=reason)
    if not ws.settings.spotlight.follow_findings:
        belief = ws.prior(state["cues"]).belief
    ranked = rank(ws, state, belief, limit_tokens=budget.tokens_for_search)
    chosen = choose(
        ranked,
        settings=ws.settings.spotlight,
        limit_tokens=budget.tokens_for_search,
        n_most=min(ws.settings.spotlight.looks_per_turn, budget.looks_left, budget.calls_left - 2),
    )
    if not chosen:
        reason = _why_none(ws, state, ranked)
        return step.done(State(chosen=[], next="answer", stop_reason=reason), why=reason)
    step.data = {
        "queue": [_shown(r) for r in ranked[:8]],
        "chosen": [_shown(r) for r in chosen],
        "tokens_for_search": budget.tokens_for_search,
    }
    used = {(r.window.span, r.window.source) for r in chosen}
    left = [p for p in state["proposals"] if (span_of(p), p["source"]) not in used]
    windows = sorted((_to_state(r) for r in chosen), key=lambda w: w["start_s"])
    update = State(chosen=windows, proposals=left, next="look")
    return step.done(update, why=f"{len(chosen)} of {len(ranked)} windows, most bits a token first")


def look(state: State, runtime: Runtime[Workspace]) -> State:
    """Decode exactly the chosen windows."""
    ws = runtime.context
    step = StepWriter(ws, state, "look")
    delivered: list[LookState] = []
    for window in state["chosen"]:
        shape = ClipShape(window["n_frames"], window["width_px"], window["height_px"])
        done, _ = step.look(span_of(window), shape, why=window["why"], source=window["source"])
        delivered.append(done)
    update = State(
        chosen=[],
        looks=state["looks"] + delivered,
        unjudged=[k["look_id"] for k in delivered],
        next="reflect",
    )
    return step.done(update, why=f"{len(delivered)} looks")


def windows_of(shots: Sequence[Shot], film: Span, settings: SpotlightSettings) -> list[Span]:
    """The film cut into windows: shots, tiny ones joined, long ones in equal parts.

    They cover the film without gap or overlap, whatever the shots are.
    """
    cuts = sorted({s.span.start_s for s in shots if film.start_s < s.span.start_s < film.end_s})
    edges = [film.start_s]
    for cut in cuts:
        if cut - edges[-1] >= settings.shortest_s and film.end_s - cut >= settings.shortest_s:
            edges.append(cut)
    edges.append(film.end_s)
    windows: list[Span] = []
    for start_s, end_s in itertools.pairwise(edges):
        windows.extend(halves(Span(start_s, end_s), longest_s=settings.longest_s))
    return windows


def halves(span: Span, *, longest_s: float) -> list[Span]:
    """The span in equal parts of at most `longest_s`."""
    n = max(1, math.ceil(span.duration_s / longest_s - 1e-9))
    edges = [span.start_s + span.duration_s * i / n for i in range(n)] + [span.end_s]
    return [Span(a, b) for a, b in itertools.pairwise(edges)]


def rank(ws: Workspace, state: State, belief: Belief, *, limit_tokens: int) -> list[Ranked]:
    """Every window not looked at yet that the tokens allow, best first."""
    settings = ws.settings.spotlight
    bounds = ws.bounds(state)
    spans = windows_of(ws.film.shots, bounds, settings)
    # Prices differ by a small factor, masses by orders: a long film's tail can't come first.
    order = belief.masses(spans).argsort(kind="stable")[::-1][: settings.most_ranked]
    windows = [Window(spans[i], "belief") for i in sorted(order)]
    windows = [w for w in windows if not _covered(w.span, state["looks"])]
    windows += [
        Window(span_of(p), p["source"], fps=p["fps"], high=p["high"]) for p in state["proposals"]
    ]
    if not windows:
        return []
    masses = belief.masses([w.span for w in windows])
    ranked = []
    for window, mass in zip(windows, masses, strict=True):
        shape = shape_for(ws, window, limit_tokens=limit_tokens)
        if shape is None or _taken(window.span, shape, state["looks"], settings.same_tiou):
            continue
        tokens = ws.videollm.clip_tokens(
            n_frames=shape.n_frames, width_px=shape.width_px, height_px=shape.height_px
        )
        gain = look_gain_bits(float(mass), judge_error=settings.judge_error)
        ranked.append(Ranked(window, shape, tokens, float(mass), gain))
    # A request was made by somebody who saw the strip: it is honoured before the rest.
    return sorted(
        ranked,
        key=lambda r: (r.window.source != "request", -r.gain_per_token, r.window.span),
    )


def choose(
    ranked: Sequence[Ranked], *, settings: SpotlightSettings, limit_tokens: int, n_most: int
) -> list[Ranked]:
    """The windows of one turn: greedy, spread out, within the tokens."""
    chosen: list[Ranked] = []
    # Only the head of the queue can be chosen; a long film has thousands of windows behind it.
    open_ = list(ranked[: 8 * max(1, n_most)])
    while open_ and len(chosen) < n_most:
        best = max(open_, key=lambda r: _worth(r, chosen, settings.spread_s))
        open_.remove(best)
        if best.window.source == "belief" and best.gain_bits < settings.least_gain_bits:
            break
        if sum(r.tokens for r in chosen) + best.tokens <= limit_tokens:
            chosen.append(best)
    return chosen


def shape_for(ws: Workspace, window: Window, *, limit_tokens: int) -> ClipShape | None:
    """Density and size of a look; None where even the smallest is too dear."""
    look_settings = ws.settings.look
    timeline = ws.film.timeline
    if window.fps is None:
        motion = mean_motion(timeline.times_s, timeline.motion, window.span)
        fps = motion_fps(
            motion,
            still_fps=look_settings.still_fps,
            lively_fps=look_settings.lively_fps,
            lively_motion=look_settings.lively_motion,
        )
        fewest, most = look_settings.fewest_frames, look_settings.most_frames
    else:
        # DynFrame's floor(duration · fps); a look has at least one pair.
        fps, fewest, most = window.fps, 2, look_settings.most_requested_frames
    n_frames = min(max(int(window.span.duration_s * fps), fewest), most)
    sides = [look_settings.short_side_px]
    if window.high:
        sides.insert(0, look_settings.high_short_side_px)
    try:
        return plan_look(
            n_frames,
            sizes_px=[ws.size_px(side) for side in sides],
            grid=ws.grid,
            limit_tokens=min(limit_tokens, ws.videollm.capabilities.max_visual_tokens),
            price=ws.videollm.clip_tokens,
        )
    except ToolError:
        return None


def _worth(ranked: Ranked, chosen: Sequence[Ranked], spread_s: float) -> tuple[bool, float, float]:
    near = any(abs(ranked.window.span.middle_s - c.window.span.middle_s) < spread_s for c in chosen)
    value = ranked.gain_per_token * (0.5 if near else 1.0)
    return ranked.window.source == "request", value, -ranked.window.span.start_s


def _covered(span: Span, looks: Sequence[LookState]) -> bool:
    """Whether some look held at least four fifths of the span."""
    return any(span.overlap_s(span_of(k)) >= 0.8 * span.duration_s for k in _search(looks))


def _taken(span: Span, shape: ClipShape, looks: Sequence[LookState], same_tiou: float) -> bool:
    """Whether this very look was taken: the loop guard."""
    return any(
        span.tiou(span_of(k)) >= same_tiou
        and k["height_px"] == shape.height_px
        and k["n_frames"] >= shape.n_frames
        for k in _search(looks)
    )


def _search(looks: Sequence[LookState]) -> list[LookState]:
    """Looks that were judged: those of an answer were not."""
    return [k for k in looks if k["source"] != "answer"]


def _why_none(ws: Workspace, state: State, ranked: Sequence[Ranked]) -> str:
    if not ranked and _covered(ws.bounds(state), state["looks"]):
        return "exhausted: the whole film was looked at"
    if ranked and ranked[0].gain_bits < ws.settings.spotlight.least_gain_bits:
        return "exhausted: no look is expected to tell more"
    if not ranked and state["looks"]:
        return "exhausted: every window was looked at, or costs more tokens than are left"
    return "budget: the tokens that are left do not pay for one look"


def _shown(ranked: Ranked) -> dict[str, object]:
    return {
        "start": round(ranked.window.span.start_s, 3),
        "end": round(ranked.window.span.end_s, 3),
        "source": ranked.window.source,
        "mass": round(ranked.mass, 5),
        "gain_bits": round(ranked.gain_bits, 6),
        "tokens": ranked.tokens,
    }


_SOURCE_WORDS = {
    "belief": "the belief is high here",
    "request": "the model asked for it",
    "split": "half of an ambiguous window",
    "closer": "ambiguous: a closer look",
    "answer": "evidence for the answer",
}


def _to_state(ranked: Ranked) -> WindowState:
    window = ranked.window
    return {
        "start_s": window.span.start_s,
        "end_s": window.span.end_s,
        "source": window.source,
        "why": f"{_SOURCE_WORDS[window.source]} ({ranked.mass:.1%})",
        "n_frames": ranked.shape.n_frames,
        "width_px": ranked.shape.width_px,
        "height_px": ranked.shape.height_px,
    }

"""The queue of windows: what a look at each would cost, and what it is expected to tell.

Every turn ranks hundreds of windows of a long film against all looks so far: what is alike for all
of them is computed at once, and how a window would be shown is worked out once in a run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.cuts import bounds_of
from agent.moves import close_looks
from agent.settings import SpotlightSettings
from agent.state import LookState, Source, State, span_of
from agent.windows import film_windows
from agent.workspace import Workspace
from index.errors import ToolError
from index.types import Span
from tools.belief import Belief, bounds_s, look_gain_bits
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


def rank(ws: Workspace, state: State, belief: Belief, *, limit_tokens: int) -> list[Ranked]:
    """Every window not looked at yet that the tokens allow, best first."""
    settings = ws.settings.spotlight
    taken = taken_shapes(state["looks"])
    ranked = []
    for window, mass in _open_windows(ws, state, belief):
        shape = shape_for(ws, window, limit_tokens=limit_tokens)
        if shape is None or was_taken(window.span, shape, taken, settings.same_tiou):
            continue
        tokens = ws.videollm.clip_tokens(
            n_frames=shape.n_frames, width_px=shape.width_px, height_px=shape.height_px
        )
        gain = look_gain_bits(mass, judge_error=settings.judge_error)
        ranked.append(Ranked(window, shape, tokens, mass, gain))
    # A request was made by somebody who saw something: it is honoured before the rest.
    return sorted(
        ranked,
        key=lambda r: (r.window.source != "request", -r.gain_per_token, r.window.span),
    )


def _open_windows(ws: Workspace, state: State, belief: Belief) -> list[tuple[Window, float]]:
    """The windows that no look covers, in the film's order, then what was proposed; with masses."""
    settings = ws.settings.spotlight
    spans = film_windows(ws, state)
    masses = belief.masses_between(bounds_of(spans))
    # Prices differ by a small factor, masses by orders: a long film's tail can't come first.
    order = np.sort(masses.argsort(kind="stable")[::-1][: settings.most_ranked])
    looked = looked_at(close_looks(state["looks"], ws.settings.look))
    covered = _covered([spans[i] for i in order], looked, settings)
    windows = [
        (Window(spans[i], "belief"), float(masses[i]))
        for i, is_done in zip(order, covered, strict=True)
        if not is_done
    ]
    proposed = [
        Window(span_of(p), p["source"], fps=p["fps"], high=p["high"]) for p in state["proposals"]
    ]
    masses = belief.masses([w.span for w in proposed])
    return windows + [(w, float(mass)) for w, mass in zip(proposed, masses, strict=True)]


def shape_for(ws: Workspace, window: Window, *, limit_tokens: int) -> ClipShape | None:
    """Density and size of a look; None where even the smallest is too dear."""
    most = ws.videollm.capabilities.max_visual_tokens
    # A node may have a VideoLLM of its own; all of them live as long as the run.
    key = (id(ws.videollm), window)
    if key not in ws.shapes:
        ws.shapes[key] = _shape(ws, window, limit_tokens=most)
    shape = ws.shapes[key]
    if shape is None or limit_tokens >= most:
        return shape
    tokens = ws.videollm.clip_tokens(
        n_frames=shape.n_frames, width_px=shape.width_px, height_px=shape.height_px
    )
    return shape if tokens <= limit_tokens else _shape(ws, window, limit_tokens=limit_tokens)


def _shape(ws: Workspace, window: Window, *, limit_tokens: int) -> ClipShape | None:
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
    if window.high and ws.videollm.capabilities.adaptive_size:
        sides.insert(0, look_settings.high_short_side_px)
    elif window.high:
        # To a model of one size a closer look is a denser one.
        n_frames = max(n_frames, most)
    try:
        return plan_look(
            n_frames,
            sizes_px=[ws.size_px(side) for side in sides],
            grid=ws.grid,
            limit_tokens=limit_tokens,
            price=ws.videollm.clip_tokens,
        )
    except ToolError:
        return None


def is_covered(span: Span, looked: Sequence[Span], settings: SpotlightSettings) -> bool:
    """Whether one of some looks held as good as all of the span."""
    return bool(_covered([span], looked, settings)[0])


def _covered(
    spans: Sequence[Span], looked: Sequence[Span], settings: SpotlightSettings
) -> NDArray[np.bool_]:
    """(N,) whether one of some looks held as good as all of each span."""
    (starts, ends), (seen_from, seen_to) = bounds_s(spans).T, bounds_s(looked).T
    shared_s = np.minimum(ends[:, None], seen_to) - np.maximum(starts[:, None], seen_from)
    least_s = settings.covered_share * (ends - starts)
    return np.asarray((shared_s >= least_s[:, None]).any(axis=1))


def was_taken(
    span: Span, shape: ClipShape, taken: Sequence[tuple[Span, ClipShape]], same_tiou: float
) -> bool:
    """Whether this very look was taken: the loop guard."""
    return any(
        had.height_px == shape.height_px
        and had.n_frames >= shape.n_frames
        and seen.start_s < span.end_s
        and span.start_s < seen.end_s
        and span.tiou(seen) >= same_tiou
        for seen, had in taken
    )


def taken_shapes(looks: Sequence[LookState]) -> list[tuple[Span, ClipShape]]:
    """Where looks were judged, and how these were shown."""
    return [
        (span_of(k), ClipShape(k["n_frames"], k["width_px"], k["height_px"]))
        for k in _search(looks)
    ]


def looked_at(looks: Sequence[LookState]) -> list[Span]:
    """Where looks were judged."""
    return [span_of(k) for k in _search(looks)]


def _search(looks: Sequence[LookState]) -> list[LookState]:
    """Looks that were judged: those of an answer were not."""
    return [k for k in looks if k["source"] != "answer"]

"""Where to look next, and the look itself.

The film is cut into windows (shots, long ones in parts); requests of the model, halves of
ambiguous windows and closer looks join them in one queue. Best first: what a look is expected to
tell, in bits, for each token it costs. No look is taken twice.

Source: TimeSearch, arXiv 2504.01407 (spotlight, best-first); TS-BFS, arXiv 2507.02946 (uniform
split). Ours differs: the order comes from a belief over the whole film, so nothing has to be
proposed by the model, and an even belief falls back to an even spread by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from langgraph.runtime import Runtime

from agent.budget import Budget
from agent.evidence import shape_of_second_look
from agent.moves import close_looks, goes_in_circles
from agent.presence import settled
from agent.queue import Ranked, is_covered, looked_at, rank
from agent.reflect import best_findings
from agent.settings import SpotlightSettings
from agent.several import further
from agent.state import LookState, State, WindowState, intent_of, span_of
from agent.steps import StepWriter
from agent.windows import film_windows
from agent.workspace import Workspace
from index.types import Span
from tools.belief import Belief, look_gain_bits
from tools.keyclips import ClipShape


def spotlight(state: State, runtime: Runtime[Workspace]) -> State:
    """Choose the windows of this turn, or end the search and say why."""
    ws = runtime.context
    step = StepWriter(ws, state, "spotlight")
    belief = ws.belief(state)
    budget = step.budget()
    reason = budget.exhausted()
    if reason:
        return step.done(State(chosen=[], next="answer", stop_reason=reason), why=reason)
    close = close_looks(state["looks"], ws.settings.look)
    circles = goes_in_circles(close, settings=ws.settings.spotlight)
    if circles:
        state = {**state, "proposals": []}
    ranked_by = belief if ws.settings.spotlight.follow_findings else ws.prior(state).belief
    ranked = rank(ws, state, ranked_by, limit_tokens=budget.tokens_for_search)
    worth, too_dear = _worth_it(ws, state, ranked)
    reason = _ends(ws, state, belief, ranked, budget, too_dear=too_dear)
    if reason:
        return step.done(State(chosen=[], next="answer", stop_reason=reason), why=reason)
    chosen = choose(
        worth,
        settings=ws.settings.spotlight,
        limit_tokens=budget.tokens_for_search,
        n_most=min(
            ws.settings.spotlight.looks_per_turn, budget.looks_for_search, budget.calls_for_search
        ),
        one_ends_it=not intent_of(state).wants_all,
    )
    if not chosen:
        reason = _why_none(ws, state, ranked)
        return step.done(State(chosen=[], next="answer", stop_reason=reason), why=reason)
    looked = looked_at(close)
    if circles or _nothing_stands_out(state):
        chosen = evenly(worth, chosen, looked=looked, limit_tokens=budget.tokens_for_search)
    step.data = {
        "circles": circles,
        "queue": [_shown(r) for r in ranked[:8]],
        "chosen": [_shown(r) for r in chosen],
        "tokens_for_search": budget.tokens_for_search,
    }
    used = {(r.window.span, r.window.source) for r in chosen}
    left = [p for p in state["proposals"] if (span_of(p), p["source"]) not in used]
    windows = sorted((_to_state(r) for r in chosen), key=lambda w: w["start_s"])
    update = State(chosen=windows, proposals=left, next="look")
    order = "spread evenly" if chosen[0].window.source == "even" else "most bits a token first"
    back = "; in circles: back to what was left" if circles else ""
    return step.done(update, why=f"{len(chosen)} of {len(ranked)} windows, {order}{back}")


def look(state: State, runtime: Runtime[Workspace]) -> State:
    """Decode exactly the chosen windows."""
    ws = runtime.context
    step = StepWriter(ws, state, "look")
    delivered: list[LookState] = []
    answered: list[dict[str, object]] = []
    for window in state["chosen"]:
        shape = ClipShape(window["n_frames"], window["width_px"], window["height_px"])
        done, _ = step.look(span_of(window), shape, why=window["why"], source=window["source"])
        delivered.append(done)
        if window["fps"] is not None:
            got = round(done["n_frames"] / span_of(done).duration_s, 3)
            answered.append({"look": done["look_id"], "asked_fps": window["fps"], "fps": got})
    if answered:
        step.data = {"delivered": answered}
    update = State(
        chosen=[],
        looks=state["looks"] + delivered,
        unjudged=[k["look_id"] for k in delivered],
        next="reflect",
    )
    return step.done(update, why=f"{len(delivered)} look{'s' * (len(delivered) != 1)}")


def choose(
    queue: Sequence[Ranked],
    *,
    settings: SpotlightSettings,
    limit_tokens: int,
    n_most: int,
    one_ends_it: bool,
) -> list[Ranked]:
    """The windows of one turn: the first of the queue, best first, that the tokens pay for.

    Where one that shows it ends the search, a likely window is looked at alone and unlikely ones
    together: looks of one turn cost less time each, but know nothing of one another.
    No two show the same seconds at the same size: both would be judged, and counted as two looks.
    """
    chosen: list[Ranked] = []
    for best in queue:
        if best.window.source == "belief" and best.gain_bits < settings.least_gain_bits:
            break
        if len(chosen) == n_most:
            break
        if chosen and one_ends_it and _would_show(chosen) > settings.turn_chance:
            break
        again = any(
            best.window.span.tiou(c.window.span) >= settings.same_tiou
            and best.shape.height_px <= c.shape.height_px
            for c in chosen
        )
        if not again and sum(r.tokens for r in chosen) + best.tokens <= limit_tokens:
            chosen.append(best)
    return chosen


def _would_show(chosen: Sequence[Ranked]) -> float:
    """The chance that one of some windows shows it; of those that overlap the first counts."""
    apart: list[Ranked] = []
    for each in chosen:
        if not any(each.window.span.overlap_s(had.window.span) for had in apart):
            apart.append(each)
    return sum(r.mass for r in apart)


def evenly(
    ranked: Sequence[Ranked], chosen: Sequence[Ranked], *, looked: Sequence[Span], limit_tokens: int
) -> list[Ranked]:
    """As many windows as were chosen, each as far as can be from all that was looked at.

    For a belief that tells nothing apart. What the model asked for stays; where no window of the
    film is left, so do the halves and closer looks that were chosen.

    Source: TS-BFS, arXiv 2507.02946 (uniform split). Ours differs: over the whole film, not in one
    window, and around what was seen.
    """
    kept = [r for r in chosen if r.window.source == "request"]
    left = [r for r in ranked if r.window.source == "belief"]
    seen = [*(s.middle_s for s in looked), *(r.window.span.middle_s for r in kept)]
    while left and len(kept) < len(chosen):
        best = max(left, key=lambda r: (_gap_s(r.window.span, seen), -r.window.span.start_s))
        left.remove(best)
        if sum(r.tokens for r in kept) + best.tokens <= limit_tokens:
            kept.append(replace(best, window=replace(best.window, source="even")))
            seen.append(best.window.span.middle_s)
    return kept or list(chosen)


def _nothing_stands_out(state: State) -> bool:
    """Whether neither the vectors, nor a line of words, nor a look says where it could be."""
    said = any(u["cause"] == "words" for u in state["updates"])
    return state["flat"] and not said and not any(f["log_ratio"] > 0 for f in state["findings"])


def _gap_s(span: Span, seen_s: Sequence[float]) -> float:
    """Distance to the nearest of some times; without any, the middle of the film is as good."""
    return min((abs(span.middle_s - t) for t in seen_s), default=0.0)


def _why_none(ws: Workspace, state: State, ranked: Sequence[Ranked]) -> str:
    settings = ws.settings.spotlight
    looked = looked_at(close_looks(state["looks"], ws.settings.look))
    if not ranked and all(is_covered(part, looked, settings) for part in ws.parts(state)):
        is_whole = ws.parts(state) == (ws.film.video.span,)
        what = "the whole film" if is_whole else "all that the question is about"
        return f"exhausted: {what} was looked at"
    if ranked and ranked[0].gain_bits < settings.least_gain_bits:
        return "exhausted: no look is expected to tell more"
    if not ranked and all(is_covered(w, looked, settings) for w in film_windows(ws, state)):
        return "exhausted: every window was looked at"
    return "budget: the tokens that are left do not pay for another look"


def _worth_it(ws: Workspace, state: State, ranked: Sequence[Ranked]) -> tuple[list[Ranked], str]:
    """The windows that are each worth a look, and what is said where none is.

    A look at one moment is worth its price where it shows it that often, of several where it is
    expected to find so much of another one. All are where nothing stands out, for want of better;
    a request of the model is honoured in any case.
    """
    several = intent_of(state).wants_all
    if several:
        chances = further(ws, state, [r.window.span for r in ranked])
        price, finds = ws.settings.several.least_chance, "finds one more"
    else:
        chances, price = [r.mass for r in ranked], ws.settings.spotlight.look_price
        finds = "finds it"
    even = _nothing_stands_out(state)
    worth = [
        r
        for r, chance in zip(ranked, chances, strict=True)
        if even or r.window.source == "request" or chance >= price
    ]
    if worth or not ranked:
        return worth, ""
    best = max(chances)
    return worth, f"price: the best look left {finds} with {best:.2%}, a look costs {price:.2%}"


def _ends(
    ws: Workspace,
    state: State,
    belief: Belief,
    ranked: Sequence[Ranked],
    budget: Budget,
    *,
    too_dear: str,
) -> str:
    """Why the search ends before its windows do; "" where it goes on.

    No look that is left is worth its price; or of one moment a second look at what was found tells
    more for its tokens, or all that are left together would hardly find it.
    """
    if not ranked or ranked[0].window.source == "request":
        return ""
    several = intent_of(state).wants_all
    if not several and _second_look_tells_more(ws, state, belief, ranked[0], budget):
        return "sufficient: a second look at what was found tells more than any other look"
    if several or too_dear:
        return too_dear
    total, n_left = 0.0, budget.tokens_for_search
    for item in ranked[: budget.looks_for_search]:
        n_left -= item.tokens
        if n_left < 0:
            break
        total += item.mass
    least = ws.settings.spotlight.least_chance
    return f"exhausted: all looks left would find it with {total:.1%}" * (total < least)


def _second_look_tells_more(
    ws: Workspace, state: State, belief: Belief, first: Ranked, budget: Budget
) -> bool:
    """Whether the likeliest finding that was seen once promises more bits a token than the queue.

    What is found is the dearest thing to be wrong about, and a second look settles most of it: the
    queue waits until that is done.
    """
    settings = ws.settings
    # An answer that was tried since the last look, and looked at nothing, will do so again.
    in_vain = state["attempts"] > 0 and len(state["looks"]) == state.get("looks_before_answer")
    if not settings.spotlight.second_look_first or in_vain:
        return False
    belief = settled(ws, state, belief)
    once = [f for f in best_findings(state, belief, settings.reflect) if not f["verified"]]
    shape = shape_of_second_look(ws, budget)
    if not once or shape is None:
        return False
    tokens = ws.videollm.clip_tokens(
        n_frames=shape.n_frames, width_px=shape.width_px, height_px=shape.height_px
    )
    mass = belief.mass(span_of(once[0]))
    gain_bits = look_gain_bits(mass, judge_error=settings.spotlight.judge_error)
    # Described, it is shown twice.
    return gain_bits / (tokens * (1 + settings.verify.describe)) > first.gain_per_token


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
    "wider": "still ambiguous: what stands around it",
    "shift": "it may reach further to this side",
    "even": "nothing stands out: far from all that was seen",
    "answer": "evidence for the answer",
}


def _to_state(ranked: Ranked) -> WindowState:
    window = ranked.window
    return {
        "start_s": window.span.start_s,
        "end_s": window.span.end_s,
        "source": window.source,
        "why": f"{_SOURCE_WORDS[window.source]} ({ranked.mass:.1%})",
        "fps": window.fps,
        "n_frames": ranked.shape.n_frames,
        "width_px": ranked.shape.width_px,
        "height_px": ranked.shape.height_px,
    }

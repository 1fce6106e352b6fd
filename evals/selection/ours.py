"""Ours without a VideoLLM: one-shot key clips, and the order in which the search would look.

Both start from the agent's prior over the film (without the model's rewrite of the question).
"""

from __future__ import annotations

from agent.cuts import bins_of, windows_of
from agent.queue import Ranked, Window
from agent.settings import AskSettings
from agent.spotlight import choose
from agent.survey import shortlist
from evals.selection.sheet import Purse, Selection, Sheet, Shown
from index.types import Span
from tools.belief import Belief, look_gain_bits
from tools.keyclips import Candidate, ClipShape, allocate
from tools.look import mean_motion, motion_fps
from tools.prior import prior_from_scores


def key_clips(settings: AskSettings) -> Selection:
    """One prompt of clips: the prior's separated peaks, their windows, the allocator.

    As many peaks as the tokens pay for at a look's fewest frames; the allocator then takes from
    the least likely what it gives to the others.
    """

    def select(sheet: Sheet, purse: Purse) -> list[Shown]:
        prior = _prior(sheet, settings)
        ladder = _ladder(settings, purse)
        plainest = next((s for s in ladder if s.n_frames >= settings.look.fewest_frames), ladder[0])
        each = purse.cost([Shown(sheet.film, plainest)])
        limit = max(1, purse.visual_tokens // each)
        peaks = shortlist(prior, limit=limit, apart_s=settings.survey.apart_s)
        windows = windows_of(sheet.shots, sheet.film, settings.spotlight)
        spans = {next(w for w in windows if t < w.end_s) for t in peaks}
        candidates = [Candidate(s, prior.mass(s), ladder) for s in sorted(spans)]
        clips = allocate(candidates, budget_tokens=purse.visual_tokens, price=purse.price)
        return [Shown(c.span, c.shape) for c in clips]

    return select


def look_order(settings: AskSettings) -> Selection:
    """The windows that the search would look at if it saw nothing in any of them, until the tokens
    are spent."""

    def select(sheet: Sheet, purse: Purse) -> list[Shown]:
        prior = _prior(sheet, settings)
        spans = windows_of(sheet.shots, sheet.film, settings.spotlight)
        masses = prior.masses(spans)
        # As many as the agent ranks in a turn, those of most belief.
        best = masses.argsort(kind="stable")[::-1][: settings.spotlight.most_ranked]
        queue = [_ranked(sheet, purse, settings, spans[i], float(masses[i])) for i in best]
        queue.sort(key=lambda r: (-r.gain_per_token, r.window.span))
        looked = choose(
            queue,
            settings=settings.spotlight,
            limit_tokens=purse.visual_tokens,
            n_most=len(queue),
            one_ends_it=False,
        )
        return sorted((Shown(r.window.span, r.shape) for r in looked), key=lambda s: s.span)

    return select


def _prior(sheet: Sheet, settings: AskSettings) -> Belief:
    bins = bins_of(sheet.shots, sheet.film, settings.spotlight)
    return prior_from_scores(bins, sheet.groups, settings=settings.survey.prior).belief


def _ranked(sheet: Sheet, purse: Purse, settings: AskSettings, span: Span, mass: float) -> Ranked:
    look = settings.look
    fps = motion_fps(
        mean_motion(sheet.times_s, sheet.motion, span),
        still_fps=look.still_fps,
        lively_fps=look.lively_fps,
        lively_motion=look.lively_motion,
    )
    n_frames = min(max(int(span.duration_s * fps), look.fewest_frames), look.most_frames)
    shape = ClipShape(purse.grid.even(n_frames), *purse.size_px())
    gain = look_gain_bits(mass, judge_error=settings.spotlight.judge_error)
    return Ranked(Window(span, "belief"), shape, purse.cost([Shown(span, shape)]), mass, gain)


def _ladder(settings: AskSettings, purse: Purse) -> tuple[ClipShape, ...]:
    """Ways to show a clip, each showing more than the one before it."""
    look, grid = settings.look, purse.grid
    counts = sorted({grid.even(n) for n in (2, look.fewest_frames, look.most_frames)})
    low, high = purse.size_px(), purse.size_px(purse.short_side_px / purse.high_short_side_px)
    shapes = [ClipShape(n, *low) for n in counts]
    if purse.many_sizes and high != low:
        shapes.append(ClipShape(counts[-1], *high))
    return tuple(shapes)

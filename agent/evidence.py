"""Asking from the evidence alone, several times over: the check of completeness.

Each pass shows the same spans in other frames (another size, other times inside the span). Two
passes that agree are enough; where they do not, a third decides, or nothing does. Of options the
one with the highest mean probability counts: a pass that is sure says more than two that waver.

Source: TimeSearch-R, arXiv 2511.05489 (completeness check: answer again from the evidence only).
Ours differs: nothing is trained for it, so agreement is by vote.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from agent.budget import Budget
from agent.other_frames import in_other_frames
from agent.said import said_once
from agent.state import LookState
from agent.steps import StepWriter
from agent.types import MOST_OPTIONS
from agent.videollm import Clip
from agent.workspace import Workspace
from index.types import Span
from prompts.render import RenderedPrompt
from tools.keyclips import Candidate, ClipShape, KeyClip, allocate, smallest_open_step
from tools.look import mean_motion, motion_fps
from tools.requests import asks_for_a_look, without_answer_tags

NOT_ENOUGH = "not enough"
CANNOT_TELL = "these frames are not enough to tell"
"""What stands beside the options of a question."""
UNREADABLE = "unreadable"
_SAYS_NOT_ENOUGH = re.compile(
    rf"{NOT_ENOUGH}( (information|info|evidence|context|detail|details|frames|to|in) ?.*)?"
)
"""Not "not enough light", which may be what is asked for."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A span that the evidence consists of."""

    span: Span
    relevance: float
    delivered: ClipShape | None = None
    """How it was shown to the model that asked for it; None: as the allocator decides."""


Outcome = Literal["agreed", "disagree", "not enough", "cut short"]


@dataclass(frozen=True, slots=True)
class Vote:
    """What the passes agreed on."""

    reply: str
    """In the model's words, or the option's; "" where there is none."""
    choice: int | None
    outcome: Outcome
    """ "agreed": enough passes gave this reply, and it is one; an option may have most of the mean.
    "cut short": the budget, or what else can be shown, ended before they could."""
    share: float
    """The passes' mean probability of it. An open reply of a model that does not say how sure it is
    of one counts whole."""
    looks: tuple[LookState, ...]
    why: str
    asked_for: str = ""
    """Where no reply was agreed on: what a pass wrote in place of one to ask for another look."""

    @property
    def agreed(self) -> bool:
        return self.outcome == "agreed"


def ask_evidence(
    ws: Workspace,
    step: StepWriter,
    shown: Sequence[Shown],
    *,
    question: str,
    prompt_name: str = "answer",
) -> Vote:
    """Put the question to the evidence until enough passes agree or all are spent."""
    ballots: list[_Ballot] = []
    looks: list[LookState] = []
    ended, offered = "", _offered(ws)
    enough = enough_passes(ws)
    for pass_index in range(ws.settings.answer.passes):
        ended = _short_of(step.budget(), n_looks=len(shown), first=not ballots)
        if ended:
            break
        taken, clips, ended = _look_again(ws, step, shown, pass_index=pass_index, before=looks)
        if ended:
            break
        looks += taken
        prompt = _prompt(ws, prompt_name, question=question, n_clips=len(clips), options=offered)
        ballots.append(_ask_once(ws, step, prompt, clips, taken, options=offered))
        if Counter(b.key for b in ballots).most_common(1)[0][1] == enough:
            break
    return _count(ws, ballots, looks, n_needed=enough, ended=ended)


def enough_passes(ws: Workspace) -> int:
    """How many passes have to agree."""
    return min(ws.settings.answer.agreeing, ws.settings.answer.passes)


def ask_at_once(ws: Workspace, step: StepWriter, shown: Sequence[Shown], *, question: str) -> Vote:
    """Put the question once to all spans together, with all tokens that are left."""
    budget = step.budget()
    if ended := _short_of(budget, n_looks=len(shown), first=True):
        return _count(ws, [], [], n_needed=1, ended=ended)
    looks, clips = [], []
    for clip in key_clips(ws, shown, budget_tokens=budget.tokens_left, high=False):
        taken, pixels = step.look(
            clip.span, clip.shape, why="it stands for a part", source="answer"
        )
        looks.append(taken)
        clips.append(pixels)
    if not clips:
        return _count(ws, [], [], n_needed=1, ended="budget: no tokens")
    options = ws.question.options
    prompt = _prompt(ws, "answer", question=question, n_clips=len(clips), options=options)
    ballot = _ask_once(ws, step, prompt, clips, looks, options=options)
    return _count(ws, [ballot], looks, n_needed=1, ended="")


def _short_of(budget: Budget, *, n_looks: int, first: bool) -> str:
    """What the budget lacks for one more call over so many looks; "" where it has it.

    Args:
        first: no call was made yet: without one there is no answer, so it is made late as well.
    """
    if budget.calls_left < 1:
        return "budget: no calls"
    if budget.seconds_left <= 0 and not first:
        return "budget: no seconds"
    return "budget: no looks" if budget.looks_left < n_looks else ""


def key_clips(
    ws: Workspace, shown: Sequence[Shown], *, budget_tokens: int, high: bool
) -> list[KeyClip]:
    """The evidence as clips within the budget: more relevant spans get more frames and size."""
    candidates = _candidates(ws, shown, high=high)
    limit = min(budget_tokens, ws.videollm.capabilities.max_visual_tokens)
    clips = allocate(candidates, budget_tokens=limit, price=ws.videollm.clip_tokens)
    if not ws.videollm.capabilities.several_clips:
        return sorted(clips, key=lambda c: -c.relevance)[:1]
    return clips


def _candidates(ws: Workspace, shown: Sequence[Shown], *, high: bool) -> list[Candidate]:
    """The spans with the ways to show each; what was asked for is shown at most as it was then."""
    ladder = shapes(ws, high=high, several=len(shown) > 1)
    return [
        Candidate(s.span, s.relevance, _up_to(ws, ladder, s.delivered) if s.delivered else ladder)
        for s in shown
    ]


def _up_to(ws: Workspace, ladder: Sequence[ClipShape], last: ClipShape) -> tuple[ClipShape, ...]:
    return (*(s for s in ladder if price_of(ws, s) < price_of(ws, last)), last)


def _accounted(
    ws: Workspace, shown: Sequence[Shown], plan: Sequence[KeyClip], limit: int, *, high: bool
) -> dict[str, int | None]:
    """For the trace: what the clips may cost, what they cost, and what the next step would."""
    candidates = _candidates(ws, shown, high=high)
    return {
        "limit_tokens": limit,
        "tokens": sum(clip.tokens for clip in plan),
        "next_step_tokens": smallest_open_step(plan, candidates, price=ws.videollm.clip_tokens),
    }


def shapes(ws: Workspace, *, high: bool, several: bool = False) -> tuple[ClipShape, ...]:
    """Ways to show a clip, each showing more than the one before it; one of several is shorter."""
    settings, grid = ws.settings.look, ws.grid
    low_px = ws.size_px(settings.short_side_px)
    high_px = ws.size_px(settings.high_short_side_px)
    most = settings.most_frames - (grid.frames_per_pair if several else 0)
    counts = sorted({grid.even(n) for n in (2, settings.fewest_frames, max(2, most))})
    found = [ClipShape(n, *low_px) for n in counts]
    if high and high_px != low_px and ws.videollm.capabilities.adaptive_size:
        found.append(ClipShape(counts[-1], *high_px))
    return tuple(found)


def shape_of_second_look(ws: Workspace, budget: Budget) -> ClipShape | None:
    """The best way to show one span again that a second look may cost; None where none fits."""
    most_tokens = budget.tokens_left * ws.settings.verify.most_of_rest
    within = [s for s in shapes(ws, high=True, several=True) if price_of(ws, s) <= most_tokens]
    return within[-1] if within else None


def normalised(reply: str) -> str:
    """A reply as a ballot: lower case, no punctuation, no article before a word."""
    words = re.findall(r"\w+", reply.casefold())
    while len(words) > 1 and words[0] in ("a", "an", "the", "it", "is"):
        words = words[1:]
    text = " ".join(words)
    if not text:
        return UNREADABLE
    return NOT_ENOUGH if _SAYS_NOT_ENOUGH.fullmatch(text) else text


@dataclass(frozen=True, slots=True)
class _Ballot:
    key: str
    reply: str
    probabilities: tuple[float, ...] = ()
    """Of the options."""
    probability: float = 1.0
    """Of an open reply."""
    asked_for: str = ""


def _look_again(
    ws: Workspace,
    step: StepWriter,
    shown: Sequence[Shown],
    *,
    pass_index: int,
    before: Sequence[LookState],
) -> tuple[list[LookState], list[Clip], str]:
    """The evidence's clips for one pass; without any, what there is none of.

    First the whole span, large; then its middle, denser; then the whole in other frames. No pass
    shows what one `before` it did.
    """
    budget = step.budget()
    share = budget.reserve_tokens // ws.settings.answer.passes or budget.tokens_left
    # A reserve smaller than one clip must not keep the answer from being asked at all.
    limit = min(budget.tokens_left, max(share, _plain_tokens(ws) * len(shown)))
    high = pass_index != 1
    plan = key_clips(ws, shown, budget_tokens=limit, high=high)
    step.data.setdefault("key_clips", []).append(_accounted(ws, shown, plan, limit, high=high))
    wanted = []
    for clip in plan:
        span, shape = clip.span, clip.shape
        if pass_index == 1:
            span = dense_part(ws, span, n_frames=shape.n_frames)
        elif pass_index > 1:
            # Other frames of the same span: their times are the middles of fewer parts.
            fewer = ws.grid.even(max(1, shape.n_frames - ws.grid.frames_per_pair))
            shape = ClipShape(fewer, shape.width_px, shape.height_px)
        other = in_other_frames(span, shape, shown=before, grid=ws.grid)
        if other is None:
            return [], [], "no other frames"
        wanted.append(other)
    why = f"evidence, pass {pass_index + 1}"
    done = [step.look(span, shape, why=why, source="answer") for span, shape in wanted]
    return (
        [taken for taken, _ in done],
        [pixels for _, pixels in done],
        "" if done else "budget: no tokens",
    )


def dense_part(ws: Workspace, span: Span, *, n_frames: int) -> Span:
    """The middle of a span, as long as `n_frames` are at the density that its motion asks for."""
    settings, timeline = ws.settings.look, ws.film.timeline
    fps = motion_fps(
        mean_motion(timeline.times_s, timeline.motion, span),
        still_fps=settings.still_fps,
        lively_fps=settings.lively_fps,
        lively_motion=settings.lively_motion,
    )
    half_s = min(span.duration_s, n_frames / fps) / 2
    return Span(span.middle_s - half_s, span.middle_s + half_s)


def _plain_tokens(ws: Workspace) -> int:
    """The price of a clip of ordinary size with as many frames as it may have."""
    return price_of(ws, shapes(ws, high=False)[-1])


def least_tokens(ws: Workspace) -> int:
    """The price of the cheapest way to show one of several clips."""
    return price_of(ws, shapes(ws, high=False, several=True)[0])


def price_of(ws: Workspace, shape: ClipShape) -> int:
    """What a clip of a shape costs in this model's tokens."""
    return ws.videollm.clip_tokens(
        n_frames=shape.n_frames, width_px=shape.width_px, height_px=shape.height_px
    )


def _ask_once(
    ws: Workspace,
    step: StepWriter,
    prompt: RenderedPrompt,
    clips: Sequence[Clip],
    looks: Sequence[LookState],
    *,
    options: Sequence[str],
) -> _Ballot:
    if not options:
        reply = step.reply(prompt, clips, looks=looks, max_tokens=ws.settings.answer.tokens)
        text = said_once(without_answer_tags(reply.text))
        # Who asks for another look in place of an answer has not seen enough.
        if asks_for_a_look(text):
            return _Ballot(NOT_ENOUGH, "", asked_for=text)
        sure = 1.0 if reply.probability is None else reply.probability
        return _Ballot(normalised(text), text, probability=sure)
    chances = step.choose(prompt, clips, options=options, looks=looks).probabilities
    best = max(range(len(options)), key=lambda i: (chances[i], -i))
    n_real = len(ws.question.options)
    return _Ballot(str(best) if best < n_real else NOT_ENOUGH, options[best], chances[:n_real])


def _offered(ws: Workspace) -> tuple[str, ...]:
    """The options, and where the model knows that too, that none can be told."""
    options = ws.question.options
    more = ws.settings.answer.option_not_enough and 0 < len(options) < MOST_OPTIONS
    return (*options, CANNOT_TELL) if more else options


def _prompt(
    ws: Workspace, name: str, *, question: str, n_clips: int, options: Sequence[str]
) -> RenderedPrompt:
    by_letter = ws.videollm.capabilities.options_by == "letter"
    listed = list(options) if by_letter else []
    return ws.render(name, n_clips=n_clips, question=question, options=listed)


def _count(
    ws: Workspace,
    ballots: Sequence[_Ballot],
    looks: Sequence[LookState],
    *,
    n_needed: int,
    ended: str,
) -> Vote:
    """`ended`: what ran out before the passes did; "" where nothing did."""
    if not ballots:
        why = f"{ended} left for the evidence"
        return Vote("", None, "cut short", 0.0, tuple(looks), why)
    if ws.question.options:
        return _chosen(ws, ballots, looks, n_needed=n_needed, ended=ended)
    key, n = Counter(b.key for b in ballots).most_common(1)[0]
    share = sum(b.probability for b in ballots if b.key == key) / len(ballots)
    winner = next(b for b in ballots if b.key == key)
    if key in (NOT_ENOUGH, UNREADABLE):
        outcome: Outcome = "not enough" if key == NOT_ENOUGH else "disagree"
        why = f"the evidence is {key}"
        return Vote("", None, outcome, share, tuple(looks), why, _asked_for(ballots))
    outcome, why = _agreed(n, len(ballots), n_needed=n_needed, ended=ended)
    asked_for = "" if outcome == "agreed" else _asked_for(ballots)
    return Vote(winner.reply, None, outcome, share, tuple(looks), why, asked_for)


def _asked_for(ballots: Sequence[_Ballot]) -> str:
    """The last request of a pass; "" where none was made."""
    return next((b.asked_for for b in reversed(ballots) if b.asked_for), "")


def _chosen(
    ws: Workspace,
    ballots: Sequence[_Ballot],
    looks: Sequence[LookState],
    *,
    n_needed: int,
    ended: str,
) -> Vote:
    """The option with the highest mean probability over the passes.

    Where most of them say that the evidence is not enough, it is the best guess.
    """
    options, n_not_enough = ws.question.options, sum(b.key == NOT_ENOUGH for b in ballots)
    means = [sum(p) / len(ballots) for p in zip(*(b.probabilities for b in ballots), strict=True)]
    choice = max(range(len(means)), key=lambda i: (means[i], -i))
    n = sum(b.key == str(choice) for b in ballots)
    outcome, why = _agreed(n, len(ballots), n_needed=n_needed, ended=ended)
    most = means[choice] > ws.settings.answer.mean_share
    if 2 * n_not_enough > len(ballots):
        outcome, why = "not enough", f"the evidence is {NOT_ENOUGH}"
    elif outcome != "agreed" and len(ballots) == ws.settings.answer.passes and most:
        outcome, why = "agreed", f"the passes give it {means[choice]:.0%} together"
    return Vote(options[choice], choice, outcome, means[choice], tuple(looks), why)


def _agreed(n: int, n_ballots: int, *, n_needed: int, ended: str) -> tuple[Outcome, str]:
    """Whether so many passes are enough, and the words for it."""
    if n >= n_needed:
        said = "by one pass" if n_ballots == 1 else f"{n} of {n_ballots} passes agree"
        return "agreed", f"{said} over the evidence"
    if ended:
        return "cut short", f"{ended} left for another pass over the evidence"
    return "disagree", "the passes disagree"

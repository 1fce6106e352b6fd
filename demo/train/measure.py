"""What the embedded VideoLLM can do, measured through the path that every checkpoint takes."""

from __future__ import annotations

import random
import statistics
import time
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from agent.videollm import Clip, VideoLLM
from demo.phrases import NUMBER_WORDS, PLURAL_ACTIONS
from demo.train.branches import (
    MOTION_FPS,
    ORDER_FPS,
    STILL_FPS,
    rewrite_branch,
)
from demo.train.cases import (
    ANSWERED,
    CONDITIONS,
    LATEST_S,
    Form,
    as_prompt,
    clips_of,
    makers,
)
from demo.train.contexts import LOOK_SIZES, Source, View, look, pool_source
from demo.train.pool import DENSITIES, Pool
from demo.train.said import said_rightly
from demo.train.topics import ANSWER_KINDS, NO_REQUEST, Branch, Topic
from demo.world import (
    ACTIONS,
    ALL_PAIRS,
    COLOURS,
    DIGITS,
    DIRECTIONS,
    KINDS,
    MAX_COUNT,
    PLACES,
    Pair,
    Scene,
)
from evals.compare import paired_difference
from evals.metrics import Share, share
from index.types import Span
from prompts.render import render
from tools.requests import RequestLimits, parse_requests

_VALUES = {
    "attribute": tuple(COLOURS),
    "place": PLACES,
    "count": NUMBER_WORDS[1 : MAX_COUNT + 1],
    "direction": tuple(DIRECTIONS.values()),
    "sign": DIGITS,
    "kind": KINDS,  # the question says whether it is one or several
}
_ASKED_FPS: dict[float, str] = {
    MOTION_FPS: "motion",
    ORDER_FPS: "order",
    STILL_FPS: "a still thing",
}
ORDER_TELLS = {*DIRECTIONS, "grows", "shrinks"}
"""Actions that a clip's frames show by their order alone; the others show in any frame or two."""
N_OPTIONS = 4
AS_TRAINED, BESIDE = "as trained", "beside two other clips"
FORMS = {
    AS_TRAINED: Form(),
    "H.264, crf 23": Form(crf=23),
    "H.264, crf 36": Form(crf=36),
    "96 px wide": Form(cells=(2, 3)),
    "160 px wide": Form(cells=(3, 5)),
    "320 px wide": Form(cells=(6, 10)),
    "448 px wide": Form(cells=(8, 14)),
    "448 px wide, drawn at that size": Form(cells=(8, 14), drawn=True),
    **{f"{fps:g} fps": Form(fps=fps) for fps in sorted(set(DENSITIES))},
}
WORDINGS = {
    "other words": ("in a few words", "in very few words"),
    "words left out": ("these frames only", "the frames"),
}
REPLY_CONDITIONS = (*CONDITIONS, "no frames")
ENOUGH_TIOU = 0.3
REQUEST_CONDITIONS = ("true", "blank", "other", "wrong times")
WRONG_S = 700.0
"""By how much the times of the last condition are off."""


@dataclass(slots=True)
class Tally:
    """What was right, by row and column of a table."""

    right: dict[tuple[str, str], list[bool]] = field(default_factory=lambda: defaultdict(list))
    """In the order in which it was asked: where two cells asked the same, they can be paired."""

    def add(self, task: str, condition: str, *, right: bool) -> None:
        self.right[task, condition].append(right)

    def tasks(self) -> list[str]:
        return list(dict.fromkeys(task for task, _ in self.right))

    def n(self, task: str, condition: str) -> int:
        """How often it was asked."""
        return len(self.right.get((task, condition), ()))

    def cell(self, task: str, condition: str) -> str:
        """ "0.91 [0.84, 0.95]", or a dash where nothing was asked."""
        rights = self.right.get((task, condition))
        return with_interval(share(sum(rights), len(rights))) if rights else "–"

    def over_all(self, condition: str) -> list[bool]:
        """Of all tasks, one after the other."""
        return [right for task in self.tasks() for right in self.right.get((task, condition), ())]


def with_interval(got: Share) -> str:
    """ "0.91 [0.84, 0.95]"."""
    return f"{got.value:.2f} [{got.low:.2f}, {got.high:.2f}]"


def points_ahead(first: Sequence[bool], second: Sequence[bool]) -> str:
    """How far the first are ahead of the second on the same questions: "+3 points [-2, +8]"."""

    def by_question(rights: Sequence[bool]) -> dict[str, list[float]]:
        return {str(index): [float(right)] for index, right in enumerate(rights)}

    got = paired_difference(by_question(first), by_question(second))
    value, low, high = (round(100 * v) for v in (got.value, got.low, got.high))
    return f"{value:+d} points [{low:+d}, {high:+d}]"


def measure_replies(
    videollm: VideoLLM, pool: Pool, *, n: int, seed: int, pairs: Collection[Pair] = ALL_PAIRS
) -> Tally:
    """Exact replies, about `n` questions a task, under every condition.

    Args:
        pairs: what may be asked about, here and in the other measures.
    """
    rng = random.Random(seed)
    tally = Tally()
    wanted = {"one clip": n * len(ANSWER_KINDS), "several clips": n * len(ANSWER_KINDS)}
    wanted |= {"order": 2 * n, "order of three": 2 * n, "caption": n, "named by colour": n}
    made = makers(rng, pool, pairs=pairs)
    for name, count in wanted.items():
        for context, branch in made[name].cases(count):
            task = f"{name}: {_sort(branch)}"
            for condition in REPLY_CONDITIONS:
                clips = (
                    clips_of(pool, context.views, condition=condition, rng=rng)
                    if condition in CONDITIONS
                    else []
                )
                reply = videollm.reply(as_prompt(branch, len(clips)), clips, max_tokens=48)
                right = reply.text.strip().lower() == branch.reply
                tally.add(task, condition, right=right)
    for _ in range(n):
        branch = rewrite_branch(rng)
        text = videollm.reply(as_prompt(branch, 0), [], max_tokens=32).text
        tally.add("rewrite", "true", right=text.strip().lower() == branch.reply)
    return tally


def _sort(branch: Branch) -> str:
    """What a table calls the question: its kind, of actions also whether order alone tells them."""
    kind = branch.task.partition(":")[2] or "exact"
    if kind != "action":
        return kind
    told = {*ORDER_TELLS, *(PLURAL_ACTIONS[action] for action in ORDER_TELLS)}
    return "action that order tells" if branch.reply in told else "action that a frame shows"


def chance(task: str) -> str:
    """What guessing among a question's possible replies gets right."""
    kind = task.partition(": ")[2]
    if kind in ("after", "before"):
        return f"{1 / (len(ALL_PAIRS) * MAX_COUNT):.2f}"
    n_values = len(ACTIONS) if kind.startswith("action") else len(_VALUES.get(kind, ()))
    return f"{1 / n_values:.2f}" if n_values else "–"


def measure_choices(
    videollm: VideoLLM, pool: Pool, *, n: int, seed: int, pairs: Collection[Pair] = ALL_PAIRS
) -> Tally:
    """The same questions open, as a choice scored by the options' text, and by their letters."""
    rng = random.Random(seed)
    tally = Tally()
    made = makers(rng, pool, pairs=pairs)["one clip"]
    for context, branch in made.cases(n * len(ANSWER_KINDS)):
        kind = branch.task.partition(":")[2]
        values = _VALUES.get(kind) or _actions(branch.reply)
        wrong = rng.sample([v for v in values if v != branch.reply], N_OPTIONS - 1)
        options = rng.sample([branch.reply, *wrong], N_OPTIONS)
        clips = clips_of(pool, context.views, rng=rng)
        open_reply = videollm.reply(as_prompt(branch, 1), clips, max_tokens=16)
        tally.add(kind, "open", right=open_reply.text.strip().lower() == branch.reply)
        chosen = videollm.choose(as_prompt(branch, 1), clips, options=options).probabilities
        by_text = options[max(range(N_OPTIONS), key=lambda i: chosen[i])]
        tally.add(kind, "by text", right=by_text == branch.reply)
        lettered = render("answer", n_clips=1, question=branch.question, options=options)
        letter = videollm.reply(lettered, clips, max_tokens=4).text.strip(" ()").lower()
        tally.add(kind, "by letter", right=letter == "abcd"[options.index(branch.reply)])
    return tally


def _actions(reply: str) -> tuple[str, ...]:
    return ACTIONS if reply in ACTIONS else tuple(PLURAL_ACTIONS.values())


def measure_forms(
    videollm: VideoLLM, pool: Pool, *, n: int, seed: int, pairs: Collection[Pair] = ALL_PAIRS
) -> Tally:
    """Replies over one clip in other forms and wordings, and beside other clips: the same questions
    in every row."""
    rng = random.Random(seed)
    # Of its own, so that the questions and the other rows stay what they are without this one.
    others = random.Random(seed + 1)
    tally = Tally()
    for context, branch in makers(rng, pool, pairs=pairs)["one clip"].cases(n):
        for name, form in FORMS.items():
            clips = clips_of(pool, context.views, rng=rng, form=form)
            tally.add(name, "right", right=_right(videollm, branch, clips))
        clips = clips_of(pool, context.views, rng=rng)
        for name, (old, new) in WORDINGS.items():
            worded = replace(branch, prompt=branch.prompt.replace(old, new))
            assert worded.prompt != branch.prompt
            tally.add(name, "right", right=_right(videollm, worded, clips))
        among = beside_others(others, pool_source(pool), context.views[0])
        several = clips_of(pool, among, rng=others)
        tally.add(BESIDE, "right", right=_right(videollm, branch, several))
    return tally


def beside_others(rng: random.Random, source: Source, view: View) -> list[View]:
    """The view and two of other scenes, in time order, each of another size and density than it.

    Nothing that can be asked about the view's scene is shown in the others: the question has one
    answer still. They stand a third of the film apart, so that its own times stay.
    """
    (scene,) = (take.clip.scene for take in view.takes)
    sizes = sorted({size for size in LOOK_SIZES if size != (view.rows, view.columns)})
    start_s = view.times_s[0]
    views = [view]
    while len(views) < 3:
        at_s = (start_s + len(views) * LATEST_S / 3) % LATEST_S
        other = look(rng, source, n_pairs=rng.randint(1, 3), start_s=at_s, sizes=sizes)
        shown = other.takes[0].clip.scene
        if _gap_s(other) != _gap_s(view) and not _confusable(scene, shown):
            views.append(other)
    return sorted(views, key=lambda each: each.times_s[0])


def _gap_s(view: View) -> float:
    """Seconds from frame to frame."""
    return round(view.times_s[1] - view.times_s[0], 3)


def _confusable(scene: Scene, other: Scene) -> bool:
    """Whether the other scene holds what some question about the first asks for."""
    topics = [
        Topic(kind, group.pair, place=scene.place)
        for group in scene.groups
        for kind in ("attribute", "place")
    ]
    return any(topic.shown_in(other) for topic in topics)


def _right(videollm: VideoLLM, branch: Branch, clips: Sequence[Clip]) -> bool:
    reply = videollm.reply(as_prompt(branch, len(clips)), clips, max_tokens=16)
    return reply.text.strip().lower() == branch.reply


def measure_requests(
    videollm: VideoLLM, pool: Pool, *, n: int, seed: int, pairs: Collection[Pair] = ALL_PAIRS
) -> Tally:
    """Requests over strips: does the span hold the evidence, is the density right? And over looks
    that show the answer: is nothing asked for?

    A span counts with tIoU ≥ 0.3, or when the whole evidence lies inside it. Densities are told of
    the requests that were made, by what they are for: motion, order, a still thing.
    """
    rng = random.Random(seed)
    tally = Tally()
    for name, maker in makers(rng, pool, pairs=pairs).items():
        if not name.startswith("strip") and name != ANSWERED:
            continue
        for context, branch in maker.cases(n):
            for condition in REQUEST_CONDITIONS:
                clips = clips_of(pool, context.views, condition=condition, rng=rng)
                if condition == "wrong times":
                    clips = [
                        replace(c, times_s=tuple(t + WRONG_S for t in c.times_s)) for c in clips
                    ]
                text = videollm.reply(as_prompt(branch, 1), clips, max_tokens=48).text
                _note_request(tally, name, condition, text=text, wanted=branch.reply)
    return tally


def _note_request(tally: Tally, name: str, condition: str, *, text: str, wanted: str) -> None:
    limits = RequestLimits(film=Span(0.0, 1e6))
    got = parse_requests(text, limits=limits).requests
    if wanted == NO_REQUEST:
        tally.add(f"{name}: none", condition, right=text.strip().lower() == NO_REQUEST)
        return
    true = parse_requests(wanted, limits=limits).requests[0]
    assert true.fps is not None  # every request that training writes has one
    held = bool(got) and (
        got[0].span.tiou(true.span) >= ENOUGH_TIOU
        or (got[0].span.start_s <= true.span.start_s and got[0].span.end_s >= true.span.end_s)
    )
    tally.add(f"{name}: span", condition, right=held)
    if got:
        task = f"any strip: density for {_ASKED_FPS[true.fps]}, where one was asked for"
        tally.add(task, condition, right=got[0].fps == true.fps)


def measure_captions(
    videollm: VideoLLM, pool: Pool, *, n: int, seed: int, pairs: Collection[Pair] = ALL_PAIRS
) -> Tally:
    """The attributes of what is shown, each said rightly of the right thing or not."""
    rng = random.Random(seed)
    tally = Tally()
    for context, branch in makers(rng, pool, pairs=pairs)["caption"].cases(n):
        clips = clips_of(pool, context.views, rng=rng)
        said = videollm.reply(as_prompt(branch, 1), clips, max_tokens=48).text
        (scene,) = context.scenes
        for name, right in said_rightly(said, scene):
            tally.add(name, "said", right=right)
    return tally


def look_seconds(videollm: VideoLLM, pool: Pool, *, n: int, seed: int) -> float:
    """Median seconds of an answer over 16 frames of 160 × 96."""
    rng = random.Random(seed)
    taken = []
    for context, branch in makers(rng, pool)["one clip"].cases(n):
        clip = clips_of(pool, context.views, rng=rng, form=Form(cells=(3, 5)))[0]
        # A pool's clips have eight frames; twice the same cost what sixteen do.
        longer = replace(
            clip,
            times_s=tuple(0.5 * k for k in range(2 * clip.n_frames)),
            pixels=clip.pixels.repeat(2, axis=0),
        )
        started = time.perf_counter()
        videollm.reply(as_prompt(branch, 1), [longer], max_tokens=16)
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)

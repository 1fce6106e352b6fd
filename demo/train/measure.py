"""What the embedded VideoLLM can do, measured through the path that every checkpoint takes.

Three conditions a question: the true frames, grey frames, and the frames of another clip under the
same question and times.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from agent.videollm import Clip, VideoLLM
from demo.train.branches import (
    ANSWER_KINDS,
    Branch,
    answer_branch,
    caption_branch,
    order_branch,
    reflect_branch,
    request_branch,
    rewrite_branch,
)
from demo.train.contexts import Context, View, across_cut, look, pool_source, random_context, strip
from demo.train.pool import Pool
from demo.train.video_config import CELL_PX
from evals.metrics import share
from prompts.render import RenderedPrompt

Frames = NDArray[np.uint8]
CONDITIONS = ("true", "blank", "other")
LATEST_S = 3000.0
_GREY = 128


@dataclass(slots=True)
class Tally:
    """Right and asked, per task and condition."""

    right: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    asked: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))

    def add(self, task: str, condition: str, *, right: bool) -> None:
        self.asked[task, condition] += 1
        self.right[task, condition] += right

    def tasks(self) -> list[str]:
        return list(dict.fromkeys(task for task, _ in self.asked))

    def cell(self, task: str, condition: str) -> str:
        """ "0.91 [0.84, 0.95]", or a dash where nothing was asked."""
        n = self.asked.get((task, condition), 0)
        if n == 0:
            return "–"
        got = share(self.right[task, condition], n)
        return f"{got.value:.2f} [{got.low:.2f}, {got.high:.2f}]"


def resized(frames: Frames, *, height_px: int, width_px: int) -> Frames:
    size = (width_px, height_px)
    scaled = (Image.fromarray(f).resize(size, Image.Resampling.BILINEAR) for f in frames)
    return np.stack([np.asarray(image) for image in scaled])


def clips_of(
    pool: Pool, views: Sequence[View], *, condition: str, rng: random.Random
) -> list[Clip]:
    """The views as a backend takes them."""
    clips = []
    for view in views:
        parts = [pool.frames[t.pool_index, list(t.frame_indices)] for t in view.takes]
        frames = np.concatenate(parts)
        if condition == "blank":
            frames = np.full_like(frames, _GREY)
        elif condition == "other":
            others = [pool.frames[rng.randrange(len(pool))] for _ in range(1 + len(frames) // 8)]
            frames = np.concatenate(others)[: len(frames)]
        size = {"height_px": view.rows * CELL_PX, "width_px": view.columns * CELL_PX}
        clips.append(Clip(view.times_s, resized(frames, **size)))
    return clips


def as_prompt(branch: Branch, n_clips: int) -> RenderedPrompt:
    return RenderedPrompt("report", "", (*range(n_clips), branch.prompt))


_Maker = tuple[str, Callable[[], Context], Callable[[Context], Branch | None]]


def _makers(rng: random.Random, pool: Pool) -> list[_Maker]:
    source = pool_source(pool)

    def start() -> float:
        return rng.uniform(0, LATEST_S)

    def one() -> Context:
        return Context((look(rng, source, n_pairs=4, start_s=start()),))

    def cut() -> Context:
        return Context((across_cut(rng, source, n_pairs=4, start_s=start()),))

    return [
        ("one clip", one, lambda c: answer_branch(rng, c.scenes)),
        (
            "several clips",
            lambda: random_context(rng, source, kind="several", level=1.0),
            lambda c: answer_branch(rng, c.scenes),
        ),
        ("order", cut, lambda c: order_branch(rng, c.scenes)),
        ("caption", one, lambda c: caption_branch(rng, c.scenes)),
        (
            "strip",
            lambda: Context((strip(rng, source, n_pairs=12),), strip=True),
            lambda c: request_branch(rng, c.views[0]),
        ),
    ]


def _cases(maker: _Maker, n: int) -> Iterator[tuple[Context, Branch]]:
    _, make, ask = maker
    done = 0
    while done < n:
        context = make()
        branch = ask(context)
        if branch is not None:
            done += 1
            yield context, branch


def measure_replies(videollm: VideoLLM, pool: Pool, *, n: int, seed: int) -> Tally:
    """Exact replies: about `n` questions a task."""
    rng = random.Random(seed)
    tally = Tally()
    for maker in _makers(rng, pool):
        wanted = n * (len(ANSWER_KINDS) if "clip" in maker[0] else 2)
        for context, branch in _cases(maker, wanted if maker[0] != "caption" else n):
            task = f"{maker[0]}: {branch.task.partition(':')[2] or 'exact'}"
            for condition in CONDITIONS:
                clips = clips_of(pool, context.views, condition=condition, rng=rng)
                reply = videollm.reply(as_prompt(branch, len(clips)), clips, max_tokens=48)
                right = reply.text.strip().lower() == branch.reply
                tally.add(task, condition, right=right)
    for _ in range(n):
        branch = rewrite_branch(rng)
        text = videollm.reply(as_prompt(branch, 0), [], max_tokens=32).text
        tally.add("rewrite", "true", right=text.strip().lower() == branch.reply)
    return tally


@dataclass(frozen=True, slots=True)
class Reflections:
    """P(yes) on clips that hold the evidence, and on near misses."""

    p_yes: tuple[float, ...]
    truth: tuple[bool, ...]

    def auc(self) -> float:
        return auc(
            [p for p, t in zip(self.p_yes, self.truth, strict=True) if t],
            [p for p, t in zip(self.p_yes, self.truth, strict=True) if not t],
        )


def auc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """Chance that a positive scores above a negative, ties counting half; NaN without either."""
    if not positive or not negative:
        return float("nan")
    a, b = np.array(positive)[:, None], np.array(negative)[None]
    return float((a > b).mean() + 0.5 * (a == b).mean())


def measure_reflections(
    videollm: VideoLLM, pool: Pool, *, n: int, seed: int, condition: str = "true"
) -> Reflections:
    rng = random.Random(seed)
    source = pool_source(pool)
    p_yes, truth = [], []
    for _ in range(n):
        view = look(rng, source, n_pairs=rng.randint(2, 4), start_s=rng.uniform(0, LATEST_S))
        context = Context((view,))
        branch = reflect_branch(rng, context.scenes)
        clips = clips_of(pool, context.views, condition=condition, rng=rng)
        p_yes.append(videollm.judge(as_prompt(branch, 1), clips).p_yes)
        truth.append(branch.reply == "yes")
    return Reflections(tuple(p_yes), tuple(truth))

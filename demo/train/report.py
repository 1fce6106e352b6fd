"""What the embedded models can do, measured through the public path: agent.models, prompts, processor.

Held-out pairs and unseen backgrounds; blank frames and frames of another clip as controls.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from agent.videollm import Clip, VideoLLM
from demo.phrases import caption
from demo.train.branches import (
    ANSWER_KINDS,
    Topic,
    answer_branch,
    order_branch,
    prompt,
    reflect_branch,
    request_branch,
    rewrite_branch,
)
from demo.train.branches import Branch as TrueBranch
from demo.train.captions import scene_traits
from demo.train.contexts import Context, View, across_cut, look, pool_source, random_context, strip
from demo.train.pool import Pool
from demo.train.video_config import CELL_PX
from demo.world import COLOURS, KINDS, PLACES
from evals.metrics import wilson_interval
from index.encoder import Encoder
from prompts.render import RenderedPrompt

Frames = NDArray[np.uint8]
CONTROLS = ("", "blank", "other")
"""As it is; all frames grey; the frames of another clip under the same question."""


@dataclass
class Tally:
    """Right and asked, per task and control."""

    right: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    asked: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))

    def add(self, task: str, control: str, right: bool) -> None:
        self.asked[task, control] += 1
        self.right[task, control] += right

    def cell(self, task: str, control: str) -> str:
        n, k = self.asked[task, control], self.right[task, control]
        if not n:
            return "–"
        low, high = wilson_interval(k, n)
        return f"{k / n:.2f} [{low:.2f}, {high:.2f}] ({n})"


def _resized(frames: Frames, *, height_px: int, width_px: int) -> Frames:
    size = (width_px, height_px)
    return np.stack(
        [np.asarray(Image.fromarray(f).resize(size, Image.Resampling.BILINEAR)) for f in frames]
    )


def clips_of(pool: Pool, views: Sequence[View], *, control: str, rng: random.Random) -> list[Clip]:
    """The views as a backend takes them."""
    clips = []
    for view in views:
        frames = np.concatenate(
            [pool.frames[t.pool_index, list(t.frame_indices)] for t in view.takes]
        )
        if control == "blank":
            frames = np.full_like(frames, 128)
        elif control == "other":
            other = rng.randrange(len(pool))
            frames = np.concatenate([pool.frames[other]] * 8)[: len(frames)]
        size = {"height_px": view.rows * CELL_PX, "width_px": view.columns * CELL_PX}
        clips.append(Clip(view.times_s, _resized(frames, **size)))
    return clips


def _rendered(branch: TrueBranch, n_clips: int) -> RenderedPrompt:
    return RenderedPrompt("report", "", (*range(n_clips), branch.prompt))


def _ask(
    videollm: VideoLLM,
    pool: Pool,
    tally: Tally,
    *,
    context: Context,
    branch: TrueBranch,
    rng: random.Random,
    task: str,
) -> None:
    for control in CONTROLS:
        clips = clips_of(pool, context.views, control=control, rng=rng)
        reply = videollm.reply(_rendered(branch, len(clips)), clips, max_tokens=48)
        tally.add(task, control, reply.text.strip().lower() == branch.reply)


def answers(videollm: VideoLLM, pool: Pool, *, n: int, seed: int) -> Tally:
    """Answers per kind over one clip, over several, across a cut; rewriting; requests."""
    rng = random.Random(seed)
    source, tally = pool_source(pool), Tally()
    makers: list[tuple[str, Callable[[], Context], Callable[[Context], TrueBranch | None]]] = [
        (
            "one clip",
            lambda: Context((look(rng, source, n_pairs=4, start_s=rng.uniform(0, 3000)),)),
            lambda c: answer_branch(rng, c.scenes),
        ),
        (
            "several clips",
            lambda: random_context(rng, source, kind="several", level=1.0),
            lambda c: answer_branch(rng, c.scenes),
        ),
        (
            "order",
            lambda: Context((across_cut(rng, source, n_pairs=4, start_s=rng.uniform(0, 3000)),)),
            lambda c: order_branch(rng, c.scenes),
        ),
        (
            "request",
            lambda: Context((strip(rng, source, n_pairs=12),), strip=True),
            lambda c: request_branch(rng, c.views[0]),
        ),
    ]
    for name, make, ask in makers:
        wanted = n * (len(ANSWER_KINDS) if "clip" in name else 2)
        done = 0
        while done < wanted:
            context = make()
            branch = ask(context)
            if branch is None:
                continue
            done += 1
            task = f"{name}: {branch.task.partition(':')[2]}"
            _ask(videollm, pool, tally, context=context, branch=branch, rng=rng, task=task)
    for _ in range(n):
        branch = rewrite_branch(rng)
        text = videollm.reply(_rendered(branch, 0), [], max_tokens=32).text
        tally.add("rewrite", "", text.strip().lower() == branch.reply)
    return tally


@dataclass(frozen=True, slots=True)
class Reflection:
    """P(yes) on clips that hold the evidence and on near misses."""

    p_yes: tuple[float, ...]
    truth: tuple[bool, ...]

    def auc(self) -> float:
        return auc(
            [p for p, t in zip(self.p_yes, self.truth, strict=True) if t],
            [p for p, t in zip(self.p_yes, self.truth, strict=True) if not t],
        )


def auc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """Chance that a positive scores above a negative, ties counting half."""
    a, b = np.array(positive)[:, None], np.array(negative)[None]
    return float((a > b).mean() + 0.5 * (a == b).mean())


def reflections(
    videollm: VideoLLM, pool: Pool, *, n: int, seed: int, control: str = ""
) -> Reflection:
    rng = random.Random(seed)
    source = pool_source(pool)
    p_yes, truth = [], []
    for _ in range(n):
        context = Context(
            (look(rng, source, n_pairs=rng.randint(2, 4), start_s=rng.uniform(0, 3000)),)
        )
        branch = reflect_branch(rng, context.scenes)
        clips = clips_of(pool, context.views, control=control, rng=rng)
        p_yes.append(videollm.judge(_rendered(branch, 1), clips).p_yes)
        truth.append(branch.reply == "yes")
    return Reflection(tuple(p_yes), tuple(truth))


# -- the encoder -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Retrieval:
    recall_at_1: float
    recall_at_5: float
    single_map: float
    """Mean average precision of queries with one or two attributes over the pool's clips."""
    absent_auc: float
    """How well the best score of a query tells whether anything matches."""
    n: int


def retrieval(encoder: Encoder, pool: Pool, *, n: int = 200) -> Retrieval:
    """Text to clip over `n` distinct captions."""
    chosen: dict[str, int] = {}
    for index, clip in enumerate(pool.clips):
        if any(g.action == "blinks" for g in clip.scene.groups):
            continue  # a blinking thing may be away in the one frame
        chosen.setdefault(_still_caption(index, pool), index)
    texts = list(chosen)[:n]
    picks = [chosen[t] for t in texts]
    images = encoder.encode_frames(np.ascontiguousarray(pool.frames[picks, 0]))
    scores = encoder.encode_texts(texts) @ images.T
    order = np.argsort(-scores, axis=1)
    rank = np.array([int(np.nonzero(order[i] == i)[0][0]) for i in range(len(texts))])
    queries, needs = _short_queries()
    traits = np.stack([scene_traits(pool.clips[i].scene) for i in picks])
    short = encoder.encode_texts(queries) @ images.T
    matches = traits @ needs.T >= needs.sum(1)[None] - 0.1
    precisions, best_with, best_without = [], [], []
    for q in range(len(queries)):
        truth = matches[:, q]
        if not truth.any():
            best_without.append(float(short[q].max()))
            continue
        best_with.append(float(short[q].max()))
        ranked = truth[np.argsort(-short[q])]
        hits = np.cumsum(ranked)
        precisions.append(float((hits / np.arange(1, len(ranked) + 1))[ranked].mean()))
    return Retrieval(
        recall_at_1=float((rank == 0).mean()),
        recall_at_5=float((rank < 5).mean()),
        single_map=float(np.mean(precisions)),
        absent_auc=auc(best_with, best_without) if best_without else float("nan"),
        n=len(texts),
    )


def _still_caption(index: int, pool: Pool) -> str:
    return caption(pool.clips[index].scene, action=False).replace(". the sign says", " with a sign")


def _short_queries() -> tuple[list[str], NDArray[np.float32]]:
    """ "a red boat" for every pair, and a scene of every place."""
    from demo.phrases import PLACE_PHRASES, article
    from demo.train.captions import place_trait, pair_trait

    texts, needs = [], []
    for colour in COLOURS:
        for kind in KINDS:
            texts.append(article(f"{colour} {kind}"))
            needs.append(pair_trait(colour, kind))
    for place in PLACES:
        texts.append(f"a scene {PLACE_PHRASES[place]}")
        needs.append(place_trait(place))
    return texts, np.stack(needs)


def write(path: Path, lines: Sequence[str]) -> None:
    path.write_text("\n".join(lines) + "\n")


__all__ = [
    "Reflection",
    "Retrieval",
    "Tally",
    "Topic",
    "answers",
    "prompt",
    "reflections",
    "retrieval",
]

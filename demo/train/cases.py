"""Measured cases: contexts with a question, and what is done to their frames.

Conditions are controls: grey frames, the frames of another clip, the same frames in another order.
Forms are what a robust model should not mind: a coder's losses, other sizes.
"""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from agent.videollm import Clip
from demo.train.branches import (
    answer_branch,
    answered_request_branch,
    caption_branch,
    kind_branch,
    order_branch,
    request_branch,
)
from demo.train.contexts import Context, View, across_cut, look, pool_source, random_context, strip
from demo.train.pool import Pool
from demo.train.topics import Branch
from demo.train.video_config import CELL_PX
from prompts.render import RenderedPrompt

Frames = NDArray[np.uint8]
CONDITIONS = ("true", "blank", "other", "shuffled")
LATEST_S = 3000.0
ANSWERED = "a look that shows the answer"
_GREY = 128


@dataclass(frozen=True, slots=True)
class Form:
    """How frames reach the model."""

    crf: int | None = None
    """Through H.264 at this constant rate factor; None: as they are."""
    cells: tuple[int, int] | None = None
    """Rows and columns in cells of 32 px; None: as the view says."""


def resized(frames: Frames, *, height_px: int, width_px: int) -> Frames:
    size = (width_px, height_px)
    scaled = (Image.fromarray(f).resize(size, Image.Resampling.BILINEAR) for f in frames)
    return np.stack([np.asarray(image) for image in scaled])


def coded(frames: Frames, *, crf: int) -> Frames:
    """(N, H, W, 3) uint8 through H.264 and back."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as out:
        stream = out.add_stream("libx264", rate=8, options={"crf": str(crf), "preset": "fast"})
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        stream.time_base = Fraction(1, 8)
        for pixels in frames:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        out.mux(stream.encode(None))
    file.seek(0)
    with av.open(file) as back:
        return np.stack([f.to_ndarray(format="rgb24") for f in back.decode(video=0)])


def clips_of(
    pool: Pool,
    views: Sequence[View],
    *,
    rng: random.Random,
    condition: str = "true",
    form: Form = Form(),
) -> list[Clip]:
    """The views as a backend takes them."""
    clips = []
    for view in views:
        parts = [pool.frames[t.pool_index, list(t.frame_indices)] for t in view.takes]
        frames = _under(condition, np.concatenate(parts), pool, rng)
        if form.crf is not None:
            frames = coded(frames, crf=form.crf)
        rows, columns = form.cells or (view.rows, view.columns)
        size = {"height_px": rows * CELL_PX, "width_px": columns * CELL_PX}
        clips.append(Clip(view.times_s, resized(frames, **size)))
    return clips


def _under(condition: str, frames: Frames, pool: Pool, rng: random.Random) -> Frames:
    if condition == "blank":
        return np.full_like(frames, _GREY)
    if condition == "other":
        others = [pool.frames[rng.randrange(len(pool))] for _ in range(1 + len(frames) // 8)]
        return np.concatenate(others)[: len(frames)]
    if condition == "shuffled":
        return frames[rng.sample(range(len(frames)), len(frames))]
    return frames


def as_prompt(branch: Branch, n_clips: int) -> RenderedPrompt:
    lead = (branch.lead,) if branch.lead else ()
    return RenderedPrompt("report", "", (*lead, *range(n_clips), branch.prompt))


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes contexts of one sort, and asks about them."""

    name: str
    context: Callable[[], Context]
    ask: Callable[[Context], Branch | None]

    def cases(self, n: int) -> Iterator[tuple[Context, Branch]]:
        done = 0
        while done < n:
            context = self.context()
            branch = self.ask(context)
            if branch is not None:
                done += 1
                yield context, branch


def makers(rng: random.Random, pool: Pool) -> dict[str, Maker]:
    """By name: one clip, several clips, order in two shots and over three clips, caption, named by
    colour, strips of 16, 32 and 64 frames, and a look that shows the answer."""
    source = pool_source(pool)

    def start() -> float:
        return rng.uniform(0, LATEST_S)

    def one() -> Context:
        return Context((look(rng, source, n_pairs=4, start_s=start()),))

    def several() -> Context:
        return random_context(rng, source, kind="several", first=False)

    def cut() -> Context:
        return Context((across_cut(rng, source, n_pairs=4, start_s=start()),))

    def three() -> Context:
        views, at_s = [], start()
        for _ in range(3):
            views.append(look(rng, source, n_pairs=2, start_s=at_s))
            at_s = views[-1].times_s[-1] + 1.0
        return Context(tuple(views))

    def strips(n_pairs: int) -> Maker:
        def make() -> Context:
            return Context((strip(rng, source, n_pairs=n_pairs),), strip=True)

        return Maker(f"strip of {2 * n_pairs}", make, lambda c: request_branch(rng, c.views[0]))

    made = [
        Maker("one clip", one, lambda c: answer_branch(rng, c.scenes)),
        Maker("several clips", several, lambda c: answer_branch(rng, c.scenes)),
        Maker("order", cut, lambda c: order_branch(rng, c.scenes)),
        Maker("order of three", three, lambda c: order_branch(rng, c.scenes)),
        Maker("caption", one, lambda c: caption_branch(rng, c.scenes)),
        Maker("named by colour", one, lambda c: kind_branch(rng, c.scenes)),
        *(strips(n_pairs) for n_pairs in (8, 16, 32)),
        Maker(ANSWERED, one, lambda c: answered_request_branch(rng, c.scenes)),
    ]
    return {maker.name: maker for maker in made}

"""Measured cases: contexts with a question, and what is done to their frames.

Conditions are controls: grey frames, the frames of another clip, the same frames in a random order
(and several clips in another one).
Forms are what a robust model should not mind: a coder's losses, other sizes.
"""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from agent.videollm import Clip
from demo.draw import SceneFilm
from demo.train.branches import (
    answer_branch,
    answered_request_branch,
    caption_branch,
    kind_branch,
    order_branch,
    request_branch,
)
from demo.train.contexts import Context, View, across_cut, look, pool_source, random_context, strip
from demo.train.pool import HEIGHT_PX, WIDTH_PX, Pool
from demo.train.topics import Branch
from demo.train.video_config import CELL_PX
from demo.world import ALL_PAIRS, Pair
from prompts.render import RenderedPrompt

Frames = NDArray[np.uint8]
CONDITIONS = ("true", "blank", "other", "shuffled")
LATEST_S = 3000.0
ANSWERED = "a look that shows the answer"
_GREY = 128
_POOL_SIZE = {"height_px": HEIGHT_PX, "width_px": WIDTH_PX}


@dataclass(frozen=True, slots=True)
class Form:
    """How frames reach the model."""

    crf: int | None = None
    """Through H.264 at this constant rate factor; None: as they are."""
    cells: tuple[int, int] | None = None
    """Rows and columns in cells of 32 px; None: as the view says."""
    fps: float | None = None
    """Drawn anew at this density; None: as the clip has them."""
    drawn: bool = False
    """Drawn anew at the size of `cells`, not made larger or smaller."""


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
    for view in in_another_order(views, rng) if condition == "shuffled" else views:
        rows, columns = form.cells or (view.rows, view.columns)
        size = {"height_px": rows * CELL_PX, "width_px": columns * CELL_PX}
        if form.fps or form.drawn:
            shown = drawn_anew(view, rng, fps=form.fps, **(size if form.drawn else _POOL_SIZE))
        else:
            parts = [pool.frames[t.pool_index, list(t.frame_indices)] for t in view.takes]
            shown = Clip(view.times_s, np.concatenate(parts))
        frames = _under(condition, shown.pixels, pool, rng)
        if form.crf is not None:
            frames = coded(frames, crf=form.crf)
        clips.append(Clip(shown.times_s, resized(frames, **size)))
    return clips


def drawn_anew(
    view: View, rng: random.Random, *, fps: float | None, height_px: int, width_px: int
) -> Clip:
    """As many frames of a view's one scene, from the same moment on, without a coder's losses."""
    (take,) = view.takes
    film = SceneFilm(take.clip.scene, width_px=width_px, height_px=height_px)
    first_s, gap_s = take.clip.time_s(take.frame_indices[0]), view.times_s[1] - view.times_s[0]
    after_s = [k / fps if fps else k * gap_s for k in range(len(view.times_s))]
    frames = [film.frame(first_s + s, noise_number=rng.randrange(1000)) for s in after_s]
    return Clip(tuple(view.times_s[0] + s for s in after_s), np.stack(frames))


def in_another_order(views: Sequence[View], rng: random.Random) -> list[View]:
    """Several clips in an order that is not theirs, a second apart; one clip as it is."""
    if len(views) < 2:
        return list(views)
    order = list(range(len(views)))
    while order == sorted(order):
        rng.shuffle(order)
    out, at_s = [], views[0].times_s[0]
    for view in (views[index] for index in order):
        times_s = tuple(at_s + time_s - view.times_s[0] for time_s in view.times_s)
        out.append(replace(view, times_s=times_s))
        at_s = times_s[-1] + 1.0
    return out


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

    pairs: Collection[Pair]
    """What may have to be found; questions about other things are left out."""

    def cases(self, n: int) -> Iterator[tuple[Context, Branch]]:
        """`n` contexts and what is asked of each, in the prompt files' own words."""
        done = 0
        while done < n:
            context = self.context()
            branch = self.ask(context)
            if branch is not None and (branch.about is None or branch.about in self.pairs):
                done += 1
                yield context, branch.exact()


def makers(
    rng: random.Random, pool: Pool, *, pairs: Collection[Pair] = ALL_PAIRS
) -> dict[str, Maker]:
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

        name = f"strip of {2 * n_pairs}"
        return Maker(name, make, lambda c: request_branch(rng, c.views[0]), pairs)

    made = [
        Maker("one clip", one, lambda c: answer_branch(rng, c.scenes), pairs),
        Maker("several clips", several, lambda c: answer_branch(rng, c.scenes), pairs),
        Maker("order", cut, lambda c: order_branch(rng, c.scenes), pairs),
        Maker("order of three", three, lambda c: order_branch(rng, c.scenes), pairs),
        Maker("caption", one, lambda c: caption_branch(rng, c.scenes), pairs),
        Maker("named by colour", one, lambda c: kind_branch(rng, c.scenes), pairs),
        *(strips(n_pairs) for n_pairs in (8, 16, 32)),
        Maker(ANSWERED, one, lambda c: answered_request_branch(rng, c.scenes), pairs),
    ]
    return {maker.name: maker for maker in made}

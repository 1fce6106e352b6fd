"""A film as a baseline sees it: frames out of the film itself, put to the model with our prompts.

The prompts, the sizes and the decoding are those of the agent, so that strategies differ in what
they show and in nothing else.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from agent.confidence import StoredFit, fit_for, sigmoid
from agent.models import Models
from agent.said import said_once
from agent.settings import AskSettings
from agent.types import Question
from agent.videollm import Clip, Usage
from evals.film_vectors import FilmVectors
from evals.selection.sheet import Purse, Shown
from index.library import Library
from index.runs import RunStore
from index.types import Span, Video
from prompts.render import RenderedPrompt, render
from tools.keyclips import ClipShape
from tools.look import FrameCache, FrameGrid, even_times

CACHE_BYTES = 768 * 2**20
"""Decoded frames kept of a film: baselines show the same seconds again and again."""


@dataclass(frozen=True, slots=True)
class Said:
    """What the model said to the answer prompt."""

    text: str
    """The reply, or the chosen option."""
    choice: int | None
    confidence: float | None
    """Probability of the chosen option; None for an open question."""


@dataclass(slots=True)
class FilmView:
    """One film, the models and the settings; counts what is shown."""

    library: Library
    video: Video
    frames: FrameCache
    models: Models
    settings: AskSettings
    vectors: FilmVectors
    usage: Usage = field(default_factory=Usage)
    looked: list[Span] = field(default_factory=list)
    n_frames: int = 0
    shown_s: set[float] = field(default_factory=set)
    """Times of the frames."""
    began_s: float = field(default_factory=time.monotonic)

    def begin(self, settings: AskSettings) -> None:
        """Starts counting anew, for the next question, under these settings."""
        self.settings = settings
        self.usage, self.looked, self.n_frames, self.shown_s = Usage(), [], 0, set()
        self.began_s = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began_s

    @property
    def grid(self) -> FrameGrid:
        can = self.models.videollm.capabilities
        return FrameGrid(patch_px=can.patch_px, frames_per_pair=can.frames_per_pair)

    @property
    def source_px(self) -> tuple[int, int]:
        facts = self.video.facts
        return facts.width_px, facts.height_px

    def close_shape(self) -> ClipShape:
        """How the agent shows its evidence at its best."""
        look = self.settings.look
        adaptive = self.models.videollm.capabilities.adaptive_size
        side_px = look.high_short_side_px if adaptive else look.short_side_px
        size_px = self.grid.size_px(source=self.source_px, short_side_px=side_px)
        return ClipShape(look.most_frames, *size_px)

    def clip_of(self, span: Span, shape: ClipShape) -> Clip:
        """A span's frames at even times."""
        return self._clip([Shown(span, shape)])

    def clips_of(self, shown: Sequence[Shown]) -> list[Clip]:
        """What a selection chose, in its order: neighbours of one size make one clip."""

        def size(each: Shown) -> tuple[int, int]:
            return each.shape.width_px, each.shape.height_px

        return [self._clip(list(run)) for _, run in itertools.groupby(shown, key=size)]

    def purse(self, visual_tokens: int) -> Purse:
        """So many visual tokens in one prompt of the model.

        A clip's price is the larger of its visual tokens and its share of the prompt's room,
        which its time tags fill too: who stays within the purse stays within both.
        """
        model = self.models.videollm
        can, look = model.capabilities, self.settings.look

        def price(*, n_frames: int, width_px: int, height_px: int) -> int:
            whole = model.clip_tokens(n_frames=n_frames, width_px=width_px, height_px=height_px)
            if not can.adaptive_size:
                return whole
            cells = (width_px // can.patch_px) * (height_px // can.patch_px)
            visual = cells * -(-n_frames // can.frames_per_pair)
            return max(visual, math.ceil(whole * visual_tokens / can.max_visual_tokens))

        room = visual_tokens if can.adaptive_size else min(visual_tokens, can.max_visual_tokens)
        return Purse(
            visual_tokens=room,
            price=price,
            grid=self.grid,
            source_px=self.source_px,
            short_side_px=look.short_side_px,
            high_short_side_px=look.high_short_side_px,
            many_sizes=can.adaptive_size and can.several_clips,
        )

    def ask(
        self, question: Question, clips: Sequence[Clip], *, prompt_name: str = "answer"
    ) -> Said:
        """The answer prompt (or another one) over the clips, once."""
        model, n = self.models.videollm, len(clips)
        by_letter = model.capabilities.options_by == "letter"
        listed = list(question.options) if by_letter else []
        prompt = render(prompt_name, n_clips=n, question=question.text, options=listed)
        if not question.options:
            reply = model.reply(prompt, clips, max_tokens=self.settings.answer.tokens)
            self.usage += reply.usage
            return Said(said_once(reply.text), None, None)
        found = model.choose(prompt, clips, options=question.options)
        self.usage += found.usage
        best = max(range(len(question.options)), key=lambda i: (found.probabilities[i], -i))
        return Said(question.options[best], best, found.probabilities[best])

    def judge(self, question: str, clip: Clip) -> float:
        """What the reflection prompt over one clip comes to, by the fit of the agent's looks."""
        prompt = render("reflect", n_clips=1, question=question)
        found = self.models.videollm.judge(prompt, [clip])
        self.usage += found.usage
        return sigmoid(self._look_fit(prompt).of(question).log_odds(found.p_yes))

    def _look_fit(self, prompt: RenderedPrompt) -> StoredFit:
        with contextlib.closing(RunStore.open(self.library.folder)) as runs:
            return fit_for(
                runs,
                model_hash=self.models.videollm.weights_hash,
                prompt_hash=prompt.file_hash,
                stage="look",
                default=self.settings.reflect.fit,
            )

    def _clip(self, shown: Sequence[Shown]) -> Clip:
        """Frames of one size, in time order."""
        self.looked += [each.span for each in shown]
        times_s = [t for each in shown for t in even_times(each.span, each.shape.n_frames)]
        width_px, height_px = shown[0].shape.width_px, shown[0].shape.height_px
        frames = self.frames.frames_at(sorted(times_s), width_px=width_px, height_px=height_px)
        self.n_frames += len(frames)
        self.shown_s |= {frame.time_s for frame in frames}
        return Clip(
            times_s=tuple(frame.time_s for frame in frames),
            pixels=np.stack([frame.pixels for frame in frames]),
        )

"""A film as a baseline sees it: frames out of the film itself, put to the model with our prompts.

The prompts, the sizes and the decoding are those of the agent, so that strategies differ in what
they show and in nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from agent.models import Models
from agent.settings import AskSettings
from agent.types import Question
from agent.videollm import Clip, Usage
from index.library import Library, Timeline
from index.types import Span, Video
from prompts.render import render
from tools.keyclips import ClipShape
from tools.look import FrameCache, FrameGrid, even_times

PAIR_GAP_S = 0.5
"""Time between the frames of one pair, where single moments are shown: enough to see a motion."""


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
    usage: Usage = field(default_factory=Usage)
    looked: list[Span] = field(default_factory=list)
    n_frames: int = 0
    began_s: float = field(default_factory=time.monotonic)
    _timeline: Timeline | None = None

    def begin(self) -> None:
        """Starts counting anew, for the next question."""
        self.usage, self.looked, self.n_frames = Usage(), [], 0
        self.began_s = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began_s

    @property
    def timeline(self) -> Timeline:
        if self._timeline is None:
            self._timeline = self.library.timeline(self.video.video_id)
        return self._timeline

    def size_px(self, short_side_px: int) -> tuple[int, int]:
        can, facts = self.models.videollm.capabilities, self.video.facts
        grid = FrameGrid(patch_px=can.patch_px, frames_per_pair=can.frames_per_pair)
        return grid.size_px(source=(facts.width_px, facts.height_px), short_side_px=short_side_px)

    def close_shape(self) -> ClipShape:
        """How the agent shows its evidence at its best."""
        look = self.settings.look
        adaptive = self.models.videollm.capabilities.adaptive_size
        side_px = look.high_short_side_px if adaptive else look.short_side_px
        return ClipShape(look.most_frames, *self.size_px(side_px))

    def clip_of(self, span: Span, shape: ClipShape) -> Clip:
        """A span's frames at even times."""
        self.looked.append(span)
        return self._clip(even_times(span, shape.n_frames), shape.width_px, shape.height_px)

    def moments(self, times_s: Sequence[float], *, short_side_px: int) -> Clip:
        """Single moments in one clip: each a pair of neighbouring frames where frames are paired.

        A pair is fused into one grid of tokens; two moments of an hour must not be.
        """
        n = self.models.videollm.capabilities.frames_per_pair
        end_s = self.video.facts.duration_s
        shown: list[float] = []
        for time_s in sorted(times_s):
            last_s = min(time_s + PAIR_GAP_S * (n - 1), end_s - 1e-3)
            first_s = max(0.0, min(time_s, last_s - PAIR_GAP_S * (n - 1)))
            shown += [first_s + PAIR_GAP_S * i for i in range(n)]
            self.looked.append(Span(first_s, max(last_s, first_s + 1e-3)))
        return self._clip(sorted(shown), *self.size_px(short_side_px))

    def n_moments_for(self, visual_tokens: int, *, short_side_px: int) -> int:
        """How many moments cost at most so many visual tokens in one prompt; 1 at least."""
        model = self.models.videollm
        can = model.capabilities
        width_px, height_px = self.size_px(short_side_px)
        n = can.frames_per_pair
        room = model.clip_tokens(n_frames=n, width_px=width_px, height_px=height_px)
        # Time tags are no visual tokens; where the size does not count, the model's own price does.
        grid = (width_px // can.patch_px) * (height_px // can.patch_px)
        each = grid if can.adaptive_size else room
        return max(1, min(visual_tokens // each, can.max_visual_tokens // room))

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
            return Said(" ".join(reply.text.split()), None, None)
        found = model.choose(prompt, clips, options=question.options)
        self.usage += found.usage
        best = max(range(len(question.options)), key=lambda i: (found.probabilities[i], -i))
        return Said(question.options[best], best, found.probabilities[best])

    def judge(self, question: str, clip: Clip) -> float:
        """P(yes) of the reflection prompt over one clip, raw."""
        prompt = render("reflect", n_clips=1, question=question)
        found = self.models.videollm.judge(prompt, [clip])
        self.usage += found.usage
        return found.p_yes

    def _clip(self, times_s: Sequence[float], width_px: int, height_px: int) -> Clip:
        frames = self.frames.frames_at(times_s, width_px=width_px, height_px=height_px)
        self.n_frames += len(frames)
        return Clip(
            times_s=tuple(frame.time_s for frame in frames),
            pixels=np.stack([frame.pixels for frame in frames]),
        )

"""What the agent asks of a video language model, and the values that travel both ways.

The Protocol lives here, beside its callers; the models behind it are in `agent/backends/`. Frames
reach a backend already decoded and already at their final size (sides are multiples of
`Capabilities.patch_px`), each with its own true time: a backend never samples and never resizes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np

from index.types import Pixels
from prompts.render import RenderedPrompt

MOST_TOGETHER = 8
"""Calls in one batch: more need more memory and gain little."""


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """A span's frames at one density and one size."""

    times_s: tuple[float, ...]
    """Each frame's own time on the player's timeline, ascending."""
    pixels: Pixels
    """(N, H, W, 3) uint8 RGB, N = len(times_s). A backend does not write into it."""
    label: str = ""
    """Text shown right before the clip, such as "Clip 2: "; may be empty."""

    def __post_init__(self) -> None:
        if self.pixels.ndim != 4 or self.pixels.shape[3] != 3 or self.pixels.dtype != np.uint8:
            raise ValueError(
                f"a clip's pixels are (N, H, W, 3) uint8, not {self.pixels.shape} "
                f"{self.pixels.dtype}"
            )
        if len(self.times_s) != len(self.pixels) or not self.times_s:
            raise ValueError(f"{len(self.times_s)} times for {len(self.pixels)} frames")
        if not all(math.isfinite(time_s) and time_s >= 0 for time_s in self.times_s):
            raise ValueError(f"a clip's times are finite and not negative: {self.times_s}")
        if list(self.times_s) != sorted(self.times_s):
            raise ValueError(f"a clip's times ascend: {self.times_s}")

    @property
    def n_frames(self) -> int:
        return len(self.times_s)

    @property
    def width_px(self) -> int:
        return int(self.pixels.shape[2])

    @property
    def height_px(self) -> int:
        return int(self.pixels.shape[1])


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a backend can do; the allocator of key clips plans with it."""

    adaptive_size: bool
    """Do smaller frames cost fewer tokens?"""
    several_clips: bool
    """May one prompt hold more than one clip?"""
    absolute_times: bool
    """Does every pair of frames carry its own time of the film?"""
    patch_px: int
    """The sides of every frame are multiples of this: 32 for Qwen3-VL, 28 for Qwen2.5-VL."""
    frames_per_pair: int
    """Frames that are fused into one grid of tokens: 2 for the Qwen models, 1 for images."""
    options_by: Literal["letter", "text"]
    """How `choose` scores: by the letter of an option, or by the likelihood of its text. With
    "text" the prompt must not list the options."""
    max_visual_tokens: int
    """The most visual tokens that one prompt may hold."""
    reads_text: bool = True
    """Can it answer from lines of text? Models as small as the embedded ones cannot."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What calls cost. Adds up with `+`."""

    input_tokens: int = 0
    """All tokens of the prompts, the visual ones among them."""
    visual_tokens: int = 0
    output_tokens: int = 0
    """Tokens generated; 0 for scoring by a model that runs here."""
    calls: int = 0
    seconds: float = 0.0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            visual_tokens=self.visual_tokens + other.visual_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            calls=self.calls + other.calls,
            seconds=self.seconds + other.seconds,
        )


@dataclass(frozen=True, slots=True)
class Reply:
    """Text that the model wrote."""

    text: str
    usage: Usage
    prompt_text: str
    """The prompt as the model read it, each run of visual tokens shown as [V*n]."""
    note: str = ""
    """What was odd about the call, such as fewer frames seen for lack of memory."""
    probability: float | None = None
    """Geometric mean of the probabilities of its tokens, 0..1 and raw, as `choose` scores the text
    of an option: with its end, unless it was cut. None where the backend does not say."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """How likely the model's first word is yes rather than no."""

    p_yes: float
    """Raw, 0..1; calibration is the caller's."""
    mass: float
    """Probability of saying yes or no at all, 0..1: near 0 the model answered something else."""
    usage: Usage
    prompt_text: str
    note: str = ""
    """What was odd about the call, such as fewer frames seen for lack of memory."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A distribution over the options of a question."""

    probabilities: tuple[float, ...]
    """One per option, in their order, summing to 1; raw."""
    usage: Usage
    prompt_text: str
    note: str = ""
    """What was odd about the call, such as fewer frames seen for lack of memory."""


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """What one call asks, for calls that are made together."""

    prompt: RenderedPrompt
    clips: tuple[Clip, ...]
    options: tuple[str, ...] = ()
    """Of a choice."""
    max_tokens: int = 64
    """Of a reply."""


class VideoLLM(Protocol):
    """A model that reads prompts with clips.

    Every method is deterministic: the same prompt and clips, judged beside the same others, give
    the same result. A prompt's integer parts are positions in `clips`; each clip is placed once.

    Raises (every method that runs the model):
        ModelError: out of memory even when retried smaller; the prompt is too long.
        ValueError: a frame's side is not a multiple of the patch, or a part names no clip.
    """

    @property
    def name(self) -> str: ...

    @property
    def weights_hash(self) -> str: ...

    @property
    def capabilities(self) -> Capabilities: ...

    @property
    def knows_only_demo_world(self) -> bool:
        """True for models trained on the project's rendered films and nothing else."""
        ...

    def clip_tokens(self, *, n_frames: int, width_px: int, height_px: int) -> int:
        """Visual and time-tag tokens of one clip: never less than what the prompt will hold.

        A clip's label is not counted.
        """
        ...

    def reply(
        self, prompt: RenderedPrompt, clips: Sequence[Clip], *, max_tokens: int = 64
    ) -> Reply:
        """What the model writes, greedily."""
        ...

    def judge(self, prompt: RenderedPrompt, clips: Sequence[Clip]) -> Judgement:
        """P(yes) from the probabilities of the reply's first token."""
        ...

    def judge_each(self, prompt: RenderedPrompt, clips: Sequence[Clip]) -> list[Judgement]:
        """P(yes) of each clip by itself, in a prompt with one place for a clip.

        At once where that is quicker; a result may then differ from that of the clip alone in the
        last digits.
        """
        ...

    def choose(
        self, prompt: RenderedPrompt, clips: Sequence[Clip], *, options: Sequence[str]
    ) -> Choice:
        """A distribution over `options`.

        With `options_by` "letter" the prompt lists them as (a), (b), … and the letters' tokens
        are compared; with "text" each option is scored as the reply, by the mean log-probability
        of its tokens.
        """
        ...


@runtime_checkable
class BatchingVideoLLM(VideoLLM, Protocol):
    """A model that reads several prompts at once, which is quicker than one after the other.

    A result may differ from that of the call alone in the last digits of its probabilities.
    """

    def reply_all(self, calls: Sequence[Call]) -> list[Reply]: ...
    def judge_all(self, calls: Sequence[Call]) -> list[Judgement]: ...
    def choose_all(self, calls: Sequence[Call]) -> list[Choice]: ...

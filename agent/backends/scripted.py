"""A fake VideoLLM for tests: it looks at no pixels and answers from a script.

It is chosen by name ("scripted") like any model and says in its name and in every prompt text
that it is a fake. A script may depend on the prompt and on the times of the clips, so that a test
can say "the evidence is at 100–105 s" and watch the search find it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from agent.videollm import Capabilities, Choice, Clip, Judgement, Reply, Usage
from index.errors import ModelError
from index.types import Span
from prompts.render import RenderedPrompt

Script = Callable[[RenderedPrompt, Sequence[Clip]], str]
YesScript = Callable[[RenderedPrompt, Sequence[Clip]], float]
ChoiceScript = Callable[[RenderedPrompt, Sequence[Clip], Sequence[str]], Sequence[float]]

NAME = "scripted (a fake for tests)"
_PATCH_PX = 32
_TAG_TOKENS = 10
_WORD = re.compile(r"\s*\S+")
P_SEEN, P_NOT_SEEN = 0.95, 0.05


@dataclass(frozen=True, slots=True)
class Call:
    """What one call was asked."""

    kind: str
    """reply, judge or choose."""
    prompt: RenderedPrompt
    clips: tuple[Clip, ...]


@dataclass(slots=True)
class ScriptedVideoLLM:
    """Answers from functions of the prompt and the clips; remembers every call."""

    reply_script: Script = lambda prompt, clips: f"scripted reply to {prompt.name}"
    yes_script: YesScript = lambda prompt, clips: 0.5
    choice_script: ChoiceScript = lambda prompt, clips, options: [1.0] * len(options)
    """Weights of the options, not negative; made to sum to 1."""
    options_by_letter: bool = True
    calls: list[Call] = field(default_factory=list)

    @property
    def name(self) -> str:
        return NAME

    @property
    def weights_hash(self) -> str:
        return "scripted"

    @property
    def knows_only_demo_world(self) -> bool:
        return False

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            adaptive_size=True,
            several_clips=True,
            absolute_times=True,
            patch_px=_PATCH_PX,
            frames_per_pair=2,
            options_by="letter" if self.options_by_letter else "text",
            max_visual_tokens=16_384,
        )

    def clip_tokens(self, *, n_frames: int, width_px: int, height_px: int) -> int:
        """As Qwen3-VL counts: pairs of frames on a 32-px grid, and a tag for each pair."""
        n_pairs = -(-n_frames // 2)
        return n_pairs * ((width_px // _PATCH_PX) * (height_px // _PATCH_PX) + _TAG_TOKENS)

    def reply(
        self, prompt: RenderedPrompt, clips: Sequence[Clip], *, max_tokens: int = 64
    ) -> Reply:
        """The script's text, cut after `max_tokens` words."""
        self._note("reply", prompt, clips)
        words = _WORD.findall(self.reply_script(prompt, clips))[:max_tokens]
        usage = self._usage(prompt, clips, output_tokens=len(words))
        text = "".join(words).strip()
        return Reply(text=text, usage=usage, prompt_text=self._shown(prompt, clips))

    def judge(self, prompt: RenderedPrompt, clips: Sequence[Clip]) -> Judgement:
        """The script's P(yes), with full mass."""
        self._note("judge", prompt, clips)
        return Judgement(
            p_yes=self.yes_script(prompt, clips),
            mass=1.0,
            usage=self._usage(prompt, clips),
            prompt_text=self._shown(prompt, clips),
        )

    def judge_each(self, prompt: RenderedPrompt, clips: Sequence[Clip]) -> list[Judgement]:
        """The script's P(yes) of each."""
        return [self.judge(prompt, [clip]) for clip in clips]

    def choose(
        self, prompt: RenderedPrompt, clips: Sequence[Clip], *, options: Sequence[str]
    ) -> Choice:
        """The script's weights, made to sum to 1."""
        if not 2 <= len(options) <= 26:
            raise ValueError(f"{len(options)} options; a choice has 2 to 26")
        self._note("choose", prompt, clips)
        weights = self.choice_script(prompt, clips, options)
        if len(weights) != len(options) or min(weights) < 0 or sum(weights) <= 0:
            raise ValueError(f"weights {weights} for {len(options)} options")
        return Choice(
            probabilities=tuple(weight / sum(weights) for weight in weights),
            usage=self._usage(prompt, clips),
            prompt_text=self._shown(prompt, clips),
        )

    def _note(self, kind: str, prompt: RenderedPrompt, clips: Sequence[Clip]) -> None:
        for clip in clips:
            if clip.width_px % _PATCH_PX or clip.height_px % _PATCH_PX:
                raise ValueError(f"frames of {clip.width_px}x{clip.height_px} px: not on the grid")
        self.calls.append(Call(kind, prompt, tuple(clips)))

    def _visual_tokens(self, clip: Clip) -> int:
        n_pairs = -(-clip.n_frames // 2)
        return n_pairs * (clip.width_px // _PATCH_PX) * (clip.height_px // _PATCH_PX)

    def _usage(
        self, prompt: RenderedPrompt, clips: Sequence[Clip], *, output_tokens: int = 0
    ) -> Usage:
        placed = [clips[part] for part in prompt.parts if isinstance(part, int)]
        visual = sum(self._visual_tokens(clip) for clip in placed)
        n_words = sum(len(part.split()) for part in prompt.parts if isinstance(part, str))
        return Usage(
            input_tokens=visual + n_words + sum(-(-c.n_frames // 2) * _TAG_TOKENS for c in placed),
            visual_tokens=visual,
            output_tokens=output_tokens,
            calls=1,
        )

    def _shown(self, prompt: RenderedPrompt, clips: Sequence[Clip]) -> str:
        pieces = ["[scripted] "]
        for part in prompt.parts:
            if isinstance(part, str):
                pieces.append(part)
                continue
            clip = clips[part]
            times = clip.times_s + clip.times_s[-1:] * (clip.n_frames % 2)
            per_pair = self._visual_tokens(clip) // (len(times) // 2)
            tags = [
                f"<{(times[i] + times[i + 1]) / 2:.1f} seconds>" for i in range(0, len(times), 2)
            ]
            pieces.append(clip.label + "".join(f"{tag}[V*{per_pair}]" for tag in tags))
        return "".join(pieces)


def knowing(
    evidence: Sequence[Span],
    *,
    answer: str = "red",
    option_index: int = 0,
    options_by_letter: bool = True,
) -> ScriptedVideoLLM:
    """A fake that knows where the evidence is: any frame inside one of the spans shows it all."""

    def seen(clips: Sequence[Clip]) -> bool:
        times = [time_s for clip in clips for time_s in clip.times_s]
        return any(span.start_s <= time_s < span.end_s for span in evidence for time_s in times)

    def reply(prompt: RenderedPrompt, clips: Sequence[Clip]) -> str:
        if prompt.name == "answer":
            return answer if seen(clips) else "not enough"
        said = {"request": "none", "caption": ""}
        return said.get(prompt.name, f"scripted reply to {prompt.name}")

    def choose(
        prompt: RenderedPrompt, clips: Sequence[Clip], options: Sequence[str]
    ) -> Sequence[float]:
        right = 20.0 if seen(clips) else 1.0
        return [right if index == option_index else 1.0 for index in range(len(options))]

    return ScriptedVideoLLM(
        reply_script=reply,
        yes_script=lambda prompt, clips: P_SEEN if seen(clips) else P_NOT_SEEN,
        choice_script=choose,
        options_by_letter=options_by_letter,
    )


class ScriptFile(BaseModel):
    """The JSON form of `knowing`, for tests that run the command line."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    evidence: list[tuple[float, float]]
    answer: str = "red"
    option_index: int = 0


def from_file(path: Path) -> ScriptedVideoLLM:
    """The fake that the file describes.

    Raises:
        ModelError: the file is missing or does not fit.
    """
    try:
        script = ScriptFile.model_validate(json.loads(path.read_text(encoding="utf-8")))
        spans = [Span(start_s, end_s) for start_s, end_s in script.evidence]
    except (OSError, ValidationError, ValueError) as error:
        raise ModelError(f"script {path}: {error}") from error
    return knowing(spans, answer=script.answer, option_index=script.option_index)

"""A VideoLLM behind an OpenAI-compatible server: vLLM, SGLang, transformers serve, Ollama, …

Frames go as pictures, each after its time as text. Probabilities come from the server's `logprobs`
where it offers them, and are asked for in words where it does not; the note of every result says
which. Tokens are those that the server counts; what a picture costs is asked of it once per size.
"""

from __future__ import annotations

import hashlib
import math
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np

from agent.backends.said import said_choice, said_probability, shares, without_thoughts
from agent.backends.served import Said, Server, add_text, content_of, picture, time_tag
from agent.endpoint_settings import EndpointSettings
from agent.videollm import Capabilities, Choice, Clip, Judgement, Reply, Usage
from prompts.render import RenderedPrompt, render

BY_LOGPROBS = "probabilities: logprobs"
BY_WORDS = "probabilities: in words"
BY_YES_OR_NO = "probabilities: a bare yes or no"
UNREADABLE = "probabilities: none, the reply could not be read"
_TOP = 20
"""The most that the API gives."""
_WORDS_TOKENS = 16
_GRID_PX = 32
_LONGEST_TIME_S = 98765.4
# Where the server does not count: a token for a square of this side, and two around the picture.
_GUESSED_PX = 28
_SLACK_TOKENS = 3
"""A time tag's tokens may be a few more than those of the one that was measured."""


class EndpointVideoLLM:
    """A model of a server. Threads may call it at the same time."""

    serves_threads = True

    def __init__(self, model: str, settings: EndpointSettings) -> None:
        """Take the server's address; nothing is asked of it yet.

        Raises:
            ModelError: no address.
        """
        self._server = Server(model, settings)
        self._settings = settings
        self._offers_logprobs: bool | None = None
        self._measuring = threading.Lock()
        self._per_frame: dict[tuple[int, int], tuple[int, int]] = {}

    @property
    def name(self) -> str:
        return self._settings.recorded_name(self._server.model)

    @property
    def weights_hash(self) -> str:
        """Of the name: a server does not say which weights it runs."""
        return f"served-{hashlib.sha256(self.name.encode()).hexdigest()[:16]}"

    @property
    def knows_only_demo_world(self) -> bool:
        return False

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            adaptive_size=True,
            several_clips=True,
            absolute_times=True,
            patch_px=_GRID_PX,
            frames_per_pair=1,
            options_by="letter",
            max_visual_tokens=self._settings.max_visual_tokens,
        )

    def clip_tokens(self, *, n_frames: int, width_px: int, height_px: int) -> int:
        """Tokens of the pictures and their times, as the server counts them.

        Raises:
            ModelError: the server does not answer.
        """
        _, per_frame = self._tokens_of(width_px, height_px)
        return n_frames * per_frame

    def reply(
        self, prompt: RenderedPrompt, clips: Sequence[Clip], *, max_tokens: int = 64
    ) -> Reply:
        """What the model writes, without what it thinks aloud."""
        self._check(clips)
        started_s = time.perf_counter()
        said = self._server.say(content_of(prompt, clips), max_tokens=max_tokens)
        return Reply(
            text=without_thoughts(said.text),
            usage=self._usage(prompt, clips, [said], started_s),
            prompt_text=self._shown(prompt, clips),
        )

    def judge(self, prompt: RenderedPrompt, clips: Sequence[Clip]) -> Judgement:
        """P(yes) from the first token's probabilities, or from a number that the model names."""
        self._check(clips)
        started_s = time.perf_counter()
        content = content_of(prompt, clips)
        heard, first = self._first_tokens(content)
        if first is not None:
            (yes, no), note = _masses(first, (_is("yes"), _is("no"))), BY_LOGPROBS
            mass = min(1.0, yes + no)
            p_yes = yes / (yes + no) if yes + no else 0.5
        else:
            prompt, p_yes, mass, note = self._judged_in_words(prompt, clips, heard)
        return Judgement(
            p_yes=p_yes,
            mass=mass,
            usage=self._usage(prompt, clips, heard, started_s),
            prompt_text=self._shown(prompt, clips),
            note=note,
        )

    def judge_each(self, prompt: RenderedPrompt, clips: Sequence[Clip]) -> list[Judgement]:
        """P(yes) of each clip by itself; as many requests at a time as the server may get."""
        # The first alone where it has yet to be found out how the server is asked.
        n_first = int(self._offers_logprobs is None)
        found = [self.judge(prompt, [clip]) for clip in clips[:n_first]]
        pool = ThreadPoolExecutor(max_workers=self._settings.concurrency)
        try:
            found += pool.map(lambda clip: self.judge(prompt, [clip]), clips[n_first:])
        finally:
            # Whoever stops the run does not wait for requests that are under way.
            pool.shutdown(wait=False, cancel_futures=True)
        return found

    def _judged_in_words(
        self, prompt: RenderedPrompt, clips: Sequence[Clip], heard: list[Said]
    ) -> tuple[RenderedPrompt, float, float, str]:
        """The prompt that was answered, P(yes), its mass, and where it comes from.

        A number is asked for; a model that names none is asked for its yes or no.
        """
        likelihood = render("likelihood")
        numbered = replace(prompt, parts=(*prompt.parts, "\n", *likelihood.parts))
        for asked, note in ((numbered, BY_WORDS), (prompt, BY_YES_OR_NO)):
            heard.append(self._in_words(asked, clips))
            found = said_probability(without_thoughts(heard[-1].text))
            if found is not None:
                return asked, found, 1.0, note
        return prompt, 0.5, 0.0, UNREADABLE

    def choose(
        self, prompt: RenderedPrompt, clips: Sequence[Clip], *, options: Sequence[str]
    ) -> Choice:
        """A distribution over the options' letters, or over the one that the model names."""
        if not 2 <= len(options) <= 26:
            raise ValueError(f"{len(options)} options; a choice has 2 to 26")
        self._check(clips)
        started_s = time.perf_counter()
        heard, first = self._first_tokens(content_of(prompt, clips))
        letters = [_is(chr(ord("a") + position)) for position in range(len(options))]
        masses = _masses(first, letters) if first is not None else ()
        if sum(masses) > 0:
            probabilities, note = tuple(m / sum(masses) for m in masses), BY_LOGPROBS
        else:
            heard.append(self._in_words(prompt, clips))
            choice = said_choice(without_thoughts(heard[-1].text), options)
            even = (1 / len(options),) * len(options)
            probabilities = even if choice is None else shares(choice, len(options))
            note = UNREADABLE if choice is None else BY_WORDS
        return Choice(
            probabilities=probabilities,
            usage=self._usage(prompt, clips, heard, started_s),
            prompt_text=self._shown(prompt, clips),
            note=note,
        )

    def _first_tokens(
        self, content: list[dict[str, Any]]
    ) -> tuple[list[Said], tuple[tuple[str, float], ...] | None]:
        """What was heard, and the likeliest first tokens; none where the server gives none."""
        if self._offers_logprobs is False:
            return [], None
        said = self._server.say(content, max_tokens=1, top_logprobs=_TOP)
        self._offers_logprobs = said.first_tokens is not None
        return [said], said.first_tokens

    def _in_words(self, prompt: RenderedPrompt, clips: Sequence[Clip]) -> Said:
        return self._server.say(content_of(prompt, clips), max_tokens=_WORDS_TOKENS)

    def _tokens_of(self, width_px: int, height_px: int) -> tuple[int, int]:
        """(tokens of a picture, tokens of a picture with its time)."""
        key = (width_px, height_px)
        with self._measuring:
            if key not in self._per_frame:
                self._per_frame[key] = self._measure(width_px, height_px)
            return self._per_frame[key]

    def _measure(self, width_px: int, height_px: int) -> tuple[int, int]:
        """Ask with one picture, with two, and with two times alone."""
        shown = picture(np.zeros((height_px, width_px, 3), np.uint8))

        def tokens(n_times: int, *, with_picture: bool) -> int:
            content: list[dict[str, Any]] = []
            for _ in range(n_times):
                add_text(content, time_tag(_LONGEST_TIME_S))
                content += [shown] if with_picture else []
            return self._server.say(content, max_tokens=1).prompt_tokens

        two = tokens(2, with_picture=True)
        if two == 0:
            guessed = math.ceil(width_px / _GUESSED_PX) * math.ceil(height_px / _GUESSED_PX) + 2
            return guessed, guessed + 10
        per_frame = two - tokens(1, with_picture=True)
        visual = max(1, (two - tokens(2, with_picture=False)) // 2)
        return visual, max(visual, per_frame) + _SLACK_TOKENS

    def _usage(
        self,
        prompt: RenderedPrompt,
        clips: Sequence[Clip],
        heard: Sequence[Said],
        started_s: float,
    ) -> Usage:
        visual = sum(
            clips[part].n_frames * self._tokens_of(clips[part].width_px, clips[part].height_px)[0]
            for part in prompt.parts
            if isinstance(part, int)
        )
        return Usage(
            input_tokens=sum(said.prompt_tokens for said in heard),
            visual_tokens=visual * len(heard),
            output_tokens=sum(said.output_tokens for said in heard),
            calls=len(heard),
            seconds=time.perf_counter() - started_s,
        )

    def _shown(self, prompt: RenderedPrompt, clips: Sequence[Clip]) -> str:
        """The message as text, each picture as [V*n]."""
        pieces = []
        for part in content_of(prompt, [replace(c, pixels=c.pixels[:, :1, :1]) for c in clips]):
            pieces.append(part["text"] if part["type"] == "text" else "[V*]")
        text = "".join(pieces)
        for index in (p for p in prompt.parts if isinstance(p, int)):
            clip = clips[index]
            visual, _ = self._tokens_of(clip.width_px, clip.height_px)
            text = text.replace("[V*]", f"[V*{visual}]", clip.n_frames)
        return text

    def _check(self, clips: Sequence[Clip]) -> None:
        for clip in clips:
            if clip.width_px % _GRID_PX or clip.height_px % _GRID_PX:
                raise ValueError(
                    f"frames of {clip.width_px}x{clip.height_px} px: sides are multiples of "
                    f"{_GRID_PX}"
                )


def _is(word: str) -> Callable[[str], bool]:
    """Whether a token begins to say the word: "Yes", " yes", "(a"."""
    return lambda token: token.strip(" \n\t(*\"'▁Ġ.):,").lower() == word


def _masses(
    first: Sequence[tuple[str, float]], words: Sequence[Callable[[str], bool]]
) -> tuple[float, ...]:
    """The probability of each word among the first tokens."""
    return tuple(
        sum(math.exp(logprob) for token, logprob in first if is_word(token)) for is_word in words
    )

"""A VideoLLM that transformers runs in this process: loading, and all that the families share.

A family says how a clip stands in the prompt and how its frames reach the processor; everything
else (chat template, scoring, generation, retries) is here. A prompt is read as one user turn.
"""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from agent.backends import scoring
from agent.backends.loading import choose_device, choose_dtype, load, special_tokens_pattern
from agent.backends.memory import retry_smaller, together_or_none
from agent.backends.weights import ModelNotes, read_notes, weights_hash
from agent.videollm import MOST_TOGETHER, Call, Capabilities, Choice, Clip, Judgement, Reply, Usage
from index.errors import ModelError
from prompts.render import RenderedPrompt

_second = itemgetter(1)


@dataclass(frozen=True, slots=True)
class Row:
    """One prompt of a batch."""

    prompt_text: str
    n_input_tokens: int
    n_visual_tokens: int


@dataclass(frozen=True, slots=True)
class Encoded:
    """Prompts as tensors on the model's device; shorter ones are filled up on the left."""

    inputs: Mapping[str, Any]
    rows: tuple[Row, ...]


class TransformersVideoLLM(ABC):
    """Base of the families. Reads weights from a folder; never from the network."""

    def __init__(
        self, folder: Path, *, name: str, device: str = "auto", dtype: torch.dtype | None = None
    ) -> None:
        """Load the model in `folder`.

        Raises:
            ModelError: transformers cannot load it, or the device does not exist or is full.
        """
        self.name = name
        self._folder = folder
        self.notes: ModelNotes = read_notes(folder)
        self._device = choose_device(device)
        size_bytes = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
        self._dtype = dtype or choose_dtype(self._device, weights_bytes=size_bytes)
        self._model, self._processor = load(folder, device=self._device, dtype=self._dtype)
        self._tokenizer = self._processor.tokenizer
        # The last token of every row is then the last of its prompt.
        self._tokenizer.padding_side = "left"
        if self._tokenizer.pad_token_id is None:
            self._tokenizer.pad_token = self._tokenizer.eos_token
        self._special = special_tokens_pattern(self._tokenizer, self._processor)
        self._visual_ids = self._visual_token_ids()
        # Models that can think aloud first are asked not to: the reply's first token is scored.
        thinks = "enable_thinking" in str(self._processor.chat_template)
        self._template_options = {"enable_thinking": False} if thinks else {}
        self._words: dict[Sequence[Sequence[str]], list[list[int]]] = {}

    # What a family says.

    @property
    @abstractmethod
    def capabilities(self) -> Capabilities: ...

    @abstractmethod
    def clip_tokens(self, *, n_frames: int, width_px: int, height_px: int) -> int: ...

    @abstractmethod
    def _clip_text(self, clip: Clip) -> str:
        """How the clip stands in the prompt, times and placeholders, without its label."""

    @abstractmethod
    def _process(self, texts: Sequence[str], clips: Sequence[Sequence[Clip]]) -> Mapping[str, Any]:
        """The processor's output for templated texts; each one's clips in reading order."""

    def _positions(self, inputs: Mapping[str, Any]) -> Tensor:
        """Position ids of the prompts; (B, L) here, more axes where the family's rotary has them.

        Those of filling are nobody's, and 0.
        """
        positions: Tensor = (inputs["attention_mask"].long().cumsum(-1) - 1).clamp(min=0)
        return positions

    # What all share.

    @property
    def weights_hash(self) -> str:
        return weights_hash(self._folder)

    @property
    def knows_only_demo_world(self) -> bool:
        return self.notes.demo_world

    @property
    def device(self) -> str:
        return str(self._device)

    @property
    def dtype(self) -> str:
        return str(self._dtype).removeprefix("torch.")

    def reply(
        self, prompt: RenderedPrompt, clips: Sequence[Clip], *, max_tokens: int = 64
    ) -> Reply:
        """What the model writes, greedily; the end-of-turn token is not part of the text."""
        return retry_smaller(
            lambda fewer: self.reply_all([Call(prompt, tuple(fewer), max_tokens=max_tokens)])[0],
            clips,
        )

    def judge(self, prompt: RenderedPrompt, clips: Sequence[Clip]) -> Judgement:
        """P(yes) over the spellings of yes and no as the reply's first token."""
        return retry_smaller(
            lambda fewer: self.judge_all([Call(prompt, tuple(fewer))])[0],
            clips,
        )

    def judge_each(self, prompt: RenderedPrompt, clips: Sequence[Clip]) -> list[Judgement]:
        """P(yes) of each clip by itself; read side by side, as many as the memory allows."""
        if len(clips) <= 1:
            return [self.judge(prompt, [clip]) for clip in clips]
        if len(clips) <= MOST_TOGETHER:
            calls = [Call(prompt, (clip,)) for clip in clips]
            found = together_or_none(lambda: self.judge_all(calls))
            if found is not None:
                return found
        n = min(MOST_TOGETHER, len(clips) // 2)
        return [*self.judge_each(prompt, clips[:n]), *self.judge_each(prompt, clips[n:])]

    def choose(
        self, prompt: RenderedPrompt, clips: Sequence[Clip], *, options: Sequence[str]
    ) -> Choice:
        """A distribution over `options`, by letter or by text as the capabilities say."""
        return retry_smaller(
            lambda fewer: self.choose_all([Call(prompt, tuple(fewer), options=tuple(options))])[0],
            clips,
        )

    @torch.inference_mode()
    def reply_all(self, calls: Sequence[Call]) -> list[Reply]:
        """The replies of several prompts, written side by side."""
        started = time.perf_counter()
        encoded = self._encode(calls)
        output = self._model.generate(
            **encoded.inputs,
            max_new_tokens=max(c.max_tokens for c in calls),
            do_sample=False,
            output_logits=True,
            return_dict_in_generate=True,
        )
        tokens = output.sequences[:, encoded.inputs["input_ids"].shape[1] :]
        written = [
            self._until_end(tokens[row].tolist()[: call.max_tokens])
            for row, call in enumerate(calls)
        ]
        sure = scoring.token_log_probabilities(output.logits, tokens)
        share_s = (time.perf_counter() - started) / len(calls)
        return [
            Reply(
                text=self._tokenizer.decode(
                    new, skip_special_tokens=True, clean_up_tokenization_spaces=False
                ).strip(),
                usage=_usage(row, share_s, output_tokens=len(new)),
                prompt_text=row.prompt_text,
                probability=math.exp(float(each[: len(new)].mean())),
            )
            for row, new, each in zip(encoded.rows, written, sure, strict=True)
        ]

    @torch.inference_mode()
    def judge_all(self, calls: Sequence[Call]) -> list[Judgement]:
        """The judgements of several prompts, read side by side."""
        started = time.perf_counter()
        encoded = self._encode(calls)
        logits = self._model(**encoded.inputs, logits_to_keep=1).logits[:, -1]
        groups = self._first_tokens((scoring.YES, scoring.NO))
        found = [scoring.group_probabilities(each, groups) for each in logits]
        share_s = (time.perf_counter() - started) / len(calls)
        return [
            Judgement(
                p_yes=p_yes,
                mass=mass,
                usage=_usage(row, share_s),
                prompt_text=row.prompt_text,
            )
            for row, ((p_yes, _), mass) in zip(encoded.rows, found, strict=True)
        ]

    @torch.inference_mode()
    def choose_all(self, calls: Sequence[Call]) -> list[Choice]:
        """The choices of several prompts, read side by side."""
        for call in calls:
            if not 2 <= len(call.options) <= 26:
                raise ValueError(f"{len(call.options)} options; a choice has 2 to 26")
        started = time.perf_counter()
        encoded = self._encode(calls)
        options = [call.options for call in calls]
        by_text = self.capabilities.options_by == "text"
        shares = (self._text_shares if by_text else self._letter_shares)(encoded, options)
        share_s = (time.perf_counter() - started) / len(calls)
        return [
            Choice(probabilities=each, usage=_usage(row, share_s), prompt_text=row.prompt_text)
            for row, each in zip(encoded.rows, shares, strict=True)
        ]

    def _until_end(self, tokens: list[int]) -> list[int]:
        """A reply up to its end: behind it stands what fills the batch."""
        ends = self._model.generation_config.eos_token_id
        known = {ends} if isinstance(ends, int) else set(ends or ())
        first = next((i for i, token in enumerate(tokens) if token in known), len(tokens))
        return tokens[: first + 1]

    def option_tokens(self, option: str) -> list[int]:
        """An option as the whole of a reply: its tokens and the end of the turn.

        The end is scored too, or "red" would beat "red car" wherever both begin alike.

        Raises:
            ValueError: the option is empty.
        """
        tokens = self._tokenizer.encode(self._plain(option), add_special_tokens=False)
        if not tokens:
            raise ValueError("an option is empty")
        end = self._tokenizer.eos_token_id
        return tokens if end is None else [*tokens, end]

    def _letter_shares(
        self, encoded: Encoded, options: Sequence[Sequence[str]]
    ) -> list[tuple[float, ...]]:
        logits = self._model(**encoded.inputs, logits_to_keep=1).logits[:, -1]
        shares = []
        for each, of_call in zip(logits, options, strict=True):
            letters = tuple(scoring.letter_spellings(index) for index in range(len(of_call)))
            shares.append(scoring.group_probabilities(each, self._first_tokens(letters))[0])
        return shares

    def _text_shares(
        self, encoded: Encoded, options: Sequence[Sequence[str]]
    ) -> list[tuple[float, ...]]:
        tokens = [[self.option_tokens(option) for option in of_call] for of_call in options]
        longest = max(len(option) for of_call in tokens for option in of_call)
        positions = self._positions(encoded.inputs)
        # Text after the last visual token counts on by one from the highest position so far.
        highest = positions.amax(dim=-1, keepdim=True)
        highest = highest.amax(dim=tuple(range(highest.ndim - 2)), keepdim=True)
        after = highest + 1 + torch.arange(longest, device=self._device)
        output = self._model(**encoded.inputs, use_cache=True, logits_to_keep=1)
        scores = scoring.score_branches(
            self._model,
            first=output.logits[:, -1],
            cache=output.past_key_values,
            options=tokens,
            positions=after.expand(*positions.shape[:-1], longest),
            mask=encoded.inputs["attention_mask"],
        )
        return [tuple(torch.softmax(each, dim=-1).tolist()) for each in scores]

    def _first_tokens(self, words: Sequence[Sequence[str]]) -> list[list[int]]:
        if words not in self._words:
            self._words[words] = scoring.first_token_groups(self._tokenizer, words)
        return self._words[words]

    def _plain(self, text: str) -> str:
        """Text without the tokenizer's control words, which a question could otherwise forge."""
        return self._special.sub("", text)

    def _encode(self, calls: Sequence[Call]) -> Encoded:
        placed = [[c.clips[p] for p in c.prompt.parts if isinstance(p, int)] for c in calls]
        for clip in (clip for clips in placed for clip in clips):
            self._check_size(clip)
        return self._to_device(self._process([self._templated(c) for c in calls], placed))

    def _templated(self, call: Call) -> str:
        body = "".join(
            self._plain(part)
            if isinstance(part, str)
            else self._plain(call.clips[part].label) + self._clip_text(call.clips[part])
            for part in call.prompt.parts
        )
        return str(
            self._processor.apply_chat_template(
                [{"role": "user", "content": [{"type": "text", "text": body}]}],
                add_generation_prompt=True,
                tokenize=False,
                **self._template_options,
            )
        )

    def _to_device(self, batch: Mapping[str, Any]) -> Encoded:
        rows = []
        limit = getattr(self._model.config.get_text_config(), "max_position_embeddings", None)
        for filled, mask in zip(batch["input_ids"], batch["attention_mask"], strict=True):
            ids = filled[mask.bool()]
            if limit is not None and len(ids) > limit:
                raise ModelError(
                    f"the prompt has {len(ids)} tokens and {self.name} reads at most {limit}",
                    "give a smaller --budget",
                )
            is_visual = torch.isin(ids, torch.tensor(self._visual_ids))
            rows.append(Row(self._collapsed(ids, is_visual), len(ids), int(is_visual.sum())))
        inputs = {
            key: value.to(self._device, self._dtype if value.is_floating_point() else None)
            if isinstance(value, Tensor)
            else value
            for key, value in batch.items()
        }
        return Encoded(inputs=inputs, rows=tuple(rows))

    def _collapsed(self, ids: Tensor, is_visual: Tensor) -> str:
        """The prompt as the model reads it, each run of visual tokens shown as [V*n]."""
        pieces = []
        for visual, run in groupby(zip(ids.tolist(), is_visual.tolist(), strict=True), _second):
            tokens = [token for token, _ in run]
            pieces.append(f"[V*{len(tokens)}]" if visual else self._decode(tokens))
        return "".join(pieces)

    def _decode(self, ids: list[int]) -> str:
        return str(self._tokenizer.decode(ids, clean_up_tokenization_spaces=False))

    def _check_size(self, clip: Clip) -> None:
        patch_px = self.capabilities.patch_px
        if clip.width_px % patch_px or clip.height_px % patch_px:
            raise ValueError(
                f"frames of {clip.width_px}x{clip.height_px} px: {self.name} takes sides that are "
                f"multiples of {patch_px}"
            )

    def _visual_token_ids(self) -> list[int]:
        config = self._model.config
        names = ("image_token_id", "video_token_id", "image_token_index", "video_token_index")
        found = {
            getattr(holder, name, None) for holder in (config, self._processor) for name in names
        }
        return sorted(token for token in found if isinstance(token, int))


def _usage(row: Row, seconds: float, *, output_tokens: int = 0) -> Usage:
    return Usage(
        input_tokens=row.n_input_tokens,
        visual_tokens=row.n_visual_tokens,
        output_tokens=output_tokens,
        calls=1,
        seconds=seconds,
    )

"""Any other image-text-to-text class that takes several pictures: frames, each after its time.

A picture's place in the prompt is what the model's own chat template writes for one; it is set
into the text ourselves, because some templates move all pictures before the text and so part
them from their times.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from agent.backends.qwen_video import TIMES_TO_TRY
from agent.backends.transformers_local import TransformersVideoLLM
from agent.videollm import Capabilities, Clip

# A frame of a film is one tile: tiles are for single pictures with small print.
_ONE_TILE: dict[str, dict[str, Any]] = {
    "smolvlm": {"do_image_splitting": False},
    "idefics3": {"do_image_splitting": False},
    "internvl": {"crop_to_patches": False},
}
_TEXT_TOKENS = 1024


class FramesVideoLLM(TransformersVideoLLM):
    """Frames as separate pictures, with their times as text."""

    @cached_property
    def capabilities(self) -> Capabilities:
        context = getattr(self._model.config.get_text_config(), "max_position_embeddings", 4096)
        return Capabilities(
            # Sizes are the processor's affair: most of these models make every picture a square.
            adaptive_size=False,
            several_clips=True,
            absolute_times=True,
            patch_px=1,
            frames_per_pair=1,
            options_by=self.notes.options_by,
            max_visual_tokens=self.notes.max_visual_tokens or max(1, context - _TEXT_TOKENS),
        )

    @cached_property
    def _place(self) -> str:
        """What the chat template writes for a picture."""
        text = {"type": "text", "text": "Q"}
        with_picture, without = (
            self._processor.apply_chat_template(
                [{"role": "user", "content": content}], add_generation_prompt=True, tokenize=False
            )
            for content in ([{"type": "image"}, text], [text])
        )
        n_before = _n_shared(with_picture, without)
        n_after = _n_shared(with_picture[n_before:][::-1], without[n_before:][::-1])
        return str(with_picture[n_before : len(with_picture) - n_after])

    @cached_property
    def _tag_tokens(self) -> int:
        tags = [f"<{time} seconds>" for time in TIMES_TO_TRY]
        encoded = self._tokenizer(tags, add_special_tokens=False)["input_ids"]
        return max(len(ids) for ids in encoded)

    @cached_property
    def _picture_tokens(self) -> dict[tuple[int, int, bool], int]:
        return {}

    def clip_tokens(self, *, n_frames: int, width_px: int, height_px: int) -> int:
        """Tokens of the pictures as the processor makes them, and time tags, at most."""
        key = (width_px, height_px, n_frames > 1)
        if key not in self._picture_tokens:
            self._picture_tokens[key] = self._measure(*key)
        return n_frames * (self._picture_tokens[key] + self._tag_tokens)

    def _measure(self, width_px: int, height_px: int, several: bool) -> int:
        """Tokens of one picture, alone or among others: some processors cut a lone one up."""
        n_pictures = 2 if several else 1
        pixels = np.zeros((n_pictures, height_px, width_px, 3), dtype=np.uint8)
        clip = Clip(times_s=(0.0,) * n_pictures, pixels=pixels)
        with_pictures = self._process([self._place * n_pictures], [[clip]])["input_ids"].shape[1]
        return -(-int(with_pictures) // n_pictures)

    def _clip_text(self, clip: Clip) -> str:
        return "".join(f"<{time_s:.1f} seconds>{self._place}" for time_s in clip.times_s)

    def _process(self, texts: Sequence[str], clips: Sequence[Sequence[Clip]]) -> Mapping[str, Any]:
        # torch wants arrays it may write to, and a caller's frames may be locked.
        pictures = [
            [np.require(picture, None, ["C", "W"]) for clip in of_text for picture in clip.pixels]
            for of_text in clips
        ]
        options = _ONE_TILE.get(self._model.config.model_type, {})
        batch: Mapping[str, Any] = (
            self._processor(
                text=list(texts), images=pictures, padding=True, return_tensors="pt", **options
            )
            if any(pictures)
            else self._processor(text=list(texts), padding=True, return_tensors="pt")
        )
        if len(texts) == 1:
            return batch
        # Left to itself a model would count the filling as positions of the prompt.
        return {**batch, "position_ids": self._positions(batch)}


def _n_shared(one: str, other: str) -> int:
    """Length of the common beginning."""
    shorter = min(len(one), len(other))
    return next((i for i in range(shorter) if one[i] != other[i]), shorter)

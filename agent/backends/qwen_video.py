"""What the Qwen video models share: frames in pairs, sizes on a grid, frames sent as they are."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from torch import Tensor

from agent.backends.transformers_local import TransformersVideoLLM
from agent.videollm import Capabilities, Clip

TICKS_PER_S = 1000
"""Frame numbers in the metadata are milliseconds, so that any times can be said."""
TEXT_TOKENS = 1024
"""Room that a prompt's text and a reply need beside the visual tokens."""
# Every number of digits up to 27 hours, each digit on its own and some mixed.
_TIMES = [digit * n for digit in "0123456789" for n in range(1, 6)] + ["12345", "98765", "10203"]
TIMES_TO_TRY = tuple(f"{whole}.{tenth}" for whole in _TIMES for tenth in "0123456789")


def paired(clip: Clip, frames_per_pair: int) -> Clip:
    """The clip with its last frame repeated until the frames fill whole pairs.

    The caller's arrays are left as they are; a whole clip is returned unchanged.
    """
    missing = -clip.n_frames % frames_per_pair
    if not missing:
        return clip
    return Clip(
        times_s=clip.times_s + clip.times_s[-1:] * missing,
        pixels=np.concatenate([clip.pixels, np.repeat(clip.pixels[-1:], missing, axis=0)]),
        label=clip.label,
    )


class QwenVideo(TransformersVideoLLM):
    """Base of the Qwen families."""

    @cached_property
    def patch_px(self) -> int:
        """Side of the square of pixels behind one token."""
        video = self._processor.video_processor
        return int(video.patch_size * video.merge_size)

    @cached_property
    def frames_per_pair(self) -> int:
        return int(self._processor.video_processor.temporal_patch_size)

    @property
    def context_tokens(self) -> int:
        return int(self._model.config.get_text_config().max_position_embeddings)

    @abstractmethod
    def _metadata(self, clip: Clip) -> dict[str, Any]:
        """What tells the processor the times of a clip of whole pairs."""

    def grid_tokens(self, *, n_frames: int, width_px: int, height_px: int) -> tuple[int, int]:
        """Pairs of frames, and visual tokens of each."""
        n_pairs = -(-n_frames // self.frames_per_pair)
        return n_pairs, (width_px // self.patch_px) * (height_px // self.patch_px)

    def most_tokens(self, texts: Sequence[str]) -> int:
        """Tokens of the longest of `texts`."""
        encoded = self._tokenizer(list(texts), add_special_tokens=False)["input_ids"]
        return max(len(ids) for ids in encoded)

    def _process(self, texts: Sequence[str], clips: Sequence[Sequence[Clip]]) -> Mapping[str, Any]:
        batch: Mapping[str, Any]
        flat = [clip for of_text in clips for clip in of_text]
        if not flat:
            batch = self._processor(text=list(texts), padding=True, return_tensors="pt")
            return batch
        batch = self._processor(
            text=list(texts),
            # torch wants arrays it may write to, and a caller's frames may be locked.
            videos=[
                np.require(paired(c, self.frames_per_pair).pixels, None, ["C", "W"]) for c in flat
            ],
            video_metadata=[self._metadata(clip) for clip in flat],
            # Frames come sampled and sized; left alone, the processor would do both again.
            do_sample_frames=False,
            do_resize=False,
            cap_pixels_per_frame=False,
            padding=True,
            return_tensors="pt",
        )
        return batch

    def _positions(self, inputs: Mapping[str, Any]) -> Tensor:
        """(3, 1, L): time, height, width."""
        ids = inputs["input_ids"]
        if inputs.get("video_grid_thw") is None:
            return super()._positions(inputs).expand(3, *ids.shape)
        names = ("mm_token_type_ids", "video_grid_thw", "attention_mask", "second_per_grid_ts")
        known = {name: inputs[name] for name in names if name in inputs}
        positions: Tensor = self._model.model.get_rope_index(ids, **known)[0]
        return positions


def text_room(capabilities_limit: int, context_tokens: int) -> int:
    """Visual tokens that leave room for text in a model's context."""
    return max(1, min(capabilities_limit, context_tokens - TEXT_TOKENS))


def qwen_capabilities(model: QwenVideo, *, absolute_times: bool, most_visual: int) -> Capabilities:
    """The capabilities of a Qwen model; its notes override the most visual tokens."""
    return Capabilities(
        adaptive_size=True,
        several_clips=True,
        absolute_times=absolute_times,
        patch_px=model.patch_px,
        frames_per_pair=model.frames_per_pair,
        options_by=model.notes.options_by,
        max_visual_tokens=model.notes.max_visual_tokens
        or text_room(most_visual, model.context_tokens),
        reads_text=not model.notes.demo_world,
    )

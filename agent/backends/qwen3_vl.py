"""Qwen3-VL and the classes that share its processor: every pair of frames carries its time.

The processor writes `<12.3 seconds>` before each pair: the mean of the pair's `frames_indices`
over `fps`. With fps = 1000 an index is a time in milliseconds, so any times can be said exactly.
A placeholder stands bare, without the chat template's own markers: the processor puts markers
around each pair, and the checkpoints never saw a second pair around all of them.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from agent.backends.qwen_video import TICKS_PER_S, TIMES_TO_TRY, QwenVideo, qwen_capabilities
from agent.videollm import Capabilities, Clip


class Qwen3VL(QwenVideo):
    """Qwen3-VL: 32-px grid, absolute times."""

    @cached_property
    def capabilities(self) -> Capabilities:
        # The processor's limit counts the pixels of all frames of one clip.
        pixels = self._processor.video_processor.size["longest_edge"]
        most_visual = pixels // (self.frames_per_pair * self.patch_px**2)
        return qwen_capabilities(self, absolute_times=True, most_visual=most_visual)

    @cached_property
    def _tag_tokens(self) -> int:
        """The most tokens of one pair's time tag, and its two markers."""
        return self.most_tokens([f"<{time} seconds>" for time in TIMES_TO_TRY]) + 2

    def clip_tokens(self, *, n_frames: int, width_px: int, height_px: int) -> int:
        """Visual tokens, exact, and time-tag tokens, at most."""
        n_pairs, per_pair = self.grid_tokens(
            n_frames=n_frames, width_px=width_px, height_px=height_px
        )
        return n_pairs * (per_pair + self._tag_tokens)

    def _clip_text(self, clip: Clip) -> str:
        return str(self._processor.video_token)

    def _metadata(self, clip: Clip) -> dict[str, Any]:
        ticks = [round(time_s * TICKS_PER_S) for time_s in clip.times_s]
        ticks += ticks[-1:] * (-len(ticks) % self.frames_per_pair)
        return {
            "fps": float(TICKS_PER_S),
            "frames_indices": ticks,
            "total_num_frames": ticks[-1] + 1,
        }

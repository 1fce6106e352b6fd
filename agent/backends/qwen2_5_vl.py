"""Qwen2.5-VL: the distance between pairs by position, the span of the film as text.

The model's temporal positions advance by `second_per_grid_ts`, which the processor computes from
a clip's length and its number of frames; they start anew in each clip, so the span stands before
it as text.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from agent.backends.qwen_video import TICKS_PER_S, TIMES_TO_TRY, QwenVideo, qwen_capabilities
from agent.videollm import Capabilities, Clip

# The most video tokens that the model was evaluated with.
# Source: Qwen2.5-VL Technical Report, arXiv 2502.13923, section 3.2.
_MOST_VISUAL_TOKENS = 24_576
_PADS = ("<|vision_start|>", "<|vision_end|>")


class Qwen25VL(QwenVideo):
    """Qwen2.5-VL: 28-px grid, one stated span of time per clip."""

    @cached_property
    def capabilities(self) -> Capabilities:
        return qwen_capabilities(self, absolute_times=False, most_visual=_MOST_VISUAL_TOKENS)

    @cached_property
    def _tag_tokens(self) -> int:
        """The most tokens of a clip's span, and its two markers."""
        texts = [f"<{time} seconds to {time} seconds>" for time in TIMES_TO_TRY]
        return self.most_tokens(texts) + len(_PADS)

    def clip_tokens(self, *, n_frames: int, width_px: int, height_px: int) -> int:
        """Visual tokens, exact, and the span's tokens, at most."""
        n_pairs, per_pair = self.grid_tokens(
            n_frames=n_frames, width_px=width_px, height_px=height_px
        )
        return n_pairs * per_pair + self._tag_tokens

    def _clip_text(self, clip: Clip) -> str:
        before, after = _PADS
        span = f"<{clip.times_s[0]:.1f} seconds to {clip.times_s[-1]:.1f} seconds>"
        return f"{span}{before}{self._processor.video_token}{after}"

    def _metadata(self, clip: Clip) -> dict[str, Any]:
        """Indices and a length for which the processor finds the clip's own mean distance."""
        duration_s = clip.times_s[-1] - clip.times_s[0]
        # One picture, or pictures of one time: any distance does, for there is one pair to place.
        distance_s = duration_s / (clip.n_frames - 1) if duration_s > 0 else 1.0
        n_frames = clip.n_frames + -clip.n_frames % self.frames_per_pair
        return {
            "fps": float(TICKS_PER_S),
            "frames_indices": list(range(n_frames)),
            "total_num_frames": max(1, round(n_frames * distance_s * TICKS_PER_S)),
        }

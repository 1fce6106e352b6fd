"""Times in the prompts of the Qwen models, and what a clip costs there.

Upstream projects lost the times of frames again and again (frames sampled a second time, source
numbers lost), so the rendered prompt itself is read here.
"""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.backends.qwen_video import paired
from agent.backends.transformers_local import TransformersVideoLLM
from agent.videollm import Call, Clip
from prompts.render import render
from tests.agent.backends.conftest import noise

SECONDS = re.compile(r"<(\d+\.\d) seconds>")
PROMPT = render("caption", n_clips=1)
once = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
times = st.lists(
    st.floats(min_value=0, max_value=99_999, allow_nan=False), min_size=1, max_size=9
).map(lambda values: tuple(sorted(values)))


def encoded(model: TransformersVideoLLM, *clips: Clip):
    return model._encode([Call(render("caption", n_clips=len(clips)), clips)])


@once
@given(times_s=times)
def test_each_pair_carries_the_mean_of_its_frames_times(
    qwen3_vl: TransformersVideoLLM, times_s: tuple[float, ...]
) -> None:
    shown = encoded(qwen3_vl, noise(times_s, width_px=32, height_px=32)).rows[0].prompt_text
    padded = times_s + times_s[-1:] * (len(times_s) % 2)
    means = [(a + b) / 2 for a, b in zip(padded[::2], padded[1::2], strict=True)]
    read = [float(text) for text in SECONDS.findall(shown)]
    # Rounded to a millisecond by the metadata and to a tenth by the processor.
    assert read == pytest.approx(means, abs=0.0511)


def test_irregular_times_of_several_clips_stand_in_reading_order(
    qwen3_vl: TransformersVideoLLM,
) -> None:
    clips = [
        noise((3.0, 3.4, 10.0, 30.0), width_px=64, height_px=32),
        noise((3600.7,), width_px=32, height_px=32),
        noise((7.0, 7.2, 7.6), width_px=32, height_px=64),
    ]
    shown = encoded(qwen3_vl, *clips).rows[0].prompt_text
    assert SECONDS.findall(shown) == ["3.2", "20.0", "3600.7", "7.1", "7.6"]


def test_the_layout_is_that_of_the_checkpoints(qwen3_vl: TransformersVideoLLM) -> None:
    """One pair of markers around each pair of frames, and none around all of them."""
    shown = (
        encoded(qwen3_vl, noise((2.0, 4.0, 6.0, 8.0), width_px=64, height_px=32))
        .rows[0]
        .prompt_text
    )
    assert shown == (
        "<|im_start|>user\n"
        "<3.0 seconds><|vision_start|>[V*2]<|vision_end|>"
        "<7.0 seconds><|vision_start|>[V*2]<|vision_end|>"
        "Describe these frames in one sentence.<|im_end|>\n"
        "<|im_start|>assistant\n"
    )


def test_no_frame_is_dropped_resampled_or_resized(qwen3_vl: TransformersVideoLLM) -> None:
    clip = noise(tuple(np.arange(40) / 25), width_px=96, height_px=64)
    inputs = encoded(qwen3_vl, clip).inputs
    assert inputs["video_grid_thw"].tolist() == [[20, 4, 6]]
    # The first row is the first 16x16 patch of frames 0 and 1: channels, then time, then pixels.
    mean, std = (
        np.array(getattr(qwen3_vl._processor.video_processor, name), dtype=np.float32)
        for name in ("image_mean", "image_std")
    )
    patch = (clip.pixels[:2, :16, :16].astype(np.float32) / 255 - mean) / std
    expected = patch.transpose(3, 0, 1, 2).reshape(-1)
    assert inputs["pixel_values_videos"][0].numpy() == pytest.approx(expected, abs=1e-5)


def test_the_last_frame_of_an_odd_clip_stands_twice(qwen3_vl: TransformersVideoLLM) -> None:
    clip = noise((1.0, 2.0, 3.0), width_px=32, height_px=32)
    whole = paired(clip, 2)
    assert whole.times_s == (1.0, 2.0, 3.0, 3.0)
    assert np.array_equal(whole.pixels[3], clip.pixels[2])
    assert paired(whole, 2) is whole


@once
@given(
    times_s=times,
    n_wide=st.integers(min_value=1, max_value=4),
    n_high=st.integers(min_value=1, max_value=4),
)
@pytest.mark.parametrize("kind", ["qwen3_vl", "qwen2_5_vl"])
def test_the_estimate_is_exact_but_for_short_times(
    request: pytest.FixtureRequest, kind: str, times_s: tuple[float, ...], n_wide: int, n_high: int
) -> None:
    model = request.getfixturevalue(kind)
    patch_px = model.capabilities.patch_px
    width_px, height_px = n_wide * patch_px, n_high * patch_px
    got = encoded(model, noise(times_s, width_px=width_px, height_px=height_px))
    n_pairs = (len(times_s) + 1) // 2
    assert got.rows[0].n_visual_tokens == n_pairs * n_wide * n_high
    cost = got.rows[0].n_input_tokens - encoded(model).rows[0].n_input_tokens
    estimate = model.clip_tokens(n_frames=len(times_s), width_px=width_px, height_px=height_px)
    n_tags = n_pairs if kind == "qwen3_vl" else 2
    # At most five digits and a point; a time of one digit has four tokens less.
    assert estimate - 4 * n_tags <= cost <= estimate


def test_qwen2_5_is_told_the_span_and_the_distance_of_pairs(
    qwen2_5_vl: TransformersVideoLLM,
) -> None:
    got = encoded(qwen2_5_vl, noise((600.0, 600.5, 601.0, 601.5), width_px=56, height_px=28))
    assert (
        "<600.0 seconds to 601.5 seconds><|vision_start|>[V*4]<|vision_end|>"
        in got.rows[0].prompt_text
    )
    # Frames half a second apart: pairs a second apart.
    assert [float(s) for s in got.inputs["second_per_grid_ts"]] == pytest.approx([1.0])


@pytest.mark.parametrize("every_s", [0.1, 0.5, 4.0, 30.0])
def test_qwen2_5_positions_follow_the_density(
    qwen2_5_vl: TransformersVideoLLM, every_s: float
) -> None:
    times_s = tuple(100 + every_s * i for i in range(6))
    got = encoded(qwen2_5_vl, noise(times_s, width_px=28, height_px=28))
    visual = got.inputs["input_ids"][0] == qwen2_5_vl._processor.video_token_id
    temporal = qwen2_5_vl._positions(got.inputs)[0, 0, visual].tolist()
    # Two positions a second, the pairs two frames apart; positions are whole numbers.
    steps = [b - a for a, b in pairwise(temporal)]
    assert steps == pytest.approx([2 * 2 * every_s] * 2, abs=1)


def test_a_prompt_beyond_the_context_is_refused_in_one_line(
    qwen3_vl: TransformersVideoLLM,
) -> None:
    from index.errors import ModelError

    clip = noise(tuple(float(i) for i in range(8)), width_px=32 * 32, height_px=32 * 32)
    with pytest.raises(ModelError, match=r"reads at most 4096"):
        qwen3_vl.reply(PROMPT, [clip])

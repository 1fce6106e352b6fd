"""The embedded VideoLLM's shape: a small Qwen3-VL, and its processor."""

from __future__ import annotations

from pathlib import Path

from transformers import (
    PreTrainedTokenizerFast,
    Qwen2VLImageProcessor,
    Qwen3VLConfig,
    Qwen3VLProcessor,
    Qwen3VLVideoProcessor,
)

from demo.train.tokenizer import END, IMAGE_PAD, PAD, VIDEO_PAD, VISION_END, VISION_START

PATCH_PX, MERGE, PAIR = 16, 2, 2
CELL_PX = PATCH_PX * MERGE
"""One visual token stands for a cell of this side, over a pair of frames."""
HIDDEN, HEADS, HEAD_WIDTH, LAYERS, INNER = 256, 4, 64, 5, 640
VISION_HIDDEN, VISION_HEADS, VISION_DEPTH, VISION_INNER = 192, 3, 6, 768
# Half of a head's 32 rotary frequencies go to time order, a quarter each to row and column.
MROPE_SECTION = [12, 10, 10]
ROPE_THETA = 1e6
"""What is named is found over hundreds of tokens: few frequencies may turn by much there."""
MEAN, STD = 0.5, 0.5
SIZE = {"shortest_edge": 32 * 32 * 4, "longest_edge": 32 * 32 * 12288}
TEMPLATE = (Path(__file__).parent / "chat_template.jinja").read_text()


def video_config(tokenizer: PreTrainedTokenizerFast) -> Qwen3VLConfig:
    ids = tokenizer.convert_tokens_to_ids
    vision = {
        "depth": VISION_DEPTH,
        "hidden_size": VISION_HIDDEN,
        "intermediate_size": VISION_INNER,
        "num_heads": VISION_HEADS,
        "patch_size": PATCH_PX,
        "spatial_merge_size": MERGE,
        "temporal_patch_size": PAIR,
        "out_hidden_size": HIDDEN,
        "num_position_embeddings": 256,
        # Without it the class default returns; a tower this shallow gains nothing by it.
        "deepstack_visual_indexes": [],
    }
    text = {
        "vocab_size": (len(tokenizer) + 7) // 8 * 8,
        "hidden_size": HIDDEN,
        "intermediate_size": INNER,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "num_key_value_heads": HEADS,
        "head_dim": HEAD_WIDTH,
        "max_position_embeddings": 16384,
        "initializer_range": 0.05,
        "tie_word_embeddings": True,
        "pad_token_id": ids(PAD),
        "eos_token_id": ids(END),
        "bos_token_id": None,
        "rope_parameters": {
            "rope_type": "default",
            "rope_theta": ROPE_THETA,
            "mrope_section": MROPE_SECTION,
            "mrope_interleaved": True,
        },
    }
    return Qwen3VLConfig(
        vision_config=vision,
        text_config=text,
        image_token_id=ids(IMAGE_PAD),
        video_token_id=ids(VIDEO_PAD),
        vision_start_token_id=ids(VISION_START),
        vision_end_token_id=ids(VISION_END),
        tie_word_embeddings=True,
    )


def video_processor(tokenizer: PreTrainedTokenizerFast) -> Qwen3VLProcessor:
    shape = {"patch_size": PATCH_PX, "temporal_patch_size": PAIR, "merge_size": MERGE}
    look = {"image_mean": [MEAN] * 3, "image_std": [STD] * 3, "size": dict(SIZE)}
    return Qwen3VLProcessor(
        image_processor=Qwen2VLImageProcessor(**shape, **look),
        tokenizer=tokenizer,
        video_processor=Qwen3VLVideoProcessor(**shape, **look, cap_pixels_per_frame=False),
        chat_template=TEMPLATE,
    )

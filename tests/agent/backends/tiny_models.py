"""Random weights in the folders that transformers loads: a second's work each, no network.

They answer nonsense; what the tests check is the form: layouts, counts, equal scores.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    CLIPImageProcessor,
    CLIPVisionConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedTokenizerFast,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2_5_VLProcessor,
    Qwen2VLImageProcessor,
    Qwen2VLVideoProcessor,
    Qwen3VLConfig,
    Qwen3VLForConditionalGeneration,
    Qwen3VLProcessor,
    Qwen3VLVideoProcessor,
)

_QWEN_SPECIAL = [
    "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>",
    "<|image_pad|>", "<|video_pad|>",
]  # fmt: skip
_QWEN_TEMPLATE = """{%- for m in messages -%}
<|im_start|>{{ m.role }}
{% if m.content is string %}{{ m.content }}{% else %}{% for c in m.content %}\
{% if c.type == 'image' %}<|vision_start|><|image_pad|><|vision_end|>\
{% elif c.type == 'video' %}<|vision_start|><|video_pad|><|vision_end|>\
{% elif c.type == 'text' %}{{ c.text }}{% endif %}{% endfor %}{% endif %}<|im_end|>
{% endfor -%}
{%- if add_generation_prompt %}<|im_start|>assistant
{% endif -%}"""
# Puts all pictures first, as many published templates do.
_LLAVA_TEMPLATE = """{% for m in messages %}{{ m.role | upper }}: \
{% for c in m.content | selectattr('type', 'equalto', 'image') %}<image>\n{% endfor %}\
{% for c in m.content | selectattr('type', 'equalto', 'text') %}{{ c.text }} {% endfor %}\
{% endfor %}{% if add_generation_prompt %}ASSISTANT:{% endif %}"""
_TEXT = ["Yes No yes no user assistant seconds spotlight answer the red blue car to of what when"]


def _tokenizer(special: list[str], *, end: str) -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=500,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_TEXT * 50, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=end,
        pad_token=special[0],
        additional_special_tokens=special[1:],
        padding_side="left",
    )


def _save(model: Any, processor: Any, folder: Path) -> Path:
    tokenizer = processor.tokenizer
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def _text_config(tokenizer: Any, **rope: Any) -> dict[str, Any]:
    return {
        "vocab_size": len(tokenizer),
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 4096,
        "pad_token_id": tokenizer.pad_token_id,
        "rope_parameters": {"rope_type": "default", "rope_theta": 10_000.0, **rope},
    }


def _qwen_ids(tokenizer: Any) -> dict[str, int]:
    names = {
        "image_token_id": "<|image_pad|>",
        "video_token_id": "<|video_pad|>",
        "vision_start_token_id": "<|vision_start|>",
        "vision_end_token_id": "<|vision_end|>",
    }
    return {key: tokenizer.convert_tokens_to_ids(token) for key, token in names.items()}


def qwen3_vl(folder: Path) -> Path:
    tokenizer = _tokenizer(_QWEN_SPECIAL, end="<|im_end|>")
    grid = {"patch_size": 16, "temporal_patch_size": 2, "merge_size": 2}
    size = {"shortest_edge": 32 * 32 * 4, "longest_edge": 32 * 32 * 4096}
    processor = Qwen3VLProcessor(
        image_processor=Qwen2VLImageProcessor(**grid, size=dict(size)),
        tokenizer=tokenizer,
        video_processor=Qwen3VLVideoProcessor(**grid, size=dict(size), cap_pixels_per_frame=False),
        chat_template=_QWEN_TEMPLATE,
    )
    config = Qwen3VLConfig(
        text_config={
            **_text_config(tokenizer, mrope_section=[4, 2, 2], mrope_interleaved=True),
            "head_dim": 16,
        },
        vision_config={
            "depth": 2,
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_heads": 2,
            "patch_size": 16,
            "spatial_merge_size": 2,
            "temporal_patch_size": 2,
            "out_hidden_size": 64,
            "num_position_embeddings": 64,
            "deepstack_visual_indexes": [],
        },
        **_qwen_ids(tokenizer),
    )
    return _save(Qwen3VLForConditionalGeneration(config), processor, folder)


def qwen2_5_vl(folder: Path) -> Path:
    tokenizer = _tokenizer(_QWEN_SPECIAL, end="<|im_end|>")
    grid = {"patch_size": 14, "temporal_patch_size": 2, "merge_size": 2}
    size = {"shortest_edge": 28 * 28, "longest_edge": 28 * 28 * 1024}
    processor = Qwen2_5_VLProcessor(
        image_processor=Qwen2VLImageProcessor(**grid, size=dict(size)),
        tokenizer=tokenizer,
        video_processor=Qwen2VLVideoProcessor(**grid, size=dict(size)),
        chat_template=_QWEN_TEMPLATE,
    )
    config = Qwen2_5_VLConfig(
        text_config=_text_config(tokenizer, mrope_section=[4, 2, 2]),
        vision_config={
            "depth": 2,
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_heads": 2,
            "patch_size": 14,
            "spatial_merge_size": 2,
            "temporal_patch_size": 2,
            "out_hidden_size": 64,
            "window_size": 56,
            "fullatt_block_indexes": [1],
            "tokens_per_second": 2,
        },
        **_qwen_ids(tokenizer),
    )
    return _save(Qwen2_5_VLForConditionalGeneration(config), processor, folder)


def llava(folder: Path) -> Path:
    tokenizer = _tokenizer(["<pad>", "<s>", "</s>", "<image>"], end="</s>")
    side = {"height": 28, "width": 28}
    processor = LlavaProcessor(
        image_processor=CLIPImageProcessor(size={"shortest_edge": 28}, crop_size=side),
        tokenizer=tokenizer,
        patch_size=14,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=_LLAVA_TEMPLATE,
    )
    vision = CLIPVisionConfig(
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=28,
        patch_size=14,
    )
    config = LlavaConfig(
        vision_config=vision,
        text_config=LlamaConfig(**_text_config(tokenizer)),
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        image_seq_length=4,
    )
    return _save(LlavaForConditionalGeneration(config), processor, folder)


MAKERS: dict[str, Callable[[Path], Path]] = {
    "qwen3_vl": qwen3_vl,
    "qwen2_5_vl": qwen2_5_vl,
    "llava": llava,
}


def make(kind: str, folder: Path) -> Path:
    """The tiny model of that kind, the same weights every time."""
    torch.manual_seed(0)
    return MAKERS[kind](folder)

"""A CLIP with random weights in the shape of the demo's, as an open_clip folder."""

import json
from pathlib import Path

import open_clip
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

_WORDS = ["<pad>", "<unk>", "<eos>", "a", "red", "blue", "car", "dog", "on", "the", "beach"]


def save_tiny_clip(folder: Path, *, resize_mode: str = "squash", seed: int = 0) -> None:
    """Write config, weights and tokenizer; vectors have 32 dimensions, pictures 32 × 48 pixels."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "embed_dim": 32,
        "vision_cfg": {
            "image_size": [32, 48],
            "layers": 1,
            "width": 64,
            "head_width": 32,
            "patch_size": 16,
        },
        "text_cfg": {
            "context_length": 12,
            "vocab_size": len(_WORDS),
            "width": 32,
            "heads": 1,
            "layers": 1,
            "hf_tokenizer_name": "here",
            "pool_type": "eos",
            "eos_id": 2,
        },
    }
    preprocess = {
        "mean": [0.5, 0.5, 0.5],
        "std": [0.25, 0.25, 0.25],
        "interpolation": "bicubic",
        "resize_mode": resize_mode,
    }
    text = json.dumps({"model_cfg": config, "preprocess_cfg": preprocess})
    (folder / "open_clip_config.json").write_text(text)
    _save_tokenizer(folder)
    torch.manual_seed(seed)
    model = open_clip.create_model(f"local-dir:{folder}", load_weights=False)
    state = {key: value.contiguous() for key, value in model.state_dict().items()}
    save_file(state, folder / "open_clip_model.safetensors")


def _save_tokenizer(folder: Path) -> None:
    vocabulary = {word: position for position, word in enumerate(_WORDS)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A <eos>", special_tokens=[("<eos>", 2)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="<unk>", pad_token="<pad>", eos_token="<eos>"
    ).save_pretrained(folder)

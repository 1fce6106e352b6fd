"""Loading a transformers folder: onto which device, in which precision, and what can go wrong.

Only from the folder, never from the network, and never code that a folder brings along.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import torch

from agent.backends.memory import is_out_of_memory
from index.errors import ModelError
from index.precision import multiplies_bf16

_SMALL_MODEL_BYTES = 10**9


def choose_device(device: str) -> torch.device:
    """The device named, or for "auto" the best one here.

    Raises:
        ModelError: this machine has no such device.
    """
    if device == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        chosen = torch.device(device)
        torch.empty(1, device=chosen)
    # An unknown word is a RuntimeError, a build without CUDA an AssertionError.
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(f"no device {device!r} here: {reason}", "give auto, cpu, cuda") from error
    return chosen


def choose_dtype(device: torch.device, *, weights_bytes: int) -> torch.dtype:
    """bfloat16 where the hardware computes with it, else float32.

    On a CPU a small model stays in float32: it is quick enough there, and its probabilities
    keep the digits that bfloat16's logits (steps of 1/16 between 8 and 16) would round away.
    """
    if device.type == "cpu" and weights_bytes <= _SMALL_MODEL_BYTES:
        return torch.float32
    return torch.bfloat16 if multiplies_bf16(device) else torch.float32


def special_tokens_pattern(tokenizer: Any, processor: Any) -> re.Pattern[str]:
    """Matches every control word of the tokenizer, and the words that stand for pictures."""
    words = {str(token) for token in tokenizer.added_tokens_decoder.values()}
    words |= {getattr(processor, name, "") or "" for name in ("image_token", "video_token")}
    longest_first = sorted(words - {""}, key=len, reverse=True)
    return re.compile("|".join(re.escape(word) for word in longest_first) or r"(?!)")


def load(folder: Path, *, device: torch.device, dtype: torch.dtype) -> tuple[Any, Any]:
    """The model, ready to run, and its processor.

    Raises:
        ModelError: no class for it, files that do not fit together, or no memory.
    """
    from safetensors import SafetensorError
    from transformers import AutoModelForImageTextToText, AutoProcessor
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    try:
        processor = AutoProcessor.from_pretrained(folder, local_files_only=True)
        model, report = AutoModelForImageTextToText.from_pretrained(
            folder,
            dtype=dtype,
            attn_implementation="sdpa",
            local_files_only=True,
            output_loading_info=True,
        )
        model = model.to(device).eval()
    except (RuntimeError, OSError, ValueError, KeyError, ImportError, SafetensorError) as error:
        if isinstance(error, RuntimeError) and is_out_of_memory(error):
            raise ModelError(
                f"{folder.name} does not fit into the memory of {device}", "take a smaller model"
            ) from error
        raise ModelError(f"transformers cannot load {folder}: {str(error)[:300]}") from error
    # What a file lacks is filled with random numbers, and only a warning says so.
    if report["missing_keys"]:
        first = sorted(report["missing_keys"])[0]
        raise ModelError(f"{folder}: weights are missing, {first} for one")
    _make_greedy(model.generation_config, pad_token_id=processor.tokenizer.pad_token_id)
    return model, processor


def _make_greedy(settings: Any, *, pad_token_id: int | None) -> None:
    """Drop the sampling settings that checkpoints ship; they would warn on every call. One beam."""
    settings.do_sample, settings.repetition_penalty, settings.num_beams = False, 1.0, 1
    settings.temperature = settings.top_p = settings.top_k = settings.min_p = None
    if settings.pad_token_id is None:
        settings.pad_token_id = pad_token_id

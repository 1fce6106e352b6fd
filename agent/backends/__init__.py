"""The VideoLLM backends by name; each is imported only when it is chosen."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from index.errors import ModelError

BACKENDS: dict[str, str] = {
    "qwen3_vl": "agent.backends.qwen3_vl:Qwen3VL",
    "qwen2_5_vl": "agent.backends.qwen2_5_vl:Qwen25VL",
    "frames": "agent.backends.frames:FramesVideoLLM",
    "endpoint": "agent.backends.endpoint:EndpointVideoLLM",
    "scripted": "agent.backends.scripted:ScriptedVideoLLM",
}

BY_MODEL_TYPE: dict[str, str] = {
    "qwen3_vl": "qwen3_vl",
    "qwen3_vl_moe": "qwen3_vl",
    "qwen3_5": "qwen3_vl",
    "qwen3_5_moe": "qwen3_vl",
    "qwen2_5_vl": "qwen2_5_vl",
}
"""A checkpoint's `model_type` to the backend that knows its video format; every other type that
transformers can load gets "frames", which sends pictures."""


def backend_class(name: str) -> Any:
    """The class behind a backend's name.

    Raises:
        ModelError: no backend of that name.
    """
    if name not in BACKENDS:
        raise ModelError(f"no backend {name!r}", f"known: {', '.join(BACKENDS)}")
    module, _, attribute = BACKENDS[name].partition(":")
    return getattr(import_module(module), attribute)

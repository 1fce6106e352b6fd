"""Tiny models in a temporary folder, opened like any checkpoint; clips of noise."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest

from agent.endpoint_settings import EndpointSettings
from agent.models import ModelChoice, open_videollm
from agent.videollm import Clip, VideoLLM
from tests.agent.backends.loopback import Loopback, serving

if TYPE_CHECKING:
    from agent.backends.transformers_local import TransformersVideoLLM

BACKENDS = (
    *("qwen3_vl", "qwen3_vl by text", "qwen2_5_vl", "llava", "scripted"),
    *("endpoint", "endpoint without logprobs"),
)


@pytest.fixture(scope="session")
def open_backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], VideoLLM]]:
    """Opens a backend of `BACKENDS`, each once in a session."""
    opened: dict[str, VideoLLM] = {}

    def folder(kind: str) -> str:
        from tests.agent.backends import tiny_models

        name, _, by_text = kind.partition(" by ")
        path = tiny_models.make(name, tmp_path_factory.mktemp(name))
        if by_text:
            notes = {"options_by": by_text, "demo_world": True}
            (path / "longshot.json").write_text(json.dumps(notes))
        return str(path)

    def open_once(kind: str) -> VideoLLM:
        if kind.startswith("endpoint") and kind not in opened:
            server = servers.enter_context(serving(Loopback(logprobs=kind == "endpoint")))
            opened[kind] = open_videollm(
                ModelChoice("openai:test", "hash", "openai:test", "by name"),
                endpoint=EndpointSettings(base_url=server),
            )
        if kind not in opened:
            name = kind if kind == "scripted" else folder(kind)
            opened[kind] = open_videollm(ModelChoice(name, "hash", name, "by name"), device="cpu")
        return opened[kind]

    with contextlib.ExitStack() as servers:
        yield open_once


@pytest.fixture(params=BACKENDS)
def videollm(request: pytest.FixtureRequest, open_backend: Callable[[str], VideoLLM]) -> VideoLLM:
    """Each backend in turn."""
    return open_backend(request.param)


@pytest.fixture
def qwen3_vl(open_backend: Callable[[str], VideoLLM]) -> TransformersVideoLLM:
    return cast("TransformersVideoLLM", open_backend("qwen3_vl"))


@pytest.fixture
def qwen2_5_vl(open_backend: Callable[[str], VideoLLM]) -> TransformersVideoLLM:
    return cast("TransformersVideoLLM", open_backend("qwen2_5_vl"))


def noise(
    times_s: tuple[float, ...], *, width_px: int, height_px: int, label: str = "", seed: int = 0
) -> Clip:
    """A clip of random pictures."""
    shape = (len(times_s), height_px, width_px, 3)
    pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    return Clip(times_s=times_s, pixels=pixels, label=label)


def sized(
    videollm: VideoLLM, times_s: tuple[float, ...], *, label: str = "", seed: int = 0
) -> Clip:
    """A clip of 3 by 2 patches of the backend's grid, or of 84 by 56 px where it has none."""
    side_px = max(videollm.capabilities.patch_px, 28)
    return noise(times_s, width_px=3 * side_px, height_px=2 * side_px, label=label, seed=seed)

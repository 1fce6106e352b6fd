"""Forward passes over the HF model's own weights, batched and packed for training.

Equal to the library's forward (a test checks it); the library's takes one ragged sample at a time.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar, cast

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor
from transformers.models.qwen3_vl.modeling_qwen3_vl import rotate_half
from transformers.vision_utils import (
    get_vision_interpolation_indices_and_weights,
    get_vision_position_ids,
)

from demo.train.video_config import MEAN, MERGE, PAIR, PATCH_PX, STD

_Plain = TypeVar("_Plain", bound=Callable[..., Tensor])


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
    """Softmax attention written out: its bf16 backward on CPU beats the fused one's."""
    scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)
    if mask is not None:
        scores = scores + mask
    # On bf16 the softmax itself counts in fp32; casting here would only move more memory.
    return F.softmax(scores, -1) @ v


def patches(frames: NDArray[np.uint8] | Tensor, *, height_px: int, width_px: int) -> Tensor:
    """(pairs, 2, H, W, 3) uint8 -> (pairs, patches, 1536) float32, in the library's order."""
    x = torch.as_tensor(frames)
    n = x.shape[0]
    x = x.reshape(n * PAIR, *x.shape[2:]).permute(0, 3, 1, 2).float()
    if x.shape[-2:] != (height_px, width_px):
        x = F.interpolate(x, size=(height_px, width_px), mode="bilinear", antialias=True)
    x = (x / 255 - MEAN) / STD
    rows, columns = height_px // (PATCH_PX * MERGE), width_px // (PATCH_PX * MERGE)
    x = x.reshape(n, PAIR, 3, rows, MERGE, PATCH_PX, columns, MERGE, PATCH_PX)
    x = x.permute(0, 3, 6, 4, 7, 2, 1, 5, 8)
    return x.reshape(n, rows * columns * MERGE**2, 3 * PAIR * PATCH_PX**2)


@lru_cache(maxsize=32)
def _grid(
    rows: int, columns: int, side: int, mode: str, corners: bool
) -> tuple[Tensor, Tensor, Tensor]:
    grid = torch.tensor([[1, rows, columns]])
    index, weight = get_vision_interpolation_indices_and_weights(
        grid,
        num_grid_per_side=side,
        mode=mode,
        align_corners=corners,
        spatial_merge_size=MERGE,
        kwargs={},
    )
    return index, weight, get_vision_position_ids(grid, MERGE, kwargs={})


_HALF_WAY = 2
"""Blocks of the tower after which patch tokens are taken as well."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the tower makes of equal-sized pairs."""

    tokens: Tensor
    """Visual tokens, (pairs, rows·columns/4, hidden)."""
    patches: Tensor
    """Patch tokens behind the last block, (pairs, rows·columns, width)."""
    half_way: Tensor
    """Patch tokens in the middle of the tower, (pairs, rows·columns, width)."""


def see(tower: Any, pixels: Tensor, *, rows: int, columns: int) -> Seen:
    """Runs the vision tower on equal-sized pairs.

    Args:
        pixels: (pairs, rows·columns, 1536), rows and columns counted in patches.
    """
    side, mode = tower.num_grid_per_side, tower.interpolation_mode
    index, weight, places = _grid(rows, columns, side, mode, tower.interpolation_align_corners)
    device = pixels.device
    cos, sin = tower.rotary_pos_emb(torch.zeros(1, device=device), places.to(device))
    cos, sin = (part.to(pixels.dtype)[None, None] for part in (cos, sin))
    n, length, _ = pixels.shape
    stem = tower.patch_embed.proj
    x = F.linear(pixels, stem.weight.flatten(1), stem.bias)
    position = (tower.pos_embed(index.to(device)) * weight.to(device)[:, :, None]).sum(1)
    x = x + position.to(x.dtype)
    heads = tower.config.num_heads
    half_way = x
    for number, block in enumerate(tower.blocks):
        half_way = x if number == _HALF_WAY else half_way
        qkv = block.attn.qkv(block.norm1(x)).view(n, length, 3, heads, -1)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        q, k = (y * cos + rotate_half(y) * sin for y in (q, k))
        mixed = attend(q, k, v).transpose(1, 2).reshape(n, length, -1)
        x = x + block.attn.proj(mixed)
        x = x + block.mlp(block.norm2(x))
    return Seen(tower.merger(x).view(n, length // MERGE**2, -1), x, half_way)


def _fused(function: _Plain) -> _Plain:
    """Compiled where there is a compiler: written out, these took more time than all products.

    Seen on one core, 8,192 × 256 in bf16, forward and backward: the norm 30 ms, compiled 4.6.
    """
    if shutil.which("g++") is None:
        return function
    return cast(_Plain, torch.compile(function, dynamic=True))


def _unit(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    y = x.float()
    return (y * torch.rsqrt(y.pow(2).mean(-1, keepdim=True) + eps)).to(x.dtype) * weight


@_fused
def _normed(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    return _unit(x, weight, eps)


@_fused
def _turned(x: Tensor, weight: Tensor, eps: float, cos: Tensor, sin: Tensor) -> Tensor:
    y = _unit(x, weight, eps)
    turned: Tensor = rotate_half(y)
    return y * cos + turned * sin


@_fused
def _gated(gate: Tensor, value: Tensor) -> Tensor:
    return F.silu(gate) * value


def _norm(x: Tensor, layer: Any) -> Tensor:
    return _normed(x, layer.weight, layer.variance_epsilon)


@dataclass(slots=True)
class Stream:
    """Token rows on their way through the language model."""

    x: Tensor
    """(batch, tokens, hidden)."""
    cos: Tensor
    sin: Tensor
    """(batch, 1, tokens, head width)."""

    @classmethod
    def start(cls, language: Any, x: Tensor, positions: Tensor) -> Stream:
        """`positions`: (3, batch, tokens) time, row and column."""
        cos, sin = (part[:, None].to(x.dtype) for part in language.rotary_emb(x, positions))
        return cls(x, cos, sin)

    def heads(self, layer: Any) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values, (batch, heads, tokens, head width) each."""
        a = layer.self_attn
        h = _norm(self.x, layer.input_layernorm)
        shape = (*h.shape[:2], -1, a.head_dim)
        q, k, v = (part(h).view(shape).transpose(1, 2) for part in (a.q_proj, a.k_proj, a.v_proj))
        q, k = (
            _turned(y, norm.weight, norm.variance_epsilon, self.cos, self.sin)
            for y, norm in ((q, a.q_norm), (k, a.k_norm))
        )
        groups = a.num_key_value_groups
        if groups > 1:
            k, v = k.repeat_interleave(groups, 1), v.repeat_interleave(groups, 1)
        return q, k, v

    def finish(self, layer: Any, mixed: Tensor) -> None:
        """Takes what attention mixed, (batch, heads, tokens, head width), and the layer's MLP."""
        x = self.x + layer.self_attn.o_proj(mixed.transpose(1, 2).flatten(2))
        h = _norm(x, layer.post_attention_layernorm)
        mlp = layer.mlp
        self.x = x + mlp.down_proj(_gated(mlp.gate_proj(h), mlp.up_proj(h)))


_TIMED, _STARTED = 2, 3
"""Layers after which early hidden states are taken."""


@dataclass(frozen=True, slots=True)
class Early:
    """Hidden states between layers, (batch, tokens, hidden) each."""

    timed: Tensor
    """Where visual tokens are to know their time."""
    started: Tensor
    """Where they are to know since when their shot is shown."""


def think(language: Any, rows: Stream) -> tuple[Tensor, Early]:
    """Runs the language model on rows padded behind.

    Returns:
        The last hidden states, (batch, tokens, hidden), and early ones.
    """
    length = rows.x.shape[1]
    # Added rather than filled in: its backward costs nothing.
    causal = torch.full((length, length), _NEVER, dtype=rows.x.dtype, device=rows.x.device).triu(1)
    timed = started = rows.x
    for number, layer in enumerate(language.layers):
        timed = rows.x if number == _TIMED else timed
        started = rows.x if number == _STARTED else started
        rows.finish(layer, attend(*rows.heads(layer), causal))
    return _norm(rows.x, language.norm), Early(timed, started)


_NEVER = -1e4

"""Forward passes over the HF model's own weights, batched and packed for training.

Equal to the library's forward (a test checks it); the library's takes one ragged sample at a time.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

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


def see(tower: Any, pixels: Tensor, *, rows: int, columns: int) -> tuple[Tensor, Tensor]:
    """Runs the vision tower on equal-sized pairs.

    Args:
        pixels: (pairs, rows·columns, 1536), rows and columns counted in patches.

    Returns:
        Visual tokens (pairs, rows·columns/4, hidden) and patch tokens (pairs, rows·columns, width).
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
    for block in tower.blocks:
        qkv = block.attn.qkv(block.norm1(x)).view(n, length, 3, heads, -1)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        q, k = (y * cos + rotate_half(y) * sin for y in (q, k))
        mixed = attend(q, k, v).transpose(1, 2).reshape(n, length, -1)
        x = x + block.attn.proj(mixed)
        x = x + block.mlp(block.norm2(x))
    return tower.merger(x).view(n, length // MERGE**2, -1), x


def _norm(x: Tensor, layer: Any) -> Tensor:
    return F.rms_norm(x, (x.shape[-1],), layer.weight.to(x.dtype), layer.variance_epsilon)


def think(language: Any, x: Tensor, *, positions: Tensor, mask: Tensor) -> Tensor:
    """Runs the language model on embeddings.

    Args:
        x: (batch, tokens, hidden).
        positions: (3, batch, tokens) time, row and column.
        mask: (batch, 1, tokens, tokens) bool, True where a token may look.
    """
    batch, length, _ = x.shape
    # Added rather than filled in: its backward costs nothing.
    bias = torch.zeros(mask.shape, dtype=x.dtype, device=x.device).masked_fill_(~mask, -1e4)
    cos, sin = (part[:, None].to(x.dtype) for part in language.rotary_emb(x, positions))
    for layer in language.layers:
        a = layer.self_attn
        h = _norm(x, layer.input_layernorm)
        shape = (batch, length, -1, a.head_dim)
        q = _norm(a.q_proj(h).view(shape), a.q_norm).transpose(1, 2)
        k = _norm(a.k_proj(h).view(shape), a.k_norm).transpose(1, 2)
        v = a.v_proj(h).view(shape).transpose(1, 2)
        q, k = (y * cos + rotate_half(y) * sin for y in (q, k))
        groups = a.num_key_value_groups
        if groups > 1:
            k, v = k.repeat_interleave(groups, 1), v.repeat_interleave(groups, 1)
        x = x + a.o_proj(attend(q, k, v, bias).transpose(1, 2).reshape(batch, length, -1))
        x = x + layer.mlp(_norm(x, layer.post_attention_layernorm))
    return _norm(x, language.norm)

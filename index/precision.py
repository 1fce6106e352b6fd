"""Which machine multiplies bf16 numbers itself; elsewhere fp32 is quicker, often by far."""

from __future__ import annotations

import torch


def multiplies_bf16(device: torch.device | str) -> bool:
    """GPUs and processors with instructions for it.

    Without them a bf16 product on a CPU was seen to take seventy times as long as in fp32.
    """
    device = torch.device(device)
    if device.type == "cpu":
        # Not public names; where torch drops them, fp32 is used and only slower.
        names = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
        return any(getattr(torch.cpu, name, bool)() for name in names)
    return device.type == "cuda" and torch.cuda.is_bf16_supported()

"""Pure bf16 compute with fp32 master weights; Muon for matrices inside blocks, AdamW elsewhere.

On CPUs with bf16 instructions this is several times faster than fp32 or autocast.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn


def cosine(step: int, *, steps: int, warmup: int, floor: float = 0.03) -> float:
    """Learning-rate factor: linear warm-up, then a cosine down to `floor`."""
    if step < warmup:
        return (step + 1) / warmup
    share = (step - warmup) / max(1, steps - warmup)
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * min(1.0, share)))


def held(
    step: int, *, steps: int, warmup: int, cooldown: float = 0.3, floor: float = 0.03
) -> float:
    """Learning-rate factor: warm-up, 1, and a straight line down to `floor` over the last share.

    Skills appear late and suddenly; a cosine has cooled by then.
    """
    if step < warmup:
        return (step + 1) / warmup
    left = (steps - step) / max(1.0, cooldown * steps)
    return max(floor, min(1.0, left))


class MasterWeights:
    """Optimises fp32 copies of a low-precision module's parameters."""

    def __init__(
        self,
        modules: Iterable[nn.Module],
        *,
        lr: float,
        matrix_lr: float,
        is_matrix: Callable[[str, nn.Parameter], bool],
        weight_decay: float = 0.05,
    ) -> None:
        named: dict[int, tuple[str, nn.Parameter]] = {}
        for module in modules:
            for name, parameter in module.named_parameters():
                if parameter.requires_grad:
                    named.setdefault(id(parameter), (name, parameter))
        self.live: list[Tensor] = [p for _, p in named.values()]
        self.master = [p.detach().clone().float() for p in self.live]
        flags = [is_matrix(n, p) for n, p in named.values()]
        matrices = [m for m, flag in zip(self.master, flags, strict=True) if flag]
        rest = [m for m, flag in zip(self.master, flags, strict=True) if not flag]
        self._optimizers: list[tuple[torch.optim.Optimizer, float]] = []
        if matrices:
            muon = torch.optim.Muon(matrices, lr=matrix_lr, weight_decay=weight_decay)
            self._optimizers.append((muon, matrix_lr))
        adam = torch.optim.AdamW(rest, lr=lr, betas=(0.9, 0.98), weight_decay=weight_decay)
        self._optimizers.append((adam, lr))

    def step(self, factor: float, *, max_norm: float = 1.0) -> None:
        """One step at `factor` times the learning rates; gradients are clipped and cleared."""
        for live, master in zip(self.live, self.master, strict=True):
            master.grad = live.grad.float() if live.grad is not None else None
            live.grad = None
        with_grad = [m for m in self.master if m.grad is not None]
        nn.utils.clip_grad_norm_(with_grad, max_norm)
        for optimizer, rate in self._optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate * factor
            optimizer.step()
        with torch.no_grad():
            torch._foreach_copy_(self.live, self.master)

    def state(self) -> dict[str, Any]:
        optimizers = [o.state_dict() for o, _ in self._optimizers]
        return {"master": self.master, "optimizers": optimizers}

    def load(self, state: dict[str, Any]) -> None:
        with torch.no_grad():
            for mine, saved in zip(self.master, state["master"], strict=True):
                mine.copy_(saved)
            torch._foreach_copy_(self.live, self.master)
        for (optimizer, _), saved in zip(self._optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)

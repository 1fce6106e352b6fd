"""Pure bf16 compute with fp32 master weights; Muon for matrices inside blocks, AdamW elsewhere.

On CPUs with bf16 instructions this is several times faster than fp32 or autocast; on others, where
it is many times slower, everything is fp32.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from index.errors import InputError
from index.precision import multiplies_bf16


def compute_dtype(device: str) -> torch.dtype:
    """What a model computes in while it is trained."""
    return torch.bfloat16 if multiplies_bf16(device) else torch.float32


def cosine(step: int, *, steps: int, warmup: int, floor: float = 0.03) -> float:
    """Learning-rate factor: linear warm-up, then a cosine down to `floor`."""
    if step < warmup:
        return (step + 1) / warmup
    share = (step - warmup) / max(1, steps - warmup)
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * min(1.0, share)))


def held(step: int, *, steps: int, warmup: int, cooldown: float, floor: float = 0.03) -> float:
    """Learning-rate factor: warm-up, 1, and a straight line down to `floor` over the last share.

    Skills appear late and suddenly; a cosine has cooled by then.
    """
    if step < warmup:
        return (step + 1) / warmup
    left = (steps - step) / max(1.0, cooldown * steps)
    return max(floor, min(1.0, left))


class Muon(torch.optim.Optimizer):
    """Momentum whose matrices are brought to singular values near one, then stepped along.

    Source: K. Jordan et al., Muon, 2024; coefficients as published there. Ours differs from
    torch.optim.Muon: equal shapes go through the iteration as one batch and in the type that this
    machine multiplies. Torch's is always in bf16, which took three quarters of a step here.
    """

    _COEFFICIENTS = (3.4445, -4.7750, 2.0315)
    _ROUNDS = 5

    def __init__(
        self, matrices: Iterable[Tensor], *, lr: float, weight_decay: float, momentum: float = 0.95
    ) -> None:
        defaults = {"lr": lr, "weight_decay": weight_decay, "momentum": momentum}
        super().__init__(list(matrices), defaults)

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            shapes: dict[torch.Size, list[Tensor]] = defaultdict(list)
            for matrix in group["params"]:
                if matrix.grad is not None:
                    shapes[matrix.shape].append(matrix)
            for shape, matrices in shapes.items():
                wanted = torch.stack([self._nesterov(m, group["momentum"]) for m in matrices])
                scale = group["lr"] * max(1.0, shape[0] / shape[1]) ** 0.5
                torch._foreach_mul_(matrices, 1 - group["lr"] * group["weight_decay"])
                steps = list(self._orthogonal(wanted).unbind(0))
                torch._foreach_add_(matrices, steps, alpha=-scale)

    def _nesterov(self, matrix: Tensor, momentum: float) -> Tensor:
        state, gradient = self.state[matrix], matrix.grad
        assert gradient is not None
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(matrix)
        running: Tensor = state["momentum"].lerp_(gradient, 1 - momentum)
        mixed: Tensor = gradient.lerp(running, momentum)
        return mixed

    def _orthogonal(self, wanted: Tensor) -> Tensor:
        """(n, rows, columns) -> the same with singular values near one."""
        a, b, c = self._COEFFICIENTS
        x = wanted.to(compute_dtype(wanted.device.type))
        tall = x.shape[1] > x.shape[2]
        x = x.mT if tall else x
        x = x / x.norm(dim=(1, 2), keepdim=True).clamp(min=1e-7)
        for _ in range(self._ROUNDS):
            square = x @ x.mT
            x = a * x + (b * square + c * square @ square) @ x
        done: Tensor = (x.mT if tall else x).to(wanted.dtype)
        return done


class MasterWeights:
    """Optimises fp32 copies of a low-precision module's parameters."""

    def __init__(
        self,
        modules: Iterable[nn.Module],
        *,
        lr: float,
        matrix_lr: float,
        is_matrix: Callable[[str, nn.Parameter], bool],
        is_whole: Callable[[str, nn.Parameter], bool] = lambda name, parameter: False,
        weight_decay: float = 0.05,
    ) -> None:
        """`is_matrix`: what Muon steps; `is_whole`: what no weight decay shrinks."""
        named: dict[int, tuple[str, nn.Parameter]] = {}
        for module in modules:
            for name, parameter in module.named_parameters():
                if parameter.requires_grad:
                    named.setdefault(id(parameter), (name, parameter))
        self.live: list[Tensor] = [p for _, p in named.values()]
        self.master = [p.detach().clone().float() for p in self.live]
        # Of each parameter in its turn: is it a matrix, is it whole?
        sorts = [(is_matrix(n, p), is_whole(n, p)) for n, p in named.values()]
        by_sort = list(zip(self.master, sorts, strict=True))
        self._optimizers: list[tuple[torch.optim.Optimizer, float]] = []
        if matrices := [m for m, (matrix, _) in by_sort if matrix]:
            muon = Muon(matrices, lr=matrix_lr, weight_decay=weight_decay)
            self._optimizers.append((muon, matrix_lr))
        rest = [m for m, sort in by_sort if sort == (False, False)]
        whole = [m for m, sort in by_sort if sort == (False, True)]
        groups: list[dict[str, Any]] = [{"params": rest}, {"params": whole, "weight_decay": 0.0}]
        adam = torch.optim.AdamW(groups, lr=lr, betas=(0.9, 0.98), weight_decay=weight_decay)
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
        """Raises InputError where the state is of another model; nothing is changed then."""
        shapes = [[m.shape for m in part] for part in (self.master, state["master"])]
        if shapes[0] != shapes[1]:
            raise InputError("a checkpoint is of another model", "name an empty --work folder")
        with torch.no_grad():
            for mine, saved in zip(self.master, state["master"], strict=True):
                mine.copy_(saved)
            torch._foreach_copy_(self.live, self.master)
        for (optimizer, _), saved in zip(self._optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)

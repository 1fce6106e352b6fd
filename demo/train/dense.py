"""A linear head that reads the dense labels off a tower's tokens, and its loss."""

from __future__ import annotations

from collections.abc import Collection

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from demo.train.labels import CHANNELS, CLASSES, IGNORE

_EMPTY_WEIGHT = 0.15
"""Most cells are empty: they count less than cells that hold something."""
_WEIGHTS = {"number": 2.0}
"""Of channels in the loss, where not 1: counting is learned last."""


class DenseHead(nn.Module):
    """Logits of every channel for every token."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, sum(CLASSES))

    def forward(self, tokens: Tensor) -> list[Tensor]:
        """(batch, cells, width) -> one (batch, cells, classes) a channel."""
        return list(self.linear(tokens).float().split(CLASSES, dim=-1))

    def loss(self, tokens: Tensor, labels: Tensor, *, skip: Collection[str] = ()) -> Tensor:
        """Weighted cross-entropy. `labels`: (batch, channels, cells)."""
        return dense_loss(self(tokens), labels, skip=skip)


def dense_loss(logits: list[Tensor], labels: Tensor, *, skip: Collection[str] = ()) -> Tensor:
    total = labels.new_zeros((), dtype=torch.float32)
    for index, name in enumerate(CHANNELS):
        if name in skip:
            continue
        weight = torch.ones(CLASSES[index], device=labels.device)
        weight[0] = _EMPTY_WEIGHT
        wanted = labels[:, index].reshape(-1)
        got = logits[index].reshape(-1, CLASSES[index])
        loss = F.cross_entropy(got, wanted, weight=weight, ignore_index=IGNORE)
        total = total + _WEIGHTS.get(name, 1.0) * loss
    return total


@torch.no_grad()
def dense_accuracy(logits: list[Tensor], labels: Tensor) -> dict[str, tuple[int, int]]:
    """Right and counted cells a channel, over the cells that hold something."""
    out = {}
    for index, name in enumerate(CHANNELS):
        wanted = labels[:, index]
        filled = wanted > 0
        got = logits[index][..., 1:].argmax(-1) + 1
        out[name] = (int((got == wanted)[filled].sum()), int(filled.sum()))
    return out

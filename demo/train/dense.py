"""A linear head that reads the dense labels off a tower's tokens, and its loss."""

from __future__ import annotations

from collections.abc import Collection

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from demo.train.labels import CHANNELS, CLASSES, IGNORE

_EMPTY_WEIGHT = 0.15
"""Most cells are empty: they count less than cells that hold something."""
_WEIGHTS = {"number": 4.0}
"""Of channels in the loss, where not 1: counting is learned last."""
_CLASS_WEIGHTS = {"number": (_EMPTY_WEIGHT, 0.5, 1.3, 1.0, 1.6)}
"""Of classes, where not 1: most things stand alone, and a tower that always says one is often
right."""


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


class HalfWayHead(nn.Module):
    """Reads off the middle of a tower what stands in a cell, and whether a thing's centre does.

    Numbers are left to the blocks behind it: they can count what the first ones have marked.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.things, self.centres = DenseHead(width), nn.Linear(width, 2)

    def loss(self, tokens: Tensor, labels: Tensor, centres: Tensor) -> Tensor:
        """`labels`: (batch, channels, cells); `centres`: (batch, cells), 1 or 0."""
        marked = self.centres(tokens).float().flatten(0, 1)
        weight = torch.tensor((_EMPTY_WEIGHT, 1.0), device=tokens.device)
        spots = F.cross_entropy(marked, centres.flatten(), weight=weight)
        return 0.5 * self.things.loss(tokens, labels, skip=("number",)) + spots


def dense_loss(logits: list[Tensor], labels: Tensor, *, skip: Collection[str] = ()) -> Tensor:
    total = labels.new_zeros((), dtype=torch.float32)
    for index, name in enumerate(CHANNELS):
        if name in skip:
            continue
        plain = (_EMPTY_WEIGHT, *(1.0 for _ in range(CLASSES[index] - 1)))
        weight = torch.tensor(_CLASS_WEIGHTS.get(name, plain), device=labels.device)
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

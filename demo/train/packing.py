"""Contexts and branches as one batch of token rows.

The clips' tokens stand once, then all branches; a block mask keeps branches from each other and
positions start again after the clips for every branch, so that each branch sees exactly what it
would see alone:

    [user, clips] [branch 1] [branch 2] …
     ^ all see it  ^ sees itself and the clips
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from demo.train.branches import Branch
from demo.train.contexts import Context
from demo.train.tokenizer import END, VIDEO_PAD, VISION_END, VISION_START

IGNORE = -100


@dataclass(slots=True)
class Packed:
    """A batch of rows; everything but the pixels."""

    ids: Tensor
    """(batch, tokens)"""
    positions: Tensor
    """(3, batch, tokens)"""
    mask: Tensor
    """(batch, 1, tokens, tokens) bool"""
    labels: Tensor
    """(batch, tokens): the next token where a reply is to be learned, else IGNORE."""
    owner: Tensor
    """(batch, tokens): branch number from 1, 0 for the shared part, -1 for padding."""
    visual: Tensor
    """Flat indices (over batch·tokens) of the visual tokens, in the order of views and pairs."""

    def to(self, device: str) -> Packed:
        moved = (getattr(self, name).to(device) for name in self.__slots__)
        return Packed(*moved)


class _Row:
    def __init__(self) -> None:
        self.ids: list[int] = []
        self.positions: list[tuple[int, int, int]] = []
        self.owner: list[int] = []
        self.labels: list[int] = []
        self.visual: list[int] = []
        self.next = 0

    def text(self, ids: Sequence[int], *, owner: int = 0, learn: bool = False) -> None:
        self.ids += ids
        self.positions += [(p, p, p) for p in range(self.next, self.next + len(ids))]
        self.owner += [owner] * len(ids)
        self.labels += ids if learn else [IGNORE] * len(ids)
        self.next += len(ids)

    def cells(self, pad_id: int, rows: int, columns: int) -> None:
        p = self.next
        self.visual += range(len(self.ids), len(self.ids) + rows * columns)
        self.ids += [pad_id] * (rows * columns)
        self.positions += [(p, p + r, p + c) for r in range(rows) for c in range(columns)]
        self.owner += [0] * (rows * columns)
        self.labels += [IGNORE] * (rows * columns)
        self.next += max(rows, columns)


class Packer:
    """Turns contexts and their branches into token rows."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast) -> None:
        self._encode = tokenizer.backend_tokenizer.encode
        id_of = tokenizer.convert_tokens_to_ids
        self._pad, self._open, self._close = (
            id_of(t) for t in (VIDEO_PAD, VISION_START, VISION_END)
        )
        self._head = self.encode("<|im_start|>user\n")
        self._turn = self.encode("<|im_end|>\n<|im_start|>assistant\n")
        self._end = [id_of(END)]

    def encode(self, text: str) -> list[int]:
        ids: list[int] = self._encode(text, add_special_tokens=False).ids
        return ids

    def _row(self, context: Context | None, branches: Sequence[Branch]) -> _Row:
        row = _Row()
        row.text(self._head)
        for view in context.views if context else ():
            for tag in view.tags():
                row.text([*self.encode(f"<{tag} seconds>"), self._open])
                row.cells(self._pad, view.rows, view.columns)
                row.text([self._close])
        start = row.next
        for number, branch in enumerate(branches, 1):
            row.next = start
            row.text(self.encode(branch.prompt) + self._turn, owner=number)
            row.text(self.encode(branch.reply) + self._end, owner=number, learn=True)
        return row

    def pack(
        self, contexts: Sequence[Context | None], branches: Sequence[Sequence[Branch]]
    ) -> Packed:
        rows = [self._row(c, b) for c, b in zip(contexts, branches, strict=True)]
        longest = max(len(r.ids) for r in rows)
        length = (longest + 15) // 16 * 16
        ids = np.zeros((len(rows), length), np.int64)
        positions = np.zeros((3, len(rows), length), np.int64)
        labels = np.full((len(rows), length), IGNORE, np.int64)
        owner = np.full((len(rows), length), -1, np.int64)
        visual: list[int] = []
        for i, row in enumerate(rows):
            n = len(row.ids)
            ids[i, :n], owner[i, :n] = row.ids, row.owner
            positions[:, i, :n] = np.array(row.positions).T
            labels[i, : n - 1] = row.labels[1:]
            visual += [i * length + v for v in row.visual]
        owners = torch.from_numpy(owner)
        earlier = torch.ones(length, length, dtype=torch.bool).tril()
        shared = owners[:, None, :] == 0
        mask = earlier & (shared | (owners[:, None, :] == owners[:, :, None]))
        mask |= torch.eye(length, dtype=torch.bool)
        return Packed(
            torch.from_numpy(ids),
            torch.from_numpy(positions),
            mask[:, None],
            torch.from_numpy(labels),
            owners,
            torch.tensor(visual, dtype=torch.long),
        )

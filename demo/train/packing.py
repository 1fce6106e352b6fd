"""Contexts and branches as one batch of token rows.

The clips' tokens stand once, then all branches; branches do not see each other, and positions start
again after the clips for every branch, so that each branch sees exactly what it would see alone:

    contexts (batch, C)      [user, clips]
    branches (batch, n, L)   [question, reply] [question, reply] …
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from demo.train.branches import Branch
from demo.train.codebook import digits_of
from demo.train.contexts import Context, Take
from demo.train.tokenizer import END, VIDEO_PAD, VISION_END, VISION_START, number_tokens

IGNORE = -100
_STEP = 8
"""Lengths are rounded up to this: few different shapes."""


@dataclass(slots=True)
class Packed:
    """A batch of rows; everything but the pixels."""

    context_ids: Tensor
    """(batch, C)"""
    context_positions: Tensor
    """(3, batch, C)"""
    valid: Tensor
    """(batch, C) bool: False where a context is padded."""
    branch_ids: Tensor
    """(batch, n, L)"""
    branch_positions: Tensor
    """(3, batch, n, L)"""
    labels: Tensor
    """(batch, n, L): the next token where a reply is to be learned, else IGNORE."""
    visual: Tensor
    """Flat indices (over batch·C) of the visual tokens, in the order of views and pairs."""
    times: Tensor
    """(2, visual tokens, 4): `codebook.digits_of` the whole seconds of each one's pair, and of the
    first pair of its shot."""

    def to(self, device: str) -> Packed:
        moved = (getattr(self, name).to(device) for name in self.__slots__)
        return Packed(*moved)


@dataclass(slots=True)
class _Row:
    ids: list[int] = field(default_factory=list)
    positions: list[tuple[int, int, int]] = field(default_factory=list)
    visual: list[int] = field(default_factory=list)
    times: list[tuple[list[int], list[int]]] = field(default_factory=list)
    """Of every visual token: its own and its shot's first, digit by digit."""
    next: int = 0

    def text(self, ids: Sequence[int]) -> None:
        self.ids += ids
        self.positions += [(p, p, p) for p in range(self.next, self.next + len(ids))]
        self.next += len(ids)

    def cells(self, pad_id: int, rows: int, columns: int) -> None:
        p = self.next
        self.visual += range(len(self.ids), len(self.ids) + rows * columns)
        self.ids += [pad_id] * (rows * columns)
        self.positions += [(p, p + r, p + c) for r in range(rows) for c in range(columns)]
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
        self._numbers = torch.tensor(id_of(number_tokens()))

    def encode(self, text: str) -> list[int]:
        ids: list[int] = self._encode(text, add_special_tokens=False).ids
        return ids

    def are_numbers(self, ids: Tensor) -> Tensor:
        """Which of some token ids are numbers of more than one digit; bool, the same shape."""
        return torch.isin(ids, self._numbers.to(ids.device))

    def _row(self, context: Context | None) -> _Row:
        row = _Row()
        row.text(self._head)
        for view in context.views if context else ():
            shown: Take | None = None
            start: list[int] = []
            for tag, (take, _, _) in zip(view.tags(), view.pairs(), strict=True):
                row.text([*self.encode(f"<{tag} seconds>"), self._open])
                row.cells(self._pad, view.rows, view.columns)
                digits = digits_of(tag.partition(".")[0])
                shown, start = take, start if take is shown else digits
                row.times += [(digits, start)] * (view.rows * view.columns)
                row.text([self._close])
        return row

    def pack(
        self, contexts: Sequence[Context | None], branches: Sequence[Sequence[Branch]]
    ) -> Packed:
        """One batch; every context has equally many branches."""
        rows = [self._row(context) for context in contexts]
        longest = _rounded(max(len(row.ids) for row in rows))
        ids = np.zeros((len(rows), longest), np.int64)
        positions = np.zeros((3, len(rows), longest), np.int64)
        valid = np.zeros((len(rows), longest), bool)
        visual: list[int] = []
        times: list[tuple[list[int], list[int]]] = []
        for i, row in enumerate(rows):
            n = len(row.ids)
            ids[i, :n], valid[i, :n] = row.ids, True
            positions[:, i, :n] = np.array(row.positions).T
            visual += [i * longest + v for v in row.visual]
            times += row.times
        branch_ids, labels = self._branches(branches)
        starts = np.array([row.next for row in rows])[None, :, None, None]
        places = starts + np.arange(branch_ids.shape[-1])
        return Packed(
            torch.from_numpy(ids),
            torch.from_numpy(positions),
            torch.from_numpy(valid),
            torch.from_numpy(branch_ids),
            torch.from_numpy(np.broadcast_to(places, (3, *branch_ids.shape)).copy()),
            torch.from_numpy(labels),
            torch.tensor(visual, dtype=torch.long),
            torch.tensor(times, dtype=torch.long).reshape(-1, 2, 4).transpose(0, 1),
        )

    def _branches(
        self, branches: Sequence[Sequence[Branch]]
    ) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.int64]], ...]:
        """Ids and labels, (batch, n, L) each."""
        prompts = [[self.encode(b.prompt) + self._turn for b in row] for row in branches]
        replies = [[self.encode(b.reply) + self._end for b in row] for row in branches]
        lengths = [
            len(p) + len(r)
            for some, others in zip(prompts, replies, strict=True)
            for p, r in zip(some, others, strict=True)
        ]
        shape = (len(branches), len(branches[0]), _rounded(max(lengths)))
        ids, labels = np.zeros(shape, np.int64), np.full(shape, IGNORE, np.int64)
        for i, (some, others) in enumerate(zip(prompts, replies, strict=True)):
            for j, (prompt, reply) in enumerate(zip(some, others, strict=True)):
                first, end = len(prompt), len(prompt) + len(reply)
                ids[i, j, :end] = prompt + reply
                # A token is predicted by the one before it.
                labels[i, j, first - 1 : end - 1] = reply
        return ids, labels


def _rounded(n: int) -> int:
    return (n + _STEP - 1) // _STEP * _STEP

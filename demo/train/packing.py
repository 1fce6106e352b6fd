"""Questions over contexts as batches of token rows: [user, lead, clips, prompt, reply].

A context is asked about several times: its visual tokens are made once and stand in every row that
asks about it. Each question has a row of its own, since it stands before its clips as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from demo.train.codebook import digits_of
from demo.train.contexts import Context, Take
from demo.train.tokenizer import END, VIDEO_PAD, VISION_END, VISION_START, number_tokens
from demo.train.topics import Branch

IGNORE = -100
_STEP = 8
"""Lengths are rounded up to this: few different shapes."""
_MOST_TOKENS = 4096
"""Tokens of a batch with its padding."""
_LONGER = 1.5
"""How many times as long as its shortest row a batch's longest may be."""


@dataclass(slots=True)
class Packed:
    """A batch of rows of about one length; everything but the visual tokens."""

    ids: Tensor
    """(batch, L)"""
    positions: Tensor
    """(3, batch, L)"""
    labels: Tensor
    """(batch, L): the next token where a reply is to be learned, else IGNORE."""
    asked: Tensor
    """(batch,): which question each row is, in the order of contexts and their branches."""
    places: Tensor
    """Flat indices (over batch·L) where visual tokens stand."""
    shown: Tensor
    """Which visual token stands there, in the order of contexts, views, pairs and cells."""
    times: Tensor
    """(2, places, 4): `codebook.digits_of` the whole seconds of each one's pair, and of the first
    pair of its shot."""

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
    reply: int = 0
    """Tokens of the reply, at the end."""
    asked: int = 0
    first_shown: int = 0
    """The step's visual tokens before this row's."""

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
    """Turns contexts and the questions over them into batches of rows."""

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

    def pack(
        self, contexts: Sequence[Context | None], branches: Sequence[Sequence[Branch]]
    ) -> list[Packed]:
        """Batches of rows, the short ones first: padding would cost more than they do."""
        rows: list[_Row] = []
        shown = 0
        for context, asked in zip(contexts, branches, strict=True):
            for branch in asked:
                row = self._row(context, branch)
                row.asked, row.first_shown = len(rows), shown
                rows.append(row)
            shown += len(rows[-1].visual)
        rows.sort(key=lambda row: len(row.ids))
        return [_packed(batch) for batch in _batches(rows)]

    def _row(self, context: Context | None, branch: Branch) -> _Row:
        row = _Row()
        row.text(self._head + self.encode(branch.lead))
        for view in context.views if context else ():
            shown: Take | None = None
            start: list[int] = []
            for tag, (take, _, _) in zip(view.tags(), view.pairs(), strict=True):
                row.text([*self.encode(f"<{tag} seconds>"), self._open])
                row.cells(self._pad, view.rows, view.columns)
                digits = digits_of(tag.partition(".")[0])
                if take is not shown:
                    shown, start = take, digits
                row.times += [(digits, start)] * (view.rows * view.columns)
                row.text([self._close])
        reply = self.encode(branch.reply) + self._end
        row.text(self.encode(branch.prompt) + self._turn + reply)
        row.reply = len(reply)
        return row


def _batches(rows: Sequence[_Row]) -> Iterator[list[_Row]]:
    """Rows that grow in length, cut where a batch would hold too many tokens or much padding."""
    batch: list[_Row] = []
    for row in rows:
        full = _rounded(len(row.ids)) * (len(batch) + 1) > _MOST_TOKENS
        if batch and (full or len(row.ids) > _LONGER * len(batch[0].ids)):
            yield batch
            batch = []
        batch.append(row)
    yield batch


def _packed(rows: Sequence[_Row]) -> Packed:
    length = _rounded(len(rows[-1].ids))
    ids = np.zeros((len(rows), length), np.int64)
    labels = np.full((len(rows), length), IGNORE, np.int64)
    positions = np.zeros((3, len(rows), length), np.int64)
    places: list[int] = []
    shown: list[int] = []
    times: list[tuple[list[int], list[int]]] = []
    for i, row in enumerate(rows):
        n = len(row.ids)
        ids[i, :n] = row.ids
        positions[:, i, :n] = np.array(row.positions).T
        # A token is predicted by the one before it.
        labels[i, n - row.reply - 1 : n - 1] = row.ids[n - row.reply :]
        places += [i * length + v for v in row.visual]
        shown += range(row.first_shown, row.first_shown + len(row.visual))
        times += row.times
    return Packed(
        torch.from_numpy(ids),
        torch.from_numpy(positions),
        torch.from_numpy(labels),
        torch.tensor([row.asked for row in rows]),
        torch.tensor(places, dtype=torch.long),
        torch.tensor(shown, dtype=torch.long),
        torch.tensor(times, dtype=torch.long).reshape(-1, 2, 4).transpose(0, 1),
    )


def _rounded(n: int) -> int:
    return (n + _STEP - 1) // _STEP * _STEP

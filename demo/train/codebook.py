"""A fixed vector for every label: the meeting point of the vision tower and the language model.

What stands in a cell is the sum of its labels' vectors. The language model learns to answer from
such sums before it has seen a pixel (cheap, and where binding is learned), the tower learns to
produce them; then both are trained together on pixels. With squared error the tower's output is the
labels' vectors weighed by their probabilities.
"""

from __future__ import annotations

import random
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from demo.phrases import NUMBER_WORDS, PLURAL_ACTIONS, plural
from demo.train.dense import dense_loss
from demo.train.labels import CHANNELS, CLASSES, IGNORE, Labels
from demo.train.tokenizer import number_tokens
from demo.world import ACTIONS, COLOURS, KINDS, MAX_COUNT, PLACES

_SEED = 20_261
_LONGEST_NUMBER = 4
"""Digits of a number that is one token."""
_DIGITS = "0123456789"


def codes(width: int) -> tuple[list[Tensor], Tensor]:
    """A (classes, width) table a channel, class 0 zero, and (places, width); rows are ~ 1 long."""
    generator = torch.Generator().manual_seed(_SEED)

    def drawn(n: int) -> Tensor:
        rows: Tensor = torch.randn(n, width, generator=generator) / width**0.5
        return rows

    tables = [drawn(classes) for classes in CLASSES[:-1]]
    # Older weights had one code here, no numbers: in this order all others stay as they were.
    first = drawn(2)
    places = drawn(len(PLACES))
    tables.append(torch.cat((first, drawn(CLASSES[-1] - 2))))
    for table in tables:
        table[0] = 0
    return tables, places


_FAMILIES = (*CHANNELS, "place")


def _words() -> list[tuple[str, int, tuple[str, ...]]]:
    """(channel or "place", class, words that name it).

    Digits are left out: they also make up the times before every pair, and a sign that looks like
    its time tag is not found (seen: at chance for 700 steps).
    """
    named: list[tuple[str, int, tuple[str, ...]]] = []
    for index, kind in enumerate(KINDS, 1):
        named.append(("kind", index, (kind, plural(kind))))
    for index, colour in enumerate(COLOURS, 1):
        named.append(("colour", index, (colour,)))
    for index, action in enumerate(ACTIONS, 1):
        last = action.split()[-1]
        named.append(("action", index, (last, PLURAL_ACTIONS[action].split()[-1])))
    for number in range(1, MAX_COUNT + 1):
        named.append(("number", number, (NUMBER_WORDS[number],)))
    return named + [("place", index, (place,)) for index, place in enumerate(PLACES)]


def name_the_codes(embeddings: Tensor, tokenizer: Any) -> None:
    """Gives the words of a label its code vector for an embedding, where they are one token.

    What is seen and what names it then begin alike, so that looking a word up in a picture, and
    saying what was found, need not be learned label by label.

    Args:
        embeddings: (vocabulary, width), changed in place.
    """
    tables, places = codes(embeddings.shape[1])
    code_of = dict(zip(_FAMILIES, (*tables, places), strict=True))
    with torch.no_grad():
        for family, index, words in _words():
            for word in {form for w in words for form in (w, f" {w}")}:
                ids = tokenizer.encode(word, add_special_tokens=False)
                if len(ids) == 1:
                    embeddings[ids[0]] = code_of[family][index].to(embeddings.dtype)


@cache
def digit_codes(width: int) -> Tensor:
    """(2, 4 places, 11, width): codes of the digits 0 to 9 and of no digit, ones first.

    The first set makes numbers and a pair's own time, the second the time since when its shot is
    shown. All are at right angles, so that one head of attention has room for a number, and what
    learns to carry some numbers carries all.
    """
    generator = torch.Generator().manual_seed(_SEED + 1)
    shape = (_LONGEST_NUMBER, len(_DIGITS) + 1, width)
    drawn = [torch.randn(width, shape[0] * shape[1], generator=generator) for _ in range(2)]
    axes, _ = torch.linalg.qr(torch.cat(drawn, 1))
    return torch.stack([part.T.reshape(shape) for part in axes.chunk(2, 1)])


def digits_of(number: str) -> list[int]:
    """Rows of `digit_codes` for the last four digits of a number."""
    # No digit has a code as well: else 57 would be as near to 1157 as to itself.
    places = number[-_LONGEST_NUMBER:].rjust(_LONGEST_NUMBER)
    return [_DIGITS.find(digit) % (len(_DIGITS) + 1) for digit in reversed(places)]


def number_codes(width: int) -> Tensor:
    """(numbers, width): the sum of its digits' codes for each of `tokenizer.number_tokens`."""
    digits = torch.tensor([digits_of(number) for number in number_tokens()])
    places = digit_codes(width)[0]
    return torch.stack([place[digits[:, k]] for k, place in enumerate(places)]).sum(0)


def time_loss(cells: Tensor, digits: Tensor, *, which: int) -> Tensor:
    """How badly hidden states say a time of their pair, as cross-entropy of its digits.

    A tag stands before its pair, so a cell that is found can give its time only if it fetched it,
    and a span can be told only if the pair's time and the shot's start do not blur into one. Left
    to the requests alone models learn neither half: fetching is of no use without finding.

    Args:
        cells: (cells, width) hidden states of visual tokens.
        digits: (cells, 4) `digits_of` the whole seconds.
        which: set of `digit_codes`: 0 for the pair's own time, 1 for the start of its shot.
    """
    codes = digit_codes(cells.shape[1])[which].to(cells.device)
    scores = torch.einsum("cw,pdw->cpd", cells.float(), codes)
    return nn.functional.cross_entropy(scores.flatten(0, 1), digits.flatten())


def hold_numbers(embeddings: nn.Parameter, tokenizer: Any) -> None:
    """Gives every number's token its code for an embedding, and lets no gradient reach it.

    Most numbers are seldom seen: trained, each would drift from the code that it is read by.

    Args:
        embeddings: (vocabulary, width), changed in place.
    """
    ids = torch.tensor(tokenizer.convert_tokens_to_ids(number_tokens()))
    with torch.no_grad():
        embeddings[ids] = number_codes(embeddings.shape[1]).to(embeddings.dtype)

    def without_numbers(gradient: Tensor) -> Tensor:
        return gradient.index_fill(0, ids.to(gradient.device), 0.0)

    hook: Any = embeddings.register_hook  # Torch gives it no type.
    hook(without_numbers)


class CodeHead(nn.Module):
    """Reads labels off visual tokens by their code vectors, and scores tokens against the codes."""

    def __init__(self, width: int) -> None:
        super().__init__()
        tables, places = codes(width)
        self.tables: list[Tensor] = tables
        self.places: Tensor = places
        self.scale = nn.Parameter(torch.full((len(CHANNELS) + 1,), 10.0))
        self.bias = nn.Parameter(torch.full((len(CHANNELS),), -5.0))

    def logits(self, tokens: Tensor) -> list[Tensor]:
        """(batch, cells, width) -> one (batch, cells, classes) a channel."""
        out = []
        for index in range(len(CHANNELS)):
            table = self.tables[index].to(tokens.device)
            filled = torch.ones(len(table), device=tokens.device)
            filled[0] = 0
            score = tokens.float() @ table.T * self.scale[index].float()
            out.append(score + self.bias[index].float() * filled)
        return out

    def target(self, labels: Tensor, place: Tensor) -> Tensor:
        """(batch, channels, cells), (batch,) -> the sums (batch, cells, width)."""
        total = self.places.to(labels.device)[place][:, None]
        for index, table in enumerate(self.tables):
            total = total + table.to(labels.device)[labels[:, index].clamp(min=0)]
        return total

    def loss(self, tokens: Tensor, labels: Tensor, place: Tensor) -> Tensor:
        """Cross-entropy of every channel and of the place, plus squared error to the codes."""
        named = (labels != IGNORE).all(1)
        filled = (labels[:, : CHANNELS.index("digit")] > 0).any(1)
        weight = torch.where(filled, 1.0, 0.15) * named
        error = (tokens.float() - self.target(labels, place)).pow(2).sum(-1)
        squared = (error * weight).sum() / weight.sum()
        guess = tokens.float().mean(1) @ self.places.to(tokens.device).T * self.scale[-1].float()
        where = nn.functional.cross_entropy(guess, place)
        return dense_loss(self.logits(tokens), labels) + squared + 0.5 * where


# How often a label of a cell is taken for another one of its channel, about what an early tower
# shows; actions are hard to tell from one pair of frames.
CONFUSION = dict(zip(CHANNELS, (0.06, 0.03, 0.20, 0.06, 0.12), strict=True))
NOISE = 0.3
"""Length of the random vector added to every symbolic token."""


class SymbolicTower:
    """Visual tokens made from labels, with the errors a tower makes."""

    def __init__(self, width: int) -> None:
        tables, places = codes(width)
        self.tables, self.places = [t.numpy() for t in tables], places.numpy()
        self.width = width

    def tokens(self, labels: Labels, place_index: int, rng: random.Random) -> NDArray[np.float32]:
        """(channels, rows, columns) -> (cells, width) float32."""
        chance = np.random.default_rng(rng.getrandbits(32))
        flat = labels.reshape(len(CHANNELS), -1)
        total = np.repeat(self.places[place_index][None], flat.shape[1], 0)
        for channel, (name, table) in enumerate(zip(CHANNELS, self.tables, strict=True)):
            seen = flat[channel]
            wrong = chance.random(len(seen)) < CONFUSION[name] * (seen > 0)
            random_label = chance.integers(0, len(table), len(seen))
            share = chance.random(len(seen))[:, None].astype(np.float32)
            other = np.where(wrong, random_label, seen)
            total = total + share * table[other] + (1 - share) * table[seen]
        noise = chance.normal(0, NOISE / self.width**0.5, total.shape)
        return (total + noise).astype(np.float32)

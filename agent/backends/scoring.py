"""Probabilities read from a model's logits: words at the first position, whole options as replies.

Two spellings of a word are two tokens, so words are compared as groups of first tokens; a token
that begins words of two groups says nothing and is left out of both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from index.errors import ModelError

YES = ("yes", "Yes", "YES", " yes", " Yes")
NO = ("no", "No", "NO", " no", " No")


def letter_spellings(option_index: int) -> tuple[str, ...]:
    """How a model may begin to write the letter of an option: "a", " a", "(a", "A", …"""
    letter = "abcdefghijklmnopqrstuvwxyz"[option_index]
    forms = (letter, letter.upper())
    return tuple(before + form for before in ("", " ", "(") for form in forms)


def first_token_groups(tokenizer: Any, words: Sequence[Sequence[str]]) -> list[list[int]]:
    """First-token ids of each group of spellings; a token of two groups is in neither.

    Raises:
        ModelError: the tokenizer leaves a group without a token of its own.
    """
    groups = [
        {tokenizer.encode(word, add_special_tokens=False)[0] for word in group} for group in words
    ]
    shared = {token for token, count in Counter(t for g in groups for t in g).items() if count > 1}
    distinct = [sorted(group - shared) for group in groups]
    for group, spellings in zip(distinct, words, strict=True):
        if not group:
            raise ModelError(f"this model's tokenizer cannot tell {spellings[0]!r} from the others")
    return distinct


def group_probabilities(
    logits: Tensor, groups: Sequence[Sequence[int]]
) -> tuple[tuple[float, ...], float]:
    """Each group's share of the probability of all groups, and the mass of all groups together.

    Args:
        logits: (V,) of one position.
        groups: token ids, disjoint.
    """
    log_probabilities = torch.log_softmax(logits.double(), dim=-1)
    per_group = torch.stack([torch.logsumexp(log_probabilities[list(g)], dim=-1) for g in groups])
    shares = torch.softmax(per_group, dim=-1)
    mass = min(1.0, float(per_group.exp().sum()))
    return tuple(float(share) for share in shares), mass


def mean_log_probabilities(first: Tensor, rest: Tensor, options: Sequence[Sequence[int]]) -> Tensor:
    """Mean log-probability per token of each option, (K,) float64.

    Args:
        first: (V,) logits of the position right after the prompt.
        rest: (K, L, V) logits of the positions after each option's tokens 0, 1, …; L is the
            longest option's length less one, and may be 0.
        options: K lists of token ids, none empty.
    """
    means = []
    first_logs = torch.log_softmax(first.double(), dim=-1)
    for row, tokens in enumerate(options):
        total = first_logs[tokens[0]]
        if len(tokens) > 1:
            logs = torch.log_softmax(rest[row, : len(tokens) - 1].double(), dim=-1)
            following = torch.tensor(tokens[1:], device=logs.device)
            total = total + logs.gather(-1, following[:, None]).sum()
        means.append(total / len(tokens))
    return torch.stack(means)


def token_log_probabilities(logits: Sequence[Tensor], tokens: Tensor) -> Tensor:
    """Log-probability of every token of replies that were written side by side, (B, L) float64.

    Args:
        logits: L times (B, V), those that each token was taken from.
        tokens: (B, L).
    """
    # One step at a time: a vocabulary of 150,000 in float64 is a megabyte a token.
    steps = zip(logits, tokens.T, strict=True)
    said = [torch.log_softmax(z.double(), dim=-1).gather(-1, t[:, None])[:, 0] for z, t in steps]
    return torch.stack(said, dim=1)


def score_branches(
    model: Any,
    *,
    first: Tensor,
    cache: Any,
    options: Sequence[Sequence[Sequence[int]]],
    positions: Tensor,
    mask: Tensor,
) -> list[Tensor]:
    """Mean log-probability per token of each prompt's options, after prompts that were read once.

    The options are branches of one batch over the prompts' cache, which is consumed. Short rows
    are filled up on the right: under causal attention nothing before the filling sees it.

        prompt (cached) ─┬─ r  e  d  ▮     tokens fed: all of an option but its last
                         ├─ b  l  u  e
                         └─ t  w  o  ▮

    Args:
        first: (B, V) logits after each prompt.
        cache: the prompts' key-value cache.
        options: for each prompt its options' tokens.
        positions: (A, B, L) or (B, L) position ids of the L tokens after each prompt, given
            explicitly because the Qwen classes otherwise take them from hidden state of the
            module, which another call may have changed.
        mask: (B, P), 1 for the tokens of the prompts and 0 for what fills them up on the left.
    """
    branches = [(row, tokens) for row, of_prompt in enumerate(options) for tokens in of_prompt]
    length = max(len(tokens) for _, tokens in branches) - 1
    rest = first.new_zeros(len(branches), 0, first.shape[-1])
    if length > 0:
        rows = torch.tensor([row for row, _ in branches], device=first.device)
        fed = torch.zeros(len(branches), length, dtype=torch.long, device=first.device)
        for branch, (_, tokens) in enumerate(branches):
            fed[branch, : len(tokens) - 1] = torch.tensor(tokens[:-1])
        if len(options) == 1:
            cache.batch_repeat_interleave(len(branches))
        else:
            cache.batch_select_indices(rows)
        rest = model(
            input_ids=fed,
            position_ids=positions[..., rows, :length],
            attention_mask=torch.cat([mask[rows], mask.new_ones(len(branches), length)], dim=-1),
            past_key_values=cache,
            use_cache=True,
        ).logits
    means, done = [], 0
    for row, of_prompt in enumerate(options):
        of_row = rest[done : done + len(of_prompt)]
        means.append(mean_log_probabilities(first[row], of_row, of_prompt))
        done += len(of_prompt)
    return means

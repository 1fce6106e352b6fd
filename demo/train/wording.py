"""Questions in the words of the project's own prompt files, loosened now and then."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from functools import cache

from prompts.render import render

_SLOT = "\ue002"
_CUES = {
    "answer": "Answer in a few words.",
    "reflect": "Answer yes or no.",
    "request": "Reply with <span>",
}
"""What stands for a prompt file's instruction where many questions share a row."""
_LOOSE_SHARE, _LEFT_OUT, _PUT_IN = 0.4, 0.15, 0.1
_WORD = re.compile(r"\n|[^\S\n]*\S+")
_FILLERS = (
    *("please", "just", "now", "here", "so", "well", "then", "only", "quite", "rather", "really"),
    *("simply", "also", "still", "always", "clearly", "surely", "again", "once", "today", "maybe"),
    *("perhaps", "indeed", "exactly", "briefly", "kindly", "carefully", "truly", "given", "said"),
    *("each", "more", "less", "good", "short", "plain", "whole", "full", "clear"),
)
"""Words that change nothing; "very" is not among them: the report tries it as an unknown one."""


@cache
def _around(name: str) -> tuple[str, str, str]:
    """What stands before the clips, and behind them before and after the question."""
    values = {} if name == "caption" else {"question": _SLOT, "options": ()}
    *lead, text = render(name, n_clips=1, **values).parts
    before, found, after = str(text).partition(_SLOT)
    start = "".join(part for part in lead if isinstance(part, str))
    return (start, before, after) if found else (start, "", before)


def worded(
    name: str, question: str = "", *, rng: random.Random | None = None, short: bool = False
) -> tuple[str, str]:
    """The prompt file's text before the clips and behind them, quickly.

    Args:
        short: only a few words of it.
        rng: now and then words of the instruction are left out and others put in, so that no model
            learns one string.
    """
    lead, before, after = _around(name)
    if short:
        after = f"\n{_CUES[name]}"
    elif rng is not None and rng.random() < _LOOSE_SHARE:
        after = "".join(_loosened(_WORD.findall(after), rng))
    again = f"{before}{question}" if before else ""
    return lead.replace(_SLOT, question), f"{again}{after}"


def _loosened(words: Sequence[str], rng: random.Random) -> Iterator[str]:
    for word in words:
        if rng.random() < _PUT_IN:
            yield f" {rng.choice(_FILLERS)}"
        if rng.random() > _LEFT_OUT:
            yield word

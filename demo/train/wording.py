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
def _around(name: str) -> tuple[str, str]:
    values = {} if name == "caption" else {"question": _SLOT, "options": ()}
    parts = render(name, n_clips=0, **values).text.split(_SLOT)
    return (parts[0], parts[1]) if len(parts) == 2 else (parts[0], "")


def prompt(
    name: str, question: str = "", *, rng: random.Random | None = None, short: bool = False
) -> str:
    """The prompt file's text after the clips, quickly.

    Args:
        short: only a few words of it.
        rng: now and then words of the instruction are left out and others put in, so that no model
            learns one string.
    """
    before, after = _around(name)
    if short:
        return f"{before}{question}\n{_CUES[name]}"
    if rng is not None and rng.random() < _LOOSE_SHARE:
        after = "".join(_loosened(_WORD.findall(after), rng))
    return f"{before}{question}{after}"


def _loosened(words: Sequence[str], rng: random.Random) -> Iterator[str]:
    for word in words:
        if rng.random() < _PUT_IN:
            yield f" {rng.choice(_FILLERS)}"
        if rng.random() > _LEFT_OUT:
            yield word

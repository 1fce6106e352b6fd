"""What a model's reply says, without what it only repeats."""

from __future__ import annotations

import re

_TWICE = re.compile(r"\b(\w+(?: \w+)+)(?:(?:,? and|,) \1\b)+(?=[.,;!?]|$)", re.I)


def said_once(reply: str) -> str:
    """The reply on one line; words that are listed twice in a row stand once.

    Small models repeat themselves: shown one thing they list it twice ("two white cars and two
    white cars"), where there would be four. Single words are left ("over and over"), and so is what
    goes on differently ("a man and a man in a hat").
    """
    return _TWICE.sub(r"\1", " ".join(reply.split()))

"""Probabilities out of what a model says, for servers that do not give those of its tokens."""

from __future__ import annotations

import re
from collections.abc import Sequence

SAID = 0.9
"""What a bare "yes", or a bare letter of an option, is worth: more than that nobody knows of it."""
_NUMBER = re.compile(r"(?<![\w.])(?P<value>\d{1,3}(?:\.\d+)?)(?![\w.]*\d)\s*(?P<percent>%?)")
_YES_OR_NO = re.compile(r"^\W*(?P<word>yes|no)\b", re.I)
_LETTER = re.compile(r"^\W*(?:(?:option|answer)\W*)?(?P<letter>[a-z])(?=\W|$)", re.I)
_THOUGHT = re.compile(r"<think>.*?(?:</think>|$)", re.S)


def without_thoughts(text: str) -> str:
    """A reply without what a model thinks aloud first."""
    return _THOUGHT.sub("", text).strip()


def said_probability(text: str) -> float | None:
    """0..1 from "85", "85 %", "0.85", "yes" or "no"; None where none of these is said."""
    if found := _YES_OR_NO.match(text):
        return SAID if found["word"].lower() == "yes" else 1 - SAID
    found = _NUMBER.search(text)
    if found is None:
        return None
    value = float(found["value"])
    is_share = "." in found["value"] and value <= 1 and not found["percent"]
    return value if is_share else (value / 100 if value <= 100 else None)


def said_choice(text: str, options: Sequence[str]) -> int | None:
    """The option that a reply names, by its letter or in its own words; None where it does not."""
    plain = " ".join(text.split()).strip(" .\"'").casefold()
    for position, option in enumerate(options):
        if plain == " ".join(option.split()).strip(" .\"'").casefold():
            return position
    found = _LETTER.match(text.strip())
    if found is None:
        return None
    position = ord(found["letter"].lower()) - ord("a")
    return position if position < len(options) else None


def shares(choice: int, n_options: int) -> tuple[float, ...]:
    """A distribution over options from the one that was said."""
    rest = (1 - SAID) / (n_options - 1)
    return tuple(SAID if position == choice else rest for position in range(n_options))

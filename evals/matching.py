"""Is an answer right? Options by position, spans by overlap, words after normalising.

Words are compared without case, punctuation, articles and prepositions of place, numbers as
digits, plurals and verb endings dropped: "two red boats" is "2 red boats", "moves left" is "move
left", "on the beach" is "beach". An LLM as judge is not used.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.plan import number_in, times_in
from evals.items import Item, Outcome
from evals.metrics import match_f1
from index.types import Span

RIGHT_TIOU = 0.3
"""A "when" answer is right from this tIoU with a true span."""
RIGHT_SET_F1 = 0.8
"""A list of moments is right from this F1 of matched spans: 2 of 2, 2 of 3, 4 of 5."""

_DIGITS = {
    word: str(value)
    for value, word in enumerate(
        ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
    )
}
_DROPPED = frozenset(("a", "an", "the", "in", "on", "at", "it", "they", "there", "night", "to"))
_COPULA = re.compile(r"^.*\b(?:is|are|says?|shows?)\b")
_MOVING = re.compile(r"\b(?:moves?|moving|goes|go|going)\b")
_LONGEST_UNINFLECTED = 3
"""Words of at most so many letters keep their s: "bus"."""


def is_right(item: Item, outcome: Outcome) -> bool:
    """Whether the outcome is the truth of the item.

    An absent subject is right only as "not_found". Of a present one a marked best guess counts
    like an answer, since baselines always guess; a rejection is wrong.
    """
    if item.is_absent:
        return outcome.status == "not_found"
    if outcome.status == "not_found":
        return False
    if item.options:
        return outcome.choice is not None and item.options[outcome.choice] == item.answer
    if item.kind == "when":
        return when_is_right(spans_of(outcome), item.evidence)
    if item.kind in ("first", "last"):
        # The evidence is every time, so that which one is asked for can be known. The demo world
        # has no "last"; the agent has, and a batch's questions are of the agent's kinds.
        return when_is_right(spans_of(outcome), times_in(item.answer))
    if item.kind == "all":
        return all_f1(spans_of(outcome), item.evidence) >= RIGHT_SET_F1
    if item.kind == "times":
        return number_in(outcome.answer) == number_in(item.answer)
    reply = outcome.answer
    if item.kind == "direction":
        reply = _MOVING.sub(" ", reply.lower())
    return same_words(reply, item.answer)


def spans_of(outcome: Outcome) -> tuple[Span, ...]:
    """The answer in time: as given, else as its words name it."""
    return outcome.spans or tuple(times_in(outcome.answer))


def when_is_right(spans: Sequence[Span], true: Sequence[Span]) -> bool:
    """Whether the one span given overlaps a true one enough; several given are a hedge."""
    return len(spans) == 1 and any(spans[0].tiou(t) >= RIGHT_TIOU for t in true)


def all_f1(spans: Sequence[Span], true: Sequence[Span]) -> float:
    """F1 of the spans matched one to one with the true ones at tIoU 0.3."""
    return match_f1(spans, true, tiou=RIGHT_TIOU)


def same_words(reply: str, right: str) -> bool:
    """Whether the reply, or what it says after "is", is the right answer in other clothes."""
    wanted = normalised(right)
    return bool(wanted) and wanted in (
        normalised(reply),
        normalised(_COPULA.sub("", reply.lower())),
    )


def normalised(text: str) -> tuple[str, ...]:
    """The words that count: "Two red boats." → ("2", "red", "boat")."""
    words = [_DIGITS.get(w, w) for w in re.findall(r"[a-z]+|\d+", text.lower())]
    words = [_stem(w) for w in words if w not in _DROPPED]
    # "one red boat" and "a red boat" are the same; "one" alone is a number.
    return tuple(words[1:] if len(words) > 1 and words[0] == "1" else words)


def _stem(word: str) -> str:
    if len(word) > _LONGEST_UNINFLECTED and word.endswith("s") and not word.endswith("ss"):
        return word[:-1]
    return word

"""What a question asks for, by its first words.

A VideoLLM's P(yes) is not of one scale: "is the evidence for *what colour is the house* in these
frames?" may be judged lower throughout than the same about *when does the red house appear*. So
fits of looks are kept for each type of answer beside that of all (agent/confidence.py).
"""

from __future__ import annotations

import re
from typing import Literal

AnswerType = Literal["time", "place", "colour", "number", "other"]

_FIRST_WORDS: dict[AnswerType, str] = {
    "time": r"(?:when|(?:(?:at|from) )?(?:what|which) (?:time|moment|point|minute|second))\b",
    "place": r"(?:where|(?:(?:in|on|at) )?(?:what|which) (?:place|location))\b",
    "colour": r"(?:what|which) colou?rs?\b",
    "number": r"how many\b",
}


def answer_type_of(question: str) -> AnswerType:
    """What a question, or what a look is judged by, asks for."""
    text = " ".join(question.split())
    found = (each for each, pattern in _FIRST_WORDS.items() if re.match(pattern, text, re.I))
    return next(found, "other")

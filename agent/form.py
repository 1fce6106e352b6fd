"""What a question asks for, by its first words.

A VideoLLM's P(yes) is not of one scale: "is the evidence for *what colour is the house* in these
frames?" may be judged lower throughout than the same about *when does the red house appear*. So
fits of looks are kept for each form beside that of all (agent/confidence.py).
"""

from __future__ import annotations

import re
from typing import Literal

Form = Literal["time", "place", "colour", "number", "other"]

_FORMS: dict[Form, str] = {
    "time": r"(?:when|(?:(?:at|from) )?(?:what|which) (?:time|moment|point|minute|second))\b",
    "place": r"(?:where|(?:(?:in|on|at) )?(?:what|which) (?:place|location))\b",
    "colour": r"(?:what|which) colou?rs?\b",
    "number": r"how many\b",
}


def form_of(question: str) -> Form:
    """The form of a question, or of what a look is judged by."""
    text = " ".join(question.split())
    found = (form for form, pattern in _FORMS.items() if re.match(pattern, text, re.I))
    return next(found, "other")

"""Questions about the order of several things, and about a first or last time; pure functions.

"Which comes first, the red car or the blue boat?", "In what order do … appear?" and "Does … appear
before …?" name things that are found one after the other, each by a search of its own
(agent/order.py). "When does … first appear?" asks for one moment of a set.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Asks = Literal["first", "last", "sequence", "before", "after"]
Edge = Literal["first", "last"]
MOST_THINGS = 8
"""A list of more things than this is read as something else."""

_APPEARS = (
    r"(?:comes?|came|appears?|appeared|happens?|happened|occurs?|is\s+(?:shown|seen|there)"
    r"|are\s+(?:shown|seen|there)|was\s+(?:shown|seen)|were\s+(?:shown|seen)|do\s+we\s+see)"
)
_RANK = r"(?P<rank>first|earlier|last|later)"
_NOUN = r"(?:which|what|who)(?:\s+(?:one|thing|event|scene|shot|moment))?"
_WHICH = re.compile(rf"^{_NOUN}\s+{_APPEARS}\s+{_RANK}\s*[,:;–—-]\s*(?P<things>.+)$", re.I)
_WHICH_OF = re.compile(
    rf"^{_NOUN}\s+of\s+(?P<things>.+?)\s+{_APPEARS}\s+{_RANK}$",
    re.I,
)
_SEQUENCE = re.compile(
    r"^in\s+(?:what|which)\s+order\s+(?:do|does|did|are|is|were|was)\s+(?P<things>.+?)"
    r"(?:\s+(?:appear|come|happen|occur|shown|seen))?$"
    r"|^what\s+is\s+the\s+order\s+of\s+(?P<of>.+)$"
    r"|^(?:put|bring|sort)\s+(?P<sorted>.+?)\s+in(?:to)?\s+(?:the\s+)?(?:right\s+)?order$",
    re.I,
)
_SIDES = re.compile(
    r"^(?:do|does|did)\s+(?P<a>.+?)\s+(?:appear|come|happen|occur)\s+(?P<side>before|after)\s+"
    r"(?P<b>.+?)(?:\s+(?:does|do|did|appears?|comes?))?$"
    r"|^(?:is|are|was|were)\s+(?P<c>.+?)\s+(?:shown|seen|there)\s+(?P<also>before|after)\s+"
    r"(?P<d>.+?)(?:\s+(?:is|are|was|were))?$",
    re.I,
)
_LISTED = re.compile(r"\s*,\s*(?:and\s+|or\s+)?|\s+or\s+|\s+and\s+(?=(?:the|an?)\s)", re.I)

_FIRST_TIME = re.compile(
    r"^(?P<head>when\s+(?:do|does|did|is|are|was|were|can)\s+.+?)\s+(?P<rank>first|last)\s+"
    r"(?P<verb>appear|come|happen|occur|seen|shown|visible|be\s+seen)\b(?P<tail>.*)$",
    re.I,
)
_FOR_THE_TIME = re.compile(
    r"^(?P<head>when\s+.+?)\s+for\s+the\s+(?P<rank>first|last)\s+time$", re.I
)
_THE_TIME = re.compile(
    r"^(?:when|at\s+what\s+time)\s+(?:is|was)\s+the\s+(?P<rank>first|last)\s+"
    r"(?:time|moment|occurrence|appearance)\s+(?:that\s+|of\s+|with\s+|when\s+)?(?P<rest>.+)$",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Order:
    """A question about the order of several things."""

    asks: Asks
    """Which is first or last; all in their order; whether the first comes before, or after, the
    second."""
    things: tuple[str, ...]
    """As the question names them, two or more."""


def read_order(question: str) -> Order | None:
    """The things whose order a question asks for; None where it asks for something else.

    Args:
        question: tidied, without its question mark.
    """
    if found := _WHICH.match(question) or _WHICH_OF.match(question):
        asks: Asks = "first" if found["rank"].lower() in ("first", "earlier") else "last"
        return _order(asks, found["things"])
    if found := _SEQUENCE.match(question):
        return _order("sequence", found["things"] or found["of"] or found["sorted"])
    if found := _SIDES.match(question):
        a, b = (found["a"], found["b"]) if found["a"] else (found["c"], found["d"])
        side = (found["side"] or found["also"]).lower()
        return Order("before" if side == "before" else "after", (a.strip(), b.strip()))
    return None


def _order(asks: Asks, listed: str) -> Order | None:
    things = tuple(t for t in (part.strip(" ,") for part in _LISTED.split(listed)) if t)
    if not 2 <= len(things) <= MOST_THINGS or len(set(things)) < len(things):
        return None
    return Order(asks, things)


def read_edge(question: str) -> tuple[Edge, str] | None:
    """Whether the first or the last time of something is asked for, and the "when" question about
    it without that word.

    Args:
        question: tidied, without its question mark.
    """
    if found := _FIRST_TIME.match(question):
        return _edge(found), f"{found['head']} {found['verb']}{found['tail']}"
    if found := _FOR_THE_TIME.match(question):
        return _edge(found), found["head"]
    if found := _THE_TIME.match(question):
        rest = re.sub(r"\s+(?:appears?|is\s+(?:seen|shown))$", "", found["rest"], flags=re.I)
        return _edge(found), f"When does {rest} appear"
    return None


def _edge(found: re.Match[str]) -> Edge:
    return "first" if found["rank"].lower() == "first" else "last"

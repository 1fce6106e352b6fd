"""Questions about the order of several things, and about a first or last time; pure functions.

"Which comes first, the red car or the blue boat?", "In what order do … appear?", "Does … appear
before …?" and "Does … appear before or after …?" name things that are found one after the other,
each by a search of its own (agent/order.py). "When does … first appear?" asks for one moment of a
set.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Asks = Literal["first", "last", "sequence", "before", "after", "side"]
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
# "Was there anything shown before the credits?" asks what is there: nothing that could be searched
# and compared.
_NO_THING = (
    r"(?!there\s|(?:(?:any|some|every|no)(?:thing|one|body)|no\s+one|it|this|that)(?:\s+else)?"
    r"\s+(?:appear|come|happen|occur|shown|seen|there)\b)"
)
_BEFORE_AFTER = r"(?:before|after)"
# "… before the boat or after it", "… before or after the boat": both sides are offered.
_OR_THE_OTHER = (
    rf"\s*,?\s+or\s+(?:{_BEFORE_AFTER}(?:\s+(?:it|that|this|them))?"
    r"|(?:is|are|was|were|do|does|did)\s.+|the\s+other\s+way\s+a?round|vice\s+versa)"
)
_SIDES = re.compile(
    rf"^(?:(?:do|does|did)\s+{_NO_THING}(?P<a>.+?)\s+(?:appear|come|happen|occur)"
    rf"|(?:is|are|was|were)\s+{_NO_THING}(?P<c>.+?)\s+(?:shown|seen|there))"
    rf"\s+(?P<side>{_BEFORE_AFTER})(?P<or>\s+or\s+{_BEFORE_AFTER})?\s+(?P<b>.+?)"
    rf"(?:\s+(?:do|does|did|appears?|comes?|is|are|was|were))?(?:(?P<other>{_OR_THE_OTHER})"
    r"|\s*,?\s+or\s+not)?$",
    re.I,
)
_LISTED = re.compile(r"\s*,\s*(?:and\s+|or\s+)?|\s+or\s+|\s+and\s+(?=(?:the|an?)\s)", re.I)

# Between subject and verb "first" says when; after an article, or before one of these, it counts.
_DETERMINERS = (
    "the a an this that each every very at his her its their our your my 's ’s".split()  # noqa: SIM905
)
_NOT_COUNTED = "".join(rf"(?<!\b{word})" for word in _DETERMINERS)
_COUNTED = (
    r"(?:and|or|in|on|at|of|to|for|among|after|before|prize|place|base|aid|class|gear|floor|team"
    r"|half|third|quarter|round|lap|goal|name|names|word|words|lady|man|woman|one|two|three|few"
    r"|time|times|second|minute|hour|day|week|month|year|night)\b"
)
_FIRST_TIME = re.compile(
    r"^(?P<head>when\s+(?:do|does|did|is|are|was|were|can|could|has|have|had)\s+.+?)"
    rf"{_NOT_COUNTED}\s+(?P<rank>first|last)\s+(?P<verb>(?!{_COUNTED})[^\W\d_].*)$",
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
    second; on which side of the second the first comes."""
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
        things = ((found["a"] or found["c"]).strip(), found["b"].strip())
        if found["or"] or found["other"]:
            return Order("side", things)
        return Order("before" if found["side"].lower() == "before" else "after", things)
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
        return _edge(found), f"{found['head']} {found['verb']}"
    if found := _FOR_THE_TIME.match(question):
        return _edge(found), found["head"]
    if found := _THE_TIME.match(question):
        rest = re.sub(r"\s+(?:appears?|is\s+(?:seen|shown))$", "", found["rest"], flags=re.I)
        return _edge(found), f"When does {rest} appear"
    return None


def _edge(found: re.Match[str]) -> Edge:
    return "first" if found["rank"].lower() == "first" else "last"

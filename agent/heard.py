"""What a question asks of a film's words, by rules; pure functions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from agent.plan import caption_of
from index.errors import InputError
from index.words_terms import telling_terms
from tools.query import Query, parse_query

Asks = Literal["said", "when", "all", "while", "picture"]

_SAY = (
    r"(?:says?|said|saying|tells?|told|mentions?|mentioned|talks?\s+about|speaks?\s+(?:about|of)"
    r"|asks?|shouts?|reads?)"
)
_HEARD = r"(?:said|spoken(?:\s+(?:about|of))?|mentioned|read\s+out|heard|talked\s+about|discussed)"
_WRITTEN = rf"(?:{_HEARD}|written|shown\s+as\s+text)"
_BE = r"(?:is|was|are|were)"
_DO = r"(?:does|did|do)"
# What is named by a clause of its own ("when the voice …") is no speaker and no thing said.
_NAMED = r"(?:(?!\b(?:when|while)\b).)+?"
_WHAT = re.compile(
    rf"^what\s+(?:(?:{_DO}|is|was)\s+(?P<who>.+?)\s+{_SAY}(?:ing)?\b"
    rf"|{_BE}\s+(?:being\s+)?(?P<verb>{_WRITTEN})\b|{_SAY}\b)(?P<rest>.*)$",
    re.I,
)
_WHEN = re.compile(
    rf"^(?:when|at\s+what\s+(?:time|moment))\s+(?:{_BE}\s+(?:(?P<what>.+?)\s+)?(?P<verb>{_WRITTEN})"
    rf"|{_DO}\s+(?P<who>.+?)\s+{_SAY})\b(?P<rest>.*)$",
    re.I,
)
_EVERY = (
    r"(?:(?:please\s+)?(?:find|list|name|show(?:\s+me)?|give(?:\s+me)?)\s+"
    r"(?:all|every|each)(?:\s+of)?(?:\s+the)?)"
)
_ALL = re.compile(
    r"^(?:how\s+(?:many\s+times|often)|(?:at\s+)?(?:what|which)\s+(?:times|moments)"
    rf"|{_EVERY}\s+(?:times?|moments?)(?:\s+(?:when|where|that|(?:in|at)\s+which))?)\s+"
    rf"(?:{_BE}\s+(?P<what>{_NAMED})\s+(?P<verb>{_WRITTEN})|{_DO}\s+(?P<who>{_NAMED})\s+{_SAY}"
    rf"|(?P<thing>{_NAMED})\s+{_BE}\s+(?P<told>{_WRITTEN})|(?P<teller>{_NAMED})\s+{_SAY})"
    r"\b(?P<rest>.*)$",
    re.I,
)
_MENTIONS = re.compile(rf"^{_EVERY}\s+mentions?\s+of\s+(?P<rest>.+)$", re.I)
_WHILE = re.compile(
    rf"^(?P<main>.+?),?\s+(?:when|while|as|at\s+the\s+moment)\s+(?:(?P<who>[^\"“„«]*?)\s+"
    rf"(?:{_SAY})|(?P<quoted>[\"“„«].+?[\"”“»])\s+(?:is|was)\s+{_WRITTEN})\b(?P<rest>.*)$",
    re.I,
)
_VOICES = frozenset(
    """voice narrator speaker somebody someone person people man woman anybody anyone
    they he she""".split()  # noqa: SIM905
)
_SPEAKERS = _VOICES | frozenset(
    """sign title subtitle subtitles screen film video writing something anything""".split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class Heard:
    """A question, as far as it is about words."""

    asks: Asks
    """What for: a line, its time, all times of it, a picture at its time, or a picture."""
    query: Query | None
    """What to find among the lines; None where nothing is left of it."""
    main: str
    """The question without the clause that names the line."""
    is_spoken: bool = False
    """It is about what can only be heard, so that no picture answers it."""


def heard(question: str) -> Heard:
    """What a question asks of the words, by rules."""
    text = " ".join(question.split()).rstrip("?.! ")
    if found := _MENTIONS.match(text):
        return Heard("all", _query(found["rest"]), question, is_spoken=True)
    if found := _ALL.match(text):
        named = found["what"] or found["thing"] or found["who"] or found["teller"] or ""
        spoken = _is_spoken(found["verb"] or found["told"], found["who"] or found["teller"])
        return Heard("all", _query(f"{named} {found['rest']}"), question, spoken)
    if found := _WHILE.match(text):
        wanted = found["quoted"] or f"{found['who'] or ''} {found['rest']}"
        return Heard("while", _query(wanted), f"{found['main'].strip()}?")
    if found := _WHEN.match(text):
        wanted = f"{found['what'] or found['who'] or ''} {found['rest']}"
        return Heard("when", _query(wanted), question, _is_spoken(found["verb"], found["who"]))
    if found := _WHAT.match(text):
        wanted = f"{found['who'] or ''} {found['rest']}"
        return Heard("said", _query(wanted), question, _is_spoken(found["verb"], found["who"]))
    return Heard("picture", _query(caption_of(text)), question)


def _is_spoken(verb: str | None, who: str | None) -> bool:
    """Whether it is heard: by the word for it, or by who says it; a sign may say something too."""
    if verb is not None:
        return re.fullmatch(_HEARD, verb, re.I) is not None
    return not _VOICES.isdisjoint((who or "").lower().split())


def _query(text: str) -> Query | None:
    """What is wanted of the lines; who says it is hardly ever among the words."""
    kept = [word for word in text.split() if word.strip("?.,!'").lower() not in _SPEAKERS]
    try:
        query = parse_query(" ".join(kept).replace(" -", " "))
    except InputError:
        return None
    return query if query.phrases or telling_terms(query.wanted) else None

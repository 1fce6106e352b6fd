"""What a person typed into a search: plain words, quoted phrases, and what is to be left out.

Read as: `"…"` (also “…”, «…», „…“) a phrase that must be said or written word for word; `-word`,
`-"a phrase"` and "without …", "with no …", "but not …", "except …" leave things out, up to the next
comma or preposition; "ohne", "sans" and "sin" do in a text of their language. Other negation
("nobody", "not red", "never") is not understood, and that is said: an encoder trained on captions
finds a beach for "no beach".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from index.errors import InputError
from index.words_terms import content_terms, terms_of

_QUOTED = r"[\"“„«]([^\"“”„«»]*)[\"”“»]"
_PHRASE = re.compile(rf"(?P<minus>(?:(?<=\s)|^)[-−])?{_QUOTED}")
_MINUS = re.compile(r"(?:(?<=\s)|^)[-−](?P<word>\w[\w'’-]*)")
# A phrase while exclusions are read: nothing inside quotes is one.
_HELD = re.compile("\0(\\d+)\0")
_NEGATION = re.compile(r"\b(?:no|not|never|nobody|none|nothing|neither|nor|\w+n['’]t)\b", re.I)


@dataclass(frozen=True, slots=True)
class _Exclusion:
    """How a language leaves things out."""

    pattern: re.Pattern[str]
    """Its group is what is left out."""
    is_of: re.Pattern[str]
    """Found in every text of the language: "sin city" is no Spanish."""


def _exclusion(words: str, *, joins: str, articles: str, ends: str, is_of: str = "") -> _Exclusion:
    """Things are left out from one of some words up to a preposition that has an object."""
    pattern = (
        rf"(?:[,;]|\s+(?:{joins}))?\s*\b(?:{words})\s+(?:(?:{articles})\s+)?(?P<what>[^,;.]+?)"
        rf"(?=\s+(?:(?:{joins})\s+)?(?:{words}|{ends})\s+\S|[,;.]|\s*$)"
    )
    return _Exclusion(re.compile(pattern, re.I), re.compile(is_of, re.I))


_EXCLUSIONS = (
    _exclusion(
        r"without|with\s+no|but\s+not|but\s+no|except(?:\s+for)?|excluding",
        joins="and|or|but",
        articles="an?|any|the",
        ends="in|on|at|by|near|with|from|behind|beside|under|over|above|below|into|onto|inside"
        r"|outside|through|during|between|among|around|against|along|across|before|after|next\s+to"
        "|while|when|where",
    ),
    # No word of any other language.
    _exclusion(
        "ohne",
        joins="und|oder|aber",
        articles="eine?[nm]?|den|die|das",
        ends="in|im|an|am|auf|aus|bei|beim|mit|neben|vor|hinter|unter|über|zwischen|während",
    ),
    _exclusion(
        "sans",
        joins="et|ou|mais",
        articles="une?|aucune?|les?|la",
        ends="dans|sur|sous|avec|en|à|au|aux|devant|derrière|près|chez|pendant|entre",
        is_of=r"\b(?:les?|la|une?|des|du|avec|dans|sur|est)\s+\w|\b(?:l|d|qu)['’]\w",
    ),
    _exclusion(
        "sin",
        joins="y|o|pero",
        articles="una?|ning[uú]na?|el|l[ao]s?",
        ends="en|con|sobre|bajo|ante|entre|desde|junto|durante|cerca|detrás|delante",
        is_of=r"\b(?:el|l[ao]s?|una?|unos|unas|con|del|en|está)\s+\w",
    ),
)


@dataclass(frozen=True, slots=True)
class Query:
    """A search, understood."""

    text: str
    """As it was typed."""
    wanted: str
    """What pictures are looked for by: without quotes and without what is left out."""
    phrases: tuple[str, ...]
    """What must be said or written word for word."""
    excluded: tuple[str, ...]
    """What is left out."""
    notices: tuple[str, ...]
    """How it was read, where that is not plain: one line each."""

    @property
    def terms(self) -> tuple[str, ...]:
        """The words to be said or written, those of the phrases among them."""
        return content_terms(self.wanted)


def parse_query(text: str) -> Query:
    """A search as a person typed it.

    Raises:
        InputError: it is empty, or says only what to leave out.
    """
    if not text.strip():
        raise InputError("the search text is empty", "say what should be in the picture or said")
    held: list[str] = []
    excluded: list[str] = []

    def hold(found: re.Match[str]) -> str:
        phrase = " ".join(found[2].split())
        if not terms_of(phrase):
            return " "
        if found["minus"]:
            excluded.append(phrase)
            return " "
        held.append(phrase)
        return f" \0{len(held) - 1}\0 "

    def put_back(part: str) -> str:
        return " ".join(_HELD.sub(lambda found: held[int(found[1])], part).split())

    def take_out(found: re.Match[str]) -> str:
        excluded.append(put_back(found[1]))
        return " "

    unquoted = _PHRASE.sub(hold, text.replace("\0", " "))
    rest = _MINUS.sub(take_out, " ".join(unquoted.split()))
    for language in [each for each in _EXCLUSIONS if each.is_of.search(rest)]:
        rest = language.pattern.sub(take_out, rest)
    wanted = put_back(rest)
    if not terms_of(wanted):
        if excluded:
            raise InputError(
                f'"{text.strip()}" says only what to leave out',
                "say what should be there too, or put what is said or written into quotes",
            )
        raise InputError(f'"{text.strip()}" holds no word', "say what should be there")
    phrases = tuple(held[int(found[1])] for found in _HELD.finditer(rest))
    notices = _notices(wanted, _HELD.sub(" ", rest), excluded)
    return Query(text, wanted, phrases, tuple(excluded), notices)


def _notices(wanted: str, unquoted: str, excluded: list[str]) -> tuple[str, ...]:
    notices = []
    if excluded:
        listed = ", ".join(f"“{each}”" for each in excluded)
        notices.append(
            f"left out: {listed} (where it is said or written, and pictures that stand out more for"
            f" it than for “{wanted}”)"
        )
    negation = _NEGATION.search(unquoted)
    if negation:
        notices.append(
            f"“{negation[0]}” is not understood as a negation; write -word to leave something out"
        )
    return tuple(notices)

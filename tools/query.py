"""What a person typed into a search: plain words, quoted phrases, and what is to be left out.

Read as: `"…"` (also “…”, «…», „…“) a phrase that must be said or written word for word; `-word`,
`-"a phrase"` and "without …", "with no …", "but not …", "except …" leave things out. Other
negation ("nobody", "not red", "never") is not understood, and that is said: an encoder trained on
captions finds a beach for "no beach".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from index.errors import InputError
from index.words_terms import content_terms, terms_of

_QUOTED = r"[\"“„«]([^\"“”„«»]*)[\"”“»]"
_PHRASE = re.compile(rf"(?P<minus>(?:(?<=\s)|^)[-−])?{_QUOTED}")
_MINUS = re.compile(r"(?:(?<=\s)|^)[-−](?P<word>\w[\w'’-]*)")
_WITHOUT = re.compile(
    r"[,;]?\s*\b(?:without|with\s+no|but\s+not|but\s+no|except(?:\s+for)?|excluding|ohne|sans|sin)\s+"
    r"(?:an?\s+|any\s+|the\s+)?(?P<what>[^,;.]+)",
    re.I,
)
_NEGATION = re.compile(r"\b(?:no|not|never|nobody|none|nothing|neither|nor|\w+n['’]t)\b", re.I)


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
    phrases: list[str] = []
    excluded: list[str] = []

    def take_phrase(found: re.Match[str]) -> str:
        phrase = " ".join(found[2].split())
        if not terms_of(phrase):
            return " "
        if found["minus"]:
            excluded.append(phrase)
            return " "
        phrases.append(phrase)
        return f" {phrase} "

    def take_out(found: re.Match[str]) -> str:
        excluded.append(" ".join(found[1].split()))
        return " "

    rest = _PHRASE.sub(take_phrase, text)
    rest = _WITHOUT.sub(take_out, _MINUS.sub(take_out, rest))
    wanted = " ".join(rest.split())
    if not terms_of(wanted):
        if excluded:
            raise InputError(
                f'"{text.strip()}" says only what to leave out', "say what should be there too"
            )
        raise InputError(f'"{text.strip()}" holds no word', "say what should be there")
    return Query(text, wanted, tuple(phrases), tuple(excluded), _notices(wanted, phrases, excluded))


def _notices(wanted: str, phrases: list[str], excluded: list[str]) -> tuple[str, ...]:
    notices = []
    if excluded:
        listed = ", ".join(f"“{each}”" for each in excluded)
        notices.append(
            f"left out: {listed} (where it is said or written, and pictures that stand out more for"
            f" it than for “{wanted}”)"
        )
    plain = wanted
    for phrase in phrases:
        plain = plain.replace(phrase, " ")
    negation = _NEGATION.search(plain)
    if negation:
        notices.append(
            f"“{negation[0]}” is not understood as a negation; write -word to leave something out"
        )
    return tuple(notices)

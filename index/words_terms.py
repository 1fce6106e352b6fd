"""Text cut into the terms that are stored and searched.

A term is a word, folded: compatibility forms made equal, lower case, Latin and Greek letters
without their accents. In scripts that are written without spaces (and in Hangul, where particles
hang on words) every character is a term, so that a query finds them as a phrase. Marks of other
scripts belong to their letters and stay: a Hindi word without its vowel signs is another word.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uac00-\ud7af\U00020000-\U0003134f]"
)
_APOSTROPHES = re.compile("[\u2019\u02bc\uff07`\u00b4]")
_ELISION = re.compile(r"\b(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu|dell|all|nell|sull|un)'(?=\w)")
_FOLDED_SCRIPTS = ("LATIN", "GREEK")
_STOP_WORDS = {
    "en": """a about an and are as at be been but by did do does for from had has have he her his
        how i in is it its of on or our she some say says said tell tells that the their them then
        there they this to was we were what when where which while who whom whose why will with you
        your""",
    "de": """aber als am an auf aus bei da das dem den der des die ein eine einem einen einer er es
        für hat ich ihr im in ist mit nicht oder sie sind und von war was wer wie wir wo zu zum
        zur""",
    "fr": """à au aux avec ce ces dans de des du elle en est et il ils je la le les mais ne nous on
        ou par pas pour qu que qui sa se ses son sont sur un une vous""",
    "es": """a al como con de del el ella en es está la las lo los no o para pero por que se son su
        sus un una y ya""",
}


def terms_of(text: str) -> tuple[str, ...]:
    """The terms of a text in reading order."""
    folded = _APOSTROPHES.sub("'", unicodedata.normalize("NFKC", text)).casefold()
    # In every language: a query does not say that it is French, and has to give the same terms.
    folded = _ELISION.sub(" ", folded)
    # it's, don't, harbour's: one word each, and a possessive is its noun.
    folded = re.sub(r"'s\b", "", folded).replace("'", "")
    return tuple(_pieces(_without_accents(folded)))


def stem_of(term: str, language: str = "") -> str:
    """A term without its English plural; other languages' terms stay as they are.

    Source: Harman 1991, "How effective is suffixing?", the S-stemmer. Text whose language is not
    known is taken for English here: a stem is one more way to be found, never the only one.
    """
    if language[:2] not in ("", "en") or not term.isascii() or len(term) < 4:
        return term
    if term.endswith("ies") and not term.endswith(("eies", "aies")):
        return f"{term[:-3]}y"
    if term.endswith(("ses", "xes", "zes", "ches", "shes")):
        return term[:-2]
    if term.endswith("s") and not term.endswith(("us", "ss", "is")):
        return term[:-1]
    return term


def content_terms(text: str, language: str = "") -> tuple[str, ...]:
    """The terms of a question that tell something; all of them where none does. Each once."""
    terms = dict.fromkeys(terms_of(text))
    return telling_terms(text, language) or tuple(terms)


def telling_terms(text: str, language: str = "") -> tuple[str, ...]:
    """The terms of a text that tell something, each once; () where all are small words."""
    stop = _stop_words(language)
    return tuple(term for term in dict.fromkeys(terms_of(text)) if term not in stop)


def _stop_words(language: str) -> frozenset[str]:
    text = _STOP_WORDS.get(language[:2] or "en", "")
    return frozenset(_without_accents(text.casefold()).split())


def _without_accents(text: str) -> str:
    """The text with accents off Latin and Greek letters; marks of other scripts stay."""
    kept: list[str] = []
    foldable = False
    for character in unicodedata.normalize("NFD", text):
        if unicodedata.category(character).startswith("M"):
            if foldable:
                continue
        else:
            foldable = unicodedata.name(character, "").startswith(_FOLDED_SCRIPTS)
        kept.append(character)
    return unicodedata.normalize("NFC", "".join(kept)).replace("ı", "i")


def _pieces(text: str) -> list[str]:
    """Runs of letters, digits and their marks; an unspaced letter is a run of its own."""
    pieces: list[str] = []
    inside = False
    for character in text:
        if unicodedata.category(character)[0] not in "LNM":
            inside = False
        elif _UNSPACED.match(character) and not unicodedata.category(character).startswith("M"):
            pieces.append(character)
            inside = True
        elif inside and (not _UNSPACED.match(pieces[-1]) or not character.isalnum()):
            pieces[-1] += character
        else:
            pieces.append(character)
            inside = True
    return pieces


def follow_each_other(phrase: Sequence[str], terms: Sequence[str], *, n_first: int) -> bool:
    """Whether the words of a phrase stand in a row, beginning among the first `n_first` terms."""
    n, wanted = len(phrase), tuple(phrase)
    return any(tuple(terms[start : start + n]) == wanted for start in range(n_first))

"""What a question says about time, read by rules: the part of the film it means.

"in the first ten minutes", "between 1:00 and 2:30", "after 0:10:00", "at the end" name a part by
the clock: the search stays inside it. "after the snow" names it by something else in the film:
where that is, the vectors say, so the belief leans and nothing is shut out. What is left of the
question is what a single look can be judged by.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from agent.events import read_order
from index.types import Span
from tools.requests import seconds_of

Side = Literal["after", "before", "during"]

_UNIT_S = {"second": 1.0, "minute": 60.0, "hour": 3600.0}
_COUNTING = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
NUMBER_WORDS = {word: value for value, word in enumerate(_COUNTING)} | {
    "eleven": 11,
    "twelve": 12,
    "fifteen": 15,
    "twenty": 20,
    "thirty": 30,
    "forty": 40,
    "forty-five": 45,
    "fifty": 50,
    "sixty": 60,
    "ninety": 90,
}
_FILM = r"(?:film|video|movie|clip|footage|recording|episode)"
# "The first minute of the concert" is no time of the film: what it is of would have to be found.
_OF_FILM = rf"(?:\s+(?:of|in)\s+(?:the|this|that|my|our)\s+{_FILM}\b)?(?!\s+of\b)"
# "2:1" is a score, "12:30 pm" a time of the day.
_CLOCK = r"\d+(?::\d{2}){1,2}(?:\.\d+)?(?![.:]?\d)(?!\s*(?:[ap]\.?m\b|o['’]?clock\b))"
_UNIT = r"(?:second|minute|hour)"
_AMOUNT = r"(?:\d+(?:\.\d+)?|half\s+an?|an?|[a-z]+(?:-[a-z]+)?)"
# "A second goal" is no length.
_LENGTH = rf"(?!an?\s+second\s+\w){_AMOUNT}\s+{_UNIT}s?"
_LATER = ("after", "since", "from")
_PARTS = {"half": 1 / 2, "third": 1 / 3, "quarter": 1 / 4}


@dataclass(frozen=True, slots=True)
class TimeSettings:
    """What words without a number mean."""

    edge_share: float = 0.1
    """ "At the beginning", "at the end": this share of the film …"""
    edge_least_s: float = 60.0
    """… and no less than this."""
    around_s: float = 15.0
    """ "At 12:30": from so long before to so long after."""


@dataclass(frozen=True, slots=True)
class Relation:
    """A part that is named by something else in the film."""

    side: Side
    anchor: str
    """The words for that something: "the snow"."""


@dataclass(frozen=True, slots=True)
class TimePhrase:
    """What a question says about when, and the question without it."""

    question: str
    """The question without the phrases, its first letter and its question mark as they were."""
    bounds: Span
    """The part of the film that the clock names; the whole film where it names none."""
    relation: Relation | None = None


def read_time(question: str, film: Span, *, settings: TimeSettings | None = None) -> TimePhrase:
    """The time phrases of a question.

    Of several phrases of the clock the parts are cut with each other; what would leave nothing is
    passed over, and so is a part that lies outside the film.
    """
    settings = settings or TimeSettings()
    bounds, left = film, " ".join(question.split())
    for pattern, part_of in _PHRASES:
        while found := pattern.search(left):
            part = part_of(found, film, settings)
            cut = part.clamp(bounds) if part is not None else None
            if cut is None:
                break
            rest = _without(left, found)
            if len(rest.split()) < 2:
                # "What happens in the last minute?" keeps its words; a bare phrase is no question.
                return TimePhrase(left, cut)
            bounds, left = cut, rest
    relation, left = _relation(left)
    return TimePhrase(left, bounds, relation)


def _without(text: str, found: re.Match[str]) -> str:
    """The text without a match, its commas and spaces made good."""
    before, after = text[: found.start()].rstrip(" ,"), text[found.end() :].lstrip(" ,")
    rest = f"{before} {after}" if before and after[:1].isalnum() else before + after
    rest = rest.strip()
    return rest[:1].upper() + rest[1:] if text[:1].isupper() else rest


_Found = re.Match[str]
_PartOf = Callable[[_Found, Span, TimeSettings], Span | None]


def _edge(found: _Found, film: Span, settings: TimeSettings) -> Span | None:
    """ "the first ten minutes", "the last minute"."""
    length_s = _length_s(found["n"] or "one", found["unit"])
    return _end_of(film, found["edge"], length_s) if length_s else None


def _share(found: _Found, film: Span, settings: TimeSettings) -> Span | None:
    """ "the first half", "the last quarter", "the second third"."""
    share = _PARTS[found["part"].lower()]
    place = {"first": 0, "second": 1, "third": 2, "last": round(1 / share) - 1}[
        found["place"].lower()
    ]
    start_s = film.start_s + place * share * film.duration_s
    return _span(start_s, start_s + share * film.duration_s)


def _near_edge(found: _Found, film: Span, settings: TimeSettings) -> Span | None:
    """ "at the beginning", "at the very end of the film"."""
    length_s = max(settings.edge_share * film.duration_s, settings.edge_least_s)
    return _end_of(film, "last" if found["edge"].lower() == "end" else "first", length_s)


def _middle(found: _Found, film: Span, settings: TimeSettings) -> Span | None:
    """ "in the middle of the film": its middle third."""
    third_s = film.duration_s / 3
    return _span(film.start_s + third_s, film.end_s - third_s)


def _between(found: _Found, film: Span, settings: TimeSettings) -> Span | None:
    return _span(seconds_of(found["a"]), seconds_of(found["b"]))


def _between_units(found: _Found, film: Span, settings: TimeSettings) -> Span | None:
    """ "between minutes 3 and 5"."""
    unit_s = _UNIT_S[found["unit"].lower()]
    return _span(float(found["a"]) * unit_s, float(found["b"]) * unit_s)


def _one_sided(found: _Found, film: Span, settings: TimeSettings) -> Span | None:
    """ "after 0:10:00", "before the last minute", "until twenty minutes"."""
    time_s = _point_s(found["point"], film, late=found["side"].lower() in _LATER)
    return _side_of(time_s, found["side"], film)


def _one_sided_unit(found: _Found, film: Span, settings: TimeSettings) -> Span | None:
    """ "after minute 5", "before minute twelve", "from second 90"."""
    return _side_of(_length_s(found["n"], found["unit"]), found["side"], film)


def _side_of(time_s: float | None, side: str, film: Span) -> Span | None:
    if side.lower() in _LATER:
        return _span(time_s, film.end_s)
    return _span(film.start_s, time_s)


def _at(found: _Found, film: Span, settings: TimeSettings) -> Span | None:
    time_s = seconds_of(found["a"])
    if time_s is None or not film.start_s <= time_s < film.end_s:
        return None
    return _span(max(film.start_s, time_s - settings.around_s), time_s + settings.around_s)


_I = re.IGNORECASE
_PHRASES: tuple[tuple[re.Pattern[str], _PartOf], ...] = (
    (
        re.compile(
            rf"\b(?:between|from)\s+(?P<a>{_CLOCK})\s+(?:and|to|until)\s+(?P<b>{_CLOCK})", _I
        ),
        _between,
    ),
    (
        re.compile(
            rf"\b(?:between|from)\s+(?P<unit>{_UNIT})s?\s+(?P<a>\d+(?:\.\d+)?)\s+"
            rf"(?:and|to|until)\s+(?:{_UNIT}\s+)?(?P<b>\d+(?:\.\d+)?)\b",
            _I,
        ),
        _between_units,
    ),
    (
        re.compile(
            rf"\b(?P<side>after|since|from|before|until|by)\s+(?P<unit>{_UNIT})\s+"
            rf"(?P<n>\d+(?:\.\d+)?|{'|'.join(NUMBER_WORDS)})(?![\w-])(?:\s+onwards?\b)?{_OF_FILM}",
            _I,
        ),
        _one_sided_unit,
    ),
    (
        re.compile(
            rf"\b(?P<side>after|since|before|until)\s+(?P<point>(?:about\s+)?{_CLOCK}|"
            rf"the\s+(?:first|last)\s+(?:{_LENGTH}|{_UNIT})\b|{_LENGTH}\b){_OF_FILM}",
            _I,
        ),
        _one_sided,
    ),
    (
        re.compile(
            rf"\b(?:in|during|within|over)\s+the\s+(?P<edge>first|last|final|opening)\s+"
            rf"(?:(?P<n>{_AMOUNT})\s+)?(?P<unit>{_UNIT})s?\b{_OF_FILM}",
            _I,
        ),
        _edge,
    ),
    (
        re.compile(
            r"\b(?:in|during|within)\s+the\s+(?P<place>first|second|third|last)\s+"
            rf"(?P<part>half|third|quarter)\b{_OF_FILM}",
            _I,
        ),
        _share,
    ),
    (
        re.compile(
            r"\b(?:(?:at|towards?|near|in)\s+the\s+(?:very\s+)?(?P<edge>beginning|start|end))\b"
            rf"{_OF_FILM}",
            _I,
        ),
        _near_edge,
    ),
    (
        re.compile(
            rf"\b(?:in|around|near)\s+the\s+middle\s+of\s+(?:the|this)\s+{_FILM}\b"
            rf"|\bhalfway\s+through(?:\s+(?:the|this)\s+{_FILM})?\b",
            _I,
        ),
        _middle,
    ),
    (re.compile(rf"\b(?:at|around|about|near)\s+(?:about\s+)?(?P<a>{_CLOCK})", _I), _at),
)

_EDGE_WORD = r"(?:right|directly|immediately|just|straight|shortly)"
_AFTER_A_PHRASE = re.compile(
    r"^(?P<rest>.+?\S)\s*,?\s+(?P<side>after|before|during|while)\s+(?P<anchor>[^,?]+?)\s*(?P<end>[?.!]*)$",
    _I,
)
_A_PHRASE_FIRST = re.compile(
    r"^(?P<side>after|before|during|while)\s+(?P<anchor>[^,?]+?)\s*,\s*(?P<rest>.+)$", _I
)
# These ask for the neighbour itself, see `parse_question`.
_ASKS_FOR_NEIGHBOUR = re.compile(
    r"^(?:what|which\s+\w+|who)\s+(?:comes?|happens?|follows?|appears?|is\s+(?:shown|seen|there)"
    rf"|do\s+we\s+see)\s+(?:{_EDGE_WORD}\s+)?(?:after|before)\b|\b{_EDGE_WORD}\s+(?:after|before)\b",
    _I,
)


def _relation(question: str) -> tuple[Relation | None, str]:
    """The "after the snow" of a question, and the rest; order questions keep theirs."""
    if _ASKS_FOR_NEIGHBOUR.search(question) or read_order(question.rstrip("?.! ")):
        return None, question
    found = _A_PHRASE_FIRST.match(question) or _AFTER_A_PHRASE.match(question)
    if found is None:
        return None, question
    side = found["side"].lower()
    rest = found["rest"].strip(" ,") + (found.groupdict().get("end") or "")
    if len(rest.split()) < 3:
        return None, question
    relation = Relation("during" if side == "while" else side, found["anchor"].strip())  # type: ignore[arg-type]
    return relation, rest[:1].upper() + rest[1:]


def _end_of(film: Span, edge: str, length_s: float) -> Span:
    length_s = min(length_s, film.duration_s)
    if edge.lower() in ("first", "opening"):
        return Span(film.start_s, film.start_s + length_s)
    return Span(film.end_s - length_s, film.end_s)


def _point_s(text: str, film: Span, *, late: bool) -> float | None:
    """The time of "0:10:00", "ten minutes", "the first minute", "the last minute"."""
    words = text.lower().removeprefix("about ").strip()
    clock = seconds_of(words)
    if clock is not None and ":" in words:
        return clock
    last = words.startswith("the last")
    words = re.sub(r"^the\s+(?:first|last)\s+", "", words)
    *amount, unit = words.split()
    length_s = _length_s(" ".join(amount) or "one", unit)
    if length_s is None or (last and late):
        return None
    return film.end_s - length_s if last else film.start_s + length_s


def _length_s(amount: str, unit: str) -> float | None:
    value = _amount(amount)
    return None if not value else value * _UNIT_S[unit.lower().removesuffix("s")]


def _amount(text: str) -> float | None:
    words = text.lower()
    if words.startswith("half"):
        return 0.5
    if words in ("a", "an"):
        return 1.0
    if re.fullmatch(r"\d+(?:\.\d+)?", words):
        return float(words)
    value = NUMBER_WORDS.get(words)
    return float(value) if value is not None else None


def _span(start_s: float | None, end_s: float | None) -> Span | None:
    if start_s is None or end_s is None or not start_s < end_s:
        return None
    return Span(start_s, end_s)

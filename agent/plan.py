"""What kind of question this is, read by rules; pure functions.

The kind decides what an answer is: one moment's reply, a span ("when"), a count or a list of all
moments, the first or last of them, the neighbour of a moment (what comes right after, right
before), the order of several things, or words about the film as a whole. Everything else is one
moment. The rules see the question alone, never its options.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from agent.answer_type import answer_type_of
from agent.bounds import NUMBER_WORDS
from agent.events import read_edge, read_order
from agent.types import Kind
from index.types import Span

_TIMES = r"(?:times|moments|occurrences|occasions|scenes|shots|spans|places in the (?:film|video))"
_COUNT = re.compile(r"^how\s+(?:many\s+(?:different\s+)?times|often)\b\s*(?P<rest>.*)$", re.I)
_ALL = re.compile(
    rf"^(?:(?:please\s+)?(?:list|find|name|give(?:\s+me)?|show(?:\s+me)?)\s+)"
    rf"(?:all(?:\s+of)?|every|each)(?:\s+the)?\s+(?:{_TIMES}|time|moment|scene|shot|occurrence)\b"
    rf"\s*(?P<rest>.*)$",
    re.I,
)
_WITH = re.compile(
    r"^(?:(?:that\s+|which\s+)?(?:show|contain|feature|depict|include|have)(?:s|ing)?"
    r"|with|of|when|where|that|in\s+which|at\s+which)\b\s*",
    re.I,
)
"""Between "all the moments" and what is to be found."""
_AT_WHAT_TIMES = re.compile(
    r"^(?:at\s+)?(?:what|which)\s+(?:times|moments)\b\s*(?P<rest>.*)$", re.I
)
_WHEN = re.compile(
    r"^(?:when|(?:at|from)\s+(?:what|which)\s+(?:time|moment|point|second|minute)"
    r"|what\s+time)\b\s*(?P<rest>.*)$",
    re.I,
)
_EDGE = r"(?:right|directly|immediately|just|straight)\s+"
_SIDE = r"(?P<side>after|before)"
_FOLLOWS = r"(?:comes?|happens?|follows?|appears?|is\s+(?:shown|seen|there)|do\s+we\s+see)"
_ORDER = re.compile(
    rf"^(?:what|which\s+\w+|who)\s+(?:{_FOLLOWS})\s+(?:{_EDGE})?{_SIDE}\s+(?P<anchor>.+)$", re.I
)
_ORDER_EDGE = re.compile(rf"^.+?\s{_EDGE}{_SIDE}\s+(?P<anchor>.+)$", re.I)

_PICTURES = "film|movie|video|clip|footage|recording|episode"
_FILM = rf"(?:(?:this|the|that|whole|entire|full)\s+)*(?:{_PICTURES})"
_IN_FILM = rf"(?:\s+(?:of|in|during)\s+{_FILM})?"
_THING = rf"(?:{_FILM}|it|this|that|everything)"
_WHAT_IS = r"what(?:\s+is|\s+are|\s+was|'s)"
_PLEASE = r"(?:(?:please|can\s+you|could\s+you)\s+)*"
_THEME = r"(?:plots?|stor(?:y|ies)|topics?|subjects?|themes?|summary|gist)"
_WHOLE = (
    rf"{_WHAT_IS}\s+{_THING}\s+(?:\w+\s+)?about",
    rf"{_WHAT_IS}\s+(?:the\s+)?(?:main\s+)?{_THEME}{_IN_FILM}",
    rf"what\s+(?:happens|happened|goes\s+on){_IN_FILM}",
    rf"{_WHAT_IS}\s+(?:going\s+on|happening|shown){_IN_FILM}",
    rf"{_PLEASE}(?:summari[sz]e|describe|recap|outline)\s+{_THING}(?:\s+in\s+\w+\s+\w+)?",
    rf"{_PLEASE}(?:give|write)(?:\s+me)?\s+an?\s+(?:\w+\s+)?"
    rf"(?:summary|overview|synopsis|outline)(?:\s+of\s+{_THING})?",
    rf"{_PLEASE}tell\s+me\s+(?:what\s+happens\s+in|about)\s+{_FILM}",
)
_IS_WHOLE = re.compile(rf"^(?:{'|'.join(_WHOLE)})$", re.I)

_LEADING = re.compile(
    r"^(?:what|which|who|where|when|why|how(?:\s+many|\s+much|\s+often)?|in\s+(?:what|which)"
    r"|on\s+(?:what|which)|at\s+(?:what|which))\b\s*",
    re.I,
)
_ASKED = r"colou?r|number|digit|place|way|direction|kind|type|letter|word|times?|moments?"
_ASKED_NOUN = re.compile(rf"^(?:{_ASKED})\b\s*(?:of\s+)?", re.I)
_AUXILIARY = re.compile(
    r"^(?:is|are|was|were|does|do|did|can|could|has|have|had|will|would)\b\s*", re.I
)
_SEEN_BY = re.compile(r"^(?:there|(?:you|we|i)\s+(?:ever\s+)?see)\s+", re.I)
"""Of "is there …", "do you see …", "can we see …": what the auxiliary leaves."""
_TAIL = re.compile(
    r"\s+(?:can|could)?\s*(?:be\s+seen|(?:are|is)\s+there|appears?|have|has|do(?:ing)?|does|move|go"
    r"|show|visible|shown|seen)\s*$",
    re.I,
)
# Those whose third person is seldom a plural: "waves", "hands" and "plays" are left out.
_VERBS = (
    r"opens|closes|enters|leaves|arrives|exits|disappears|vanishes|starts|begins|stops|ends|finishes"
    r"|continues|falls|sits|stands|speaks|says|sings|talks|laughs|cries|smiles|eats|reads|writes"
    r"|sleeps|wakes|gets|goes|comes|takes|gives|puts|picks|throws|catches|wins|loses|dies|explodes"
    r"|crashes|breaks|burns|turns|moves|runs|walks|jumps|swims|flies|climbs|spins|grows|shrinks"
    r"|bounces|blinks|barks|carries|happens|becomes"
)
_CLAUSE = re.compile(
    r"^(?:(?:i|you|he|she|it|we|they)\s+(?!(?:and|or|in|on|at|with)\b)\w"
    r"|(?:(?!\b(?:who|that|which|whose|where|when)\b).)+?(?:"
    r"\s(?:is|are|was|were|has|have|had|does|do|did)\s+\w"
    rf"|\w\s+(?:{_VERBS})\b"
    r"|\w\s+(?!(?:towards|besides|versus)\b)\w+[^\Ws]s\s+(?:the|an?|his|her|its|their|him|them|it)\b))",
    re.I,
)
"""What has a finite verb: "the door opens", "she is gone", "a man lifts the box". Without knowing
words a verb at the end can't be told from a plural ("the red boats"), so these are listed."""
# Chinese characters stand without spaces, and each has a meaning of its own.
_WORD = re.compile(r"[\u3400-\u9fff]|(?:(?![\u3400-\u9fff])[^\W_])+")
SMALL_WORDS = frozenset(
    """a an the is are was were be do does did of in on at to by with and or there it this that
    what which who where when how many often times time can seen appear appears""".split()  # noqa: SIM905
)
"""Words that say nothing of what is looked for."""

_VALUES = NUMBER_WORDS | {"no": 0, "none": 0, "never": 0, "once": 1, "twice": 2, "thrice": 3}
_UNIT_S = {"h": 3600.0, "m": 60.0, "s": 1.0}
_BARE = r"\d{1,6}(?:\.\d+)?"
_JOIN = r"\.?\s*,?\s*(?:and\s+)?"
_HOURS = rf"{_BARE}\s*h(?:(?:ou)?rs?)?(?![^\W\d_])"
_MINUTES = rf"{_BARE}\s*m(?:in(?:ute)?s?)?(?![^\W\d_])"
_SECONDS = rf"{_BARE}\s*s(?:ec(?:ond)?s?)?(?![^\W\d_])"
_TIME = (
    r"(?<!\d)(?<!\d[.:])(?:"
    r"\d{1,6}(?::\d{2}){1,2}(?:\.\d+)?(?!:?\d)(?:\s*(?:s|sec(?:ond)?s?|min(?:ute)?s?)\b)?"
    rf"|{_HOURS}(?:{_JOIN}{_MINUTES})?(?:{_JOIN}{_SECONDS})?"
    rf"|{_MINUTES}(?:{_JOIN}{_SECONDS})?|{_SECONDS})"
)
"""One time: by the clock, or with units."""
# "and" makes a span after "between" only; a number without a unit is a time in a span only, and not
# where it counts something ("5 to 6 boats").
_TIME_NAMED = re.compile(
    rf"(?P<between>\bbetween\s+)?(?P<a>{_TIME}|(?<!\d)(?<!\d[.:]){_BARE})\s*"
    r"(?(between)and\b|(?:[-–—]|(?:to|until)\b))\s*"
    rf"(?P<b>{_TIME}|{_BARE}(?=\s*(?:$|[,;.)])))|(?P<at>{_TIME})",
    re.I,
)
_TIME_WORD = re.compile(
    r"\d|\b(?:hours?|hrs?|min(?:ute)?s?|sec(?:ond)?s?|[ap]\.?m|o['’]?clock)\b",
    re.I,
)
"""A number or a unit, or a sign that the clock on the wall is meant."""
_MISCOUNT_S = 3600.0
"""What a time too many or too few counts as: more than any near miss within a film."""
_ARTICLE = re.compile(r"^(?:the|an?)\s+", re.I)


@dataclass(frozen=True, slots=True)
class Intent:
    """A question, understood."""

    kind: Kind
    subject: str
    """The words for what to look for: a rule-made caption without the question's own words."""
    reflect_question: str
    """What a look is judged by: does it show the evidence for this?"""
    things: tuple[str, ...] = ()
    """Of an order: all that is to be found, one after the other; subject and judging are about the
    one that is searched now."""

    @property
    def wants_all(self) -> bool:
        """Whether one good finding is not enough."""
        return self.kind in ("count", "all", "first", "last")

    @property
    def wants_whole(self) -> bool:
        """Whether nothing is to be found: the film itself is asked about."""
        return self.kind == "whole"

    @property
    def wants_neighbour(self) -> bool:
        return self.kind in ("after", "before")


def parse_question(question: str, *, of_a_part: bool = False) -> Intent:
    """The kind of a question, its subject, and the question to judge looks by.

    Args:
        of_a_part: the question names its time by something that is yet to be found ("during the
            concert"), so it is not about the whole, whatever its other words say.
    """
    text = _tidy(question)
    if not of_a_part and _IS_WHOLE.match(text):
        return Intent("whole", text, f"{text}?")
    if order := read_order(text):
        return thing_of(order.things, 0)
    # A question that names nothing ("How many times?", "Show all scenes") has nothing to search a
    # set of: it is left to the model as it stands.
    if (found := _COUNT.match(text)) and (rest := found["rest"]):
        return Intent("count", caption_of(rest), _when_question(rest))
    for pattern in (_ALL, _AT_WHAT_TIMES):
        if (found := pattern.match(text)) and (rest := _WITH.sub("", found["rest"])):
            return Intent("all", caption_of(rest), _when_question(rest))
    if edge := read_edge(text):
        rest = _WHEN.sub(r"\g<rest>", edge[1])
        return Intent(edge[0], caption_of(rest), f"{edge[1]}?")
    if (found := _WHEN.match(text)) and found["rest"]:
        return Intent("when", caption_of(found["rest"]), f"{text}?")
    if found := _ORDER.match(text) or _ORDER_EDGE.match(text):
        anchor = found["anchor"].strip()
        side: Kind = "after" if found["side"].lower() == "after" else "before"
        return Intent(side, caption_of(anchor), _when_question(anchor))
    return Intent("moment", caption_of(text), f"{text}?")


def thing_of(things: tuple[str, ...], position: int) -> Intent:
    """The intent of an order question while one of its things is searched."""
    thing = things[position]
    return Intent("order", caption_of(thing), _when_question(thing), things)


def caption_of(question: str) -> str:
    """The question's content as words of a caption: "the car on the beach".

    What is asked for (the colour, the number, the way) is left out, and so are question words and
    auxiliaries: an encoder trained on captions has never seen them.
    """
    text = _tidy(question)
    text = _LEADING.sub("", text)
    text = _ASKED_NOUN.sub("", text)
    text = _AUXILIARY.sub("", text)
    text = re.sub(rf"^the\s+(?:{_ASKED})\s+of\s+", "", text, flags=re.I)
    text = re.sub(r"^(?:on|of|in)\s+(?=the\s)", "", text, flags=re.I)
    text = _SEEN_BY.sub("", text)
    text = _TAIL.sub("", text)
    return text.strip() or _tidy(question)


def option_caption(question: str, option: str) -> str:
    """The caption of a picture in which the option would be the answer.

    "What colour is the boat on the beach?", "red" → "the red boat on the beach". An option's
    caption is a place to look, one among those of all options, and never a claim.
    """
    caption = caption_of(question)
    wanted = answer_type_of(question)
    if wanted == "colour" and (article := _ARTICLE.match(caption)):
        return f"{article.group(0)}{option} {caption[article.end() :]}"
    if wanted == "number":
        return f"{option} {_ARTICLE.sub('', caption)}"
    return f"{caption}, {option}"


def number_in(text: str) -> int | None:
    """The one number that a text names ("3", "three times", "twice"); None: none or several."""
    words = re.findall(r"[^\W\d_]+|\d+", text.casefold())
    found = {int(w) if w.isdecimal() else _VALUES.get(w) for w in words} - {None}
    return found.pop() if len(found) == 1 else None


def times_in(text: str) -> list[Span]:
    """The times and spans that a text names, such as an option of a "when" question.

    Takes "0:12:03 - 0:12:11", "between 12:03 and 12:11", "at 12:03", "83.5 s", "3 minutes 10
    seconds", "1h02m03s", "10 to 12 min"; a lone time becomes one second around it. [] where a
    number or a unit is left unread: half an answer would be taken for the whole.
    """
    if _TIME_WORD.search(_TIME_NAMED.sub(" ", text)):
        return []
    spans = [_span_named(found) for found in _TIME_NAMED.finditer(text)]
    return [span for span in spans if span] if all(spans) else []


def _span_named(found: re.Match[str]) -> Span | None:
    """The span of one match; None where its times make none ("0:20 - 0:10", "3 - 4:30")."""
    if found["at"]:
        start_s = end_s = _seconds_named(found["at"])
    else:
        first, last = found["a"], found["b"]
        bare = re.fullmatch(_BARE, first)
        if (":" in last) if bare else re.fullmatch(_BARE, last):
            return None
        # "10 to 12 min": the unit of the one is the unit of the other.
        unit = re.search("[hms]", last.lower()) if bare else None
        start_s = _seconds_named(first, unit=unit[0] if unit else "s")
        end_s = _seconds_named(last)
    if start_s == end_s:
        return Span(max(0.0, start_s - 0.5), start_s + 0.5)
    return Span(start_s, end_s) if start_s < end_s else None


def _seconds_named(text: str, *, unit: str = "s") -> float:
    """Seconds of a time as `_TIME` reads it; a number without a unit is in `unit`."""
    if ":" in text:
        parts = re.findall(r"\d+(?:\.\d+)?", text)
        return sum(float(part) * 60.0**place for place, part in enumerate(reversed(parts)))
    amounts = re.findall(rf"({_BARE})\s*([hms]?)", text.lower())
    return sum(float(number) * _UNIT_S[letter or unit] for number, letter in amounts)


def option_by_number(options: Sequence[str], value: int) -> int | None:
    """The option that names `value`; None unless every option names one number, and one fits."""
    numbers = [number_in(option) for option in options]
    if None in numbers or numbers.count(value) != 1:
        return None
    return numbers.index(value)


def option_by_time(options: Sequence[str], spans: Sequence[Span]) -> int | None:
    """The option whose times fit `spans` best; None unless every option names a time.

    Every option's times are matched to the nearest found span, and every span to the nearest of
    them; the smallest mean distance of the middles wins, and a different number of times counts as
    a distance of an hour each.
    """
    if not spans:
        return None
    named = [times_in(option) for option in options]
    if not all(named):
        return None
    distances = [_distance_s(times, spans) for times in named]
    best = min(distances)
    return distances.index(best) if distances.count(best) == 1 else None


def _distance_s(times: Sequence[Span], spans: Sequence[Span]) -> float:
    there = [min(abs(t.middle_s - s.middle_s) for s in spans) for t in times]
    back = [min(abs(t.middle_s - s.middle_s) for t in times) for s in spans]
    gaps = there + back
    return sum(gaps) / len(gaps) + _MISCOUNT_S * abs(len(times) - len(spans))


def _when_question(rest: str) -> str:
    """The "when" question about the same thing: what a single look can show."""
    text = _tidy(rest)
    if _AUXILIARY.match(text):
        return f"When {text}?"
    bare = re.sub(r"\s+(?:appears?|is\s+seen|is\s+shown|can\s+be\s+seen)$", "", text, flags=re.I)
    if _CLAUSE.match(bare):
        return f"When {bare}?"
    many = re.match(r"^the\s+\w+\s+\w+s$", bare, re.I) and not bare.endswith("ss")
    return f"When {'do' if many else 'does'} {bare} appear?"


def _tidy(question: str) -> str:
    return " ".join(question.split()).strip().rstrip("?.! ").strip()


def words_of(text: str) -> list[str]:
    """The words of a text in their order, small ones as they are; "boats" and "boat" are one."""
    words = _WORD.findall(text.casefold())
    return [w if w in SMALL_WORDS else w.rstrip("s") for w in words]


def content_words(text: str) -> set[str]:
    return set(words_of(text)) - SMALL_WORDS

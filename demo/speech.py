"""Words of a demo film: what a voice says in its shots, and titles written on some of them.

A film with words has the same pictures as the film without them, but for the titles. Its lines
speak of things that no picture shows, so that a question needs the words, the pictures, or both:

    words     a topic that is said once; its near misses share one of its two words
    picture   a thing that is planted in one shot (demo/script.py)
    both      a topic said in several shots and a thing shown in several, together in one only
    sign      a title that is written in one shot and said nowhere
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from demo.phrases import PLACE_PHRASES, thing
from demo.truth import FilmScript, SpokenLine

Needs = Literal["words", "picture", "both", "sign"]
NEEDS: tuple[Needs, ...] = ("words", "picture", "both", "sign")

_FIRST = (
    *(
        "old",
        "north",
        "silver",
        "broken",
        "hidden",
        "royal",
        "wooden",
        "quiet",
        "western",
        "narrow",
    ),
    *("crooked", "golden", "empty", "frozen", "eastern", "painted", "sunken", "iron", "upper"),
)
_SECOND = (
    *(
        "mill",
        "gate",
        "bridge",
        "lantern",
        "archive",
        "ferry",
        "tower",
        "bakery",
        "clock",
        "garden",
    ),
    *("harbour", "theatre", "library", "tunnel", "market", "chapel", "orchard", "signal", "cellar"),
)
TOLD = (
    *("opens at noon", "is for sale", "was built in spring", "needs a new roof", "is never locked"),
    *(
        "costs eleven coins",
        "belongs to the mayor",
        "closes on Monday",
        "lost its key",
        "is famous",
    ),
)
_EMPTY = ("Let us go on.", "Listen.", "Well then.", "Here we are.", "One more time.")
_TITLES = ("PLATFORM", "GALLERY", "ENTRANCE", "STATION", "CHAPTER", "TERMINAL")
_LINE_AFTER_S, _LINE_S = 0.5, 2.5


@dataclass(frozen=True, slots=True)
class WordQuestion:
    """A moment to find, by what is typed into a search."""

    needs: Needs
    text: str
    span: tuple[float, float]
    """Of the shot that is meant."""


def with_words(script: FilmScript) -> FilmScript:
    """The script with a line in every shot, and a title on every eighth."""
    rng = random.Random(f"words/{script.seed}/{script.duration_s:g}")
    topics = [f"{first} {second}" for first in _FIRST for second in _SECOND]
    rng.shuffle(topics)
    said: dict[int, str] = {}
    for index in range(len(script.shots)):
        # Two shots in three tell something; the others keep a search honest.
        if rng.random() < 2 / 3:
            said[index] = topics.pop()
    for shared in _shared_shots(script, rng):
        topic = topics.pop()
        said.update(dict.fromkeys(shared, topic))
    lines = tuple(
        _line(index, script.shots[index].span, said.get(index), rng)
        for index in range(len(script.shots))
    )
    titles = [f"{word} {number}" for word in _TITLES for number in range(10, 100)]
    rng.shuffle(titles)
    shots = tuple(
        replace(shot, title=titles.pop()) if index % 8 == 3 else shot
        for index, shot in enumerate(script.shots)
    )
    return replace(script, shots=shots, lines=lines)


def word_questions(script: FilmScript, *, n_each: int) -> list[WordQuestion]:
    """Up to `n_each` searches of every kind of need."""
    rng = random.Random(f"word questions/{script.seed}")
    made: list[WordQuestion] = []
    pools = (_by_words(script), _by_picture(script), _by_both(script), _by_sign(script))
    for pool in pools:
        found = list(pool)
        made += rng.sample(found, min(n_each, len(found)))
    return made


def subtitles_text(lines: Iterable[SpokenLine]) -> str:
    """The lines as an .srt file."""
    cues = []
    for number, line in enumerate(lines, 1):
        cues.append(f"{number}\n{_clock(line.start_s)} --> {_clock(line.end_s)}\n{line.text}\n")
    return "\n".join(cues)


def _clock(time_s: float) -> str:
    milliseconds = round(time_s * 1000)
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d},{rest:03d}"


def _line(
    index: int, span: tuple[float, float], topic: str | None, rng: random.Random
) -> SpokenLine:
    start_s = span[0] + _LINE_AFTER_S
    text = f"The {topic} {rng.choice(TOLD)}." if topic else rng.choice(_EMPTY)
    return SpokenLine(index, start_s, min(span[1], start_s + _LINE_S), topic or "", text)


def _shared_shots(script: FilmScript, rng: random.Random) -> list[list[int]]:
    """For every shot of a thing that recurs: that shot, and two shots that do not show it.

    As long as there are shots left; a thing's first come before another's second.
    """
    taken: set[int] = set()
    found = []
    recurring = [needle for needle in script.needles if needle.role == "times"]
    for needle in recurring * max((len(each.shot_indexes) for each in recurring), default=0):
        others = [i for i in range(len(script.shots)) if i not in needle.shot_indexes]
        free = [i for i in others if i not in taken]
        own = [i for i in needle.shot_indexes if i not in taken]
        if own and len(free) >= 2:
            shared = [rng.choice(own), *rng.sample(free, 2)]
            taken.update(shared)
            found.append(shared)
    return found


def _by_words(script: FilmScript) -> list[WordQuestion]:
    once = [line for line in script.lines if line.topic and times_said(script, line.topic) == 1]
    return [
        WordQuestion(
            "words", f"what is said about the {line.topic}", _span(script, line.shot_index)
        )
        for line in once
    ]


def _by_picture(script: FilmScript) -> list[WordQuestion]:
    found = []
    for needle in script.needles:
        if len(needle.shot_indexes) == 1 and needle.place is None:
            text = _caption(script, needle.shot_indexes[0], needle.pair)
            found.append(WordQuestion("picture", text, _span(script, needle.shot_indexes[0])))
    return found


def _by_both(script: FilmScript) -> list[WordQuestion]:
    found = []
    for needle in script.needles:
        for index in needle.shot_indexes if needle.role == "times" else ():
            topic = script.lines[index].topic if script.lines else ""
            if topic and times_said(script, topic) > 1:
                text = f"{_caption(script, index, needle.pair, place=False)}, {topic}"
                found.append(WordQuestion("both", text, _span(script, index)))
    return found


def _by_sign(script: FilmScript) -> list[WordQuestion]:
    return [
        WordQuestion("sign", shot.title.lower(), shot.span) for shot in script.shots if shot.title
    ]


def _caption(script: FilmScript, index: int, pair: tuple[str, str], *, place: bool = True) -> str:
    scene = script.shots[index].scene
    group = scene.group_of(pair)
    assert group is not None, "a needle's shot shows it"
    return f"{thing(group)} {PLACE_PHRASES[scene.place]}" if place else thing(group)


def times_said(script: FilmScript, topic: str) -> int:
    """In how many shots a topic is said."""
    return sum(line.topic == topic for line in script.lines)


def _span(script: FilmScript, index: int) -> tuple[float, float]:
    return script.shots[index].span

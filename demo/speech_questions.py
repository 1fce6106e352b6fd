"""Questions about a demo film with words whose answers need the words, the pictures, or both.

words     what is said about a topic that is said once: a choice of what is told of topics
picture   the place of a thing that is planted in one shot: a choice of places
both      the colour of a kind that is there in several colours, while a topic is said
sign      when a title is written
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from demo.phrases import answer, ask
from demo.speech import NEEDS, TOLD, Needs, times_said
from demo.truth import FilmScript
from demo.world import COLOURS, PLACES

_N_OPTIONS = 4


@dataclass(frozen=True, slots=True)
class LaneQuestion:
    """A question, its answer, and what it takes to find it."""

    needs: Needs
    kind: str
    """As of demo/questions.py."""
    text: str
    options: tuple[str, ...]
    """Empty where the answer is a time."""
    answer: str
    span: tuple[float, float]
    """Of the shot that shows or says it."""


def lane_questions(script: FilmScript, *, n_each: int) -> list[LaneQuestion]:
    """Up to `n_each` questions of every kind of need."""
    rng = random.Random(f"lane questions/{script.seed}")
    made: list[LaneQuestion] = []
    for needs in NEEDS:
        found = list(_MAKERS[needs](script, rng))
        made += rng.sample(found, min(n_each, len(found)))
    return made


def _of_words(script: FilmScript, rng: random.Random) -> Iterator[LaneQuestion]:
    for line in script.lines:
        if line.topic and times_said(script, line.topic) == 1:
            told = next(each for each in TOLD if each in line.text)
            text = f"What is said about the {line.topic}?"
            options = _options(told, TOLD, rng)
            span = script.shots[line.shot_index].span
            yield LaneQuestion("words", "moment", text, options, told, span)


def _of_picture(script: FilmScript, rng: random.Random) -> Iterator[LaneQuestion]:
    for needle in script.needles:
        if len(needle.shot_indexes) == 1 and needle.place is None:
            shot = script.shots[needle.shot_indexes[0]]
            group = shot.scene.group_of(needle.pair)
            assert group is not None, "a needle's shot shows it"
            text = ask("place", needle.pair, n=group.n)
            right = answer("place", shot.scene, needle.pair)
            options = _options(right, PLACES, rng)
            yield LaneQuestion("picture", "place", text, options, right, shot.span)


def _of_both(script: FilmScript, rng: random.Random) -> Iterator[LaneQuestion]:
    colours: dict[str, set[str]] = {}
    for shot in script.shots:
        for group in shot.scene.groups:
            colours.setdefault(group.kind, set()).add(group.colour)
    for line in script.lines:
        shot = script.shots[line.shot_index]
        if len(shot.scene.groups) != 1 or times_said(script, line.topic) != 1:
            continue
        group = shot.scene.groups[0]
        if group.n == 1 and len(colours[group.kind]) > 1:
            asked = f"What colour is the {group.kind}"
            text = f"{asked} when the voice says “{line.topic}”?"
            options = _options(group.colour, tuple(COLOURS), rng)
            yield LaneQuestion("both", "attribute", text, options, group.colour, shot.span)


def _of_sign(script: FilmScript, rng: random.Random) -> Iterator[LaneQuestion]:
    for shot in script.shots:
        if shot.title:
            text = f"When is “{shot.title.lower()}” written?"
            yield LaneQuestion("sign", "when", text, (), "", shot.span)


def _options(right: str, every: tuple[str, ...], rng: random.Random) -> tuple[str, ...]:
    wrong = rng.sample([each for each in every if each != right], _N_OPTIONS - 1)
    return tuple(rng.sample([right, *wrong], _N_OPTIONS))


_MAKERS: dict[Needs, Callable[[FilmScript, random.Random], Iterator[LaneQuestion]]] = {
    "words": _of_words,
    "picture": _of_picture,
    "both": _of_both,
    "sign": _of_sign,
}

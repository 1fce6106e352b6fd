"""How often the agent is right about a film that speaks: by pictures, by words, and by both.

Each question is asked twice: of the film as it is indexed, and as if it had no words ("picture").
"words" is what the first of these owes to lines alone: right, and not one frame was looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from agent.ask import ask
from agent.models import Models
from agent.open_film import OpenFilm, open_film
from agent.settings import AskSettings
from agent.types import Answer
from demo.speech import NEEDS
from demo.speech_questions import LaneQuestion, lane_questions
from demo.truth import load_truth
from evals.items import Item
from evals.matching import is_right
from evals.strategies import outcome_of
from evals.word_lanes import LaneRow
from index.library import Library
from index.types import Span, Video
from tools.search import LANES, Lane


def measure_answers(
    library: Library,
    films: Sequence[Path],
    *,
    models: Models,
    settings: AskSettings,
    n_each: int,
    tell: Callable[[int, int], None],
) -> list[LaneRow]:
    """Every question by every lane, each of its own film; up to `n_each` of a need and film."""
    asked = [(path, lane_questions(load_truth(path), n_each=n_each)) for path in films]
    total = sum(len(questions) for _, questions in asked)
    right: dict[tuple[str, Lane], list[bool]] = {(n, lane): [] for n in NEEDS for lane in LANES}
    done = 0
    for path, questions in asked:
        video = library.find(str(path))
        with open_film(library, video) as opened:
            for question in questions:
                found = _right(library, video, opened, question, models, settings)
                for lane, is_so in found.items():
                    right[question.needs, lane].append(is_so)
                done += 1
                tell(done, total)
    return [LaneRow(*key, len(found), (sum(found),)) for key, found in right.items() if found]


def _right(
    library: Library,
    video: Video,
    opened: OpenFilm,
    question: LaneQuestion,
    models: Models,
    settings: AskSettings,
) -> dict[Lane, bool]:
    def answered(film: OpenFilm) -> Answer:
        return ask(
            library,
            video,
            question.text,
            options=question.options,
            models=models,
            settings=settings,
            opened=film,
        )

    item = item_of(question)
    both = answered(opened)
    silent = answered(OpenFilm(replace(opened.film, words=()), opened.frames))
    is_so = is_right(item, outcome_of(both, ()))
    return {
        "picture": is_right(item, outcome_of(silent, ())),
        "words": is_so and not both.usage.get("visual_tokens", 0),
        "both": is_so,
    }


def item_of(question: LaneQuestion) -> Item:
    """The question as the rules for right answers take it."""
    return Item(
        custom_id=question.text,
        video="",
        kind=question.kind,
        form="choice" if question.options else "open",
        question=question.text,
        options=question.options,
        answer=question.answer,
        evidence=(Span(*question.span),),
        status="answered",
    )

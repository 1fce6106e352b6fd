"""A question put to the whole library: choose films by search, ask in each, gather.

"In which film …" is asked of every chosen film as "when …"; "find every …" as a search for all
moments; any other question as it stands. Every film's answer is a run of its own, with its own
citations and its own trace; what is gathered only orders them.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from agent.ask import OnRun, ask, ignore_run, ignore_step
from agent.films import all_films
from agent.heard import heard
from agent.models import Models
from agent.plan import caption_of, parse_question
from agent.settings import AskSettings
from agent.types import Answer, Citation, Question, Status
from agent.workspace import OnStep
from index.errors import LongshotError
from index.library import Library
from index.types import Video
from tools.search import search

Wanted = Literal["films", "moments", "answer"]

_WHICH_FILM = re.compile(
    r"^(?:(?:in|on|from)\s+)?(?:which|what)\s+(?:(?:one\s+)?of\s+the\s+)?"
    r"(?:films?|movies?|videos?|clips?|recordings?)\b\s*(?P<rest>.*)$",
    re.I,
)
_FILMS_WITH = re.compile(
    r"^(?:(?:please\s+)?(?:find|list|name|show(?:\s+me)?|give(?:\s+me)?)\s+)"
    r"(?:me\s+)?(?:all|every|each|the|any)?\s*(?:of\s+)?(?:the\s+)?"
    r"(?:films?|movies?|videos?|clips?|recordings?)\s+"
    r"(?:with|of|where|that\s+(?:show|have|contain)s?|in\s+which|showing)\s+(?P<rest>.*)$",
    re.I,
)
_FIND_EVERY = re.compile(
    r"^(?:(?:please\s+)?(?:find|list|show(?:\s+me)?|give(?:\s+me)?)\s+)"
    r"(?:all|every|each)(?:\s+of)?(?:\s+the)?\s+(?P<rest>.*)$",
    re.I,
)
_HAS_VERB = re.compile(r"^(?:is|are|was|were|does|do|did|can|could)\b", re.I)
_SPEAKS = re.compile(
    r"^(?:talks?\s+about|speaks?\s+(?:about|of)|tells?\s+(?:about|of)|mentions?|says?|discuss(?:es)?)"
    r"\s+(?P<what>.+)$",
    re.I,
)
_SHOWS = re.compile(r"^(?:shows?|has|have|contains?|features?|includes?)\s+", re.I)

MOST_FILMS = 8
"""Films that are asked, where nobody says how many."""
_MOMENTS = 50


def ignore_film(video: Video, position: int, n_films: int) -> None:
    """Watches nothing."""


@dataclass(frozen=True, slots=True)
class LibraryIntent:
    """A question of the library, understood."""

    wants: Wanted
    search_text: str
    """What films are chosen by."""
    film_question: str
    """What each of them is asked."""


@dataclass(frozen=True, slots=True)
class FilmAnswer:
    """What one film said."""

    video: Video
    score: float
    """Of its best moment in the search."""
    answer: Answer | None
    """None: the film could not be asked."""
    error: str = ""

    def to_json(self) -> dict[str, Any]:
        answer = self.answer.to_json() if self.answer else None
        return {
            "video_id": self.video.video_id,
            "video": str(self.video.path),
            "score": round(self.score, 4),
            "answer": answer,
            "error": self.error or None,
        }


@dataclass(frozen=True, slots=True)
class LibraryAnswer:
    """What the library said, film by film."""

    answer_id: str
    question: str
    wants: Wanted
    options: tuple[str, ...]
    films: tuple[FilmAnswer, ...]
    """Films that answered first, then guesses, then those that do not hold it; the surest first."""
    n_films: int
    """Of the library; those beyond `films` were not asked."""

    @property
    def found(self) -> tuple[FilmAnswer, ...]:
        """The films that answered."""
        return tuple(f for f in self.films if f.answer and f.answer.status == "answered")

    @property
    def best(self) -> Answer | None:
        """What the first film said; None where no film says anything."""
        first = self.films[0].answer if self.films else None
        return first if first is not None and first.answer else None

    @property
    def status(self) -> Status:
        """As of the best film."""
        return self.best.status if self.best else "not_found"

    @property
    def answer(self) -> str:
        """In words: the films, how many moments, or the best film's reply; "" where there is none.

        Of a guess only the first film is named.
        """
        if self.best is None:
            return ""
        if self.wants == "answer":
            return self.best.answer
        named = self.found or self.films[:1]
        if self.wants == "films":
            return ", ".join(f.video.path.name for f in named)
        n_moments = sum(len(f.answer.spans) for f in named if f.answer)
        return f"{_counted(n_moments, 'moment')} in {_counted(len(named), 'film')}"

    @property
    def choice(self) -> int | None:
        """Position of the chosen option: the best film's choice, or the option that names it."""
        if self.best is None or self.wants == "moments":
            return None
        if self.wants == "answer":
            return self.best.choice
        path = self.films[0].video.path
        names = [option.casefold() for option in self.options]
        return next((names.index(n) for n in _names(path.name, path.stem) if n in names), None)

    @property
    def usage(self) -> dict[str, float]:
        """Of all films together."""
        total: dict[str, float] = {}
        for film in self.films:
            for key, value in (film.answer.usage if film.answer else {}).items():
                total[key] = round(total.get(key, 0) + value, 4)
        return total

    @property
    def citations(self) -> tuple[Citation, ...]:
        """Of the films that the answer rests on, film by film."""
        resting = self.found if self.wants != "answer" else self.found[:1]
        return tuple(c for f in resting or self.films[:1] if f.answer for c in f.answer.citations)

    @property
    def notes(self) -> list[str]:
        """What the reader should know."""
        notes = []
        if len(self.films) < self.n_films:
            notes.append(f"{len(self.films)} of {self.n_films} films were asked, those nearest")
        if self.status == "out_of_budget":
            notes.append("the answer is a best guess: no film gave one that is sure")
        notes += [
            f"{f.video.path.name} could not be asked: {f.error}" for f in self.films if f.error
        ]
        return notes

    def to_json(self) -> dict[str, Any]:
        """As an answer of one film, with the films beside it; each film's `id` is its run."""
        best = self.films[0].answer if self.films else None
        by_film = [film.to_json() for film in self.films]
        return {
            "id": self.answer_id,
            "question": self.question,
            "answer": self.answer,
            "choice": self.choice,
            "confidence": round(best.confidence, 4) if best else 0.0,
            "status": self.status,
            "citations": [c.to_json() for c in self.citations],
            "usage": self.usage,
            "models": best.models if best else {},
            "kind": f"library {self.wants}",
            "spans": [],
            "notes": self.notes,
            "films": by_film,
            "n_films": self.n_films,
            "video": None,
        }


def library_intent(question: str) -> LibraryIntent:
    """What a question of the library wants, by rules."""
    text = " ".join(question.split()).rstrip("?.! ")
    for pattern in (_WHICH_FILM, _FILMS_WITH):
        if (found := pattern.match(text)) and found["rest"]:
            asked = _when(found["rest"])
            return LibraryIntent("films", _search_text(asked), asked)
    if parse_question(question).wants_all or heard(question).asks == "all":
        return LibraryIntent("moments", _search_text(question), question)
    if found := _FIND_EVERY.match(text):
        singular = re.search(r"\b(?:every|each)\b", text[: found.start("rest")], re.I)
        thing = f"does {_article(found['rest'])}" if singular else f"do {found['rest']}"
        asked = f"At which moments {thing} appear?"
        return LibraryIntent("moments", parse_question(asked).subject, asked)
    return LibraryIntent("answer", caption_of(_search_text(question)), question)


def _search_text(question: str) -> str:
    """What is to be said, where a question is about words; else what is to be seen."""
    asked = heard(question)
    if asked.asks != "picture" and asked.query is not None:
        return asked.query.text
    return parse_question(question).subject


def ask_library(
    library: Library,
    question: str,
    *,
    options: Sequence[str] = (),
    models: Models,
    settings: AskSettings | None = None,
    most_films: int = MOST_FILMS,
    begun: Sequence[str] = (),
    on_run: OnRun = ignore_run,
    on_film: Callable[[Video, int, int], None] = ignore_film,
    on_step: OnStep = ignore_step,
) -> LibraryAnswer:
    """The answer of the library to a question.

    Args:
        most_films: so many films, the nearest in the search, are asked.
        begun, on_run: as of `ask`, for the runs of all films.
        on_film: told each film before it is asked, its position and the number of films.

    Raises:
        InputError: an empty question, or an empty library.
        LongshotError: every film failed; the last one's error.
    """
    asked = Question(" ".join(question.split()), tuple(o.strip() for o in options))
    videos = {video.video_id: video for video in all_films(library)}
    intent = library_intent(asked.text)
    scores = nearest_films(library, models, intent.search_text, limit=most_films, videos=videos)
    films: list[FilmAnswer] = []
    last: LongshotError | None = None
    for position, (video_id, score) in enumerate(scores.items()):
        on_film(videos[video_id], position, len(scores))
        try:
            answer = ask(
                library,
                videos[video_id],
                intent.film_question,
                options=() if intent.wants == "films" else asked.options,
                models=models,
                settings=settings,
                begun=begun,
                on_run=on_run,
                on_step=on_step,
            )
            films.append(FilmAnswer(videos[video_id], score, answer))
        except LongshotError as error:
            films.append(FilmAnswer(videos[video_id], score, None, str(error)))
            last = error
    if last is not None and all(film.answer is None for film in films):
        raise last
    return LibraryAnswer(
        answer_id=uuid.uuid4().hex[:12],
        question=asked.text,
        wants=intent.wants,
        options=asked.options,
        films=tuple(sorted(films, key=_order)),
        n_films=len(videos),
    )


def nearest_films(
    library: Library, models: Models, text: str, *, limit: int, videos: Mapping[int, Video]
) -> dict[int, float]:
    """Films and the score of their best moment, best first.

    One film may hold all of the nearest moments, so the search goes on among the others until
    there are enough films.
    """
    scores: dict[int, float] = {}
    while len(scores) < min(limit, len(videos)):
        left = [video_id for video_id in videos if video_id not in scores]
        found = search(library, models.encoder, text, limit=_MOMENTS, video_ids=left)
        if not found:
            break
        for moment in found:
            scores.setdefault(moment.video_id, moment.score)
    return dict(list(scores.items())[:limit])


_ORDER = {"answered": 0, "out_of_budget": 1, "not_found": 2}


def _order(film: FilmAnswer) -> tuple[int, float, float]:
    """Answers before guesses before nothing, the surer first; of "not here" the least sure."""
    if film.answer is None:
        return 3, 0.0, -film.score
    sure = film.answer.confidence
    return (
        _ORDER[film.answer.status],
        sure if film.answer.status == "not_found" else -sure,
        -film.score,
    )


def _when(rest: str) -> str:
    """ "does a red car stop" → "When does a red car stop?"; "shows a car" → "When does a car …" """
    rest = rest.strip().rstrip("?.! ")
    if speaks := _SPEAKS.match(rest):
        return f"When is {speaks['what']} mentioned?"
    thing = _SHOWS.sub("", rest)
    if thing != rest or not _HAS_VERB.match(rest):
        return f"When does {thing} appear?"
    return f"When {rest}?"


def _article(thing: str) -> str:
    return f"{'an' if thing[:1].lower() in 'aeiou' else 'a'} {thing}"


def _counted(n: int, word: str) -> str:
    return f"{n} {word}" if n == 1 else f"{n} {word}s"


def _names(*names: str) -> list[str]:
    return [name.casefold() for name in names]

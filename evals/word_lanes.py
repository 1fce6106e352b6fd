"""How well a search finds moments by pictures, by words, and by both: a table by what they need.

Films of the demo world with words are sealed: their truth says which shot is meant. A search is
right at k when one of its first k moments has its middle in that shot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.speech import NEEDS, WordQuestion, word_questions
from demo.truth import load_truth
from evals.demo_films import RenderProgress, make_film
from index.build import IndexSettings, Progress, build
from index.encoder import Encoder
from index.errors import InputError
from index.library import Library
from index.words import WordSettings
from tools.search import LANES, Lane, Moment, search

FIRST = (1, 5)
FILMS_PER_SEED = 1000


@dataclass(frozen=True, slots=True)
class LaneRow:
    """One kind of need by one lane."""

    needs: str
    lane: Lane
    n: int
    n_right: tuple[int, ...]
    """Right within the first 1 and 5 moments; of answers, right."""


def make_films(
    folder: Path, *, n_films: int, minutes: float, seed: int, progress: RenderProgress
) -> list[Path]:
    """The films with words of a seed; those that are there are used again."""
    return [
        make_film(
            folder,
            seed=seed * FILMS_PER_SEED + index,
            minutes=minutes,
            progress=progress,
            words=True,
        )
        for index in range(n_films)
    ]


def index_with_words(
    library: Library,
    films: Sequence[Path],
    *,
    encoder: Encoder,
    screen_text: bool,
    progress: Progress,
) -> None:
    """Index films and their words.

    Raises:
        InputError: a film could not be indexed.
    """
    settings = IndexSettings(words=WordSettings(screen_text=screen_text))
    report = build(library, films, encoder=encoder, settings=settings, progress=progress)
    if report.failures:
        raise InputError(report.failures[0].message, report.failures[0].hint)


def measure_lanes(
    library: Library,
    films: Sequence[Path],
    *,
    encoder: Encoder,
    n_each: int,
    tell: Callable[[int, int], None],
) -> list[LaneRow]:
    """Every search by every lane, over all films of the library at once."""
    asked = [(film, q) for film in films for q in word_questions(load_truth(film), n_each=n_each)]
    right: dict[tuple[str, Lane], list[tuple[bool, ...]]] = {
        (needs, lane): [] for needs in NEEDS for lane in LANES
    }
    for number, (film, question) in enumerate(asked, 1):
        video_id = library.find(str(film)).video_id
        for lane in LANES:
            moments = search(library, encoder, question.text, limit=max(FIRST), lane=lane)
            right[question.needs, lane].append(_right(moments, question, video_id))
        tell(number, len(asked))
    return [
        LaneRow(needs, lane, len(found), tuple(map(sum, zip(*found, strict=True))))
        for (needs, lane), found in right.items()
        if found
    ]


def table_of(rows: Sequence[LaneRow]) -> str:
    """The rows as a Markdown table: a kind of need each, with right (at 1 / at 5) by lane."""
    lines = ["| needs | n | picture | words | both |", "| --- | --- | --- | --- | --- |"]
    lines += _table_rows(rows)
    return "\n".join(lines)


def rows_to_json(rows: Sequence[LaneRow]) -> list[dict[str, Any]]:
    return [
        {"needs": row.needs, "lane": row.lane, "n": row.n, "n_right": list(row.n_right)}
        for row in rows
    ]


def _table_rows(rows: Sequence[LaneRow]) -> Iterator[str]:
    for needs in dict.fromkeys(row.needs for row in rows):
        own = {row.lane: row for row in rows if row.needs == needs}
        shown = (" / ".join(f"{n / own[lane].n:.2f}" for n in own[lane].n_right) for lane in LANES)
        yield f"| {needs} | {own['both'].n} | {' | '.join(shown)} |"


def _right(moments: Sequence[Moment], question: WordQuestion, video_id: int) -> tuple[bool, ...]:
    start_s, end_s = question.span
    hits = [m.video_id == video_id and start_s <= m.span.middle_s < end_s for m in moments]
    return tuple(any(hits[:k]) for k in FIRST)

"""The demo world as a benchmark: sealed films and questions from a seed.

What lies in the folder from an earlier call is used again where its truth is the wanted script.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from demo.film import render
from demo.questions import make_questions, question_to_json, write_questions
from demo.script import make_script
from demo.truth import FilmScript, load_truth
from evals.items import Item, item_from_json

FILMS_PER_SEED = 1000
"""Film seeds of one benchmark seed: benchmarks of two seeds share no film."""


@dataclass(frozen=True, slots=True)
class DemoBenchmark:
    """Films on disk and what is asked of them."""

    films: tuple[Path, ...]
    items: tuple[Item, ...]
    questions_file: Path


def demo_benchmark(
    folder: Path,
    *,
    n_films: int,
    minutes: float,
    n_questions: int,
    seed: int,
    progress: Callable[[Path, int, int], None] = lambda film, done, total: None,
) -> DemoBenchmark:
    """Makes the films of a seed and their questions, evenly shared among the films.

    Args:
        folder: where films, truths and questions.jsonl go; made where missing.
        n_films: 1 to FILMS_PER_SEED.
        minutes: length of each film.
        n_questions: in all; short films may hold fewer.
        seed: which films and questions.
        progress: told a film's frames as they are drawn.

    Raises:
        ValueError: a number that makes no sense.
    """
    if not 1 <= n_films <= FILMS_PER_SEED or n_questions < 1:
        raise ValueError(f"{n_films} films and {n_questions} questions: at least one of each")
    films, questions = [], []
    for index in range(n_films):
        script = make_script(seed * FILMS_PER_SEED + index, minutes)
        film = folder / f"demo-{script.seed}-{minutes:g}min.mp4"
        _make(script, film, progress)
        n = n_questions // n_films + (index < n_questions % n_films)
        questions += make_questions(script, video=str(film), n=n, seed=seed)
        films.append(film)
    path = folder / "questions.jsonl"
    write_questions(path, questions)
    items = tuple(item_from_json(question_to_json(q)) for q in questions)
    return DemoBenchmark(tuple(films), items, path)


def _make(script: FilmScript, film: Path, progress: Callable[[Path, int, int], None]) -> None:
    if film.exists():
        with contextlib.suppress(FileNotFoundError, ValueError):
            if load_truth(film) == script:
                return
    render(script, film, progress=lambda done, total: progress(film, done, total))

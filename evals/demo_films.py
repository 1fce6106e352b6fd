"""Demo films for the command line and as a benchmark: rendered once, indexed, asked about.

What lies in a folder from an earlier call is used again where its truth is the wanted script.
"""

from __future__ import annotations

import contextlib
import glob
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.facts import KINDS
from demo.film import render
from demo.questions import FORMS, Form, make_questions, question_to_json
from demo.script import make_script
from demo.speech import with_words
from demo.truth import FilmScript, load_truth, truth_path
from evals.items import Item, item_from_json
from index.build import IndexSettings, Progress, build
from index.disk import replace_file
from index.encoder import Encoder
from index.errors import InputError, MediaError
from index.library import Library
from index.processes import is_alive

RenderProgress = Callable[[Path, int, int], None]
"""Told a film, its frames drawn, its frames in all."""
FILMS_PER_SEED = 1000
"""Film seeds of one benchmark seed: benchmarks of two seeds share no film."""


@dataclass(frozen=True, slots=True)
class DemoBenchmark:
    """Films on disk and what is asked of them."""

    minutes: float
    films: tuple[Path, ...]
    rows: tuple[dict[str, Any], ...]
    """Lines of a question file."""

    @property
    def items(self) -> list[Item]:
        return [item_from_json(row) for row in self.rows]


def demo_benchmark(
    folder: Path,
    *,
    n_films: int,
    minutes: float,
    n_questions: int,
    seed: int,
    kinds: Sequence[str] | None = None,
    absent_share: float | None = None,
    progress: RenderProgress = lambda film, done, total: None,
) -> DemoBenchmark:
    """Makes the films of a seed and their questions, evenly shared among the films.

    Args:
        folder: where films and their truths go; made where missing.
        n_films: 1 to FILMS_PER_SEED.
        minutes: length of each film.
        n_questions: in all; short films may hold fewer.
        seed: which films and questions.
        kinds, absent_share: of the facts, see `make_questions`.
        progress: told a film's frames as they are drawn.

    Raises:
        InputError: the length is outside what can be made, or the folder cannot be written.
        ValueError: a number that makes no sense.
    """
    if not 1 <= n_films <= FILMS_PER_SEED or n_questions < 1:
        raise ValueError(f"{n_films} films and {n_questions} questions: at least one of each")
    films: list[Path] = []
    rows: list[dict[str, Any]] = []
    for index in range(n_films):
        film_seed = seed * FILMS_PER_SEED + index
        film = make_film(folder, seed=film_seed, minutes=minutes, progress=progress)
        n = n_questions // n_films + (index < n_questions % n_films)
        if n:
            rows += question_rows(film, n=n, seed=seed, kinds=kinds, absent_share=absent_share)
        films.append(film)
    return DemoBenchmark(minutes, tuple(films), tuple(rows))


def keep_questions(folder: Path, benchmarks: Sequence[DemoBenchmark]) -> Path:
    """Writes the questions of all of them to the folder's questions.jsonl."""
    path = folder / "questions.jsonl"
    lines = [json.dumps(row) + "\n" for bench in benchmarks for row in bench.rows]
    with writing(path):
        replace_file(path, lambda beside: _write(beside, "".join(lines)))
    return path


def make_film(
    folder: Path, *, seed: int, minutes: float, progress: RenderProgress, words: bool = False
) -> Path:
    """The film of a seed and a length in a folder; one that is there already is left alone.

    Args:
        words: with titles, and with what a voice says as subtitles beside it.

    Raises:
        InputError: the length is outside what can be made, or the file cannot be written.
    """
    path = folder / f"film-{seed}-{minutes:g}min{'-words' if words else ''}.mp4"
    try:
        script = make_script(seed, minutes)
        script = with_words(script) if words else script
    except ValueError as error:
        raise InputError(f"no film can be made: {error}") from error
    if path.exists():
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            if load_truth(path) == script:
                return path
    _remove_unfinished(path)
    with writing(folder):
        render(script, path, progress=lambda done, total: progress(path, done, total))
    return path


def _remove_unfinished(path: Path) -> None:
    """Removes what killed processes left of a film; a living one may be drawing it as well."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.unfinished*"):
        number = left.name.rpartition(".unfinished")[2]
        if number.isdecimal() and not is_alive(int(number)):
            shutil.rmtree(left, ignore_errors=True)


def question_rows(
    film: Path,
    *,
    n: int,
    seed: int,
    kinds: Sequence[str] | None = None,
    forms: Sequence[Form] = FORMS,
    absent_share: float | None = None,
) -> list[dict[str, Any]]:
    """Questions about a demo film, as lines of a question file; see `make_questions`.

    Raises:
        InputError: the film has no truth beside it.
    """
    script = _truth(film)
    made = make_questions(
        script,
        video=str(film),
        n=n,
        seed=seed,
        kinds=kinds,
        forms=forms,
        absent_share=absent_share,
    )
    return [question_to_json(question) for question in made]


def questions_about(
    film: Path,
    *,
    n: int,
    seed: int,
    kinds: Sequence[str] = KINDS,
    forms: Sequence[Form] = FORMS,
) -> list[Item]:
    """The same as items of an evaluation."""
    rows = question_rows(film, n=n, seed=seed, kinds=kinds, forms=forms)
    return [item_from_json(row) for row in rows]


def film_of(film_or_truth: Path) -> Path:
    """The film that a path means, be it the film's or its truth's."""
    if film_or_truth.name.endswith(".truth.json"):
        return film_or_truth.with_name(film_or_truth.name.removesuffix(".truth.json") + ".mp4")
    return film_or_truth


def index_films(
    library: Library, films: Sequence[Path], *, encoder: Encoder, progress: Progress
) -> float:
    """Index films of our own making; returns the seconds that it took.

    Raises:
        MediaError: one of them cannot be indexed.
    """
    report = build(library, films, encoder=encoder, settings=IndexSettings(), progress=progress)
    if report.failures:
        raise MediaError(report.failures[0].message, report.failures[0].hint)
    return report.seconds


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns what the system says against writing there into a line for the person.

    Raises:
        InputError: no right to write, no space, no such place.
    """
    try:
        yield
    except OSError as error:
        raise InputError(
            f"{path} cannot be written: {error.strerror or error}", "name another place"
        ) from error


def _truth(film: Path) -> FilmScript:
    try:
        return load_truth(film)
    except FileNotFoundError as error:
        raise InputError(
            f"there is no truth of {film}: {truth_path(film)} is missing",
            "make films with longshot demo film",
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{truth_path(film)} is not a film's truth: {error}") from error


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")

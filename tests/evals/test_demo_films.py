"""The demo world as a benchmark."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from evals.demo_films import DemoBenchmark, demo_benchmark, keep_questions
from evals.items import load_items


def make(folder: Path, *, seed: int = 1) -> tuple[DemoBenchmark, list[Path]]:
    drawn: list[Path] = []
    made = demo_benchmark(
        folder,
        n_films=2,
        minutes=1 / 3,
        n_questions=11,
        seed=seed,
        progress=lambda film, done, total: drawn.append(film),
    )
    return made, drawn


def test_questions_are_shared_among_the_films(tmp_path: Path) -> None:
    made, drawn = make(tmp_path)
    assert drawn == list(made.films)
    assert [sum(i.video == str(f) for i in made.items) for f in made.films] == [6, 5]
    assert load_items(keep_questions(tmp_path, [made])) == made.items


def test_films_that_are_there_are_used_again(tmp_path: Path) -> None:
    first, _ = make(tmp_path)
    again, drawn = make(tmp_path)
    assert drawn == []
    assert again == first


def test_what_a_killed_run_left_of_a_film_goes_and_a_living_ones_stays(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for process in (ended.pid, os.getppid()):
        (tmp_path / f".film-1000-0.333333min.mp4.unfinished{process}").mkdir()
    make(tmp_path)
    left = [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]
    assert left == [f".film-1000-0.333333min.mp4.unfinished{os.getppid()}"]


def test_another_seed_makes_other_films(tmp_path: Path) -> None:
    assert not set(make(tmp_path)[0].films) & set(make(tmp_path, seed=2)[0].films)


def test_no_films_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="0 films"):
        demo_benchmark(tmp_path, n_films=0, minutes=1, n_questions=1, seed=0)

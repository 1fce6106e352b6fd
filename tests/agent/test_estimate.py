"""What a batch will cost: by the budget at most, by earlier runs of the same model likely."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from agent.batch_lines import BatchQuestion
from agent.estimate import ASSUMED_INDEX_SPEED, BatchEstimate, Cost, estimate_batch
from agent.settings import BudgetSettings
from index.library import Library
from index.run_rows import RunRow


def run(model: str, tokens: int, seconds: float, *, ended: bool = True) -> RunRow:
    answer = {"usage": {"visual_tokens": tokens, "seconds": seconds}} if ended else {}
    models = {"videollm": model}
    return RunRow("r", 1, "h", "f", "?", (), models, {}, "k", "2026-01-01", 1, answer=answer)


def estimate(
    folder: Path, *runs: RunRow, videos: tuple[str | None, ...], below: Path | None = None
) -> BatchEstimate:
    questions = [BatchQuestion(str(i), i, video, "?") for i, video in enumerate(videos)]
    with closing(Library.open(folder / "library")) as library:
        return estimate_batch(
            library,
            questions,
            runs=runs,
            videollm="m",
            budget=BudgetSettings(visual_tokens=1000, seconds=60),
            videos=below,
            most_films=5,
        )


def test_likely_is_the_median_of_ended_runs_of_this_model(tmp_path: Path, film_path: Path) -> None:
    runs = (
        *(run("m", 100, 2.0), run("m", 300, 4.0), run("m", 900, 30.0)),
        *(run("other", 5, 0.1), run("m", 0, 0.0, ended=False)),
    )
    found = estimate(tmp_path, *runs, videos=(str(film_path), str(film_path)))
    assert (found.likely, found.n_runs) == (Cost(600, 8.0), 3)
    assert found.most == Cost(2000, 120.0)
    assert found.films_to_index == (str(film_path.resolve()),)
    assert found.to_index_s == 170.0


def test_a_question_of_the_library_is_one_of_each_film(tmp_path: Path, film_path: Path) -> None:
    found = estimate(tmp_path, videos=(str(film_path), None))
    # One film will be there: one run for each question.
    assert (found.n_library_wide, found.most.visual_tokens) == (1, 2000)
    assert found.likely is None


def test_a_file_that_is_no_film_is_a_problem(tmp_path: Path) -> None:
    notes = tmp_path / "notes.mp4"
    notes.write_text("no film")
    found = estimate(tmp_path, videos=(str(notes),))
    assert str(notes) in found.problems[0]


def test_a_film_that_is_named_in_several_ways_is_indexed_once(
    tmp_path: Path, film_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "link.mp4").symlink_to(film_path)
    monkeypatch.chdir(film_path.parent)
    names = (str(film_path), film_path.name, f"./{film_path.name}", str(tmp_path / "link.mp4"))
    found = estimate(tmp_path, videos=names)
    assert (found.films_to_index, found.to_index_s) == ((str(film_path.resolve()),), 170.0)


def test_a_question_of_the_library_has_the_whole_folder_indexed(
    tmp_path: Path, film_path: Path
) -> None:
    found = estimate(tmp_path, videos=(None,), below=film_path.parent)
    assert (found.to_index_s, found.most.visual_tokens) == (170.0, 1000)


def test_the_time_to_index_is_by_the_speed_of_this_library(tmp_path: Path, film_path: Path) -> None:
    assumed = estimate(tmp_path, videos=(str(film_path),))
    assert (assumed.index_speed, assumed.is_speed_measured) == (ASSUMED_INDEX_SPEED, False)
    assert assumed.indexing_s == pytest.approx(170 / ASSUMED_INDEX_SPEED)
    with closing(Library.open(tmp_path / "library")) as library:
        for film_s, took_s in ((300.0, 10.0), (0.0, 0.0), (100.0, 10.0)):
            run_id = library.store.index_runs.begin(encoder="e")
            counts = {"n_indexed": 1, "n_unchanged": 0, "n_failed": 0}
            library.store.index_runs.finish(run_id, **counts, film_s=film_s, film_took_s=took_s)
    measured = estimate(tmp_path, videos=(str(film_path),))
    # 400 s of film in 20 s.
    assert (measured.index_speed, measured.is_speed_measured) == (20.0, True)
    assert measured.indexing_s == 8.5

"""What a batch will cost: by the budget at most, by earlier runs of the same model likely."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from agent.batch_lines import BatchQuestion
from agent.estimate import BatchEstimate, Cost, estimate_batch
from agent.settings import BudgetSettings
from index.library import Library
from index.run_rows import RunRow


def run(model: str, tokens: int, seconds: float, *, ended: bool = True) -> RunRow:
    answer = {"usage": {"visual_tokens": tokens, "seconds": seconds}} if ended else {}
    models = {"videollm": model}
    return RunRow("r", 1, "h", "f", "?", (), models, {}, "k", "2026-01-01", 1, answer=answer)


def estimate(folder: Path, *runs: RunRow, videos: tuple[str | None, ...]) -> BatchEstimate:
    questions = [BatchQuestion(str(i), i, video, "?") for i, video in enumerate(videos)]
    with closing(Library.open(folder / "library")) as library:
        return estimate_batch(
            library,
            questions,
            runs=runs,
            videollm="m",
            budget=BudgetSettings(visual_tokens=1000, seconds=60),
            videos=None,
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
    assert found.films_to_index == (str(film_path),)
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

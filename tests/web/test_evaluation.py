"""The commands that measure, on a film of half a minute."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app import cli


def evaluation(*words: str | Path) -> Result:
    return CliRunner().invoke(cli, ["eval", *map(str, words)], catch_exceptions=False)


def without_ms(table: str) -> list[str]:
    """A table of selections without its last column, which is a time measured."""
    lines = [line.rsplit(maxsplit=1) for line in table.splitlines()]
    assert lines[0][1] == "ms"
    return [rest for rest, _ in lines]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where films and library of all these tests lie."""
    return tmp_path_factory.mktemp("eval")


def test_selections_are_measured_and_written(folder: Path, tmp_path: Path) -> None:
    results, report = tmp_path / "results.md", tmp_path / "report.json"
    done = evaluation(
        "selection", "--minutes", "0.5", "--questions", "4", "--strategy", "uniform,topk",
        "--budget", "60,120", "--out", folder, "--results", results, "-o", report,
        "--set", "reflect.judge = false", "--set", "reflect.ambiguous = [0.2, 0.8]",
    )  # fmt: skip
    assert done.exit_code == 0
    assert done.stdout.split()[:2] == ["strategy", "budget"]
    rows = json.loads(report.read_text(encoding="utf-8"))["rows"]
    assert [(row["strategy"], row["budget"]) for row in rows] == [
        ("uniform", 60),
        ("topk", 60),
        ("uniform", 120),
        ("topk", 120),
    ]
    text = results.read_text(encoding="utf-8")
    assert "<!-- begin selection:" in text
    assert (
        "longshot eval selection --films 1 --minutes 0.5 --questions 4 --seed 9"
        " --strategy uniform,topk --budget 60,120"
        " --set reflect.judge=false --set 'reflect.ambiguous=[0.2, 0.8]'\n" in text
    )
    (shown,) = (line for line in text.splitlines() if line.startswith("longshot eval"))
    again = evaluation(*shlex.split(shown)[2:], "--out", folder)
    assert again.exit_code == 0
    assert without_ms(again.stdout) == without_ms(done.stdout)


def test_json_has_the_rows_and_nothing_else_is_on_standard_output(folder: Path) -> None:
    done = evaluation(
        "demo", "--minutes", "0.5", "--questions", "2", "--strategy", "uniform", "--out", folder,
        "--budget", "60", "--json",
    )  # fmt: skip
    (row,) = json.loads(done.stdout)["rows"]
    assert list(row)[:4] == ["strategy", "n", "accuracy", "low"]
    assert row["strategy"] == "uniform"
    assert row["visual_tokens"] == 60
    assert sum(kind["n"] for kind in row["kinds"].values()) == row["n"]


def test_results_come_with_a_picture_and_a_second_run_asks_nothing(
    folder: Path, tmp_path: Path
) -> None:
    words = (
        "demo", "--minutes", "0.5", "--questions", "2", "--strategy", "uniform,topk", "--out",
        folder, "--budget", "60,90", "--results", tmp_path / "results.md", "--section", "short",
    )  # fmt: skip
    first = evaluation(*words).stdout
    n_answers = len((folder / "answers.jsonl").read_text(encoding="utf-8").splitlines())
    picture = (tmp_path / "results-short.svg").read_bytes()
    assert "(results-short.svg)" in (tmp_path / "results.md").read_text(encoding="utf-8")
    assert evaluation(*words).stdout == first
    assert len((folder / "answers.jsonl").read_text(encoding="utf-8").splitlines()) == n_answers
    assert (tmp_path / "results-short.svg").read_bytes() == picture


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--minutes", "0.1"], "a film has 0.34 to 600 minutes"),
        (["--minutes", "ten"], "minutes, divided by commas"),
        (["--budget", "2000", "--budget", "looks=3"], "several budgets are numbers"),
        (["--budget", "0"], "budget"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(words: list[str], line: str) -> None:
    done = evaluation("demo", *words)
    assert done.exit_code == 2
    assert line in done.output

"""The command line over a small film of the demo world, with the fakes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import app
from demo.film import render
from demo.questions import Question, make_questions
from demo.script import make_script

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Result:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> str:
        """The one line of an error."""
        assert self.code == 1
        assert self.out == ""
        (line,) = self.err.splitlines()
        return line


Longshot = Callable[..., Result]


@pytest.fixture(scope="module", autouse=True)
def no_settings_of_this_machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Commands see neither the person's environment nor their files."""
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("LONGSHOT_")]:
        del os.environ[name]
    home = str(tmp_path_factory.mktemp("home"))
    os.environ.update(HOME=home, XDG_CONFIG_HOME=home, XDG_DATA_HOME=home, HF_HUB_OFFLINE="1")
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half a minute of the demo world."""
    path = tmp_path_factory.mktemp("films") / "film.mp4"
    render(make_script(1, 0.5), path, n_processes=1)
    return path


@pytest.fixture(scope="module")
def question(film: Path) -> Question:
    """A question about a span of the film."""
    made = make_questions(
        make_script(1, 0.5), video=str(film), n=20, seed=0, forms=("choice",), kinds=("place",)
    )
    return made[0]


@pytest.fixture(scope="module")
def indexed_once(film: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library that holds the film; copied, because making one takes a while."""
    folder = tmp_path_factory.mktemp("library") / "library"
    flags = ["--library", str(folder), "--models", "scripted"]
    assert app.run(["index", str(film), *flags]) == 0
    return folder


@pytest.fixture
def longshot(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Longshot:
    """Runs a command line on an empty library, with the fakes for models."""

    def call(*words: str | Path, models: str = "scripted") -> Result:
        os.environ.update(LONGSHOT_LIBRARY=str(tmp_path / "library"), LONGSHOT_MODELS=models)
        capsys.readouterr()
        code = app.run([str(word) for word in words])
        return Result(code, *capsys.readouterr())

    return call


@pytest.fixture
def indexed(longshot: Longshot, indexed_once: Path, tmp_path: Path) -> Longshot:
    """The same on a library that holds the film."""
    shutil.copytree(indexed_once, tmp_path / "library")
    return longshot


@pytest.fixture
def knowing(tmp_path: Path, question: Question) -> str:
    """The fake VideoLLM that sees the evidence where it is."""
    assert question.options is not None
    path = tmp_path / "script.json"
    option_index = question.options.index(question.answer)
    path.write_text(json.dumps({"evidence": question.evidence, "option_index": option_index}))
    return f"scripted:{path}"


def test_a_film_is_indexed_once(longshot: Longshot, film: Path) -> None:
    first = longshot("index", film, "--json")
    assert [each["path"] for each in first.json["indexed"]] == [str(film)]
    assert first.json["indexed"][0]["duration_s"] == 30.0
    second = longshot("index", film.parent, "--json")
    assert (second.json["indexed"], len(second.json["unchanged"])) == ([], 1)
    assert "0 indexed, 1 unchanged" in longshot("index", film).out


def test_a_copy_of_a_film_is_named_as_one(longshot: Longshot, film: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.mp4"
    shutil.copy(film, copy)
    first = longshot("index", film, copy, "--json").json
    assert first["copies"] == [{"path": str(copy), "video_id": first["indexed"][0]["video_id"]}]
    again = longshot("index", film, copy)
    assert f"copy       1  {copy} (the same as {film})" in again.out
    assert "0 indexed, 1 unchanged, 1 copy" in again.out


@pytest.mark.slow
def test_indexing_with_the_embedded_encoder_says_so(longshot: Longshot, film: Path) -> None:
    notice = "These are the embedded demo models."
    assert notice in longshot("index", film, models="demo").err
    # The library goes on with its encoder where none is named.
    assert notice in longshot("index", film, models="auto").err
    assert notice in longshot("search", "a car", models="auto").err


def test_a_bad_file_is_named_and_the_others_are_indexed(
    longshot: Longshot, film: Path, tmp_path: Path
) -> None:
    (tmp_path / "notes.mp4").write_text("no film at all")
    done = longshot("index", tmp_path / "notes.mp4", tmp_path / "gone.mp4", film)
    assert done.code == 1
    assert [line.split()[:2] for line in done.err.splitlines()] == [
        ["failed:", str(tmp_path / "notes.mp4")],
        ["failed:", str(tmp_path / "gone.mp4")],
    ]
    assert "1 indexed, 0 unchanged, 2 failed" in done.out


def test_search_gives_moments_of_the_film(indexed: Longshot, film: Path) -> None:
    found = indexed("search", "a red car", "--limit", "3", "--json").json
    assert found["query"] == "a red car"
    assert [hit["rank"] for hit in found["hits"]] == [1, 2, 3]
    scores = [hit["score"] for hit in found["hits"]]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= hit["start"] < hit["end"] <= 30 for hit in found["hits"])
    assert f"{film}#t=" in indexed("search", "a red car", "--video", "film").out


def test_search_says_that_nothing_is_left_above_the_threshold(indexed: Longshot) -> None:
    assert indexed("search", "a car", "--threshold", "0.99").out == "nothing found for “a car”\n"
    assert indexed("search", "a car", "--threshold", "0.99", "--json").json["hits"] == []


def test_search_finds_what_is_said_without_a_model(
    longshot: Longshot, film: Path, tmp_path: Path
) -> None:
    copy = tmp_path / film.name
    shutil.copy(film, copy)
    copy.with_suffix(".en.srt").write_text(
        "1\n00:00:04,000 --> 00:00:06,000\nThe [bold]tide[/] is turning.\x1b[31m\n"
    )
    indexed = longshot("index", copy)
    assert "words      film.mp4: 1 subtitles (film.en.srt)" in indexed.out
    found = longshot("search", '"tide is turning"', "--lane", "words", models="no-such-model")
    assert "0:00:04–0:00:06" in found.out
    assert "subtitles: “The [bold]tide[/] is turning.[31m”" in found.out
    hit = longshot("search", "tide", "--lane", "words", "--json").json["hits"][0]
    assert (hit["start"], hit["end"], hit["modality"]) == (4.0, 6.0, "words")
    assert hit["lanes"][0]["source"] == "subtitles"
    films = longshot("search", "tide", "--group", "film", "--json").json["films"]
    assert [each["video"] for each in films] == [str(copy)]
    (row,) = longshot(
        "search", "tide", "--lane", "words", "--format", "qvhighlights"
    ).out.splitlines()
    assert json.loads(row)["pred_relevant_windows"][0][:2] == [4.0, 6.0]
    assert longshot("search", "tide", "--lane", "words", "--from", "0:10").out.startswith("nothing")
    assert longshot("stats", "--json").json["videos"][0]["words"] == {"subtitles": 1}


def test_a_question_indexes_the_film_and_is_answered_with_a_citation(
    longshot: Longshot, film: Path, question: Question, knowing: str
) -> None:
    assert question.options is not None
    words = ["ask", str(film), question.question, "--options", "|".join(question.options)]
    done = longshot(*words, models=knowing)
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0].startswith("plan")
    assert any(line.startswith(f"Answer: {question.answer}  (answered") for line in lines)
    assert any(line.startswith("seen") and f"{film}#t=" in line for line in lines)
    assert any(line.startswith("cost") and "visual tokens" in line for line in lines)


def test_json_of_a_question_is_all_that_is_on_standard_output(
    indexed: Longshot, film: Path, question: Question, knowing: str
) -> None:
    assert question.options is not None
    flags = [word for option in question.options for word in ("--option", option)]
    done = indexed("ask", film, question.question, *flags, "--json", models=knowing)
    answer = done.json
    assert (answer["status"], answer["answer"]) == ("answered", question.answer)
    (cited, *_) = answer["citations"]
    (start, end) = question.evidence[0]
    assert min(cited["end"], end) > max(cited["start"], start)
    assert done.err.startswith("budget")


def test_a_budget_is_kept_to(indexed: Longshot, film: Path) -> None:
    answer = indexed("ask", film, "What is there?", "--budget", "looks=1", "--json").json
    assert answer["stop_reason"].startswith("budget: 1 look")


def test_a_run_is_listed_and_shown_again(
    indexed: Longshot, film: Path, question: Question, knowing: str
) -> None:
    answer = indexed("ask", film, question.question, "--json", models=knowing).json
    (run,) = indexed("trace", "list", "--json").json
    assert (run["id"], run["question"], run["status"]) == (
        answer["id"],
        question.question,
        answer["status"],
    )
    shown = indexed("trace", "show", run["id"][:6], "--json").json
    assert [step["node"] for step in shown["steps"]][:2] == ["plan", "survey"]
    assert shown["answer"] == answer
    text = indexed("trace", "show", run["id"], "--prompts").out
    assert all(f"step {step['step']}\n" in text for step in shown["steps"])
    assert "nowhere" in text
    assert f"| [scripted] Question: {question.question}" in text
    assert run["id"] in indexed("trace", "list", "--video", "film").out


def test_stats_count_films_and_runs(indexed: Longshot, film: Path) -> None:
    indexed("ask", film, "What is there?", "--budget", "looks=1")
    stats = indexed("stats", "--json").json
    assert (stats["n_videos"], stats["duration_s"]) == (1, 30.0)
    assert sum(stats["runs"].values()) == 1
    assert stats["videos"][0]["n_shots"] >= 4
    assert str(film) in indexed("stats").out


def test_a_removed_film_is_gone_and_its_runs_stay(indexed: Longshot, film: Path) -> None:
    indexed("ask", film, "What is there?", "--budget", "looks=1")
    assert indexed("remove", "film", "--json").json["removed"]["path"] == str(film)
    assert film.exists()
    assert indexed("stats", "--json").json["n_videos"] == 0
    assert len(indexed("trace", "list", "--json").json) == 1


def test_removing_with_runs_forgets_them(indexed: Longshot, film: Path) -> None:
    indexed("ask", film, "What is there?", "--budget", "looks=1")
    assert indexed("remove", str(film), "--runs").code == 0
    assert indexed("trace", "list", "--json").json == []


def test_a_moved_film_is_found_again(
    indexed: Longshot, film: Path, tmp_path: Path, question: Question, knowing: str
) -> None:
    moved = shutil.copy(film, tmp_path / "moved.mp4")
    answer = indexed("ask", moved, question.question, "--json", models=knowing).json
    assert answer["citations"]
    assert indexed("stats", "--json").json["n_videos"] == 1


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["ask", "gone", "Why?"], 'no film "gone" in the library'),
        (["ask", "gone.mp4", "Why?"], "there is no file gone.mp4, and no film of that name in"),
        (["ask", ".", "Why?"], ". is a folder"),
        (["ask", "FILM", " "], "the question is empty"),
        (["ask", "FILM", "Why?", "--models", "/no/folder"], "no model folder /no/folder"),
        (["search", " "], "the search text is empty"),
        (["search", "--", "-boat"], '"-boat" says only what to leave out'),
        (["search", "car", "--video", "other"], 'no film "other" in the library'),
        (["trace", "show", "none"], "no run 'none'"),
        (["remove", "other"], 'no film "other" in the library'),
        (["--library", "/proc/none", "index", "FILM"], "the library folder /proc/none cannot"),
        (["--library", "/no/library", "stats"], "there is no library in /no/library"),
        (["demo", "questions", "FILM.mp4"], "there is no truth of"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_one_line(indexed: Longshot, film: Path, words: list[str], line: str) -> None:
    done = indexed(*(word.replace("FILM", str(film)) for word in words))
    assert done.error.startswith(f"error: {line}")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["index"], "Missing argument"),
        (["bogus"], "No such command"),
        (["ask", "film.mp4", "Why?", "--budget", "looks=0"], '"looks=0" is no budget'),
        (["ask", "film.mp4", "Why?", "--option", "a"], "--option: one option is no choice"),
        (["ask", "film.mp4", "Why?", "--options", "a||b"], "--options: an option is empty"),
        (["ask", "film.mp4", "Why?", "--models", "demo,look=a"], "--models: 'look=a' in --models"),
        (["trace", "fork", "x", "--from-step", "1", "--prompt", "foo"], '--prompt: "foo" names no'),
        (["search", "car", "--limit", "0"], "0 is not in the range"),
        (["search", "car", "--from", "soon"], '--from: "soon" is not a time'),
        (["search", "car", "--to", "1:99"], '--to: "1:99" is not a time'),
        (["search", "car", "--from", "9", "--to", "3"], "--from 9 is not before --to 3"),
        (["search", "car", "--threshold", "nan"], "nan is no number"),
        (["search", "car", "--threshold", "7"], "7.0 is not in the range"),
        (["demo", "film", "--minutes", "9999"], "9999.0 is not in the range"),
        (["eval", "demo", "--strategy", "luck"], "no strategy 'luck'"),
        (["eval", "demo", "--plot", "plot.txt"], "is no picture's name"),
        (["eval", "selection", "--strategy", "luck"], "no selection 'luck'"),
        (["serve", "--films", "/no/folder"], "/no/folder is not a folder"),
        (["stats", "--colour"], "No such option"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_ends_with_2(longshot: Longshot, words: list[str], line: str) -> None:
    done = longshot(*words)
    assert (done.code, done.out) == (2, "")
    assert "--help" in done.err
    assert line in done.err


@pytest.mark.slow
def test_an_unknown_encoder_is_one_line(indexed: Longshot) -> None:
    error = indexed("search", "car", "--encoder", "No-Model").error
    assert error.startswith('error: "No-Model" is not an encoder (near names:')


def test_demo_film_and_its_questions(longshot: Longshot, tmp_path: Path) -> None:
    flags = ["--minutes", "0.5", "--seed", "3", "--out", tmp_path, "--json"]
    made = longshot("demo", "film", *flags).json
    assert Path(made["film"]).exists()
    done = longshot("demo", "questions", made["truth"], "--n", "4")
    rows = [json.loads(line) for line in done.out.splitlines()]
    assert [row["video"] for row in rows] == [made["film"]] * 4
    written = tmp_path / "questions.jsonl"
    assert longshot("demo", "questions", made["film"], "--n", "4", "-o", written).out == ""
    assert written.read_text(encoding="utf-8") == done.out


def test_the_tour_shows_questions_and_their_truth(longshot: Longshot, tmp_path: Path) -> None:
    flags = ["--minutes", "0.5", "--questions", "3", "--out", tmp_path / "tour"]
    done = longshot("demo", "run", *flags)
    assert done.code == 0
    assert done.out.count("\n  truth   ") == 3
    assert "not in this film" in done.out
    assert " of 3 right. A film of 0:00:30: rendered in" in done.out


def test_an_evaluation_prints_its_table_and_writes_its_report(
    longshot: Longshot, tmp_path: Path
) -> None:
    report = tmp_path / "report.json"
    flags = ["--minutes", "0.5", "--questions", "2", "--strategy", "uniform", "-o", report]
    done = longshot("eval", "demo", *flags, "--out", tmp_path / "eval")
    assert done.out.splitlines()[1].split()[:2] == ["uniform", "2"]
    told = json.loads(report.read_text())
    assert told["rows"][0]["n"] == 2
    # No clock decides, be the machine ever so busy.
    assert told["about"]["benchmarks"][0]["settings"]["budget"]["seconds"] == 24 * 3600


def test_a_closed_pipe_is_no_error_to_talk_about(indexed: Longshot, film: Path) -> None:
    words = [sys.executable, "-c", "import app; app.main()", "trace", "list"]
    with subprocess.Popen(
        words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        assert "Traceback" not in running.stderr.read()

"""`longshot export` as a person gives it: sources, outputs, refusals."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import app
from bench.films import Film
from index.errors import LongshotError
from index.library import Library
from index.media import content_hash, open_video
from index.run_rows import CitationRow, RunRow
from index.runs import RunStore
from index.types import Span

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True, slots=True)
class Result:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The one line of an error."""
        assert (self.code, self.out) == (1, "")
        (line,) = self.err.splitlines()
        return line


Export = Callable[..., Result]


@pytest.fixture(autouse=True)
def settings(tmp_path: Path) -> Iterator[None]:
    """A library of this test, and nothing of this machine."""
    before = dict(os.environ)
    os.environ.update(
        LONGSHOT_LIBRARY=str(tmp_path / "library"), LONGSHOT_MODELS="scripted", HOME=str(tmp_path)
    )
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def export(capsys: pytest.CaptureFixture[str]) -> Export:
    def call(*words: str | Path) -> Result:
        capsys.readouterr()
        code = app.run(["export", *map(str, words)])
        return Result(code, *capsys.readouterr())

    return call


@pytest.fixture
def film(scenes: Film, tmp_path: Path) -> Path:
    """A copy of the 19-second film at 8 frames a second, to be moved and changed."""
    return Path(shutil.copy(scenes.path, tmp_path / "film.mp4"))


def store_run(tmp_path: Path, film: Path, *spans: Span) -> str:
    """A run on the film with these citations."""
    run_id = "abcdef123456"
    run = RunRow(run_id, 1, content_hash(film), str(film), "Where is it?", (), {}, {}, "k", "", 0)
    Library.open(tmp_path / "library").close()
    with closing(RunStore.open(tmp_path / "library")) as runs:
        runs.start(run)
        runs.cite(run_id, [CitationRow(span, "a red square", "look-1") for span in spans])
    return run_id


def test_spans_given_by_hand_become_clips_and_a_report(
    export: Export, film: Path, tmp_path: Path
) -> None:
    flags = ["--video", film, "--span", "0:04-5.5 green comes", "--span", "13.5-14", "--json"]
    done = export(*flags, "-o", tmp_path / "clips")
    report = json.loads(done.out)
    assert [Path(each["path"]).name for each in report["files"]] == [
        "001 film 0.00.04.mp4",
        "002 film 0.00.13.mp4",
    ]
    first = report["items"][0]
    assert (first["start_frame"], first["end_frame"], first["label"]) == (32, 44, "green comes")
    reader = open_video(Path(report["files"][0]["path"]))
    assert reader.facts.duration_s == pytest.approx(1.5, abs=1e-3)
    red, green, blue = reader.frames_at([0.0], width_px=320, height_px=192)[0].pixels[40, 300]
    reader.close()
    assert green > 150 > max(red, blue)


def test_citations_of_a_run_are_exported(export: Export, film: Path, tmp_path: Path) -> None:
    run_id = store_run(tmp_path, film, Span(4.0, 6.0), Span(13.5, 14.5))
    shown = export(run_id[:6], "--as", "vtt").out
    assert shown.splitlines()[3:5] == ["00:00:04.000 --> 00:00:06.000", "a red square"]
    rows = export(run_id, "--as", "csv").out.splitlines()
    assert len(rows) == 3
    assert f"citation 2/2 of run {run_id}" in rows[2]


def test_a_run_without_citations_says_so(export: Export, film: Path, tmp_path: Path) -> None:
    run_id = store_run(tmp_path, film)
    assert f"run {run_id} has no citations" in export(run_id, "--as", "srt").error


def test_a_run_whose_film_was_changed_is_refused(
    export: Export, film: Path, tmp_path: Path
) -> None:
    run_id = store_run(tmp_path, film, Span(4.0, 6.0))
    film.write_bytes(film.read_bytes() + b"more")
    assert "is no longer the film of this run" in export(run_id, "--as", "srt").error


def test_a_moved_film_is_found_once_it_is_indexed_again(
    export: Export, film: Path, tmp_path: Path
) -> None:
    assert app.run(["index", str(film)]) == 0
    run_id = store_run(tmp_path, film, Span(4.0, 6.0))
    moved = film.rename(tmp_path / "elsewhere.mp4")
    assert "if the film was moved, index it where it is now" in export(run_id, "--as", "edl").error
    assert app.run(["index", str(moved)]) == 0
    assert "* FROM CLIP NAME: elsewhere.mp4" in export(run_id, "--as", "edl").out


def test_a_search_is_exported_at_once_or_from_its_json(
    export: Export, film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert app.run(["index", str(film)]) == 0
    capsys.readouterr()
    assert app.run(["search", "a red car", "--limit", "2", "--json"]) == 0
    (tmp_path / "hits.json").write_text(capsys.readouterr().out)
    from_file = export(tmp_path / "hits.json", "--as", "csv")
    at_once = export("--search", "a red car", "--limit", "2", "--as", "csv")
    assert from_file.out == at_once.out
    assert len(at_once.out.splitlines()) == 3
    refused = export("--search", "a red car", "--threshold", "1", "--as", "csv")
    assert 'nothing found for "a red car"' in refused.error


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "standard input is not JSON"),
        ("{}", "standard input holds no hits, citations or moments"),
        ("[3]", "3 is no hit, citation or moment"),
        ('[{"start": 1}]', "end: Field required"),
        ('[{"start": -1, "end": 2}]', "start: Input should be greater than or equal to 0"),
        ('[{"start": 5, "end": 5, "video": "x.mp4"}]', "a span 5..5 s is empty"),
        ('[{"start": 5, "end": 6, "video": "gone.mp4"}]', "gone.mp4 does not exist"),
        ('{"hits": []}\n{"hits":\n', "standard input, line 2 is not JSON"),
    ],
)
def test_json_that_does_not_fit_is_named_with_its_place(text: str, says: str) -> None:
    done = CliRunner().invoke(app.cli, ["export", "-", "--as", "csv"], input=text)
    assert isinstance(done.exception, LongshotError)
    assert says in done.exception.message
    assert done.output == ""


def test_lines_of_answers_and_of_batches_are_understood(
    export: Export, film: Path, tmp_path: Path
) -> None:
    citation = {"start": 4.0, "end": 5.0, "what": "green"}
    lines: list[dict[str, Any]] = [
        {"custom_id": "a", "video": str(film), "response": {"citations": [citation]}},
        {"video": str(film), "question": "q", "answer": {"citations": [{**citation, "what": ""}]}},
    ]
    (tmp_path / "lines.jsonl").write_text("\n".join(json.dumps(line) for line in lines))
    rows = export(tmp_path / "lines.jsonl", "--as", "csv").out.splitlines()
    assert [row.split(",")[1] for row in rows[1:]] == ["green", ""]


@pytest.mark.parametrize(
    "words",
    [
        ("--as", "csv"),
        ("run", "--span", "1-2", "--as", "csv"),
        ("--span", "1-2", "--as", "csv"),
        ("run",),
        ("run", "--as", "clips"),
        ("run", "--as", "reel", "--cut", "copy", "-o", "a.mp4"),
        ("run", "--as", "csv", "--json"),
        ("run", "-o", "moments.xyz"),
        ("run", "--as", "csv", "--rate", "fast"),
        ("run", "--as", "csv", "--padding", "-1"),
        ("run", "--as", "csv", "--padding", "nan"),
        ("--video", "FILM", "--as", "csv", "--span", "five"),
        ("--video", "FILM", "--as", "csv", "--span", "5-4"),
        ("--video", "FILM", "--as", "csv", "--span", "1:75-2:00"),
    ],
)
def test_a_command_that_says_too_little_or_too_much_is_a_usage_error(
    export: Export, film: Path, words: tuple[str, ...]
) -> None:
    assert export(*(word.replace("FILM", str(film)) for word in words)).code == 2


@pytest.mark.parametrize("span", ["18-25", "30-31"])
def test_a_span_outside_the_film_is_refused(
    export: Export, film: Path, tmp_path: Path, span: str
) -> None:
    done = export("--video", film, "--span", "1-2", "--span", span, "-o", tmp_path / "clips")
    assert "outside" in done.error
    assert not (tmp_path / "clips").exists()


def test_a_full_disk_is_one_line_and_leaves_no_half_file(film: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    code = (
        "import resource, signal, sys, app\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))\n"
        f"sys.exit(app.run(['export', '--video', {str(film)!r}, '--span', '0-18', *sys.argv[1:]]))"
    )
    for words in (["-o", str(out)], ["-o", str(out), "--cut", "copy"]):
        done = subprocess.run(
            [sys.executable, "-c", code, *words], cwd=ROOT, capture_output=True, text=True
        )
        assert done.returncode == 1, done.stderr
        assert done.stderr.startswith("error: the disk is full")
        assert list(out.iterdir()) == []

"""A batch over two small films, with the fakes for models."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import ExitStack, closing
from io import StringIO
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from rich.console import Console

from evals.batch_score import SummaryRow
from index.library import Library
from index.lock import writer_lock
from index.runs import RunStore
from tests.index.test_words_build import write_sound
from tests.web.batches.conftest import Longshot
from web.batch_terminal import print_summary

ROOT = Path(__file__).parents[3]


def write(path: Path, *rows: dict[str, Any] | str) -> Path:
    path.write_text("".join(f"{r if isinstance(r, str) else json.dumps(r)}\n" for r in rows))
    return path


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(text) for text in path.read_text().splitlines()]


def row(custom_id: str, video: str | None, question: str = "What is red?", **more: Any) -> Any:
    return {"custom_id": custom_id, "video": video, "question": question, **more}


def test_films_are_indexed_and_every_line_is_answered(
    longshot: Longshot, films: Path, tmp_path: Path, seeing: str
) -> None:
    asked = write(
        tmp_path / "q.jsonl",
        row("a", "one.mp4", answer="red"),
        row("b", "two", answer="blue", kind="colour"),
        row("c", str(films / "one.mp4"), options=["x", "y"], answer="B"),
        row("d", "one.mp4", "When is it red?"),
    )
    out, table, parquet = (tmp_path / name for name in ("o.jsonl", "t.csv", "t.parquet"))
    words = ["batch", asked, "-o", out, "--videos", films, "--table", table, "--table", parquet]
    done = longshot(*words, "--json", models=seeing)
    assert done.code == 0
    found = {line["custom_id"]: line["response"] for line in lines(out)}
    assert (found["a"]["answer"], found["c"]["answer"]) == ("red", "y")
    assert found["a"]["citations"][0]["verified"] is True
    assert done.json["all"] | {"seconds": 0, "tokens": 0} == {
        **{"video": "all", "kind": "all", "n": 4, "n_answered": 4, "n_not_found": 0},
        **{"n_guesses": 0, "n_failed": 0, "n_judged": 3, "n_right": 2, "tokens": 0},
        **{"seconds": 0, "accuracy": 0.6667},
    }
    # One film, whether by a name in the folder, with or without its ending, or by its path.
    one, two = str((films / "one.mp4").resolve()), str((films / "two.mp4").resolve())
    assert [(r["video"], r["kind"], r["n"]) for r in done.json["rows"]] == [
        *((one, "moment", 2), (two, "colour", 1), (one, "when", 1)),
    ]
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert [(r["custom_id"], r["right"]) for r in rows] == [
        *(("a", "True"), ("b", "False"), ("c", "True"), ("d", "")),
    ]
    assert [r["run_id"] for r in rows] == [found[r["custom_id"]]["id"] for r in rows]
    typed = pq.read_table(parquet).to_pylist()
    assert [(r["custom_id"], r["right"], r["choice"]) for r in typed][2] == ("c", True, 1)
    assert [r["run_id"] for r in typed] == [r["run_id"] for r in rows]


def test_a_film_is_one_row_whatever_it_is_called(
    indexed: Longshot,
    films: Path,
    tmp_path: Path,
    seeing: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "link.mp4").symlink_to(films / "one.mp4")
    monkeypatch.chdir(films)
    names = ("one", "one.mp4", "./one.mp4", str(films / "one.mp4"), str(tmp_path / "link.mp4"), "1")
    rows = [row(f"q{i}", name) for i, name in enumerate(names)]
    asked = write(tmp_path / "q.jsonl", *rows, row("gone", "gone"), row("folder", str(films)))
    done = indexed("batch", asked, "-o", tmp_path / "o.jsonl", "--json", models=seeing)
    assert [(r["video"], r["n"], r["n_failed"]) for r in done.json["rows"]] == [
        *((str((films / "one.mp4").resolve()), 6, 0), ("gone", 1, 1), (str(films.resolve()), 1, 1)),
    ]
    found = {line["custom_id"]: line for line in lines(tmp_path / "o.jsonl")}
    assert len({found[f"q{i}"]["response"]["video"] for i in range(6)}) == 1
    assert found["folder"]["error"]["message"] == f"{films} is a folder"


def test_sound_alone_is_no_film_to_ask_about(
    longshot: Longshot, tmp_path: Path, seeing: str
) -> None:
    sound = write_sound(tmp_path / "talk.wav")
    (tmp_path / "talk.vtt").write_text("WEBVTT\n\n00:01.000 --> 00:02.000\nHello.\n")
    line = f"{sound} has no pictures to ask about"
    # New at first, then known.
    for _ in range(2):
        done = longshot("ask", sound, "What is red?", models=seeing)
        assert (done.code, done.err.splitlines()[-1].startswith(f"error: {line}")) == (1, True)
    asked = write(tmp_path / "q.jsonl", row("a", str(sound)))
    assert longshot("batch", asked, "-o", tmp_path / "o.jsonl", models=seeing).code == 1
    assert lines(tmp_path / "o.jsonl")[0]["error"]["message"] == line


def test_films_of_one_name_are_told_apart_in_the_summary() -> None:
    none = dict.fromkeys(("n_answered", "n_not_found", "n_guesses", "n_failed", "n_judged"), 0)
    rows = [
        SummaryRow(video=video, kind="when", n=1, **none, n_right=0, tokens=0, seconds=0.0)
        for video in ("/a/one.mp4", "/b/one.mp4", "/b/two.mp4")
    ]
    out = Console(file=StringIO(), width=200)
    print_summary(out, rows, n_open=0, n_bad=0)
    assert isinstance(out.file, StringIO)
    shown = [text.split()[0] for text in out.file.getvalue().splitlines()]
    assert shown == ["film", "/a/one.mp4", "/b/one.mp4", "two.mp4", "all", "all"]


def test_what_another_process_writes_is_waited_for(
    longshot: Longshot, films: Path, tmp_path: Path, seeing: str
) -> None:
    asked = write(tmp_path / "q.jsonl", row("a", str(films / "one.mp4")))
    folder = tmp_path / "library"
    Library.open(folder).close()
    with ExitStack() as held:
        held.enter_context(writer_lock(folder))
        free = threading.Timer(2.0, held.close)
        free.start()
        done = longshot("batch", asked, "-o", tmp_path / "o.jsonl", models=seeing)
        free.join()
    assert (done.code, lines(tmp_path / "o.jsonl")[0]["error"]) == (0, None)
    told = [text for text in done.err.splitlines() if "waiting for it" in text]
    assert told == [
        f"another process is writing to the library {folder} (process {os.getpid()});"
        " waiting for it"
    ]


@pytest.mark.slow
def test_two_batches_on_one_library_lose_and_double_nothing(
    films: Path, environment: dict[str, str], tmp_path: Path, seeing: str
) -> None:
    rows = [row(f"q{i}", ("one.mp4", "two.mp4")[i % 2], f"Is {i} red?") for i in range(30)]
    asked = write(tmp_path / "asked.txt", *rows)
    outs = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    code = "import app; app.main()"

    def start(out: Path) -> subprocess.Popen[bytes]:
        words = ["batch", asked, "-o", out, "--videos", films, "--models", seeing]
        command = [sys.executable, "-c", code, *map(str, words)]
        return subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)

    # Both find an empty library; the first one is killed in the middle of its answers.
    both = [start(out) for out in outs]
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline and both[0].poll() is None:
        if outs[0].exists() and outs[0].read_bytes().count(b"\n") >= 5:
            break
        time.sleep(0.01)
    assert both[0].poll() is None
    both[0].kill()
    both[0].wait()
    # What the killed one had begun is gone on with while the other one works, by one of two.
    again, third = start(outs[0]), start(tmp_path / "c.jsonl")
    assert [process.wait(300) for process in (both[1], again, third)] == [0, 0, 0]
    for out in (*outs, tmp_path / "c.jsonl"):
        assert Counter(line["custom_id"] for line in lines(out)) == {f"q{i}": 1 for i in range(30)}
        assert all(line["error"] is None for line in lines(out))
    with closing(RunStore.open(tmp_path / "library")) as store:
        runs = store.runs(limit=-1)
    assert {run.status for run in runs} == {"answered"}
    # No run is begun twice for an answer, and none is left behind.
    assert len(runs) <= 90
    for out in tmp_path.glob("?.jsonl"):
        assert len({line["response"]["id"] for line in lines(out)}) == 30


def test_what_goes_wrong_is_counted_and_stops_nothing(
    indexed: Longshot, films: Path, tmp_path: Path, seeing: str
) -> None:
    (films.parent / "broken.mp4").write_text("no film")
    asked = write(
        tmp_path / "q.jsonl",
        row("gone", "gone.mp4"),
        "{bad line",
        row("broken", str(films.parent / "broken.mp4")),
        row("fine", "one.mp4"),
    )
    done = indexed("batch", asked, "-o", tmp_path / "o.jsonl", models=seeing)
    assert done.code == 1
    assert f"{asked} line 2: no JSON" in done.err
    assert done.out.splitlines()[-1] == "1 bad line"
    errors = {each["custom_id"]: each["error"] for each in lines(tmp_path / "o.jsonl")}
    assert errors["fine"] is None
    assert errors["gone"]["code"] == "input"
    assert errors["broken"]["code"] == "media"


def test_given_again_it_asks_only_what_is_left(
    indexed: Longshot, films: Path, tmp_path: Path, seeing: str
) -> None:
    asked = write(
        tmp_path / "q.jsonl", *(row(f"q{i}", "one.mp4", f"Is {i} red?") for i in range(5))
    )
    out = tmp_path / "o.jsonl"
    first = indexed("batch", asked, "-o", out, "--limit", "2", "--json", models=seeing)
    assert (first.code, first.json["n_not_asked"], len(lines(out))) == (0, 3, 2)
    before = out.read_bytes()
    assert indexed("batch", asked, "-o", out, models=seeing).code == 0
    assert out.read_bytes().startswith(before)
    assert len(lines(out)) == 5
    whole = out.read_bytes()
    # Nothing is left: not even a model is needed.
    assert indexed("batch", asked, "-o", out, models="/no/folder").code == 0
    assert out.read_bytes() == whole


def test_failures_are_asked_again_only_when_that_is_wanted(
    indexed: Longshot, films: Path, tmp_path: Path, seeing: str
) -> None:
    late = tmp_path / "late.mp4"
    asked = write(tmp_path / "q.jsonl", row("a", str(late)), row("b", "two.mp4"))
    out = tmp_path / "o.jsonl"
    assert indexed("batch", asked, "-o", out, models=seeing).code == 1
    os.link(films / "one.mp4", late)
    assert indexed("batch", asked, "-o", out, models=seeing).code == 1
    assert indexed("batch", asked, "-o", out, "--retry-failed", models=seeing).code == 0
    assert Counter(line["custom_id"] for line in lines(out)) == {"a": 1, "b": 1}
    assert all(line["error"] is None for line in lines(out))


def test_an_edited_line_is_not_taken_for_answered(
    indexed: Longshot, tmp_path: Path, seeing: str
) -> None:
    out = tmp_path / "o.jsonl"
    asked = write(tmp_path / "q.jsonl", row("a", "one.mp4", "Is it red?"))
    assert indexed("batch", asked, "-o", out, models=seeing).code == 0
    before = out.read_bytes()
    write(asked, row("a", "one.mp4", "Is it blue?"))
    done = indexed("batch", asked, "-o", out, models=seeing)
    assert (done.code, out.read_bytes()) == (1, before)
    assert "holds the answer to another question under 'a'" in done.err


def test_a_killed_batch_goes_on_and_nothing_is_lost_or_doubled(
    indexed: Longshot, environment: dict[str, str], tmp_path: Path, seeing: str
) -> None:
    n = 60
    asked = write(
        tmp_path / "q.jsonl",
        *(row(f"q{i}", ("one.mp4", "two.mp4")[i % 2], f"Is {i} red?") for i in range(n)),
    )
    out = tmp_path / "o.jsonl"
    code = "import app; app.main()"
    words = [sys.executable, "-c", code, "batch", str(asked), "-o", str(out), "--models", seeing]
    n_kills = 0
    for wanted in (3, 12):
        with subprocess.Popen(words, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL) as batch:
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline and batch.poll() is None:
                if out.exists() and out.read_bytes().count(b"\n") >= wanted:
                    break
                time.sleep(0.01)
            n_kills += batch.poll() is None
            batch.send_signal(signal.SIGKILL)
    assert n_kills == 2
    assert len(out.read_bytes().split(b"\n")) < n
    assert indexed("batch", asked, "-o", out, models=seeing).code == 0
    assert Counter(line["custom_id"] for line in lines(out)) == {f"q{i}": 1 for i in range(n)}
    with closing(RunStore.open(tmp_path / "library")) as store:
        runs = store.runs(limit=-1)
    assert {run.status for run in runs} == {"answered"}
    # A question that was under way goes on in its own run, and one that had ended is not run again.
    assert len(runs) == n
    assert sorted(path.name for path in tmp_path.glob("o.jsonl*")) == ["o.jsonl"]


def test_a_run_that_ended_without_its_line_gives_its_answer(
    indexed: Longshot, tmp_path: Path, seeing: str
) -> None:
    out = tmp_path / "o.jsonl"
    asked = write(tmp_path / "q.jsonl", row("a", "one.mp4"), row("w", None, "When is it red?"))
    assert indexed("batch", asked, "-o", out, models=seeing).code == 0
    with closing(RunStore.open(tmp_path / "library")) as store:
        before = [run.run_id for run in store.runs(limit=-1)]
    # Both are asked at once, so either may end first.
    first = {line["custom_id"]: line for line in lines(out)}
    runs = [["a", first["a"]["response"]["id"]]]
    runs += [["w", film["answer"]["id"]] for film in first["w"]["response"]["films"]]
    # As a kill between the end of the runs and their lines leaves it.
    out.unlink()
    write(tmp_path / "o.jsonl.runs", *map(json.dumps, runs), '["a", "cut')
    assert indexed("batch", asked, "-o", out, models=seeing).code == 0
    with closing(RunStore.open(tmp_path / "library")) as store:
        assert [run.run_id for run in store.runs(limit=-1)] == before
    again = {line["custom_id"]: line for line in lines(out)}
    assert again["a"] == first["a"]
    assert again["w"]["response"]["films"] == first["w"]["response"]["films"]
    assert not (tmp_path / "o.jsonl.runs").exists()


def test_control_c_keeps_what_is_answered_and_fails_nothing(
    indexed: Longshot, environment: dict[str, str], tmp_path: Path, seeing: str
) -> None:
    rows = [row(f"q{i}", ("one.mp4", "two.mp4")[i % 2], f"Is {i} red?") for i in range(200)]
    asked, out = write(tmp_path / "q.jsonl", *rows), tmp_path / "o.jsonl"
    # A shell's background jobs inherit a Control-C that is ignored.
    code = (
        "import signal, app; signal.signal(signal.SIGINT, signal.default_int_handler); app.main()"
    )
    words = [sys.executable, "-c", code, "batch", str(asked), "-o", str(out), "--models", seeing]
    with subprocess.Popen(
        words, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True
    ) as batch:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and not (out.exists() and b"\n" in out.read_bytes()):
            time.sleep(0.01)
        batch.send_signal(signal.SIGINT)
        _, told = batch.communicate(timeout=60)
    assert batch.returncode == 130
    assert told.splitlines()[-1] == "stopped; what is finished is kept"
    kept = lines(out)
    assert 0 < len(kept) < 200
    assert all(line["error"] is None for line in kept)


def test_lines_of_the_api_shape_are_answered_in_it(
    indexed: Longshot, tmp_path: Path, seeing: str
) -> None:
    body = {"messages": [{"role": "user", "content": "What is red?"}], "metadata": {"video": "one"}}
    asked = write(tmp_path / "q.jsonl", {"custom_id": "a", "method": "POST", "body": body})
    assert indexed("batch", asked, "-o", tmp_path / "o.jsonl", models=seeing).code == 0
    (line,) = lines(tmp_path / "o.jsonl")
    assert line["response"]["status_code"] == 200
    answer = line["response"]["body"]
    assert answer["choices"][0]["message"] == {"role": "assistant", "content": "red"}
    assert answer["usage"]["total_tokens"] > 0
    assert answer["longshot"]["citations"]


def test_a_line_without_a_film_asks_the_library(
    longshot: Longshot, films: Path, tmp_path: Path, seeing: str
) -> None:
    asked = write(
        tmp_path / "q.jsonl", row("a", None, "In which film is something red?", answer="one, two")
    )
    out = tmp_path / "o.jsonl"
    done = longshot("batch", asked, "-o", out, "--videos", films, "--json", models=seeing)
    (line,) = lines(out)
    assert {Path(f["video"]).name for f in line["response"]["films"]} == {"one.mp4", "two.mp4"}
    assert done.json["rows"][0]["video"] == "(whole library)"
    assert done.json["all"]["n_right"] == 1

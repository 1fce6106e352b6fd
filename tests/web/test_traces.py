"""Runs on the command line: replay, diff, fork, export; and what goes wrong."""

from __future__ import annotations

import io
import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from rich.console import Console

import app
from agent.trace import load_run
from index.runs import RunStore
from tests.agent.backends.loopback import Loopback, serving
from web.trace_terminal import replay_by_hand

Longshot = Callable[..., tuple[int, str, str]]


@pytest.fixture
def longshot(library: Path, capsys: pytest.CaptureFixture[str]) -> Longshot:
    """Runs a command on a library with one run; gives exit code, output and errors."""

    def call(*words: str | Path) -> tuple[int, str, str]:
        capsys.readouterr()
        code = app.run([str(word) for word in (*words, "--library", library)])
        return (code, *capsys.readouterr())

    return call


@pytest.fixture
def run_id(library: Path) -> str:
    with closing(RunStore.open(library)) as runs:
        return runs.runs()[0].run_id


def test_replay_tells_every_step_with_what_was_spent_by_then(
    longshot: Longshot, run_id: str
) -> None:
    code, out, _ = longshot("trace", "replay", run_id[:6])
    lines = out.splitlines()
    assert code == 0
    n_steps = sum(line.startswith("step ") for line in lines)
    spent = [line for line in lines if line.startswith("so far")]
    assert len(spent) == n_steps > 3
    tokens = [int(line.split()[2].replace(",", "")) for line in spent]
    assert tokens == sorted(tokens)
    assert any(line.startswith("status") for line in lines)


def typed(*words: str) -> Callable[[], str]:
    """What a person types, then the end of the input."""
    left: Iterator[str] = iter(words)

    def read_line() -> str:
        try:
            return next(left)
        except StopIteration:
            raise EOFError from None

    return read_line


def test_a_person_steps_forward_and_back(library: Path, run_id: str) -> None:
    with closing(RunStore.open(library)) as runs:
        run, steps, answer = load_run(runs, run_id)

    def shown(*words: str) -> list[str]:
        out = Console(file=io.StringIO(), width=160, markup=False, highlight=False)
        replay_by_hand(out, run, steps, answer, read_line=typed(*words))
        assert isinstance(out.file, io.StringIO)
        lines = out.file.getvalue().splitlines()
        return [
            line.split()[1] if line.startswith("step") else "end"
            for line in lines
            if line.startswith(("step ", "status"))
        ]

    assert shown() == ["0"]
    assert shown("", "", "b") == ["0", "1", "2", "1"]
    assert shown("b", "3", "q", "") == ["0", "0", "3"]
    last = str(len(steps) - 1)
    assert shown(last, "", "", "b") == ["0", last, "end", "end", last]
    assert shown("999") == ["0", "end"]


def test_a_fork_is_told_listed_and_compared(longshot: Longshot, run_id: str) -> None:
    flags = ("--from-step", "2", "--budget", "looks=1", "--models", "scripted")
    code, out, _ = longshot("trace", "fork", run_id, *flags)
    assert code == 0
    assert f"run {run_id}, from step 2" in out
    assert "budget looks: 24 → 1" in out
    newest, oldest = json.loads(longshot("trace", "list", "--json")[1])
    assert oldest["id"] == run_id
    shown = json.loads(longshot("trace", "show", newest["id"], "--json")[1])
    assert shown["parent"] == {
        "run": run_id,
        "from_step": 2,
        "changes": {"budget": {"looks": [24, 1]}},
    }
    diff = json.loads(longshot("trace", "diff", run_id, newest["id"], "--json")[1])
    assert diff["setup"] == [{"what": "settings.budget.looks", "a": 24, "b": 1}]
    assert diff["parts_at"] == 3
    assert "looks" in diff["parts_by"]
    text = longshot("trace", "diff", run_id, newest["id"])[1]
    assert "the runs part at step 3: looks" in text
    assert longshot("trace", "replay", newest["id"])[1].count(f"over from run {run_id}") == 2
    same = longshot("trace", "diff", run_id, run_id)[1]
    assert "steps are the same" in same
    assert "both ended alike" in same


def test_a_fork_takes_the_parents_models_where_none_are_named(
    longshot: Longshot, run_id: str
) -> None:
    """The fake's name opens nothing, so that the error names what was tried."""
    code, _, errors = longshot("trace", "fork", run_id, "--from-step", "0")
    assert code == 1
    assert "scripted (a fake for tests)" in errors


def test_a_fork_takes_the_parents_models_of_a_server_and_of_its_nodes(
    longshot: Longshot, run_id: str, library: Path
) -> None:
    """The names are asked of the server as they were, wherever it is now."""
    before = {"videollm": "openai:test at gone:80", "videollm_answer": "openai:test at gone:80"}
    with closing(sqlite3.connect(library / "library.db")) as database, database:
        patch = "update runs set models = json_patch(models, ?) where run_id = ?"
        database.execute(patch, [json.dumps(before), run_id])
    loopback = Loopback()
    with serving(loopback) as url:
        flags = ("--from-step", "0", "--encoder", "hash", "--base-url", url, "--json")
        code, out, errors = longshot("trace", "fork", run_id, *flags)
    assert code == 0, errors
    assert {request["model"] for request in loopback.requests} == {"test"}
    place = url.removeprefix("http://").removesuffix("/v1")
    models = json.loads(out)["models"]
    assert models["videollm"] == models["videollm_answer"] == f"openai:test at {place}"


@pytest.mark.parametrize("form", ["json", "otel", "atif"])
def test_an_export_without_a_file_is_all_that_is_printed(
    longshot: Longshot, run_id: str, form: str
) -> None:
    code, out, errors = longshot("trace", "export", run_id, f"--{form}")
    assert (code, errors) == (0, "")
    assert isinstance(json.loads(out), dict)


def test_the_whole_record_holds_the_lineage(longshot: Longshot, run_id: str) -> None:
    record = json.loads(longshot("trace", "export", run_id, "--json")[1])
    assert record["lineage"]["gaps"] == []
    looks = [look for step in record["steps"] for look in step["looks"]]
    assert all(len(look["pixel_hashes"]) == len(look["frames"]) for look in looks)
    assert record == json.loads(longshot("trace", "show", run_id, "--json")[1])


@pytest.mark.parametrize("form", ["html", "inspect"])
def test_an_export_with_pictures_inside_has_a_file_of_its_own_name(
    longshot: Longshot, run_id: str, form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, _ = longshot("trace", "export", run_id, f"--{form}")
    assert code == 0
    assert run_id in out
    assert (tmp_path / out.strip()).stat().st_size > 10_000


@pytest.mark.parametrize("flags", [(), ("--html", "--json")])
def test_exactly_one_form_is_named(longshot: Longshot, run_id: str, flags: tuple[str, ...]) -> None:
    code, _, errors = longshot("trace", "export", run_id, *flags)
    assert code == 2
    assert "name one form: --html, --json, --atif, --otel, --inspect" in errors


def test_a_place_that_cannot_be_written_is_one_line(
    longshot: Longshot, run_id: str, tmp_path: Path
) -> None:
    for form in ("json", "otel", "html"):
        file = tmp_path / "not" / "there.json"
        file.parent.touch()
        code, out, errors = longshot("trace", "export", run_id, f"--{form}", "-o", file)
        assert (code, out) == (1, "")
        assert errors.startswith("error: cannot write")
        assert errors.count("\n") == 1


@pytest.mark.parametrize(
    "words",
    [
        ("replay", "zzz"),
        ("export", "zzz", "--json"),
        ("diff", "zzz", "zzz"),
        ("fork", "zzz", "--from-step", "0"),
    ],
)
def test_an_unknown_run_is_one_line(longshot: Longshot, words: tuple[str, ...]) -> None:
    code, _, errors = longshot("trace", *words)
    assert code == 1
    assert errors.startswith("error: no run 'zzz'")


def test_what_was_said_is_not_told_as_seen(said: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(RunStore.open(said)) as runs:
        run_id = runs.runs()[0].run_id
    capsys.readouterr()
    assert app.run(["trace", "show", run_id, "--library", str(said)]) == 0
    out = capsys.readouterr().out
    assert re.search(r"^said +0:00:12–0:00:14  subtitles: ", out, re.M)
    assert not re.search(r"^seen ", out, re.M)

"""Rows of runs: written as a run goes, read back the same."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from sqlite_utils import Database

from index.run_rows import (
    CallRow,
    CitationRow,
    FindingRow,
    LookRow,
    RunRow,
    StepRow,
    look_to_row,
    run_to_row,
    step_to_row,
)
from index.run_schema import run_migrations
from index.runs import RunStore
from index.types import Span


def run_row(run_id: str, *, key: str = "k", started_at: str = "2026-01-01") -> RunRow:
    return RunRow(
        run_id=run_id,
        video_id=1,
        video_hash="c0ffee",
        video_path="/films/a.mp4",
        question="Where is it?",
        options=("here", "there"),
        models={"videollm": "x"},
        settings={"seed": 0},
        question_key=key,
        started_at=started_at,
        process_id=7,
    )


def step_row(index: int, *, text: str = "first") -> StepRow:
    return StepRow(
        step_index=index,
        node="reflect",
        why=text,
        looks=(LookRow(f"{index}.0", Span(1, 3), (1.5, 2.5), 160, 96, 50, "why", ()),),
        calls=(CallRow("reflect", "abc", "text", "", {"yes": 0.9}, (f"{index}.0",), {"calls": 1}),),
        findings=(FindingRow(f"{index}.0", f"{index}.0", Span(1, 3), 0.9, 0.8),),
        belief_before=(0.5, 0.3),
        belief_after=(0.6, 0.3),
        absent_after=0.1,
        usage={"calls": 1},
        data={"requests": []},
    )


@pytest.fixture
def runs(tmp_path: Path) -> RunStore:
    return RunStore.open(tmp_path)


def test_a_run_is_read_back_as_written(runs: RunStore) -> None:
    runs.start(run_row("abc1"))
    assert runs.load("abc1") == run_row("abc1")
    assert runs.load("abc") == run_row("abc1")
    assert runs.load("zzz") is None


def test_an_ambiguous_beginning_of_an_id_names_no_run(runs: RunStore) -> None:
    runs.start(run_row("abc1"))
    runs.start(run_row("abc2"))
    assert runs.load("abc") is None
    assert runs.load("abc2") == run_row("abc2")
    assert runs.load("%") is None


def test_a_step_is_read_back_as_written_and_replaces_itself(runs: RunStore) -> None:
    runs.start(run_row("r"))
    runs.record("r", step_row(0))
    runs.record("r", step_row(1))
    runs.record("r", step_row(0, text="again"))
    assert runs.steps("r") == [step_row(0, text="again"), step_row(1)]
    assert [k.look_id for k in runs.looks("r")] == ["0.0", "1.0"]


def test_a_run_may_begin_with_the_steps_of_another(runs: RunStore) -> None:
    runs.start(run_row("old"))
    look = replace(step_row(0).looks[0], thumbnails=((1.5, b"jpeg"),))
    runs.record("old", replace(step_row(0), looks=(look,)))
    runs.record("old", step_row(1))
    new = replace(run_row("new"), parent_id="old", fork_step=1, fork_changes={"budget": {}})
    runs.start_from(new, "old", n_steps=1)
    assert runs.load("new") == new
    assert runs.steps("new") == [step_row(0)]
    assert runs.thumbnails("new", "0.0") == [(1.5, b"jpeg")]
    runs.record("new", step_row(1, text="its own"))
    assert [s.why for s in runs.steps("old")] == ["first", "first"]


def test_runs_of_an_older_version_are_read_and_gone_on_with(tmp_path: Path) -> None:
    db = Database(tmp_path / "library.db")
    run_migrations.apply(db, stop_before="_m002_lineage")
    old = run_to_row(run_row("old"))
    for name in ("parent_id", "fork_step", "fork_changes", "own_prompts"):
        del old[name]
    db["runs"].insert(old)
    look = look_to_row("old", step_row(0), step_row(0).looks[0])
    for name in ("source", "sampling", "pixel_hashes", "started_at", "seconds"):
        del look[name]
    db["looks"].insert(look)
    step = step_to_row("old", step_row(0))
    step["calls"] = json.dumps(
        [
            {k: v for k, v in call.items() if not k.startswith(("model", "started"))}
            for call in json.loads(step["calls"])
        ]
    )
    del step["started_at"]
    db["steps"].insert(step)
    db.close()
    runs = RunStore.open(tmp_path)
    assert runs.load("old") == run_row("old")
    assert runs.steps("old") == [replace(step_row(0), findings=())]
    runs.record("old", step_row(1))
    assert len(runs.steps("old")) == 2


def test_the_newest_runs_come_first(runs: RunStore) -> None:
    runs.start(run_row("old", started_at="2026-01-01"))
    runs.start(run_row("new", started_at="2026-01-02"))
    assert [r.run_id for r in runs.runs(limit=1)] == ["new"]
    assert [r.run_id for r in runs.runs(video_hash="c0ffee")] == ["new", "old"]
    assert runs.runs(video_hash="other") == []


def test_only_unfinished_runs_of_the_same_question_are_found(runs: RunStore) -> None:
    runs.start(run_row("a", key="k1"))
    runs.start(run_row("b", key="k2"))
    runs.finish("b", status="answered", stop_reason="sufficient", answer={"answer": "x"})
    assert [run.run_id for run in runs.unfinished("k1")] == ["a"]
    assert runs.unfinished("k2") == []
    done = runs.load("b")
    assert done is not None
    assert (done.status, done.answer) == ("answered", {"answer": "x"})


def test_citations_are_replaced_whole(runs: RunStore) -> None:
    runs.start(run_row("r"))
    runs.cite("r", [CitationRow(Span(0, 1), "a", "0.0"), CitationRow(Span(2, 3), "b", "0.1")])
    runs.cite("r", [CitationRow(Span(4, 5), "c", "1.0")])
    assert runs.citations("r") == [CitationRow(Span(4, 5), "c", "1.0")]


def test_a_removed_film_takes_its_runs_with_it(runs: RunStore) -> None:
    runs.start(run_row("r"))
    runs.record("r", step_row(0))
    runs.remove_video("c0ffee")
    assert runs.runs() == []
    assert runs.steps("r") == []


def test_every_version_of_a_fit_is_kept_and_the_newest_is_given(runs: RunStore) -> None:
    key = {"model_hash": "m", "prompt_hash": "p", "stage": "look"}
    about = {"n_with": 9, "n_without": 9, "source": "a test", "fitted_at": "2026-01-01"}
    assert runs.fit_row(**key) is None
    assert runs.store_fit({**key, **about, "fit": {"first": 1.0}}) == 1
    assert runs.store_fit({**key, **about, "fit": {"first": 2.0}}) == 2
    newest = runs.fit_row(**key)
    assert newest is not None
    assert (newest["version"], newest["fit"]) == (2, {"first": 2.0})
    assert runs.fit_row(**{**key, "stage": "verify"}) is None


def test_a_library_of_runs_opens_again(tmp_path: Path) -> None:
    first = RunStore.open(tmp_path)
    first.start(run_row("r"))
    first.close()
    assert RunStore.open(tmp_path).load("r") == run_row("r")

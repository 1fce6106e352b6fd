"""A run of the embedded models, as the exporters take it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

import app
from demo.questions import make_questions
from demo.script import make_script
from index.library import Library
from index.runs import RunStore
from web.exports.traced import Traced, load_traced


def load(folder: Path, run_id: str | None = None) -> Traced:
    """A run of the library; the newest where none is named."""
    with closing(Library.open(folder)) as library, closing(RunStore.open(folder)) as runs:
        return load_traced(library, runs, run_id or runs.runs(limit=1)[0].run_id)


@pytest.fixture(scope="session")
def traced(demo_library: Path) -> Traced:
    """An answered run, with citations, on a film whose name is hostile."""
    (film,) = demo_library.parent.glob("*.mp4")
    asked = make_questions(
        make_script(3, 1), video=str(film), n=8, seed=0, forms=("choice",), kinds=("place",)
    )
    flags = ["--library", str(demo_library), "--models", "demo"]
    for each in asked:
        assert each.options is not None
        assert (
            app.run(["ask", str(film), each.question, "--options", "|".join(each.options), *flags])
            == 0
        )
        found = load(demo_library)
        if found.answer is not None and found.answer.citations:
            return found
    pytest.fail(f"the embedded models answered none of {len(asked)} easy questions")


@pytest.fixture(scope="session")
def forked(demo_library: Path, traced: Traced) -> Traced:
    """The same run, gone on with from its last step but one."""
    step = str(len(traced.steps) - 2)
    flags = ["--library", str(demo_library), "--models", "demo"]
    assert app.run(["trace", "fork", traced.run.run_id, "--from-step", step, *flags]) == 0
    return load(demo_library)

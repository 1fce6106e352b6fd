"""What an outcome counts, and how the oracle judges."""

from __future__ import annotations

import shutil
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from agent.backends.scripted import ScriptedVideoLLM
from agent.confidence import Fit, StoredFit, logit, sigmoid
from agent.types import Answer
from evals.asking import Asking, prepared_texts
from evals.record import Record
from evals.strategies import oracle, outcome_of
from index.library import Library
from index.run_rows import CallRow, LookRow, StepRow
from index.runs import RunStore
from index.types import Span
from prompts.render import render
from tests.evals.conftest import Bench


def call(prompt: str, *look_ids: str) -> CallRow:
    return CallRow(prompt, "", "", "", {}, look_ids, {})


def look(look_id: str, span: Span, *, n_frames: int) -> LookRow:
    times_s = tuple(span.start_s + k for k in range(n_frames))
    return LookRow(look_id, span, times_s, 160, 96, 50, "")


def answer() -> Answer:
    usage = {"visual_tokens": 500, "calls": 6, "seconds": 1.0}
    return Answer("r", "?", "snow", None, 0.9, "answered", (), usage, {}, "", "moment")


def test_frames_are_counted_as_often_as_a_prompt_held_them() -> None:
    steps = [
        # Asked twice over a strip of four small frames.
        StepRow(
            0,
            "survey",
            "",
            calls=(call("request"), call("request")),
            data={"strip": {"times_s": [10.0, 11.0, 50.0, 51.0]}},
        ),
        StepRow(
            1,
            "look",
            "",
            looks=(
                look("1.0", Span(10, 20), n_frames=4),
                look("1.1", Span(30, 40), n_frames=8),
            ),
        ),
        # The other look was taken and never judged.
        StepRow(2, "reflect", "", calls=(call("reflect", "1.0"),)),
        # A second look is judged and described, then the question is answered from another one.
        StepRow(
            3,
            "answer",
            "",
            looks=(look("3.0", Span(9, 21), n_frames=6), look("3.1", Span(9, 21), n_frames=5)),
            calls=(call("reflect", "3.0"), call("caption", "3.0"), call("answer", "3.1")),
        ),
    ]
    found = outcome_of(answer(), steps)
    assert found.n_frames == 2 * 4 + 4 + 2 * 6 + 5
    # The strip's 10, 11, 50, 51; of the looks 12, 13 and 9, 14; what was shown again counts once.
    assert found.n_distinct == 8
    assert found.looked == (Span(10, 20), Span(9, 21), Span(9, 21))


def test_a_survey_without_a_strip_shows_nothing() -> None:
    found = outcome_of(answer(), [StepRow(0, "survey", "", data={"strip": {}})])
    assert (found.n_frames, found.n_distinct, found.looked) == (0, 0, ())


@pytest.mark.parametrize("stored", [False, True], ids=["of the settings", "of the library"])
def test_the_oracle_reads_its_looks_by_the_fit_of_the_agents(
    bench: Bench, tmp_path: Path, stored: bool
) -> None:
    """The fake is sure (0.95); its fit halves that and doubts: 0.37, below what is accepted."""
    fit, settings = Fit(first=0.5, bias=-2.0), bench.settings
    library = Library.open(Path(shutil.copytree(bench.library.folder, tmp_path / "library")))
    if stored:
        prompt = render("reflect", n_clips=1, question="?")
        kept = StoredFit(bench.videollm.weights_hash, prompt.file_hash, "look", 1, fit)
        row = {k: v for k, v in kept.to_json().items() if k != "version"}
        with closing(RunStore.open(library.folder)) as runs:
            runs.store_fit(row)
    else:
        settings = replace(settings, reflect=replace(settings.reflect, fit=fit))
    item = next(item for item in bench.items if item.kind == "when" and not item.options)
    texts = prepared_texts(bench.models, [item])
    asking = Asking(bench.models, library, settings, Record(None), texts, False)
    with asking.film(library.find(str(bench.film))) as view:
        outcome = oracle(view, item, 0)
    library.close()
    assert outcome is not None
    assert outcome.status == "not_found"
    assert outcome.confidence == pytest.approx(sigmoid(0.5 * logit(0.95) - 2.0))


def test_what_a_reply_lists_twice_counts_once(bench: Bench) -> None:
    """For the oracle and the baselines as for the agent."""
    model = ScriptedVideoLLM(reply_script=lambda prompt, clips: "two red cats and two red cats")
    models = replace(bench.models, videollm=model)
    item = next(item for item in bench.items if item.kind == "place" and not item.options)
    texts = prepared_texts(models, [item])
    asking = Asking(models, bench.library, bench.settings, Record(None), texts, False)
    with asking.film(bench.library.find(str(bench.film))) as view:
        outcome = oracle(view, item, 0)
    assert outcome is not None
    assert outcome.answer == "two red cats"

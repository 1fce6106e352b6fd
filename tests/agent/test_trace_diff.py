"""Where two runs part."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.ask import ask, fork
from agent.backends.scripted import knowing
from agent.config import BudgetLimits
from agent.fork import ForkPlan
from agent.settings import AskSettings
from agent.trace import load_run
from agent.trace_diff import Recorded, TraceDiff, diff_runs
from index.runs import RunStore
from index.types import Span
from tests.agent.conftest import PlainLibrary, models_with

BLUE = Span(110, 120)


@pytest.fixture
def parent(library: PlainLibrary, settings: AskSettings) -> str:
    models = models_with(knowing([BLUE], answer="a wall"))
    question = "What is the white thing?"
    return ask(library, library.video, question, models=models, settings=settings).run_id


def compared(library: PlainLibrary, a: str, b: str) -> TraceDiff:
    runs = RunStore.open(library.folder)
    return diff_runs(Recorded(*load_run(runs, a)), Recorded(*load_run(runs, b)))


def test_a_run_does_not_differ_from_its_repetition(library: PlainLibrary, parent: str) -> None:
    models = models_with(knowing([BLUE], answer="a wall"))
    again = fork(library, parent, ForkPlan(0), models=models)
    found = compared(library, parent, again.run_id)
    assert (found.setup, found.parts_at, found.outcome) == ((), None, ())
    assert found.cited_tiou == 1.0


def test_another_reply_is_where_two_runs_part(library: PlainLibrary, parent: str) -> None:
    other = models_with(knowing([BLUE], answer="a door"))
    found = compared(library, parent, fork(library, parent, ForkPlan(0), models=other).run_id)
    assert found.parts_at is not None
    a = found.parts_at.a
    assert (a.node if a else None, found.parts_at.differs) == ("answer", ("said",))
    assert {d.what: (d.a, d.b) for d in found.outcome} == {"answer": ("a wall", "a door")}


def test_a_smaller_budget_is_named_and_a_run_that_ended_earlier_has_no_step_there(
    library: PlainLibrary, parent: str
) -> None:
    models = models_with(knowing([BLUE], answer="a wall"))
    plan = ForkPlan(0, budget=BudgetLimits(looks=2))
    found = compared(library, parent, fork(library, parent, plan, models=models).run_id)
    assert [(d.what, d.a, d.b) for d in found.setup] == [("settings.budget.looks", 22, 2)]
    assert found.parts_at is not None
    a, b = found.parts_at.a, found.parts_at.b
    assert a is not None
    assert b is not None
    assert (a.node, len(a.looks), len(b.looks)) == ("look", 3, 1)
    assert found.pairs[-1].b is None
    assert found.pairs[-1].differs == ("only one run has it",)


def test_a_run_that_has_not_ended_has_no_overlap_of_citations(
    library: PlainLibrary, parent: str
) -> None:
    run, steps, answer = load_run(RunStore.open(library.folder), parent)
    cut = Recorded(replace(run, status="running", answer={}), steps[:3], None)
    found = diff_runs(Recorded(run, steps, answer), cut)
    assert found.cited_tiou is None
    assert found.parts_at is not None
    assert found.parts_at.step_index == 3


def test_the_overlap_of_citations_is_that_of_their_seconds(
    library: PlainLibrary, parent: str
) -> None:
    run, steps, answer = load_run(RunStore.open(library.folder), parent)
    assert answer is not None
    (cited,) = answer.citations
    shifted = replace(cited, span=Span(cited.span.start_s + 5, cited.span.end_s + 5))
    other = Recorded(run, steps, replace(answer, citations=(shifted, shifted)))
    length = cited.span.duration_s
    found = diff_runs(Recorded(run, steps, answer), other)
    assert found.cited_tiou == pytest.approx((length - 5) / (length + 5))

"""Whether the film holds it: the fits that say so, and what they read."""

from __future__ import annotations

import math

import pytest
from langgraph.runtime import Runtime

from agent.answer import answer
from agent.backends.scripted import ScriptedVideoLLM
from agent.confidence import logit
from agent.presence import presence_of
from tests.agent.conftest import WorkspaceMaker, fit_the_search
from tests.agent.test_answer import ready, replies


def test_the_longer_what_was_searched_the_more_it_takes(workspace: WorkspaceMaker) -> None:
    """Both fits of presence read the hours: of the film, and of the parts that are asked about."""
    ws, state = ready(workspace, ScriptedVideoLLM())
    fit_the_search(ws, first=1.0, length=0.5)
    found = presence_of(ws, state)
    assert found.hours == pytest.approx(170 / 3600)
    assert logit(1 - found.absent) - logit(0.8) == pytest.approx(
        found.log_ratio - 0.5 * math.log(170 / 3600), abs=1e-6
    )
    part = presence_of(ws, {**state, "bounds": [0.0, 85.0]})
    assert part.hours == pytest.approx(85 / 3600)


def test_the_films_best_cosine_is_read_with_its_length(workspace: WorkspaceMaker) -> None:
    ws, state = ready(workspace, ScriptedVideoLLM())
    row = {
        "model_hash": ws.encoder.identity.weights_hash,
        "prompt_hash": ws.prompts_hash("presence"),
        "stage": "presence",
        "n_with": 10,
        "n_without": 10,
        "source": "a test",
        "fitted_at": "2026-01-01",
    }
    ws.runs.store_fit({**row, "fit": {"first": 1.0, "length": 0.5, "bias": 0.2}})
    prior = ws.prior(state)
    odds = prior.best + 0.2 - 0.5 * math.log(170 / 3600)
    assert logit(1 - prior.belief.absent) - logit(0.8) == pytest.approx(odds, abs=1e-6)


def test_how_sure_a_second_look_is_may_outweigh_what_the_search_added_up(
    workspace: WorkspaceMaker,
) -> None:
    ws, state = ready(workspace, replies("A wall.", "the wall"), stop_reason="exhausted: a test")
    fit_the_search(ws, first=0.0, bias=-math.log(16))
    fit_the_search(ws, "twice", first=0.0, second=1.0, bias=0.0)
    assert presence_of(ws, state).fit == "search 1 (a test)"
    out = answer(state, Runtime(context=ws))
    assert out["answer"]["status"] == "answered"
    presence = ws.runs.steps("r1")[-1].data["presence"]
    assert presence["fit"] == "twice 1 (a test)"
    (again,) = [f for f in out["findings"] if f["verified"]]
    assert presence["second"] == pytest.approx(logit(again["confidence"]))
    # Odds 4 of the prior, times what the second look came to.
    assert logit(1 - presence["absent"]) == pytest.approx(
        math.log(4) + presence["second"], abs=1e-6
    )
    # One that shows nothing says neither yes nor no.
    doubted = {**again, "confidence": 0.1}
    assert presence_of(ws, {**state, "findings": [doubted]}).absent == pytest.approx(0.2)

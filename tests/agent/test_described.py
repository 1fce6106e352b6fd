"""What a description has of what is looked for, and what that does to a second look."""

from __future__ import annotations

from dataclasses import replace

import pytest
from langgraph.runtime import Runtime

from agent.answer import answer
from agent.backends.scripted import ScriptedVideoLLM
from agent.confidence import (
    PROMPTS,
    Fit,
    fit_for,
    pair_hash,
    prompts_hash,
    shipped_fits,
    sigmoid,
)
from agent.described import named
from agent.reflect import look_fit
from agent.state import Cue, span_of
from index.types import Span
from prompts.render import file_hash
from tests.agent.conftest import WorkspaceMaker, fit_the_search
from tests.agent.test_answer import ready


@pytest.mark.parametrize(
    ("subject", "description", "agreement"),
    [
        ("the red house", "a red house stays still on the beach.", 1.0),
        ("the red houses", "Three red houses move left.", 1.0),
        ("the red house", "a red cat and a blue house", 1 / 3),
        ("the red house", "a red cat", -1 / 3),
        ("the red house", "two blue boats", -1.0),
        ("the fish in the kitchen", "a white fish spins in the kitchen.", 1.0),
        ("the fish in the kitchen", "a white fish spins in the snow.", 0.0),
        ("the red house", "", 0.0),
        ("it", "a red house", 0.0),
    ],
)
def test_words_and_pairs_of_words_count(subject: str, description: str, agreement: float) -> None:
    assert named(subject, description) == pytest.approx(agreement)


def describing(text: str) -> ScriptedVideoLLM:
    return ScriptedVideoLLM(
        reply_script=lambda prompt, clips: text if prompt.name == "caption" else "a wall",
        yes_script=lambda prompt, clips: 0.6,
    )


@pytest.mark.parametrize(
    ("text", "agreement"), [("a red wall in the sun", 1.0), ("", 0.0), ("a blue cat", -1.0)]
)
def test_a_description_moves_what_a_second_look_says(
    workspace: WorkspaceMaker, text: str, agreement: float
) -> None:
    ws, state = ready(workspace, describing(text), subject="the red wall")
    out = answer(state, Runtime(context=ws))
    (found,) = [f for f in out["findings"] if f["verified"]]
    fit = ws.settings.verify.fit
    odds = fit.log_odds(0.95, second=0.6) + fit.named * agreement
    assert found["confidence"] == pytest.approx(sigmoid(odds))
    (row,) = ws.runs.steps("r1")[-1].findings
    assert row.text == text


def test_so_does_what_the_encoder_sees_there(workspace: WorkspaceMaker) -> None:
    """The cosine of the best shot inside; what the options look like says nothing of it."""
    ws, state = ready(workspace, describing(""), subject="the red wall")
    cues: list[Cue] = [{"text": "red", "group": "question", "weight": 1.0}]
    state = {**state, "cues": [*cues, {"text": "blue", "group": "options", "weight": 1.0}]}
    fit = replace(ws.settings.verify.fit, cosine=2.0)
    ws.settings = replace(ws.settings, verify=replace(ws.settings.verify, fit=fit))
    out = answer(state, Runtime(context=ws))
    (found,) = [f for f in out["findings"] if f["verified"]]
    (noted,) = ws.runs.steps("r1")[-1].data["second_looks"]
    alone = ws.cosine({**state, "cues": cues}, span_of(found))
    assert noted["cosine"] == pytest.approx(alone, abs=1e-4)
    assert noted["cosine"] > ws.cosine(state, Span(0, 10)) + 0.1
    odds = fit.log_odds(0.95, second=0.6, cosine=noted["cosine"])
    assert found["confidence"] == pytest.approx(sigmoid(odds), abs=1e-4)


def test_two_looks_are_read_by_the_type_of_answer_of_what_they_are_judged_by(
    workspace: WorkspaceMaker,
) -> None:
    ws, state = ready(workspace, describing(""), subject="the red wall")
    row = {
        "model_hash": pair_hash(ws.videollm.weights_hash, ws.encoder.identity.weights_hash),
        "prompt_hash": ws.prompts_hash("verify"),
        "stage": "verify",
        "n_with": 10,
        "n_without": 10,
        "source": "a test",
        "fitted_at": "2026-01-01",
        "fit": {"first": 0.0, "bias": 1.0, "by_type": {"colour": {"first": 0.0, "bias": 2.0}}},
    }
    ws.runs.store_fit(row)
    for question, odds in ((state["reflect_question"], 1.0), ("What colour is the wall?", 2.0)):
        out = answer({**state, "reflect_question": question}, Runtime(context=ws))
        (found,) = [f for f in out["findings"] if f["verified"]]
        assert found["confidence"] == pytest.approx(sigmoid(odds))


@pytest.mark.parametrize(("wanted", "calls_left"), [(False, 80), (True, 3)])
def test_no_description_is_asked_for_where_it_is_not_wanted_or_would_cost_a_pass(
    workspace: WorkspaceMaker, wanted: bool, calls_left: int
) -> None:
    ws, state = ready(workspace, describing("a blue cat"), subject="the red wall")
    ws.settings = replace(ws.settings, verify=replace(ws.settings.verify, describe=wanted))
    calls = ws.settings.budget.calls - calls_left
    answer({**state, "spent": {**state["spent"], "calls": calls}}, Runtime(context=ws))
    prompts = [c.prompt_name for c in ws.runs.steps("r1")[-1].calls]
    assert prompts[:3] == ["reflect", "answer", "answer"]


def test_the_shipped_fit_of_two_looks_is_for_one_pair_of_models(workspace: WorkspaceMaker) -> None:
    """Another encoder's cosines are of another scale: its second looks are read by the settings."""
    (shipped,) = [fit for fit in shipped_fits() if fit.stage == "verify"]
    videollm, _, encoder = shipped.model_hash.partition("+")
    ws, _ = ready(workspace, describing(""), subject="the red wall")
    key = {"prompt_hash": shipped.prompt_hash, "stage": "verify", "default": Fit()}
    own = fit_for(ws.runs, model_hash=pair_hash(videollm, encoder + "0" * 48), **key)  # type: ignore[arg-type]
    other = fit_for(ws.runs, model_hash=pair_hash(videollm, "another"), **key)  # type: ignore[arg-type]
    assert (own.fit, own.version, other.version) == (shipped.fit, shipped.version, 0)


def test_the_shipped_fits_are_for_the_prompts_that_ship() -> None:
    assert {f.stage for f in shipped_fits()} == set(PROMPTS)
    for fit in shipped_fits():
        assert fit.prompt_hash == prompts_hash(fit.stage, file_hash), fit.stage


def test_another_prompt_is_read_by_no_fit_of_the_old_one(workspace: WorkspaceMaker) -> None:
    ws, _ = ready(workspace, describing(""), subject="the red wall")
    look, both = ws.prompts_hash("look"), ws.prompts_hash("verify")
    fit_the_search(ws, "look", first=2.0)
    assert look_fit(ws).version == 1
    ws.own_prompts = {"caption": "Describe {{ clips }}."}
    assert look_fit(ws).version == 1
    assert ws.prompts_hash("verify") != both
    ws.own_prompts = {"reflect": "{{ clips }} {{ question }}"}
    assert look_fit(ws).version == 0
    assert ws.prompts_hash("search") != look

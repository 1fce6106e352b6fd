"""Judging looks, and what that does to the belief."""

from __future__ import annotations

from dataclasses import replace

import pytest
from langgraph.runtime import Runtime

from agent.backends.scripted import ScriptedVideoLLM, knowing
from agent.confidence import logit, sigmoid
from agent.reflect import best_findings, reflect, update_for
from agent.settings import ReflectSettings
from agent.state import FindingState, LookState, Source
from index.types import Span
from tests.agent.conftest import WorkspaceMaker

RED = "What is the red thing?"
CUES = [{"text": "red", "group": "question", "weight": 1.0}]
SETTINGS = ReflectSettings()


def looked(start_s: float, end_s: float, source: Source = "belief") -> LookState:
    return {
        "look_id": f"1.{start_s:g}",
        "start_s": start_s,
        "end_s": end_s,
        "n_frames": 4,
        "width_px": 64,
        "height_px": 32,
        "tokens": 24,
        "source": source,
    }


def found(start_s: float, end_s: float, confidence: float) -> FindingState:
    return {
        "finding_id": f"2.{start_s:g}.{confidence}",
        "look_id": f"1.{start_s:g}",
        "start_s": start_s,
        "end_s": end_s,
        "p_yes": confidence,
        "confidence": confidence,
        "log_ratio": logit(confidence),
        "verified": False,
    }


def test_the_newest_fit_of_model_and_prompt_is_used(workspace: WorkspaceMaker) -> None:
    from prompts.render import render

    model = ScriptedVideoLLM(yes_script=lambda prompt, clips: 0.9)
    looks = [looked(0, 10)]
    ws, state = workspace(
        model, RED, cues=CUES, reflect_question=RED, looks=looks, unjudged=["1.0"]
    )
    row = {
        "model_hash": model.weights_hash,
        "prompt_hash": render("reflect", n_clips=1, question="?").file_hash,
        "stage": "look",
        "n_with": 10,
        "n_without": 10,
        "source": "a test",
        "fitted_at": "2026-01-01",
    }
    assert ws.runs.store_fit({**row, "fit": {"first": 1.0}}) == 1
    assert ws.runs.store_fit({**row, "fit": {"first": 0.5, "bias": 0.0}}) == 2
    out = reflect(state, Runtime(context=ws))
    assert out["findings"][0]["p_yes"] == 0.9
    # logit(0.9) = 2.197; half of it is the logit of 0.75.
    assert out["findings"][0]["confidence"] == pytest.approx(0.75)
    assert ws.runs.steps("r1")[-1].data["fit"] == "look 2 (a test)"
    # A type of answer with a fit of its own: RED asks for no colour, this one does.
    by_type = {"colour": {"first": 0.0, "bias": 2.0}}
    ws.runs.store_fit({**row, "fit": {"first": 0.5, "by_type": by_type}})
    for question, confidence in ((RED, 0.75), ("What colour is it?", sigmoid(2.0))):
        found = reflect({**state, "reflect_question": question}, Runtime(context=ws))["findings"]
        assert found[0]["confidence"] == pytest.approx(confidence)


def test_an_empty_look_lowers_its_span_and_the_search_goes_on(workspace: WorkspaceMaker) -> None:
    looks = [looked(60, 70)]
    ws, state = workspace(
        knowing([Span(150, 160)]),
        RED,
        cues=CUES,
        reflect_question=RED,
        looks=looks,
        unjudged=["1.60"],
    )
    out = reflect(state, Runtime(context=ws))
    assert (out["next"], out["unjudged"]) == ("spotlight", [])
    (row,) = ws.runs.steps("r1")
    assert row.data["presence"]["absent"] > ws.settings.survey.prior.absent
    before, after = ws.belief(state), ws.belief({**state, **out})
    assert after.mass(Span(60, 70)) < before.mass(Span(60, 70)) / 2
    assert after.mass(Span(150, 160)) > before.mass(Span(150, 160))
    assert after.absent > before.absent


def test_a_glance_over_a_long_span_moves_the_belief_a_little_and_shows_nothing(
    workspace: WorkspaceMaker,
) -> None:
    long = looked(20, 140, "request")
    model = ScriptedVideoLLM(yes_script=lambda prompt, clips: 0.99)
    ws, state = workspace(
        model, RED, cues=CUES, reflect_question=RED, looks=[long], unjudged=["1.20"]
    )
    out = reflect(state, Runtime(context=ws))
    assert (out["findings"], out["next"]) == ([], "spotlight")
    (update,) = out["updates"]
    assert update["log_ratio"] == SETTINGS.glance_log_ratio
    # The trace shows the judgement all the same.
    assert [f.p_yes for f in ws.runs.steps("r1")[-1].findings] == [0.99]
    # The same frames close together are evidence.
    near = looked(20, 40, "request")
    out = reflect({**state, "looks": [near]}, Runtime(context=ws))
    assert [f["p_yes"] for f in out["findings"]] == [0.99]
    assert out["updates"][0]["log_ratio"] > SETTINGS.glance_log_ratio


@pytest.mark.parametrize(("p_yes", "log_ratio"), [(0.99999, 6.0), (0.00001, -3.0)])
def test_no_look_says_more_than_the_settings_let_it(
    workspace: WorkspaceMaker, p_yes: float, log_ratio: float
) -> None:
    model = ScriptedVideoLLM(yes_script=lambda prompt, clips: p_yes)
    looks = [looked(60, 70)]
    ws, state = workspace(
        model, RED, cues=CUES, reflect_question=RED, looks=looks, unjudged=["1.60"]
    )
    bounded = replace(SETTINGS, most_log_ratio=6.0, least_log_ratio=-3.0)
    ws.settings = replace(ws.settings, reflect=bounded)
    (update,) = reflect(state, Runtime(context=ws))["updates"]
    assert update["log_ratio"] == log_ratio


def test_a_clear_finding_ends_the_search(workspace: WorkspaceMaker) -> None:
    looks = [looked(60, 70), looked(150, 160)]
    ws, state = workspace(
        knowing([Span(150, 160)]),
        RED,
        cues=CUES,
        reflect_question=RED,
        looks=looks,
        unjudged=["1.60", "1.150"],
    )
    out = reflect(state, Runtime(context=ws))
    assert out["next"] == "answer"
    assert out["stop_reason"].startswith("sufficient")


def test_a_search_for_all_asks_where_another_one_is() -> None:
    update = update_for(found(0, 10, 0.95), SETTINGS, all_=True)
    assert update["log_ratio"] == SETTINGS.least_log_ratio
    assert update_for(found(0, 10, 0.95), SETTINGS, all_=False)["log_ratio"] > 2


def test_a_later_look_at_the_same_span_replaces_the_earlier_one(
    workspace: WorkspaceMaker,
) -> None:
    findings = [found(60, 70, 0.6), found(150, 160, 0.9), found(60, 70, 0.1)]
    ws, state = workspace(knowing([]), RED, cues=CUES, reflect_question=RED, findings=findings)
    best = best_findings(state, ws.belief(state), SETTINGS)
    assert [f["start_s"] for f in best] == [150]


@pytest.mark.parametrize(
    ("later", "verified", "left"),
    [
        (Span(60, 65), False, []),
        (Span(57.5, 67.5), False, [60]),
        (Span(57.5, 67.5), True, []),
    ],
    ids=["the same span", "wider", "wider, as a second look"],
)
def test_a_wider_look_replaces_no_finding_but_as_a_second_look(
    workspace: WorkspaceMaker, later: Span, verified: bool, left: list[float]
) -> None:
    second = {**found(later.start_s, later.end_s, 0.2), "verified": verified}
    findings = [found(60, 65, 0.8), second]
    ws, state = workspace(knowing([]), RED, cues=CUES, reflect_question=RED, findings=findings)
    best = best_findings(state, ws.belief(state), SETTINGS)
    assert [f["start_s"] for f in best] == left

"""Judging looks, and what that does to the belief."""

from __future__ import annotations

import pytest
from langgraph.runtime import Runtime

from agent.backends.scripted import ScriptedVideoLLM, knowing
from agent.reflect import Calibration, best_findings, closer, reflect, update_for
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
    }


def test_the_identity_calibration_changes_nothing() -> None:
    assert Calibration().apply(0.3) == pytest.approx(0.3)


def test_a_temperature_draws_to_the_middle_and_a_bias_moves() -> None:
    # logit(0.9) = 2.197; half of it is the logit of 0.75.
    assert Calibration(temperature=2.0).apply(0.9) == pytest.approx(0.75)
    assert Calibration(bias=-2.197).apply(0.9) == pytest.approx(0.5, abs=1e-3)
    assert 0 < Calibration(temperature=0.01).apply(1.0) <= 1


def test_the_stored_calibration_of_model_and_prompt_is_used(workspace: WorkspaceMaker) -> None:
    from prompts.render import render

    model = ScriptedVideoLLM(yes_script=lambda prompt, clips: 0.9)
    looks = [looked(0, 10)]
    ws, state = workspace(
        model, RED, cues=CUES, reflect_question=RED, looks=looks, unjudged=["1.0"]
    )
    ws.runs.store_calibration(
        model_hash=model.weights_hash,
        prompt_hash=render("reflect", n_clips=1, question="?").file_hash,
        temperature=2.0,
        bias=0.0,
        fitted_at="2026-01-01",
    )
    out = reflect(state, Runtime(context=ws))
    assert out["findings"][0]["p_yes"] == 0.9
    assert out["findings"][0]["confidence"] == pytest.approx(0.75)


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
    assert (out["next"], out["n_empty_in_a_row"], out["unjudged"]) == ("spotlight", 1, [])
    before, after = ws.belief(state), ws.belief({**state, **out})
    assert after.mass(Span(60, 70)) < before.mass(Span(60, 70)) / 2
    assert after.mass(Span(150, 160)) > before.mass(Span(150, 160))
    assert after.absent > before.absent


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
    assert update["log_ratio"] == -SETTINGS.most_log_ratio
    assert update_for(found(0, 10, 0.95), SETTINGS, all_=False)["log_ratio"] > 2


def test_an_ambiguous_long_window_is_split_and_a_short_one_seen_larger() -> None:
    parts = closer(found(0, 10, 0.5), looked(0, 10), SETTINGS)
    assert [(p["start_s"], p["end_s"], p["source"]) for p in parts] == [
        (0, 5, "split"),
        (5, 10, "split"),
    ]
    (again,) = closer(found(0, 4, 0.5), looked(0, 4), SETTINGS)
    assert (again["source"], again["high"]) == ("closer", True)
    assert closer(found(0, 4, 0.5), looked(0, 4, "closer"), SETTINGS) == []
    assert closer(found(0, 10, 0.95), looked(0, 10), SETTINGS) == []


def test_a_later_look_at_the_same_span_replaces_the_earlier_one(
    workspace: WorkspaceMaker,
) -> None:
    findings = [found(60, 70, 0.6), found(150, 160, 0.9), found(60, 70, 0.1)]
    ws, state = workspace(knowing([]), RED, cues=CUES, reflect_question=RED, findings=findings)
    best = best_findings(state, ws.belief(state), SETTINGS)
    assert [f["start_s"] for f in best] == [150]

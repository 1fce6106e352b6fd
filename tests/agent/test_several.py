"""Sets of moments, and what is not known about the rest."""

from __future__ import annotations

from dataclasses import replace

import pytest
from langgraph.runtime import Runtime

from agent.answer import answer
from agent.backends.scripted import ScriptedVideoLLM, knowing
from agent.several import chances, further, looked_share
from agent.state import FindingState
from index.types import Span
from tests.agent.conftest import WorkspaceMaker, found, looked

RED = "How many times is it red?"
CUES = [{"text": "red", "group": "question", "weight": 1.0}]


def finding(start_s: float, end_s: float, log_ratio: float) -> FindingState:
    return found(start_s, end_s, p_yes=0.5, log_ratio=log_ratio, verified=True)


def test_the_vectors_and_the_looks_are_weighed_together(workspace: WorkspaceMaker) -> None:
    ws, state = workspace(knowing([]), RED, cues=CUES, kind="count")

    def chance(start_s: float, end_s: float, log_ratio: float) -> float:
        seen = [finding(start_s, end_s, log_ratio)]
        return chances(ws, {**state, "findings": seen})[0][1]

    # Red is at 60-70 s, grey at 0-10 s: the same judgement is worth less there.
    assert chance(60, 70, 2.0) > 0.5
    assert chance(0, 10, 2.0) < 0.5
    assert chance(0, 10, 8.0) > chance(0, 10, 2.0)


def test_a_second_look_stands_for_the_first(workspace: WorkspaceMaker) -> None:
    seen = [finding(62, 66, 3.0), finding(60, 70, -4.0), finding(150, 160, 3.0)]
    ws, state = workspace(knowing([]), RED, cues=CUES, kind="count", findings=seen)
    by_start = {f["start_s"]: chance for f, chance in chances(ws, state)}
    assert set(by_start) == {60, 150}
    assert by_start[60] < 0.5 < by_start[150]


def test_a_film_whose_windows_are_empty_ends_as_not_found(workspace: WorkspaceMaker) -> None:
    """One doubtful "yes" beside windows that show nothing is no set of one."""
    empty = [finding(s, s + 10.0, -4.0) for s in (60.0, 150.0, 110.0, 30.0)]
    findings = [*empty, finding(0, 10, 1.5)]
    looks = [looked(f["start_s"], f["end_s"]) for f in findings]
    ws, state = workspace(
        knowing([]),
        RED,
        cues=CUES,
        kind="count",
        reflect_question="Is it red?",
        findings=findings,
        looks=looks,
        stop_reason="exhausted: a test",
    )
    out = answer(state, Runtime(context=ws))
    assert out["answer"]["status"] == "not_found"
    assert out["answer"]["confidence"] > 0.5


def test_a_count_that_the_whole_search_doubts_is_no_answer(workspace: WorkspaceMaker) -> None:
    seen = [finding(60, 70, 3.0), finding(150, 160, 3.0)]
    ws, state = workspace(
        knowing([]),
        RED,
        options=("2", "3"),
        cues=CUES,
        kind="count",
        reflect_question="Is it red?",
        findings=seen,
        looks=[looked(60, 70), looked(150, 160)],
        stop_reason="exhausted: a test",
    )
    held = answer(state, Runtime(context=ws))["answer"]
    assert (held["status"], held["answer"]) == ("answered", "2")
    ws.settings = replace(ws.settings, answer=replace(ws.settings.answer, most_absent=0.0))
    guessed = answer(state, Runtime(context=ws))["answer"]
    assert (guessed["status"], guessed["answer"]) == ("out_of_budget", "2")
    doubting = replace(ws.settings.answer, least_absent=0.0)
    ws.settings = replace(ws.settings, answer=doubting)
    doubted = answer(state, Runtime(context=ws))["answer"]
    assert (doubted["status"], doubted["answer"], doubted["choice"]) == ("not_found", "", None)


def test_a_moment_that_was_seen_only_once_is_told(workspace: WorkspaceMaker) -> None:
    once: list[FindingState] = [{**finding(60, 70, 4.0), "verified": False}]
    ws, state = workspace(
        knowing([]),
        RED,
        cues=CUES,
        kind="count",
        reflect_question="Is it red?",
        findings=once,
        looks=[looked(60, 70)],
        stop_reason="budget: 17 looks are used up",
        spent={"visual_tokens": 0, "looks": 24, "calls": 3, "seconds": 1.0},
    )
    out = answer(state, Runtime(context=ws))["answer"]
    assert any("no second look for 1 of what was found" in note for note in out["notes"])


def test_looks_cover_their_share_of_the_prior_once(workspace: WorkspaceMaker) -> None:
    # The last one is a glance: it covers nothing.
    looks = [looked(60, 70), looked(60, 70), looked(65, 70), looked(0, 170)]
    ws, state = workspace(knowing([]), RED, cues=CUES, kind="count", looks=looks)
    prior = ws.prior(state).belief
    once = prior.mass(Span(60, 70)) / prior.mass(Span(0, 170))
    assert looked_share(ws, state) == pytest.approx(once)
    red, grey = further(ws, state, [Span(150, 160), Span(0, 10)])
    assert red > 10 * grey


def test_what_other_moments_make_likely_is_looked_at_twice_too(workspace: WorkspaceMaker) -> None:
    """A window is doubtful beside two that were seen once, and likely beside two that are sure."""
    once: list[FindingState] = [
        {**finding(start_s, start_s + 10.0, log_ratio), "verified": False}
        for start_s, log_ratio in ((60.0, 0.0), (150.0, 0.0), (110.0, 3.5))
    ]
    ws, state = workspace(
        ScriptedVideoLLM(yes_script=lambda prompt, clips: 0.999),
        RED,
        cues=CUES,
        kind="count",
        reflect_question="Is it red?",
        findings=once,
        looks=[looked(f["start_s"], f["end_s"]) for f in once],
        stop_reason="exhausted: a test",
    )
    before = {f["start_s"]: chance for f, chance in chances(ws, state)}
    assert before[110] < ws.settings.several.accept < before[60]
    out = answer(state, Runtime(context=ws))
    assert {f["start_s"] for f in out["findings"] if f["verified"]} == {60, 110, 150}
    assert out["answer"]["answer"] == "3"

"""What the survey records beside the belief."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from agent.backends.scripted import ScriptedVideoLLM
from agent.state import Cue, State
from agent.survey import plan, searched_spans, survey
from index.types import Span
from tests.agent.conftest import WorkspaceMaker


@pytest.mark.parametrize(
    ("times", "spans"),
    [
        ([0.0, 1.0, 2.0, 3.0], [[0.0, 4.0]]),
        ([0.5, 1.5, 2.5], [[0.5, 3.5]]),
        ([0.0, 1.0, 5.0, 6.0, 7.0], [[0.0, 2.0], [5.0, 8.0]]),
        ([7.0, 8.0, 9.0, 9.8], [[7.0, 10.0]]),
        ([0.0], [[0.0, 10.0]]),
        ([], []),
    ],
)
def test_what_could_not_be_decoded_was_not_searched(
    times: list[float], spans: list[list[float]]
) -> None:
    assert searched_spans(np.asarray(times), Span(0, 10)) == spans


def test_only_the_parts_that_are_asked_about_are_glanced_at(workspace: WorkspaceMaker) -> None:
    parts = [[60.0, 70.0], [140.0, 150.0]]
    ws, state = workspace(ScriptedVideoLLM(), "What is red?", bounds=[60.0, 150.0], parts=parts)
    survey(state, SimpleNamespace(context=ws))  # type: ignore[arg-type]
    peaks = ws.runs.steps("r1")[-1].data["shortlist_s"]
    assert {int(time_s) // 10 for time_s in peaks} == {6, 14}


def test_each_lane_has_a_prior_of_its_own(workspace: WorkspaceMaker) -> None:
    cues = [
        Cue(text="red", group="question", weight=1.0),
        Cue(text="a red picture", group="rewrite", weight=1.0),
    ]
    ws, state = workspace(ScriptedVideoLLM(), "where is red?", cues=cues)
    lanes = ws.lane_priors(state)
    assert list(lanes) == ["frames", "clips"]
    for belief in lanes.values():
        assert belief.weights.sum() + belief.absent == pytest.approx(1)
    # A lane that is the only one is what the search believes.
    ws.settings = replace(ws.settings, survey=replace(ws.settings.survey, frame_weight=1.0))
    ws = replace(ws, _cosines={}, _priors={})
    assert ws.lane_priors(state) == {"frames": ws.prior(state).belief}


@pytest.mark.parametrize(("asked", "moved"), [("20 - 80", True), ("20 - 120", False)])
def test_a_request_too_long_for_a_look_is_taken_and_points_nowhere(
    workspace: WorkspaceMaker, asked: str, moved: bool
) -> None:
    model = ScriptedVideoLLM(reply_script=lambda prompt, clips: f"<span>{asked}</span><fps>1</fps>")
    cues = [{"text": "red", "group": "question", "weight": 1.0}]
    ws, state = workspace(model, "What is red?", reflect_question="What is red?", cues=cues)
    # 32 frames at most: 64 seconds.
    ws.settings = replace(ws.settings, look=replace(ws.settings.look, widest_gap_s=2.0))
    out = survey(state, SimpleNamespace(context=ws))  # type: ignore[arg-type]
    (proposal,) = out["proposals"]
    assert (proposal["source"], proposal["start_s"]) == ("request", 20)
    assert [u["cause"] for u in out["updates"]] == ["request"] * moved


def test_naming_a_part_of_the_film_says_nothing_about_absence(workspace: WorkspaceMaker) -> None:
    """The belief moves into the part; how likely the film holds it stays as it was."""
    cues = [{"text": "red", "group": "question", "weight": 1.0}]
    ws, state = workspace(ScriptedVideoLLM(), "What is red?", cues=cues, bounds=[0.0, 30.0])
    belief = ws.belief(state)
    assert belief.absent == pytest.approx(ws.prior(state).belief.absent)
    assert belief.mass(Span(0, 30)) == pytest.approx(1 - belief.absent, abs=1e-4)


def test_a_belief_is_worked_out_again_when_something_is_found(workspace: WorkspaceMaker) -> None:
    cues = [{"text": "red", "group": "question", "weight": 1.0}]
    ws, state = workspace(ScriptedVideoLLM(), "What is red?", cues=cues)
    before = ws.belief(state)
    assert ws.belief({**state}) is before
    seen = {"start_s": 60.0, "end_s": 70.0, "log_ratio": -3.0, "cause": "1.0"}
    after = ws.belief({**state, "updates": [seen]})  # type: ignore[list-item]
    assert after.mass(Span(60, 70)) < before.mass(Span(60, 70))
    milder = replace(ws.settings.survey, left_out_log_ratio=0.0)
    inside: State = {**state, "bounds": [0.0, 30.0]}
    bounded = ws.belief(inside)
    ws.settings = replace(ws.settings, survey=milder)
    assert ws.belief(inside).mass(Span(60, 70)) > bounded.mass(Span(60, 70))


@pytest.mark.parametrize(("word", "place"), [("after", Span(150, 160)), ("before", Span(60, 70))])
def test_a_moment_that_the_question_names_leans_the_search(
    workspace: WorkspaceMaker, word: str, place: Span
) -> None:
    """Red is there twice: one minute in, and near the end. In between it is blue."""
    ws, state = workspace(ScriptedVideoLLM(), f"Where is the red {word} the blue?")
    planned = {**state, **plan(state, SimpleNamespace(context=ws))}  # type: ignore[arg-type]
    weighs = {span: ws.belief(planned).mass(span) for span in (Span(60, 70), Span(150, 160))}  # type: ignore[arg-type]
    assert max(weighs, key=lambda span: weighs[span]) == place
    assert max(weighs.values()) > 3 * min(weighs.values())


def _option_cues(workspace: WorkspaceMaker, written: str) -> list[str]:
    replies = {"rewrite": "a boat on the sea", "rewrite_options": written}
    videollm = ScriptedVideoLLM(reply_script=lambda prompt, clips: replies.get(prompt.name, ""))
    options = ("red", "blue")
    ws, state = workspace(videollm, "What colour is the boat on the sea?", options=options)
    planned = plan(state, SimpleNamespace(context=ws))  # type: ignore[arg-type]
    return [cue["text"] for cue in planned["cues"] if cue["group"] == "options"]


def test_options_are_looked_for_in_the_words_that_the_model_writes_for_them(
    workspace: WorkspaceMaker,
) -> None:
    assert _option_cues(workspace, "1. a red boat at sea\n2. a blue boat at sea") == [
        "the red boat on the sea",
        "a red boat at sea",
        "the blue boat on the sea",
        "a blue boat at sea",
    ]


def test_an_option_without_words_of_its_own_stands_behind_the_rewrite(
    workspace: WorkspaceMaker,
) -> None:
    assert _option_cues(workspace, "I cannot say.") == [
        "the red boat on the sea",
        "a boat on the sea, red",
        "the blue boat on the sea",
        "a boat on the sea, blue",
    ]

"""What the passes over the evidence show, and what one that was cut short says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from langgraph.runtime import Runtime

from agent.answer import answer
from agent.backends.scripted import ScriptedVideoLLM
from agent.evidence import NOT_ENOUGH, UNREADABLE, Shown, ask_evidence, normalised
from agent.other_frames import in_other_frames
from agent.shots import neighbour
from agent.state import LookState, State
from agent.steps import StepWriter
from agent.verify import verify
from agent.videollm import Clip, Reply
from index.types import Shot, Span
from prompts.render import RenderedPrompt
from tests.agent.conftest import OneSize, WorkspaceMaker, found, looked
from tools.keyclips import ClipShape
from tools.look import FrameGrid, even_times

RED = "What is the red thing?"
GRID = FrameGrid(patch_px=32, frames_per_pair=2)


def frames_of(look: LookState) -> tuple[object, ...]:
    span = Span(look["start_s"], look["end_s"])
    return (*even_times(span, look["n_frames"]), look["width_px"], look["height_px"])


@pytest.mark.parametrize("model", [ScriptedVideoLLM, OneSize])
@pytest.mark.parametrize("span", [Span(60, 70), Span(60, 62.5), Span(60, 61)])
def test_no_pass_shows_what_another_one_did(
    workspace: WorkspaceMaker, model: type[ScriptedVideoLLM], span: Span
) -> None:
    left = ["a wall", "a car", "a dog"]
    ws, state = workspace(model(reply_script=lambda prompt, clips: left.pop(0)), RED)
    vote = ask_evidence(
        ws, StepWriter(ws, state, "answer"), [Shown(span, 1.0)], question="What is it?"
    )
    assert len({frames_of(k) for k in vote.looks}) == len(vote.looks) == 3
    assert all(span.start_s <= k["start_s"] and k["end_s"] <= span.end_s for k in vote.looks)


def test_a_second_look_shows_other_frames_than_the_first(workspace: WorkspaceMaker) -> None:
    ws, state = workspace(OneSize(yes_script=lambda prompt, clips: 0.9), RED)
    first = None
    for n_frames in (2, 4, 6, 8):
        step = StepWriter(ws, state, "answer")
        shape = ClipShape(n_frames, *ws.size_px(ws.settings.look.short_side_px))
        first, _ = step.look(Span(60, 70), shape, why="a test", source="belief")
        once = step.finding(first, p_yes=0.9, confidence=0.9, log_ratio=2.0)
        again = verify(ws, step, {**state, "looks": [first]}, once, Span(60, 70))
        assert again is not None
        assert frames_of(again.look) != frames_of(first)


def test_other_frames_are_fewer_then_those_of_the_middle() -> None:
    span, shape = Span(10, 20), ClipShape(4, 64, 32)
    assert in_other_frames(span, shape, shown=[], grid=GRID) == (span, shape)
    shown = [looked(span.start_s, span.end_s, n_frames=4)]
    assert in_other_frames(span, shape, shown=shown, grid=GRID) == (span, ClipShape(2, 64, 32))
    shown.append(looked(span.start_s, span.end_s, n_frames=2))
    assert in_other_frames(span, shape, shown=shown, grid=GRID) == (Span(12.5, 17.5), shape)
    # The same times in another size are other frames; a moment has no others.
    assert in_other_frames(span, ClipShape(4, 96, 64), shown=shown, grid=GRID) == (
        span,
        ClipShape(4, 96, 64),
    )
    moment = Span(10, 10.1)
    assert in_other_frames(moment, shape, shown=[looked(10, 10.1)], grid=GRID) is None


def test_a_vote_that_the_budget_cut_short_says_nothing_against_its_evidence(
    workspace: WorkspaceMaker,
) -> None:
    limits = {"visual_tokens": 0, "looks": 0, "calls": 0, "seconds": 0.0}
    model = ScriptedVideoLLM(reply_script=lambda prompt, clips: "a wall")
    ws, state = workspace(model, RED, spent=limits)
    calls = ws.settings.budget.calls
    state["spent"] = {**limits, "calls": calls - 1}
    vote = ask_evidence(ws, StepWriter(ws, state, "answer"), [Shown(Span(60, 70), 1)], question=RED)
    assert (vote.outcome, vote.reply) == ("cut short", "a wall")
    assert vote.why == "budget: no calls left for another pass over the evidence"


class Sure(ScriptedVideoLLM):
    """Says how sure it is of a reply: of every second one less."""

    def reply(
        self, prompt: RenderedPrompt, clips: Sequence[Clip], *, max_tokens: int = 64
    ) -> Reply:
        said = super().reply(prompt, clips, max_tokens=max_tokens)
        return replace(said, probability=0.9 if len(self.calls) % 2 else 0.5)


@pytest.mark.parametrize(("passes", "share"), [(1, 0.9), (2, 0.7)])
def test_an_open_reply_counts_by_how_sure_the_model_is_of_it(
    workspace: WorkspaceMaker, passes: int, share: float
) -> None:
    ws, state = workspace(Sure(reply_script=lambda prompt, clips: "a wall"), RED)
    ws = replace(
        ws, settings=replace(ws.settings, answer=replace(ws.settings.answer, passes=passes))
    )
    step = StepWriter(ws, state, "answer")
    vote = ask_evidence(ws, step, [Shown(Span(60, 70), 1)], question=RED)
    assert (vote.outcome, vote.reply) == ("agreed", "a wall")
    assert vote.share == pytest.approx(share)
    step.done(State(), why="")
    (kept,) = ws.runs.steps(ws.run_id)
    assert [call.probabilities for call in kept.calls] == [{"reply": 0.9}, {"reply": 0.5}][:passes]


def test_after_the_last_second_there_is_one_pass_and_no_more(workspace: WorkspaceMaker) -> None:
    model = ScriptedVideoLLM(
        reply_script=lambda prompt, clips: "" if prompt.name == "caption" else "a wall",
        yes_script=lambda prompt, clips: 0.95,
    )
    late = {"visual_tokens": 0, "looks": 0, "calls": 0, "seconds": 1e6}
    look = looked(60, 70, n_frames=4)
    once = found(60.0, 70.0, p_yes=0.95, log_ratio=3.0)
    ws, state = workspace(
        model,
        RED,
        cues=[{"text": "red", "group": "question", "weight": 1.0}],
        reflect_question=RED,
        looks=[look],
        findings=[once, {**once, "finding_id": "2.1", "start_s": 150.0, "end_s": 160.0}],
        updates=[{"start_s": 60.0, "end_s": 70.0, "log_ratio": 3.0, "cause": "2.0"}],
        stop_reason="budget: 600 seconds are used up",
        spent=late,
    )
    out = answer(state, Runtime(context=ws))
    assert [call.prompt.name for call in model.calls] == ["reflect", "answer"]
    assert (out["answer"]["status"], out["answer"]["answer"]) == ("out_of_budget", "a wall")


@pytest.mark.parametrize(
    ("reply", "ballot"),
    [
        ("A", "a"),
        ("The A.", "a"),
        ("Красный!", "красный"),
        ("红色", "红色"),
        ("Not enough light", "not enough light"),
        ("Not enough information to tell.", NOT_ENOUGH),
        ("?!", UNREADABLE),
    ],
)
def test_replies_of_any_script_are_read(reply: str, ballot: str) -> None:
    assert normalised(reply) == ballot


def test_what_follows_in_one_shot_is_its_rest(workspace: WorkspaceMaker) -> None:
    """Where all of it looks alike: as much of it as a window holds."""
    ws, _ = workspace(ScriptedVideoLLM(), RED)
    still = ws.film.timeline.vectors[:1].repeat(170, axis=0)
    ws.film = replace(
        ws.film,
        shots=(Shot(0, Span(0, 60)), Shot(1, Span(60, 170))),
        timeline=replace(ws.film.timeline, vectors=still),  # type: ignore[type-var]
    )
    assert neighbour(ws, Span(10, 20), after=True) == Span(20, 36)
    assert neighbour(ws, Span(30, 40), after=False) == Span(14, 30)
    # Less than the shortest window is no rest: the next shot follows.
    assert neighbour(ws, Span(50, 59.5), after=True) == Span(60, 76)
    assert neighbour(ws, Span(60.5, 70), after=False) == Span(44, 60)


def test_in_a_long_take_what_is_beside_a_moment_ends_where_the_picture_changes(
    workspace: WorkspaceMaker,
) -> None:
    """Ten seconds of each colour: white, red, grey; and no cuts to go by."""
    ws, _ = workspace(ScriptedVideoLLM(), RED)
    ws.settings = replace(ws.settings, spotlight=replace(ws.settings.spotlight, follow_cuts=False))
    assert neighbour(ws, Span(60, 70), after=True) == Span(70, 80)
    assert neighbour(ws, Span(60, 70), after=False) == Span(50, 60)
    assert neighbour(ws, Span(150, 160), after=True) == Span(160, 170)
    assert neighbour(ws, Span(160, 170), after=True) is None

"""Questions about the film as a whole."""

from __future__ import annotations

import itertools

import pytest

from agent.ask import ask
from agent.backends.scripted import ScriptedVideoLLM
from agent.overview import stand_ins
from agent.plan import parse_question
from agent.presets import with_budget
from agent.settings import AskSettings
from index.runs import RunStore
from index.types import Span
from tests.agent.conftest import PlainLibrary, WorkspaceMaker, models_with


@pytest.mark.parametrize(
    "question",
    [
        "What is this film about?",
        "What's the movie about",
        "What happens?",
        "What happens in this video?",
        "Summarise the film.",
        "Please summarize this whole movie",
        "Describe the video.",
        "Give me a short summary of the film.",
        "Tell me what happens in the film",
        "What is the plot of the film?",
        "What's the plot?",
        "What's going on?",
        "What's happening in the film?",
        "What happened?",
        "Can you summarise the film?",
        "What is the video mainly about?",
        "What are the main topics of the video?",
        "Summarize the film in one sentence",
    ],
)
def test_questions_about_the_whole(question: str) -> None:
    assert parse_question(question).kind == "whole"


@pytest.mark.parametrize(
    "question",
    [
        "What is the book in the film about?",
        "What happens in the film when the car stops?",
        "Describe the man in the film.",
        "What is the red thing?",
        "What is shown on the sign?",
        "Tell me about the red car",
        "Describe the car in the film.",
        "What's the red thing?",
    ],
)
def test_questions_about_a_part_are_searched_for(question: str) -> None:
    assert parse_question(question).kind != "whole"


def test_the_whole_is_told_from_shots_that_stand_for_it(
    library: PlainLibrary, settings: AskSettings
) -> None:
    videollm = ScriptedVideoLLM(reply_script=lambda prompt, clips: "walls of many colours")
    question = "What is this film about?"
    models = models_with(videollm)
    found = ask(library, library.video, question, models=models, settings=settings)

    assert (found.status, found.kind) == ("answered", "whole")
    assert found.answer == "walls of many colours"
    (call,) = videollm.calls
    middles = [sum(clip.times_s) / len(clip.times_s) for clip in call.clips]
    third = library.video.facts.duration_s / 3
    assert middles == sorted(middles)
    assert {int(m // third) for m in middles} == {0, 1, 2}
    assert len(found.citations) == len(call.clips)
    assert found.usage["visual_tokens"] <= settings.budget.visual_tokens
    nodes = [step.node for step in RunStore.open(library.folder).steps(found.run_id)]
    assert nodes == ["plan", "survey", "answer"]


def test_a_part_that_is_named_is_told_alone(library: PlainLibrary, settings: AskSettings) -> None:
    videollm = ScriptedVideoLLM(reply_script=lambda prompt, clips: "a wall")
    question = "What happens in the first minute?"
    models = models_with(videollm)
    found = ask(library, library.video, question, models=models, settings=settings)

    assert found.kind == "whole"
    assert all(c.span.end_s <= 60 for c in found.citations)


@pytest.mark.parametrize(
    "question", ["What is happening during the red wall?", "Describe the film after the blue wall"]
)
def test_a_part_that_has_to_be_found_is_searched_for(
    library: PlainLibrary, settings: AskSettings, question: str
) -> None:
    models = models_with(ScriptedVideoLLM())
    assert ask(library, library.video, question, models=models, settings=settings).kind == "moment"


@pytest.mark.parametrize(
    ("limits", "lacks"), [({"visual_tokens": 5}, "tokens"), ({"calls": 1}, None)]
)
def test_a_budget_for_no_clip_is_out_of_budget(
    library: PlainLibrary, settings: AskSettings, limits: dict[str, int], lacks: str | None
) -> None:
    models, small = models_with(ScriptedVideoLLM()), with_budget(settings, **limits)  # type: ignore[arg-type]
    found = ask(library, library.video, "What happens?", models=models, settings=small)
    if lacks is None:
        assert found.status == "answered", "one call is all that it takes"
    else:
        assert (found.status, found.answer) == ("out_of_budget", "")
        assert f"budget: no {lacks} left for the evidence" in found.stop_reason


@pytest.mark.parametrize("limits", [{"visual_tokens": 60}, {"looks": 2}, {"calls": 1}])
def test_the_budget_holds(
    library: PlainLibrary, settings: AskSettings, limits: dict[str, int]
) -> None:
    videollm = ScriptedVideoLLM(reply_script=lambda prompt, clips: "a wall")
    models, small = models_with(videollm), with_budget(settings, **limits)  # type: ignore[arg-type]
    found = ask(library, library.video, "What happens?", models=models, settings=small)

    assert found.stop_reason
    for name, limit in limits.items():
        assert found.usage[name] <= limit


def test_a_model_that_finds_it_not_enough_gives_no_answer(
    library: PlainLibrary, settings: AskSettings
) -> None:
    videollm = ScriptedVideoLLM(reply_script=lambda prompt, clips: "not enough")
    models = models_with(videollm)
    found = ask(library, library.video, "What happens?", models=models, settings=settings)

    assert (found.status, found.answer, found.citations) == ("not_found", "", ())


def test_stand_ins_come_from_all_parts(workspace: WorkspaceMaker) -> None:
    ws, _ = workspace(ScriptedVideoLLM(), "What happens?")
    parts = tuple(Span(t, t + 8) for t in range(0, 160, 16))
    spans = stand_ins(ws, parts, n_most=5)
    assert len(spans) == 5
    assert spans[0].end_s <= 24
    assert spans[-1].start_s >= 128


def test_stand_ins_are_apart_and_at_most_as_many_as_asked(workspace: WorkspaceMaker) -> None:
    ws, _ = workspace(ScriptedVideoLLM(), "What happens?")
    parts = (Span(0, 50), Span(90, 150))
    for n in (1, 2, 5, 100):
        spans = stand_ins(ws, parts, n_most=n)
        assert 1 <= len(spans) <= n
        assert all(any(s.clamp(p) == s for p in parts) for s in spans)
        assert all(a.end_s <= b.start_s for a, b in itertools.pairwise(spans))

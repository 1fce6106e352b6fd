"""Whole questions over a film of plain colours; the VideoLLM knows where the evidence is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.ask import ask
from agent.backends.scripted import knowing
from agent.estimate import estimate_question
from agent.presets import with_budget
from agent.settings import AskSettings
from index.errors import InputError, LibraryError
from index.run_rows import StepRow
from index.runs import RunStore
from index.types import Span
from tests.agent.conftest import PlainLibrary, models_with

RED_1, BLUE, RED_2 = Span(60, 70), Span(110, 120), Span(150, 160)


def test_an_open_question_is_answered_from_the_shot_that_shows_it(
    library: PlainLibrary, settings: AskSettings
) -> None:
    found = ask(
        library,
        library.video,
        "What is the blue thing?",
        models=models_with(knowing([BLUE], answer="a wall")),
        settings=settings,
    )
    assert (found.status, found.answer) == ("answered", "a wall")
    assert [c.span for c in found.citations] == [BLUE]
    assert found.citations[0].frames_s
    assert found.usage["visual_tokens"] <= settings.budget.visual_tokens
    assert found.stop_reason


def test_a_choice_gives_the_option_and_its_place(
    library: PlainLibrary, settings: AskSettings
) -> None:
    found = ask(
        library,
        library.video,
        "What is the blue thing?",
        options=("a car", "a wall"),
        models=models_with(knowing([BLUE], option_index=1)),
        settings=settings,
    )
    assert (found.status, found.choice, found.answer) == ("answered", 1, "a wall")


def test_what_judges_a_look_does_not_know_the_options(
    library: PlainLibrary, settings: AskSettings
) -> None:
    model = knowing([BLUE], option_index=1)
    ask(
        library,
        library.video,
        "What is the blue thing?",
        options=("a zeppelin", "a wall"),
        models=models_with(model),
        settings=settings,
    )
    told: dict[str, bool] = {}
    for call in model.calls:
        says = "zeppelin" in " ".join(p for p in call.prompt.parts if isinstance(p, str))
        told[call.prompt.name] = told.get(call.prompt.name, False) or says
    assert told["answer"]
    assert told["rewrite_options"]
    assert {"reflect", "rewrite"} <= told.keys()
    assert not any(told[name] for name in told.keys() - {"answer", "rewrite_options"})


def test_when_is_answered_by_the_span_of_the_evidence(
    library: PlainLibrary, settings: AskSettings
) -> None:
    found = ask(
        library,
        library.video,
        "When does the blue wall appear?",
        models=models_with(knowing([BLUE])),
        settings=settings,
    )
    assert (found.kind, found.spans, found.answer) == ("when", (BLUE,), "0:01:50–0:02:00")


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("How many times does the red wall appear?", "2"),
        ("Find all the moments with the red wall.", "0:01:00–0:01:10, 0:02:30–0:02:40"),
    ],
)
def test_all_moments_are_found_and_counted(
    library: PlainLibrary, settings: AskSettings, question: str, answer: str
) -> None:
    found = ask(
        library,
        library.video,
        question,
        models=models_with(knowing([RED_1, RED_2])),
        settings=settings,
    )
    assert (found.status, found.answer, found.spans) == ("answered", answer, (RED_1, RED_2))
    assert [c.span for c in found.citations] == [RED_1, RED_2]


def test_a_count_among_options_is_picked_by_code(
    library: PlainLibrary, settings: AskSettings
) -> None:
    found = ask(
        library,
        library.video,
        "How many times does the red wall appear?",
        options=("once", "twice", "three times"),
        models=models_with(knowing([RED_1, RED_2], option_index=0)),
        settings=settings,
    )
    assert (found.choice, found.answer) == (1, "twice")


def test_what_comes_right_after_is_read_from_the_next_shot(
    library: PlainLibrary, settings: AskSettings
) -> None:
    models = models_with(knowing([BLUE], answer="black"))
    found = ask(
        library,
        library.video,
        "What comes right after the blue wall?",
        models=models,
        settings=settings,
    )
    assert (found.kind, found.answer) == ("after", "black")
    assert [c.span for c in found.citations] == [Span(120, 130), BLUE]


def test_a_model_that_cannot_relate_clips_is_shown_the_neighbour_alone(
    library: PlainLibrary, settings: AskSettings
) -> None:
    seen: list[StepRow] = []
    found = ask(
        library,
        library.video,
        "What comes right after the blue wall?",
        models=models_with(knowing([BLUE])),
        settings=replace(settings, answer=replace(settings.answer, neighbour_alone=True)),
        on_step=seen.append,
    )
    assert found.answer == "scripted reply to shown"
    spans = {k.look_id: k.span for s in seen for k in s.looks}
    shown = [c for s in seen for c in s.calls if c.prompt_name == "shown"]
    assert len(shown) == 2, "two passes that agree"
    for call in shown:
        assert [spans[i].clamp(Span(120, 130)) == spans[i] for i in call.look_ids] == [True]
    assert [c.span for c in found.citations] == [Span(120, 130), BLUE]


def test_a_set_says_how_sure_it_is_that_none_is_missing(
    library: PlainLibrary, settings: AskSettings
) -> None:
    found = ask(
        library,
        library.video,
        "How many times does the red wall appear?",
        models=models_with(knowing([RED_1, RED_2])),
        settings=settings,
    )
    assert (found.answer, found.spans) == ("2", (RED_1, RED_2))
    assert any("a further moment is there with" in note for note in found.notes)


def test_the_clock_of_a_question_bounds_the_search(
    library: PlainLibrary, settings: AskSettings
) -> None:
    seen: list[StepRow] = []
    found = ask(
        library,
        library.video,
        "How many times does the red wall appear in the first 100 seconds?",
        models=models_with(knowing([RED_1, RED_2])),
        settings=settings,
        on_step=seen.append,
    )
    assert (found.answer, found.spans) == ("1", (RED_1,))
    assert all(k.span.end_s <= 100 for s in seen for k in s.looks)
    judged = [c.prompt_text for s in seen for c in s.calls if c.prompt_name == "reflect"]
    assert all("first 100 seconds" not in text for text in judged)


def test_what_the_film_does_not_hold_is_not_found(
    library: PlainLibrary, settings: AskSettings
) -> None:
    found = ask(
        library,
        library.video,
        "What is the magenta thing?",
        models=models_with(knowing([])),
        settings=settings,
    )
    assert (found.status, found.answer, found.choice) == ("not_found", "", None)
    assert found.citations == ()


def test_a_budget_of_two_looks_ends_the_search_with_its_reason(
    library: PlainLibrary, settings: AskSettings
) -> None:
    found = ask(
        library,
        library.video,
        "What is the magenta thing?",
        models=models_with(knowing([])),
        settings=with_budget(settings, looks=2),
    )
    assert found.status in ("out_of_budget", "not_found")
    assert found.stop_reason.startswith("budget: 1 of 2 looks are used")


@pytest.mark.parametrize(
    ("looks", "status", "ended"),
    [
        (4, "answered", "2 of 2 passes agree over the evidence"),
        (3, "out_of_budget", "budget: no looks left for another pass over the evidence"),
    ],
)
def test_a_small_budget_keeps_what_an_answer_takes_or_says_what_was_short(
    library: PlainLibrary, settings: AskSettings, looks: int, status: str, ended: str
) -> None:
    found = ask(
        library,
        library.video,
        "What is the blue thing?",
        models=models_with(knowing([BLUE], answer="a wall")),
        settings=with_budget(settings, looks=looks),
    )
    assert (found.status, found.answer) == (status, "a wall")
    assert found.stop_reason.endswith(ended)


def test_a_token_budget_is_never_exceeded(library: PlainLibrary, settings: AskSettings) -> None:
    models = models_with(knowing([BLUE]))
    for tokens in (60, 200, 400):
        found = ask(
            library,
            library.video,
            "What is the magenta thing?",
            models=models,
            settings=with_budget(settings, visual_tokens=tokens),
        )
        assert found.usage["visual_tokens"] <= tokens
        assert found.stop_reason


@pytest.mark.parametrize("question", ["What is the blue thing?", "How often is it red?"])
@pytest.mark.parametrize("looks", [1, 2, 5, 9])
def test_the_looks_of_an_answer_are_within_the_budget(
    library: PlainLibrary, settings: AskSettings, looks: int, question: str
) -> None:
    found = ask(
        library,
        library.video,
        question,
        models=models_with(knowing([BLUE, RED_1, RED_2])),
        settings=with_budget(settings, looks=looks),
    )
    assert 1 <= found.usage["looks"] <= looks


def test_the_steps_are_streamed_and_the_trace_is_the_same_without_models(
    library: PlainLibrary, settings: AskSettings
) -> None:
    seen: list[StepRow] = []
    found = ask(
        library,
        library.video,
        "What is the blue thing?",
        models=models_with(knowing([BLUE])),
        settings=settings,
        on_step=seen.append,
    )
    assert [s.node for s in seen][:3] == ["plan", "survey", "spotlight"]
    assert seen[-1].node == "answer"
    runs = RunStore.open(library.folder)
    bare = [replace(s, looks=tuple(replace(k, thumbnails=()) for k in s.looks)) for s in seen]
    assert runs.steps(found.run_id) == bare
    cached = [s.data["cached_frames"][k.look_id] for s in seen for k in s.looks]
    assert cached[0] == 0
    assert all("cached_frames" not in s.data for s in seen if not s.looks)
    first_look = next(k for s in seen for k in s.looks)
    assert runs.thumbnails(found.run_id, first_look.look_id) == list(first_look.thumbnails)
    run = runs.load(found.run_id)
    assert run is not None
    assert run.answer == found.to_json()
    assert run.status == "answered"


def test_the_same_question_twice_gives_the_same_steps(
    library: PlainLibrary, settings: AskSettings
) -> None:
    def looked() -> list[tuple[Span, ...]]:
        seen: list[StepRow] = []
        ask(
            library,
            library.video,
            "What is the red thing?",
            models=models_with(knowing([RED_2])),
            settings=settings,
            on_step=seen.append,
        )
        return [tuple(k.span for k in s.looks) for s in seen]

    assert looked() == looked()


def test_an_empty_question_and_a_lone_option_are_refused(
    library: PlainLibrary, settings: AskSettings
) -> None:
    models = models_with(knowing([]))
    with pytest.raises(InputError, match="empty"):
        ask(library, library.video, "  ", models=models, settings=settings)
    with pytest.raises(InputError, match="one option"):
        ask(library, library.video, "Why?", options=["a"], models=models, settings=settings)


def test_a_film_of_another_encoder_is_refused(library: PlainLibrary, settings: AskSettings) -> None:
    other = models_with(knowing([]))
    library.encoder.identity = replace(library.encoder.identity, weights_hash="other")
    with pytest.raises(LibraryError):
        ask(library, library.video, "What is red?", models=other, settings=settings)


def test_what_a_question_may_cost_is_said_before(
    library: PlainLibrary, settings: AskSettings
) -> None:
    models = models_with(knowing([BLUE]))
    # Eight frames of 64x32 px: four pairs of 2 visual tokens and a tag of 10.
    cost = estimate_question(library.video, videollm=models.videollm, settings=settings)
    assert (cost.tokens_per_look, cost.looks, cost.most.visual_tokens) == (48, 22, 6_000)
    found = ask(library, library.video, "What is blue?", models=models, settings=settings)
    assert found.usage["visual_tokens"] <= cost.most.visual_tokens

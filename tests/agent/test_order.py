"""Several things, one after the other, and what their times say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from agent.ask import ask
from agent.backends.scripted import P_NOT_SEEN, P_SEEN, ScriptedVideoLLM
from agent.events import Order
from agent.order import mentioned, option_in_order, said_in_order
from agent.presets import with_budget
from agent.settings import AskSettings
from agent.videollm import Clip
from index.errors import ModelError
from index.runs import RunStore
from index.types import Span
from prompts.render import RenderedPrompt
from tests.agent.conftest import PlainLibrary, models_with

BLUE, RED = Span(110, 120), Span(60, 70)
WHERE = {"blue": BLUE, "red": RED}


def telling() -> ScriptedVideoLLM:
    """A fake that knows where each colour is that its prompt names."""

    def seen(prompt: RenderedPrompt, clips: Sequence[Clip]) -> float:
        text = " ".join(part for part in prompt.parts if isinstance(part, str))
        spans = [span for colour, span in WHERE.items() if colour in text]
        times = [time_s for clip in clips for time_s in clip.times_s]
        shown = any(span.start_s <= t < span.end_s for span in spans for t in times)
        return P_SEEN if shown else P_NOT_SEEN

    return ScriptedVideoLLM(
        reply_script=lambda prompt, clips: "none" if prompt.name == "request" else "",
        yes_script=seen,
    )


@pytest.mark.parametrize(
    ("question", "options", "answer"),
    [
        ("Which appears first, the blue wall or the red wall?", (), "the red wall"),
        ("Which appears last, the blue wall or the red wall?", (), "the blue wall"),
        (
            "In what order do the blue wall and the red wall appear?",
            (),
            "the red wall, then the blue wall",
        ),
        ("Does the blue wall appear before the red wall?", (), "no"),
        ("Is the blue wall shown after the red wall?", (), "yes"),
        ("Does the blue wall appear before the red wall or after it?", (), "after"),
        (
            "Does the red wall appear before or after the blue wall?",
            ("after the blue wall", "before the blue wall"),
            "before the blue wall",
        ),
        (
            "Which appears first, the blue wall or the red wall?",
            ("blue", "red"),
            "red",
        ),
        (
            "In what order do the blue wall and the red wall appear?",
            ("blue, red", "red, blue"),
            "red, blue",
        ),
        ("Does the blue wall appear before the red wall?", ("Yes", "No"), "No"),
    ],
)
def test_each_thing_is_searched_and_their_times_are_compared(
    library: PlainLibrary,
    settings: AskSettings,
    question: str,
    options: tuple[str, ...],
    answer: str,
) -> None:
    videollm = telling()
    found = ask(
        library,
        library.video,
        question,
        options=options,
        models=models_with(videollm),
        settings=settings,
    )
    assert (found.status, found.kind, found.answer) == ("answered", "order", answer)
    assert found.choice == (options.index(answer) if options else None)
    assert [c.span for c in found.citations] == [RED, BLUE]
    assert 0.5 < found.confidence <= 1
    assert not [call for call in videollm.calls if call.kind == "choose"]
    runs = RunStore.open(library.folder)
    nodes = [step.node for step in runs.steps(found.run_id)]
    assert nodes.count("plan") == 2
    assert nodes.count("survey") == 2


def test_what_is_doubted_of_things_is_a_guess(library: PlainLibrary, settings: AskSettings) -> None:
    found = ask(
        library,
        library.video,
        "Which appears first, the blue wall or the red wall?",
        models=models_with(telling()),
        settings=replace(settings, answer=replace(settings.answer, most_absent=0.0)),
    )
    assert (found.status, found.answer) == ("out_of_budget", "the red wall")
    assert [c.span for c in found.citations] == [RED, BLUE]
    assert not any("things these were found" in note for note in found.notes)


def test_a_thing_that_is_not_there_is_named(library: PlainLibrary, settings: AskSettings) -> None:
    found = ask(
        library,
        library.video,
        "Which appears first, the red wall or the orange elephant?",
        models=models_with(telling()),
        settings=settings,
    )
    assert (found.status, found.answer) == ("not_found", "")
    assert any("the red wall (" in n and "not the orange elephant" in n for n in found.notes)


def test_an_order_that_was_cut_short_goes_on_with_the_thing_it_was_at(
    library: PlainLibrary, settings: AskSettings
) -> None:
    videollm = telling()
    judge = videollm.yes_script

    def stopped(prompt: RenderedPrompt, clips: Sequence[Clip]) -> float:
        if any("blue" in part for part in prompt.parts if isinstance(part, str)):
            raise ModelError("the power is gone")
        return judge(prompt, clips)

    question = "Which appears first, the red wall or the blue wall?"
    asked = {"models": models_with(videollm), "settings": settings}
    videollm.yes_script = stopped
    with pytest.raises(ModelError):
        ask(library, library.video, question, **asked)
    n_before = len(videollm.calls)
    videollm.yes_script = judge
    found = ask(library, library.video, question, **asked)
    assert (found.status, found.answer) == ("answered", "the red wall")
    assert [c.span for c in found.citations] == [RED, BLUE]
    later = [part for call in videollm.calls[n_before:] for part in call.prompt.parts]
    assert not any("red" in part for part in later if isinstance(part, str))


@pytest.mark.parametrize("looks", [2, 6, 9])
def test_each_thing_keeps_to_its_part_of_the_budget(
    library: PlainLibrary, settings: AskSettings, looks: int
) -> None:
    found = ask(
        library,
        library.video,
        "Which appears first, the grey elephant or the blue wall?",
        models=models_with(telling()),
        settings=with_budget(settings, looks=looks),
    )
    # The first is nowhere: the search for it leaves the other half alone.
    assert found.status != "answered"
    assert 1 <= found.usage["looks"] <= -(-looks // 2)


def test_what_is_in_one_shot_has_no_order(
    library: PlainLibrary, settings: AskSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(WHERE, "red", BLUE)
    found = ask(
        library,
        library.video,
        "Which appears first, the blue wall or the red wall?",
        models=models_with(telling()),
        settings=settings,
    )
    assert (found.status, found.answer) == ("answered", "at the same time")


def test_a_things_own_words_name_it_in_an_option() -> None:
    things = ["the red car", "the red boat", "a cat"]
    assert mentioned("the boat, then the red car", things) == ["the red boat", "the red car"]
    assert mentioned("red", things) == []
    order = Order("sequence", ("a cat", "the red car"))
    assert option_in_order(order, ["the red car", "a cat"], ["cat, car", "car, cat"]) == 1
    assert option_in_order(order, ["the red car", "a cat"], ["car", "cat"]) is None
    assert option_in_order(Order("before", ("a", "b")), ["a", "b"], ["Yes, it does", "No"]) == 0


def test_before_and_after_are_each_others_opposite() -> None:
    for asks, said in (("before", "yes"), ("after", "no")):
        assert said_in_order(Order(asks, ("x", "y")), ["x", "y"]) == said  # type: ignore[arg-type]
        assert said_in_order(Order(asks, ("y", "x")), ["x", "y"]) != said  # type: ignore[arg-type]

"""Nodes may have models of their own: each call goes to its node's, and the trace says so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.ask import ask
from agent.backends.scripted import ScriptedVideoLLM, knowing
from agent.models import choose_models, models_of_run, open_models, split_models
from agent.settings import AskSettings
from index.errors import ModelError
from index.run_rows import StepRow
from index.types import Span
from tests.agent.conftest import PlainLibrary, models_with

RED = Span(60, 70)


class Named(ScriptedVideoLLM):
    """A fake under a name of its own."""

    label = ""

    @property
    def name(self) -> str:
        return self.label


def named(label: str) -> Named:
    fake = knowing([RED], answer="a wall")
    model = Named(fake.reply_script, fake.yes_script, fake.choice_script)
    model.label = label
    return model


def test_each_call_goes_to_the_model_of_its_node(
    library: PlainLibrary, settings: AskSettings
) -> None:
    first, small, large = named("first"), named("small"), named("large")
    models = replace(models_with(first), by_node={"reflect": small, "answer": large})
    steps: list[StepRow] = []
    answer = ask(
        library,
        library.video,
        "What is red?",
        models=models,
        settings=settings,
        on_step=steps.append,
    )
    called = {(step.node, call.model) for step in steps for call in step.calls}
    assert called == {
        *(("plan", "first"), ("survey", "first"), ("reflect", "small"), ("answer", "large")),
    }
    assert {call.kind for call in small.calls} == {"judge"}
    assert answer.models["videollm"] == "first"
    assert (answer.models["videollm_reflect"], answer.models["videollm_answer"]) == (
        "small",
        "large",
    )


@pytest.mark.parametrize(
    ("text", "first", "by_node"),
    [
        ("demo", "demo", ()),
        ("demo,answer=big", "demo", (("answer", "big"),)),
        ("reflect=a/b,answer=openai:c", "auto", (("reflect", "a/b"), ("answer", "openai:c"))),
        ("/a=b/model", "/a=b/model", ()),
    ],
)
def test_names_of_models_for_nodes_are_read(
    text: str, first: str, by_node: tuple[tuple[str, str], ...]
) -> None:
    assert split_models(text) == (first, by_node)


@pytest.mark.parametrize(
    "text", ["demo,look=a", "demo,answer=", "demo,answer", "demo,answer=a,answer=b", "demo,"]
)
def test_a_node_that_asks_nothing_has_no_model(text: str) -> None:
    with pytest.raises(ModelError, match="nodes: plan, survey, reflect, answer"):
        choose_models(text, encoder="hash")


def test_a_model_that_is_named_twice_is_opened_once() -> None:
    models = open_models("scripted,reflect=scripted,answer=scripted", encoder="hash")
    assert models.by_node["reflect"] is models.by_node["answer"] is models.videollm


@pytest.mark.parametrize(
    ("own", "asked"),
    [
        ({}, "openai:look at me"),
        ({"videollm_plan": "demo"}, "openai:look at me,plan=demo"),
        (
            {"videollm_answer": "openai:big at h:80", "videollm_reflect": "Qwen/small"},
            "openai:look at me,reflect=Qwen/small,answer=openai:big",
        ),
    ],
)
def test_the_models_of_a_run_are_named_as_they_were_asked_for(
    own: dict[str, str], asked: str
) -> None:
    """A server's without its address, those of single nodes behind the first."""
    names = {"encoder": "hash", "videollm": "openai:look at me at 127.0.0.1:9", **own}
    weights = {f"{name}_weights": "w" for name in own}
    assert models_of_run({**names, **weights, "videollm_weights": "w"}) == asked
    assert split_models(asked)[0] == "openai:look at me"


def test_models_that_are_no_servers_keep_their_names() -> None:
    assert models_of_run({"videollm": "/at home at last/model"}) == "/at home at last/model"

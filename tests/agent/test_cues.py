"""The texts that a question is retrieved by."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from agent.backends.scripted import ScriptedVideoLLM
from agent.cues import cue_objects, option_rewrites, usable_rewrite
from agent.survey import plan
from index.types import Span
from tests.agent.conftest import WorkspaceMaker


@pytest.mark.parametrize(
    ("rewrite", "used"),
    [
        ("a red boat on the beach.", "a red boat on the beach"),
        ("two boats", "two boats"),
        ("a green fish", ""),
        ("", ""),
        ("where is the red boat?", ""),
        ("<span>1 - 2</span> boat", ""),
    ],
)
def test_a_rewrite_that_lost_the_thread_is_not_used(rewrite: str, used: str) -> None:
    assert usable_rewrite(rewrite, "Where is the red boat?") == used


@pytest.mark.parametrize(
    ("rewrite", "question", "used"),
    [
        ("красная машина на дороге", "Где Красная машина?", True),
        ("зелёная рыба", "Где красная машина?", False),
        ("红色的汽车", "红色的汽车在哪里？", True),
        ("鱼", "红色的汽车在哪里？", False),
        ("红色的汽车在哪里？", "红色的汽车在哪里？", False),
    ],
)
def test_words_of_other_scripts_are_words(rewrite: str, question: str, used: bool) -> None:
    assert usable_rewrite(rewrite, question) == (rewrite if used else "")


def test_a_line_of_another_option_with_a_common_noun_is_not_used() -> None:
    written = "a blue car on the road\na red car on the road"
    assert option_rewrites(written, ("a red car", "a blue car")) == ("", "")
    assert option_rewrites(written, ("a blue car", "a red car")) == tuple(written.splitlines())


@pytest.mark.parametrize(
    ("reply", "captions"),
    [
        ("a red boat\na blue boat", ("a red boat", "a blue boat")),
        ("1. a red boat\n\n2. A blue boat.", ("a red boat", "A blue boat")),
        ("(a) a red boat\nb) a blue boat", ("a red boat", "a blue boat")),
        ("a blue boat\na red boat", ("", "")),
        ("a red boat\na boat", ("a red boat", "")),
        ("a red boat", ("", "")),
        ("Here they are:\na red boat\na blue boat", ("", "")),
        ("", ("", "")),
    ],
)
def test_an_option_has_the_line_that_names_it(reply: str, captions: tuple[str, str]) -> None:
    assert option_rewrites(reply, ("red", "blue")) == captions


@pytest.mark.parametrize(
    ("reply", "named"),
    [
        ("1. a pier\n2. the sea\n3. sand\n4. gulls", ("a pier", "the sea", "sand")),
        ("- a pier\n- a pier.\n", ("a pier",)),
        ("a red boat\nthe boat", ()),
        ("The boat is likely to be found near a pier\n<span>", ()),
        ("", ()),
    ],
)
def test_cue_objects_are_short_and_beside_what_is_looked_for(
    reply: str, named: tuple[str, ...]
) -> None:
    assert cue_objects(reply, most=3, subject="the red boat") == named


def test_cue_objects_move_the_prior_and_are_no_part_of_what_is_looked_for(
    workspace: WorkspaceMaker,
) -> None:
    model = ScriptedVideoLLM(
        reply_script=lambda prompt, clips: "red" if prompt.name == "cue_objects" else ""
    )
    ws, state = workspace(model, "Where is the thing?")
    priors = []
    for most in (3, 0):
        # So warm that no shot has all of it.
        prior = replace(ws.settings.survey.prior, temperature=2.0)
        survey = replace(ws.settings.survey, cue_objects=most, prior=prior)
        ws.settings = replace(ws.settings, survey=survey)
        planned = plan(state, SimpleNamespace(context=ws))  # type: ignore[arg-type]
        priors.append(ws.prior({**state, **planned}).belief.mass(Span(60, 70)))
        if most:
            with_it = ws.cosine({**state, **planned}, Span(60, 70))
        else:
            assert ws.cosine({**state, **planned}, Span(60, 70)) == with_it
    assert priors[0] > priors[1] + 0.01
    asked = [call.prompt.name for call in model.calls]
    assert asked == ["rewrite", "cue_objects", "rewrite"]

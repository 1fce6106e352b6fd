"""The fake that other tests rely on."""

from __future__ import annotations

import pytest

from agent.backends.scripted import P_NOT_SEEN, P_SEEN, ScriptedVideoLLM, knowing
from index.types import Span
from prompts.render import render
from tests.agent.backends.conftest import noise

REFLECT = render("reflect", n_clips=1, question="what?")
ANSWER = render("answer", n_clips=1, question="what?", options=[])


def at(*times_s: float):
    return noise(times_s, width_px=64, height_px=32)


def test_it_knows_the_evidence_by_the_times_of_the_frames() -> None:
    fake = knowing([Span(100, 105)], answer="red")
    assert fake.judge(REFLECT, [at(99.0, 104.9)]).p_yes == P_SEEN
    assert fake.judge(REFLECT, [at(99.0, 105.0)]).p_yes == P_NOT_SEEN
    assert fake.reply(ANSWER, [at(101.0)]).text == "red"
    assert fake.reply(ANSWER, [at(1.0)]).text == "not enough"


def test_it_chooses_the_right_option_only_where_the_evidence_is() -> None:
    fake = knowing([Span(100, 105)], option_index=1)
    seen = fake.choose(ANSWER, [at(101.0)], options=["a", "b", "c"]).probabilities
    assert seen == pytest.approx((1 / 22, 20 / 22, 1 / 22))
    unseen = fake.choose(ANSWER, [at(1.0)], options=["a", "b", "c"]).probabilities
    assert unseen == pytest.approx((1 / 3, 1 / 3, 1 / 3))


def test_it_remembers_what_it_was_asked() -> None:
    fake = ScriptedVideoLLM()
    clip = at(1.0, 2.0)
    fake.judge(REFLECT, [clip])
    fake.reply(ANSWER, [clip])
    assert [(call.kind, call.prompt.name) for call in fake.calls] == [
        ("judge", "reflect"),
        ("reply", "answer"),
    ]
    assert fake.calls[0].clips == (clip,)


def test_a_script_is_a_function_of_prompt_and_clips() -> None:
    fake = ScriptedVideoLLM(reply_script=lambda prompt, clips: f"{prompt.name} {len(clips)}")
    assert fake.reply(ANSWER, [at(1.0)]).text == "answer 1"


def test_it_says_that_it_is_a_fake() -> None:
    fake = ScriptedVideoLLM()
    assert "fake" in fake.name
    shown = fake.judge(REFLECT, [at(1.0, 2.0)]).prompt_text
    assert shown.startswith("[scripted] Question: what?\n<1.5 seconds>")


def test_weights_that_do_not_fit_the_options_are_a_bug_of_the_script() -> None:
    fake = ScriptedVideoLLM(choice_script=lambda prompt, clips, options: [1.0])
    with pytest.raises(ValueError, match="2 options"):
        fake.choose(ANSWER, [at(1.0)], options=["a", "b"])

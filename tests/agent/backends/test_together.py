"""Calls that are made together give what each gives alone."""

from __future__ import annotations

import pytest

from agent.videollm import BatchingVideoLLM, Call, VideoLLM
from prompts.render import render
from tests.agent.backends.conftest import sized


@pytest.fixture
def together(videollm: VideoLLM) -> BatchingVideoLLM:
    if not isinstance(videollm, BatchingVideoLLM):
        pytest.skip("this backend takes one call at a time")
    return videollm


def calls(videollm: VideoLLM, prompt_name: str) -> list[Call]:
    """Prompts of other lengths, with one clip, two, and none."""
    clips = (
        sized(videollm, (1.0, 2.0, 3.0, 4.0), seed=1),
        sized(videollm, (70.0,), seed=2, label="Clip 2: "),
    )
    by_letter = videollm.capabilities.options_by == "letter"
    choices = (("red", "blue car"), ("a", "b b b", "one two three four"), ("yes", "no"))
    questions = ("what is red?", "what is it that stands in the corner over there?", "who?")
    made = []
    for n_clips, question, options in zip((1, 2, 0), questions, choices, strict=True):
        values: dict[str, object] = {"question": question}
        if prompt_name == "answer":
            values["options"] = list(options) if by_letter else []
        prompt = render(prompt_name, n_clips=n_clips, **values)
        made.append(Call(prompt, clips[:n_clips], options=options, max_tokens=4 + n_clips))
    return made


def test_judgements(together: BatchingVideoLLM) -> None:
    asked = calls(together, "reflect")
    for call, found in zip(asked, together.judge_all(asked), strict=True):
        alone = together.judge(call.prompt, call.clips)
        assert found.p_yes == pytest.approx(alone.p_yes, abs=1e-4)
        assert found.mass == pytest.approx(alone.mass, abs=1e-4)
        assert found.prompt_text == alone.prompt_text
        assert found.usage.input_tokens == alone.usage.input_tokens
        assert found.usage.visual_tokens == alone.usage.visual_tokens


def test_choices(together: BatchingVideoLLM) -> None:
    asked = calls(together, "answer")
    for call, found in zip(asked, together.choose_all(asked), strict=True):
        alone = together.choose(call.prompt, call.clips, options=call.options)
        assert found.probabilities == pytest.approx(alone.probabilities, abs=1e-4)


def test_replies(together: BatchingVideoLLM) -> None:
    asked = calls(together, "reflect")
    for call, found in zip(asked, together.reply_all(asked), strict=True):
        alone = together.reply(call.prompt, call.clips, max_tokens=call.max_tokens)
        assert found.text == alone.text
        assert found.usage.output_tokens == alone.usage.output_tokens
        assert found.probability == pytest.approx(alone.probability, abs=1e-4)

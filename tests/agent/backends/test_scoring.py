"""Probabilities: hand-worked shares, and branches that equal whole sequences."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch

from agent.backends import scoring
from agent.backends.transformers_local import TransformersVideoLLM
from agent.videollm import Call, VideoLLM
from index.errors import ModelError
from prompts.render import render
from tests.agent.backends.conftest import sized

OPTIONS = ["red", "blue car", "the red car to the spotlight", "9"]


class Words:
    """A tokenizer whose tokens are the characters' code points."""

    def encode(self, text: str, *, add_special_tokens: bool) -> list[int]:
        return [ord(character) for character in text]


def test_shares_and_mass_of_two_groups() -> None:
    # Probabilities 1/8, 1/8, 1/4, 1/2: yes has the first two, no the third.
    logits = torch.log(torch.tensor([1.0, 1.0, 2.0, 4.0]))
    (p_yes, p_no), mass = scoring.group_probabilities(logits, [[0, 1], [2]])
    assert (p_yes, p_no, mass) == pytest.approx((0.5, 0.5, 0.5))


def test_a_token_that_begins_two_words_counts_for_neither() -> None:
    groups = scoring.first_token_groups(Words(), [("yes", " yes"), ("no", " no")])
    assert groups == [[ord("y")], [ord("n")]]


def test_words_that_begin_alike_cannot_be_told_apart() -> None:
    with pytest.raises(ModelError, match="cannot tell 'none'"):
        scoring.first_token_groups(Words(), [("none",), ("no",)])


def test_the_mean_is_over_an_options_own_tokens() -> None:
    # First position: P(token 0) = 1/4, P(token 1) = 3/4. After token 1: P(token 0) = 1/2.
    first = torch.log(torch.tensor([1.0, 3.0]))
    rest = torch.zeros(2, 1, 2)
    means = scoring.mean_log_probabilities(first, rest, [[0], [1, 0]])
    assert means.tolist() == pytest.approx(
        [math.log(1 / 4), (math.log(3 / 4) + math.log(1 / 2)) / 2]
    )


def test_tokens_of_replies_side_by_side() -> None:
    # First step: P = 1/4, 3/4 and 1/2, 1/2; second step: 1/2, 1/2 and 1/8, 7/8.
    steps = [torch.tensor([[1.0, 3.0], [1.0, 1.0]]), torch.tensor([[1.0, 1.0], [1.0, 7.0]])]
    logits = [torch.log(each) for each in steps]
    found = scoring.token_log_probabilities(logits, torch.tensor([[1, 0], [0, 1]]))
    assert found.exp().flatten().tolist() == pytest.approx([3 / 4, 1 / 2, 1 / 2, 7 / 8])


def uncached(model: TransformersVideoLLM, prompt, clips, option: str) -> float:
    """The option's mean log-probability from one whole sequence, nothing shared."""
    encoded = model._encode([Call(prompt, tuple(clips))])
    tokens = torch.tensor([model.option_tokens(option)])
    inputs = dict(encoded.inputs)
    inputs["input_ids"] = torch.cat([inputs["input_ids"], tokens], dim=1)
    inputs["attention_mask"] = torch.ones_like(inputs["input_ids"])
    if "mm_token_type_ids" in inputs:
        types = inputs["mm_token_type_ids"]
        inputs["mm_token_type_ids"] = torch.cat([types, torch.zeros_like(tokens)], dim=1)
    with torch.inference_mode():
        logits = model._model(**inputs).logits[0, encoded.rows[0].n_input_tokens - 1 : -1]
    logs = torch.log_softmax(logits.double(), dim=-1)
    return float(logs.gather(-1, tokens[0][:, None]).mean())


@pytest.mark.parametrize("kind", ["qwen3_vl by text", "qwen2_5_vl", "llava"])
def test_branches_over_one_prompt_score_as_whole_sequences(
    open_backend: Callable[[str], VideoLLM], kind: str
) -> None:
    model = open_backend(kind)
    assert isinstance(model, TransformersVideoLLM)
    clips = [
        sized(model, (1.0, 2.0, 3.0, 8.0)),
        sized(model, (70.0,), seed=1, label="Clip 2: "),
    ]
    prompt = render("answer", n_clips=2, question="what is red?", options=[])
    with torch.inference_mode():
        (shares,) = model._text_shares(model._encode([Call(prompt, tuple(clips))]), [OPTIONS])
    expected = torch.tensor([uncached(model, prompt, clips, option) for option in OPTIONS])
    assert shares == pytest.approx(torch.softmax(expected, dim=-1).tolist(), abs=1e-5)


def test_options_by_text_do_not_depend_on_their_order(
    open_backend: Callable[[str], VideoLLM],
) -> None:
    model = open_backend("qwen3_vl by text")
    assert model.capabilities.options_by == "text"
    clip = sized(model, (1.0, 2.0))
    prompt = render("answer", n_clips=1, question="what?", options=[])
    forward = model.choose(prompt, [clip], options=OPTIONS).probabilities
    backward = model.choose(prompt, [clip], options=OPTIONS[::-1]).probabilities
    assert forward == pytest.approx(backward[::-1], abs=1e-5)


def test_a_reply_is_as_likely_as_its_tokens(qwen3_vl: TransformersVideoLLM) -> None:
    clip = sized(qwen3_vl, (1.0, 2.0))
    prompt = render("reflect", n_clips=1, question="what?")
    with torch.inference_mode():
        encoded = qwen3_vl._encode([Call(prompt, (clip,))])
        logits = qwen3_vl._model(**encoded.inputs).logits[0, -1]
    likeliest = float(torch.softmax(logits.double(), dim=-1).max())
    first = qwen3_vl.reply(prompt, [clip], max_tokens=1).probability
    assert first == pytest.approx(likeliest, rel=1e-4)
    longer = qwen3_vl.reply(prompt, [clip], max_tokens=3).probability
    assert longer is not None
    assert 0 < longer < 1
    assert longer != pytest.approx(first, rel=1e-4)


def test_what_follows_the_end_of_a_reply_is_not_part_of_its_probability(
    open_backend: Callable[[str], VideoLLM],
) -> None:
    model = open_backend("qwen3_vl by text")
    assert isinstance(model, TransformersVideoLLM)
    one, other = sized(model, (1.0, 2.0)), sized(model, (5.0, 6.0, 7.0, 8.0), seed=3)
    prompt = render("reflect", n_clips=1, question="what?")
    calls = [Call(prompt, (clip,), max_tokens=4) for clip in (one, other)]
    first = model.reply(prompt, [one], max_tokens=1)
    ends = model._model.generation_config
    before = ends.eos_token_id
    with torch.inference_mode():
        encoded = model._encode(calls[:1])
        ends.eos_token_id = int(model._model(**encoded.inputs).logits[0, -1].argmax())
    try:
        ended, _ = model.reply_all(calls)
    finally:
        ends.eos_token_id = before
    assert ended.usage.output_tokens == 1
    assert ended.probability == pytest.approx(first.probability, rel=1e-3)


def test_an_empty_option_is_refused(qwen3_vl: TransformersVideoLLM) -> None:
    with pytest.raises(ValueError, match="empty"):
        qwen3_vl.option_tokens("")


def test_a_judgement_is_the_softmax_of_the_next_token(qwen3_vl: TransformersVideoLLM) -> None:
    clip = sized(qwen3_vl, (1.0, 2.0))
    prompt = render("reflect", n_clips=1, question="what?")
    judgement = qwen3_vl.judge(prompt, [clip])
    with torch.inference_mode():
        encoded = qwen3_vl._encode([Call(prompt, (clip,))])
        logits = qwen3_vl._model(**encoded.inputs).logits[0, -1]
    shares = torch.softmax(logits.double(), dim=-1)
    firsts = [
        {qwen3_vl._tokenizer.encode(word, add_special_tokens=False)[0] for word in words}
        for words in (scoring.YES, scoring.NO)
    ]
    yes, no = (float(shares[sorted(mine - other)].sum()) for mine, other in (firsts, firsts[::-1]))
    assert judgement.p_yes == pytest.approx(yes / (yes + no))
    assert judgement.mass == pytest.approx(yes + no)
